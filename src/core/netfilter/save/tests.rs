use proptest::prelude::*;

use super::*;
use crate::core::netfilter::{Direction, End, Field, Nat, NatKind, Part, SetMark, To, Verdict, ct};

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

fn of(text: &str) -> Vec<Table> {
    tables(&SavedTables::parse(text).unwrap(), Engine::Nft, Family::Ipv4, &[])
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

const SAVE: &str = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:DOCKER - [0:0]\n\
    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n\
    -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\nCOMMIT\n\
    *filter\n:INPUT DROP [0:0]\n:LOG - [0:0]\n-A INPUT -j LOG\n-A INPUT -g LOG\n-A INPUT -j gone\nCOMMIT\n";

#[test]
fn built_in_chains_are_hooked_in_and_jumps_found() {
    let tables = of(SAVE);
    let [filter, nat] = tables.as_slice() else {
        panic!("{tables:?}");
    };
    let base = |table: &Table, chain: &str| table.chain(chain).unwrap().base.clone();
    let input = base(filter, "INPUT").unwrap();
    assert_eq!((input.priority, input.drops, input.kind), (0, true, ChainType::Filter));
    assert_eq!(base(nat, "INPUT").unwrap().priority, 100);
    let prerouting = base(nat, "PREROUTING").unwrap();
    assert_eq!((prerouting.priority, prerouting.kind), (-100, ChainType::Nat));
    assert_eq!(base(nat, "DOCKER"), None);
    let ends: Vec<_> = filter
        .chain("INPUT")
        .unwrap()
        .rules
        .iter()
        .map(|rule| &rule.statements)
        .collect();
    // A chain comes before a target of its name; what is neither may do anything.
    assert_eq!(
        ends,
        [
            &vec![Statement::End(Verdict::Jump("LOG".to_owned()))],
            &vec![Statement::End(Verdict::Goto("LOG".to_owned()))],
            &vec![Statement::Unknown("-j gone".to_owned())],
        ]
    );
    let docker = &nat.chain("DOCKER").unwrap().rules[0];
    assert!(docker.text.starts_with("-A DOCKER ! -i docker0 -p tcp"));
}

#[test]
fn what_is_not_shown_or_not_read_makes_its_chains_unknown() {
    let begins_unknown = |tables: &[Table], name: &str| {
        let table = tables.iter().find(|table| table.name == name).unwrap();
        let mut bases = table.chains.iter().filter(|chain| chain.base.is_some());
        assert!(table.chain("INPUT").is_some());
        bases.all(|chain| matches!(chain.rules[0].statements[..], [Statement::Unknown(_)]))
    };
    let hidden = of("# Table `filter' is incompatible, use 'nft' tool.\n*nat\n:INPUT ACCEPT\nCOMMIT\n");
    assert!(begins_unknown(&hidden, "filter") && !begins_unknown_or_empty(&hidden, "nat"));
    let odd = of("*filter\n:INPUT ACCEPT [0:0]\nwhat is this\n-A INPUT -j ACCEPT\nCOMMIT\n");
    assert!(begins_unknown(&odd, "filter"));
    assert_eq!(odd[0].chain("INPUT").unwrap().rules.len(), 2);
    let stray = of("what is this\n*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n");
    assert!(begins_unknown(&stray, "?"));
    let open = of("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment \"a -j ACCEPT\nCOMMIT\nCOMMIT\n");
    let rules = &open[0].chain("INPUT").unwrap().rules;
    assert!(
        rules
            .iter()
            .all(|rule| matches!(rule.statements.last(), Some(Statement::Unknown(_))))
    );
}

fn begins_unknown_or_empty(tables: &[Table], name: &str) -> bool {
    let table = tables.iter().find(|table| table.name == name).unwrap();
    table.chains.iter().any(|chain| !chain.rules.is_empty())
}

#[test]
fn sets_are_asked_part_by_part() {
    let sets = ipset::parse(
        "create web hash:ip,port family inet hashsize 64 maxelem 65536\nadd web 192.0.2.1,tcp:80\n\
         create six hash:net family inet6 hashsize 64 maxelem 65536\nadd six 2001:db8::/32\n",
    );
    let save = "*filter\n:INPUT DROP [0:0]\n\
        -A INPUT -m set --match-set web src,dst -j ACCEPT\n\
        -A INPUT -m set ! --match-set web src,dst -j DROP\n\
        -A INPUT -m set --match-set six src -j ACCEPT\n\
        -A INPUT -m set --match-set web src -j ACCEPT\n\
        -A INPUT -m set --match-set nowhere src -j ACCEPT\n\
        -A INPUT -m set --match-set web src,dst --packets-gt 5 -j ACCEPT\nCOMMIT\n";
    let saved = SavedTables::parse(save).unwrap();
    let tables = tables(&saved, Engine::Legacy, Family::Ipv4, &sets);
    let names: Vec<_> = tables[0].sets.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(names, ["ipset:web"], "those that are referred to");
    let conditions: Vec<_> = tables[0].chains[0]
        .rules
        .iter()
        .map(|rule| rule.statements[0].clone())
        .collect();
    let web = |is_negated| {
        Statement::If(Condition::In {
            key: vec![
                Field::Address(Family::Ipv4, End::Source),
                Field::Protocol,
                Field::Port(None, End::Destination),
            ],
            elements: Elements::Named("ipset:web".to_owned()),
            is_negated,
        })
    };
    assert_eq!(conditions[..2], [web(false), web(true)]);
    assert_eq!(
        conditions[2..4],
        [Statement::If(values::never()), Statement::If(values::never())]
    );
    for unknown in &conditions[4..] {
        assert!(matches!(unknown, Statement::If(Condition::Unknown(_))), "{unknown:?}");
    }
}

/// Words that mean something to somebody, in any order.
fn any_words() -> impl Strategy<Value = Vec<String>> {
    let known = prop::sample::select(vec![
        "!",
        "-m",
        "-j",
        "-g",
        "-s",
        "-d",
        "-i",
        "-o",
        "-p",
        "-f",
        "tcp",
        "conntrack",
        "--ctstate",
        "NEW",
        "set",
        "--match-set",
        "src,dst",
        "--dport",
        "22",
        "1:2",
        "--tcp-flags",
        "SYN",
        "ACCEPT",
        "DNAT",
        "--to-destination",
        "10.0.0.1:80",
        "[::1]:80",
        "10.0.0.0/8",
        "::/0",
        "recent",
        "--set",
        "--name",
        "comment",
        "--comment",
        "time",
        "--datestop",
        "MARK",
        "--set-xmark",
        "0x1/0x2",
        "multiport",
        "--ports",
        "TPROXY",
        "--on-port",
        "",
    ]);
    prop::collection::vec(prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,8}"], 0..14)
}

proptest! {
    #[test]
    fn no_words_make_the_reader_panic(words in any_words(), is_ipv6 in any::<bool>()) {
        let family = if is_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        let context = spec::Context::alone(family);
        let rule = spec::rule(&words, &words.join(" "), &context);
        // Whoever says ACCEPT last means it, or it is not understood.
        if let [.., jump, target] = words.as_slice()
            && jump == "-j" && target == "ACCEPT" && words.iter().filter(|word| *word == "-j").count() == 1
            && !words.iter().any(|word| options::takes_any_text(word))
        {
            let is_there = rule.statements.iter().any(|statement| {
                matches!(statement, Statement::End(Verdict::Accept) | Statement::Unknown(_))
                    || matches!(statement, Statement::If(Condition::Unknown(_)))
            });
            prop_assert!(is_there, "{:?}", rule);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\*filter\n)?(:INPUT [A-Z-]{1,6}\n)?([ -~]{0,40}\n){0,6}(COMMIT\n)?") {
        if let Ok(saved) = SavedTables::parse(&text) {
            drop(tables(&saved, Engine::Legacy, Family::Ipv6, &[]));
        }
    }
}
