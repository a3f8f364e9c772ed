//! Meanings.

use std::fmt;

/// What a piece of the screen means. Screens ask for meanings, never for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    /// What everything is drawn on.
    Background,
    /// Plain text.
    Text,
    /// What may be overlooked.
    Dim,
    /// The program's own colour: the name, the tab that is open.
    Accent,
    /// Reached by this machine only; done; in order.
    Good,
    /// Reached by trusted networks; worth a look.
    Warn,
    /// Reached by everyone; an error.
    Bad,
    /// Not known.
    Unknown,
    /// Text of the selected row.
    SelectionText,
    /// What the selected row is drawn on.
    SelectionBackground,
    /// Lines between the parts of a screen.
    Border,
    /// Headings.
    Title,
    /// Text of the trial's banner.
    TrialText,
    /// What the trial's banner is drawn on.
    TrialBackground,
    /// Text of the banner in its last seconds.
    AlarmText,
    /// What the banner is drawn on in its last seconds.
    AlarmBackground,
    /// Keys in footers and the help.
    Key,
    /// A service that needs a decision.
    New,
    /// A decision that is not in force yet.
    Changed,
    /// A line the ruleset gains.
    Added,
    /// A line it loses.
    Removed,
}

impl Token {
    /// Every token; a theme that inherits from none must define all.
    pub const ALL: [Self; 21] = [
        Self::Background,
        Self::Text,
        Self::Dim,
        Self::Accent,
        Self::Good,
        Self::Warn,
        Self::Bad,
        Self::Unknown,
        Self::SelectionText,
        Self::SelectionBackground,
        Self::Border,
        Self::Title,
        Self::TrialText,
        Self::TrialBackground,
        Self::AlarmText,
        Self::AlarmBackground,
        Self::Key,
        Self::New,
        Self::Changed,
        Self::Added,
        Self::Removed,
    ];

    /// The pairs that are read by themselves: a text, and what it is drawn on.
    pub const PAIRS: [(Self, Self); 4] = [
        (Self::Text, Self::Background),
        (Self::SelectionText, Self::SelectionBackground),
        (Self::TrialText, Self::TrialBackground),
        (Self::AlarmText, Self::AlarmBackground),
    ];

    /// What is read on the background and in the selected row, except [`Self::Dim`], which may be overlooked.
    pub const READ: [Self; 12] = [
        Self::Text,
        Self::Accent,
        Self::Good,
        Self::Warn,
        Self::Bad,
        Self::Unknown,
        Self::Title,
        Self::Key,
        Self::New,
        Self::Changed,
        Self::Added,
        Self::Removed,
    ];

    /// The name in theme files.
    pub const fn name(self) -> &'static str {
        self.words().0
    }

    /// What it means, a sentence without a full stop: for the manual page.
    pub const fn meaning(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Background => ("background", "What everything is drawn on"),
            Self::Text => ("text", "Plain text"),
            Self::Dim => ("dim", "What may be overlooked"),
            Self::Accent => ("accent", "The program's own colour: its name, the cursor"),
            Self::Good => ("good", "Safe: reached by this machine only; in order"),
            Self::Warn => ("warn", "Reached by trusted networks; worth a look"),
            Self::Bad => ("bad", "Exposed: reached by everyone; an error"),
            Self::Unknown => ("unknown", "Not known"),
            Self::SelectionText => ("selection-text", "Text of the selected row"),
            Self::SelectionBackground => ("selection-background", "What the selected row is drawn on"),
            Self::Border => ("border", "Lines between the parts of a screen"),
            Self::Title => ("title", "Headings"),
            Self::TrialText => ("trial-text", "Text of the trial's banner"),
            Self::TrialBackground => ("trial-background", "What the trial's banner is drawn on"),
            Self::AlarmText => ("alarm-text", "Text of the banner in its last seconds"),
            Self::AlarmBackground => ("alarm-background", "What the banner is drawn on in its last seconds"),
            Self::Key => ("key", "Keys in the footer and the help"),
            Self::New => ("new", "A service that needs a decision"),
            Self::Changed => ("changed", "A decision that is not in force yet"),
            Self::Added => ("added", "A line the rules gain"),
            Self::Removed => ("removed", "A line the rules lose"),
        }
    }

    /// The token with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|token| token.name() == name)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
