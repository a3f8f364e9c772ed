//! What `explain` and `list` say of who can connect, beside other tools: the same as happens.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use fwtui::app::sandbox::{self, Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};
use serde_json::Value;

use crate::docker::{Docker, EVERYONE, ON_LOOPBACK, ON_ONE, PUBLISHED};
use crate::harness::{Lab, in_sandbox};
use crate::machine::policy;

/// Loads the rules of another tool, taken from a real one.
pub fn settle_in(lab: &Lab, tool: &str) {
    settle_in_with(lab, tool, |text| text);
}

/// The same, changed.
pub fn settle_in_with(lab: &Lab, tool: &str, change: impl Fn(String) -> String) {
    let variant = if tool.ends_with("-legacy") { "legacy" } else { "nft" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/rulesets")
        .join(tool);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok().map(&change);
    if let Some(sets) = read("ipset") {
        lab.feed(&["ipset", "restore"], &sets);
    }
    for (stem, name) in [("iptables", "rules.v4"), ("ip6tables", "rules.v6")] {
        if let Some(rules) = read(name) {
            lab.feed(&[&format!("{stem}-{variant}-restore")], &rules);
        }
    }
    if let Some(native) = read("load.nft") {
        lab.feed(&["nft", "-f", "-"], &native);
    }
}

/// The answer to a question, `explain` and its words besides.
fn explained(lab: &Lab, service: &str, more: &[&str]) -> Value {
    let answer = lab.json(&[&["explain", service, "--json"], more].concat());
    assert_eq!(answer["schema"], 1, "{answer}");
    let words = lab.does(&[&["explain", service], more].concat());
    let rule = answer["decided_by"]["rule"].as_str().unwrap();
    assert!(words.contains(rule), "{words}\n{rule}");
    answer
}

/// Somebody knocks, and `explain` has said how he fares, and through whom.
fn fares_as_explained(lab: &Lab, from: Neighbour, family: Family, id: &str) -> Value {
    let (port, protocol) = id.split_once('/').unwrap();
    let (port, protocol): (u16, Protocol) = (port.parse().unwrap(), protocol.parse().unwrap());
    let source = from.addresses().of(family).to_string();
    let machine = SocketAddr::new(from.machine().of(family), port);
    let service = format!("{machine}/{protocol}");
    let interface = match from {
        Neighbour::Public | Neighbour::Stranger => "eth0",
        Neighbour::Trusted | Neighbour::Far => "eth1",
    };
    let answer = explained(lab, &service, &["--from", &source, "--interface", interface]);
    // That something is forbidden, TCP tells over IPv6 only when the SYN is sent again, after a second.
    let expected = match sandbox::knock(from, machine, protocol, Duration::from_millis(2500)).unwrap() {
        Knock::Answered => "accepted",
        Knock::Silent => "dropped",
        Knock::Refused { .. } | Knock::Unreachable => "refused",
    };
    assert_eq!(answer["verdict"], expected, "{from:?} {service}: {answer}");
    answer["decided_by"].clone()
}

fn service(lab: &Lab, id: &str) -> Value {
    let list = lab.json(&["list", "--json"]);
    let services = list["services"].as_array().unwrap();
    let found = services.iter().find(|service| service["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {list}")).clone()
}

#[test]
fn ufw_beside() {
    in_sandbox(|lab| {
        for port in [22, 8080, 8443, 5432, 9] {
            lab.listen_everywhere(port);
        }
        settle_in(lab, "ufw");
        lab.keep(&policy(&[
            ("22/tcp", "open"),
            ("8080/tcp", "open"),
            ("8443/tcp", "open"),
            ("9/tcp", "confine"),
        ]));
        for family in Family::ALL {
            let by = |id| fares_as_explained(lab, Neighbour::Public, family, id);
            let chain = if family == Family::Ipv4 {
                "ufw-user-input"
            } else {
                "ufw6-user-input"
            };
            for id in ["22/tcp", "8080/tcp", "8443/tcp"] {
                let by = by(id);
                assert_eq!(
                    (&by["owner"], &by["chain"]),
                    (&"ufw".into(), &chain.into()),
                    "{id}: {by}"
                );
            }
            assert_eq!(by("9/tcp")["owner"], "fwtui");
            assert_eq!(by("5432/tcp")["owner"], "fwtui", "undecided");
        }
        let contradicted = service(lab, "8080/tcp");
        assert_eq!(contradicted["reach"]["now"], "this-machine", "{contradicted}");
        let by = &contradicted["kept_out_by"];
        assert_eq!(
            (&by["owner"], &by["chain"]),
            (&"ufw".into(), &"ufw-user-input".into()),
            "{by}"
        );
        assert!(by["rule"].as_str().unwrap().contains("--dport 8080"), "{by}");
        assert_eq!(service(lab, "22/tcp")["kept_out_by"], Value::Null);
        let said = String::from_utf8(lab.fwtui(&["list"]).stderr).unwrap();
        assert!(
            said.contains("8080/tcp is open, but ufw's rule") && said.contains("in ufw-user-input"),
            "{said}"
        );
    });
}

#[test]
fn ufw_that_allows() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        settle_in(lab, "ufw-open");
        let by = fares_as_explained(lab, Neighbour::Public, Family::Ipv4, "8080/tcp");
        assert_eq!(
            (&by["owner"], &by["chain"]),
            (&"ufw".into(), &"ufw-user-input".into()),
            "{by}"
        );
        assert_eq!(service(lab, "8080/tcp")["reach"]["now"], "everyone");
        lab.keep(&policy(&[("8080/tcp", "confine")]));
        let by = fares_as_explained(lab, Neighbour::Public, Family::Ipv4, "8080/tcp");
        assert_eq!(by["owner"], "fwtui", "{by}");
    });
}

#[test]
fn firewalld_and_its_zones() {
    in_sandbox(|lab| {
        for port in [22, 8080, 9] {
            lab.listen_everywhere(port);
        }
        settle_in(lab, "firewalld");
        for (from, id) in [
            (Neighbour::Public, "22/tcp"),
            (Neighbour::Public, "8080/tcp"),
            (Neighbour::Public, "9/tcp"),
            (Neighbour::Trusted, "9/tcp"),
        ] {
            for family in Family::ALL {
                let by = fares_as_explained(lab, from, family, id);
                assert_eq!(by["owner"], "firewalld", "{from:?} {id}: {by}");
            }
        }
    });
}

#[test]
fn fail2ban_and_its_bans() {
    in_sandbox(|lab| {
        for port in [22, 80, 25] {
            lab.listen_everywhere(port);
        }
        settle_in(lab, "fail2ban");
        for (source, id, verdict) in [
            ("203.0.113.5", "22/tcp", "refused"),
            ("203.0.113.5", "80/tcp", "accepted"),
            ("203.0.113.6", "80/tcp", "refused"),
            ("203.0.113.7", "25/tcp", "refused"),
            ("203.0.113.8", "25/tcp", "refused"),
            ("203.0.113.9", "22/tcp", "refused"),
            ("2001:db8:bad::5", "22/tcp", "refused"),
            ("203.0.113.77", "22/tcp", "accepted"),
        ] {
            let answer = explained(lab, id, &["--from", source, "--interface", "eth0"]);
            assert_eq!(answer["verdict"], verdict, "{source} {id}: {answer}");
            if verdict == "refused" {
                assert_eq!(answer["decided_by"]["owner"], "fail2ban", "{source} {id}: {answer}");
            }
        }
        // One who is banned by each kind of action, with packets.
        lab.line_at(Neighbour::Public, "ip address add 203.0.113.6/32 dev eth0");
        for (port, answers) in [(80, false), (22, true)] {
            let door = fwtui::sys::knock::Door {
                from: Some(SocketAddr::new(IpAddr::from([203, 0, 113, 6]), 0)),
                to: SocketAddr::new(Neighbour::Public.machine().of(Family::Ipv4), port),
                protocol: Protocol::Tcp,
            };
            let knock = crate::docker::knock_by(Neighbour::Public.namespace(), &door);
            assert_eq!(knock == Knock::Answered, answers, "{port}: {knock:?}");
        }
    });
}

/// Docker's published ports, before and after they are confined.
fn published(lab: &Lab, variant: &'static str, has_proxy: bool) {
    let _docker = Docker::started(lab, variant);
    if has_proxy {
        lab.listen_everywhere(PUBLISHED);
    }
    let web = service(lab, &format!("{PUBLISHED}/tcp"));
    assert_eq!(web["published"]["to"], "172.17.0.2:80", "{web}");
    assert_eq!(web["published"]["by"], "docker", "{web}");
    assert_eq!(web["listeners"].as_array().unwrap().is_empty(), !has_proxy, "{web}");
    assert_eq!(web["reach"]["now"], "everyone", "{web}");
    assert_eq!(web["reach"]["after"], "this-machine", "{web}");
    assert_eq!(service(lab, &format!("{ON_ONE}/udp"))["bound_to"], "address");
    // A frame for 127.0.0.1 sent to this machine is rewritten before the kernel would drop it.
    assert_eq!(service(lab, &format!("{ON_LOOPBACK}/tcp"))["reach"]["now"], "everyone");
    let id = format!("{PUBLISHED}/tcp");
    for family in Family::ALL {
        for from in EVERYONE {
            assert_eq!(
                fares_as_explained(lab, from, family, &id)["owner"],
                "docker",
                "{from:?}"
            );
        }
    }
    lab.keep(&policy(&[]));
    for family in Family::ALL {
        for from in EVERYONE {
            assert_eq!(fares_as_explained(lab, from, family, &id)["owner"], "fwtui", "{from:?}");
        }
    }
    let web = service(lab, &id);
    assert_eq!(web["reach"]["now"], "this-machine", "{web}");
    let own = &web["reach"]["by_network"][0];
    assert_eq!(
        (&own["who"], &own["now"]),
        (&"this-machine".into(), &"accepted".into()),
        "{own}"
    );
    assert_eq!(
        service(lab, &format!("{ON_LOOPBACK}/tcp"))["reach"]["now"],
        "this-machine"
    );
    // The container itself, straight over a route, is what it is: docker lets it through.
    let direct = explained(
        lab,
        "172.17.0.2:80/tcp",
        &["--from", "203.0.113.1", "--interface", "eth0"],
    );
    assert_eq!(
        (&direct["verdict"], &direct["decided_by"]["owner"]),
        (&"accepted".into(), &"docker".into()),
        "{direct}"
    );
}

#[test]
fn docker_without_a_proxy() {
    in_sandbox(|lab| published(lab, "nft", false));
}

#[test]
fn docker_with_a_proxy() {
    in_sandbox(|lab| published(lab, "nft", true));
}

#[test]
fn docker_by_iptables_legacy() {
    in_sandbox(|lab| {
        lab.use_legacy();
        published(lab, "legacy", true);
    });
}
