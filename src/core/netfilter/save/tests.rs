use super::*;
use crate::core::netfilter::{Direction, End, Field, Nat, NatKind, Part, SetMark, To, Verdict, ct};

mod tables;
mod words;

fn typed(line: &str) -> Vec<Statement> {
    rule(line, Family::Ipv4).statements
}

/// The only condition of a rule without target.
fn only(line: &str) -> Condition {
    match typed(line).as_slice() {
        [Statement::If(condition)] => condition.clone(),
        other => panic!("{line}: {other:?}"),
    }
}

fn number_of(address: &str) -> u128 {
    crate::core::netfilter::number(address.parse().unwrap())
}

#[test]
fn addresses_and_interfaces_are_read() {
    let source = Field::Address(Family::Ipv4, End::Source);
    let net = Part::Range(number_of("10.0.0.0"), number_of("10.255.255.255"));
    assert_eq!(only("-s 10.0.0.0/8"), Condition::among(source.clone(), vec![net]));
    let with_holes = Condition::Is {
        field: source.clone(),
        mask: Some(number_of("255.0.0.255")),
        values: vec![Part::number(number_of("10.0.0.1"))],
        is_negated: true,
    };
    assert_eq!(only("! -s 10.9.9.1/255.0.0.255"), with_holes);
    let everyone = vec![Part::Range(0, u32::MAX.into())];
    assert_eq!(only("-s 0.0.0.0/0"), Condition::among(source, everyone));
    let six = rule("-d fe80::/10", Family::Ipv6).statements;
    let local = Part::Range(
        number_of("fe80::"),
        number_of("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    );
    let destination = Field::Address(Family::Ipv6, End::Destination);
    assert_eq!(six, [Statement::If(Condition::among(destination, vec![local]))]);
    for (line, name) in [("-i br-+", "br-*"), ("-i eth0", "eth0"), ("-i +", "*")] {
        let name = crate::core::netfilter::Pattern::parse(name, '*');
        let wanted = Condition::among(Field::InInterface, vec![Part::Name(name)]);
        assert_eq!(only(line), wanted);
        assert_eq!(only(&format!("! {line}")), wanted.negated());
    }
    assert!(matches!(only("-s 10.0.0.0/99"), Condition::Unknown(words) if words == "-s 10.0.0.0/99"));
}

#[test]
fn protocols_ports_and_flags_are_read() {
    assert_eq!(only("-p 136"), Condition::is(Field::Protocol, 136));
    assert_eq!(only("! -p tcp"), Condition::is(Field::Protocol, 6).negated());
    assert_eq!(typed("-p all -j ACCEPT"), [Statement::End(Verdict::Accept)]);
    let wanted = [
        Statement::If(Condition::is(Field::Protocol, 6)),
        Statement::If(Condition::among(
            Field::Port(Some(6), End::Source),
            vec![Part::Range(1024, 65535)],
        )),
        Statement::If(Condition::is(Field::Port(Some(6), End::Destination), 22).negated()),
        Statement::If(Condition::Is {
            field: Field::TcpFlags,
            mask: Some(0b1_0111),
            values: vec![Part::number(2)],
            is_negated: false,
        }),
        Statement::End(Verdict::Drop),
    ];
    let line = "-A INPUT -p tcp -m tcp --sport 1024: ! --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP";
    assert_eq!(typed(line), wanted);
    assert_eq!(typed(&line.replace("--tcp-flags FIN,SYN,RST,ACK SYN", "--syn")), wanted);
    let list = vec![Part::number(80), Part::Range(8000, 8010)];
    let ports = Condition::among(Field::Port(None, End::Destination), list);
    assert_eq!(only("-m multiport --dports 80,8000:8010"), ports);
    assert_eq!(only("-m multiport ! --dports 80,8000:8010"), ports.negated());
    assert!(matches!(
        only("-m multiport --ports 80"),
        Condition::In { key, elements: Elements::Inline(set), .. } if key.len() == 2 && set.elements.len() == 2
    ));
}

#[test]
fn connections_are_asked_as_the_kernel_does() {
    assert_eq!(
        only("-m conntrack --ctstate RELATED,ESTABLISHED"),
        Condition::has_any(Field::State, ct::RELATED | ct::ESTABLISHED)
    );
    assert_eq!(
        only("-m conntrack ! --ctstate DNAT"),
        Condition::has_any(Field::State, ct::DNAT).negated()
    );
    assert_eq!(only("-m state --state NEW"), Condition::has_any(Field::State, ct::NEW));
    let port = Field::ConnectionPort(Direction::Original, End::Destination);
    let wanted = [
        Statement::If(Condition::is(port, 8080)),
        Statement::If(Condition::is(Field::Direction, 0)),
        Statement::If(Condition::Unknown("conntrack: --ctexpire 5".to_owned())),
    ];
    assert_eq!(
        typed("-m conntrack --ctorigdstport 8080 --ctdir ORIGINAL --ctexpire 5"),
        wanted
    );
}

#[test]
fn kinds_of_addresses_are_the_families_own() {
    let field = Field::AddressType(End::Destination, crate::core::netfilter::OfInterface::Any);
    let local = Condition::is(field.clone(), 2);
    assert_eq!(only("-m addrtype --dst-type LOCAL"), local);
    assert_eq!(only("-m addrtype ! --dst-type LOCAL"), local.negated());
    let unicast = rule("-m addrtype --dst-type UNICAST", Family::Ipv6).statements;
    // This machine's own addresses are unicast ones there, and are not in IPv4.
    let Some(Statement::If(Condition::Is { values, .. })) = unicast.first() else {
        panic!("{unicast:?}");
    };
    assert!(values.contains(&Part::Range(1, 2)));
    assert_eq!(only("-m addrtype --dst-type UNICAST"), Condition::is(field, 1));
}

#[test]
fn what_depends_on_the_past_is_known_for_a_first_packet() {
    for (line, expected) in [
        ("-m limit --limit 3/min --limit-burst 5", true),
        ("-m hashlimit --hashlimit-upto 1/sec --hashlimit-name -j", true),
        ("-m hashlimit --hashlimit-above 1/sec --hashlimit-name x", false),
        ("-m recent --set --name SSH --mask 255.255.255.255 --rsource", true),
        (
            "-m recent --update --seconds 60 --hitcount 4 --name SSH --rsource",
            false,
        ),
        ("-m recent ! --rcheck --name SSH --rsource", true),
        (
            "-m connlimit --connlimit-above 20 --connlimit-mask 32 --connlimit-saddr",
            false,
        ),
        (
            "-m connlimit --connlimit-upto 20 --connlimit-mask 32 --connlimit-saddr",
            true,
        ),
    ] {
        let Condition::FirstOfMany { matches, what } = only(line) else {
            panic!("{line}");
        };
        assert_eq!(matches, expected, "{line}");
        assert_eq!(what, line.trim_start_matches("-m ").replacen(' ', ": ", 1));
    }
}

#[test]
fn options_of_a_match_nobody_knows_go_with_it() {
    let line = "-p tcp -m tomorrow --dport 22 ! --sport 5 -m mac --mac-source 00:11:22:33:44:55 ! -i eth0 -j ACCEPT";
    let wanted = [
        Statement::If(Condition::is(Field::Protocol, 6)),
        Statement::If(Condition::Unknown("tomorrow: --dport 22 ! --sport 5".to_owned())),
        Statement::If(Condition::Unknown("mac: --mac-source 00:11:22:33:44:55".to_owned())),
        Statement::If(values::interface(Field::InInterface, "eth0").negated()),
        Statement::End(Verdict::Accept),
    ];
    assert_eq!(typed(line), wanted);
    let line = "-m string --string -j --algo bm -j DROP";
    assert_eq!(typed(line).last(), Some(&Statement::End(Verdict::Drop)));
    assert_eq!(typed(line).len(), 2);
    for name in [
        "quota",
        "statistic",
        "physdev",
        "owner",
        "helper",
        "length",
        "ttl",
        "bpf",
        "geoip",
    ] {
        let line = format!("-m {name} --some 1");
        assert_eq!(only(&line), Condition::Unknown(format!("{name}: --some 1")));
    }
}

#[test]
fn comments_decide_nothing_and_are_kept() {
    let rule = rule(r#"-A INPUT -m comment --comment "-j \"DROP\"" -j ACCEPT"#, Family::Ipv4);
    assert_eq!(rule.comment.as_deref(), Some(r#"-j "DROP""#));
    assert_eq!(rule.statements, [Statement::End(Verdict::Accept)]);
    let rule = super::rule("-m comment --comment -j -j DROP", Family::Ipv4);
    assert_eq!(rule.comment.as_deref(), Some("-j"));
    assert_eq!(rule.statements, [Statement::End(Verdict::Drop)]);
}

#[test]
fn dates_are_exact_and_times_of_a_day_are_not_known() {
    assert_eq!(
        only("-m time --datestart 1970-01-01T00:01:00 --datestop 1970-01-01T00:02:00"),
        Condition::Between { first: 60, last: 120 }
    );
    assert!(matches!(only("-m time --timestart 08:00:00"), Condition::Unknown(_)));
    assert!(matches!(
        only("-m time --datestop 2030-01-01T00:00:00 --kerneltz"),
        Condition::Unknown(_)
    ));
    let Condition::Between { first: 0, .. } = only("-m time --datestop 2030-01-01T00:00:00") else {
        panic!("it began long ago");
    };
}

#[test]
fn ipsec_and_reverse_paths() {
    assert_eq!(typed("-m policy --dir in --pol none"), []);
    assert_eq!(only("-m policy --dir in --pol ipsec --proto esp"), values::never());
    let back = |of| Condition::is(Field::RouteBack(of), 1);
    assert_eq!(
        only("-m rpfilter --loose --validmark --invert"),
        back(crate::core::netfilter::OfInterface::Any).negated()
    );
    assert_eq!(only("-m rpfilter"), back(crate::core::netfilter::OfInterface::In));
}

#[test]
fn targets_that_only_write_down_do_nothing() {
    for line in [
        "-j LOG --log-prefix \"-j ACCEPT \" --log-level 4",
        "-j NFLOG --nflog-prefix x --nflog-group 5",
        "-p all",
        "-j TCPMSS --clamp-mss-to-pmtu",
        "-j SET --add-set blocked src",
        "-j CT --helper ftp",
        "-j TRACE",
    ] {
        assert_eq!(typed(line), [], "{line}");
    }
    assert_eq!(typed("-j CT --notrack"), [Statement::NoTrack]);
    assert_eq!(typed("-j NOTRACK"), [Statement::NoTrack]);
    assert_eq!(
        typed("-j NFQUEUE --queue-num 3 --queue-bypass"),
        [Statement::End(Verdict::Queue)]
    );
    for line in [
        "-j SYNPROXY --mss 1460",
        "-j CT --zone 5",
        "-j NETMAP --to 10.0.0.0/8",
        "-j ACCEPT --odd",
    ] {
        assert_eq!(typed(line), [Statement::Unknown(line.to_owned())], "{line}");
    }
}

#[test]
fn refusals_say_what_the_sender_hears() {
    let reject = |word: &str| [Statement::End(Verdict::Reject(word.to_owned()))];
    assert_eq!(typed("-j REJECT"), reject("icmp-port-unreachable"));
    assert_eq!(
        rule("-j REJECT", Family::Ipv6).statements,
        reject("icmp6-port-unreachable")
    );
    assert_eq!(typed("-j REJECT --reject-with tcp-reset"), reject("tcp-reset"));
}

#[test]
fn marks_are_set_as_the_kernel_does() {
    let mark = |line: &str| match typed(line).as_slice() {
        [Statement::Mark(mark)] => mark.clone(),
        other => panic!("{line}: {other:?}"),
    };
    let plain = |clear, flip| SetMark {
        of_connection: false,
        from_connection: false,
        clear,
        flip,
        is_unknown: false,
    };
    assert_eq!(mark("-j MARK --set-xmark 0x40000/0xff0000"), plain(0xff_0000, 0x4_0000));
    assert_eq!(mark("-j MARK --set-mark 1"), plain(u32::MAX, 1));
    assert_eq!(mark("-j MARK --or-mark 0x8000"), plain(0x8000, 0x8000));
    assert_eq!(mark("-j MARK --and-mark 0x7fff"), plain(!0x7fff, 0));
    assert_eq!(mark("-j MARK --xor-mark 0x1"), plain(0, 1));
    let saved = mark("-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff");
    assert_eq!(
        (saved.of_connection, saved.from_connection, saved.clear),
        (true, false, 0)
    );
    assert!(!saved.is_unknown);
    let restored = mark("-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xff");
    assert_eq!((restored.of_connection, restored.from_connection), (false, true));
    assert_eq!((restored.clear, restored.is_unknown), (!0xff, false));
    assert!(mark("-j CONNMARK --restore-mark --nfmask 0xff0000 --ctmask 0xff0000").is_unknown);
    assert_eq!(
        mark("-j CONNMARK --set-xmark 0x1/0xf"),
        SetMark {
            of_connection: true,
            from_connection: true,
            ..plain(0xf, 1)
        }
    );
    assert!(matches!(
        only("-m mark ! --mark 0x2/0x3"),
        Condition::Is {
            field: Field::Mark,
            mask: Some(3),
            is_negated: true,
            ..
        }
    ));
}

#[test]
fn translations_tell_where_to() {
    let nat = |line: &str, family| match rule(line, family).statements.pop() {
        Some(Statement::Nat(Nat { kind, to })) => (kind, to),
        other => panic!("{line}: {other:?}"),
    };
    let fixed = |address: Option<&str>, ports| {
        let address = address.map(|address| address.parse().unwrap());
        To::Fixed {
            addresses: address.map(|address| (address, address)),
            ports,
        }
    };
    for (line, family, expected) in [
        (
            "-p tcp -j DNAT --to-destination 172.17.0.2:80",
            Family::Ipv4,
            (NatKind::Destination, fixed(Some("172.17.0.2"), Some((80, 80)))),
        ),
        (
            "-j DNAT --to-destination [fd00::2]:80-90 --persistent",
            Family::Ipv6,
            (NatKind::Destination, fixed(Some("fd00::2"), Some((80, 90)))),
        ),
        (
            "-j DNAT --to-destination fd00::2",
            Family::Ipv6,
            (NatKind::Destination, fixed(Some("fd00::2"), None)),
        ),
        (
            "-j DNAT --to-destination :8080",
            Family::Ipv4,
            (NatKind::Destination, fixed(None, Some((8080, 8080)))),
        ),
        (
            "-j REDIRECT --to-ports 3128",
            Family::Ipv4,
            (NatKind::Redirect, fixed(None, Some((3128, 3128)))),
        ),
        ("-j MASQUERADE", Family::Ipv4, (NatKind::Masquerade, fixed(None, None))),
        (
            "-j SNAT --to-source 192.0.2.1",
            Family::Ipv4,
            (NatKind::Source, fixed(Some("192.0.2.1"), None)),
        ),
        (
            "-j TPROXY --on-port 8080 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1",
            Family::Ipv4,
            (NatKind::Proxy, fixed(None, Some((8080, 8080)))),
        ),
    ] {
        assert_eq!(nat(line, family), expected, "{line}");
    }
    let shifted = nat("-j DNAT --to-destination 10.0.0.1:80-90/8000", Family::Ipv4);
    assert!(matches!(shifted, (NatKind::Destination, To::Unknown(_))));
}

#[test]
fn labels_are_set_and_asked_for() {
    let has_it = Condition::has_any(Field::Labels, 1 << 119);
    assert_eq!(only("-m connlabel --label \"119\""), has_it);
    assert_eq!(only("-m connlabel ! --label 119"), has_it.clone().negated());
    let set = [Statement::SetLabel(119), Statement::If(has_it)];
    assert_eq!(typed("-m connlabel --label \"119\" --set"), set);
    for line in ["-m connlabel --label eth0-in", "-m connlabel --label 128 --set"] {
        assert!(matches!(only(line), Condition::Unknown(_)), "{line}");
    }
}
