//! Everything in the kernel is read as it is: of both kinds of iptables, of nft, of ipset, and where
//! a program that should show it does not.

use fwtui::app::{Depth, Machine, Observation, Options};
use fwtui::backend::everything::{self, Everything};
use fwtui::core::netfilter::{Chain, Condition, Elements, Engine, Field, Statement, Table, TableFamily, Verdict};
use fwtui::core::network::RouteKind;
use fwtui::sys::runner::{Call, Output, RunError, Runner, SystemRunner};

use crate::harness::{Lab, in_sandbox};

/// What is read of everything, with a runner of one's own.
fn read_with(lab: &Lab, runner: &dyn Runner) -> Everything {
    everything::read(runner, &lab.observed())
}

fn read(lab: &Lab) -> Everything {
    read_with(lab, &SystemRunner::new())
}

fn table<'a>(all: &'a Everything, engine: Engine, family: TableFamily, name: &str) -> &'a Table {
    let mut tables = all.netfilter.tables.iter();
    tables
        .find(|table| (table.engine, table.family, table.name.as_str()) == (engine, family, name))
        .unwrap_or_else(|| panic!("{name} in {all:#?}"))
}

fn input(all: &Everything, engine: Engine) -> &Chain {
    table(all, engine, TableFamily::Ip, "filter").chain("INPUT").unwrap()
}

fn is_unknown(chain: &Chain, rule: usize) -> bool {
    let unknown =
        |statement: &Statement| matches!(statement, Statement::Unknown(_) | Statement::If(Condition::Unknown(_)));
    chain.rules[rule].statements.iter().any(unknown)
}

fn look() -> Observation {
    Machine::new(Options::default()).look(Depth::Reach)
}

#[test]
fn both_kinds_of_iptables_are_read_beside_each_other() {
    in_sandbox(|lab| {
        lab.line("iptables-nft -A INPUT -p tcp -m conntrack --ctstate NEW -m tcp --dport 22 -j ACCEPT");
        lab.line("iptables-legacy -A INPUT -p udp -m udp --dport 53 -j DROP");
        lab.line("ip6tables-legacy -P INPUT DROP");
        let all = read(lab);
        assert_eq!(all.notes, [""; 0]);
        let (nft, legacy) = (input(&all, Engine::Nft), input(&all, Engine::Legacy));
        assert_eq!((nft.rules.len(), legacy.rules.len()), (1, 1));
        assert_eq!(legacy.rules[0].statements.last(), Some(&Statement::End(Verdict::Drop)));
        assert_eq!(nft.rules[0].statements.last(), Some(&Statement::End(Verdict::Accept)));
        assert!(!is_unknown(nft, 0) && !is_unknown(legacy, 0), "{all:#?}");
        let six = table(&all, Engine::Legacy, TableFamily::Ip6, "filter")
            .chain("INPUT")
            .unwrap();
        assert!(six.base.as_ref().unwrap().drops);
    });
}

#[test]
fn a_native_rule_among_those_of_iptables_is_what_nft_says() {
    in_sandbox(|lab| {
        lab.line("iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT");
        let set = "add set ip filter ports { type inet_service; elements = { 80, 443 }; }\n\
            add rule ip filter INPUT tcp dport @ports accept\n";
        lab.feed(&["nft", "-f", "-"], set);
        let saved = lab.line("iptables-save");
        assert!(
            saved.contains("-A INPUT -p tcp -j ACCEPT"),
            "the lie this is about: {saved}"
        );
        let all = read(lab);
        let input = input(&all, Engine::Nft);
        assert!(!is_unknown(input, 0), "{input:#?}");
        let asks_for_ports = input.rules[1].statements.iter().any(|statement| {
            matches!(
                statement,
                Statement::If(Condition::In { elements: Elements::Named(name), .. }) if name == "ports"
            )
        });
        assert!(asks_for_ports, "{input:#?}");
        assert!(
            table(&all, Engine::Nft, TableFamily::Ip, "filter")
                .set("ports")
                .is_some()
        );
    });
}

/// Programs as they are, but for nft, which a signal kills.
#[derive(Debug)]
struct NftDies;

impl Runner for NftDies {
    fn run(&self, call: &Call) -> Result<Output, RunError> {
        if call.program.ends_with("nft") {
            let killed = Call::new("sh").args(["-c", "kill -SEGV $$"]);
            return SystemRunner::new().run(&killed);
        }
        SystemRunner::new().run(call)
    }
}

#[test]
fn where_nft_crashes_what_it_would_show_is_unknown() {
    in_sandbox(|lab| {
        lab.line("iptables -A INPUT -p tcp -j ACCEPT");
        lab.line("iptables -A INPUT -p tcp -m tcp --dport 22 -j DROP");
        let native = "table inet n {\n chain c { type filter hook input priority 5; tcp dport 1 drop; }\n\
            chain e { type filter hook forward priority 5; policy drop; }\n}\n";
        lab.feed(&["nft", "-f", "-"], native);
        let all = read_with(lab, &NftDies);
        let [note] = all.notes.as_slice() else {
            panic!("{:?}", all.notes);
        };
        assert!(note.contains("killed by signal 11"), "{note}");
        let rules = input(&all, Engine::Nft);
        assert!(is_unknown(rules, 0) && !is_unknown(rules, 1), "{rules:#?}");
        let native = table(&all, Engine::Nft, TableFamily::Inet, "n");
        let chain = native.chain("c").unwrap();
        assert!(is_unknown(chain, 0));
        assert_eq!(chain.base.as_ref().unwrap().priority, 5);
        let forward = native.chain("e").unwrap();
        assert!(forward.rules.is_empty() && forward.base.as_ref().unwrap().drops);
        // The same rules, with nft as it is.
        let all = read(lab);
        assert_eq!(all.notes, [""; 0]);
        assert!(!is_unknown(input(&all, Engine::Nft), 0));
    });
}

#[test]
fn a_table_iptables_can_not_show_is_read_from_nft() {
    in_sandbox(|lab| {
        lab.line("iptables -t security -A INPUT -p tcp -m tcp --dport 9 -j ACCEPT");
        lab.line("nft add rule ip security INPUT fib saddr type local drop");
        let saved = lab.line("iptables-save");
        assert!(saved.contains("incompatible"), "{saved}");
        let all = read(lab);
        let chain = table(&all, Engine::Nft, TableFamily::Ip, "security")
            .chain("INPUT")
            .unwrap();
        assert_eq!(chain.rules.len(), 2, "{chain:#?}");
        assert!(!is_unknown(chain, 1), "{chain:#?}");
    });
}

#[test]
fn a_look_knows_the_rules_and_the_routes() {
    in_sandbox(|lab| {
        let before = look();
        assert!(before.netfilter.unwrap().tables.is_empty(), "nothing is there");
        lab.line("iptables -A FORWARD -i eth9 -j DROP");
        let seen = look();
        let tables = &seen.netfilter.as_ref().unwrap().tables;
        assert!(tables.iter().any(|table| table.name == "filter"), "{tables:#?}");
        let world = &seen.world;
        let local = world.route([127, 0, 0, 1].into()).unwrap();
        assert_eq!(local.kind, RouteKind::Local);
        assert!(!world.has_policy_routing, "{:#?}", world.routes);
        assert_eq!(world.interfaces, seen.interfaces);
        assert!(world.switches.contains_key("lo"));
        lab.line("ip rule add fwmark 1 lookup 100");
        assert!(look().world.has_policy_routing);
        let surface = Machine::new(Options::default()).look(Depth::Sockets);
        assert!(surface.netfilter.is_none() && surface.world.routes.is_empty());
    });
}

#[test]
fn sets_of_ipset_are_read_with_the_rules_that_ask_for_them() {
    in_sandbox(|lab| {
        lab.line("ipset create friends hash:net,port");
        lab.line("ipset add friends 192.0.2.0/24,tcp:22");
        lab.line("iptables-legacy -A INPUT -m set --match-set friends src,dst -j ACCEPT");
        let all = read(lab);
        assert_eq!(all.notes, [""; 0]);
        let filter = table(&all, Engine::Legacy, TableFamily::Ip, "filter");
        let Statement::If(Condition::In {
            key,
            elements: Elements::Named(name),
            ..
        }) = &filter.chain("INPUT").unwrap().rules[0].statements[0]
        else {
            panic!("{filter:#?}");
        };
        assert_eq!(key[1], Field::Protocol);
        let set = filter.set(name).unwrap();
        assert_eq!((set.elements.len(), &set.unknown), (1, &None));
        assert_eq!(set.elements[0].key.len(), key.len());
    });
}
