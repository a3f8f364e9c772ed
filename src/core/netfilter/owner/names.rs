//! The names tools give.

use super::{PREFIX, Tool};
use crate::core::netfilter::Table;

/// The tables that iptables and ebtables write.
pub(super) const BUILT_IN_TABLES: [&str; 6] = ["filter", "nat", "mangle", "raw", "security", "broute"];
/// The chains those have from the start.
pub(super) const BUILT_IN_CHAINS: [&str; 6] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING", "BROUTING"];

/// Tables of nft by whole name.
const TABLES: [(&str, Tool); 10] = [
    ("docker-bridges", Tool::Docker),
    ("netavark", Tool::Podman),
    ("firewalld", Tool::Firewalld),
    ("f2b-table", Tool::Fail2ban),
    ("libvirt_network", Tool::Libvirt),
    ("lxd", Tool::Lxd),
    ("incus", Tool::Lxd),
    ("kube-proxy", Tool::Kubernetes),
    ("mullvad", Tool::Unknown),
    ("sshguard", Tool::Unknown),
];

/// Tables of nft by how their names begin.
const TABLE_STEMS: [(&str, Tool); 2] = [("wg-quick-", Tool::Unknown), ("crowdsec", Tool::Unknown)];

/// Chains by how their names begin.
const STEMS: [(&str, Tool); 23] = [
    (PREFIX, Tool::Fwtui),
    ("DOCKER-", Tool::Docker),
    ("NETAVARK-", Tool::Podman),
    ("NETAVARK_", Tool::Podman),
    ("CNI-", Tool::Podman),
    ("ufw-", Tool::Ufw),
    ("ufw6-", Tool::Ufw),
    ("f2b-", Tool::Fail2ban),
    ("fail2ban-", Tool::Fail2ban),
    ("LIBVIRT_", Tool::Libvirt),
    ("ts-", Tool::Tailscale),
    ("KUBE-", Tool::Kubernetes),
    ("cali-", Tool::Kubernetes),
    ("cali:", Tool::Kubernetes),
    ("CILIUM_", Tool::Kubernetes),
    ("OLD_CILIUM_", Tool::Kubernetes),
    ("FLANNEL-", Tool::Kubernetes),
    ("WEAVE-", Tool::Kubernetes),
    ("KUBE_", Tool::Kubernetes),
    ("MINIUPNPD", Tool::Unknown),
    ("CROWDSEC_", Tool::Unknown),
    ("sshguard", Tool::Unknown),
    ("RFC3964_IPv4", Tool::Firewalld),
];

/// How the names of firewalld's chains end that are the same on every machine.
const FIREWALLD_ENDS: [&str; 5] = ["_ZONES", "_ZONES_SOURCE", "_direct", "_POLICIES_pre", "_POLICIES_post"];
/// How those begin that are named after a zone or a policy, too common to be told without the others.
const ZONE_STEMS: [&str; 7] = ["IN_", "FWD_", "FWDI_", "FWDO_", "PRE_", "POST_", "OUT_"];

/// How comments begin.
const COMMENTS: [(&str, Tool); 10] = [
    ("generated for LXD network", Tool::Lxd),
    ("generated for Incus network", Tool::Lxd),
    ("managed by lxd-", Tool::Lxd),
    ("managed by incus-", Tool::Lxd),
    ("netavark ", Tool::Podman),
    ("CNI firewall plugin", Tool::Podman),
    ("CNI portfwd", Tool::Podman),
    ("cali:", Tool::Kubernetes),
    ("kubernetes ", Tool::Kubernetes),
    ("cilium", Tool::Kubernetes),
];

/// Sets by how their names begin.
const SETS: [(&str, Tool); 6] = [
    ("f2b-", Tool::Fail2ban),
    ("fail2ban-", Tool::Fail2ban),
    ("docker-ext-bridges", Tool::Docker),
    ("KUBE-", Tool::Kubernetes),
    ("cali", Tool::Kubernetes),
    ("crowdsec-", Tool::Unknown),
];

/// Whose a chain is by its name and its table's; none where these tell nothing.
pub fn by_names(table: &str, chain: &str) -> Option<Tool> {
    let whole = TABLES.iter().find(|(name, _)| *name == table);
    if let Some((_, tool)) = whole.or_else(|| TABLE_STEMS.iter().find(|(stem, _)| table.starts_with(stem))) {
        return Some(*tool);
    }
    if chain == "DOCKER" {
        return Some(Tool::Docker);
    }
    if FIREWALLD_ENDS.iter().any(|end| chain.ends_with(end)) {
        return Some(Tool::Firewalld);
    }
    beginning(&STEMS, chain)
}

/// Whether a chain may be one of firewalld's zones, if firewalld is there.
pub(super) fn is_of_zone(chain: &str) -> bool {
    ZONE_STEMS.iter().any(|stem| chain.starts_with(stem))
}

/// The chains that tools make for the administrator, and leave alone.
pub(super) fn is_for_admin(chain: &str) -> bool {
    matches!(chain, "DOCKER-USER" | "CNI-ADMIN")
}

/// Whose a rule is by its comment.
pub(super) fn by_comment(comment: &str) -> Option<Tool> {
    let known = COMMENTS.iter().find(|(words, _)| comment.starts_with(words));
    known.map(|(_, tool)| *tool)
}

/// Whose a rule is by a set it asks.
pub(super) fn by_set(set: &str) -> Option<Tool> {
    beginning(&SETS, set)
}

/// The plugins of CNI work for several; nerdctl's ids begin with containerd's namespace.
pub(super) fn of_cni(table: &Table) -> Tool {
    let mut comments = table
        .chains
        .iter()
        .flat_map(|chain| &chain.rules)
        .filter_map(|rule| rule.comment.as_deref());
    let is_nerdctls = |comment: &str| comment.contains("id: \"default-") || comment.contains("nerdctl");
    match comments.any(is_nerdctls) {
        true => Tool::Nerdctl,
        false => Tool::Podman,
    }
}

/// Whether a rule of a built-in chain is of those that firewalld's iptables backend puts around its
/// own chains: they carry no name of its.
pub(super) fn is_frame_of_firewalld(text: &str) -> bool {
    const FRAME: [&str; 9] = [
        "-m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT",
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-m conntrack --ctstate INVALID -j DROP",
        "-i lo -j ACCEPT",
        "-o lo -j ACCEPT",
        "-j REJECT --reject-with icmp-host-prohibited",
        "-j REJECT --reject-with icmp6-adm-prohibited",
        "-m rpfilter --validmark --invert -j DROP",
        "-m rpfilter --loose --validmark --invert -j DROP",
    ];
    let rest = text.strip_prefix("-A ").and_then(|rest| rest.split_once(' '));
    let is_neighbour_discovery =
        |rest: &str| rest.starts_with("-p ipv6-icmp -m icmp6 --icmpv6-type 13") && rest.ends_with(" -j ACCEPT");
    rest.is_some_and(|(chain, rest)| FRAME.contains(&rest) || (chain == "PREROUTING" && is_neighbour_discovery(rest)))
}

fn beginning(known: &[(&str, Tool)], name: &str) -> Option<Tool> {
    known
        .iter()
        .find(|(stem, _)| name.starts_with(stem))
        .map(|(_, tool)| *tool)
}
