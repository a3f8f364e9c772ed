//! Everything the screens show, and nothing else.

use std::time::Duration;

use crate::app::{Observation, Outlook, State, TrialView};
use crate::core::network::class_of;
use crate::core::plan::Plan;
use crate::core::policy::Policy;
use crate::core::trial::SETTLE_TIME;
use crate::tui::commands::{self, CommandId, Context};
use crate::tui::layout::{self, Frames};
use crate::tui::popups::{self, Popup};
use crate::tui::port::Depth;
use crate::tui::runtime::Start;
use crate::tui::screens::ScreenId;
use crate::tui::settings::Settings;
use crate::tui::theme::{Palette, Token};

mod access;
mod checkup;
mod drift;
mod history;
pub mod list;
mod neighbours;
mod networks;
mod outlook;
mod preview;
mod progress;
mod search;
mod services;
mod setup;

pub use access::Access;
pub use checkup::{Checkup, Item, Line};
pub use drift::Drift;
use history::History;
pub use list::{ListState, Movement};
pub use neighbours::Neighbours;
pub use networks::{Classes, NetworkLine, Networks};
use outlook::Pending;
pub use outlook::Work;
pub use preview::{Laid, LaidKey, LaidLine, Pane, Preview, RulesView};
pub use progress::Progress;
pub use search::{Hit, Search};
pub use services::{Column, Counts, Services};
pub(in crate::tui) use services::{unit, user};
pub use setup::{LOGGINGS, REFUSALS, Setup};

/// A line for the user, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Good, warn, bad or text.
    pub token: Token,
    /// One sentence.
    pub text: String,
}

/// What is being done on a worker thread, and is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// A trial is being started.
    Applying,
    /// It is being confirmed; and whether to quit then.
    Confirming {
        /// Quit afterwards, where it was kept.
        then_quit: bool,
    },
    /// It is being reverted; and whether to quit then.
    Reverting {
        /// Quit afterwards.
        then_quit: bool,
    },
    /// It is being extended.
    Extending,
    /// What was confirmed is being loaded.
    Restoring,
}

impl Task {
    /// What to say meanwhile.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Applying => "Rehearsing and applying …",
            Self::Confirming { .. } => "Keeping the new rules …",
            Self::Reverting { .. } => "Putting the old rules back …",
            Self::Extending => "Asking for one more minute …",
            Self::Restoring => "Putting the confirmed rules back …",
        }
    }
}

/// The model.
#[derive(Debug, Clone)]
pub struct Model {
    /// What the user has chosen.
    pub settings: Settings,
    /// The colours that come of it.
    pub palette: Palette,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The time since boot.
    pub now: Duration,
    /// How long a trial is to last.
    pub timeout: Duration,
    /// How far the machine has been looked at; none before the first look.
    pub depth: Option<Depth>,
    /// What was seen.
    pub observation: Observation,
    /// When, since boot.
    pub looked_at: Duration,
    /// The wanted policy with the edits made here.
    pub policy: Policy,
    /// What applying it would mean.
    pub plan: Plan,
    /// The Services screen.
    pub services: Services,
    /// The Networks screen.
    pub networks: Networks,
    /// Who can connect to the selected service.
    pub access: Access,
    /// What the sandbox's neighbours get.
    pub neighbours: Neighbours,
    /// The Preview screen.
    pub preview: Preview,
    /// The Checkup screen.
    pub checkup: Checkup,
    /// The screen shown.
    pub screen: ScreenId,
    /// What lies over it; the last one gets the keys.
    pub popups: Vec<Popup>,
    /// The edits that can be taken back, or done again.
    history: History,
    /// A line for the user.
    pub notice: Option<Notice>,
    /// What to say once the terminal is given back.
    pub last_words: Option<String>,
    /// The id of the trial that is known to be over: a look begun before may still show it.
    pub over: Option<String>,
    /// Whether the status was asked for and has not come yet.
    pub is_status_asked: bool,
    /// Whether the answer will be about a time before the trial that is shown.
    pub is_answer_stale: bool,
    /// Who changed the rules in the kernel.
    pub drift: Drift,
    /// Edits on their way to the disk: until they are there, what is read back is out of date.
    pub saves_under_way: usize,
    /// What is being done.
    pub task: Option<Task>,
    /// What the screens begin with, until that is decided.
    pub start: Start,
    /// The first-time setup; while it runs it takes the place of the screens.
    pub setup: Option<Setup>,
    /// Since when.
    pub progress: Progress,
    /// The last edit, while it is being worked out what it changes.
    pending: Option<Pending>,
    work_number: u64,
    /// What was worked out beside the look that is being taken in.
    outlook: Option<Box<Outlook>>,
}

impl Model {
    /// Before anything has been seen.
    pub fn new(mut settings: Settings, size: (u16, u16), now: Duration) -> Self {
        settings.keymap.is_ascii = settings.is_ascii;
        Self {
            palette: Palette::new(&settings.theme, settings.color),
            size,
            now,
            timeout: settings.timeout,
            screen: settings.screen,
            settings,
            depth: None,
            observation: Observation::default(),
            looked_at: now,
            policy: Policy::default(),
            plan: Plan::default(),
            services: Services::default(),
            networks: Networks::default(),
            access: Access::default(),
            neighbours: Neighbours::default(),
            preview: Preview::default(),
            checkup: Checkup::default(),
            popups: Vec::new(),
            history: History::default(),
            notice: None,
            last_words: None,
            over: None,
            is_status_asked: false,
            is_answer_stale: false,
            drift: Drift::default(),
            saves_under_way: 0,
            task: None,
            start: Start::default(),
            setup: None,
            progress: Progress::default(),
            pending: None,
            work_number: 0,
            outlook: None,
        }
    }

    /// The running trial.
    pub const fn trial(&self) -> Option<&TrialView> {
        self.observation.status.trial.as_ref()
    }

    /// Takes note of what is under way.
    pub fn follow(&mut self) {
        let is_looking = self.depth != Some(Depth::Complete) || self.progress.is_looking();
        let is_checking = self.checkup.is_under_way();
        self.progress.follow(self.task, is_checking, is_looking, self.now);
    }

    /// Seconds until the trial is reverted.
    pub fn seconds_left(&self) -> Option<u64> {
        self.trial().map(|trial| trial.seconds_left(self.now))
    }

    /// How long the new rules can't be kept yet, in whole seconds; none where they can.
    pub fn seconds_until_settled(&self) -> Option<u64> {
        let settled = self.trial()?.beginning.at.saturating_add(SETTLE_TIME);
        let left = settled.saturating_sub(self.now);
        (!left.is_zero()).then(|| left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }

    /// What something changed of the rules on trial, which can't be kept then.
    pub fn changed_on_trial(&self) -> Option<&str> {
        let status = &self.observation.status;
        status.trial.as_ref().and(status.drift.as_deref())
    }

    /// Whether a yes to keeping the rules on trial would be taken now.
    pub fn can_keep(&self) -> bool {
        self.seconds_until_settled().is_none() && self.task.is_none() && self.changed_on_trial().is_none()
    }

    /// The time since 1970, as of the last look and what has gone by since.
    pub fn since_1970(&self) -> Duration {
        let gone_by = self.now.saturating_sub(self.looked_at);
        self.observation.world.now.saturating_add(gone_by)
    }

    /// The parts of the terminal.
    pub fn frames(&self) -> Frames {
        layout::frames(self)
    }

    /// The contexts whose commands hold, the nearest first.
    pub fn contexts(&self) -> Vec<Context> {
        match self.popups.last() {
            Some(popup) => std::iter::once(Context::Always).chain(popup.contexts()).collect(),
            None => self.contexts_of_screen(),
        }
    }

    /// The same as if no popup were open.
    pub fn contexts_of_screen(&self) -> Vec<Context> {
        let mut contexts = vec![Context::Always];
        if self.trial().is_some() {
            contexts.push(Context::Trial);
        }
        if let Some(setup) = &self.setup {
            contexts.extend(setup.contexts(self.trial().is_some()));
            contexts.push(Context::Moving);
            return contexts;
        }
        contexts.extend([self.screen.context(), Context::Screens, Context::Moving]);
        contexts
    }

    /// The key of a command, for sentences that name it; where the user gave it none, the way to it.
    pub fn key_of(&self, id: CommandId, context: Context) -> String {
        let command = commands::of(context).find(|command| command.id == id);
        let key = command
            .map(|command| self.settings.keymap.shown(command))
            .unwrap_or_default();
        match (key.is_empty(), command) {
            (true, Some(command)) => format!("':{}'", command.label),
            _ => key,
        }
    }

    /// That a trial is running, and the keys that end it; without a full stop.
    pub fn trial_first(&self) -> String {
        let [keep, revert] = [CommandId::Keep, CommandId::Revert].map(|id| self.key_of(id, Context::Trial));
        format!("A trial is running: keep it ({keep}) or revert it ({revert})")
    }

    /// Why nothing can be edited, in one sentence; none where it can.
    pub fn why_read_only(&self) -> Option<String> {
        if self.depth.is_none() {
            return Some("Still looking at this machine.".into());
        }
        if !self.observation.is_root {
            return Some("Read-only without root. To decide and apply, start it with: sudo fwtui".into());
        }
        let is_broken = self.observation.policy_error.is_some();
        is_broken.then(|| "The policy file must be mended before anything is changed.".to_owned())
    }

    /// Why what was confirmed can't be put back, in one sentence; none where it can.
    pub fn why_no_restore(&self) -> Option<String> {
        let apply = self.key_of(CommandId::Apply, Context::Screens);
        let why = match self.observation.status.state {
            _ if self.task.is_some() => "One thing at a time: something is still being done.",
            State::Drifted if self.observation.status.can_restore => return None,
            State::Drifted => {
                return Some(format!(
                    "Nothing is confirmed that could be put back: apply ({apply}) and keep rules of your own."
                ));
            }
            State::Trial => return Some(format!("{}.", self.trial_first())),
            State::Off | State::Confirmed => "Nothing to put back: the kernel holds what was confirmed.",
            State::Unknown => "It is not known whether the kernel holds what was confirmed.",
        };
        Some(why.to_owned())
    }

    /// Shows a line.
    pub fn say(&mut self, token: Token, text: impl Into<String>) {
        self.notice = Some(Notice {
            token,
            text: text.into(),
        });
    }

    /// Brings cursors and scrolled texts back in order after lists or sizes changed.
    pub fn settle(&mut self) {
        let frames = self.frames();
        let heights = layout::Heights::of(self, &frames);
        self.services.list.keep_in_sight(self.services.len(), heights.services);
        let rows = layout::networks(self, frames.body).rows.height;
        self.networks
            .list
            .keep_in_sight(self.networks.lines().len(), rows.into());
        let rows = layout::findings(self, frames.body).rows.height;
        self.checkup.list.keep_in_sight(self.checkup.len(), rows.into());
        crate::tui::screens::preview::settle(self, &frames);
        crate::tui::screens::setup::settle(self, &frames);
        popups::settle(self);
    }

    /// The interfaces with a class, for the header: all but loopback.
    pub fn classes(&self) -> Vec<String> {
        let lines = self.networks.lines().iter().filter_map(|line| match line {
            NetworkLine::Interface(interface) => Some(interface),
            NetworkLine::Absent(_) | NetworkLine::Source(_) => None,
        });
        lines
            .filter(|interface| interface.kind != crate::core::network::InterfaceKind::Loopback && interface.is_up)
            .map(|interface| format!("{} {}", interface.name, class_of(interface, &self.policy)))
            .collect()
    }
}
