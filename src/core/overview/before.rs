//! Rows that were worked out before, and which of them an edit leaves as they are.

use std::sync::Arc;
use std::time::Duration;

use crate::core::overview::Row;
use crate::core::policy::Policy;
use crate::core::service::{Service, ServiceId};

/// Rows of the same scene, under another policy.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The policy they are for.
    pub policy: &'a Policy,
    /// The rows, by id.
    pub rows: &'a [Row],
}

/// What an edit leaves as it is.
pub(super) struct Kept<'a> {
    rows: &'a [Row],
    /// What is decided otherwise, blocked otherwise, or off.
    changed: Vec<ServiceId>,
}

impl<'a> Before<'a> {
    /// The rows that hold under this policy too; none where the networks are others, for then any may
    /// differ.
    pub(super) fn kept(self, policy: &Policy, now: Duration) -> Option<Kept<'a>> {
        let before = self.policy.current(now);
        (before.networks == policy.networks).then(|| Kept {
            changed: before.services_changed_to(policy),
            rows: self.rows,
        })
    }
}

impl Kept<'_> {
    /// The row of a service that the edit does not concern. A decision concerns its ports, at whatever
    /// address.
    pub(super) fn row(&self, service: &Arc<Service>) -> Option<&Row> {
        let id = &service.id;
        let concerns =
            |other: &ServiceId| other.protocol == id.protocol && other.ports.intersection(id.ports).is_some();
        let at = self.rows.binary_search_by(|row| row.service.id.cmp(id)).ok()?;
        let row = self.rows.get(at)?;
        (Arc::ptr_eq(&row.service, service) && !self.changed.iter().any(concerns)).then_some(row)
    }
}
