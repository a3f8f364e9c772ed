//! The base chains of `nf_tables`, whoever made them, and its changes.
//!
//! `iptables-save` shows only what iptables could have made: a chain in a table of family `inet`
//! is not there at all, and a native rule in `ip filter` is shown wrongly. The kernel knows.

use std::io;

use rustix::io::Errno;
use rustix::net::netlink::NETFILTER;

use crate::core::text::printable;
use crate::sys::netlink::{self, Message, Netlink};

mod events;

pub use events::{Change, Changes};

/// `NFNL_SUBSYS_NFTABLES` in linux/netfilter/nfnetlink.h, in the upper half of a message's type.
const SUBSYSTEM: u16 = 10 << 8;
/// `sizeof(struct nfgenmsg)`.
const NFGENMSG: usize = 4;

// enum nf_tables_msg_types in linux/netfilter/nf_tables.h
const NEWCHAIN: u16 = SUBSYSTEM | 3;
const GETCHAIN: u16 = SUBSYSTEM | 4;

const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_POLICY: u16 = 5;
const NFTA_CHAIN_USE: u16 = 6;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_HOOK_PRIORITY: u16 = 2;

/// `NF_DROP` in linux/netfilter.h.
const NF_DROP: u32 = 0;

/// The family of a table (`NFPROTO_*` in linux/netfilter.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableFamily {
    /// IPv4 and IPv6.
    Inet,
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// ARP.
    Arp,
    /// What a bridge forwards.
    Bridge,
    /// What one device receives or sends.
    Netdev,
}

impl TableFamily {
    /// The word nft(8) uses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Arp => "arp",
            Self::Bridge => "bridge",
            Self::Netdev => "netdev",
        }
    }

    const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Inet,
            2 => Self::Ip,
            3 => Self::Arp,
            5 => Self::Netdev,
            7 => Self::Bridge,
            10 => Self::Ip6,
            _ => return None,
        })
    }

    /// The word nft(8) uses for a hook; each family counts its own.
    const fn hook(self, number: u32) -> &'static str {
        match (self, number) {
            (Self::Inet | Self::Ip | Self::Ip6 | Self::Bridge, 0) => "prerouting",
            (Self::Inet | Self::Ip | Self::Ip6 | Self::Bridge, 1) | (Self::Arp, 0) => "input",
            (Self::Inet | Self::Ip | Self::Ip6 | Self::Bridge | Self::Arp, 2) => "forward",
            (Self::Inet | Self::Ip | Self::Ip6 | Self::Bridge, 3) | (Self::Arp, 1) => "output",
            (Self::Inet | Self::Ip | Self::Ip6 | Self::Bridge, 4) => "postrouting",
            (Self::Inet, 5) | (Self::Netdev, 0) => "ingress",
            (Self::Netdev, 1) => "egress",
            (Self::Bridge, 5) => "brouting",
            _ => "unknown",
        }
    }
}

/// A chain that is hooked into the packets' path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaseChain {
    /// The family of its table.
    pub family: TableFamily,
    /// The name of its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// The hook in nft(8)'s words: `prerouting`, `input`, `forward`, `output`, `postrouting`,
    /// `ingress`, `egress`, `brouting`; `unknown` for one of tomorrow.
    pub hook: &'static str,
    /// Its priority: lower comes first.
    pub priority: i32,
    /// Whether what no rule decides is dropped.
    pub drops_by_policy: bool,
    /// `filter`, `nat` or `route`.
    pub chain_type: String,
    /// Whether it has rules.
    pub has_rules: bool,
}

/// Every base chain of this network namespace; none where the kernel has no `nf_tables`.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] without `CAP_NET_ADMIN`.
pub fn base_chains() -> io::Result<Vec<BaseChain>> {
    dump(chain)
}

/// The names of all chains, each behind its table's.
///
/// # Errors
/// Where the kernel can't be asked: without `CAP_NET_ADMIN`, for one.
pub fn chain_names() -> io::Result<Vec<(String, String)>> {
    dump(chain_name)
}

fn dump<T>(read: impl Fn(&Message<'_>) -> Option<T>) -> io::Result<Vec<T>> {
    let mut netlink = match Netlink::open(Some(NETFILTER)) {
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        netlink => netlink?,
    };
    match netlink.dump(GETCHAIN, &[0; NFGENMSG], read) {
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        chains => chains,
    }
}

fn chain_name(message: &Message<'_>) -> Option<(String, String)> {
    let (mut table, mut name) = (None, None);
    for (kind, value) in netlink::attributes_after(message.body, NFGENMSG) {
        match kind {
            NFTA_CHAIN_TABLE => table = Some(word(value)),
            NFTA_CHAIN_NAME => name = Some(word(value)),
            _ => {}
        }
    }
    Some((table?, name?)).filter(|_| message.kind == NEWCHAIN)
}

/// nfnetlink answers EINVAL to a subsystem it does not have (`nfnetlink_rcv_msg`).
fn is_absent(error: &io::Error) -> bool {
    netlink::is_unsupported(error) || error.raw_os_error() == Some(Errno::INVAL.raw_os_error())
}

/// A base chain; none for the others, which have no hook.
fn chain(message: &Message<'_>) -> Option<BaseChain> {
    let family = TableFamily::from_number(*message.body.first()?)?;
    let (mut table, mut name, mut chain_type) = (None, None, String::new());
    let (mut hook, mut policy, mut uses) = (None, None, 0);
    for (kind, value) in netlink::attributes_after(message.body, NFGENMSG) {
        match kind {
            NFTA_CHAIN_TABLE => table = Some(word(value)),
            NFTA_CHAIN_NAME => name = Some(word(value)),
            NFTA_CHAIN_HOOK => hook = place(value),
            NFTA_CHAIN_POLICY => policy = netlink::big_u32(value, 0),
            // No rule can jump to a base chain, so what uses it is its rules (nft_use_inc in
            // nf_tables_newrule).
            NFTA_CHAIN_USE => uses = netlink::big_u32(value, 0)?,
            NFTA_CHAIN_TYPE => chain_type = word(value),
            _ => {}
        }
    }
    let (number, priority) = hook?;
    Some(BaseChain {
        family,
        table: table?,
        name: name?,
        hook: family.hook(number),
        priority,
        drops_by_policy: policy == Some(NF_DROP),
        chain_type,
        has_rules: uses > 0,
    })
    .filter(|_| message.kind == NEWCHAIN)
}

fn word(value: &[u8]) -> String {
    printable(&netlink::text(value))
}

/// The hook's number and the priority in `NFTA_CHAIN_HOOK`.
fn place(value: &[u8]) -> Option<(u32, i32)> {
    let (mut hook, mut priority) = (None, None);
    for (kind, value) in netlink::attributes(value) {
        match kind {
            NFTA_HOOK_HOOKNUM => hook = netlink::big_u32(value, 0),
            NFTA_HOOK_PRIORITY => priority = netlink::big_u32(value, 0).map(u32::cast_signed),
            _ => {}
        }
    }
    hook.zip(priority)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, body: &[u8]) -> Message<'_> {
        Message {
            kind,
            flags: 0,
            sequence: 1,
            body,
        }
    }

    fn base() -> Vec<u8> {
        let mut body = vec![1, 0, 0, 0];
        netlink::push_attribute(&mut body, NFTA_CHAIN_TABLE, b"fil\x1bter\0");
        netlink::push_attribute(&mut body, NFTA_CHAIN_NAME, b"in\0");
        let mut hook = Vec::new();
        netlink::push_attribute(&mut hook, NFTA_HOOK_HOOKNUM, &1_u32.to_be_bytes());
        netlink::push_attribute(&mut hook, NFTA_HOOK_PRIORITY, &(-10_i32).to_be_bytes());
        netlink::push_attribute(&mut body, NFTA_CHAIN_HOOK | 0x8000, &hook);
        netlink::push_attribute(&mut body, NFTA_CHAIN_POLICY, &NF_DROP.to_be_bytes());
        netlink::push_attribute(&mut body, NFTA_CHAIN_TYPE, b"filter\0");
        netlink::push_attribute(&mut body, NFTA_CHAIN_USE, &2_u32.to_be_bytes());
        body
    }

    #[test]
    fn base_chains_are_read() {
        let expected = BaseChain {
            family: TableFamily::Inet,
            table: "fil?ter".into(),
            name: "in".into(),
            hook: "input",
            priority: -10,
            drops_by_policy: true,
            chain_type: "filter".into(),
            has_rules: true,
        };
        assert_eq!(chain(&message(NEWCHAIN, &base())), Some(expected));
    }

    #[test]
    fn chains_without_hook_are_passed_over() {
        let mut body = vec![1, 0, 0, 0];
        netlink::push_attribute(&mut body, NFTA_CHAIN_TABLE, b"t\0");
        netlink::push_attribute(&mut body, NFTA_CHAIN_NAME, b"c\0");
        assert_eq!(chain(&message(NEWCHAIN, &body)), None);
        assert_eq!(chain_name(&message(NEWCHAIN, &body)), Some(("t".into(), "c".into())));
    }

    #[test]
    fn truncated_chains_do_no_harm() {
        let body = base();
        for length in 0..body.len() {
            drop(chain(&message(NEWCHAIN, &body[..length])));
        }
    }

    #[test]
    fn hooks_are_counted_by_family() {
        assert_eq!(TableFamily::Arp.hook(1), "output");
        assert_eq!(TableFamily::Ip6.hook(1), "input");
        assert_eq!(TableFamily::Netdev.hook(0), "ingress");
        assert_eq!(TableFamily::Ip.hook(77), "unknown");
    }

    #[test]
    fn the_kernel_is_asked_or_says_that_it_may_not_be() {
        if let Err(error) = base_chains() {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..128)) {
            drop(chain(&message(NEWCHAIN, &body)));
        }
    }
}
