//! What the catalogue says about one service.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::policy::Decision;
use crate::core::service::ServiceId;
use crate::core::text::capitalised;

/// What is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Advice {
    /// This machine only.
    Confine,
    /// This machine, and trusted networks.
    Trusted,
    /// Everyone.
    Open,
    /// Not to run it at all.
    Disable,
}

impl Advice {
    /// The word on the screens and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confine => "confine",
            Self::Trusted => "trusted",
            Self::Open => "open",
            Self::Disable => "disable",
        }
    }

    /// The decision that comes closest.
    pub const fn decision(self) -> Decision {
        match self {
            Self::Confine | Self::Disable => Decision::Confine,
            Self::Trusted => Decision::Trusted,
            Self::Open => Decision::Open,
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A recommended decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recommended {
    /// The decision.
    pub decision: Advice,
    /// Why: one sentence.
    pub why: String,
}

/// How a service is bound to loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loopback {
    /// The file; `command line` where it is an option of the program.
    pub file: String,
    /// The lines to set there.
    pub lines: Vec<String>,
    /// Where that holds: `Debian, Ubuntu`. None: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
}

/// What stands for an option of the program in [`Loopback::file`].
pub const COMMAND_LINE: &str = "command line";

/// Whether a service has something that protects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Has {
    /// Always, or unless somebody took it away.
    Yes,
    /// Never.
    No,
    /// Where somebody set it up.
    Optional,
}

/// Whether a service asks who connects, or hides what is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Safeguard {
    /// Whether.
    pub is: Has,
    /// With what: `requirepass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

/// A well-known service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// What additions know it by: `postgresql`.
    pub id: String,
    /// Its name: `PostgreSQL`.
    pub name: String,
    /// What it is: one sentence.
    pub what: String,
    /// Its usual ports.
    pub ports: Vec<ServiceId>,
    /// The names of its processes.
    pub processes: Vec<String>,
    /// Its systemd units; `*` stands for anything.
    pub units: Vec<String>,
    /// The decision recommended where somebody sits at the machine.
    pub desktop: Option<Recommended>,
    /// The decision recommended on a server.
    pub server: Option<Recommended>,
    /// How it is bound to loopback; none where that makes no sense or is not known.
    pub loopback: Vec<Loopback>,
    /// Whether it asks who connects. None where anybody is meant to, or it is not known.
    pub authenticates: Option<Safeguard>,
    /// Whether what is said can be read on the way. None where it makes no difference, or is not known.
    pub encrypts: Option<Safeguard>,
    /// What does the same more safely: one sentence.
    pub alternative: Option<String>,
    /// Whether it has to run as root all the time; none where that is not known.
    pub needs_root: Option<bool>,
    /// Whether its socket is the kernel's own, so that no process holds it.
    pub is_kernel: bool,
    /// Where this comes from.
    pub source: Option<String>,
}

impl Entry {
    /// What is recommended here; where it is not known what the machine is, what holds for both.
    pub fn recommended(&self, is_desktop: Option<bool>) -> Option<&Recommended> {
        match is_desktop {
            Some(true) => self.desktop.as_ref(),
            Some(false) => self.server.as_ref(),
            None => {
                let decision = |recommended: &Option<Recommended>| recommended.as_ref().map(|it| it.decision);
                let is_same = decision(&self.desktop) == decision(&self.server);
                self.server.as_ref().filter(|_| is_same)
            }
        }
    }

    /// Whether strangers are meant to use it somewhere: a web server, a game, a time server.
    pub fn is_for_everyone(&self) -> bool {
        let is_open = |it: &Option<Recommended>| it.as_ref().is_some_and(|it| it.decision == Advice::Open);
        is_open(&self.desktop) || is_open(&self.server)
    }

    /// Whether whoever reaches it may use it, and nobody in particular is meant to.
    pub fn asks_nobody(&self) -> bool {
        !self.is_for_everyone() && is(self.authenticates.as_ref(), Has::No)
    }

    /// Whether everything that is said can be read on the way.
    pub fn is_plain(&self) -> bool {
        is(self.encrypts.as_ref(), Has::No)
    }

    /// Whether what is said can be read on the way, and something else does the same encrypted.
    pub fn is_plain_for_nothing(&self) -> bool {
        self.is_plain() && self.alternative.is_some()
    }

    /// Whether it asks who connects only where somebody set that up.
    pub fn may_ask_nobody(&self) -> bool {
        !self.is_for_everyone() && is(self.authenticates.as_ref(), Has::Optional)
    }

    /// What it lacks where everyone reaches it, in words: `without a password`.
    pub fn lacks(&self) -> Option<String> {
        let password = match (self.asks_nobody(), self.may_ask_nobody()) {
            (true, _) => Some("without a password"),
            (false, true) => Some("perhaps without a password"),
            (false, false) => None,
        };
        let encryption = self.is_plain_for_nothing().then_some("without encryption");
        let words: Vec<&str> = password.into_iter().chain(encryption).collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }

    /// How to bind it to loopback, in short: the first way, with where it holds if another way has
    /// other lines.
    pub fn loopback_in_short(&self) -> Option<String> {
        let first = self.loopback.first()?;
        let is_same = self.loopback.iter().all(|other| other.lines == first.lines);
        Some(match first.on.as_ref().filter(|_| !is_same) {
            Some(on) => format!("{} ({on})", first.in_short()),
            None => first.in_short(),
        })
    }

    /// How to bind it to loopback, with every place: one sentence.
    pub fn loopback_in_full(&self) -> Option<String> {
        let mut ways: Vec<(String, Vec<String>)> = Vec::new();
        for way in &self.loopback {
            let lead = match way.file == COMMAND_LINE {
                true => format!("start it with {}", way.directive()),
                false => format!("set {} in", way.directive()),
            };
            let place = match (way.file == COMMAND_LINE, &way.on) {
                (true, on) => on.as_ref().map(|on| format!("({on})")).unwrap_or_default(),
                (false, Some(on)) => format!("{} ({on})", way.file),
                (false, None) => way.file.clone(),
            };
            match ways.last_mut() {
                Some((last, places)) if *last == lead => places.push(place),
                _ => ways.push((lead, vec![place])),
            }
        }
        let ways: Vec<String> = ways
            .into_iter()
            .map(|(lead, places)| format!("{lead} {}", places.join(" or ")).trim_end().to_owned())
            .collect();
        // Units are read anew only when told so.
        let is_of_unit = self
            .loopback
            .iter()
            .any(|way| way.file.starts_with("/etc/systemd/system/"));
        let reload = if is_of_unit {
            ", run systemctl daemon-reload"
        } else {
            ""
        };
        (!ways.is_empty()).then(|| format!("{}{reload}, and restart it.", capitalised(&ways.join(", or "))))
    }

    pub(super) fn is_at(&self, at: &ServiceId) -> bool {
        let is_here = |port: &ServiceId| port.protocol == at.protocol && port.ports.contains(at.ports);
        self.ports.iter().any(is_here)
    }

    /// Whether it goes by its port alone: a kind of service, not a program.
    pub(super) fn is_kind_of_service(&self) -> bool {
        self.processes.is_empty() && self.units.is_empty()
    }
}

impl Loopback {
    /// The lines in one: `listen_addresses = 'localhost'`.
    pub fn directive(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.trim()).collect();
        lines.join(" then ")
    }

    /// Without the headings they are below, and with the file's name alone: `bind = 127.0.0.1 in my.cnf`.
    pub fn in_short(&self) -> String {
        let is_heading = |line: &&String| line.starts_with(['[', '{', '}']) || line.ends_with(':');
        let lines: Vec<&str> = self
            .lines
            .iter()
            .filter(|line| !is_heading(line))
            .map(|line| line.trim())
            .collect();
        let lines = lines.join(", ");
        let mut parts = self.file.rsplit('/');
        let (name, folder) = (parts.next().unwrap_or(&self.file), parts.next().unwrap_or_default());
        match folder.strip_suffix(".d") {
            _ if self.file == COMMAND_LINE => format!("{lines} on its command line"),
            Some(unit) if self.file.starts_with("/etc/systemd/") => format!("{lines} in a drop-in of {unit}"),
            // Many a service has a file of this name.
            _ if name == "default" => format!("{lines} in {folder}/{name}"),
            _ => format!("{lines} in {name}"),
        }
    }
}

pub(super) fn is(safeguard: Option<&Safeguard>, has: Has) -> bool {
    safeguard.is_some_and(|safeguard| safeguard.is == has)
}
