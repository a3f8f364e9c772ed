//! What the Networks screen keeps.

use ipnet::IpNet;

use crate::core::network::{Interface, InterfaceKind};
use crate::core::overview::ClassReach;
use crate::core::policy::Policy;
use crate::tui::model::Model;
use crate::tui::model::list::ListState;

/// A line of the Networks screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkLine {
    /// An interface.
    Interface(Interface),
    /// An interface the policy speaks about and that is not there now.
    Absent(String),
    /// A network trusted by hand.
    Source(IpNet),
}

impl NetworkLine {
    /// Whether it is about the same network, be it there or not.
    fn is_about(&self, other: &Self) -> bool {
        let name = |line: &Self| match line {
            Self::Interface(interface) => Some(interface.name.clone()),
            Self::Absent(name) => Some(name.clone()),
            Self::Source(_) => None,
        };
        match (self, other) {
            (Self::Source(one), Self::Source(other)) => one == other,
            (one, other) => name(one).is_some() && name(one) == name(other),
        }
    }
}

/// The state of the Networks screen.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    lines: Vec<NetworkLine>,
    /// The cursor counts lines.
    pub list: ListState,
    /// What another class of the selected one would change.
    pub classes: Classes,
}

/// What would differ with another class, for one interface at a time: worked out beside the screens, for
/// with ten thousand rules it takes its time.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    seen: Option<(String, Vec<ClassReach>)>,
    is_under_way: bool,
    /// Whether rules, decisions or services changed since it was asked for.
    is_stale: bool,
}

impl Classes {
    /// What is known of an interface. After a change what was known stays in sight until the new comes,
    /// which is soon.
    pub fn of(&self, name: &str) -> Option<&[ClassReach]> {
        let (known, rows) = self.seen.as_ref()?;
        (known == name).then_some(rows)
    }

    /// Whether to ask for an interface now; then it is under way.
    pub fn begin(&mut self, name: &str) -> bool {
        if self.is_under_way || (!self.is_stale && self.of(name).is_some()) {
            return false;
        }
        self.is_stale = false;
        self.is_under_way = true;
        true
    }

    /// Takes what came back.
    pub fn adopt(&mut self, name: String, rows: Vec<ClassReach>) {
        self.is_under_way = false;
        self.seen = Some((name, rows));
    }

    /// What was known may no longer hold.
    pub const fn forget(&mut self) {
        self.is_stale = true;
    }
}

impl Networks {
    /// Takes what there is now.
    pub fn replace(&mut self, interfaces: &[Interface], policy: &Policy) {
        let mut present: Vec<&Interface> = interfaces.iter().collect();
        // The way out first, loopback last: nothing is to be decided on it.
        present.sort_by_key(|interface| {
            (
                interface.kind == InterfaceKind::Loopback,
                !interface.has_default_route,
                !interface.is_up,
                interface.index,
            )
        });
        let absent = policy
            .networks
            .interfaces
            .keys()
            .filter(|name| interfaces.iter().all(|interface| interface.name != **name));
        let selected = self.selected().cloned();
        self.lines = present
            .into_iter()
            .cloned()
            .map(NetworkLine::Interface)
            .chain(absent.cloned().map(NetworkLine::Absent))
            .chain(policy.networks.trusted_sources.iter().copied().map(NetworkLine::Source))
            .collect();
        // Interfaces come and go: the cursor stays on its own, or a key would be for another one.
        let place = selected.and_then(|selected| self.lines.iter().position(|line| line.is_about(&selected)));
        self.list.cursor = place
            .unwrap_or(self.list.cursor)
            .min(self.lines.len().saturating_sub(1));
        self.classes.forget();
    }

    /// All lines, in the order shown.
    pub fn lines(&self) -> &[NetworkLine] {
        &self.lines
    }

    /// The line of an interface; none where it is gone.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.lines.iter().find_map(|line| match line {
            NetworkLine::Interface(interface) if interface.name == name => Some(interface),
            _ => None,
        })
    }

    /// The line under the cursor.
    pub fn selected(&self) -> Option<&NetworkLine> {
        self.lines.get(self.list.cursor)
    }
}

impl Model {
    /// Whether somebody has said of every network there is what it is.
    pub fn are_all_networks_chosen(&self) -> bool {
        let is_other = |interface: &&Interface| interface.kind != InterfaceKind::Loopback && interface.is_up;
        let chosen = &self.policy.networks.interfaces;
        let mut others = self.observation.interfaces.iter().filter(is_other);
        others.all(|interface| chosen.contains_key(&interface.name))
    }
}
