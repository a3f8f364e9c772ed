//! What the Preview screen keeps.

use crate::core::listener::Family;
use crate::tui::model::Search;

mod laid;

pub use laid::{Laid, LaidKey, LaidLine};

/// What the right side shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RulesView {
    /// The difference to what is in the kernel.
    #[default]
    Diff,
    /// All rules.
    All,
    /// All rules of a family.
    Full(Family),
    /// All rules, as nft reads them.
    Nft,
}

impl RulesView {
    /// The views in the order a key cycles through.
    pub const ALL: [Self; 5] = [
        Self::Diff,
        Self::All,
        Self::Full(Family::Ipv4),
        Self::Full(Family::Ipv6),
        Self::Nft,
    ];

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Diff => "diff",
            Self::All => "full",
            Self::Full(Family::Ipv4) => "IPv4",
            Self::Full(Family::Ipv6) => "IPv6",
            Self::Nft => "nft",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Diff => Self::All,
            Self::All => Self::Full(Family::Ipv4),
            Self::Full(Family::Ipv4) => Self::Full(Family::Ipv6),
            Self::Full(Family::Ipv6) => Self::Nft,
            Self::Nft => Self::Diff,
        }
    }
}

/// The two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Pane {
    /// The consequences in words.
    #[default]
    Words,
    /// The rules.
    Rules,
}

/// The state of the Preview screen.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// What the right side shows.
    pub view: RulesView,
    /// The side that scrolls.
    pub pane: Pane,
    /// The first line in sight of the left side.
    pub words_top: usize,
    /// The first line in sight of the right side.
    pub rules_top: usize,
    /// The left side in lines: made once a change, not once a key.
    pub words: Laid,
    /// The right side in lines.
    pub rules: Laid,
    /// What is searched for.
    pub search: Search,
    /// How often the plan was worked out.
    plans: u64,
}

impl Preview {
    /// There is a new plan.
    pub const fn replace(&mut self) {
        self.plans = self.plans.wrapping_add(1);
    }

    /// The same, shown from its beginning, and nothing searched for.
    pub fn begin(&mut self) {
        *self = Self {
            plans: self.plans.wrapping_add(1),
            ..Self::default()
        };
    }

    /// What the lines of a text depend on besides what is asked for here.
    pub const fn key(&self, cells: usize, state: u8) -> LaidKey {
        LaidKey {
            plan: self.plans,
            view: self.view,
            cells,
            state,
        }
    }

    /// Shows the next view from its beginning.
    pub const fn next_view(&mut self) {
        self.view = self.view.next();
        self.rules_top = 0;
    }

    /// The lines of a side.
    pub fn laid(&self, pane: Pane) -> &[LaidLine] {
        match pane {
            Pane::Words => &self.words.lines,
            Pane::Rules => &self.rules.lines,
        }
    }

    /// Looks for what is searched for in the lines as they are now.
    pub fn search_again(&mut self) {
        self.search.look(&self.words.lines, &self.rules.lines);
    }

    /// Searches for something else.
    pub fn search_for(&mut self, needle: String) {
        self.search.begin(needle);
        self.search_again();
    }
}
