//! What is proposed for each network.

use super::{MachineKind, NetworkProposal};
use crate::core::network::{Interface, InterfaceKind, class_of};
use crate::core::policy::Policy;

pub(super) fn propose(interfaces: &[Interface], policy: &Policy, _machine: MachineKind) -> Vec<NetworkProposal> {
    let others = interfaces.iter().filter(|one| one.kind != InterfaceKind::Loopback);
    let proposal = |interface: &Interface| NetworkProposal {
        interface: interface.name.clone(),
        class: class_of(interface, policy),
        why: String::new(),
        is_decided: policy.networks.interfaces.contains_key(&interface.name),
    };
    others.map(proposal).collect()
}
