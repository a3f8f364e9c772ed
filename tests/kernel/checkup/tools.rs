//! What other tools load by default harms nobody, and nothing harmful is found in it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};

use super::{OPEN, harmful, knock_out, listen_at};
use crate::checks;
use crate::harness::{Lab, in_sandbox};
use crate::reach::settle_in_with;

/// A port of this machine that no tool was told of.
const OWN: u16 = 5433;

/// Loads a tool's rules; then everything that a harmful finding would say is broken works.
fn does_no_harm(lab: &Lab, tool: &str) {
    // Firewalld's trusts eth1: here it is of no zone, which makes it public.
    settle_in_with(lab, tool, |text| text.replace("eth1", "eth9"));
    for family in Family::ALL {
        let resolver = SocketAddr::new(Neighbour::Public.addresses().of(family), 53);
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            assert_eq!(
                knock_out(resolver, protocol),
                Knock::Answered,
                "{tool}: {resolver} {protocol}"
            );
        }
    }
    for own in [
        (Ipv4Addr::LOCALHOST, OWN).into(),
        SocketAddr::from((Ipv6Addr::LOCALHOST, OWN)),
    ] {
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            assert_eq!(knock_out(own, protocol), Knock::Answered, "{tool}: {own} {protocol}");
        }
    }
    let done = checks::neighbour_discovery(lab)
        .and_then(|()| checks::router_advertisement(lab))
        .and_then(|()| checks::path_mtu(lab, Family::Ipv4, OPEN))
        .and_then(|()| checks::path_mtu(lab, Family::Ipv6, OPEN));
    done.unwrap_or_else(|error| panic!("{tool}: {error}"));
    harmful(lab, &[]);
}

/// One after the other, each from nothing.
fn do_no_harm(lab: &Lab, tools: &[&str]) {
    lab.listen_everywhere(OWN);
    listen_at(lab, Neighbour::Public, 53);
    for tool in tools {
        lab.line("nft flush ruleset");
        does_no_harm(lab, tool);
    }
}

#[test]
fn ufw_does_no_harm() {
    in_sandbox(|lab| do_no_harm(lab, &["ufw", "ufw-open", "ufw-off"]));
}

#[test]
fn ufw_by_iptables_legacy_does_no_harm() {
    in_sandbox(|lab| do_no_harm(lab, &["ufw-legacy"]));
}

#[test]
fn firewalld_does_no_harm() {
    in_sandbox(|lab| do_no_harm(lab, &["firewalld", "firewalld-iptables"]));
}

#[test]
fn docker_does_no_harm() {
    in_sandbox(|lab| {
        let tools = ["docker", "docker-28", "docker-29-nft", "docker-ipv6", "docker-no-proxy"];
        do_no_harm(lab, &tools);
    });
}

#[test]
fn docker_by_iptables_legacy_does_no_harm() {
    in_sandbox(|lab| do_no_harm(lab, &["docker-legacy"]));
}

#[test]
fn libvirt_does_no_harm() {
    in_sandbox(|lab| do_no_harm(lab, &["libvirt", "libvirt-nft"]));
}

#[test]
fn podman_does_no_harm() {
    in_sandbox(|lab| do_no_harm(lab, &["podman", "podman-cni", "podman-nft"]));
}

#[test]
fn the_others_do_no_harm() {
    in_sandbox(|lab| do_no_harm(lab, &["fail2ban", "lxd", "tailscale"]));
}
