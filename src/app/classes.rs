//! What would differ if a network had another class: what the screens ask for while it is selected.

use crate::app::Observation;
use crate::core::overview::{ClassReach, by_class};
use crate::core::policy::Policy;

/// A question about the class of one interface, with all it takes to answer it on another thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassInquiry {
    /// The interface.
    pub interface: String,
    policy: Policy,
    /// Without what it does not take.
    observation: Observation,
}

impl ClassInquiry {
    /// About an interface of what was observed, with the policy that is wanted.
    pub fn new(observation: &Observation, policy: &Policy, interface: String) -> Self {
        Self {
            interface,
            policy: policy.clone(),
            observation: observation.for_reach(),
        }
    }

    /// Who of those on it gets in at each service, with each class.
    pub fn answer(&self) -> Vec<ClassReach> {
        let observation = &self.observation;
        by_class(observation.scene(), observation.telling, &self.policy, &self.interface)
    }
}
