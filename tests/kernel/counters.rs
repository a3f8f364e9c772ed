//! What the rules count, and what is new since something was confirmed.

use std::net::TcpListener;

use fwtui::app::sandbox::Neighbour;
use serde_json::{Value, json};

use crate::harness::{Lab, in_sandbox};
use crate::machine::policy;

fn service(lab: &Lab, id: &str) -> Value {
    let list = lab.json(&["list", "--json"]);
    let services = list["services"].as_array().unwrap();
    let found = services.iter().find(|service| service["id"] == id);
    found.unwrap_or_else(|| panic!("{id} in {list}")).clone()
}

fn packets(lab: &Lab, id: &str, what: &str) -> u64 {
    service(lab, id)["counters"][what]["packets"].as_u64().unwrap()
}

fn count_real_packets(lab: &Lab, backend: &str) {
    lab.keep(&policy(&[
        ("7001/tcp", "confine"),
        ("7002/tcp", "open"),
        ("7003/tcp", "trusted"),
    ]));
    assert_eq!(lab.status().0["backend"], backend);
    let counts = || {
        [
            ("7001/tcp", "refused"),
            ("7002/tcp", "let_in"),
            ("7003/tcp", "by_network"),
        ]
        .map(|(id, what)| packets(lab, id, what))
    };
    let _listeners = [7001, 7002, 7003].map(|port| TcpListener::bind(("::", port)).unwrap());
    let before = counts();
    assert!(lab.refuses(Neighbour::Public, 7001));
    assert!(lab.answers(Neighbour::Public, 7002));
    assert!(lab.refuses(Neighbour::Public, 7003));
    // Of each at least one packet in both families.
    for (before, after) in before.into_iter().zip(counts()) {
        assert!(after >= before + 2, "{before} {after}");
    }
    assert_eq!(packets(lab, "7001/tcp", "let_in"), 0);
    assert_eq!(packets(lab, "7002/tcp", "refused"), 0);
    let bytes = service(lab, "7001/tcp")["counters"]["refused"]["bytes"]
        .as_u64()
        .unwrap();
    assert!(bytes >= 40 + 60, "{bytes}");
    assert_eq!(service(lab, "7001/tcp")["counters"]["shared"], false);
}

#[test]
fn a_real_packet_raises_the_counter_of_its_service() {
    in_sandbox(|lab| count_real_packets(lab, "iptables-nft"));
}

#[test]
fn legacy_rules_count_too() {
    in_sandbox(|lab| {
        lab.use_legacy();
        count_real_packets(lab, "iptables-legacy");
    });
}

#[test]
fn what_listens_since_the_last_confirm_is_told_and_the_rest_is_not() {
    in_sandbox(|lab| {
        let _before = TcpListener::bind("0.0.0.0:7101").unwrap();
        let moved = TcpListener::bind("127.0.0.1:7102").unwrap();
        assert_eq!(
            service(lab, "7101/tcp")["since_confirmed"],
            Value::Null,
            "nothing was confirmed yet"
        );
        lab.keep(&policy(&[("7101/tcp", "open")]));
        drop(moved);
        let _moved = TcpListener::bind("0.0.0.0:7102").unwrap();
        let _after = TcpListener::bind("0.0.0.0:7103").unwrap();
        assert_eq!(service(lab, "7101/tcp")["since_confirmed"], Value::Null);
        let bound = json!({"change": "bound", "before": "loopback"});
        assert_eq!(service(lab, "7102/tcp")["since_confirmed"], bound);
        assert_eq!(
            service(lab, "7103/tcp")["since_confirmed"],
            json!({"change": "appeared"})
        );
        lab.keep(&policy(&[("7101/tcp", "confine")]));
        assert_eq!(
            service(lab, "7103/tcp")["since_confirmed"],
            Value::Null,
            "seen and confirmed"
        );
    });
}
