//! Quick blocks: at the head of their protocol's chain, so that no decision has its say before them.
//!
//! Loopback has returned by then, and so have answers to what this machine asked; of TCP only a SYN
//! comes here. With an end, the kernel's own clock ends it, whether fwtui is there or not.
//!
//! Where nothing published is decided there is no chain for it in FORWARD, and everything is refused.

use crate::core::listener::Protocol;
use crate::core::ruleset::Hook;
use crate::core::ruleset::compile::decisions::sent_to;
use crate::core::ruleset::compile::{Compiler, REFUSE, named};
use crate::core::ruleset::rule::{Match, Rule, Target};

impl Compiler<'_> {
    /// The rules for a protocol's blocks.
    pub(super) fn blocks(&self, hook: Hook, protocol: Protocol) -> Vec<Rule> {
        let policy = self.policy;
        let mut rules = Vec::new();
        for block in &policy.blocks {
            let address = block.service.address.as_ref();
            if block.service.protocol != protocol || !self.has_destination(hook, address) {
                continue;
            }
            let sent = Match {
                until: block.until,
                ..sent_to((hook, protocol), address, vec![block.service.ports])
            };
            let refuse = |source| {
                let matches = Match { source, ..sent.clone() };
                Rule::new(matches, block.reason(), Target::Goto(REFUSE.into()))
            };
            if block.from.is_empty() {
                rules.push(refuse(None));
            }
            let sources = block.from.iter().filter(|source| self.is_of_family(**source));
            rules.extend(sources.map(|source| refuse(named(*source))));
        }
        rules
    }
}
