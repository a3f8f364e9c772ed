//! What each setting costs or gains. Sources: `ip-sysctl` in the kernel's documentation, and what was
//! measured in namespaces.

use crate::core::checkup::{Evidence, Kind, Severity};
use crate::core::listener::Family;

use super::kinds::{
    ABORT_ON_OVERFLOW, ACCEPT_RA, ACCEPT_REDIRECTS, ACCEPT_SOURCE_ROUTE, BINDV6ONLY, ECHO_IGNORE_ALL,
    ECHO_IGNORE_BROADCASTS, IPV6_DISABLED, LOG_MARTIANS, PMTU_DISCOVERY, PROXY_ARP, RP_FILTER, SEND_REDIRECTS,
    SYNCOOKIES, TCP_SPEED, TCP_TIMESTAMPS, TEMPORARY_ADDRESSES, TW_RECYCLE, TW_REUSE, UNPRIVILEGED_PORTS,
};
use super::special::{forwarding, route_localnet, secure_redirects, strict_reverse_path};
use super::{DIFFERS, Deviation};

/// What to do about it.
#[derive(Debug, Clone)]
pub(super) enum Advice {
    /// Nothing.
    Leave,
    /// Back to the default.
    Reset,
    /// In words.
    Words(String),
}

/// What a deviation costs or gains.
#[derive(Debug, Clone)]
pub(super) struct Cost {
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) why: String,
    pub(super) advice: Advice,
}

pub(super) fn cost(kind: Kind, severity: Severity, why: &str, advice: Advice) -> Cost {
    Cost {
        kind,
        severity,
        why: why.to_owned(),
        advice,
    }
}

/// As bad as its kind, and better set back.
fn bad(kind: Kind, why: &str) -> Cost {
    cost(kind, kind.severity, why, Advice::Reset)
}

/// Harmless.
pub(super) fn fine(kind: Kind, why: &str) -> Cost {
    cost(kind, Severity::Info, why, Advice::Leave)
}

/// Judges deviations of one key and value.
pub(super) fn of(group: &[Deviation<'_>], evidence: &Evidence<'_>) -> Cost {
    let Some(first) = group.first() else {
        return fine(DIFFERS, "");
    };
    let key = first.key();
    let known = match key.strip_prefix("net.ipv4.") {
        Some(key) => of_ipv4(key, &first.value, group, evidence),
        None => of_ipv6(key.trim_start_matches("net.ipv6."), &first.value, evidence),
    };
    known.unwrap_or_else(|| {
        let key = key.rsplit('.').next().unwrap_or_default();
        fine(DIFFERS, words(key))
    })
}

fn of_ipv4(key: &str, value: &str, group: &[Deviation<'_>], evidence: &Evidence<'_>) -> Option<Cost> {
    Some(match (key, value) {
        ("conf.rp_filter", "1") => strict_reverse_path(evidence.world),
        ("conf.rp_filter", _) => fine(
            RP_FILTER,
            "In loose mode a packet is dropped only if no route at all leads back to its source; many distributions set \
             it, and it costs nothing.",
        ),
        ("conf.accept_redirects", _) => fine(
            ACCEPT_REDIRECTS,
            "A neighbour can no longer turn this machine's traffic to himself; on a network with several routers packets \
             take the longer way.",
        ),
        ("conf.secure_redirects", "0") => secure_redirects(evidence),
        ("conf.send_redirects", _) => fine(
            SEND_REDIRECTS,
            "It matters on a router only: hosts on its network are no longer told of a shorter way.",
        ),
        ("conf.log_martians", _) => fine(
            LOG_MARTIANS,
            "Packets from impossible addresses are dropped with or without it; each is a line in the kernel's log, which \
             any neighbour can fill.",
        ),
        ("conf.accept_source_route", "1") => bad(
            ACCEPT_SOURCE_ROUTE,
            "A sender can choose the way of his packets, and so reach what routes and filters elsewhere keep from him.",
        ),
        ("conf.accept_source_route", _) => fine(
            ACCEPT_SOURCE_ROUTE,
            "It changes nothing: an interface obeys only if conf.all does as well, and that is off by default.",
        ),
        ("conf.route_localnet", "1") => route_localnet(group),
        ("conf.forwarding" | "ip_forward", "1") => forwarding(evidence, Family::Ipv4),
        ("conf.proxy_arp", "1") => fine(
            PROXY_ARP,
            "This machine answers ARP for every address it has a route to, and takes their packets; that is meant for \
             routers and some guests only.",
        ),
        ("tcp_syncookies", "0") => bad(
            SYNCOOKIES,
            "A flood of SYNs from forged addresses fills the backlog of a service, and nobody else gets in; cookies are \
             only sent when it is full.",
        ),
        ("tcp_syncookies", _) => cost(
            SYNCOOKIES,
            Severity::Info,
            "Cookies are sent to everyone, not only when the backlog is full: that is for testing, and costs TCP options \
             where timestamps are off.",
            Advice::Reset,
        ),
        ("icmp_echo_ignore_all", "1") => bad(
            ECHO_IGNORE_ALL,
            "A DHCP server pings an address before it gives it away, and gives this machine's to another one if nobody \
             answers; a scanner finds the machine all the same.",
        ),
        ("icmp_echo_ignore_broadcasts", "0") => bad(
            ECHO_IGNORE_BROADCASTS,
            "A ping to the broadcast address with a forged source makes this machine, and all that answer, flood somebody \
             else.",
        ),
        ("tcp_timestamps", "0") => cost(
            TCP_TIMESTAMPS,
            Severity::Info,
            "It hides nothing, as the kernel gives every connection an offset of its own since Linux 4.10, and it takes \
             away the protection of fast connections against old segments.",
            Advice::Reset,
        ),
        ("tcp_sack" | "tcp_dsack" | "tcp_window_scaling" | "tcp_moderate_rcvbuf", "0") => bad(
            TCP_SPEED,
            "Connections over some distance or with some loss become slow, downloads to a fraction of the line.",
        ),
        ("tcp_tw_recycle", _) => bad(
            TW_RECYCLE,
            "Linux 4.12 has taken it out, because several clients behind one NAT could not connect; on older kernels they \
             can't.",
        ),
        ("tcp_tw_reuse", _) => fine(
            TW_REUSE,
            "It is about connections this machine makes, not those it accepts: with 1 it may have more of them to the \
             same place within a minute.",
        ),
        ("tcp_abort_on_overflow", "1") => bad(
            ABORT_ON_OVERFLOW,
            "A burst of connections gets resets, where by default the clients would try again and get in.",
        ),
        ("ip_no_pmtu_disc", _) => bad(
            PMTU_DISCOVERY,
            "Packets go out small or fragmented instead of as large as the way allows, which is slow, and fails through \
             many a NAT and tunnel.",
        ),
        ("ip_unprivileged_port_start", _) => fine(
            UNPRIVILEGED_PORTS,
            "Any user's program can take a port where clients expect a service of the system; containers have it so by \
             default.",
        ),
        _ => return None,
    })
}

fn of_ipv6(key: &str, value: &str, evidence: &Evidence<'_>) -> Option<Cost> {
    Some(match (key, value) {
        ("conf.accept_redirects", _) => fine(
            ACCEPT_REDIRECTS,
            "A neighbour can no longer turn this machine's traffic to himself; conf.all does nothing here, each interface \
             has its own.",
        ),
        ("conf.accept_source_route", _) => fine(
            ACCEPT_SOURCE_ROUTE,
            "A routing header of type 0 is refused with or without it; this is about type 2, which Mobile IPv6 uses.",
        ),
        ("conf.accept_ra", "0") => fine(
            ACCEPT_RA,
            "The kernel takes no address and no route from routers; NetworkManager and systemd-networkd set it so and do \
             it themselves, else IPv6 has no way out.",
        ),
        ("conf.accept_ra", _) => fine(
            ACCEPT_RA,
            "Router advertisements are obeyed even while this machine forwards, which a router that has its own address \
             from its provider needs.",
        ),
        ("conf.disable_ipv6", "1") => fine(
            IPV6_DISABLED,
            "Nobody comes in by IPv6, and nobody gets out by it; programs that expect ::1 may fail, and what is only \
             reached by IPv6 is not.",
        ),
        ("conf.forwarding", _) => forwarding(evidence, Family::Ipv6),
        ("conf.use_tempaddr", _) => fine(
            TEMPORARY_ADDRESSES,
            "Sites can't follow the machine by its address; rules and lists elsewhere that name its address miss the \
             temporary ones.",
        ),
        ("icmp.echo_ignore_all", "1") => cost(
            ECHO_IGNORE_ALL,
            Severity::Info,
            "Nothing in IPv6 depends on it but whoever looks for a fault, Teredo and some tests of a connection.",
            Advice::Reset,
        ),
        ("bindv6only", _) => fine(
            BINDV6ONLY,
            "A service on [::] answers IPv6 only, where it would answer IPv4 as well; some programs are then not reached \
             by IPv4.",
        ),
        _ => return None,
    })
}

/// What is known of the rest, or that nothing is.
fn words(key: &str) -> &'static str {
    match key {
        "arp_announce" | "arp_filter" | "arp_ignore" => {
            "It decides which interface answers for which address: right behind a load balancer and with two interfaces on \
             one network, else not needed."
        }
        "tcp_congestion_control"
        | "tcp_fastopen"
        | "tcp_notsent_lowat"
        | "tcp_slow_start_after_idle"
        | "tcp_ecn"
        | "tcp_mtu_probing"
        | "tcp_limit_output_bytes" => "It is about speed, not about security.",
        "tcp_fin_timeout"
        | "tcp_keepalive_time"
        | "tcp_keepalive_intvl"
        | "tcp_keepalive_probes"
        | "tcp_retries1"
        | "tcp_retries2"
        | "tcp_syn_retries"
        | "tcp_synack_retries"
        | "tcp_orphan_retries" => {
            "It is about how long TCP waits for a peer that is silent: shorter frees memory sooner, and gives up on a bad \
             line sooner."
        }
        "tcp_rfc1337" => "It closes a gap of old TCP that timestamps have closed already.",
        "ping_group_range" => "It says whose programs may ping without privileges; systemd gives it to everyone.",
        "ip_local_port_range" | "ip_local_reserved_ports" => {
            "It is about the ports of connections this machine makes: a service outside is not concerned."
        }
        "promote_secondaries" => {
            "An interface that loses its first address keeps the others; systemd sets it, and it costs nothing."
        }
        "ip_nonlocal_bind" => {
            "Programs may listen on addresses this machine does not have (yet), which clusters and load balancers need."
        }
        "icmp_ratelimit" | "icmp_ratemask" | "ratelimit" | "icmp_msgs_per_sec" | "icmp_msgs_burst" => {
            "It is how many ICMP errors are sent; without a limit a flood is answered by a flood."
        }
        "ip_default_ttl" | "hop_limit" => {
            "It is how many routers a packet may pass; under 64 far places are not reached."
        }
        "icmp_ignore_bogus_error_responses" => "Broken ICMP errors of some routers then go to the kernel's log.",
        "gc_thresh1" | "gc_thresh2" | "gc_thresh3" => {
            "It is how many neighbours the machine remembers, which matters on networks of hundreds."
        }
        _ => "Defaults have reasons, and so may this have; what it costs depends on what it was set for.",
    }
}
