//! What comes in: loopback, answers, the order of rules, and what an empty chain does.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::checkup::Severity;
use fwtui::core::listener::{Family, Protocol};

use super::{ANSWERS, CLOSED, LOOPBACK, OPEN, Rules, finds, finds_no, follow, harmful, knock_out, listen_at};
use crate::harness::in_sandbox;

const BOTH: [Protocol; 2] = [Protocol::Tcp, Protocol::Udp];

#[test]
fn the_machine_does_not_reach_itself_without_loopback() {
    in_sandbox(|lab| {
        lab.listen_everywhere(CLOSED);
        let own: [SocketAddr; 4] = [
            (Ipv4Addr::LOCALHOST, CLOSED).into(),
            (Ipv6Addr::LOCALHOST, CLOSED).into(),
            // Its other addresses are reached by lo as well.
            (Neighbour::Public.machine().of(Family::Ipv4), CLOSED).into(),
            (Neighbour::Public.machine().of(Family::Ipv6), CLOSED).into(),
        ];
        let all = |fares: fn(Knock) -> bool| {
            for to in own {
                for protocol in BOTH {
                    let knock = knock_out(to, protocol);
                    assert!(fares(knock), "{to} {protocol}: {knock:?}");
                }
            }
        };
        Rules::good()
            .each(|rules, family| rules.without(family, LOOPBACK))
            .load(lab);
        all(|knock| knock != Knock::Answered);
        harmful(lab, &["loopback-refused"]);
        follow(lab, "loopback-refused");
        all(|knock| knock == Knock::Answered);
        harmful(lab, &[]);
    });
}

#[test]
fn nothing_is_heard_of_what_the_machine_asked_without_answers() {
    in_sandbox(|lab| {
        listen_at(lab, Neighbour::Public, CLOSED);
        let all = |fares: fn(Knock) -> bool| {
            for family in Family::ALL {
                for protocol in BOTH {
                    let to = SocketAddr::new(Neighbour::Public.addresses().of(family), CLOSED);
                    let knock = knock_out(to, protocol);
                    assert!(fares(knock), "{to} {protocol}: {knock:?}");
                }
            }
        };
        // Errors stay accepted: it is the answers alone.
        let only_errors = "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT";
        Rules::good()
            .each(|rules, family| rules.instead(family, ANSWERS, &[only_errors]))
            .load(lab);
        all(|knock| knock != Knock::Answered);
        harmful(lab, &["answers-refused"]);
        follow(lab, "answers-refused");
        all(|knock| knock == Knock::Answered);
        harmful(lab, &[]);
    });
}

#[test]
fn what_is_refused_after_everything_was_accepted_is_open() {
    in_sandbox(|lab| {
        const EVERYTHING: &str = "-A INPUT -j ACCEPT";
        const REFUSAL: &str = "-A INPUT -p tcp --dport 8080 -j REJECT --reject-with tcp-reset";
        lab.listen_everywhere(CLOSED);
        let of = |rules: [&str; 2]| Rules::none().each(|none, family| none.and(family, &rules));
        of([EVERYTHING, REFUSAL]).load(lab);
        assert!(lab.answers(Neighbour::Stranger, CLOSED));
        harmful(lab, &["accepted-before-refused"]);
        of([REFUSAL, EVERYTHING]).load(lab);
        assert!(lab.refuses(Neighbour::Stranger, CLOSED));
        harmful(lab, &[]);
        finds_no(lab, "accepted-before-refused");
    });
}

#[test]
fn a_flush_locks_out_where_the_policy_drops() {
    in_sandbox(|lab| {
        const ID: &str = "policy-drop-flush";
        lab.listen_everywhere(OPEN);
        let policy = |word: &str| {
            for program in ["iptables", "ip6tables"] {
                lab.line(&format!("{program} -P INPUT {word}"));
            }
        };
        let flush = || {
            for program in ["iptables", "ip6tables"] {
                lab.line(&format!("{program} -F"));
            }
        };
        Rules::good().load(lab);
        policy("DROP");
        assert!(lab.answers(Neighbour::Public, OPEN));
        harmful(lab, &[]);
        finds(lab, ID, Severity::Risky);
        flush();
        for family in Family::ALL {
            let knock = lab.knock(Neighbour::Public, family, Protocol::Tcp, OPEN);
            assert_eq!(knock, Knock::Silent, "{family}");
        }
        policy("ACCEPT");
        Rules::good().load(lab);
        finds_no(lab, ID);
        flush();
        assert!(lab.answers(Neighbour::Public, OPEN));
    });
}
