//! Random rulesets.

use std::time::Duration;

use fwtui::core::listener::Family;
use fwtui::core::policy::{Block, Decision, Entry, Policy};
use fwtui::core::ruleset::{Own, SavedFamily, Slot, compile, switch_text};
use fwtui::sys::interfaces;

use crate::case::{Case, Spot};
use crate::dice::Dice;

mod native;
mod saved;

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Iptables,
    Legacy,
    Native,
    Mixed,
}

/// Addresses of the lab, and prefixes of them.
pub const HOSTS_V4: [&str; 9] = [
    "203.0.113.1",
    "203.0.113.66",
    "198.51.100.7",
    "192.168.7.1",
    "198.18.5.5",
    "172.17.0.3",
    "172.17.0.2",
    "203.0.113.10",
    "192.168.7.10",
];
pub const HOSTS_V6: [&str; 9] = [
    "2001:db8:1::1",
    "2001:db8:1::66",
    "2001:db8:99::7",
    "fd07::1",
    "fd05::5",
    "fd17::3",
    "fd17::2",
    "2001:db8:1::10",
    "fd07::10",
];
pub const NETS_V4: [&str; 6] = [
    "203.0.113.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "172.17.0.0/16",
    "203.0.113.64/27",
    "0.0.0.0/1",
];
pub const NETS_V6: [&str; 6] = [
    "2001:db8:1::/64",
    "fd00::/8",
    "fd05::/64",
    "fd17::/64",
    "2001:db8::/32",
    "2000::/3",
];

/// A random ruleset.
pub fn case(dice: &mut Dice, kind: Kind, seed: u64) -> Case {
    let mut case = Case {
        seed,
        has_unknown: dice.once_in(8),
        ..Case::default()
    };
    settings(dice, &mut case);
    let (with_nft, with_legacy, with_native) = match kind {
        Kind::Iptables => (true, false, false),
        Kind::Legacy => (false, true, false),
        Kind::Native => (false, false, true),
        Kind::Mixed => (dice.below(3) > 0, dice.once_in(2), dice.below(3) > 0),
    };
    if (with_nft || with_legacy) && dice.once_in(3) {
        saved::ipsets(&mut case);
    }
    for family in Family::ALL {
        for (is_legacy, is_there) in [(false, with_nft), (true, with_legacy)] {
            if is_there {
                saved::tables(dice, &mut case, is_legacy, family);
            }
        }
    }
    if with_native {
        native::tables(dice, &mut case);
    }
    if kind != Kind::Legacy && dice.below(3) == 0 {
        case.own = Some(own(dice));
    }
    case
}

fn settings(dice: &mut Dice, case: &mut Case) {
    let mut set = |name: &str, value: &str| case.settings.push((name.to_owned(), value.to_owned()));
    let forwards = if dice.once_in(12) { "0" } else { "1" };
    set("ipv4/ip_forward", forwards);
    set("ipv6/conf/all/forwarding", forwards);
    set("ipv4/conf/all/rp_filter", "0");
    for interface in ["eth0", "eth1", "docker0"] {
        let reverse_path = dice.one(&["0", "0", "0", "1", "2"]);
        set(&format!("ipv4/conf/{interface}/rp_filter"), reverse_path);
        let localnet = if dice.once_in(6) { "1" } else { "0" };
        set(&format!("ipv4/conf/{interface}/route_localnet"), localnet);
    }
}

/// fwtui's own rules for some policy.
fn own(dice: &mut Dice) -> [String; 2] {
    let mut policy = Policy::default();
    for _ in 0..1 + dice.below(4) {
        let port = dice.one(&crate::compare::PORTS);
        let protocol = dice.one(&["tcp", "tcp", "udp"]);
        let address = dice.one(&["", "", "", "192.168.7.10:", "[fd07::10]:"]);
        let decision = dice.one(&[Decision::Confine, Decision::Confine, Decision::Trusted, Decision::Open]);
        let from = match decision {
            Decision::Open if dice.once_in(2) => vec![dice.one(&NETS_V4).parse().unwrap()],
            _ => Vec::new(),
        };
        let id = format!("{address}{port}/{protocol}").parse().unwrap();
        // Some say what another has said already.
        drop(policy.decide(id, Entry { decision, from }));
    }
    // Some that are over long before, and some that are not before the test is.
    for _ in 0..dice.below(3) {
        let port = dice.one(&crate::compare::PORTS);
        let protocol = dice.one(&["tcp", "tcp", "udp"]);
        let from = dice.one(&["", "", "NET4", "NET6", "NET4 NET6"]);
        let from = from
            .replace("NET4", dice.one(&NETS_V4))
            .replace("NET6", dice.one(&NETS_V6));
        let until = dice.one(&["", "until 2001-01-01", "until 2037-12-31"]);
        let from = if from.is_empty() { from } else { format!("from {from}") };
        let line = format!("{port}/{protocol} {from} {until}");
        policy.block(Block::parse_line(&line, Duration::ZERO).unwrap());
    }
    let rules = compile(&policy, &interfaces::interfaces().unwrap());
    [rules.ipv4, rules.ipv6].map(|rules| switch_text(&SavedFamily::default(), &Own::wanted(Slot::A, rules), None))
}

pub fn hosts(family: Family) -> &'static [&'static str] {
    match family {
        Family::Ipv4 => &HOSTS_V4,
        Family::Ipv6 => &HOSTS_V6,
    }
}

pub fn nets(family: Family) -> &'static [&'static str] {
    match family {
        Family::Ipv4 => &NETS_V4,
        Family::Ipv6 => &NETS_V6,
    }
}

pub const fn container(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "172.17.0.2",
        Family::Ipv6 => "fd17::2",
    }
}

/// A port rules speak of.
pub fn port(dice: &mut Dice) -> u16 {
    dice.one(&crate::compare::PORTS)
}

/// So many rules a chain has.
pub fn length(dice: &mut Dice, spot: &Spot) -> usize {
    match spot {
        // Beyond two dozen a chain is indexed.
        _ if dice.once_in(12) => 24 + dice.below(16),
        _ => dice.below(6),
    }
}
