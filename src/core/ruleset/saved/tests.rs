//! Own chains that somebody had a hand in, and rules that come before them.

use super::*;
use crate::core::network::Interface;
use crate::core::policy::Policy;
use crate::core::ruleset::{compile, docker_user_text, switch_text};

fn interfaces() -> Vec<Interface> {
    let eth0 = r#"[{ "index": 2, "name": "eth0", "kind": "ethernet", "driver": null, "addresses": ["198.51.100.10/24"],
        "on_link": ["198.51.100.0/24"], "is_up": true, "has_default_route": true, "has_physical_port": false }]"#;
    serde_json::from_str(eth0).unwrap()
}

/// fwtui's rules in slot A, as a save shows them.
fn installed() -> String {
    let own = Own::wanted(Slot::A, compile(&Policy::default(), &interfaces()).ipv4);
    as_saved(&switch_text(&SavedFamily::default(), &own, None))
}

/// A restore text with its insertions written as a save shows them.
fn as_saved(text: &str) -> String {
    text.replace("-I INPUT 1 ", "-A INPUT ")
        .replace("-I FORWARD 1 ", "-A FORWARD ")
        .replace("-I PREROUTING 1 ", "-A PREROUTING ")
}

fn read(text: &str) -> SavedFamily {
    SavedTables::parse(text).unwrap().take_apart(Duration::ZERO)
}

fn rules() -> FamilyRules {
    compile(&Policy::default(), &interfaces()).ipv4
}

#[test]
fn an_emptied_entry_chain_is_not_in_force() {
    for hook in Hook::ALL {
        let line = format!("-A {} -g {}\n", hook.entry(), Slot::A.main(hook));
        let text = installed().replace(&line, "");
        let family = read(&text);
        assert_eq!(family.own.slot, Some(Slot::A), "{hook:?}");
        assert!(!family.own.jumps.contains(&hook), "{hook:?}");
        assert!(!family.own.enforces(&rules()), "{hook:?}");
        assert!(!family.to_put_back().jumps.contains(&hook), "nothing led there");
        let next = Own::wanted(Slot::B, rules());
        assert!(switch_text(&family, &next, None).contains(&format!(
            "-A {} -g {}\n",
            hook.entry(),
            Slot::B.main(hook)
        )));
    }
}

#[test]
fn an_entry_chain_with_another_rule_is_not_in_force_and_comes_first() {
    for hook in Hook::ALL {
        let line = format!("-A {} -g", hook.entry());
        let bypass = format!("-A {} -s 192.0.2.0/24 -j ACCEPT\n{line}", hook.entry());
        let family = read(&installed().replace(&line, &bypass));
        assert_eq!(family.own.slot, Some(Slot::A));
        assert!(!family.own.enforces(&rules()), "{hook:?}");
        assert!(family.foreign.iter().any(Obstacle::goes_first), "{hook:?}");
        assert_eq!(family.to_put_back(), Own::wanted(Slot::A, rules()), "made whole");
    }
}

#[test]
fn slots_that_differ_are_own_rules_that_are_not_in_force_whole() {
    let first = read(&installed());
    let raw_switched = installed().replace(
        "-A FWTUI-PREROUTING -g FWTUI-A-PREROUTING",
        "-A FWTUI-PREROUTING -g FWTUI-B-PREROUTING",
    );
    let family = read(&raw_switched.replace(
        ":FWTUI-A-PREROUTING - [0:0]\n",
        ":FWTUI-A-PREROUTING - [0:0]\n:FWTUI-B-PREROUTING - [0:0]\n",
    ));
    assert_eq!(family.own.slot, Some(Slot::A), "a packet meets INPUT last");
    assert_eq!(family.own.jumps, BTreeSet::from([Hook::Forward, Hook::Input]));
    assert_eq!(family.own.rules, rules());
    assert!(!family.own.enforces(&rules()));
    assert_eq!(family.to_put_back(), first.own, "a revert puts it right");
}

/// A save with such rules in INPUT before the jump, and chains for them.
fn with_rules_before(chains: &str, rules: &str) -> SavedFamily {
    let text = installed().replace("*filter\n", &format!("*filter\n{chains}"));
    read(&text.replace(
        "-A INPUT -j FWTUI-INPUT\n",
        &format!("{rules}-A INPUT -j FWTUI-INPUT\n"),
    ))
}

#[test]
fn what_leads_past_the_jump_comes_before_it() {
    for (chains, rules) in [
        ("", "-A INPUT -s 192.0.2.1/32 -j RETURN\n"),
        ("", "-A INPUT -s 192.0.2.1/32 -j ACCEPT\n"),
        (":theirs - [0:0]\n", "-A INPUT -g theirs\n-A theirs -j RETURN\n"),
        (
            ":theirs - [0:0]\n:more - [0:0]\n",
            "-A INPUT -j theirs\n-A theirs -g more\n-A more -p tcp -j DROP\n",
        ),
        (
            ":theirs - [0:0]\n:more - [0:0]\n",
            "-A INPUT -j theirs\n-A theirs -j more\n-A more -p tcp -j ACCEPT\n",
        ),
        ("", "-A INPUT -p tcp -j FWTUI-INPUT\n"),
    ] {
        let family = with_rules_before(chains, rules);
        assert!(family.misplaced.contains(&Hook::Input), "{rules}");
        assert!(family.foreign.iter().any(Obstacle::goes_first), "{rules}");
    }
}

#[test]
fn what_only_refuses_may_come_before_the_jump() {
    for (chains, rules) in [
        ("", "-A INPUT -m recent --update --name SSH -j DROP\n"),
        (
            ":f2b-sshd - [0:0]\n",
            "-A INPUT -p tcp -j f2b-sshd\n-A f2b-sshd -s 192.0.2.7/32 -j REJECT\n-A f2b-sshd -j RETURN\n",
        ),
    ] {
        assert!(with_rules_before(chains, rules).misplaced.is_empty(), "{rules}");
    }
}

#[test]
fn chains_that_call_each_other_a_lot_are_looked_into_once() {
    // Two calls to the next in each: 2^60 ways through them.
    let name = |index: u32| format!("c{index}");
    let chains: String = (0..=60)
        .map(|index| format!(":{} - [0:0]\n", name(index)))
        .collect::<Vec<_>>()
        .concat();
    let calls: String = (0..60)
        .map(|index| format!("-A {0} -j {1}\n-A {0} -j {1}\n", name(index), name(index + 1)))
        .collect::<Vec<_>>()
        .concat();
    assert!(
        with_rules_before(&chains, &format!("-A INPUT -j c0\n{calls}"))
            .misplaced
            .is_empty()
    );
}

#[test]
fn a_line_break_in_a_comment_is_part_of_its_rule() {
    let rule = "-A INPUT -m comment --comment \"two\nCOMMIT\n-A INPUT -j FWTUI-INPUT\" -j ACCEPT\n";
    let family = with_rules_before("", rule);
    assert_eq!(family.own.rules, rules());
    assert_eq!(
        family.jumps.get(&Hook::Input),
        Some(&1),
        "the one in the comment is none"
    );
    assert!(family.misplaced.contains(&Hook::Input));
    let text = family.foreign.iter().map(ToString::to_string).collect::<String>();
    assert!(text.contains("two?COMMIT?"), "{text}");
}

#[test]
fn what_others_wrote_is_kept_as_text_where_it_makes_no_sense() {
    for (line, is_before) in [
        ("hello", false),
        ("-N theirs", false),
        (": nameless", false),
        ("-A INPUT -m comment --comment \"x", true),
    ] {
        // At the end, so that nothing closes a quote; and before the jump.
        let text = installed().replace("-A INPUT -j FWTUI-INPUT\n", "");
        let end = format!("{line}\n-A INPUT -j FWTUI-INPUT\nCOMMIT\n");
        let text = match text.strip_suffix("COMMIT\n") {
            Some(start) => format!("{start}{end}"),
            None => panic!("{text}"),
        };
        let family = read(&text);
        assert_eq!(family.own, Own::wanted(Slot::A, rules()), "{line}");
        let unread = |obstacle: &Obstacle| matches!(obstacle, Obstacle::Unread(text) if text == line);
        assert!(family.foreign.iter().any(unread), "{line}: {:?}", family.foreign);
        assert_eq!(family.misplaced.contains(&Hook::Input), is_before, "{line}");
    }
    let outside = format!("greetings\n{}", installed());
    assert_eq!(read(&outside).own, Own::wanted(Slot::A, rules()));
}

#[test]
fn a_document_on_disk_must_be_understood_whole() {
    let text = rules().to_text();
    assert_eq!(FamilyRules::parse(&text), Some(rules()));
    for wrong in [
        format!("hello\n{text}"),
        text.replace("*filter\n", "*filter\nhello\n"),
        text.replace("COMMIT\n", ""),
    ] {
        assert_eq!(FamilyRules::parse(&wrong), None);
    }
}

#[test]
fn escape_sequences_in_others_rules_are_not_shown() {
    let family = with_rules_before("", "-A INPUT -m comment --comment \"\u{1b}[2J\" -j ACCEPT\n");
    for obstacle in &family.foreign {
        assert!(!obstacle.to_string().contains('\u{1b}'), "{obstacle}");
    }
}

/// A save with docker's chains, its jumps at the head of FORWARD, and such rules in DOCKER-USER.
fn with_docker(docker_user: &str) -> SavedFamily {
    let chains = ":DOCKER-USER - [0:0]\n:DOCKER - [0:0]\n:DOCKER-ISOLATION-STAGE-1 - [0:0]\n";
    let text = installed().replace("*filter\n", &format!("*filter\n{chains}"));
    let jumps = "-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n\
                 -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD -o docker0 -j DOCKER\n";
    let inside = format!(
        "{docker_user}-A DOCKER -d 172.17.0.2/32 -p tcp -j ACCEPT\n-A DOCKER-ISOLATION-STAGE-1 -j RETURN\nCOMMIT\n"
    );
    let text = text.replace(
        "-A FORWARD -j FWTUI-FORWARD\n",
        &format!("{jumps}-A FORWARD -j FWTUI-FORWARD\n"),
    );
    let rules = text.strip_suffix("COMMIT\n").unwrap();
    read(&format!("{rules}{inside}"))
}

#[test]
fn docker_in_front_is_no_matter_where_its_own_chain_leads_in() {
    for (docker_user, leads_in, jumps) in [
        ("-A DOCKER-USER -j FWTUI-FORWARD\n-A DOCKER-USER -j RETURN\n", true, 1),
        (
            "-A DOCKER-USER -s 192.0.2.1/32 -j DROP\n-A DOCKER-USER -j FWTUI-FORWARD\n",
            true,
            1,
        ),
        ("-A DOCKER-USER -j RETURN\n", false, 0),
        (
            "-A DOCKER-USER -i eth0 -j ACCEPT\n-A DOCKER-USER -j FWTUI-FORWARD\n",
            false,
            1,
        ),
        (
            "-A DOCKER-USER -s 192.0.2.1/32 -j RETURN\n-A DOCKER-USER -j FWTUI-FORWARD\n",
            false,
            1,
        ),
        ("-A DOCKER-USER -i eth0 -j FWTUI-FORWARD\n", false, 0),
        ("", false, 0),
    ] {
        let family = with_docker(docker_user);
        assert_eq!(family.misplaced.contains(&Hook::Forward), !leads_in, "{docker_user}");
        assert_eq!(
            family.foreign.iter().any(Obstacle::goes_first),
            !leads_in,
            "{docker_user}"
        );
        assert_eq!(
            family.docker_user,
            Some(DockerUser { jumps, leads_in }),
            "{docker_user}"
        );
        let text = docker_user_text(&family, true);
        assert_eq!(text.is_empty(), leads_in, "{docker_user}");
        assert!(
            leads_in || text.contains("-I DOCKER-USER 1 -j FWTUI-FORWARD\n"),
            "{text}"
        );
        let text = docker_user_text(&family, false);
        assert_eq!(
            text.matches("-D DOCKER-USER -j FWTUI-FORWARD\n").count(),
            jumps,
            "{text}"
        );
    }
    assert_eq!(read(&installed()).docker_user, None);
}
