//! What the sandbox's neighbours get at the selected service.

use crate::core::service::ServiceId;
use crate::tui::port::Seen;

/// One service at a time: the one selected, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    /// In the sandbox only.
    pub are_there: bool,
    seen: Option<(ServiceId, Vec<Seen>)>,
    /// Whether that was some time ago: it is shown until it is known anew.
    is_old: bool,
    under_way: Option<ServiceId>,
    /// Whether what is under way was overtaken by a change of the rules.
    is_overtaken: bool,
}

impl Neighbours {
    /// What they get at a service; none while that is not known.
    pub fn at(&self, id: &ServiceId) -> Option<&[Seen]> {
        let (known, seen) = self.seen.as_ref()?;
        (known == id).then_some(seen)
    }

    /// The service to knock at next: the one selected, when it is not known by now and nothing is under
    /// way.
    pub fn next(&mut self, selected: Option<&ServiceId>) -> Option<ServiceId> {
        if !self.are_there || self.under_way.is_some() {
            return None;
        }
        let id = selected.filter(|id| id.ports.is_single() && (self.is_old || self.at(id).is_none()))?;
        (self.is_overtaken, self.is_old) = (false, false);
        self.under_way = Some(id.clone());
        self.under_way.clone()
    }

    /// Takes what came back.
    pub fn adopt(&mut self, id: ServiceId, seen: Option<Vec<Seen>>) {
        self.under_way = None;
        if !self.is_overtaken {
            self.seen = Some((id, seen.unwrap_or_default()));
        }
    }

    /// Time has gone by, and something may listen that did not.
    pub const fn renew(&mut self) {
        self.is_old = true;
    }

    /// The rules changed: what was seen is not what would be seen now.
    pub fn forget(&mut self) {
        self.seen = None;
        self.is_overtaken = true;
    }
}
