//! The rules of a checkup, ready to be walked, and who may send what: prepared once for every family of
//! findings that walks packets.

use std::net::IpAddr;

use crate::core::listener::Family;
use crate::core::netfilter::{ChainType, Engine, Hook, Netfilter, Table, TableFamily, Tool, owner};
use crate::core::network::World;
use crate::core::reach::{Decider, Fate, Place as Spot, Probe, Rules, Tracking, Walk};

use super::links::{Link, links, plain_host};
use super::{Evidence, Finding, Place, Placed, families, icmp, order, outbound};

/// A port that no service has and no rule asks for.
pub(super) const NO_SERVICE: u16 = 40_007;

/// What was found of packets.
pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let Some(netfilter) = evidence.netfilter else {
        return Vec::new();
    };
    let plain;
    let world = if let Some(world) = evidence.world {
        world
    } else {
        plain = plain_host(netfilter);
        &plain
    };
    let scene = Scene::new(evidence, netfilter, world);
    let mut findings = icmp::of(&scene);
    findings.extend(families::of(&scene));
    findings.extend(outbound::of(&scene));
    findings.extend(order::of(&scene));
    findings
}

/// Everything that is needed to walk packets and to say what became of them.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) netfilter: &'a Netfilter,
    pub(super) world: &'a World,
    pub(super) rules: Rules<'a>,
    /// The interfaces to other machines.
    pub(super) links: Vec<Link<'a>>,
}

/// A rule or policy that refuses, and at which hook.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal<'a> {
    pub(super) spot: Spot<'a>,
    pub(super) hook: Hook,
    pub(super) tracking: Tracking,
}

/// What is to be accepted, in the words of iptables and of nft.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) saved: &'static str,
    pub(super) native: &'static str,
}

impl<'a> Scene<'a> {
    fn new(evidence: &'a Evidence<'a>, netfilter: &'a Netfilter, world: &'a World) -> Self {
        Self {
            evidence,
            netfilter,
            world,
            rules: Rules::new(netfilter, world),
            links: links(world, netfilter, evidence.families, evidence.world.is_some()),
        }
    }

    /// Whether this is the machine itself, not a file from somewhere.
    pub(super) const fn is_live(&self) -> bool {
        self.evidence.world.is_some()
    }

    pub(super) fn walk(&self, packet: &Probe<'a>) -> Walk<'a> {
        self.rules.walk(packet, false)
    }

    /// The first refusal, where rules refuse every one of these packets for certain. What the kernel
    /// itself refuses does not count, on either side.
    pub(super) fn refusal(&self, packets: impl IntoIterator<Item = Probe<'a>>) -> Option<Refusal<'a>> {
        let mut first = None;
        for packet in packets {
            let walk = self.walk(&packet);
            match (walk.fate, walk.decided_by) {
                (Fate::Refused | Fate::Dropped, Decider::Rule(spot)) => {
                    first = first.or(Some(Refusal {
                        spot,
                        hook: walk.hook,
                        tracking: walk.tracking,
                    }));
                }
                (Fate::Refused | Fate::Dropped, Decider::Kernel(_)) => {}
                _ => return None,
            }
        }
        first
    }

    /// Whether one of these packets gets through for certain.
    pub(super) fn is_accepted(&self, packets: impl IntoIterator<Item = Probe<'a>>) -> bool {
        packets
            .into_iter()
            .any(|packet| self.walk(&packet).fate == Fate::Accepted)
    }

    /// The first refusal, and the links on which there is one.
    pub(super) fn refused_on<P: IntoIterator<Item = Probe<'a>>>(
        &self,
        packets: impl Fn(&Link<'a>) -> P,
    ) -> Option<(Refusal<'a>, Vec<&Link<'a>>)> {
        let refused = self
            .links
            .iter()
            .filter_map(|link| Some((self.refusal(packets(link))?, link)));
        let (refusals, links): (Vec<Refusal<'a>>, Vec<&Link<'a>>) = refused.unzip();
        Some((*refusals.first()?, links))
    }

    /// Where it is.
    pub(super) fn place(&self, spot: &Spot<'a>) -> Place {
        let tables = &self.netfilter.tables;
        let Some(t) = tables.iter().position(|table| std::ptr::eq(table, spot.table)) else {
            return Place::default();
        };
        let chains = &spot.table.chains;
        let Some(c) = chains.iter().position(|chain| std::ptr::eq(chain, spot.chain)) else {
            return Place::default();
        };
        let Some(rule) = spot.rule else {
            return self.evidence.place_of_policy(t, c);
        };
        let r = number_of(spot).unwrap_or(0);
        self.evidence.place(&Placed {
            table: spot.table,
            chain: spot.chain,
            rule,
            at: (t, c, r),
        })
    }

    /// The commands that accept something in front of a refusal, and of whom they are asked.
    pub(super) fn accepting(refusal: &Refusal<'a>, family: Family, wanted: &[Wanted]) -> String {
        let table = refusal.spot.table;
        let base = base_of(refusal);
        let is_saved = is_saved(table) && base == refusal.hook.word().to_ascii_uppercase();
        let program = of_table(table, family);
        let commands = wanted.iter().map(|one| {
            if is_saved {
                format!("{program} -I {base} {} -j ACCEPT", one.saved)
            } else {
                let of = table.family.word();
                format!("nft insert rule {of} {} {base} {} accept", table.name, one.native)
            }
        });
        let commands = commands.collect::<Vec<_>>().join("; ");
        let tool = owner(table, refusal.spot.chain, refusal.spot.rule);
        if matches!(tool, Tool::Admin | Tool::Unknown | Tool::Kernel) {
            commands
        } else {
            format!("{commands} (and the same in the settings of {tool}, which loads its own rules again)")
        }
    }
}

/// The command for a table: that of iptables-legacy for what only it shows and changes.
pub(super) const fn program(table: &Table, family: Family) -> &'static str {
    match (family, table.engine) {
        (Family::Ipv4, Engine::Nft) => "iptables",
        (Family::Ipv6, Engine::Nft) => "ip6tables",
        (Family::Ipv4, Engine::Legacy) => "iptables-legacy",
        (Family::Ipv6, Engine::Legacy) => "ip6tables-legacy",
    }
}

/// The command with the table's name, where it needs one.
fn of_table(table: &Table, family: Family) -> String {
    match table.name.as_str() {
        "filter" => program(table, family).to_owned(),
        name => format!("{} -t {name}", program(table, family)),
    }
}

/// Whether a table is one of those that iptables knows.
fn is_saved(table: &Table) -> bool {
    matches!(table.family, TableFamily::Ip | TableFamily::Ip6)
        && ["raw", "mangle", "nat", "filter", "security"].contains(&table.name.as_str())
}

/// The command that takes a refusal away; none where there is no plain one.
pub(super) fn removing(refusal: &Refusal<'_>, family: Family) -> Option<String> {
    let Spot { table, chain, rule } = refusal.spot;
    if !is_saved(table) {
        return None;
    }
    let program = of_table(table, family);
    match rule {
        Some(rule) => {
            let rest = rule.text.strip_prefix("-A ")?;
            // It is meant to be typed, and a shell would run what a comment may hold.
            if rest.contains(['$', '`', '\\', ';', '&', '|', '<', '>']) {
                return None;
            }
            Some(format!("{program} -D {rest}"))
        }
        None => Some(format!("{program} -P {} ACCEPT", chain.name)),
    }
}

/// The base chain by which a packet came to where it is refused.
fn base_of<'a>(refusal: &Refusal<'a>) -> &'a str {
    let own = refusal.spot.chain;
    if own.base.is_some() {
        return &own.name;
    }
    let is_here = |kind: ChainType, hook| kind != ChainType::Nat && hook == refusal.hook;
    let mut chains = refusal.spot.table.chains.iter();
    let base = chains.find(|chain| chain.base.as_ref().is_some_and(|base| is_here(base.kind, base.hook)));
    base.map_or(&own.name, |base| &base.name)
}

/// A rule's place in its chain, from 0.
pub(super) fn number_of(spot: &Spot<'_>) -> Option<usize> {
    let rule = spot.rule?;
    spot.chain.rules.iter().position(|other| std::ptr::eq(other, rule))
}

/// ` on eth0`, where there are others on which it is not so; nothing where it is so everywhere.
pub(super) fn on(refused: &[&Link<'_>], all: &[Link<'_>]) -> String {
    let names: Vec<&str> = refused.iter().map(|link| link.name).collect();
    match refused.len() == all.len() {
        true => String::new(),
        false => format!(" on {}", names.join(" and ")),
    }
}

/// The group that those ask who want to know an address's link address (RFC 4291, 2.7.1).
pub(super) fn solicited_node(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [.., high, low] = address.segments();
            let group = [0xff02, 0, 0, 0, 0, 1, 0xff00 | high & 0xff, low];
            IpAddr::from(group)
        }
    }
}

#[cfg(test)]
mod tests;
