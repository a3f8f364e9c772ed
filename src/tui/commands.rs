//! The one table of commands: it decides what a key does, and the footer, the help and the manual
//! page are made from it.

mod key;
mod keymap;
mod places;
mod table;

pub use key::{Key, typed};
pub use keymap::Keymap;
use table::TABLE;

/// What a key can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CommandId {
    /// Be asked what becomes of a trial, or quit.
    Interrupt,
    /// Stop, and go on when the shell says so.
    Suspend,
    /// Look again and draw everything anew.
    Refresh,
    /// Let the trial's rules stay.
    Keep,
    /// End the trial.
    Revert,
    /// A minute more.
    Extend,
    /// Decide: this machine only.
    Confine,
    /// Decide: trusted networks.
    Trust,
    /// Decide: everyone.
    Open,
    /// Take the decision back.
    Undecide,
    /// Have the service itself stopped, or started again.
    Disable,
    /// Name the sources of an open service.
    Sources,
    /// Refuse a service for a while, whatever is decided.
    Block,
    /// Take its blocks back.
    Unblock,
    /// Mark a row.
    Mark,
    /// Who can connect to the selected service, and why.
    WhoCan,
    /// The way of the selected peer through the rules.
    ShowWay,
    /// Now, or after applying.
    SwitchTime,
    /// Search.
    Filter,
    /// Another order.
    Sort,
    /// The same order the other way round.
    SortReversed,
    /// Mark every row that is shown.
    MarkAll,
    /// Mark on downwards.
    MarkDown,
    /// Mark on upwards.
    MarkUp,
    /// Another class.
    CycleClass,
    /// Who can be on a network, and what another class would change.
    NetworkDetails,
    /// Trust a network by hand.
    AddSource,
    /// No longer trust it.
    RemoveSource,
    /// Diff, full, IPv4, IPv6, nft.
    SwitchView,
    /// To the next place that was searched for.
    NextMatch,
    /// To the one before.
    PreviousMatch,
    /// What is shown, to a file.
    WriteFile,
    /// Reject or drop.
    SwitchRefusal,
    /// Off, kernel, nflog.
    SwitchLogging,
    /// Take all rules out.
    TurnOff,
    /// The pane to the left.
    PaneLeft,
    /// The pane to the right.
    PaneRight,
    /// Take the last edit back.
    Undo,
    /// Do it again.
    Redo,
    /// The Services screen.
    ShowServices,
    /// The Networks screen.
    ShowNetworks,
    /// The Preview screen.
    ShowPreview,
    /// The Checkup screen.
    ShowCheckup,
    /// To the service a finding is about, or all of its text.
    Follow,
    /// All of a finding's text, or of a service's.
    ReadWhole,
    /// Mark a finding as known and intended, or take that back.
    Known,
    /// Findings of the next severity only.
    CycleSeverity,
    /// The next screen.
    NextScreen,
    /// The screen before.
    PreviousScreen,
    /// Start a trial.
    Apply,
    /// Load what was last confirmed.
    Restore,
    /// Clear marks and filter.
    Clear,
    /// One up.
    Up,
    /// One down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// The theme after this one.
    NextTheme,
    /// The theme before.
    PreviousTheme,
    /// The help.
    Help,
    /// Leave.
    Quit,
    /// Say yes.
    Accept,
    /// Go ahead where nothing speaks against it.
    Go,
    /// Leave a popup.
    Cancel,
    /// Take what was typed.
    Submit,
    /// Remove a character.
    Erase,
    /// Remove all characters.
    EraseAll,
    /// A longer trial.
    Longer,
    /// A shorter trial.
    Shorter,
    /// End running connections too, or not.
    EndConnections,
    /// Quit and leave the trial running.
    LeaveRunning,
    /// Revert, then quit.
    RevertAndQuit,
    /// Find a command by its name.
    Palette,
    /// Leave the mouse to the terminal, or take it back.
    ToggleMouse,
    /// Begin the first-time setup, or go on with it.
    RunSetup,
    /// The next step of the setup.
    NextStep,
    /// The step before.
    PreviousStep,
    /// Answer everything as recommended.
    TakeAll,
    /// Forget the answers.
    StartAgain,
    /// Another answer.
    NextAnswer,
    /// Answer as recommended.
    TakeAdvice,
    /// From the words to the rules and back.
    SwitchPane,
    /// To the screens.
    ShowScreens,
}

/// Where a command holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// Everywhere, popups included.
    Always,
    /// While a trial runs.
    Trial,
    /// The Services screen.
    Services,
    /// The Networks screen.
    Networks,
    /// The Preview screen.
    Preview,
    /// The Checkup screen.
    Checkup,
    /// Every screen.
    Screens,
    /// Lists and texts, popups included.
    Moving,
    /// Who can connect to a service.
    WhoCan,
    /// A way through the rules.
    Way,
    /// The help.
    Help,
    /// A popup that is only read.
    Reading,
    /// A line of text being typed.
    Typing,
    /// A question.
    Asking,
    /// A question that Enter does not answer.
    Doubting,
    /// The question before an apply.
    Applying,
    /// The question when leaving during a trial.
    Leaving,
    /// The list of commands.
    Palette,
    /// Every step of the setup.
    Setup,
    /// Its networks.
    SetupNetworks,
    /// Its questions with a few answers.
    SetupChoice,
    /// Its services.
    SetupServices,
    /// Its preview.
    SetupPreview,
    /// While its rules are on trial.
    SetupTrial,
    /// When it is done.
    SetupEnd,
    /// The question when leaving it.
    SetupLeaving,
}

impl Context {
    /// Every context, in the order of the help and the manual page.
    pub const ALL: [Self; 26] = [
        Self::Services,
        Self::Networks,
        Self::Preview,
        Self::Checkup,
        Self::Trial,
        Self::Screens,
        Self::Moving,
        Self::Always,
        Self::WhoCan,
        Self::Way,
        Self::Applying,
        Self::Asking,
        Self::Doubting,
        Self::Leaving,
        Self::Typing,
        Self::Help,
        Self::Reading,
        Self::Palette,
        Self::Setup,
        Self::SetupNetworks,
        Self::SetupChoice,
        Self::SetupServices,
        Self::SetupPreview,
        Self::SetupTrial,
        Self::SetupEnd,
        Self::SetupLeaving,
    ];

    /// The heading in the help and the manual page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Trial => "While a trial runs",
            Self::Services => "Services",
            Self::Networks => "Networks",
            Self::Preview => "Preview",
            Self::Checkup => "Checkup",
            Self::Screens => "On every screen",
            Self::Moving => "Moving",
            Self::WhoCan => "Who can connect, and why",
            Self::Way => "The way through the rules",
            Self::Help => "Searching in the help",
            Self::Reading => "Reading a message",
            Self::Typing => "Typing",
            Self::Asking => "Answering a question",
            Self::Doubting => "Answering a warning",
            Self::Applying => "Before applying",
            Self::Leaving => "Leaving during a trial",
            Self::Palette => "Finding a command",
            Self::Setup => "Setup, at every step",
            Self::SetupNetworks => "Setup: networks",
            Self::SetupChoice => "Setup: refusing and logging",
            Self::SetupServices => "Setup: services",
            Self::SetupPreview => "Setup: preview",
            Self::SetupTrial => "Setup: while the trial runs",
            Self::SetupEnd => "Setup: done",
            Self::SetupLeaving => "Leaving the setup",
        }
    }
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// What it does.
    pub id: CommandId,
    /// Where it holds.
    pub context: Context,
    /// Its keys, the one to show first; without any it is in the palette only.
    pub keys: &'static [Key],
    /// One or two words for the footer.
    pub label: &'static str,
    /// One line, an imperative sentence without a full stop.
    pub doc: &'static str,
    /// How soon it yields its place in a footer that is too narrow: 1 last, 9 first, 0 never shown.
    pub rank: u8,
}

/// All commands, in the order of the help.
pub const fn table() -> &'static [Command] {
    TABLE
}

/// The commands of a context.
pub fn of(context: Context) -> impl Iterator<Item = &'static Command> {
    TABLE.iter().filter(move |command| command.context == context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_context() {
        for context in Context::ALL {
            let keys: Vec<Key> = of(context).flat_map(|command| command.keys).copied().collect();
            for (index, key) in keys.iter().enumerate() {
                assert!(!keys[index + 1..].contains(key), "{key} twice in {context:?}");
            }
        }
    }

    #[test]
    fn every_command_has_a_name_of_its_own() {
        let mut names: Vec<String> = table().iter().map(Command::name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        for name in [
            "services.who-can",
            "who-can.show-way",
            "always.interrupt",
            "screens.palette",
        ] {
            assert!(names.contains(&name.to_owned()), "{name}");
        }
    }

    #[test]
    fn no_key_of_a_trial_hides_one_of_a_screen() {
        let trial: Vec<Key> = of(Context::Trial).flat_map(|command| command.keys).copied().collect();
        for context in [
            Context::Services,
            Context::Networks,
            Context::Preview,
            Context::Checkup,
            Context::Screens,
            Context::Moving,
        ] {
            for key in of(context).flat_map(|command| command.keys) {
                assert!(!trial.contains(key), "{key} in {context:?}");
            }
        }
    }

    #[test]
    fn every_context_has_commands_and_every_command_a_line_and_a_way_to_it() {
        for context in Context::ALL {
            assert!(of(context).next().is_some(), "{context:?}");
        }
        for command in table() {
            assert!(!command.keys.is_empty() || command.context.has_palette());
            assert!(Context::ALL.contains(&command.context));
            assert!(
                command.doc.len() <= 60 && !command.doc.ends_with('.'),
                "{}",
                command.doc
            );
        }
    }
}
