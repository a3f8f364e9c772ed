//! Who else decides over connections on this machine.

use crate::app::{Machine, Status};
use crate::core::netfilter::Netfilter;
use crate::core::tools::{conflicts, in_kernel, present};
use crate::sys::{host, nftables, tools};

impl Machine {
    /// Adds the other tools to a status: those whose chains the kernel holds, and those that the files
    /// say are started at boot. Chains of iptables-legacy are known only where all rules were read.
    pub(super) fn add_tools(&self, status: &mut Status, read: Option<&Netfilter>) {
        if !host::is_root() {
            return;
        }
        let chains = nftables::chain_names().ok();
        let in_kernel = chains.map(|chains| {
            let names = chains.iter().map(|(table, chain)| (table.as_str(), chain.as_str()));
            in_kernel(names.chain(read.into_iter().flat_map(Netfilter::names)))
        });
        let tools = present(&tools::on_disk(self.paths.root()), in_kernel.as_ref());
        status.conflicts = conflicts(&tools);
        status.tools = tools;
    }
}
