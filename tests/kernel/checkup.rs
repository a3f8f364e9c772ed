//! Checkup against the kernel: for each harmful finding, that it does harm, that `fwtui check` finds
//! it and nothing else, and that what it advises cures both.

mod icmp;
mod incoming;
mod ipv6;
mod managers;
mod multicast;
mod outgoing;
mod services;
mod tools;
mod truth;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::checkup::Severity;
use fwtui::core::listener::{Family, Protocol};
use fwtui::sys::knock::{Attempt, Door, wait};
use fwtui::sys::{clock, netns};
use serde_json::Value;

use crate::checks;
use crate::harness::{Lab, SILENCE, in_sandbox};

/// The port that the rules let everyone in at.
const OPEN: u16 = 22;
/// One they do not name.
const CLOSED: u16 = 8080;

const LOOPBACK: &str = "-A INPUT -i lo -j ACCEPT";
const ANSWERS: &str = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
const DHCP: &str = "-A INPUT -p udp --sport 67 --dport 68 -j ACCEPT";
const DHCPV6: &str = "-A INPUT -s fe80::/10 -p udp --dport 546 -j ACCEPT";
const ECHO: &str = "-A INPUT -p icmp --icmp-type echo-request -j ACCEPT";
const ECHO_V6: &str = "-A INPUT -p icmpv6 --icmpv6-type echo-request -j ACCEPT";
const LISTENERS: &str = "-A INPUT -p icmpv6 --icmpv6-type 130 -j ACCEPT";
const ADVERTISEMENTS: &str = "-A INPUT -p icmpv6 --icmpv6-type router-advertisement -j ACCEPT";
const SOLICITATION: &str = "-A INPUT -p icmpv6 --icmpv6-type neighbour-solicitation -j ACCEPT";
const ADVERTISEMENT: &str = "-A INPUT -p icmpv6 --icmpv6-type neighbour-advertisement -j ACCEPT";
const SSH: &str = "-A INPUT -p tcp --dport 22 -j ACCEPT";
const REST: &str = "-A INPUT -j REJECT";

/// Rules of the filter table, in both families.
#[derive(Debug, Clone)]
struct Rules([Vec<String>; 2]);

impl Rules {
    /// A ruleset that refuses everything on its way in but SSH, and harms nobody. Each test takes one
    /// thing of it away.
    fn good() -> Self {
        let of = |lines: &[&str]| lines.iter().map(ToString::to_string).collect();
        Self([
            of(&[LOOPBACK, ANSWERS, DHCP, ECHO, SSH, REST]),
            of(&[
                LOOPBACK,
                ANSWERS,
                DHCPV6,
                ECHO_V6,
                LISTENERS,
                ADVERTISEMENTS,
                SOLICITATION,
                ADVERTISEMENT,
                SSH,
                REST,
            ]),
        ])
    }

    /// Nothing at all.
    const fn none() -> Self {
        Self([Vec::new(), Vec::new()])
    }

    const fn of(&mut self, family: Family) -> &mut Vec<String> {
        let Self([v4, v6]) = self;
        match family {
            Family::Ipv4 => v4,
            Family::Ipv6 => v6,
        }
    }

    /// Others in the place of one that is there.
    fn instead(mut self, family: Family, rule: &str, others: &[&str]) -> Self {
        let rules = self.of(family);
        let place = rules.iter().position(|line| line == rule);
        let place = place.unwrap_or_else(|| panic!("no {rule} in {rules:?}"));
        rules.splice(place..=place, others.iter().map(ToString::to_string));
        self
    }

    fn without(self, family: Family, rule: &str) -> Self {
        self.instead(family, rule, &[])
    }

    /// With more at the end.
    fn and(mut self, family: Family, rules: &[&str]) -> Self {
        self.of(family).extend(rules.iter().map(ToString::to_string));
        self
    }

    /// The same change in both families.
    fn each(self, change: impl Fn(Self, Family) -> Self) -> Self {
        Family::ALL.into_iter().fold(self, change)
    }

    /// Makes the filter table this, with policies that accept.
    fn load(&self, lab: &Lab) {
        for (program, rules) in ["iptables-restore", "ip6tables-restore"].iter().zip(&self.0) {
            let policies = ":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT";
            lab.feed(
                &[program],
                &format!("*filter\n{policies}\n{}\nCOMMIT\n", rules.join("\n")),
            );
        }
    }
}

/// The findings of `fwtui check --json`, held to its contract.
fn findings(lab: &Lab) -> Vec<Value> {
    let output = lab.fwtui(&["check", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(document["schema"], 1, "{document}");
    let findings = document["findings"].as_array().unwrap().clone();
    for finding in &findings {
        finding["severity"].as_str().unwrap().parse::<Severity>().unwrap();
        assert!(finding["place"].is_object(), "{finding}");
        for sentence in ["id", "what", "why", "do"] {
            assert!(!finding[sentence].as_str().unwrap().is_empty(), "{finding}");
        }
    }
    let is_harmful = findings.iter().any(|finding| finding["severity"] == "harmful");
    assert_eq!(output.status.code(), Some(if is_harmful { 3 } else { 0 }), "{document}");
    findings
}

/// What `fwtui check` finds harmful is this, and nothing else.
fn harmful(lab: &Lab, ids: &[&str]) {
    let findings = findings(lab);
    let found: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| finding["severity"] == "harmful")
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    let expected = ids.iter().copied().collect();
    assert_eq!(found, expected, "{findings:#?}");
}

/// `fwtui check` finds this, as bad as that.
fn finds(lab: &Lab, id: &str, severity: Severity) {
    let findings = findings(lab);
    let is_found = findings
        .iter()
        .any(|finding| finding["id"] == id && finding["severity"] == severity.word());
    assert!(is_found, "{severity} {id} expected:\n{findings:#?}");
}

/// `fwtui check` finds this, however bad.
fn finds_id(lab: &Lab, id: &str) {
    let findings = findings(lab);
    let is_found = findings.iter().any(|finding| finding["id"] == id);
    assert!(is_found, "{id} expected:\n{findings:#?}");
}

/// `fwtui check` does not find this.
fn finds_no(lab: &Lab, id: &str) {
    let findings = findings(lab);
    let found = findings.iter().find(|finding| finding["id"] == id);
    assert!(found.is_none(), "{found:#?}");
}

/// Does what `fwtui check` advises about this: runs the commands of its sentences.
fn follow(lab: &Lab, id: &str) {
    let findings = findings(lab);
    let advice = findings.iter().filter(|finding| finding["id"] == id);
    let commands: Vec<&str> = advice
        .flat_map(|finding| commands(finding["do"].as_str().unwrap()))
        .collect();
    assert!(!commands.is_empty(), "{id} advises no command: {findings:#?}");
    for command in &commands {
        lab.line(command);
    }
}

/// The commands in a sentence: after a colon, with semicolons in between.
fn commands(advice: &str) -> Vec<&str> {
    let (_, listed) = advice.split_once(": ").unwrap_or_default();
    let listed = listed.split(" (").next().unwrap_or_default();
    let names = ["iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy", "nft"];
    let of_filters = |command: &&str| names.contains(&command.split(' ').next().unwrap_or_default());
    listed.trim_end_matches('.').split("; ").filter(of_filters).collect()
}

/// Knocks from the machine, or from a neighbour by its first address, with a patience of one's own.
fn knock_within(patience: Duration, from: Option<Neighbour>, to: impl Into<SocketAddr>, protocol: Protocol) -> Knock {
    let to = to.into();
    let knock = move || {
        let from = None;
        let mut attempts = [Attempt::start(&Door { from, to, protocol }, 0).unwrap()];
        wait(&mut attempts, &[], clock::since_boot() + patience).unwrap();
        attempts[0].knock()
    };
    from.map_or_else(knock, |neighbour| netns::enter(neighbour.namespace(), knock).unwrap())
}

/// Knocks from the machine.
fn knock_out(to: impl Into<SocketAddr>, protocol: Protocol) -> Knock {
    knock_within(SILENCE, None, to, protocol)
}

/// Echoes on TCP and UDP at a neighbour's address, from which it also answers.
fn listen_at(lab: &Lab, neighbour: Neighbour, port: u16) {
    let listen = |family| {
        let address = SocketAddr::new(neighbour.addresses().of(family), port);
        lab.listen(&format!("tcp/{address}"));
        lab.listen(&format!("udp/{address}"));
    };
    netns::enter(neighbour.namespace(), || Family::ALL.map(listen)).unwrap();
}

#[test]
fn good_rules_do_no_harm() {
    in_sandbox(|lab| {
        lab.listen_everywhere(CLOSED);
        Rules::good().load(lab);
        checks::pings(lab).unwrap();
        checks::router_advertisement(lab).unwrap();
        checks::dhcp(lab).unwrap();
        checks::dhcpv6(lab).unwrap();
        checks::neighbour_discovery(lab).unwrap();
        for family in Family::ALL {
            checks::path_mtu(lab, family, OPEN).unwrap();
            assert!(lab.knock(Neighbour::Public, family, Protocol::Tcp, CLOSED).word() != "answers");
        }
        harmful(lab, &[]);
    });
}

#[test]
fn each_kind_of_harm_is_shown() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/checkup");
    let files = std::fs::read_dir(folder).unwrap();
    let tests: String = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let not_shown: Vec<&str> = fwtui::core::checkup::kinds()
        .filter(|kind| kind.severity == Severity::Harmful)
        .map(|kind| kind.id)
        .filter(|id| !tests.contains(&format!("\"{id}\"")))
        .collect();
    assert!(not_shown.is_empty(), "no test with packets: {not_shown:?}");
}
