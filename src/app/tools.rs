//! Who else decides over connections on this machine.

use crate::app::{Machine, Status};
use crate::core::tools::{conflicts, in_kernel, present};
use crate::sys::{nftables, tools};

impl Machine {
    /// Adds the other tools to a status: those whose chains `nf_tables` holds, and those that the files
    /// say are started at boot.
    pub(super) fn with_tools(&self, status: Status) -> Status {
        let chains = nftables::chain_names().ok();
        let names = |chains: Vec<(String, String)>| {
            in_kernel(chains.iter().map(|(table, chain)| (table.as_str(), chain.as_str())))
        };
        let in_kernel = chains.map(names);
        let tools = present(&tools::on_disk(self.paths.root()), in_kernel.as_ref());
        Status {
            conflicts: conflicts(&tools),
            tools,
            ..status
        }
    }
}
