use std::fs;
use std::path::Path;

use super::*;
use crate::core::listener::Family;
use crate::core::netfilter::{Engine, Netfilter, save};
use crate::core::network::{Interface, InterfaceKind, World};
use crate::core::ruleset::SavedTables;

fn sysctl(name: &str, value: &str) -> Sysctl {
    Sysctl {
        name: name.into(),
        value: value.into(),
        default: None,
        source: None,
    }
}

fn interface(name: &str, kind: InterfaceKind, address: &str) -> Interface {
    Interface {
        index: 2,
        name: name.into(),
        kind,
        driver: None,
        addresses: vec![address.parse().unwrap()],
        on_link: Vec::new(),
        changing: Vec::new(),
        is_up: true,
        has_default_route: false,
        has_physical_port: false,
    }
}

/// A machine with these interfaces, its own bridge for containers and lo.
fn world(names: &[&str]) -> World {
    let mut interfaces: Vec<Interface> = names
        .iter()
        .map(|name| interface(name, InterfaceKind::Ethernet, "192.0.2.7/24"))
        .collect();
    interfaces.push(interface("docker0", InterfaceKind::Bridge, "172.17.0.1/16"));
    interfaces.push(interface("lo", InterfaceKind::Loopback, "127.0.0.1/8"));
    World {
        interfaces,
        ..World::default()
    }
}

fn netfilter(text: &str) -> Netfilter {
    Netfilter {
        tables: save::tables(&SavedTables::parse(text).unwrap(), Engine::Nft, Family::Ipv4, &[]),
    }
}

fn live(sysctls: &[Sysctl], world: &World, netfilter: Option<&Netfilter>) -> Vec<Finding> {
    findings(&Evidence {
        sysctls,
        world: Some(world),
        netfilter,
        families: &Family::ALL,
        ..Evidence::default()
    })
}

fn told(found: &[Finding]) -> Vec<(&str, Severity)> {
    found.iter().map(|finding| (finding.id, finding.severity)).collect()
}

/// What a value of one sysctl gives on a machine with one way out.
fn one(name: &str, value: &str) -> Vec<(&'static str, Severity)> {
    let found = live(&[sysctl(name, value)], &world(&["eth0"]), None);
    found.iter().map(|finding| (finding.id, finding.severity)).collect()
}

#[test]
fn every_default_is_silent() {
    let names = [
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ip_forward",
        "net.ipv4.conf.all.rp_filter",
        "net.ipv4.conf.all.accept_source_route",
        "net.ipv4.conf.default.accept_source_route",
        "net.ipv4.conf.all.accept_redirects",
        "net.ipv6.conf.all.disable_ipv6",
    ];
    for name in names {
        assert_eq!(one(name, compiled_default(name).unwrap()), [], "{name}");
    }
    // Nothing is known to compare with.
    assert_eq!(one("net.ipv4.tcp_new_thing", "7"), []);
    // Not of this family.
    assert_eq!(one("net.core.somaxconn", "7"), []);
    assert_eq!(one("kernel.sysrq", "7"), []);
}

#[test]
fn each_has_its_own_finding() {
    use Severity::{Info, Risky};
    for (name, value, id, severity) in [
        ("net.ipv4.tcp_abort_on_overflow", "1", "sysctl-abort-on-overflow", Risky),
        ("net.ipv6.conf.all.accept_ra", "0", "sysctl-accept-ra", Info),
        ("net.ipv6.conf.all.accept_ra", "2", "sysctl-accept-ra", Info),
        (
            "net.ipv4.conf.all.accept_redirects",
            "0",
            "sysctl-accept-redirects",
            Info,
        ),
        (
            "net.ipv6.conf.all.accept_redirects",
            "0",
            "sysctl-accept-redirects",
            Info,
        ),
        (
            "net.ipv4.conf.all.accept_source_route",
            "1",
            "sysctl-accept-source-route",
            Risky,
        ),
        (
            "net.ipv4.conf.default.accept_source_route",
            "0",
            "sysctl-accept-source-route",
            Info,
        ),
        ("net.ipv6.bindv6only", "1", "sysctl-bindv6only", Info),
        ("net.ipv4.icmp_echo_ignore_all", "1", "sysctl-echo-ignore-all", Risky),
        ("net.ipv6.icmp.echo_ignore_all", "1", "sysctl-echo-ignore-all", Info),
        (
            "net.ipv4.icmp_echo_ignore_broadcasts",
            "0",
            "sysctl-echo-ignore-broadcasts",
            Risky,
        ),
        ("net.ipv4.ip_forward", "1", "sysctl-ip-forward", Info),
        ("net.ipv6.conf.all.forwarding", "1", "sysctl-ip-forward", Info),
        ("net.ipv6.conf.all.disable_ipv6", "1", "sysctl-ipv6-disabled", Info),
        ("net.ipv4.conf.all.log_martians", "1", "sysctl-log-martians", Info),
        ("net.ipv4.ip_no_pmtu_disc", "1", "sysctl-pmtu-discovery", Risky),
        ("net.ipv4.conf.all.proxy_arp", "1", "sysctl-proxy-arp", Info),
        ("net.ipv4.conf.all.route_localnet", "1", "sysctl-route-localnet", Risky),
        ("net.ipv4.conf.all.rp_filter", "1", "sysctl-rp-filter", Info),
        ("net.ipv4.conf.all.rp_filter", "2", "sysctl-rp-filter", Info),
        (
            "net.ipv4.conf.all.secure_redirects",
            "0",
            "sysctl-secure-redirects",
            Risky,
        ),
        ("net.ipv4.conf.all.send_redirects", "0", "sysctl-send-redirects", Info),
        ("net.ipv4.tcp_syncookies", "0", "sysctl-syncookies", Risky),
        ("net.ipv4.tcp_syncookies", "2", "sysctl-syncookies", Info),
        ("net.ipv4.tcp_sack", "0", "sysctl-tcp-speed", Risky),
        ("net.ipv4.tcp_timestamps", "0", "sysctl-tcp-timestamps", Info),
        (
            "net.ipv6.conf.default.use_tempaddr",
            "2",
            "sysctl-temporary-addresses",
            Info,
        ),
        ("net.ipv4.tcp_tw_reuse", "1", "sysctl-tw-reuse", Info),
        (
            "net.ipv4.ip_unprivileged_port_start",
            "0",
            "sysctl-unprivileged-ports",
            Info,
        ),
        ("net.ipv4.tcp_keepalive_time", "600", "sysctl-differs", Info),
        ("net.ipv4.tcp_frto", "0", "sysctl-differs", Info),
    ] {
        assert_eq!(one(name, value), [(id, severity)], "{name}={value}");
        assert!(KINDS.iter().any(|kind| kind.id == id));
    }
}

#[test]
fn strict_reverse_path_is_risky_with_several_ways_out_only() {
    let strict = [sysctl("net.ipv4.conf.all.rp_filter", "1")];
    let severity = |names: &[&str]| live(&strict, &world(names), None).first().unwrap().severity;
    assert_eq!(severity(&["eth0"]), Severity::Info);
    assert_eq!(severity(&["eth0", "wlan0"]), Severity::Risky);
    let found = live(&strict, &world(&["eth0", "wlan0"]), None);
    assert!(found.first().unwrap().why.contains("eth0, wlan0"), "{found:?}");
}

#[test]
fn forwarding_is_judged_by_what_restricts_it() {
    let forward = [
        sysctl("net.ipv4.ip_forward", "1"),
        sysctl("net.ipv4.conf.all.forwarding", "1"),
        sysctl("net.ipv4.conf.default.forwarding", "1"),
    ];
    let judged = |rules: &str, names: &[&str]| {
        let found = live(&forward, &world(names), Some(&netfilter(rules)));
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].severity, found[0].why.contains("rules restrict"))
    };
    let two = ["eth0", "wg0"];
    assert_eq!(
        judged("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", &two),
        (Severity::Info, true)
    );
    assert_eq!(
        judged("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", &two),
        (Severity::Risky, false)
    );
    assert_eq!(
        judged("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", &["eth0"]),
        (Severity::Info, false)
    );
    // A refusal one chain further, and one that nothing leads to.
    let by_chain =
        "*filter\n:FORWARD ACCEPT [0:0]\n:mine - [0:0]\n-A FORWARD -j mine\n-A mine -i eth0 -j REJECT\nCOMMIT\n";
    assert_eq!(judged(by_chain, &two), (Severity::Info, true));
    let unused = "*filter\n:FORWARD ACCEPT [0:0]\n:mine - [0:0]\n-A mine -i eth0 -j REJECT\nCOMMIT\n";
    assert_eq!(judged(unused, &two), (Severity::Risky, false));
    // Docker's own isolation of its networks restricts nobody else; the user's chain there does.
    for (chain, expected) in [
        ("DOCKER-ISOLATION-STAGE-2", (Severity::Risky, false)),
        ("DOCKER-USER", (Severity::Info, true)),
    ] {
        let rules = format!(
            "*filter\n:FORWARD ACCEPT [0:0]\n:{chain} - [0:0]\n-A FORWARD -j {chain}\n-A {chain} -i eth0 -j DROP\nCOMMIT\n"
        );
        assert_eq!(judged(&rules, &two), expected, "{chain}");
    }
}

#[test]
fn what_sounds_like_less_and_is_more_is_told() {
    let secure = sysctl("net.ipv4.conf.all.secure_redirects", "0");
    let off = sysctl("net.ipv4.conf.all.accept_redirects", "0");
    let found = live(&[secure.clone(), off], &world(&["eth0"]), None);
    assert!(
        found.iter().all(|finding| finding.severity == Severity::Info),
        "{found:?}"
    );
    let found = live(&[secure], &world(&["eth0"]), None);
    assert_eq!(told(&found), [("sysctl-secure-redirects", Severity::Risky)]);
}

#[test]
fn interfaces_fold_into_one_finding() {
    let mut sysctls: Vec<Sysctl> = (0..50)
        .map(|number| sysctl(&format!("net.ipv4.conf.veth{number}.route_localnet"), "1"))
        .collect();
    let found = live(&sysctls, &world(&["eth0"]), None);
    assert_eq!(found.len(), 1);
    assert!(found[0].what.contains("and 47 others"), "{}", found[0].what);
    sysctls.push(sysctl("net.ipv4.conf.all.route_localnet", "1"));
    let found = live(&sysctls, &world(&["eth0"]), None);
    assert_eq!(found[0].subject(), "net.ipv4.conf.all.route_localnet");
    assert!(found[0].why.contains("every network"), "{}", found[0].why);
}

#[test]
fn a_file_says_where_it_is_and_what_is_so_anyway() {
    let sysctls = [
        Sysctl {
            source: Some(("tune.sh".into(), 12)),
            ..sysctl("net/ipv4/conf/all/rp_filter", "1")
        },
        sysctl("net.ipv4.tcp_syncookies", "1"),
        sysctl("net.ipv4.tcp_tw_recycle", "1"),
        sysctl("net.ipv4.tcp_magic", "1"),
        sysctl("net.ipv4.ip_local_port_range", "32768\t60999"),
    ];
    let found = findings(&Evidence {
        sysctls: &sysctls,
        ..Evidence::default()
    });
    let mut told = told(&found);
    told.sort();
    assert_eq!(
        told,
        [
            ("sysctl-differs", Severity::Info),
            ("sysctl-is-default", Severity::Redundant),
            ("sysctl-is-default", Severity::Redundant),
            ("sysctl-rp-filter", Severity::Info),
            ("sysctl-tw-recycle", Severity::Risky),
        ]
    );
    let strict = found.iter().find(|finding| finding.id == "sysctl-rp-filter").unwrap();
    assert_eq!(
        (strict.place.file.as_deref(), strict.place.line),
        (Some("tune.sh"), Some(12))
    );
    assert_eq!(strict.subject(), "net.ipv4.conf.all.rp_filter");
}

#[test]
fn who_set_it_is_told() {
    let from = Sysctl {
        source: Some(("/etc/sysctl.conf".into(), 3)),
        ..sysctl("net.ipv4.tcp_syncookies", "0")
    };
    let found = live(&[from, sysctl("net.ipv4.tcp_sack", "0")], &world(&["eth0"]), None);
    let of = |id: &str| found.iter().find(|finding| finding.id == id).unwrap();
    assert_eq!(
        of("sysctl-syncookies").what,
        "net.ipv4.tcp_syncookies is 0; the kernel's default is 1, and /etc/sysctl.conf, line 3, sets it."
    );
    assert!(
        of("sysctl-syncookies")
            .advice
            .contains("Take the line out of /etc/sysctl.conf")
    );
    assert!(of("sysctl-tcp-speed").what.contains("no file sets it"));
}

#[test]
fn the_real_rulesets_of_tools_restrict_or_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets");
    for (tool, restricts) in [
        ("docker", true),
        ("ufw", true),
        ("firewalld-iptables", true),
        ("libvirt", false),
        ("fail2ban", false),
    ] {
        let text = fs::read_to_string(folder.join(tool).join("rules.v4")).unwrap();
        assert_eq!(
            forward::is_restricted(&netfilter(&text), Family::Ipv4),
            restricts,
            "{tool}"
        );
    }
}

#[test]
fn every_kind_is_worded() {
    for kind in KINDS {
        assert!(kind.id.starts_with("sysctl-") && !kind.line.ends_with('.'), "{kind:?}");
    }
}
