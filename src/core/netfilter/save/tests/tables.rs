//! Whole tables.

use super::*;

fn of(text: &str) -> Vec<Table> {
    tables(&SavedTables::parse(text).unwrap(), Engine::Nft, Family::Ipv4, &[])
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
