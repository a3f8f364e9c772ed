//! Others at work during a trial: another apply, other tools, whoever saves and loads whole tables.

use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::ruleset::Entry;
use fwtui::core::trial::Reason;
use fwtui::guard::{Answer, Request, Running};
use fwtui::store::state;

use crate::faults::Replaced;
use crate::harness::{Lab, in_sandbox};
use crate::machine::{CONFIRM, guards, job, paths, policy};
use crate::timer::kill_all;
use crate::trial::{back_at, closed};

const LONG: Duration = Duration::from_secs(60);

fn replace(lab: &Lab, job: fwtui::guard::Job) -> Option<Answer> {
    lab.ask(Request::Replace(Box::new(job)), None)
}

#[test]
fn a_replacement_has_an_id_of_its_own_and_goes_back_to_what_was_before_the_first() {
    in_sandbox(|lab| {
        for port in [8080, 8081, 8082] {
            lab.listen_everywhere(port);
        }
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        let first = lab.hold(&policy(&[("8081/tcp", "open")]), LONG);
        let guard = guards();
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["set", "8082/tcp", "open"]);
        lab.does(&["apply", "--yes", "--replace"]);
        assert_eq!(guards(), guard, "the same guard");
        let Some(Running { id, .. }) = lab.running() else {
            panic!("a trial runs");
        };
        assert_ne!(id, first.id);
        let opened = [8080, 8081, 8082].map(|port| lab.answers(Neighbour::Public, port));
        assert_eq!(opened, [false, false, true], "the second is in force");
        for request in [CONFIRM, Request::Revert, Request::Extend] {
            let answer = lab.ask(request, Some(&first.id));
            assert!(matches!(&answer, Some(Answer::Refused(why)) if why.contains("another trial")));
        }
        lab.does(&["revert"]);
        first.ended();
        closed(lab, &Reason::Asked);
        assert_eq!(lab.base(), base, "what was before the first is back");
        // And one that is kept is the second.
        let first = lab.hold(&policy(&[("8081/tcp", "open")]), LONG);
        lab.does(&["apply", "--yes", "--replace"]);
        let id = lab.running().unwrap().id;
        lab.confirm();
        first.ended();
        assert_eq!(state::confirmed(&paths()).unwrap().unwrap().id, id);
        assert_eq!(lab.status().0["state"], "confirmed");
        assert!(lab.answers(Neighbour::Public, 8082));
    });
}

#[test]
fn without_a_trial_replacing_is_applying() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["apply", "--yes", "--replace"]);
        assert_eq!(lab.status().0["state"], "trial");
        lab.does(&["revert"]);
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn a_replacement_ends_at_its_own_deadline_with_everything_dead_too() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        for is_killed in [false, true] {
            let mut guard = lab.hold(&policy(&[("8081/tcp", "open")]), LONG);
            let answer = replace(
                lab,
                job(&policy(&[("8080/tcp", "confine")]), Duration::from_millis(2500)),
            );
            let Some(Answer::Replaced { deadline, .. }) = answer else {
                panic!("{answer:?}");
            };
            assert!(lab.refuses(Neighbour::Public, 8080));
            if is_killed {
                kill_all(&mut guard);
            }
            back_at(deadline, || lab.answers(Neighbour::Public, 8080));
            lab.fwtui(&["status"]);
            closed(
                lab,
                if is_killed {
                    &Reason::GuardDied
                } else {
                    &Reason::NotConfirmed
                },
            );
            assert_eq!(lab.base(), base);
        }
    });
}

#[test]
fn a_replacement_that_fails_ends_the_trial_and_one_that_makes_no_sense_does_not() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        let guard = lab.hold(&policy(&[("8081/tcp", "open")]), LONG);
        let mut torn = job(&policy(&[]), LONG);
        torn.candidate.rules.ipv4 = "*filter\n:FWTUI".to_owned();
        let answer = replace(lab, torn);
        assert!(
            matches!(&answer, Some(Answer::Refused(why)) if why.contains("torn")),
            "{answer:?}"
        );
        assert_eq!(lab.running().unwrap().id, guard.id, "the first goes on");
        let broken = Replaced::program(
            "iptables-nft-restore",
            r#"if [ "${0##*/}" = iptables-nft-restore ] && ! [ -e /run/refused ]; then
                   : > /run/refused; cat > /dev/null; echo "line 3: cannot allocate memory" >&2; exit 1
               fi"#,
        );
        let answer = replace(lab, job(&policy(&[("8080/tcp", "confine")]), LONG));
        let Some(Answer::Refused(why)) = answer else {
            panic!("{answer:?}");
        };
        assert!(why.contains("cannot allocate memory"), "{why}");
        assert!(why.contains("the rules from before it are back"), "{why}");
        guard.ended();
        drop(broken);
        assert!(matches!(lab.last_reason(), Some(Reason::Failed(_))));
        assert_eq!(lab.base(), base);
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn looking_previewing_and_asking_wrongly_leave_the_deadline_as_it_was() {
    in_sandbox(|lab| {
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), LONG);
        let base = lab.base();
        let wanted = std::fs::read_to_string(paths().policy()).unwrap();
        for (code, args) in [
            (3, &["status"][..]),
            (3, &["status", "--json"]),
            (0, &["list"]),
            (0, &["network"]),
            (0, &["preview"]),
            (0, &["preview", "--format", "iptables"]),
            (0, &["preview", "--off"]),
            (0, &["set", "8081/tcp", "open"]),
            (1, &["apply", "--yes"]),
            (1, &["off", "--yes"]),
            (1, &["restore"]),
            (2, &["apply"]),
            (2, &["apply", "--yes", "--replace", "--timeout", "5"]),
        ] {
            let output = lab.fwtui(args);
            assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
        }
        std::fs::write(paths().policy(), "{\"version\": 1, \"services\": 7}").unwrap();
        lab.fails(1, &["apply", "--yes", "--replace"]);
        std::fs::write(paths().policy(), wanted).unwrap();
        let Some(Running { id, deadline, .. }) = lab.running() else {
            panic!("the trial goes on");
        };
        assert_eq!((id, deadline), (guard.id.clone(), guard.deadline));
        assert_eq!(lab.base(), base);
        lab.does(&["revert"]);
        guard.ended();
    });
}

#[test]
fn what_others_publish_ban_and_reload_in_the_window_stays() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), LONG);
        let docker = "*nat\n:DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n\
            -A DOCKER -p tcp --dport 8090 -j DNAT --to-destination 172.17.0.2:80\nCOMMIT\n\
            *filter\n:DOCKER-USER - [0:0]\n:f2b-sshd - [0:0]\n-I FORWARD 1 -j DOCKER-USER\n\
            -A DOCKER-USER -j RETURN\n-I INPUT 1 -p tcp --dport 22 -j f2b-sshd\n\
            -A f2b-sshd -s 192.0.2.66/32 -j DROP\n-A f2b-sshd -j RETURN\nCOMMIT\n";
        lab.feed(&["iptables-restore", "--noflush"], docker);
        // firewalld takes its whole table out and puts it in again.
        let firewalld = "table inet firewalld { chain in { type filter hook input priority 10; policy accept; \
            tcp dport 9 drop; }\n}\n";
        lab.feed(&["nft", "-f", "-"], firewalld);
        let again = format!("delete table inet firewalld\n{firewalld}");
        lab.feed(&["nft", "-f", "-"], &again);
        lab.line("iptables -A INPUT -c 7 420 -p tcp --dport 9 -j RETURN");
        let during = (lab.foreign(), lab.line("nft -s list table inet firewalld"));
        // That something now comes before the trial's rules is told, and no reason to keep them longer.
        assert_eq!(lab.status().0["state"], "trial");
        lab.does(&["revert"]);
        guard.ended();
        closed(lab, &Reason::Asked);
        assert_eq!((lab.foreign(), lab.line("nft -s list table inet firewalld")), during);
        assert!(
            lab.line("iptables-save -c").contains("[7:420] -A INPUT"),
            "their counters, too"
        );
        assert_eq!(lab.base(), base);
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn an_interface_that_goes_away_in_the_window_stops_no_revert() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut wanted = policy(&[("8080/tcp", "open"), ("8081/tcp", "trusted")]);
        let class = "trusted".parse().unwrap();
        wanted.networks.interfaces.insert("eth1".to_owned(), class);
        lab.keep(&wanted);
        let base = lab.base();
        assert!(lab.line("iptables-save").contains("-i eth1"), "it is in the rules");
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), LONG);
        lab.line("ip link delete eth1");
        lab.does(&["revert"]);
        guard.ended();
        closed(lab, &Reason::Asked);
        assert_eq!(lab.base(), base);
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn a_policy_that_drops_is_not_ours_to_lift_and_is_told() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), LONG);
        // A script that is half a firewall.
        for program in ["iptables", "ip6tables"] {
            lab.line(&format!("{program} -P INPUT DROP"));
            lab.line(&format!("{program} -F INPUT"));
        }
        lab.does(&["revert"]);
        guard.ended();
        closed(lab, &Reason::Asked);
        assert!(lab.line("iptables-save").contains(":INPUT DROP"), "as they left it");
        let list = lab.json(&["list", "--json"]);
        let services = list["services"].as_array().unwrap();
        let service = services.iter().find(|service| service["id"] == "8080/tcp").unwrap();
        assert_ne!(service["reach"]["now"], "everyone", "{service}");
    });
}

/// Somebody saves whole tables during a trial and loads them at boot; `restore` puts it right.
fn frozen_chains_are_replaced(lab: &Lab, suffix: &str) {
    lab.listen_everywhere(8080);
    lab.listen_everywhere(8081);
    // Nothing confirmed, and something; a timer that has run out, and one that has not.
    for (is_confirmed, timeout) in [
        (false, LONG),
        (false, Duration::from_millis(300)),
        (true, LONG),
        (true, Duration::from_millis(300)),
    ] {
        if is_confirmed && !paths().confirmed().exists() {
            lab.keep(&policy(&[("8080/tcp", "open")]));
        }
        let wanted = lab.base();
        let trial = policy(&[("8081/tcp", "open"), ("8082/tcp", "trusted")]);
        let guard = lab.hold(&trial, timeout);
        let saved = ["iptables", "ip6tables"].map(|program| {
            let save = format!("{program}{suffix}-save");
            (format!("{program}{suffix}-restore"), lab.run(&[&save]))
        });
        let mut end = guard.deadline;
        lab.fwtui(&["revert"]);
        guard.ended();
        lab.settled();
        if timeout < LONG {
            // The kernel's second is over as well.
            end += Duration::from_millis(1200);
            crate::harness::eventually(|| (fwtui::sys::clock::since_boot() > end).then_some(())).unwrap();
        }
        for (restore, text) in &saved {
            assert!(text.contains("--datestop"), "{text}");
            lab.feed(&[restore], text);
        }
        if timeout == LONG {
            assert!(lab.answers(Neighbour::Public, 8081));
            assert!(lab.refuses(Neighbour::Public, 8080), "the trial is frozen in");
            assert_eq!(lab.status().0["state"], "drifted", "it is told");
        }
        lab.does(&["restore"]);
        let now = lab.base();
        assert_eq!(
            (&now.ipv4.rules, &now.ipv6.rules),
            (&wanted.ipv4.rules, &wanted.ipv6.rules)
        );
        let observed = lab.observed();
        for family in [&observed.ipv4, &observed.ipv6] {
            assert!(
                !family
                    .entries
                    .values()
                    .any(|entry| matches!(entry, Entry::Timed { .. }))
            );
            assert!(is_confirmed || family.chains.is_empty(), "{:?}", family.chains);
        }
        let (status, code) = lab.status();
        let state = if is_confirmed { "confirmed" } else { "off" };
        assert_eq!((status["state"].as_str(), code), (Some(state), 0), "{status}");
        assert!(lab.answers(Neighbour::Public, 8080));
        assert_eq!(lab.refuses(Neighbour::Public, 8081), is_confirmed);
    }
}

#[test]
fn chains_frozen_into_others_saved_tables_are_replaced_at_boot() {
    in_sandbox(|lab| frozen_chains_are_replaced(lab, ""));
}

#[test]
fn chains_frozen_into_others_saved_tables_are_replaced_at_boot_legacy() {
    in_sandbox(|lab| {
        lab.use_legacy();
        frozen_chains_are_replaced(lab, "-legacy");
    });
}
