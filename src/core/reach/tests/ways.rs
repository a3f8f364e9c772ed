//! ICMP, answers, and what this machine sends.

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// How a packet fares, where its way ended, and the rule that decided.
fn fares(netfilter: &Netfilter, packet: &Probe<'static>) -> (Fate, &'static str, String) {
    let world = machine();
    let walk = Rules::new(netfilter, &world).walk(packet, false);
    let by = match walk.decided_by {
        Decider::Rule(place) => place.rule.map_or_else(|| "policy".into(), |rule| rule.text.clone()),
        Decider::Kernel(kernel) => format!("{kernel:?}"),
    };
    (walk.fate, walk.hook.word(), by)
}

fn ping(to: &str) -> Probe<'static> {
    let source = if to.contains(':') { "2001:db8::9" } else { "192.0.2.9" };
    let kind = if to.contains(':') { 128 } else { 8 };
    Probe::icmp("eth0", address(source), address(to), kind, 0)
}

const CLASSIC: &str = "*filter
:INPUT DROP
:OUTPUT ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT
COMMIT
";

#[test]
fn neighbour_discovery_is_never_established() {
    let kernel = kernel("", CLASSIC);
    let advertised = Probe::icmp("eth0", address("fe80::9"), address("2001:db8::1"), 136, 0);
    let (fate, hook, by) = fares(&kernel, &advertised);
    assert_eq!(
        (fate, hook, by.as_str()),
        (Fate::Refused, "input", "-A INPUT -j REJECT")
    );
    let sent = Probe::icmp("eth0", address("2001:db8::1"), address("ff02::1:ff00:9"), 135, 0).sent();
    assert_eq!(fares(&kernel, &sent).0, Fate::Accepted);
    // Before conntrack has looked, it is no more than any packet of no connection.
    let raw = "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT\n";
    assert_eq!(fares(&super::kernel("", raw), &advertised).0, Fate::Accepted);
    let mangle = raw.replace("raw", "mangle");
    assert_eq!(fares(&super::kernel("", &mangle), &advertised).0, Fate::Dropped);
}

#[test]
fn types_and_codes_are_told_apart() {
    let rules = |asked: &str| format!("*filter\n:INPUT ACCEPT\n-A INPUT -p icmp -m icmp {asked} -j DROP\nCOMMIT\n");
    let unreachable = |code| Probe::icmp("eth0", address("192.0.2.9"), address("192.0.2.1"), 3, code);
    for (asked, drops_ping, drops_frag_needed, drops_port) in [
        ("--icmp-type 8", true, false, false),
        ("--icmp-type echo-request", true, false, false),
        ("--icmp-type any", true, true, true),
        ("--icmp-type 3", false, true, true),
        ("--icmp-type 3/4", false, true, false),
        ("--icmp-type fragmentation-needed", false, true, false),
        ("! --icmp-type 3/4", true, false, true),
        ("! --icmp-type 8", false, true, true),
    ] {
        let kernel = kernel(&rules(asked), "");
        let drops = |packet: &Probe<'static>| match fares(&kernel, packet).0 {
            Fate::Dropped => true,
            Fate::Accepted => false,
            other => panic!("{asked}: {other:?}"),
        };
        assert_eq!(drops(&ping("192.0.2.1")), drops_ping, "{asked}");
        assert_eq!(
            drops(&unreachable(4).about_a_connection()),
            drops_frag_needed,
            "{asked}"
        );
        assert_eq!(drops(&unreachable(3)), drops_port, "{asked}");
        let tcp = Probe::opening("eth0", address("192.0.2.9"), address("192.0.2.1"), Protocol::Tcp, 8);
        assert!(!drops(&tcp), "{asked}");
    }
}

#[test]
fn hop_limits_tell_discovery() {
    let rules = "*filter\n:INPUT DROP\n-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT\n\
        -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 130 -m hl --hl-eq 255 -j ACCEPT\nCOMMIT\n";
    let kernel = kernel("", rules);
    let message = |kind| Probe::icmp("eth0", address("fe80::9"), address("fe80::1"), kind, 0);
    assert_eq!(fares(&kernel, &message(135)).0, Fate::Accepted);
    assert_eq!(fares(&kernel, &message(130)).0, Fate::Dropped);
}

#[test]
fn errors_are_related_and_answers_established() {
    let only = |states: &str| {
        let rules = format!("*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate {states} -j ACCEPT\nCOMMIT\n");
        kernel(&rules, "")
    };
    let asked = Probe::opening("eth0", address("192.0.2.1"), address("198.51.100.7"), Protocol::Udp, 53).sent();
    let error = Probe::icmp("eth0", address("198.51.100.1"), address("192.0.2.1"), 3, 4).about_a_connection();
    assert_eq!(fares(&only("ESTABLISHED"), &asked).0, Fate::Accepted);
    assert_eq!(fares(&only("ESTABLISHED"), &asked.clone().answered()).0, Fate::Accepted);
    assert_eq!(fares(&only("ESTABLISHED"), &error).0, Fate::Dropped);
    assert_eq!(fares(&only("RELATED"), &error).0, Fate::Accepted);
    assert_eq!(fares(&only("NEW"), &asked.clone().answered()).0, Fate::Dropped);
    let by_way = |direction: &str| {
        let rules = format!(
            "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate ESTABLISHED --ctdir {direction} \
             --ctorigdst 198.51.100.7 --ctproto 17 -j ACCEPT\nCOMMIT\n"
        );
        fares(&kernel(&rules, ""), &asked.clone().answered()).0
    };
    assert_eq!(by_way("REPLY"), Fate::Accepted);
    assert_eq!(by_way("ORIGINAL"), Fate::Dropped);
}

#[test]
fn what_this_machine_sends_passes_output_and_postrouting() {
    let sent = |port| {
        Probe::opening(
            "eth0",
            address("192.0.2.1"),
            address("198.51.100.7"),
            Protocol::Tcp,
            port,
        )
        .sent()
    };
    let rules = "*filter\n:INPUT DROP\n:OUTPUT DROP\n-A OUTPUT -o eth0 -p tcp -m tcp --dport 443 -j ACCEPT\n\
        -A OUTPUT -o eth1 -p tcp -m tcp --dport 80 -j ACCEPT\n-A OUTPUT -i eth0 -j ACCEPT\nCOMMIT\n\
        *mangle\n:POSTROUTING ACCEPT\n-A POSTROUTING -p tcp -m tcp --dport 25 -j DROP\nCOMMIT\n";
    let kernel = kernel(rules, "");
    assert_eq!(fares(&kernel, &sent(443)).0, Fate::Accepted);
    assert_eq!(fares(&kernel, &sent(80)).1, "output");
    assert_eq!(fares(&kernel, &sent(80)).0, Fate::Dropped);
    let open = "*mangle\n:POSTROUTING ACCEPT\n-A POSTROUTING -p tcp -m tcp --dport 25 -j DROP\nCOMMIT\n";
    let (fate, hook, _) = fares(&super::kernel(open, ""), &sent(25));
    assert_eq!((fate, hook), (Fate::Dropped, "postrouting"));
    // Sent to itself after all, as a transparent proxy or resolver has it.
    let redirected = "*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128\nCOMMIT\n\
        *filter\n:INPUT ACCEPT\n-A INPUT -i lo -p tcp -m tcp --dport 3128 -j DROP\nCOMMIT\n";
    let (fate, hook, _) = fares(&super::kernel(redirected, ""), &sent(80));
    assert_eq!((fate, hook), (Fate::Dropped, "input"));
}

#[test]
fn nft_knows_the_types_as_well() {
    let document = |expr: &str| {
        format!(
            r#"{{"nftables":[{{"table":{{"family":"inet","name":"t","handle":1}}}},{{"chain":{{"family":"inet","table":"t","name":"in","handle":1,"type":"filter","hook":"input","prio":0,"policy":"drop"}}}},{{"rule":{{"family":"inet","table":"t","chain":"in","handle":2,"expr":[{expr},{{"accept":null}}]}}}}]}}"#
        )
    };
    let asks = |protocol: &str, right: &str| {
        let left = format!(r#"{{"payload":{{"protocol":"{protocol}","field":"type"}}}}"#);
        let json = document(&format!(r#"{{"match":{{"op":"==","left":{left},"right":{right}}}}}"#));
        crate::core::netfilter::json::parse(&json).unwrap().netfilter
    };
    let solicited = Probe::icmp("eth0", address("fe80::9"), address("2001:db8::1"), 135, 0);
    let set = asks(
        "icmpv6",
        r#"{"set":["echo-request","nd-neighbor-solicit","nd-neighbor-advert"]}"#,
    );
    assert_eq!(fares(&set, &solicited).0, Fate::Accepted);
    assert_eq!(fares(&set, &ping("2001:db8::1")).0, Fate::Accepted);
    assert_eq!(fares(&set, &ping("192.0.2.1")).0, Fate::Dropped);
    let ping_only = asks("icmp", r#""echo-request""#);
    assert_eq!(fares(&ping_only, &solicited).0, Fate::Dropped);
    assert_eq!(fares(&ping_only, &ping("192.0.2.1")).0, Fate::Accepted);
}
