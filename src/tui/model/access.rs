//! Who can connect to the selected service, network by network.

use crate::core::overview::NetworkReach;
use crate::core::service::ServiceId;

/// One service at a time: the one selected. It is worked out beside the screens, for with ten thousand
/// rules it takes its time.
#[derive(Debug, Clone, Default)]
pub struct Access {
    seen: Option<(ServiceId, Vec<NetworkReach>)>,
    is_under_way: bool,
    /// Whether rules, decisions or services changed since it was asked for.
    is_stale: bool,
}

impl Access {
    /// What is known of a service. After a change what was known stays in sight until the new comes,
    /// which is soon.
    pub fn at(&self, id: &ServiceId) -> Option<&[NetworkReach]> {
        let (known, networks) = self.seen.as_ref()?;
        (known == id).then_some(networks)
    }

    /// Whether to ask for a service now; then it is under way.
    pub fn begin(&mut self, id: &ServiceId) -> bool {
        if self.is_under_way || (!self.is_stale && self.at(id).is_some()) {
            return false;
        }
        self.is_stale = false;
        self.is_under_way = true;
        true
    }

    /// Takes what came back.
    pub fn adopt(&mut self, id: ServiceId, networks: Vec<NetworkReach>) {
        self.is_under_way = false;
        self.seen = Some((id, networks));
    }

    /// What was known may no longer hold.
    pub const fn forget(&mut self) {
        self.is_stale = true;
    }
}
