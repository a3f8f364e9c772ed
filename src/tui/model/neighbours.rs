//! What the sandbox's neighbours get at the selected service.

use crate::core::service::ServiceId;
use crate::tui::port::Seen;

/// One service at a time: the one selected, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    /// In the sandbox only.
    pub are_there: bool,
    seen: Option<(ServiceId, Vec<Seen>)>,
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

    /// The service to knock at next: the one selected, when it is not known and nothing is under way.
    pub fn next(&mut self, selected: Option<&ServiceId>) -> Option<ServiceId> {
        if !self.are_there || self.under_way.is_some() {
            return None;
        }
        let id = selected.filter(|id| id.ports.is_single() && self.at(id).is_none())?;
        self.is_overtaken = false;
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

    /// The rules may have changed, or what listens: what was seen is not what would be seen now.
    pub fn forget(&mut self) {
        self.seen = None;
        self.is_overtaken = true;
    }
}
