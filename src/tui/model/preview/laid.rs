//! A text as lines of a width.

use crate::tui::model::RulesView;
use crate::tui::theme::Token;

/// A line of a text that was broken to a width.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaidLine {
    /// Its pieces, each with its meaning.
    pub spans: Vec<(Token, String)>,
    /// Which paragraph it is of.
    pub paragraph: usize,
    /// How many characters at its beginning are margin, symbol or sign.
    pub lead: usize,
}

impl LaidLine {
    /// A line of one piece, a paragraph of its own once it is numbered.
    pub fn plain(token: Token, text: impl Into<String>) -> Self {
        Self {
            spans: vec![(token, text.into())],
            paragraph: 0,
            lead: 0,
        }
    }

    /// All of its characters.
    pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
        self.spans.iter().flat_map(|(_, text)| text.chars())
    }
}

/// What the lines depend on: while it is the same, they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaidKey {
    /// Which plan.
    pub plan: u64,
    /// Which view.
    pub view: RulesView,
    /// How wide.
    pub cells: usize,
    /// What else is said: how far the machine was looked at, and whether a trial runs.
    pub state: u8,
}

/// The lines, and what they were made of.
#[derive(Debug, Clone, Default)]
pub struct Laid {
    /// What they were made of; none before the first time.
    pub key: Option<LaidKey>,
    /// The lines.
    pub lines: Vec<LaidLine>,
}
