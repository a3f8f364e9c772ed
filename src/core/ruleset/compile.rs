//! A policy into rules.
use crate::core::network::Interface;
use crate::core::policy::Policy;
use crate::core::ruleset::Ruleset;
/// placeholder
pub fn compile(_policy: &Policy, _interfaces: &[Interface]) -> Ruleset {
    Ruleset::default()
}
