//! The arguments. Help, completions and the man page are made from this.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::core::checkup::Severity;
use crate::core::service::ServiceId;
use crate::core::trial::parse_timeout;

/// See what listens, decide who may connect, apply with a rollback timer.
#[derive(Debug, Parser)]
#[command(name = "fwtui", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Keep every path of fwtui (etc, run, var) under this folder (or set `FWTUI_ROOT`); not with sandbox
    #[arg(long, value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,

    /// Colours of the screens: one of those that 'fwtui themes' shows
    #[arg(long, value_name = "NAME", global = true)]
    pub theme: Option<String>,

    /// Open services, networks, preview or checkup first, and not the first-time setup
    #[arg(long, value_name = "NAME", value_enum, global = true, hide_possible_values = true)]
    pub screen: Option<Screen>,
    /// Draw and print with ASCII only; without it, where the locale or the terminal has nothing else
    #[arg(long, global = true)]
    pub ascii: bool,

    /// What to do; without it the screens open
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// The exit codes, for the help and the man page.
pub const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed or unreadable; 2 usage; \
3 there is something to do (changes, drift, a running trial, something harmful); 4 reverted, or too late to confirm; 5 not permitted.";

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Screen {
    /// What listens
    Services,
    /// The interfaces
    Networks,
    /// What applying would change
    Preview,
    /// What is harmful, redundant or missing
    Checkup,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Be led through all there is to decide, then apply it on trial
    ///
    /// sudo fwtui setup              step by step, with recommendations
    /// fwtui setup --show            what it would recommend, and why
    /// sudo fwtui setup --take-all   take all of it; what is decided stays
    ///
    /// It runs by itself where nothing has been decided yet. Leaving it
    /// changes nothing, and the next one goes on where it was left.
    #[command(verbatim_doc_comment)]
    Setup(Setup),
    /// List what listens, who can connect now, and who can after applying
    List(Json),
    /// Decide who may connect to a service, or how what is refused is refused
    ///
    /// fwtui set 5432/tcp confine        this machine only
    /// fwtui set 5353/udp trusted        neighbours on trusted networks
    /// fwtui set 22/tcp open             everyone
    /// fwtui set 22/tcp open --from 192.0.2.0/24
    /// fwtui set 5432/tcp undecided      take the decision back
    /// fwtui set refusal drop            silently, or politely with reject
    /// fwtui set logging kernel          or nflog, or off
    #[command(verbatim_doc_comment)]
    Set(Set),
    /// Refuse a service for a while, whatever is decided on it; without one, list what is blocked
    ///
    /// fwtui block 445/tcp --note CVE-2026-0001   everyone, until it is taken back
    /// fwtui block 445/tcp --until 2026-12-24     until 00:00 UTC of that day
    /// fwtui block 445/tcp --for 7d               as long
    /// fwtui block 53/udp --from 192.0.2.0/24     these sources only
    #[command(verbatim_doc_comment)]
    Block(Block),
    /// Take a block back
    Unblock(Unblock),
    /// Have a service stopped and disabled with its socket, once this is applied
    ///
    /// fwtui disable 5432/tcp            the systemd units that listen there
    /// fwtui disable 631/tcp --unit cups.service
    ///
    /// It is stopped when the trial begins, and disabled for good once you keep it; a revert starts it
    /// again. What depends on it is shown first. Its decision stays, and holds should it come back.
    #[command(verbatim_doc_comment)]
    Disable(Disable),
    /// Have a disabled service run and start at boot as before, once this is applied
    Enable(Enable),
    /// Show the networks, or say which are trusted
    ///
    /// fwtui network                          show them
    /// fwtui network eth1                     who can be there, and what another class would change
    /// fwtui network eth1 trusted             or public, or guests
    /// fwtui network 198.51.100.0/24 trusted  wherever it comes in; public takes it back
    #[command(verbatim_doc_comment)]
    Network(Network),
    /// Show what applying would change and what that means
    Preview(Preview),
    /// Apply the policy, on trial until it is confirmed
    Apply(Apply),
    /// Keep what is on trial, once something shows that a new connection still gets in
    ///
    /// Over SSH, confirm from a connection that is newer than the change, which proves it. A session
    /// that shares an older connection proves nothing, nor does what goes on in tmux, screen or mosh.
    /// At the machine itself nothing needs proving.
    #[command(verbatim_doc_comment)]
    Confirm(Confirm),
    /// Tell whether somebody can connect, which rule decides, and whose it is
    ///
    /// Walks the first packet of a connection through every rule in the kernel, of every tool.
    Explain(Explain),
    /// Tell what of the rules, settings and services here is harmful, redundant or missing
    ///
    /// fwtui check                  this machine
    /// fwtui check /etc/rules.v4    what iptables-save printed, or a script of iptables commands
    /// ssh host iptables-save | fwtui check -
    /// fwtui check --severity harmful,risky
    /// fwtui check --mark drop-invalid --note 'the auditors want it'
    #[command(verbatim_doc_comment)]
    Check(Check),
    /// Put the old rules back now
    Revert,
    /// Give the trial one minute more
    Extend,
    /// Tell where fwtui stands; the exit code tells, too
    Status(Json),
    /// Take all of fwtui's rules out, on trial until it is confirmed
    Off(Apply),
    /// Load the rules that were confirmed last, as at boot
    Restore,
    /// Have boot load what is confirmed
    InstallService(InstallService),
    /// Try it out on a machine of its own: nothing on this one is touched, and no root is needed
    Sandbox(Sandbox),
    /// In the sandbox: knock at every service from its neighbours, with real packets
    Knock(Json),
    /// Show the themes, or print one to start your own from
    ///
    /// fwtui themes                  on a terminal, each with a sample
    /// fwtui themes dark > ~/.config/fwtui/themes/mine.json
    /// fwtui --theme mine
    #[command(verbatim_doc_comment)]
    Themes(Themes),
    /// Show how the screens are set up, and where each value comes from
    ///
    /// fwtui config              every value, and what is wrong
    /// fwtui config --path       the file to edit
    /// fwtui config --keys       all keys, as they may stand in it
    #[command(verbatim_doc_comment)]
    Config(Config),
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
    /// The process that holds a trial
    #[command(hide = true)]
    Guard(Guard),
    /// A service of the sandbox
    #[command(hide = true)]
    SandboxService {
        /// Sockets to open
        sockets: Vec<String>,
    },
}

/// For verbs that only read.
#[derive(Debug, Args)]
pub struct Json {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `setup`.
#[derive(Debug, Args)]
pub struct Setup {
    /// Print what was found and what is recommended, and change nothing
    #[arg(long)]
    pub show: bool,
    /// Decide as recommended on everything that is not decided yet; it waits for apply
    #[arg(long, conflicts_with_all = ["show", "json"])]
    pub take_all: bool,
    /// Print what was found and what is recommended as JSON
    #[arg(long)]
    pub json: bool,
}

/// `set`.
#[derive(Debug, Args)]
pub struct Set {
    /// A service (5432/tcp, 60000-61000/udp, 192.0.2.1:53/udp), or refusal, or logging
    pub subject: String,
    /// confine, trusted, open or undecided; reject or drop; off, kernel or nflog
    pub value: String,
    /// With open: only from this network; may be given more than once
    #[arg(long, value_name = "NETWORK")]
    pub from: Vec<String>,
}

/// `block`.
#[derive(Debug, Args)]
pub struct Block {
    /// A service (445/tcp, 137-139/udp, 192.0.2.1:53/udp)
    pub service: Option<String>,
    /// Only from this network; may be given more than once
    #[arg(long, value_name = "NETWORK", requires = "service")]
    pub from: Vec<String>,
    /// Until then, in UTC: 2026-12-24 (its first second), or 2026-12-24T18:00
    #[arg(long, value_name = "DATE", requires = "service", conflicts_with = "length")]
    pub until: Option<String>,
    /// For so long: 12h, 7d
    #[arg(long = "for", value_name = "TIME", requires = "service", allow_hyphen_values = true)]
    pub length: Option<String>,
    /// Why, in a line of 200 characters at most
    #[arg(long, value_name = "TEXT", requires = "service", allow_hyphen_values = true)]
    pub note: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "service")]
    pub json: bool,
}

/// `unblock`.
#[derive(Debug, Args)]
pub struct Unblock {
    /// The service, as it was blocked
    pub service: String,
    /// Only the block from exactly these networks; else all of the service
    #[arg(long, value_name = "NETWORK")]
    pub from: Vec<String>,
}

/// `disable`.
#[derive(Debug, Args)]
pub struct Disable {
    /// The service: 5432/tcp, or 192.0.2.1:53/udp where it is one of several
    pub service: ServiceId,
    /// Its systemd unit, where fwtui can't tell; may be given more than once
    #[arg(long, value_name = "UNIT")]
    pub unit: Vec<String>,
}

/// `enable`.
#[derive(Debug, Args)]
pub struct Enable {
    /// The service that was disabled
    pub service: ServiceId,
}

/// `network`.
#[derive(Debug, Args)]
pub struct Network {
    /// An interface, or a network such as 198.51.100.0/24
    pub subject: Option<String>,
    /// trusted, public or guests
    pub class: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "class")]
    pub json: bool,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The service: 8080/tcp, or 192.0.2.1:8080/tcp for one of this machine's addresses
    pub service: ServiceId,
    /// Where the connection comes from
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub from: IpAddr,
    /// The interface it comes in by; else that of the route to the address
    #[arg(long, value_name = "INTERFACE")]
    pub interface: Option<String>,
    /// With the rules as they will be once the policy is applied
    #[arg(long)]
    pub after: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// An address as it is written.
fn address(text: &str) -> Result<IpAddr, String> {
    let wrong = |_says_no_more| "write an address like 192.0.2.7 or 2001:db8::7".to_owned();
    text.parse().map_err(wrong)
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Rules that iptables-save printed, or a shell script, which is read and never run; - for the standard input
    pub file: Option<String>,
    /// Show these only: harmful, risky, redundant, missing, info; the exit code still tells of all
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub severity: Vec<Severity>,
    /// Show also what is known and intended, with its note
    #[arg(long, conflicts_with = "file")]
    pub known: bool,
    /// Mark a finding as known and intended: it is then neither shown nor counted
    #[arg(long, value_name = "ID[=SUBJECT]", requires = "note", conflicts_with_all = ["file", "severity", "known", "json"])]
    pub mark: Option<String>,
    /// Why it is intended, in one line
    #[arg(long, value_name = "TEXT", requires = "mark", conflicts_with_all = ["file", "severity", "known", "json"])]
    pub note: Option<String>,
    /// Take such a mark back
    #[arg(long, value_name = "ID[=SUBJECT]", conflicts_with_all = ["file", "severity", "known", "json", "mark"])]
    pub unmark: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `preview`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of a command line, each by itself"
)]
pub struct Preview {
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Exit with 3 if there is anything to change
    #[arg(long)]
    pub exit_code: bool,
    /// Preview taking all of fwtui's rules out
    #[arg(long)]
    pub off: bool,
    /// Show the rules of a policy without decisions beside the classic ones, with the reasons
    #[arg(long, conflicts_with_all = ["format", "exit_code", "off"])]
    pub classic: bool,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// What `preview` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// What it means in words, then the diff
    Text,
    /// The diff against the kernel
    Diff,
    /// Input for iptables-restore --noflush
    Iptables,
    /// Input for ip6tables-restore --noflush
    Ip6tables,
    /// The rules as a table for nft
    Nft,
    /// All of it as JSON
    Json,
}

/// `apply` and `off`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of a command line, each by itself"
)]
pub struct Apply {
    /// How long the trial lasts: 20 s to 1 h, such as 90, 90s or 5m
    #[arg(long, value_name = "TIME", value_parser = parse_timeout, default_value = "90s", allow_hyphen_values = true)]
    pub timeout: Duration,
    /// Do not ask; return once the trial runs
    #[arg(long)]
    pub yes: bool,
    /// Do not ask, as with --yes, but stay until the trial is over, and tell by the exit code how it ended
    #[arg(long)]
    pub wait: bool,
    /// Take the place of a trial that is running; the rules from before the first one come back
    #[arg(long)]
    pub replace: bool,
    /// Go ahead although it locks your own session out of this service
    #[arg(long, value_name = "SERVICE")]
    pub accept_lockout: Vec<ServiceId>,
    /// Once the trial is kept, end the running connections that are refused as new ones
    #[arg(long)]
    pub end_connections: bool,
    /// Do not load and try the rules in a namespace of their own first
    #[arg(long)]
    pub no_rehearsal: bool,
}

/// `confirm`.
#[derive(Debug, Args)]
pub struct Confirm {
    /// Keep it although nothing shows that a new connection gets in
    #[arg(long)]
    pub unproven: bool,
}

/// `config`.
#[derive(Debug, Args)]
pub struct Config {
    /// Print where the file is, or would be
    #[arg(long, conflicts_with_all = ["keys", "json"])]
    pub path: bool,
    /// Print all keys, as they may stand in the file
    #[arg(long, conflicts_with = "json")]
    pub keys: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `install-service`.
#[derive(Debug, Args)]
pub struct InstallService {
    /// Have boot load nothing any more; rules in force stay as they are
    #[arg(long)]
    pub uninstall: bool,
}

/// `themes`.
#[derive(Debug, Args)]
pub struct Themes {
    /// Print this theme as a file to start one of your own from
    #[arg(value_name = "NAME", conflicts_with = "json")]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `sandbox`.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Namespaces and networks only, no services
    #[arg(long)]
    pub bare: bool,
    /// Run this in it instead of the screens
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `guard`.
#[derive(Debug, Args)]
pub struct Guard {
    /// Watch the guard with this process id instead of being one
    #[arg(long)]
    pub twin_of: Option<i32>,
    /// Ask for the job at this socket instead of reading it from standard input
    #[arg(long, conflicts_with = "twin_of")]
    pub job_from: Option<PathBuf>,
    /// Close the trial that a guard left open when it ended
    #[arg(long, conflicts_with_all = ["twin_of", "job_from"])]
    pub recover: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn timeouts_are_bounded() {
        for (text, seconds) in [
            ("90", Some(90)),
            ("60s", Some(60)),
            ("5m", Some(300)),
            ("1h", Some(3600)),
            ("20", Some(20)),
        ] {
            assert_eq!(parse_timeout(text).ok().map(|time| time.as_secs()), seconds, "{text}");
        }
        for text in ["0", "-1", "19", "1000000000000", "inf", "", "3601", "60 apples", "1e3"] {
            assert!(parse_timeout(text).is_err(), "{text}");
        }
    }
}
