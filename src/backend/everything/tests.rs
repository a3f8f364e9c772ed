use std::fmt::Write as _;

use super::*;
use crate::core::netfilter::{Chain, Statement, Verdict};
use crate::core::ruleset::SavedTables;
use crate::sys::clock;
use crate::sys::runner::{ScriptedCall, ScriptedRunner};

fn saved(engine: Engine, text: &str) -> Save {
    Save {
        engine,
        family: Family::Ipv4,
        tables: SavedTables::parse(text).unwrap(),
    }
}

fn observed(saves: Vec<Save>) -> Observed {
    Observed {
        saves,
        ..Observed::default()
    }
}

fn base(family: TableFamily, table: &str, name: &str, priority: i32) -> BaseChain {
    BaseChain {
        family,
        table: table.into(),
        name: name.into(),
        hook: "input",
        priority,
        drops_by_policy: false,
        chain_type: "filter".into(),
        has_rules: true,
    }
}

fn nft() -> ScriptedCall {
    ScriptedCall::new("nft", ["-j", "list", "ruleset"])
}

const FILTER: &str = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j ACCEPT\n\
    -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -j FWTUI-INPUT\nCOMMIT\n";

fn chain<'a>(all: &'a Everything, table: &str, name: &str) -> &'a Chain {
    let mut tables = all.netfilter.tables.iter();
    tables.find(|one| one.name == table).unwrap().chain(name).unwrap()
}

fn is_unknown(chain: &Chain, rule: usize) -> bool {
    matches!(chain.rules[rule].statements.last(), Some(Statement::Unknown(_)))
}

#[test]
fn legacy_rules_need_no_other_program() {
    let runner = ScriptedRunner::new([]);
    let all = read_with(&runner, &observed(vec![saved(Engine::Legacy, FILTER)]), &[]);
    runner.finish().unwrap();
    assert_eq!(all.notes, [""; 0]);
    let input = chain(&all, "filter", "INPUT");
    let accepts = input.rules[0].statements.last() == Some(&Statement::End(Verdict::Accept));
    assert!(accepts, "{input:?}");
}

#[test]
fn where_nft_dies_of_a_signal_its_chains_are_unknown_and_so_are_rules_that_may_be_lies() {
    let runner = ScriptedRunner::new([nft().answers(Err(RunError::Signalled {
        program: "/usr/sbin/nft".into(),
        signal: 11,
    }))]);
    let bases = [
        base(TableFamily::Ip, "filter", "INPUT", 0),
        base(TableFamily::Inet, "theirs", "in", 5),
        base(TableFamily::Ip, "filter", "other", 7),
        base(TableFamily::Arp, "arp", "INPUT", 0),
    ];
    let all = read_with(&runner, &observed(vec![saved(Engine::Nft, FILTER)]), &bases);
    runner.finish().unwrap();
    let input = chain(&all, "filter", "INPUT");
    assert!(is_unknown(input, 0), "it may be a native one: {input:?}");
    assert!(!is_unknown(input, 1), "a port is shown as it is");
    assert!(is_unknown(chain(&all, "theirs", "in"), 0));
    assert_eq!(
        chain(&all, "filter", "other").base.as_ref().map(|base| base.priority),
        Some(7)
    );
    assert_eq!(all.netfilter.tables.len(), 2, "nothing of ARP");
    let [note] = all.notes.as_slice() else {
        panic!("{:?}", all.notes);
    };
    for part in ["killed by signal 11", "2 of its base chains", "1 rules of iptables"] {
        assert!(note.contains(part), "{part} in {note}");
    }
}

#[test]
fn where_nft_is_missing_or_fails_it_is_said() {
    let missing = RunError::NotFound { program: "nft".into() };
    for (call, said) in [
        (nft().answers(Err(missing)), "nft is not installed"),
        (nft().fails(1, "\nError: no\u{1b}pe\n"), "Error: no?pe"),
        (nft().prints("no json"), ""),
    ] {
        let runner = ScriptedRunner::new([call]);
        let all = read_with(&runner, &Observed::default(), &[base(TableFamily::Inet, "t", "c", 0)]);
        runner.finish().unwrap();
        assert!(is_unknown(chain(&all, "t", "c"), 0));
        assert!(all.notes[0].contains(said), "{:?}", all.notes);
    }
}

#[test]
fn sets_are_read_where_rules_refer_to_them() {
    let text = "*filter\n:INPUT DROP [0:0]\n-A INPUT -m set --match-set web src -j ACCEPT\nCOMMIT\n";
    let call = || ScriptedCall::new("ipset", ["save"]);
    let runner = ScriptedRunner::new([call().prints("create web hash:ip family inet\nadd web 192.0.2.1\n")]);
    let all = read_with(&runner, &observed(vec![saved(Engine::Legacy, text)]), &[]);
    runner.finish().unwrap();
    assert_eq!(all.netfilter.tables[0].sets[0].elements.len(), 1);
    let runner = ScriptedRunner::new([call().fails(1, "no")]);
    let all = read_with(&runner, &observed(vec![saved(Engine::Legacy, text)]), &[]);
    runner.finish().unwrap();
    assert!(all.notes[0].contains("ipset"), "{:?}", all.notes);
    assert!(all.netfilter.tables[0].sets.is_empty());
}

#[test]
fn legacy_tables_that_nothing_shows_may_do_anything() {
    let mut observed = Observed::default();
    observed
        .ipv6
        .foreign
        .push(Obstacle::NoReader("iptables-legacy has tables".into()));
    let runner = ScriptedRunner::new([]);
    let all = read_with(&runner, &observed, &[]);
    assert!(is_unknown(chain(&all, "?", "INPUT"), 0));
    assert_eq!(all.netfilter.tables.len(), 1, "of that family only");
}

#[test]
fn each_rule_is_taken_from_the_program_that_can_read_it() {
    let listed = r#"{"nftables": [{"metainfo": {"json_schema_version": 1}},
        {"table": {"family": "ip", "name": "filter", "handle": 1}},
        {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "handle": 1, "type": "filter",
            "hook": "input", "prio": 0, "policy": "accept"}},
        {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 2, "expr": [
            {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}},
            {"accept": null}]}},
        {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 3, "expr": [
            {"xt": {"type": "match", "name": "conntrack"}}, {"accept": null}]}}]}"#;
    let save_text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j ACCEPT\n\
        -A INPUT -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n";
    let bases = [base(TableFamily::Ip, "filter", "INPUT", 0)];
    let read = |saves| {
        let runner = ScriptedRunner::new([nft().prints(listed)]);
        let all = read_with(&runner, &observed(saves), &bases);
        runner.finish().unwrap();
        assert_eq!(all.notes, [""; 0]);
        chain(&all, "filter", "INPUT").clone()
    };
    let input = read(vec![saved(Engine::Nft, save_text)]);
    let port = |statement: &Statement| format!("{statement:?}").contains("Port(");
    assert!(input.rules[0].statements.iter().any(port), "not all of TCP: {input:?}");
    assert!(input.rules[1].text.contains("--ctstate NEW"), "{input:?}");
    assert_eq!(input.rules[1].statements.len(), 2);
    for saves in [
        Vec::new(),
        vec![saved(
            Engine::Nft,
            &save_text.replace("-A INPUT -p tcp -j ACCEPT\n", ""),
        )],
    ] {
        let input = read(saves);
        let unknown = |statement: &Statement| {
            matches!(
                statement,
                Statement::Unknown(_) | Statement::If(crate::core::netfilter::Condition::Unknown(_))
            )
        };
        let is_doubted = |rule: usize| input.rules[rule].statements.iter().any(unknown);
        assert!(!is_doubted(0) && is_doubted(1), "{input:?}");
    }
}

/// Prints how long it takes; fails where that grows faster than the rules do.
#[test]
fn many_rules_take_time_in_proportion() {
    let text = |count: u32| {
        let mut text = String::from("*filter\n:INPUT ACCEPT [0:0]\n");
        for number in 0..count {
            let (third, fourth) = (number / 256 % 256, number % 256);
            let _ = writeln!(
                text,
                "-A INPUT -s 10.1.{third}.{fourth}/32 -p tcp -m conntrack --ctstate NEW -m multiport --dports 22,80:90 \
                 -m comment --comment \"one of many\" -j DROP"
            );
        }
        text + "COMMIT\n"
    };
    let measured = |count| {
        let text = text(count);
        let begin = clock::awake();
        let saved = SavedTables::parse(&text).unwrap();
        let parsed = clock::awake();
        let tables = save::tables(&saved, Engine::Nft, Family::Ipv4, &[]);
        let end = clock::awake();
        assert_eq!(tables[0].chains[0].rules.len(), usize::try_from(count).unwrap());
        println!(
            "{count} rules: words {:?}, typed {:?}",
            parsed.saturating_sub(begin),
            end.saturating_sub(parsed)
        );
        end.saturating_sub(parsed)
    };
    let few = measured(10_000);
    let many = measured(100_000);
    assert!(many < few * 40, "{few:?} for 10,000, {many:?} for 100,000");
}
