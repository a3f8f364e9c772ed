//! What the Networks screen keeps.

use ipnet::IpNet;

use crate::core::network::{Interface, InterfaceKind};
use crate::core::policy::Policy;
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

/// The state of the Networks screen.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    lines: Vec<NetworkLine>,
    /// The cursor counts lines.
    pub list: ListState,
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
        self.lines = present
            .into_iter()
            .cloned()
            .map(NetworkLine::Interface)
            .chain(absent.cloned().map(NetworkLine::Absent))
            .chain(policy.networks.trusted_sources.iter().copied().map(NetworkLine::Source))
            .collect();
        self.list.cursor = self.list.cursor.min(self.lines.len().saturating_sub(1));
    }

    /// All lines, in the order shown.
    pub fn lines(&self) -> &[NetworkLine] {
        &self.lines
    }

    /// The line under the cursor.
    pub fn selected(&self) -> Option<&NetworkLine> {
        self.lines.get(self.list.cursor)
    }
}
