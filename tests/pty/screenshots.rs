//! The pictures in `assets/screenshots` and the screen in the README: the real program in the sandbox,
//! driven by keys, read back through the terminal emulator. `make screenshots` takes them anew; without
//! `UPDATE_SCREENSHOTS=1` the test compares them with what the program draws now, so that they are
//! never of another version.
//!
//! A picture more is a line more in [`PICTURES`].

mod cells;
mod svg;

use std::path::PathBuf;
use std::process::Command;

use cells::Grid;
use rustix::process::Signal;

use crate::lab::{Lab, in_sandbox};
use crate::proof::Server;
use crate::terminal::Terminal;

/// The host's name on the pictures.
const HOST: &str = "lumen";

/// A picture: a file, a size, and how to get there.
struct Picture {
    /// `assets/screenshots/NAME.svg`, and what stands between `<!-- screen: NAME -->` and
    /// `<!-- /screen -->` in the README, if that is there.
    name: &'static str,
    /// What it shows, for those who can't see it.
    title: &'static str,
    /// Columns and rows.
    size: (u16, u16),
    /// Commands that are run first, as somebody may have run them long ago.
    before: &'static [&'static str],
    /// Whether the user came over SSH, and the trial sees him come once more.
    is_over_ssh: bool,
    /// Rows with these words differ from machine to machine, and are not compared.
    varying: &'static [&'static str],
    /// Whether the setup is shown, which begins by itself where nothing was decided: such pictures come
    /// first.
    is_setup: bool,
    /// Keys, and the words that are on the screen after them.
    steps: &'static [(&'static str, &'static [&'static str])],
}

/// In the place of keys: the user opens a new connection.
const CONNECT: &str = "";

/// As most pictures are.
const PLAIN: Picture = Picture {
    name: "",
    title: "",
    size: (80, 24),
    before: &[],
    is_over_ssh: false,
    varying: &[],
    is_setup: false,
    steps: &[],
};

const PICTURES: [Picture; 6] = [
    Picture {
        name: "setup",
        title: "The first-time setup: a recommended decision for every service, and why",
        is_setup: true,
        steps: &[
            ("\r", &["Whom do you trust?"]),
            ("\r", &["Refusal"]),
            ("\r", &["Who may connect to what?", "Recommended: open"]),
        ],
        ..PLAIN
    },
    Picture {
        name: "services",
        title: "The Services screen: what listens, who can connect now, and who can after applying",
        steps: &[("1", &["REACH NOW", "Neighbours now: public answers"])],
        ..PLAIN
    },
    Picture {
        name: "networks",
        title: "The Networks screen: the interfaces, and who is trusted on each",
        steps: &[("2", &["CLASS", "eth1"]), ("\u{1b}[B", &["192.168.7.0/24"])],
        ..PLAIN
    },
    Picture {
        name: "preview",
        title: "The Preview screen: what applying changes, in words and as rules",
        size: (100, 32),
        steps: &[("p", &["What changes", "Rules: [diff]"])],
        ..PLAIN
    },
    Picture {
        name: "trial",
        title: "A trial: the countdown, a new connection that was seen, and the keys to keep or revert",
        before: &["fwtui set 2222/tcp open"],
        is_over_ssh: true,
        steps: &[
            ("a", &["Apply?", "for 90 seconds"]),
            ("y", &["TRIAL", "no new connection seen"]),
            (CONNECT, &["new connection from 203.0.113.1"]),
            ("/postgres\r", &["postgres · 5432/tcp"]),
            ("/\u{15}\r", &["Neighbours now: public refused", "22/tcp"]),
        ],
        ..PLAIN
    },
    // The last one: its rules would be on the others.
    Picture {
        name: "checkup",
        title: "The Checkup screen: what is harmful, redundant or missing, and what to do",
        size: (100, 32),
        before: COPIED,
        // How much there is to say of the machine's settings.
        varying: &["─ Checkup ─"],
        steps: &[("4", &["harmful", "What ", "Why ", "Do "])],
        ..PLAIN
    },
];

/// Rules as they have been copied from one page to the next for twenty years.
const COPIED: &[&str] = &[
    "iptables -A INPUT -i lo -j ACCEPT",
    "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP",
    "iptables -A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP",
    "iptables -A INPUT -p tcp --tcp-flags ALL NONE -j DROP",
    "iptables -A INPUT -f -j DROP",
    "iptables -A INPUT -p icmp -j DROP",
    "ip6tables -A INPUT -i lo -j ACCEPT",
    "ip6tables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT",
    "ip6tables -A INPUT -j REJECT",
];

/// What was decided before the pictures are taken.
const DECIDED: &[&[&str]] = &[
    &["network", "eth1", "trusted"],
    &["set", "22/tcp", "open"],
    &["set", "443/tcp", "open"],
    &["set", "80/tcp", "open"],
    &["set", "53/udp", "trusted"],
    &["set", "445/tcp", "trusted"],
    &["set", "5353/udp", "trusted"],
    &["set", "5432/tcp", "confine"],
    &["set", "161/udp", "confine"],
];

/// The screens as everybody has them: of this host, without anybody's settings.
fn open(picture: &Picture) -> Terminal {
    let mut command = Command::new("unshare");
    let rename =
        format!("{{ hostname {HOST} || echo {HOST} > /proc/sys/kernel/hostname; }} 2> /dev/null; exec \"$0\" \"$@\"");
    command
        .args(["--uts", "sh", "-c", &rename])
        .arg(env!("CARGO_BIN_EXE_fwtui"))
        .args(if picture.is_setup {
            &[][..]
        } else {
            &["--screen", "services"]
        })
        .env("COLORTERM", "truecolor")
        .env("HOME", "/nonexistent");
    let is_ones_own = |name: &String| {
        let is_setting = name.starts_with("FWTUI_") && name != "FWTUI_ROOT";
        is_setting
            || name.starts_with("XDG_")
            || name.starts_with("LC_")
            || ["USER", "SUDO_USER"].contains(&name.as_str())
    };
    for name in std::env::vars().map(|(name, _)| name).filter(is_ones_own) {
        command.env_remove(name);
    }
    let mut terminal = Terminal::with(picture.size, &command);
    let first = if picture.is_setup {
        "What was found"
    } else {
        "REACH NOW"
    };
    terminal.until("the first complete look", |text| {
        text.contains(first) && !text.contains("looking") && text.contains(HOST)
    });
    terminal
}

fn take(picture: &Picture) -> Grid {
    let mut server = picture.is_over_ssh.then(Server::start);
    let mut terminal = open(picture);
    for (keys, words) in picture.steps {
        if let (&CONNECT, Some(server)) = (keys, &mut server) {
            server.accepts();
        }
        terminal.answers(keys, words);
    }
    terminal.settles();
    let grid = Grid::of(terminal.screen(), picture.size).evened();
    terminal.signal(Signal::TERM);
    terminal.ends();
    grid
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The README with the screen in the place that is marked for it; none where no place is.
fn with_screen(readme: &str, name: &str, text: &str) -> Option<String> {
    let (before, rest) = readme.split_once(&format!("<!-- screen: {name} -->\n"))?;
    let (_, after) = rest.split_once("<!-- /screen -->")?;
    Some(format!(
        "{before}<!-- screen: {name} -->\n```text\n{text}```\n<!-- /screen -->{after}"
    ))
}

/// The lines of a picture that are the same everywhere.
fn compared<'a>(svg: &'a str, picture: &Picture, grid: &Grid) -> Vec<&'a str> {
    let varies = |row: &&Vec<cells::Cell>| {
        let line = Grid::line(row);
        picture.varying.iter().any(|words| line.contains(words))
    };
    let places = grid.rows.iter().enumerate().filter(|(_, row)| varies(row));
    let places: Vec<String> = places.map(|(index, _)| svg::baseline(index)).collect();
    let is_kept = |line: &&str| !places.iter().any(|place| line.contains(place.as_str()));
    svg.lines().filter(is_kept).collect()
}

/// The first lines in which two texts differ.
fn difference(was: &str, is: &str) -> String {
    let lines = was.lines().zip(is.lines()).filter(|(was, is)| was != is).take(8);
    let lines: Vec<String> = lines.map(|(was, is)| format!("- {was}\n+ {is}\n")).collect();
    lines.concat()
}

#[test]
fn pictures_are_of_this_program() {
    in_sandbox(|lab: &Lab| {
        let is_update = std::env::var("UPDATE_SCREENSHOTS").is_ok_and(|value| value == "1");
        let readme_path = folder().join("README.md");
        let mut outdated = Vec::new();
        let mut is_decided = false;
        for picture in &PICTURES {
            if !picture.is_setup && !std::mem::replace(&mut is_decided, true) {
                for decision in DECIDED {
                    lab.does(decision);
                }
            }
            for line in picture.before {
                let status = Command::new("sh").args(["-c", line]).status().unwrap();
                assert!(status.success(), "{line}");
            }
            let grid = take(picture);
            if lab.status()["state"] == "trial" {
                lab.does(&["revert"]);
            }
            let svg = svg::draw(picture.title, &grid);
            assert!(svg.len() < 60 * 1024, "{}: {} bytes", picture.name, svg.len());
            let path = folder().join(format!("assets/screenshots/{}.svg", picture.name));
            let readme = std::fs::read_to_string(&readme_path).unwrap();
            let shown = with_screen(&readme, picture.name, &grid.text());
            if is_update {
                std::fs::write(&path, &svg).unwrap();
                if let Some(shown) = shown {
                    std::fs::write(&readme_path, shown).unwrap();
                }
                continue;
            }
            let known = std::fs::read_to_string(&path).unwrap_or_default();
            if compared(&known, picture, &grid) != compared(&svg, picture, &grid) {
                outdated.push(format!("{}:\n{}", path.display(), difference(&known, &svg)));
            }
            if let Some(shown) = shown.filter(|shown| *shown != readme) {
                outdated.push(format!("README.md:\n{}", difference(&readme, &shown)));
            }
        }
        assert!(
            outdated.is_empty(),
            "these are of another version of the screens; if that is meant: make screenshots\n{}",
            outdated.concat()
        );
    });
}

#[test]
fn a_marked_place_is_filled_and_the_rest_left_alone() {
    let readme = "a\n<!-- screen: x -->\nold\n<!-- /screen -->\nb\n";
    let filled = with_screen(readme, "x", "new\n").unwrap();
    assert_eq!(
        filled,
        "a\n<!-- screen: x -->\n```text\nnew\n```\n<!-- /screen -->\nb\n"
    );
    assert_eq!(
        with_screen(&filled, "x", "new\n").as_ref(),
        Some(&filled),
        "again and again"
    );
    assert_eq!(with_screen(readme, "y", "new\n"), None);
}
