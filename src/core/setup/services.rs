//! What is proposed for each service.

use super::{Found, ServiceProposal};

pub(super) fn propose(_found: &Found<'_>) -> Vec<ServiceProposal> {
    Vec::new()
}
