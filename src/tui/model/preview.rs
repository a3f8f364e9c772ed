//! What the Preview screen keeps.

use crate::core::listener::Family;
use crate::core::ruleset::Ruleset;

/// What the right side shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RulesView {
    /// The difference to what is in the kernel.
    #[default]
    Diff,
    /// All rules of a family.
    Full(Family),
}

impl RulesView {
    /// The views in the order a key cycles through.
    pub const ALL: [Self; 3] = [Self::Diff, Self::Full(Family::Ipv4), Self::Full(Family::Ipv6)];

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Diff => "diff",
            Self::Full(Family::Ipv4) => "IPv4",
            Self::Full(Family::Ipv6) => "IPv6",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Diff => Self::Full(Family::Ipv4),
            Self::Full(Family::Ipv4) => Self::Full(Family::Ipv6),
            Self::Full(Family::Ipv6) => Self::Diff,
        }
    }
}

/// The two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// The rules of both families, line by line: made once a change, not once a frame.
    full: [Vec<String>; 2],
}

impl Preview {
    /// Takes the rules of a new plan.
    pub fn replace(&mut self, candidate: &Ruleset) {
        self.full = Family::ALL.map(|family| {
            let rules = candidate.family(family);
            rules.to_plain_text(&rules.hooks()).lines().map(str::to_owned).collect()
        });
    }

    /// All rules of a family.
    pub fn full(&self, family: Family) -> &[String] {
        let [ipv4, ipv6] = &self.full;
        match family {
            Family::Ipv4 => ipv4,
            Family::Ipv6 => ipv6,
        }
    }

    /// Shows the next view from its beginning.
    pub const fn next_view(&mut self) {
        self.view = self.view.next();
        self.rules_top = 0;
    }
}
