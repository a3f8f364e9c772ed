//! What is proposed for each network: never more trust than holds without any policy.

use std::net::IpAddr;

use super::NetworkProposal;
use crate::core::network::{Interface, InterfaceKind, NetworkClass, class_of, is_interface_name};
use crate::core::policy::Policy;
use crate::core::text::printable;

pub(super) fn propose(interfaces: &[Interface], policy: &Policy) -> Vec<NetworkProposal> {
    let is_decided = |interface: &Interface| policy.networks.interfaces.contains_key(&interface.name);
    let asked = interfaces
        .iter()
        // One whose name no rule can carry stays public.
        .filter(|one| one.kind != InterfaceKind::Loopback && is_interface_name(&one.name))
        .filter(|one| is_decided(one) || !is_bare_link(one));
    let proposal = |interface: &Interface| NetworkProposal {
        interface: interface.name.clone(),
        class: class_of(interface, policy),
        why: match is_decided(interface) {
            true => "You decided so.".to_owned(),
            false => why(interface),
        },
        is_decided: is_decided(interface),
    };
    asked.map(proposal).collect()
}

/// Whether it is a virtual link without an address: one end of a container's cable, which is a port of
/// a bridge, or a tunnel nobody has set up. Nobody is a neighbour there.
fn is_bare_link(interface: &Interface) -> bool {
    let is_link_local = |address: IpAddr| kind_of(address) == AddressKind::LinkLocal;
    let is_virtual = interface.driver.is_some();
    is_virtual
        && !matches!(interface.kind, InterfaceKind::Bridge | InterfaceKind::Wifi)
        && !interface.has_default_route
        && interface.addresses.iter().all(|net| is_link_local(net.addr()))
}

/// Why its class is proposed: one sentence.
fn why(interface: &Interface) -> String {
    if interface.proposed_class() == NetworkClass::Guests {
        return "It is a bridge of this machine's own virtual machines or containers.".to_owned();
    }
    let name = printable(&interface.name);
    let is_mobile = ["ppp", "wwan", "wwp"].iter().any(|prefix| name.starts_with(prefix));
    match interface.kind {
        InterfaceKind::Wifi => format!("Wi-Fi goes where you go: a trusted {name} trusts every café you take it to."),
        InterfaceKind::Other if is_mobile => {
            "A provider is at its other end, and nobody there is your neighbour.".to_owned()
        }
        InterfaceKind::Vpn => "Only you know who is at its other end: trusted if all of them are yours or your \
                               colleagues', public if it is a provider's."
            .to_owned(),
        InterfaceKind::Other => "Its kind is not known, and what is unknown is public.".to_owned(),
        InterfaceKind::Bridge if !interface.has_physical_port && !interface.has_default_route => {
            "Who is on this bridge is not known: guests is right if only this machine's own virtual machines or \
             containers are."
                .to_owned()
        }
        InterfaceKind::Ethernet | InterfaceKind::Bridge | InterfaceKind::Loopback => why_wired(interface),
    }
}

fn why_wired(interface: &Interface) -> String {
    let addresses = || interface.addresses.iter().map(ipnet::IpNet::addr);
    let beyond_link = || addresses().filter(|address| kind_of(*address) != AddressKind::LinkLocal);
    let is_v4_private = beyond_link().any(|address| address.is_ipv4() && kind_of(address) == AddressKind::Private);
    // Behind a router of the user's own, IPv6 addresses are the Internet's all the same.
    let telling =
        beyond_link().find(|address| kind_of(*address) == AddressKind::Global && (address.is_ipv4() || !is_v4_private));
    match (telling, beyond_link().next()) {
        (Some(address), _) => format!("Its address {address} is no private one: strangers may be its neighbours."),
        (None, None) => "It has no address now, and nobody knows what it will be plugged into.".to_owned(),
        (None, Some(_)) if interface.has_default_route => {
            "At home behind your own router trusted is fine; in a shared office, a data centre or a DMZ it stays public."
                .to_owned()
        }
        (None, Some(_)) => {
            "It leads to private addresses only: trusted is fine if every machine there is yours.".to_owned()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddressKind {
    LinkLocal,
    /// RFC 1918, or a unique local one (RFC 4193).
    Private,
    Global,
}

fn kind_of(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(address) if address.is_link_local() => AddressKind::LinkLocal,
        IpAddr::V6(address) if address.is_unicast_link_local() => AddressKind::LinkLocal,
        IpAddr::V4(address) if address.is_private() => AddressKind::Private,
        IpAddr::V6(address) if address.is_unique_local() => AddressKind::Private,
        IpAddr::V4(_) | IpAddr::V6(_) => AddressKind::Global,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, kind: InterfaceKind, addresses: &[&str]) -> Interface {
        Interface {
            index: 2,
            name: name.into(),
            kind,
            driver: None,
            addresses: addresses.iter().map(|net| net.parse().unwrap()).collect(),
            on_link: Vec::new(),
            changing: Vec::new(),
            is_up: true,
            has_default_route: true,
            has_physical_port: false,
        }
    }

    fn proposed(interface: Interface) -> NetworkProposal {
        let mut all = propose(&[interface], &Policy::default());
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn every_kind_of_network_has_its_reason() {
        use InterfaceKind::{Bridge, Ethernet, Other, Vpn, Wifi};
        for (name, kind, addresses, why) in [
            (
                "wlan0",
                Wifi,
                &["192.168.1.4/24"][..],
                "a trusted wlan0 trusts every café",
            ),
            ("ppp0", Other, &["10.0.0.2/32"], "A provider"),
            ("wwan0", Other, &[], "A provider"),
            ("ib0", Other, &[], "not known"),
            ("wg0", Vpn, &["10.9.0.1/24"], "who is at its other end"),
            (
                "eth0",
                Ethernet,
                &["192.168.1.4/24", "2001:db8::4/64"],
                "behind your own router",
            ),
            ("eth0", Ethernet, &["fd00::4/64"], "behind your own router"),
            ("eth0", Ethernet, &["203.0.113.4/24"], "203.0.113.4 is no private one"),
            ("eth0", Ethernet, &["100.64.0.4/10"], "100.64.0.4 is no private one"),
            (
                "eth0",
                Ethernet,
                &["fe80::4/64", "2001:db8::4/64"],
                "2001:db8::4 is no private one",
            ),
            ("eth0", Ethernet, &["fe80::4/64"], "no address now"),
            ("vmbr0", Bridge, &["192.168.1.4/24"], "behind your own router"),
        ] {
            let proposal = proposed(interface(name, kind, addresses));
            assert_eq!(proposal.class, NetworkClass::Public, "{name}");
            assert!(proposal.why.contains(why), "{name}: {}", proposal.why);
            assert!(!proposal.is_decided);
        }
        let inner = |name: &str, kind| Interface {
            has_default_route: false,
            ..interface(name, kind, &["10.0.3.1/24"])
        };
        assert!(
            proposed(inner("eth1", Ethernet))
                .why
                .contains("every machine there is yours")
        );
        assert!(proposed(inner("br0", Bridge)).why.contains("Who is on this bridge"));
        let docker = proposed(inner("docker0", Bridge));
        assert_eq!(docker.class, NetworkClass::Guests);
        assert!(docker.why.contains("containers"));
    }

    #[test]
    fn a_name_that_no_policy_can_hold_is_not_asked_about() {
        for name in ["eth9+", "wg-home", "a\"b;c", "!eth0"] {
            let expected = usize::from(name == "wg-home");
            let odd = interface(name, InterfaceKind::Ethernet, &["192.168.1.4/24"]);
            assert_eq!(propose(&[odd], &Policy::default()).len(), expected, "{name}");
        }
        let foreign = interface("naïve", InterfaceKind::Ethernet, &["192.168.1.4/24"]);
        assert_eq!(propose(&[foreign], &Policy::default()), []);
    }

    #[test]
    fn what_is_decided_stays_and_bare_links_are_left_out() {
        let cable = Interface {
            driver: Some("veth".into()),
            has_default_route: false,
            ..interface("veth12ab", InterfaceKind::Ethernet, &["fe80::1/64"])
        };
        let lo = interface("lo", InterfaceKind::Loopback, &["127.0.0.1/8"]);
        let wlan0 = interface("wlan0", InterfaceKind::Wifi, &[]);
        let mut policy = Policy::default();
        policy.networks.interfaces.insert("wlan0".into(), NetworkClass::Trusted);
        let all = propose(&[lo, cable.clone(), wlan0], &policy);
        let [only] = all.as_slice() else { panic!("{all:?}") };
        assert!(only.is_decided && only.class == NetworkClass::Trusted, "{only:?}");
        policy
            .networks
            .interfaces
            .insert("veth12ab".into(), NetworkClass::Public);
        assert_eq!(propose(std::slice::from_ref(&cable), &policy).len(), 1);
        // One that leads somewhere is asked about.
        let lan = interface("veth12ab", InterfaceKind::Ethernet, &["192.168.1.4/24"]);
        assert_eq!(
            propose(
                &[Interface {
                    driver: cable.driver,
                    ..lan
                }],
                &Policy::default()
            )
            .len(),
            1
        );
    }
}
