//! The sysctls that have a finding of their own.

use crate::core::checkup::{Kind, Severity};

const fn kind(id: &'static str, severity: Severity, line: &'static str) -> Kind {
    Kind { id, severity, line }
}

pub(super) const ABORT_ON_OVERFLOW: Kind = kind(
    "sysctl-abort-on-overflow",
    Severity::Risky,
    "clients are reset when a service is slow to accept",
);
pub(super) const ACCEPT_RA: Kind = kind(
    "sysctl-accept-ra",
    Severity::Info,
    "router advertisements are treated otherwise than by default",
);
pub(super) const ACCEPT_REDIRECTS: Kind = kind(
    "sysctl-accept-redirects",
    Severity::Info,
    "ICMP redirects are ignored, or obeyed where they are not by default",
);
pub(super) const ACCEPT_SOURCE_ROUTE: Kind = kind(
    "sysctl-accept-source-route",
    Severity::Risky,
    "senders may choose the way of their packets",
);
pub(super) const BINDV6ONLY: Kind = kind(
    "sysctl-bindv6only",
    Severity::Info,
    "sockets on all IPv6 addresses do not answer IPv4",
);
pub(super) const ECHO_IGNORE_ALL: Kind = kind(
    "sysctl-echo-ignore-all",
    Severity::Risky,
    "pings are not answered, the DHCP server's neither",
);
pub(super) const ECHO_IGNORE_BROADCASTS: Kind = kind(
    "sysctl-echo-ignore-broadcasts",
    Severity::Risky,
    "pings to everyone are answered",
);
pub(super) const IP_FORWARD: Kind = kind(
    "sysctl-ip-forward",
    Severity::Risky,
    "packets are forwarded, with or without rules that restrict it",
);
pub(super) const IPV6_DISABLED: Kind = kind("sysctl-ipv6-disabled", Severity::Info, "IPv6 is switched off");
pub(super) const LOG_MARTIANS: Kind = kind(
    "sysctl-log-martians",
    Severity::Info,
    "packets from impossible addresses are logged",
);
pub(super) const PMTU_DISCOVERY: Kind = kind(
    "sysctl-pmtu-discovery",
    Severity::Risky,
    "path MTU discovery is off or changed",
);
pub(super) const PROXY_ARP: Kind = kind(
    "sysctl-proxy-arp",
    Severity::Info,
    "this machine answers for addresses of others",
);
pub(super) const ROUTE_LOCALNET: Kind = kind(
    "sysctl-route-localnet",
    Severity::Risky,
    "127.0.0.1 can be reached from outside",
);
pub(super) const RP_FILTER: Kind = kind(
    "sysctl-rp-filter",
    Severity::Info,
    "the source of packets is checked against the routes",
);
pub(super) const SECURE_REDIRECTS: Kind = kind(
    "sysctl-secure-redirects",
    Severity::Info,
    "ICMP redirects to any router are obeyed",
);
pub(super) const SEND_REDIRECTS: Kind = kind("sysctl-send-redirects", Severity::Info, "no ICMP redirects are sent");
pub(super) const SYNCOOKIES: Kind = kind(
    "sysctl-syncookies",
    Severity::Risky,
    "SYN cookies are off, or always on",
);
pub(super) const TCP_SPEED: Kind = kind(
    "sysctl-tcp-speed",
    Severity::Risky,
    "a part of TCP is off without which it is slow",
);
pub(super) const TCP_TIMESTAMPS: Kind = kind("sysctl-tcp-timestamps", Severity::Info, "TCP timestamps are off");
pub(super) const TEMPORARY_ADDRESSES: Kind = kind(
    "sysctl-temporary-addresses",
    Severity::Info,
    "IPv6 addresses change with time",
);
pub(super) const TW_RECYCLE: Kind = kind(
    "sysctl-tw-recycle",
    Severity::Risky,
    "a setting that broke clients behind NAT, and is gone",
);
pub(super) const TW_REUSE: Kind = kind(
    "sysctl-tw-reuse",
    Severity::Info,
    "sockets in TIME-WAIT are reused otherwise",
);
pub(super) const UNPRIVILEGED_PORTS: Kind = kind(
    "sysctl-unprivileged-ports",
    Severity::Info,
    "every user may listen on low ports",
);
