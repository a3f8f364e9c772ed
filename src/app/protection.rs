//! Which of the three lines of defence hold: the guard, the kernel's own timer, the boot.

use std::thread;

use serde::Serialize;

use crate::app::Machine;
use crate::backend::{Backend, BackendError, iptables};
use crate::core::listener::Family;
use crate::core::policy::Policy;
use crate::core::ruleset::{FamilyRules, Own, SavedFamily, Slot, compile, switch_text};
use crate::guard::{self, Running, Supervisor};
use crate::sys::files;
use crate::sys::netns::Scratch;
use crate::sys::runner::SystemRunner;

/// What the kernel must take for its timer to work: a rule with the time match that goes nowhere.
const TIME_RULE: &str =
    "*filter\n:FWTUI-INPUT - [0:0]\n-A FWTUI-INPUT -m time --datestop 2038-01-19T00:00:00 -j RETURN\nCOMMIT\n";

/// A line of defence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// A process of its own puts the old rules back, and another one does if that dies.
    Guard,
    /// The kernel goes back by itself at the deadline.
    Kernel,
    /// What was confirmed, and nothing else, is loaded at boot.
    Boot,
}

impl Line {
    /// The word on the screens and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Kernel => "kernel",
            Self::Boot => "boot",
        }
    }
}

/// Whether a line of defence holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Protection {
    /// Which.
    pub line: Line,
    /// Whether it holds.
    pub holds: bool,
    /// How, or why not and what to do about it: one sentence without a full stop.
    pub why: String,
}

impl Protection {
    fn holding(line: Line, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { line, holds: true, why }
    }

    fn missing(line: Line, why: impl Into<String>) -> Self {
        let why = why.into();
        Self {
            line,
            holds: false,
            why,
        }
    }
}

/// Whether what is confirmed is loaded at boot, and why not.
pub fn boot_trouble(lines: &[Protection]) -> Option<&str> {
    let boot = lines.iter().find(|line| line.line == Line::Boot);
    boot.filter(|line| !line.holds).map(|line| line.why.as_str())
}

/// `protection 2 of 3`, and what is missing.
pub fn protection_words(lines: &[Protection]) -> String {
    let holding = lines.iter().filter(|line| line.holds).count();
    let missing = lines.iter().filter(|line| !line.holds);
    let missing: String = missing
        .flat_map(|line| ["; missing: ", line.line.word(), " (", &line.why, ")"])
        .collect();
    format!("protection {holding} of {}{missing}", lines.len())
}

impl Machine {
    /// The lines of defence a trial would have, or has.
    pub(super) fn protection(&self, running: Option<&Running>) -> Vec<Protection> {
        let kernel = match running {
            Some(running) => {
                let lost = running
                    .drift
                    .as_ref()
                    .map(|why| format!("the rules on trial were changed: {why}"));
                running.kernel_trouble.clone().or(lost)
            }
            None => self.no_kernel_timer(),
        };
        let guard = match guard::supervisor(&self.paths) {
            Supervisor::Systemd => "a service of systemd's holds a trial; systemd and a twin watch it".to_owned(),
            Supervisor::Twin { why_not_systemd } => {
                format!("a process of its own holds a trial, and a twin watches it ({why_not_systemd})")
            }
        };
        let guard = match running {
            Some(running) if !running.has_twin => Protection::missing(
                Line::Guard,
                "its twin was killed; if the guard dies too, only the kernel goes back",
            ),
            _ => Protection::holding(Line::Guard, guard),
        };
        let boot = match self.boot() {
            (true, how) => Protection::holding(
                Line::Boot,
                format!("boot loads what was confirmed, and nothing else: {how}"),
            ),
            (false, why) => Protection::missing(Line::Boot, why),
        };
        vec![
            guard,
            match kernel {
                None => {
                    let what = "the kernel goes back to the old rules by itself at the deadline";
                    let note = running.and_then(|running| running.kernel_note.as_ref());
                    let note = note.map(|note| format!("; but {note}")).unwrap_or_default();
                    Protection::holding(Line::Kernel, format!("{what}{note}"))
                }
                Some(why) => Protection::missing(Line::Kernel, why),
            },
            boot,
        ]
    }

    /// Why the kernel can't go back by itself; none where it can. Found out once.
    pub(super) fn no_kernel_timer(&self) -> Option<String> {
        self.kernel_timer
            .get_or_init(|| {
                let opened = Self::open().map_err(|error| error.to_string());
                opened.and_then(|opened| try_timer(opened.backend.as_ref())).err()
            })
            .clone()
    }
}

impl Machine {
    /// Why what is sent to this machine can't be labelled; none where it can. Found out once.
    pub(super) fn no_labels(&self) -> Option<String> {
        self.labels
            .get_or_init(|| {
                // A lock of its own: whoever holds the xtables tools' has no say on what the kernel can do.
                files::private_folder(&self.paths.run())
                    .map_err(|error| error.to_string())
                    .err()
                    .or_else(|| {
                        let runner = SystemRunner::with_lock_file(self.paths.rehearsal_lock());
                        let opened = iptables::open_for_scratch(runner).map_err(|error| error.to_string());
                        opened.and_then(|backend| try_labels(&backend)).err()
                    })
            })
            .clone()
    }
}

/// Whether the kernel and the programs take a rule that sets a label, and read it back, in every family.
fn try_labels(backend: &dyn Backend) -> Result<(), String> {
    let rules = compile(&Policy::default(), &[]);
    let ask = |family: Family| {
        let label = FamilyRules {
            mangle: rules.family(family).mangle.clone(),
            ..FamilyRules::default()
        };
        let want = Own::wanted(Slot::A, label);
        (switch_text(&SavedFamily::default(), &want, None), want)
    };
    let load = |family: Family| -> Result<(), BackendError> {
        let (text, want) = ask(family);
        backend.load(family, &text)?;
        // A file of the administrator's may give the label a name, by which it would be shown.
        let what = "a rule with a label is shown otherwise".to_owned();
        match backend.read_family(family)?.own == want {
            true => Ok(()),
            false => Err(BackendError::NotAsLoaded { family, what }),
        }
    };
    let scratch = Scratch::new().and_then(|scratch| scratch.run(|| in_every_family(backend, &load)));
    let asked = scratch
        .unwrap_or_else(|_no_namespaces| in_every_family(backend, &|family| backend.check(family, &ask(family).0)));
    asked.map_err(|error| format!("this kernel or its iptables has no connection labels (xt_connlabel): {error}"))
}

/// Asks in all families at once.
fn in_every_family(
    backend: &dyn Backend,
    ask: &(dyn Fn(Family) -> Result<(), BackendError> + Sync),
) -> Result<(), BackendError> {
    thread::scope(|scope| {
        let asked: Vec<_> = backend
            .families()
            .iter()
            .map(|&family: &Family| scope.spawn(move || ask(family)))
            .collect();
        asked
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or(Err(BackendError::NoIptables)))
    })
}

/// Whether the kernel and the programs take a rule with a time, in every family. Asked in a scratch
/// namespace, since even asking makes iptables-legacy's tables.
fn try_timer(backend: &dyn Backend) -> Result<(), String> {
    let ask = || in_every_family(backend, &|family| backend.check(family, TIME_RULE));
    let scratch = Scratch::new().and_then(|scratch| scratch.run(ask));
    let asked = scratch.unwrap_or_else(|_no_namespaces| ask());
    asked.map_err(|error| format!("this kernel or its iptables has no time match (xt_time): {error}"))
}
