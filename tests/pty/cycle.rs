//! The main job, from the first look to the rules that stay.

use crate::lab::{Lab, in_sandbox};
use crate::terminal::Terminal;

const SIZE: (u16, u16) = (100, 30);

/// Puts the cursor on a service, through the filter.
fn select(terminal: &mut Terminal, words: &str, port: &str) {
    terminal.types(&format!("/\u{15}{words}\r"));
    let selected = format!(" · {port} · pid ");
    terminal.sees(&[&selected]);
}

pub fn keep(terminal: &mut Terminal) {
    terminal.answers("k", &["Keep the new rules?"]);
    terminal.loses("Too early");
    terminal.answers("y", &["Kept"]);
}

#[test]
fn decide_preview_apply_keep_quit() {
    in_sandbox(|lab| {
        let mut terminal = lab.open(SIZE);
        assert!(terminal.is_taken());
        terminal.sees(&["sshd", "22/tcp", "everyone", "off: nothing is refused"]);
        decide(&mut terminal);
        assert_eq!(lab.knocks("5432/tcp"), ["answers"; 6], "nothing is in force yet");
        terminal.answers(
            "p",
            &["What changes", "Only this machine can connect", "postgres 5432/tcp"],
        );
        terminal.answers("a", &["Apply?", "On trial for 90 seconds"]);
        terminal.answers(
            "y",
            &["TRIAL", "seconds, then the old rules come back", "sudo fwtui confirm"],
        );
        // On every screen, and under every popup.
        for (key, screen) in [
            ("1", "REACH NOW"),
            ("2", "wifi|ethernet"),
            ("3", "What changes"),
            ("?", "Put the old rules back at once"),
        ] {
            terminal.types(key);
            terminal.until(screen, |text| screen.split('|').any(|word| text.contains(word)));
            assert!(terminal.line("TRIAL").contains("seconds"), "{}", terminal.text());
        }
        terminal.types("\u{1b}");
        terminal.loses("Put the old rules back at once");
        assert_eq!(lab.knocks("22/tcp"), ["answers"; 6]);
        assert_eq!(lab.knocks("5432/tcp"), ["refused"; 6]);
        terminal.types("1");
        select(&mut terminal, "nginx 80/tcp", "80/tcp");
        terminal.sees(&["Neighbours now: public refused · trusted answers · far refused"]);
        let trusted = ["refused", "refused", "answers", "answers", "refused", "refused"];
        assert_eq!(lab.knocks("80/tcp"), trusted);
        keep(&mut terminal);
        terminal.loses("TRIAL");
        terminal.sees(&["confirmed"]);
        assert_eq!(lab.status()["state"], "confirmed");
        assert_eq!(lab.knocks("80/tcp"), trusted);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

fn decide(terminal: &mut Terminal) {
    select(terminal, "sshd", "22/tcp");
    terminal.answers("o", &["22/tcp: open."]);
    select(terminal, "postgres", "5432/tcp");
    terminal.answers("c", &["5432/tcp: confine."]);
    select(terminal, "nginx 80/tcp", "80/tcp");
    terminal.answers("t", &["80/tcp: trusted."]);
    terminal.answers("/\u{15}\r", &["22/tcp", "5432/tcp"]);
    terminal.answers("2", &["eth1"]);
    // The second line: eth0 comes first.
    terminal.answers("\u{1b}[Bc", &["eth1: trusted."]);
    terminal.answers("1", &["REACH NOW"]);
}

#[test]
fn too_early_is_said_politely() {
    in_sandbox(|lab: &Lab| {
        let mut terminal = lab.on_trial(SIZE);
        // At once after the rules are in force: nobody has looked at anything yet.
        terminal.types("ky");
        terminal.sees(&["Keep the new rules?", "Too early", "TRIAL"]);
        assert_eq!(lab.status()["state"], "trial");
        // The question waits until somebody can have looked.
        terminal.loses("Too early");
        terminal.types("\u{1b}");
        terminal.loses("Keep the new rules?");
        keep(&mut terminal);
        assert_eq!(lab.becomes("confirmed")["last"]["outcome"], "confirmed");
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn the_neighbours_show_what_holds_now() {
    in_sandbox(|lab| {
        lab.does(&["set", "80/tcp", "open"]);
        let mut terminal = lab.open(SIZE);
        terminal.sees(&["sandbox: nothing here touches your machine"]);
        terminal.sees(&["Neighbours now: public answers · trusted answers · far answers"]);
        // What only this machine reaches, and what is on one network only.
        select(&mut terminal, "redis", "6379/tcp");
        terminal.sees(&["Neighbours now: public refused · trusted refused · far refused"]);
        select(&mut terminal, "dnsmasq 53/udp", "53/udp");
        terminal.sees(&["public refused · trusted answers (IPv6: refused) · far answers (IPv6: refused)"]);
        // Silence takes its time, and the screens do not wait for it.
        terminal.types("/\u{15}\r");
        terminal.answers("p", &["What changes"]);
        terminal.answers("x", &["Refused silently"]);
        terminal.answers("a", &["Apply?"]);
        terminal.answers("y", &["TRIAL"]);
        terminal.types("1");
        select(&mut terminal, "sshd", "22/tcp");
        terminal.answers("?", &["Put the old rules back at once"]);
        terminal.types("\u{1b}");
        terminal.sees(&["Neighbours now: public silent · trusted silent · far silent"]);
        terminal.answers("r", &["Reverted"]);
        terminal.sees(&["Neighbours now: public answers · trusted answers · far answers"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}
