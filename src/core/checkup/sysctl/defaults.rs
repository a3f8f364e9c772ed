//! Values of `net.ipv4` and `net.ipv6` as the kernel is compiled with them, for where a running kernel
//! can't be asked: in a file from somewhere, without root, and for what a new network namespace
//! inherits instead of resetting.

/// The `conf` of `all` and of `default` (`ipv4_devconf` and `ipv4_devconf_dflt` in
/// `net/ipv4/devinet.c`). Where the two differ, the second is that of `default`.
const CONF_IPV4: [(&str, &str, &str); 31] = [
    ("accept_local", "0", "0"),
    ("accept_redirects", "1", "1"),
    ("accept_source_route", "0", "1"),
    ("arp_accept", "0", "0"),
    ("arp_announce", "0", "0"),
    ("arp_evict_nocarrier", "1", "1"),
    ("arp_filter", "0", "0"),
    ("arp_ignore", "0", "0"),
    ("arp_notify", "0", "0"),
    ("bc_forwarding", "0", "0"),
    ("bootp_relay", "0", "0"),
    ("disable_policy", "0", "0"),
    ("disable_xfrm", "0", "0"),
    ("drop_gratuitous_arp", "0", "0"),
    ("drop_unicast_in_l2_multicast", "0", "0"),
    ("force_igmp_version", "0", "0"),
    ("forwarding", "0", "0"),
    ("igmpv2_unsolicited_report_interval", "10000", "10000"),
    ("igmpv3_unsolicited_report_interval", "1000", "1000"),
    ("ignore_routes_with_linkdown", "0", "0"),
    ("log_martians", "0", "0"),
    ("medium_id", "0", "0"),
    ("promote_secondaries", "0", "0"),
    ("proxy_arp", "0", "0"),
    ("proxy_arp_pvlan", "0", "0"),
    ("route_localnet", "0", "0"),
    ("rp_filter", "0", "0"),
    ("secure_redirects", "1", "1"),
    ("send_redirects", "1", "1"),
    ("shared_media", "1", "1"),
    ("src_valid_mark", "0", "0"),
];

/// The same of IPv6 (`ipv6_devconf` and `ipv6_devconf_dflt` in `net/ipv6/addrconf.c`).
const CONF_IPV6: [(&str, &str, &str); 20] = [
    ("accept_dad", "0", "1"),
    ("accept_ra", "1", "1"),
    ("accept_ra_defrtr", "1", "1"),
    ("accept_ra_pinfo", "1", "1"),
    ("accept_ra_rtr_pref", "1", "1"),
    ("accept_redirects", "1", "1"),
    ("accept_source_route", "0", "0"),
    ("addr_gen_mode", "0", "0"),
    ("autoconf", "1", "1"),
    ("dad_transmits", "1", "1"),
    ("disable_ipv6", "0", "0"),
    ("forwarding", "0", "0"),
    ("hop_limit", "64", "64"),
    ("keep_addr_on_down", "0", "0"),
    ("max_addresses", "16", "16"),
    ("proxy_ndp", "0", "0"),
    ("router_solicitations", "-1", "-1"),
    ("temp_prefered_lft", "86400", "86400"),
    ("temp_valid_lft", "604800", "604800"),
    ("use_tempaddr", "0", "0"),
];

/// The rest: `ip-sysctl` in the kernel's documentation, and `net/ipv4/tcp_ipv4.c`.
const PLAIN: [(&str, &str); 51] = [
    ("net.ipv4.icmp_echo_enable_probe", "0"),
    ("net.ipv4.icmp_echo_ignore_all", "0"),
    ("net.ipv4.icmp_echo_ignore_broadcasts", "1"),
    ("net.ipv4.icmp_errors_use_inbound_ifaddr", "0"),
    ("net.ipv4.icmp_ignore_bogus_error_responses", "1"),
    ("net.ipv4.icmp_ratelimit", "1000"),
    ("net.ipv4.icmp_ratemask", "6168"),
    ("net.ipv4.inet_peer_maxttl", "600"),
    ("net.ipv4.inet_peer_minttl", "120"),
    ("net.ipv4.ip_default_ttl", "64"),
    ("net.ipv4.ip_dynaddr", "0"),
    ("net.ipv4.ip_early_demux", "1"),
    ("net.ipv4.ip_forward", "0"),
    ("net.ipv4.ip_local_port_range", "32768 60999"),
    ("net.ipv4.ip_local_reserved_ports", ""),
    ("net.ipv4.ip_no_pmtu_disc", "0"),
    ("net.ipv4.ip_nonlocal_bind", "0"),
    ("net.ipv4.ip_unprivileged_port_start", "1024"),
    ("net.ipv4.ipfrag_max_dist", "64"),
    ("net.ipv4.ipfrag_time", "30"),
    ("net.ipv4.ping_group_range", "1 0"),
    ("net.ipv4.tcp_abort_on_overflow", "0"),
    ("net.ipv4.tcp_dsack", "1"),
    ("net.ipv4.tcp_early_retrans", "3"),
    ("net.ipv4.tcp_ecn", "2"),
    ("net.ipv4.tcp_ecn_fallback", "1"),
    ("net.ipv4.tcp_fastopen", "1"),
    ("net.ipv4.tcp_fin_timeout", "60"),
    ("net.ipv4.tcp_frto", "2"),
    ("net.ipv4.tcp_keepalive_intvl", "75"),
    ("net.ipv4.tcp_keepalive_probes", "9"),
    ("net.ipv4.tcp_keepalive_time", "7200"),
    ("net.ipv4.tcp_moderate_rcvbuf", "1"),
    ("net.ipv4.tcp_mtu_probing", "0"),
    ("net.ipv4.tcp_no_metrics_save", "0"),
    ("net.ipv4.tcp_orphan_retries", "0"),
    ("net.ipv4.tcp_reordering", "3"),
    ("net.ipv4.tcp_retries1", "3"),
    ("net.ipv4.tcp_retries2", "15"),
    ("net.ipv4.tcp_rfc1337", "0"),
    ("net.ipv4.tcp_sack", "1"),
    ("net.ipv4.tcp_slow_start_after_idle", "1"),
    ("net.ipv4.tcp_syn_retries", "6"),
    ("net.ipv4.tcp_synack_retries", "5"),
    ("net.ipv4.tcp_syncookies", "1"),
    ("net.ipv4.tcp_timestamps", "1"),
    ("net.ipv4.tcp_tw_reuse", "2"),
    ("net.ipv4.tcp_window_scaling", "1"),
    ("net.ipv6.bindv6only", "0"),
    ("net.ipv6.icmp.echo_ignore_all", "0"),
    ("net.ipv6.ip_nonlocal_bind", "0"),
];

/// What the kernel is compiled with; none for what is not in the table, and for what follows from
/// the machine's memory.
pub fn compiled_default(name: &str) -> Option<&'static str> {
    for (prefix, table) in [
        ("net.ipv4.conf.", CONF_IPV4.as_slice()),
        ("net.ipv6.conf.", CONF_IPV6.as_slice()),
    ] {
        if let Some((scope, key)) = name.strip_prefix(prefix).and_then(|rest| rest.rsplit_once('.')) {
            let (_, of_all, of_default) = table.iter().find(|(known, _, _)| *known == key)?;
            // A new interface gets what is in 'default'.
            return Some(if scope == "all" { of_all } else { of_default });
        }
    }
    PLAIN.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
