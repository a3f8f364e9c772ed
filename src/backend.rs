//! The rules in the kernel, behind one seam: read, check, load, remove.
//!
//! [`Backend`] is what the guard and the app know; [`iptables::Iptables`] is the real one,
//! [`memory::Memory`] keeps tables in memory with the same meaning. What to load comes from
//! `core::ruleset`; [`switch`] puts the pieces together: apply, read back, revert, clean up.

use std::fmt;

use crate::core::listener::Family;
use crate::core::netfilter::Engine;
use crate::core::ruleset::{SaveError, SavedFamily, SavedTables, Table};
use crate::sys::runner::RunError;

pub mod detect;
pub mod everything;
pub mod iptables;
pub mod memory;
pub mod switch;

/// What both families hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// IPv4.
    pub ipv4: SavedFamily,
    /// IPv6; empty on a machine without IPv6.
    pub ipv6: SavedFamily,
    /// Everything that was read for them.
    pub saves: Vec<Save>,
}

/// What one of the `iptables-save` printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Save {
    /// Whose tables they are.
    pub engine: Engine,
    /// Their family.
    pub family: Family,
    /// The tables.
    pub tables: SavedTables,
}

impl Observed {
    /// The part of a family.
    pub const fn family(&self, family: Family) -> &SavedFamily {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }
}

/// The packet filter of this machine's kernel.
pub trait Backend: fmt::Debug + Send + Sync {
    /// `iptables-nft`, `iptables-legacy` or `memory`.
    fn name(&self) -> &'static str;

    /// The families there are: IPv6 can be switched off.
    fn families(&self) -> &[Family];

    /// What is loaded.
    ///
    /// # Errors
    /// Where the rules can't be read or make no sense.
    fn read(&self) -> Result<Observed, BackendError>;

    /// What of it is loaded for one family.
    ///
    /// # Errors
    /// As for [`Self::read`], of this family only.
    fn read_family(&self, family: Family) -> Result<SavedFamily, BackendError>;

    /// Whether `iptables-restore --test` takes the text. Not a proof: the kernel has the last word.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, family: Family, text: &str) -> Result<(), BackendError>;

    /// Loads a restore text without flushing anything it does not name. Each table in it is one
    /// transaction of its own.
    ///
    /// # Errors
    /// Where it was refused; tables before the refused one have been changed.
    fn load(&self, family: Family, text: &str) -> Result<(), BackendError>;

    /// Deletes chains that nothing refers to any more, as far as it goes.
    ///
    /// # Errors
    /// The chains that are still there.
    fn remove(&self, family: Family, chains: &[(Table, String)]) -> Result<(), BackendError>;
}

/// Why the rules could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// There is no program to do it with.
    #[error("neither iptables-nft nor iptables-legacy is installed")]
    NoIptables,
    /// There is one for IPv4 only, and the machine has IPv6, which would stay open.
    #[error("this machine has IPv6, and no ip6tables to filter it with is installed")]
    NoIp6tables,
    /// A program could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A program refused: its own words.
    #[error("{program} refused: {words}")]
    Refused {
        /// The program.
        program: String,
        /// The first line of its complaint.
        words: String,
    },
    /// What it printed makes no sense.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// A table that `iptables-save` does not show, or not whole. It says so and ends with 0.
    #[error("{family}: table {table} holds native nft rules, and iptables can't show it because of them")]
    Unreadable {
        /// The family.
        family: Family,
        /// The table.
        table: &'static str,
    },
    /// What was read back is not what was loaded.
    #[error("{family}: the kernel does not hold what was loaded ({what})")]
    NotAsLoaded {
        /// The family.
        family: Family,
        /// What differs.
        what: String,
    },
    /// Somebody changed fwtui's own rules between reading them and changing them.
    #[error("fwtui's own rules were changed by somebody else at the same moment")]
    ChangedMeanwhile,
    /// Chains that could not be removed.
    #[error("these chains could not be removed: {0}")]
    LeftBehind(String),
    /// The kernel would not say what it holds.
    #[error("the kernel's tables can't be read: {0}")]
    Kernel(std::io::Error),
}
