use super::super::{Reading, read};

/// The rules of a script, table by table and chain by chain, in iptables-save's words.
fn rules(script: &str) -> Vec<String> {
    let reading = reading(script);
    let of = |reading: &Reading| {
        let chains = reading.netfilter.tables.iter().flat_map(|table| &table.chains);
        chains
            .flat_map(|chain| &chain.rules)
            .map(|rule| rule.text.clone())
            .collect()
    };
    of(&reading)
}

fn reading(script: &str) -> Reading {
    read("a.sh", script).unwrap_or_else(|error| panic!("{error:?}\n{script}"))
}

#[test]
fn options_come_out_as_iptables_save_prints_them() {
    for (typed, saved) in [
        (
            "iptables -A INPUT -p tcp --dport ssh -j ACCEPT",
            "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
        ),
        (
            "/usr/sbin/iptables -w 5 --append INPUT --protocol TCP --destination-port 80:90 --jump DROP",
            "-A INPUT -p tcp -m tcp --dport 80:90 -j DROP",
        ),
        (
            "iptables -A INPUT -i ! lo -s ! 10.0.0.0/255.0.0.0 -j DROP",
            "-A INPUT ! -s 10.0.0.0/8 ! -i lo -j DROP",
        ),
        (
            "iptables -t filter -AINPUT -j ACCEPT -ieth0",
            "-A INPUT -i eth0 -j ACCEPT",
        ),
        (
            "iptables -A INPUT -p tcp ! --syn -m state --state NEW -j DROP",
            "-A INPUT -p tcp -m tcp ! --syn -m state --state NEW -j DROP",
        ),
        (
            "iptables -A INPUT -p icmp --icmp-type echo-request -j DROP",
            "-A INPUT -p icmp -m icmp --icmp-type 8 -j DROP",
        ),
        (
            "ip6tables -A INPUT -p icmpv6 --icmpv6-type neighbour-solicitation -j ACCEPT",
            "-A INPUT -p icmpv6 -m icmp6 --icmpv6-type 135 -j ACCEPT",
        ),
        (
            "iptables -A INPUT -p tcp -m multiport --dports ssh,http -j ACCEPT",
            "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT",
        ),
        (
            "iptables -A INPUT -m limit --limit 5/min -j LOG --log-prefix \"dropped: \" --log-level 7",
            "-A INPUT -m limit --limit 5/min -j LOG --log-prefix \"dropped: \" --log-level 7",
        ),
        (
            "iptables -A INPUT -m comment --comment '-j ACCEPT ! it' -j DROP",
            "-A INPUT -m comment --comment \"-j ACCEPT ! it\" -j DROP",
        ),
        (
            "iptables -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to 192.0.2.1:8080",
            "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.0.2.1:8080",
        ),
    ] {
        assert_eq!(rules(typed), [saved], "{typed}");
        // What is in that form already stays.
        let again = typed.split_once(' ').map_or("", |(program, _)| program).to_owned();
        let table = if saved.contains("PREROUTING") { " -t nat " } else { " " };
        assert_eq!(rules(&format!("{again}{table}{saved}")), [saved]);
    }
}

#[test]
fn commands_change_what_is_there() {
    let script = "
        iptables -N EXTRA; iptables -A INPUT -j EXTRA
        iptables -A INPUT -p tcp --dport 1 -j ACCEPT
        iptables -A INPUT -p tcp --dport 2 -j ACCEPT
        iptables -I INPUT -p tcp --dport 3 -j ACCEPT
        iptables -I INPUT 2 -p tcp --dport 4 -j ACCEPT
        iptables -D INPUT -p tcp --dport 1 -j ACCEPT
        iptables -D INPUT 1
        iptables -R INPUT 1 -p tcp --dport 5 -j ACCEPT
        iptables -E EXTRA MORE
        iptables -A OUTPUT -j DROP; iptables -F OUTPUT
        iptables -P FORWARD DROP
        iptables -Z";
    let found = rules(script);
    assert_eq!(
        found,
        [
            "-A INPUT -p tcp -m tcp --dport 5 -j ACCEPT",
            "-A INPUT -j EXTRA",
            "-A INPUT -p tcp -m tcp --dport 2 -j ACCEPT"
        ]
    );
    let reading = reading(script);
    let chains = reading.netfilter.tables.iter().flat_map(|table| &table.chains);
    let drops: Vec<(&str, Option<bool>)> = chains
        .map(|chain| (chain.name.as_str(), chain.base.as_ref().map(|base| base.drops)))
        .collect();
    let wanted = [
        ("FORWARD", Some(true)),
        ("INPUT", Some(false)),
        ("MORE", None),
        ("OUTPUT", Some(false)),
    ];
    assert_eq!(drops, wanted);
    assert_eq!(reading.lines.policies.values().collect::<Vec<_>>(), [&12]);
    assert_eq!(reading.lines.rules.values().collect::<Vec<_>>(), [&9, &2, &4]);
}

#[test]
fn variables_loops_and_functions_are_followed() {
    let found = rules(
        r#"#!/bin/bash
        IPT="/sbin/iptables -w"
        export LAN='10.0.0.0/8' PORTS="22 80"
        open() { $IPT -A INPUT -p "$1" --dport $2 -j "${3:-ACCEPT}"; }   # a comment; iptables -A INPUT -j X
        for port in $PORTS; do
            open tcp $port
        done
        $IPT -A INPUT \
             -s ${LAN} -j ACCEPT
        for p in iptables ip6tables; do $p -A OUTPUT -o lo -j ACCEPT; done
        if [ -n "$X" ] && ! iptables -C INPUT -j DROP; then iptables -A INPUT -j DROP; fi
        cat <<EOF | iptables-restore -n
*nat
-A POSTROUTING -s $LAN -j MASQUERADE
COMMIT
EOF
        exit 0
        iptables -F"#,
    );
    assert_eq!(
        found,
        [
            "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
            "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT",
            "-A INPUT -s 10.0.0.0/8 -j ACCEPT",
            "-A INPUT -j DROP",
            "-A OUTPUT -o lo -j ACCEPT",
            "-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE",
            "-A OUTPUT -o lo -j ACCEPT",
        ]
    );
}

#[test]
fn of_an_init_script_the_branch_with_rules_is_read() {
    let reading = reading(
        "start() { iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT; }
stop() { iptables -F; iptables -P INPUT ACCEPT; }
case \"$1\" in
  stop) stop ;;
  start|restart) start ;;
  *) echo usage; exit 1 ;;
esac
",
    );
    assert_eq!(reading.lines.rules.values().collect::<Vec<_>>(), [&1]);
    assert!(
        reading.notes.iter().any(|note| note.contains("(lines 3)")),
        "{:?}",
        reading.notes
    );
}

#[test]
fn sysctls_are_read_in_every_spelling() {
    let reading = reading(
        "echo 1 > /proc/sys/net/ipv4/ip_forward
sysctl -w net.ipv4.tcp_syncookies=1 net.ipv6.conf.all.disable_ipv6=1
for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 > $f; done
echo \"0\" | sudo tee /proc/sys/net/ipv4/icmp_echo_ignore_all
sysctl -p
echo 1 > /proc/sys/kernel/panic",
    );
    let found: Vec<(String, usize)> = reading
        .sysctls
        .iter()
        .map(|sysctl| {
            let line = sysctl.source.as_ref().map_or(0, |(_, line)| *line);
            (format!("{}={}", sysctl.name, sysctl.value), line)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("net.ipv4.ip_forward=1".to_owned(), 1),
            ("net.ipv4.tcp_syncookies=1".to_owned(), 2),
            ("net.ipv6.conf.all.disable_ipv6=1".to_owned(), 2),
            ("net.ipv4.conf.all.rp_filter=1".to_owned(), 3),
            ("net.ipv4.icmp_echo_ignore_all=0".to_owned(), 4),
        ]
    );
    assert_eq!(
        reading.notes,
        ["Line 5: sysctls are loaded from elsewhere, which is not read."]
    );
}

#[test]
fn what_is_not_known_is_told_with_its_line() {
    for (script, line, words) in [
        (
            "iptables -A INPUT -s $(dig +short example.org) -j DROP",
            1,
            "dig +short",
        ),
        ("X=1\niptables -A INPUT -i $WAN -j DROP", 2, "$WAN"),
        ("iptables -A INPUT -j DROP\niptables -A $CHAIN -j DROP", 2, "$CHAIN"),
        (
            "iptables -A INPUT -j DROP\n. /etc/firewall.conf",
            2,
            "/etc/firewall.conf",
        ),
        (
            "iptables -A INPUT -j DROP\niptables-restore < /etc/rules",
            2,
            "elsewhere",
        ),
        ("iptables -A INPUT -j DROP\neval \"$X\"", 2, "eval"),
        ("iptables -A INPUT -j DROP\n$FW -A INPUT -j ACCEPT", 2, "$FW"),
        ("iptables -A INPUT -j DROP\niptables -A INPUT stray", 2, "stray"),
        (
            "iptables -A INPUT -j DROP\necho $N > /proc/sys/net/ipv4/ip_forward",
            2,
            "$N",
        ),
        (
            "for h in `cat hosts`; do iptables -A INPUT -s $h -j DROP; done",
            1,
            "can't be known",
        ),
        ("iptables -A INPUT -j DROP\nf() { iptables -F; }", 2, "left out"),
    ] {
        let notes = reading(script).notes;
        let prefix = format!("Line {line}: ");
        let is_told = notes
            .iter()
            .any(|note| note.starts_with(&prefix) && note.contains(words));
        assert!(is_told, "{script}: {notes:?}");
    }
}

#[test]
fn an_interface_that_is_not_known_is_no_interface() {
    let reading = reading("iptables -A INPUT -i $WAN -j DROP");
    let text = format!("{:?}", reading.netfilter);
    assert!(
        !text.contains("InInterface") && text.contains("Unknown(\"unknown: --in-interface $WAN\")"),
        "{text}"
    );
}

#[test]
fn what_is_deeply_nested_or_endlessly_long_costs_little() {
    let defaults = format!("A={}{}\n", "${a:-".repeat(100_000), "}".repeat(100_000));
    let long = format!("iptables -A INPUT {}-j DROP\n", "-s 192.0.2.1 ".repeat(100_000));
    let read = reading(&format!(
        "{defaults}iptables -A INPUT -s $A -j DROP\n{long}iptables -A INPUT -j ACCEPT\n"
    ));
    assert!(
        read.notes
            .iter()
            .any(|note| note.starts_with("Line 3: ") && note.contains("more than 255 words"))
    );
    let rules = rules("A=${B:-${C:-${D:-192.0.2.1}}}\niptables -A INPUT -s $A -j DROP");
    assert_eq!(rules, ["-A INPUT -s 192.0.2.1/32 -j DROP"]);
}

#[test]
fn a_few_lines_that_stand_for_much_text_are_bounded() {
    let doubled = "X=\"$X$X\"\n".repeat(12);
    let words = " $X".repeat(2000);
    let text = " \"$X\"".repeat(1000);
    for many in [
        format!(":{words}\n"),
        format!(":{text}\n").repeat(200),
        "iptables -A INPUT -m comment --comment \"$X\" -j DROP\n".repeat(20_000),
    ] {
        let read = reading(&format!(
            "X=\"a a a a \"\n{doubled}iptables -A INPUT -j DROP\n{many}iptables -A INPUT -j ACCEPT\n"
        ));
        let loaded: usize = read
            .netfilter
            .tables
            .iter()
            .flat_map(|table| &table.chains)
            .map(|chain| chain.rules.len())
            .sum();
        assert!((1..2000).contains(&loaded), "{loaded}");
    }
}

#[test]
fn a_loop_through_braces_is_told_of() {
    let read = reading("for p in {22,80}; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done\n");
    assert!(
        read.notes.iter().any(|note| note.contains("it is read once")),
        "{:?}",
        read.notes
    );
}

#[test]
fn a_branch_that_only_takes_away_is_not_taken() {
    let begun = "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n";
    for stop in [
        "if [ \"$1\" = stop ]; then\n$IPT -P INPUT ACCEPT\niptables -P INPUT ACCEPT\niptables -F\nexit 0\nfi\n",
        "flush() { iptables -F; }\nif [ \"$1\" = stop ]; then flush; exit; fi\n",
        "while [ \"$1\" = stop ]; do :; done\nif a; then if b; then iptables -F; fi; fi\n",
    ] {
        let script = format!("{begun}{stop}iptables -A INPUT -j DROP\n");
        assert_eq!(
            rules(&script),
            ["-A INPUT -i lo -j ACCEPT", "-A INPUT -j DROP"],
            "{script}"
        );
    }
    // What takes away for something else in its place is.
    let other = format!(
        "{begun}if a; then iptables -F; for i in 1 2 3; do iptables -A INPUT -s 192.0.2.$i -j DROP; done; fi\n"
    );
    assert_eq!(rules(&other).len(), 3);
}
