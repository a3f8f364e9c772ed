//! Which iptables this machine uses.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::backend::BackendError;
use crate::core::listener::Family;
use crate::core::ruleset::{PREFIX, SavedTables};
use crate::sys::nftables::{self, BaseChain, TableFamily};
use crate::sys::runner::{Call, Runner, find_program};

/// The two implementations of iptables. Their rules live side by side in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// iptables over nf_tables.
    Nft,
    /// The old `x_tables`.
    Legacy,
}

impl Variant {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Nft, Self::Legacy];

    /// The name in JSON and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nft => "iptables-nft",
            Self::Legacy => "iptables-legacy",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Nft => "nft",
            Self::Legacy => "legacy",
        }
    }
}

/// The programs of one family, by absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// `iptables`.
    pub iptables: PathBuf,
    /// `iptables-save`.
    pub save: PathBuf,
    /// `iptables-restore`.
    pub restore: PathBuf,
}

impl Programs {
    /// The programs of a variant: by their explicit names, or by the plain ones where those are of
    /// this variant (before 1.8 there were no others).
    pub fn find(family: Family, variant: Variant, plain: Option<Variant>) -> Option<Self> {
        let stem = match family {
            Family::Ipv4 => "iptables",
            Family::Ipv6 => "ip6tables",
        };
        let explicit = format!("{stem}-{}", variant.suffix());
        let stems = [Some(explicit.as_str()), (plain == Some(variant)).then_some(stem)];
        stems.into_iter().flatten().find_map(|stem| {
            Some(Self {
                iptables: find_program(Path::new(stem))?,
                save: find_program(Path::new(&format!("{stem}-save")))?,
                restore: find_program(Path::new(&format!("{stem}-restore")))?,
            })
        })
    }
}

/// What the choice is made from.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any combination occurs"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// What plain `iptables` is.
    pub plain: Option<Variant>,
    /// iptables-nft is installed.
    pub has_nft: bool,
    /// iptables-legacy is installed.
    pub has_legacy: bool,
    /// Where fwtui's own chains are.
    pub own: Option<Variant>,
    /// nf_tables holds rules made through iptables.
    pub nft_has_rules: bool,
    /// `x_tables` holds rules, or tables that nothing installed can show.
    pub legacy_has_rules: bool,
}

/// Chooses: where fwtui's own chains are; else the only one with rules; else what plain `iptables`
/// is; else what is installed. The other one's rules still hold, so they are reported.
///
/// # Errors
/// Where neither is installed.
pub fn choose(facts: Facts) -> Result<(Variant, Option<String>), BackendError> {
    let is_installed = |variant| match variant {
        Variant::Nft => facts.has_nft,
        Variant::Legacy => facts.has_legacy,
    };
    let in_use = match (facts.nft_has_rules, facts.legacy_has_rules) {
        (true, false) => Some(Variant::Nft),
        (false, true) => Some(Variant::Legacy),
        (true, true) | (false, false) => None,
    };
    let variant = [
        facts.own,
        in_use,
        facts.plain,
        Some(Variant::Nft),
        Some(Variant::Legacy),
    ]
    .into_iter()
    .flatten()
    .find(|variant| is_installed(*variant))
    .ok_or(BackendError::NoIptables)?;
    let has_other = match variant {
        Variant::Nft => facts.legacy_has_rules,
        Variant::Legacy => facts.nft_has_rules,
    };
    let other = if variant == Variant::Nft {
        Variant::Legacy
    } else {
        Variant::Nft
    };
    let report = has_other.then(|| match is_installed(other) {
        true => format!(
            "{} is used, and {} has rules as well; a packet must pass both",
            variant.name(),
            other.name()
        ),
        false => format!("{} is used, and {}", variant.name(), unread(other)),
    });
    Ok((variant, report))
}

/// That a variant's tables are there and can't be shown.
pub(super) fn unread(variant: Variant) -> String {
    let name = variant.name();
    format!("{name} has tables that can't be read: {name} is not installed")
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The variant in use.
    pub variant: Variant,
    /// Its programs for IPv4.
    pub ipv4: Programs,
    /// Its programs for IPv6; none on a machine without IPv6.
    pub ipv6: Option<Programs>,
    /// The other variant's programs, where it has rules that must be read too.
    pub other: Option<(Variant, Programs, Option<Programs>)>,
    /// The families in which iptables-legacy has tables that nothing installed can show.
    pub unread: Vec<Family>,
    /// What to tell the user about the other variant.
    pub report: Option<String>,
}

/// Looks which iptables is installed and in use.
///
/// # Errors
/// Where neither is installed, or not for IPv6 on a machine that has it, or the rules can't be read.
pub fn detect(runner: &dyn Runner) -> Result<Detected, BackendError> {
    let plain = plain_variant(runner);
    // Listing a legacy table creates it, so the kernel is asked first which there are.
    let has_legacy_tables = has_legacy_tables();
    let find = |variant| Programs::find(Family::Ipv4, variant, plain);
    let (nft, legacy) = (find(Variant::Nft), find(Variant::Legacy));
    let nft_tables = match &nft {
        // The usual case has one answer whatever the tables hold, so they are not read for it.
        Some(programs) if (has_legacy_tables || plain != Some(Variant::Nft)) && nft_may_have_rules() => {
            read_all(runner, programs, Variant::Nft, plain)?
        }
        _ => Vec::new(),
    };
    let legacy_tables = match &legacy {
        Some(programs) if has_legacy_tables => read_all(runner, programs, Variant::Legacy, plain)?,
        _ => Vec::new(),
    };
    let has_own = |saves: &[(String, SavedTables)]| saves.iter().any(|(text, _)| text.contains(PREFIX));
    let has_rules = |saves: &[(String, SavedTables)]| saves.iter().any(|(_, tables)| tables.has_rules());
    let own = match (has_own(&nft_tables), has_own(&legacy_tables)) {
        (true, _) => Some(Variant::Nft),
        (false, true) => Some(Variant::Legacy),
        (false, false) => None,
    };
    let unread: Vec<Family> = Family::ALL
        .into_iter()
        .filter(|family| has_named_tables(*family) && Programs::find(*family, Variant::Legacy, plain).is_none())
        .collect();
    let facts = Facts {
        plain,
        has_nft: nft.is_some(),
        has_legacy: legacy.is_some(),
        own,
        nft_has_rules: has_rules(&nft_tables) || (nft.is_none() && nft_has_iptables_rules()),
        legacy_has_rules: has_rules(&legacy_tables) || (legacy.is_none() && !unread.is_empty()),
    };
    let (variant, report) = choose(facts)?;
    let has_ipv6 = Path::new("/proc/net/if_inet6").exists();
    let ipv6 = |variant| {
        if has_ipv6 {
            Programs::find(Family::Ipv6, variant, plain)
        } else {
            None
        }
    };
    let (chosen, other) = match variant {
        Variant::Nft => (
            nft,
            legacy.map(|programs| (Variant::Legacy, programs, ipv6(Variant::Legacy))),
        ),
        Variant::Legacy => (legacy, nft.map(|programs| (Variant::Nft, programs, ipv6(Variant::Nft)))),
    };
    let chosen_ipv6 = ipv6(variant);
    if has_ipv6 && chosen_ipv6.is_none() {
        return Err(BackendError::NoIp6tables);
    }
    Ok(Detected {
        variant,
        ipv4: chosen.ok_or(BackendError::NoIptables)?,
        ipv6: chosen_ipv6,
        other: other.filter(|_| report.is_some()),
        unread,
        report,
    })
}

/// Whether the kernel holds no filter rules at all, of whatever tool: then nothing needs to be
/// started to read them. False where that can't be told.
pub fn is_pristine() -> bool {
    !has_legacy_tables() && nftables::base_chains().is_ok_and(|chains| chains.is_empty())
}

fn nft_may_have_rules() -> bool {
    nftables::base_chains().map_or(true, |chains| !chains.is_empty())
}

fn nft_has_iptables_rules() -> bool {
    let has_rules = |chain: &BaseChain| is_built_in(chain) && (chain.has_rules || chain.drops_by_policy);
    nftables::base_chains().is_ok_and(|chains| chains.iter().any(has_rules))
}

/// Whether iptables-nft shows the chain as one of its own.
pub(super) fn is_built_in(chain: &BaseChain) -> bool {
    matches!(chain.family, TableFamily::Ip | TableFamily::Ip6)
        && ["raw", "mangle", "nat", "filter", "security"].contains(&chain.table.as_str())
        && ["PREROUTING", "INPUT"].contains(&chain.name.as_str())
}

/// Where the kernel names the tables of `x_tables`.
const LEGACY_TABLES: [&str; 2] = ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"];

/// Whether the kernel names tables of `x_tables` for a family. In an ordinary user's namespaces it
/// names none; there, nothing but an installed iptables-legacy can have made any.
fn has_named_tables(family: Family) -> bool {
    let [ipv4, ipv6] = LEGACY_TABLES;
    let path = if family == Family::Ipv4 { ipv4 } else { ipv6 };
    fs::read_to_string(path).is_ok_and(|names| !names.trim().is_empty())
}

/// Whether `x_tables` has any table, without making one. Where the kernel does not tell, it may.
fn has_legacy_tables() -> bool {
    hides_legacy_tables()
        || LEGACY_TABLES
            .iter()
            .any(|path| fs::read_to_string(path).is_ok_and(|names| !names.trim().is_empty()))
}

/// Whether the kernel keeps the names to the machine's own root, as it does in the namespaces of an
/// ordinary user. `iptables-legacy-save` has to be told each table there.
pub(super) fn hides_legacy_tables() -> bool {
    LEGACY_TABLES
        .iter()
        .any(|path| fs::read_to_string(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied))
}

/// What plain `iptables` is: told by the program its link ends at, else by `iptables -V`.
fn plain_variant(runner: &dyn Runner) -> Option<Variant> {
    let path = find_program(Path::new("iptables"))?;
    let target = fs::canonicalize(&path).ok()?;
    let name = target.file_name()?.to_string_lossy().into_owned();
    if name.contains("nft") {
        return Some(Variant::Nft);
    }
    if name.contains("legacy") {
        return Some(Variant::Legacy);
    }
    let version = runner.run(&Call::new(path).arg("-V")).ok()?.stdout;
    Some(if version.contains("nf_tables") {
        Variant::Nft
    } else {
        Variant::Legacy
    })
}

fn read_all(
    runner: &dyn Runner,
    ipv4: &Programs,
    variant: Variant,
    plain: Option<Variant>,
) -> Result<Vec<(String, SavedTables)>, BackendError> {
    let mut saves = Vec::new();
    for programs in [Some(ipv4.clone()), Programs::find(Family::Ipv6, variant, plain)]
        .into_iter()
        .flatten()
    {
        let text = super::iptables::save(runner, &programs)?;
        let tables = SavedTables::parse(&text)?;
        saves.push((text, tables));
    }
    Ok(saves)
}

#[cfg(test)]
mod tests;
