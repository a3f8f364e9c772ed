//! Reach where others have a hand in, where a family is missing, and beside housekeeping.

use super::*;
use crate::core::network::{Interface, InterfaceKind, NetworkClass};
use crate::core::policy::{Decision, Entry, Policy};
use crate::core::ruleset::{Slot, compile};

fn interface(name: &str, nets: &[&str]) -> Interface {
    let nets: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
    Interface {
        index: 2,
        name: name.into(),
        kind: InterfaceKind::Bridge,
        driver: None,
        addresses: nets.clone(),
        on_link: nets.iter().map(IpNet::trunc).collect(),
        is_up: true,
        has_default_route: false,
        has_physical_port: false,
        changing: Vec::new(),
    }
}

fn policy(decisions: &[(&str, Decision)]) -> Policy {
    let mut policy = Policy::default();
    for (id, decision) in decisions {
        let entry = Entry {
            decision: *decision,
            from: Vec::new(),
        };
        policy.decide(id.parse().unwrap(), entry).unwrap();
    }
    policy
}

fn in_force(policy: &Policy, interfaces: &[Interface]) -> Filter {
    let rules = compile(policy, interfaces);
    Filter::default().with_own([Own::wanted(Slot::A, rules.ipv4), Own::wanted(Slot::A, rules.ipv6)])
}

fn reach(filter: &Filter, id: &str) -> Reach {
    Judge::new(filter).reach(&Service::absent(id.parse().unwrap()))
}

#[test]
fn what_others_may_lead_past_our_rules_is_unknown_where_we_would_refuse_it() {
    let policy = policy(&[("22/tcp", Decision::Confine)]);
    let rule = |text: &str| Obstacle::Rule {
        table: "nat".into(),
        text: text.into(),
    };
    let native = |is_nat| Obstacle::NativeChain {
        name: "ip n c".into(),
        is_nat,
    };
    for (obstacle, expected) in [
        (rule("-A PREROUTING -j DOCKER"), Reach::Unknown),
        (rule("-A INPUT -j SNAT --to-source 192.0.2.1"), Reach::ThisMachine),
        (native(true), Reach::Unknown),
        (native(false), Reach::ThisMachine),
        (Obstacle::Incompatible("nat".into()), Reach::Unknown),
        (Obstacle::Unread("hello".into()), Reach::Unknown),
    ] {
        let mut filter = in_force(&policy, &[]);
        filter.ipv4.foreign.push(obstacle.clone());
        assert_eq!(reach(&filter, "22/tcp"), expected, "{obstacle}");
        let mut loopback = Service::absent("22/tcp".parse().unwrap());
        loopback.bound_to = BoundTo::Loopback;
        assert_eq!(Judge::new(&filter).reach(&loopback), Reach::ThisMachine, "{obstacle}");
    }
}

#[test]
fn a_family_that_is_absent_is_satisfied_and_lets_nobody_in() {
    let policy = policy(&[("22/tcp", Decision::Confine)]);
    let rules = compile(&policy, &[]);
    let mut filter = in_force(&policy, &[]);
    filter.ipv6 = FamilyFilter {
        is_absent: true,
        ..FamilyFilter::default()
    };
    assert_eq!(reach(&filter, "22/tcp"), Reach::ThisMachine);
    assert!(filter.ipv6.enforces(&rules.ipv6));
    let plan = crate::core::plan::Plan::new(&policy, &[], &filter, rules, Vec::new(), Vec::new());
    assert!(plan.is_in_force);
    assert!(plan.diff.iter().all(|line| line.text != Family::Ipv6.to_string()));
}

#[test]
fn answers_are_no_reach_and_what_guests_get_is() {
    let mut policy = policy(&[("53/udp", Decision::Confine), ("67-68/udp", Decision::Confine)]);
    policy.networks.interfaces.insert("eth1".into(), NetworkClass::Trusted);
    let trusted = interface("eth1", &["192.168.7.10/24", "fd07::10/64"]);
    let filter = in_force(&policy, std::slice::from_ref(&trusted));
    for id in ["53/udp", "53/tcp", "67/udp", "68/udp", "5353/udp"] {
        assert_eq!(reach(&filter, id), Reach::ThisMachine, "{id}");
    }
    // Without an address of its own there is no on-link source either.
    for guests in [&[][..], &["172.17.0.1/16"]] {
        let filter = in_force(&policy, &[interface("docker0", guests), trusted.clone()]);
        for (id, expected) in [
            ("53/udp", Reach::Trusted),
            ("53/tcp", Reach::Trusted),
            ("67/udp", Reach::Trusted),
            ("68/udp", Reach::ThisMachine),
            ("22/tcp", Reach::ThisMachine),
        ] {
            assert_eq!(reach(&filter, id), expected, "{id} with {guests:?}");
        }
    }
}

#[test]
fn an_address_of_one_interface_is_reached_by_that() {
    let id = "[fe80::1%eth1]:53/udp";
    let filter = in_force(&policy(&[(id, Decision::Open)]), &[]);
    assert_eq!(reach(&filter, id), Reach::Everyone);
}
