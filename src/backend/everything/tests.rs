use super::*;
use crate::core::netfilter::{Chain, Statement, Verdict};
use crate::core::ruleset::SavedTables;
use crate::sys::runner::{ScriptedCall, ScriptedRunner};

fn save(engine: Engine, text: &str) -> Save {
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
    let all = read_with(&runner, &observed(vec![save(Engine::Legacy, FILTER)]), &[]);
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
    let all = read_with(&runner, &observed(vec![save(Engine::Nft, FILTER)]), &bases);
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
    let all = read_with(&runner, &observed(vec![save(Engine::Legacy, text)]), &[]);
    runner.finish().unwrap();
    assert_eq!(all.netfilter.tables[0].sets[0].elements.len(), 1);
    let runner = ScriptedRunner::new([call().fails(1, "no")]);
    let all = read_with(&runner, &observed(vec![save(Engine::Legacy, text)]), &[]);
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
