//! What the package manager's state on the disk says of updates. Nothing is downloaded, nothing is
//! locked, and nothing waits longer than a fixed time.
//!
//! The managers are asked, not read: apt's lists are plain, or compressed in one of four ways, and
//! which version it would install follows from pins, holds and phases. `apt list --upgradable` takes
//! no lock, and 0.7 s for 66,000 packages; `apt-get -s dist-upgrade` takes none either, but 1.9 s, and
//! writes `/var/log/apt/eipp.log.xz`. Without files for its cache apt builds it in memory.
//!
//! As root they are run as nobody, who can neither lock nor write what they must leave alone: dnf would
//! take `/var/cache/dnf/metadata_lock.pid` and write its logs, zypper `/run/zypp.pid` (seen with dnf 4.14
//! and zypper 1.14; as nobody neither does, and both read the lists that root fetched).

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::core::checkup::Updates;
use crate::core::text::{printable, printable_within};
use crate::core::updates::{self as lists, newer_kernel};
use crate::sys::runner::{Call, Output, Runner, find_program};
use crate::sys::{clock, host};

/// How long a manager may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much it may print, in bytes.
const MOST: usize = 4 << 20;
/// How many entries of a folder are looked at.
const MOST_ENTRIES: usize = 4096;
/// The longest file that is read for words.
const LONGEST: u64 = 1 << 16;

/// A package manager: its word, its program, where its database is, and where its lists are, whose
/// newest file tells their age.
struct Manager {
    word: &'static str,
    programs: &'static [&'static str],
    databases: &'static [&'static str],
    lists: &'static [&'static str],
}

/// The first one whose database is there counts: Debian may have rpm's as well, and openSUSE dnf.
const MANAGERS: [Manager; 5] = [
    Manager {
        word: "apt",
        programs: &["apt"],
        databases: &["var/lib/dpkg/status"],
        // A failed attempt touches the folders, but no list.
        lists: &["var/lib/apt/lists", "var/lib/apt/periodic/update-success-stamp"],
    },
    Manager {
        word: "zypper",
        programs: &["zypper"],
        databases: &["var/cache/zypp", "etc/zypp/repos.d"],
        // Not those below solv: what is installed is one of them.
        lists: &["var/cache/zypp/raw/*", "var/cache/zypp/raw/*/repodata"],
    },
    Manager {
        word: "dnf",
        programs: &["dnf", "dnf5"],
        databases: &["var/lib/dnf", "usr/lib/sysimage/libdnf5", "etc/dnf"],
        lists: &[
            "var/cache/dnf",
            "var/cache/dnf/*/repodata",
            "var/cache/libdnf5/*/repodata",
        ],
    },
    Manager {
        word: "pacman",
        programs: &["pacman"],
        databases: &["var/lib/pacman/local"],
        lists: &["var/lib/pacman/sync"],
    },
    Manager {
        word: "apk",
        programs: &["apk"],
        databases: &["lib/apk/db/installed", "usr/lib/apk/db/installed"],
        lists: &["var/cache/apk", "etc/apk/cache"],
    },
];

/// What is known of updates; none where there is no package manager that is known. Files are those
/// below `root`; the manager speaks of this machine.
pub fn updates(runner: &dyn Runner, root: &Path) -> Option<Updates> {
    let is_there = |manager: &&Manager| {
        manager.databases.iter().any(|file| root.join(file).exists())
            && manager
                .programs
                .iter()
                .any(|program| find_program(Path::new(program)).is_some())
    };
    let Some(manager) = MANAGERS.iter().find(is_there) else {
        let kernel = kernel(root);
        let reboot = reboot(root);
        let has_word = kernel.is_some() || reboot.is_some();
        return has_word.then(|| Updates {
            manager: "this system".to_owned(),
            reboot,
            kernel,
            ..Updates::default()
        });
    };
    let mut found = Updates {
        manager: manager.word.to_owned(),
        age: age(root, manager.lists, clock::since_1970()),
        reboot: reboot(root),
        kernel: kernel(root),
        ..Updates::default()
    };
    let program = manager
        .programs
        .iter()
        .find(|program| find_program(Path::new(program)).is_some());
    let asked = ask(runner, manager.word, program.copied().unwrap_or(manager.word));
    match asked {
        Ok((pending, security)) => (found.pending, found.security) = (Some(pending), security),
        Err(why) => found.unseen.push(format!("Updates can't be told: {why}.")),
    }
    Some(found)
}

/// The packages that wait, and those for security where the manager tells.
type Waiting = (Vec<String>, Option<Vec<String>>);

fn ask(runner: &dyn Runner, manager: &str, program: &str) -> Result<Waiting, String> {
    let run = |args: &[&str], is_fine: fn(&Output) -> bool| ran(runner, program, args, is_fine);
    let is_done: fn(&Output) -> bool = Output::is_success;
    match manager {
        "apt" => {
            let text = run(
                &[
                    "-o",
                    "Dir::Cache::pkgcache=",
                    "-o",
                    "Dir::Cache::srcpkgcache=",
                    "list",
                    "--upgradable",
                ],
                is_done,
            )?;
            let pending = lists::apt(&text)?;
            Ok((pending.all, Some(pending.security)))
        }
        "dnf" => {
            // 100 means that there are some (dnf(8), check-update).
            let is_fine: fn(&Output) -> bool = |output| matches!(output.code, 0 | 100);
            let all = lists::dnf(&run(&["-q", "-C", "check-update"], is_fine)?);
            let security = run(&["-q", "-C", "check-update", "--security"], is_fine);
            Ok((all, security.ok().map(|text| lists::dnf(&text))))
        }
        "zypper" => {
            let quiet = ["-q", "--non-interactive", "--no-refresh"];
            let with = |words: &[&'static str]| quiet.iter().copied().chain(words.iter().copied()).collect::<Vec<_>>();
            let all = lists::zypper_updates(&run(&with(&["list-updates"]), is_done)?);
            let security = run(&with(&["list-patches", "--category", "security"]), is_done);
            Ok((all, security.ok().map(|text| lists::zypper_security(&text))))
        }
        "pacman" => {
            // 1 without a complaint means that there is none.
            let text = run(&["-Qu"], |output| {
                output.is_success() || output.code == 1 && output.stderr.is_empty()
            })?;
            Ok((lists::pacman(&text), None))
        }
        _ => Ok((
            lists::apk(&run(&["--no-network", "version", "-l", "<"], is_done)?),
            None,
        )),
    }
}

/// What a program printed, run as nobody where this is root.
fn ran(runner: &dyn Runner, program: &str, args: &[&str], is_fine: fn(&Output) -> bool) -> Result<String, String> {
    let takes_locks = matches!(program, "dnf" | "dnf5" | "zypper");
    let can_change_user = find_program(Path::new("setpriv")).is_some();
    if host::is_root() && takes_locks && !can_change_user {
        return Err(format!(
            "as root {program} would take a lock; run fwtui check without root"
        ));
    }
    let call = match host::is_root() && can_change_user {
        true => Call::new("setpriv")
            .args([
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--no-new-privs",
                "--",
                program,
            ])
            .args(args),
        false => Call::new(program).args(args),
    };
    let output = runner.run(&call.timeout(PATIENCE).output_limit(MOST));
    match output {
        Ok(output) if is_fine(&output) => Ok(output.stdout),
        Ok(Output { code, stderr, .. }) => {
            let said = stderr
                .lines()
                .map(str::trim)
                .rfind(|line| !line.is_empty())
                .unwrap_or_default();
            Err(format!(
                "{program} failed with exit code {code}: {}",
                printable_within(said, 200)
            ))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// How old the newest list is, in seconds: that of the archive that changes most often, which for
/// security updates is every few days.
fn age(root: &Path, lists: &[&str], now: Duration) -> Option<u64> {
    let files = lists.iter().flat_map(|list| {
        let places = match list.split_once("/*") {
            Some((above, below)) => {
                let below = below.trim_start_matches('/');
                entries(&root.join(above)).map(|folder| folder.join(below)).collect()
            }
            None => vec![root.join(list)],
        };
        places.into_iter().flat_map(|place| match place.is_dir() {
            true => entries(&place).collect(),
            false => vec![place],
        })
    });
    let times = files.filter(|file| !is_touched_anyway(file)).filter_map(|file| {
        let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
        metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()
    });
    Some(now.saturating_sub(times.max()?).as_secs())
}

/// Files whose time says that somebody tried, not that it worked.
fn is_touched_anyway(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.contains("lock") || matches!(name, "expired_repos.json" | "tempfiles.json")
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let all = fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_ENTRIES);
    all.map(|entry| entry.path())
}

/// Who wants a reboot: Debian's file, and openSUSE's.
fn reboot(root: &Path) -> Option<String> {
    let is_wanted = ["run/reboot-required", "var/run/reboot-required", "run/reboot-needed"]
        .iter()
        .any(|file| root.join(file).exists());
    if !is_wanted {
        return None;
    }
    let packages = ["run/reboot-required.pkgs", "var/run/reboot-required.pkgs"];
    let text = packages
        .iter()
        .find_map(|file| text(&root.join(file)))
        .unwrap_or_default();
    let mut names: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(printable).collect();
    names.sort();
    names.dedup();
    names.truncate(5);
    Some(match names.is_empty() {
        true => String::new(),
        false => format!(" by {}", names.join(", ")),
    })
}

/// The running kernel, and a newer one that is installed. A container's kernel is not its own.
fn kernel(root: &Path) -> Option<(String, String)> {
    let is_container = [".dockerenv", "run/.containerenv", "run/systemd/container"]
        .iter()
        .any(|file| root.join(file).exists());
    if is_container {
        return None;
    }
    let running = printable(rustix::system::uname().release().to_str().ok()?);
    newer(&running, &installed(root)).map(|newest| (running.clone(), newest))
}

fn newer(running: &str, installed: &[String]) -> Option<String> {
    newer_kernel(running, installed).map(str::to_owned)
}

/// The releases whose kernels are there, not only their modules: those outlive a removal.
fn installed(root: &Path) -> Vec<String> {
    let modules = ["lib/modules", "usr/lib/modules"];
    let with_modules = modules.iter().flat_map(|folder| {
        entries(&root.join(folder))
            .filter(|folder| folder.join("vmlinuz").is_file())
            .collect::<Vec<_>>()
    });
    let names = with_modules.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let in_boot = entries(&root.join("boot")).filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let release = name
            .strip_prefix("vmlinuz-")
            .or_else(|| name.strip_prefix("vmlinux-"))?;
        // Arch has vmlinuz-linux there: no release.
        release
            .starts_with(|first: char| first.is_ascii_digit())
            .then(|| release.to_owned())
    });
    let mut all: Vec<String> = names.chain(in_boot).map(|release| printable(&release)).collect();
    all.sort();
    all.dedup();
    all
}

/// The beginning of a file.
fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
