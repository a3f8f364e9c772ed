//! The Checkup screen: what is drawn, and what keys do.

use std::time::{Duration, Instant};

use fwtui::app::Error;
use fwtui::app::check::Checkup;
use fwtui::core::checkup::{Finding, Kind, Place, Severity};
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::ScreenId;
use fwtui::tui::{Depth, Effect, Msg, update};

use crate::snapshot::{check, draw, text};
use crate::{Session, fixture, key};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];
const SIZE: (u16, u16) = (80, 24);

fn finding(id: &'static str, severity: Severity, place: Place, [what, why, advice]: [&str; 3]) -> Finding {
    let kind = Kind { id, severity, line: "" };
    Finding::new(&kind, place, what, why, advice)
}

fn rule(chain: &str, rule: &str) -> Place {
    Place {
        chain: Some(chain.into()),
        rule: Some(rule.into()),
        ..Place::default()
    }
}

fn sysctl(name: &str, file: &str, line: usize) -> Place {
    Place {
        file: Some(file.into()),
        line: Some(line),
        sysctl: Some(name.into()),
        ..Place::default()
    }
}

fn service(id: &str) -> Place {
    Place {
        service: Some(id.parse().unwrap()),
        ..Place::default()
    }
}

const INVALID: &str = "-A INPUT -m conntrack --ctstate INVALID -j DROP";

/// What a machine like others has.
fn findings() -> Vec<Finding> {
    use Severity::{Harmful, Info, Missing, Redundant, Risky};
    vec![
        finding(
            "ipv6-neighbour-discovery-refused",
            Harmful,
            rule(
                "ip6 filter INPUT",
                "-A INPUT -j REJECT --reject-with icmp6-port-unreachable",
            ),
            [
                "IPv6 neighbour discovery is refused by the last rule of INPUT.",
                "Neighbours' answers are ICMPv6 packets: once the entries in the cache expire, within seconds, no \
                 new connection by IPv6 works, in either direction.",
                "Accept icmpv6 types 133 to 137 before this rule, or refuse only TCP and UDP.",
            ],
        ),
        finding(
            "answers-refused",
            Harmful,
            rule("ip filter INPUT", "-A INPUT -i eth0 -j DROP"),
            [
                "Answers to this machine's own connections are dropped: nothing accepts ESTABLISHED before.",
                "What this machine asks for never arrives.",
                "Put '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' before it.",
            ],
        ),
        finding(
            "policy-drop-flush",
            Risky,
            Place {
                chain: Some("ip filter INPUT".into()),
                ..Place::default()
            },
            [
                "The policy of INPUT is DROP, and rules let SSH in.",
                "'iptables -F' takes the rules away and leaves the policy: it locks you out.",
                "Leave the policy at ACCEPT, and end the chain with a rule that refuses.",
            ],
        ),
        finding(
            "drop-invalid",
            Redundant,
            rule("ip filter INPUT", INVALID),
            [
                "Packets that conntrack calls INVALID are dropped.",
                "They belong to no connection, and the TCP stack discards or resets them by itself.",
                "Take the rule out.",
            ],
        ),
        finding(
            "sysctl-rp-filter",
            Redundant,
            sysctl("net.ipv4.conf.all.rp_filter", "/etc/sysctl.d/99-hardening.conf", 12),
            [
                "rp_filter is 1 (strict); the kernel's default is 0.",
                "With more than one way out, answers that come by the other one are dropped.",
                "Take the line out, or set 2 (loose).",
            ],
        ),
        finding(
            "service-could-be-loopback",
            Missing,
            service("5432/tcp"),
            [
                "PostgreSQL listens on every address.",
                "It is mostly used from this machine alone.",
                "Set listen_addresses = 'localhost' in postgresql.conf: then no rule is needed at all.",
            ],
        ),
        finding(
            "drop-instead-of-reject",
            Info,
            rule("ip filter INPUT", "-A INPUT -p tcp -j DROP"),
            [
                "Connections are dropped without an answer.",
                "A mistyped port looks like a dead machine; on the other side, scanners are slowed down.",
                "REJECT --reject-with tcp-reset is the polite answer; fwtui would use it.",
            ],
        ),
    ]
}

fn looked_at() -> Vec<String> {
    [
        "143 rules (IPv4 and IPv6)",
        "11 services",
        "212 kernel settings",
        "the updates of apt",
    ]
    .map(str::to_owned)
    .into()
}

fn found(findings: Vec<Finding>) -> Checkup {
    Checkup {
        findings,
        looked_at: looked_at(),
        ..Checkup::default()
    }
}

fn checked(number: u64, checkup: Checkup) -> Msg {
    Msg::Checked(number, Box::new(checkup))
}

/// A session on the screen, with what was found.
fn with(size: (u16, u16), checkup: Checkup) -> Session {
    let mut session = Session::on(size, fixture::decided());
    session.keys("4");
    session.send(checked(1, checkup));
    session
}

fn normal() -> Session {
    with(SIZE, found(findings()))
}

/// As many as nobody has.
fn crowded(count: usize) -> Vec<Finding> {
    let one = |index: usize| {
        finding(
            "rule-never-matches",
            Severity::Redundant,
            rule(
                "ip filter INPUT",
                &format!("-A INPUT -s 198.51.{}.{}/32 -j DROP", index / 256, index % 256),
            ),
            [
                "It never matches: rule 1 takes all it would.",
                "It does nothing but cost time.",
                "Take it out.",
            ],
        )
    };
    (0..count).map(one).collect()
}

fn at_every_size(name: &str, checkup: &dyn Fn() -> Checkup, act: &dyn Fn(&mut Session)) {
    for size in SIZES {
        let mut session = with(size, checkup());
        act(&mut session);
        check(&format!("{name}-{}x{}", size.0, size.1), &session.model);
    }
}

fn selected(session: &Session) -> &'static str {
    session.model.checkup.selected_item().unwrap().finding.id
}

fn mark(session: &mut Session, note: &str) -> Vec<Effect> {
    session.keys("i");
    session.text(note);
    session.keys("enter")
}

fn checks(effects: &[Effect]) -> Vec<u64> {
    let number = |effect: &Effect| match effect {
        Effect::Check(number) => Some(*number),
        _ => None,
    };
    effects.iter().filter_map(number).collect()
}

#[test]
fn findings_are_drawn() {
    at_every_size("checkup", &|| found(findings()), &|_| {});
    at_every_size("checkup-service", &|| found(findings()), &|session| {
        session.keys("down down down down down");
    });
    at_every_size("checkup-intended", &|| found(findings()), &|session| {
        session.keys("down down down");
        mark(session, "the auditors want it, ticket 4711");
        session.keys("end");
    });
    at_every_size("checkup-severity", &|| found(findings()), &|session| {
        session.keys("s s s");
    });
    at_every_size("checkup-crowded", &|| found(crowded(5000)), &|session| {
        session.keys("end up");
    });
}

#[test]
fn little_and_nothing_is_drawn() {
    at_every_size("checkup-nothing", &|| found(Vec::new()), &|_| {});
    let unseen = || {
        let unseen = [
            "The rules in the kernel can't be read without root: sudo fwtui check.",
            "The updates can't be told: /var/lib/apt/lists is empty.",
        ];
        Checkup {
            unseen: unseen.map(str::to_owned).into(),
            ..found(findings().split_off(5))
        }
    };
    at_every_size("checkup-unseen", &unseen, &|session| {
        session.keys("down down");
    });
    let blind = || Checkup {
        findings: Vec::new(),
        ..unseen()
    };
    at_every_size("checkup-nothing-unseen", &blind, &|_| {});
}

#[test]
fn a_check_under_way_is_drawn() {
    for size in SIZES {
        let mut session = Session::on(size, fixture::decided());
        session.keys("4");
        check(&format!("checkup-running-{}x{}", size.0, size.1), &session.model);
        session.send(checked(1, found(findings())));
        session.keys("f5");
        check(&format!("checkup-again-{}x{}", size.0, size.1), &session.model);
    }
}

#[test]
fn popups_over_findings_are_drawn() {
    at_every_size("checkup-full", &|| found(findings()), &|session| {
        session.keys("enter");
    });
    at_every_size("checkup-note", &|| found(findings()), &|session| {
        session.keys("i");
        session.text("because");
    });
    at_every_size("checkup-filter", &|| found(findings()), &|session| {
        session.keys("/");
        session.text("input drop");
    });
    at_every_size("checkup-help", &|| found(findings()), &|session| {
        session.keys("?");
    });
}

#[test]
fn the_machine_is_checked_when_the_screen_is_first_shown() {
    let mut session = Session::on(SIZE, fixture::decided());
    assert_eq!(checks(&session.keys("1 2 3")), [0u64; 0]);
    assert_eq!(checks(&session.keys("4")), [1]);
    assert_eq!(checks(&session.keys("1 4 down")), [0u64; 0]);
    session.send(checked(1, found(findings())));
    assert_eq!(checks(&session.keys("1 4 tab tab tab tab")), [0u64; 0]);
    assert_eq!(session.model.screen, ScreenId::Checkup);
    let effects = session.keys("f5");
    assert_eq!(checks(&effects), [2]);
    assert!(effects.contains(&Effect::Look(Depth::Complete)) && effects.contains(&Effect::Redraw));
    assert_eq!(checks(&session.keys("1 f5")), [0u64; 0]);
}

#[test]
fn impatience_starts_one_check_more_at_most() {
    let mut session = Session::on(SIZE, fixture::decided());
    assert_eq!(checks(&session.keys("4 f5 f5 f5")), [1]);
    assert_eq!(checks(&session.send(checked(1, found(findings())))), [2]);
    assert!(session.model.checkup.is_under_way());
    assert_eq!(checks(&session.send(checked(2, found(findings())))), [0u64; 0]);
    assert!(!session.model.checkup.is_under_way());
}

#[test]
fn an_older_answer_does_not_overwrite_a_newer_one() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("4 f5");
    session.send(checked(1, found(findings())));
    session.send(checked(2, found(Vec::new())));
    session.send(checked(1, found(findings())));
    assert!(session.model.checkup.items().is_empty());
}

#[test]
fn the_cursor_stays_on_its_finding_when_all_is_checked_again() {
    let mut session = normal();
    session.keys("down down down");
    assert_eq!(selected(&session), "drop-invalid");
    session.keys("f5");
    session.send(checked(2, found(findings().split_off(2))));
    assert_eq!(selected(&session), "drop-invalid");
    session.keys("f5");
    session.send(checked(3, found(findings().split_off(6))));
    assert_eq!(selected(&session), "drop-instead-of-reject");
}

#[test]
fn what_is_intended_goes_to_the_end_and_is_saved() {
    let mut session = normal();
    session.keys("down down down");
    assert_eq!(session.model.checkup.count(Severity::Redundant), 2);
    let before = session.model.policy.clone();
    let effects = mark(&mut session, "the auditors want it");
    let Some(Effect::Save { wanted, .. }) = effects.first() else {
        panic!("{effects:?}");
    };
    assert_eq!(wanted.known.note("drop-invalid", INVALID), Some("the auditors want it"));
    assert!(wanted.wants_the_same_as(&before));
    // The cursor is where it was, on what came next.
    assert_eq!(selected(&session), "sysctl-rp-filter");
    assert_eq!(session.model.checkup.count(Severity::Redundant), 1);
    assert_eq!(session.model.checkup.known(), 1);
    assert!(session.notice().contains("no longer counts"), "{}", session.notice());
    session.keys("end");
    assert_eq!(selected(&session), "drop-invalid");
    // i again takes it back, and u brings it back.
    let effects = session.keys("i");
    assert!(matches!(effects.as_slice(), [Effect::Save { wanted, .. }] if **wanted == before));
    assert_eq!(session.model.checkup.known(), 0);
    session.keys("u");
    assert_eq!(session.model.checkup.known(), 1);
    session.keys("u");
    assert_eq!(session.model.checkup.known(), 0);
    assert_eq!(session.model.policy, before);
}

#[test]
fn a_mark_is_no_change_that_waits() {
    let mut observation = fixture::decided();
    observation.policy = fixture::confirmed_policy();
    let mut session = Session::on(SIZE, observation);
    session.keys("4");
    session.send(checked(1, found(findings())));
    mark(&mut session, "so be it");
    assert!(!session.model.has_pending());
    assert_eq!(session.model.services.counts().changed, 0);
    session.keys("esc a");
    assert!(session.notice().contains("Nothing to apply"), "{}", session.notice());
}

/// Another fwtui may mark something while the question is open: what would be applied is the same.
#[test]
fn a_mark_made_elsewhere_does_not_take_the_question_away() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("a");
    let mut marked = fixture::decided();
    marked.policy.mark_known("drop-invalid", INVALID, "elsewhere").unwrap();
    session.send(Msg::Seen(Depth::Complete, Box::new(marked.clone())));
    assert!(matches!(session.model.popups.as_slice(), [Popup::Apply(_)]));
    marked.policy = fixture::confirmed_policy();
    session.send(Msg::Seen(Depth::Complete, Box::new(marked)));
    assert!(session.model.popups.is_empty());
}

#[test]
fn a_note_must_say_something_in_one_line() {
    let mut session = normal();
    assert_eq!(mark(&mut session, "  "), []);
    let Some(Popup::Entry(entry)) = session.model.popups.last() else {
        panic!("the question is gone");
    };
    assert!(
        entry.error.as_ref().unwrap().contains("a note is needed") || entry.error.as_ref().unwrap().contains("A note")
    );
    session.text(&"x".repeat(300));
    assert_eq!(session.keys("enter"), []);
    assert!(text(&draw(&session.model)).contains("200 characters at most"));
    session.keys("esc");
    assert!(session.model.popups.is_empty() && session.model.checkup.known() == 0);
}

#[test]
fn a_mark_that_can_not_be_saved_is_not_shown() {
    let mut session = normal();
    mark(&mut session, "so be it");
    let policy = Box::new(session.model.policy.clone());
    session.send(Msg::Saved(policy, Err(Error::failed("no space left on device"))));
    assert_eq!(session.model.checkup.known(), 0);
    assert!(matches!(session.model.popups.as_slice(), [Popup::Message(_)]));
}

#[test]
fn without_root_nothing_is_marked() {
    let mut session = Session::on(SIZE, fixture::without_root());
    session.keys("4");
    session.send(checked(1, found(findings())));
    assert_eq!(session.keys("i"), []);
    assert!(session.notice().contains("sudo fwtui"), "{}", session.notice());
    assert!(session.model.popups.is_empty());
}

#[test]
fn enter_leads_to_the_service() {
    let mut session = normal();
    // A filter on the other screen must not hide it.
    session.keys("1 /");
    session.text("sshd");
    session.keys("enter 4");
    session.keys("down down down down down enter");
    assert_eq!(session.model.screen, ScreenId::Services);
    assert_eq!(
        session.model.services.selected().unwrap().service.id.to_string(),
        "5432/tcp"
    );
    session.keys("4");
    assert_eq!(selected(&session), "service-could-be-loopback");
    // All of its text is there too.
    session.keys("f");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Finding(_)]));
    session.keys("esc");
    let mut gone = fixture::decided();
    gone.services.retain(|service| service.id.to_string() != "5432/tcp");
    gone.policy.services.retain(|id, _| id.to_string() != "5432/tcp");
    session.send(Msg::Seen(Depth::Complete, Box::new(gone)));
    session.keys("esc enter");
    assert_eq!(session.model.screen, ScreenId::Checkup);
    assert!(
        session.notice().contains("5432/tcp is no longer"),
        "{}",
        session.notice()
    );
}

#[test]
fn the_whole_text_can_be_read_where_it_does_not_fit() {
    let mut session = with((60, 20), found(findings()));
    session.keys("enter");
    let mut seen = text(&draw(&session.model));
    session.keys("end");
    seen.push_str(&text(&draw(&session.model)));
    for words in [
        "neighbour discovery is",
        "expire",
        "icmpv6 types",
        "ip6 filter INPUT",
        "--reject-with",
    ] {
        assert!(seen.contains(words), "{words}:\n{seen}");
    }
    session.keys("q");
    assert!(session.model.popups.is_empty());
}

#[test]
fn severities_are_shown_one_by_one_and_those_without_findings_left_out() {
    let mut session = with(SIZE, found(findings().split_off(2)));
    let mut seen = Vec::new();
    for _ in 0..5 {
        session.keys("s");
        seen.push(session.model.checkup.severity().map(Severity::word));
    }
    assert_eq!(
        seen,
        [Some("risky"), Some("redundant"), Some("missing"), Some("info"), None]
    );
    session.keys("s s");
    assert_eq!(session.model.checkup.len(), 2);
    session.keys("esc");
    assert_eq!(session.model.checkup.severity(), None);
}

#[test]
fn a_filter_is_this_screens_own() {
    let mut session = normal();
    session.keys("/");
    session.text("rp_filter");
    session.keys("enter");
    assert_eq!(
        (session.model.checkup.len(), selected(&session)),
        (1, "sysctl-rp-filter")
    );
    assert_eq!(session.model.services.filter(), "");
    session.keys("/ ctrl-u");
    session.text("nothing like that");
    assert!(text(&draw(&session.model)).contains("0 of 7"));
    session.keys("esc");
    assert_eq!(session.model.checkup.len(), 1);
    session.keys("esc");
    assert_eq!(session.model.checkup.len(), 7);
}

#[test]
fn changed_rules_make_it_outdated() {
    let mut session = normal();
    let shows = |session: &Session| text(&draw(&session.model)).contains("The rules have changed since");
    assert!(!shows(&session));
    session.send(Msg::RulesChanged(vec!["nft".into()]));
    assert!(shows(&session));
    session.keys("f5");
    session.send(checked(2, found(findings())));
    assert!(!shows(&session));
}

/// Rules carry comments, and comments carry anything.
#[test]
fn nothing_a_rule_says_reaches_the_terminal() {
    let evil = "\u{1b}[2J\u{7}\u{202e}\n\u{9b}31m";
    let evil = finding(
        "drop-invalid",
        Severity::Redundant,
        Place {
            file: Some(evil.into()),
            chain: Some(evil.into()),
            rule: Some(evil.into()),
            sysctl: Some(evil.into()),
            ..Place::default()
        },
        [evil, evil, evil],
    );
    for size in SIZES {
        let found = Checkup {
            findings: vec![evil.clone()],
            unseen: vec![evil.what.clone()],
            looked_at: vec![evil.what.clone()],
        };
        let mut session = with(size, found);
        for keys in ["home", "f", "esc down", "f", "esc"] {
            session.keys(keys);
            let drawn = text(&draw(&session.model));
            let is_harmless = |letter: char| letter == '\n' || !letter.is_control() && letter != '\u{202e}';
            assert!(drawn.chars().all(is_harmless), "{drawn:?}");
        }
        // The mark is about the rule as it is, whatever is in it.
        session.keys("home");
        mark(&mut session, "so be it");
        let (subject, note) = (&evil.place.rule, "so be it");
        assert_eq!(
            session
                .model
                .policy
                .known
                .note("drop-invalid", subject.as_ref().unwrap()),
            Some(note)
        );
    }
}

#[test]
fn five_thousand_findings_scroll_at_once() {
    let mut session = with((120, 40), found(crowded(5000)));
    let rounds = 50;
    let start = Instant::now();
    for _ in 0..rounds {
        update(&mut session.model, Msg::Key(key("pgdn")));
        draw(&session.model);
    }
    assert!(
        start.elapsed() / rounds < Duration::from_millis(50),
        "{:?}",
        start.elapsed() / rounds
    );
    let start = Instant::now();
    session.keys("/");
    session.text("198.51.7");
    draw(&session.model);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_click_selects_and_the_wheel_moves() {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let mut session = normal();
    let at = |kind, column, row| {
        Msg::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    };
    session.send(at(MouseEventKind::Down(MouseButton::Left), 20, 6));
    assert_eq!(session.model.checkup.list.cursor, 2);
    session.send(at(MouseEventKind::ScrollDown, 20, 6));
    assert_eq!(session.model.checkup.list.cursor, 5);
    session.send(at(MouseEventKind::Down(MouseButton::Left), 30, 1));
    assert_eq!(session.model.screen, ScreenId::Preview);
    session.send(at(MouseEventKind::Down(MouseButton::Left), 42, 1));
    assert_eq!(session.model.screen, ScreenId::Checkup);
}

#[test]
fn every_size_is_drawn_whole() {
    for width in [60, 61, 79, 80, 99, 100, 133, 199] {
        for height in [20, 23, 24, 30, 47] {
            for observation in [fixture::decided(), fixture::on_trial(5)] {
                let mut session = Session::on((width, height), observation);
                for keys in ["4", "f", "esc", "i", "esc", "/", "esc", "s", "end", "f5"] {
                    session.keys(keys);
                    draw(&session.model);
                    session.send(checked(1, found(findings())));
                }
            }
        }
    }
}
