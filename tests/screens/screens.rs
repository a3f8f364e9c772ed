//! What is drawn.

use std::time::Duration;

use fwtui::app::{Error, Kind, Line, Presence, State};
use fwtui::core::listener::Family;
use fwtui::core::proof::Doubt;
use fwtui::core::tools::Manager;
use fwtui::core::way_in::WayIn;
use fwtui::tui::model::Notice;
use fwtui::tui::theme::Token;
use fwtui::tui::{Depth, Knock, Msg, Neighbour, Seen};

use crate::Session;
use crate::fixture::{self, decide};
use crate::snapshot::{check, draw, text};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

/// A session at every size, each compared with its file.
pub(crate) fn at_every_size(name: &str, observation: &dyn Fn() -> fwtui::app::Observation, act: &dyn Fn(&mut Session)) {
    for size in SIZES {
        let mut session = Session::on(size, observation());
        act(&mut session);
        check(&format!("{name}-{}x{}", size.0, size.1), &session.model);
    }
    crate::keymaps::with_other_keys(|| {
        let mut session = Session::on((120, 40), observation());
        act(&mut session);
        check(name, &session.model);
    });
}

fn nothing(_: &mut Session) {}

#[test]
fn services() {
    at_every_size("services-fresh", &fixture::fresh, &nothing);
    at_every_size("services-decided", &fixture::decided, &|session| {
        session.keys("down down down down down down down");
    });
    at_every_size("services-better-off", &fixture::decided, &|session| {
        session.keys("down down down down");
    });
    at_every_size("services-safer", &fixture::decided, &|session| {
        session.keys("down down down down down down down down o");
    });
    at_every_size("services-trial", &|| fixture::on_trial(83), &nothing);
    at_every_size("services-last-seconds", &|| fixture::on_trial(9), &nothing);
    at_every_size("services-without-root", &fixture::without_root, &nothing);
    at_every_size("services-weird-names", &fixture::weird, &nothing);
}

/// Other tools beside fwtui: those that decide are named where there is room.
#[test]
fn services_beside_other_tools() {
    let beside = || {
        let mut observation = fixture::decided();
        let tools = [
            (Manager::Ufw, Some(true), Some(true)),
            (Manager::Nftables, None, Some(true)),
            (Manager::Docker, Some(true), Some(true)),
        ];
        observation.status.tools = tools
            .into_iter()
            .map(|(manager, in_kernel, at_boot)| Presence {
                manager,
                in_kernel,
                at_boot,
                how: String::new(),
                boot: String::new(),
                has_rules: in_kernel == Some(true),
                flushes: false,
            })
            .collect();
        observation
    };
    at_every_size("services-other-tools", &beside, &nothing);
}

/// What a neighbour gets at every service here.
fn knocks(neighbour: Neighbour, [ipv4, ipv6]: [Knock; 2]) -> [Seen; 2] {
    [(neighbour, Family::Ipv4, ipv4), (neighbour, Family::Ipv6, ipv6)]
}

#[test]
fn services_in_the_sandbox() {
    let after = Duration::ZERO;
    let (answered, refused) = (Knock::Answered, Knock::Refused { after });
    let seen = [
        knocks(Neighbour::Public, [refused, refused]),
        knocks(Neighbour::Trusted, [answered, refused]),
        knocks(Neighbour::Far, [Knock::Silent, Knock::Silent]),
    ]
    .concat();
    for size in SIZES {
        let mut session = Session::unseen(size);
        session.model.neighbours.are_there = true;
        session.send(Msg::Seen(Depth::Complete, Box::new(fixture::decided())));
        if size.0 == 80 {
            check("services-knocking-80x24", &session.model);
        }
        session.send(Msg::Knocked("22/tcp".parse().unwrap(), Some(seen.clone())));
        check(&format!("services-sandbox-{}x{}", size.0, size.1), &session.model);
    }
}

#[test]
fn services_marked_filtered_sorted() {
    let mut session = Session::on((80, 24), fixture::decided());
    session.keys("s s s space space");
    check("services-marked-80x24", &session.model);
    session.keys("esc esc /");
    session.text("post");
    check("services-filter-80x24", &session.model);
    session.keys("enter");
    check("services-filtered-80x24", &session.model);
}

#[test]
fn services_with_troubles() {
    let mut observation = fixture::decided();
    observation.policy_error = Some("/etc/fwtui/policy.json: line 7, column 5: unknown field `refuse`".into());
    observation.status.state = State::Drifted;
    observation.status.can_restore = true;
    observation.status.drift = Some("IPv4: fwtui's rules are gone from the kernel".into());
    observation.status.other_backend = Some("iptables-legacy has 12 rules".into());
    at_every_size("services-troubles", &|| observation.clone(), &|session| {
        session.keys("c");
    });
}

#[test]
fn what_cant_be_told_is_not_claimed() {
    let blind = || {
        let mut observation = fixture::decided();
        let why = "The rules can't be read: iptables-save: Permission denied";
        observation.filter = None;
        observation.netfilter = None;
        observation.status.state = State::Unknown;
        observation.status.drift = Some(why.into());
        observation.unseen = vec![format!("{why}.")];
        observation
    };
    at_every_size("services-unknown", &blind, &|_session| {});
    at_every_size("preview-unknown", &blind, &|session| {
        session.keys("p a");
    });
}

#[test]
fn networks() {
    at_every_size("networks", &fixture::decided, &|session| {
        session.keys("2 down");
    });
    at_every_size("networks-trial", &|| fixture::on_trial(41), &|session| {
        session.keys("2 end");
    });
}

#[test]
fn preview() {
    at_every_size("preview", &fixture::decided, &|session| {
        session.keys("p");
    });
    at_every_size("preview-rules", &fixture::decided, &|session| {
        session.keys("p v v right down down");
    });
    at_every_size("preview-lockout", &|| locked_out(fixture::ssh()), &|session| {
        session.keys("p");
    });
    at_every_size("preview-without-root", &fixture::without_root, &|session| {
        session.keys("p");
    });
}

#[test]
fn while_others_are_connected() {
    at_every_size("preview-running", &fixture::busy, &|session| {
        session.keys("p");
    });
    at_every_size("apply-running", &fixture::busy, &|session| {
        session.keys("a");
    });
    at_every_size("apply-running-ended", &fixture::busy, &|session| {
        session.keys("a e");
    });
}

fn locked_out(way_in: WayIn) -> fwtui::app::Observation {
    let mut observation = fixture::decided();
    decide(
        &mut observation.policy,
        "22/tcp",
        fwtui::core::policy::Decision::Confine,
        &[],
    );
    observation.ways_in = vec![way_in];
    observation
}

#[test]
fn popups() {
    at_every_size("help", &fixture::decided, &|session| {
        session.keys("?");
    });
    at_every_size("apply", &fixture::decided, &|session| {
        session.keys("a");
    });
    at_every_size("apply-lockout", &|| locked_out(fixture::ssh()), &|session| {
        session.keys("a");
        session.text("22/t");
    });
    at_every_size("apply-off", &fixture::decided, &|session| {
        session.keys("p O");
    });
    at_every_size("keep", &|| fixture::on_trial(62), &|session| {
        session.keys("k");
    });
    at_every_size("leave", &|| fixture::on_trial(62), &|session| {
        session.keys("q");
    });
    at_every_size("sources", &fixture::decided, &|session| {
        session.keys("f");
        session.text("192.0.2.0/24, nonsense");
        session.keys("enter");
    });
    at_every_size("error", &fixture::decided, &|session| {
        let error = Error::failed("applying failed: iptables-restore: line 12 failed")
            .hint("Other rules are untouched; the words are those of the program.");
        session.send(Msg::Applied(Err(error)));
    });
}

/// A refusal to keep, as the machine words it.
fn unproven() -> Error {
    Error::new(Kind::Unproven, Doubt::Old.to_string())
        .hint(format!(
            "Open a new connection and confirm there: {}",
            fixture::SECOND_SESSION
        ))
        .hint("Or, if you are sure all the same: fwtui confirm --unproven")
}

#[test]
fn a_trial_over_ssh() {
    let none = || fixture::on_trial_over_ssh(83, &[]);
    let seen = || fixture::on_trial_over_ssh(83, &[fixture::evidence("192.0.2.7", 12)]);
    at_every_size("trial-without-evidence", &none, &nothing);
    at_every_size("trial-with-evidence", &seen, &nothing);
    at_every_size("keep-without-evidence", &none, &|session| {
        session.keys("k");
    });
    at_every_size("keep-with-evidence", &seen, &|session| {
        session.keys("k");
    });
    at_every_size("unproven", &none, &|session| {
        session.keys("k y");
        session.send(Msg::Confirmed(Err(unproven())));
    });
}

#[test]
fn what_to_type_in_the_second_terminal_is_whole_in_the_question() {
    let long =
        "ssh -t -o ControlPath=none -p 65022 administrator@2001:db8:1234:5678:9abc:def0:1234:5678 sudo fwtui confirm";
    for size in SIZES {
        for refusal in [None, Some(unproven())] {
            let mut observation = fixture::on_trial_over_ssh(83, &[]);
            observation.status.trial.as_mut().unwrap().second_session = Some(long.into());
            let mut session = Session::on(size, observation);
            let drawn = text(&draw(&session.model));
            let is_whole = drawn.contains("sudo fwtui confirm") && drawn.contains("-p 65022");
            assert!(is_whole || drawn.contains("k shows how to open one"), "{drawn}");
            session.keys("k");
            if let Some(refusal) = refusal {
                session.keys("y");
                let hint = format!("Open a new connection and confirm there: {long}");
                session.send(Msg::Confirmed(Err(Error {
                    hints: vec![hint],
                    ..refusal
                })));
            }
            let drawn = text(&draw(&session.model));
            let popup: String = drawn
                .lines()
                .filter_map(|line| line.split('│').nth(1))
                .flat_map(str::split_whitespace)
                .collect();
            assert!(popup.contains(&long.replace(' ', "")), "{drawn}");
            assert!(drawn.contains("83 seconds"), "{drawn}");
        }
    }
}

#[test]
fn a_service_that_is_disabled() {
    at_every_size("disable", &fixture::decided, &crate::disabling::asked);
    let wanted = |session: &mut Session, keys: &str| {
        crate::disabling::asked(session);
        session.keys(keys);
    };
    at_every_size("disable-wanted", &fixture::decided, &|session| wanted(session, "y"));
    at_every_size("disable-preview", &fixture::decided, &|session| wanted(session, "y p"));
    at_every_size("disable-apply", &fixture::decided, &|session| wanted(session, "y a"));
    let on_trial = || {
        let mut observation = fixture::on_trial(62);
        let trial = observation.status.trial.as_mut().unwrap();
        let note = fwtui::core::unit::kernel_note(&["postgresql.service".to_owned()], &[]);
        trial.kernel_note = note.map(Into::into);
        observation
    };
    at_every_size("disable-trial", &on_trial, &nothing);
}

#[test]
fn protection_that_is_not_whole() {
    let mut observation = fixture::decided();
    observation.status.protection = fixture::protection(false);
    at_every_size("apply-reduced-protection", &|| observation.clone(), &|session| {
        session.keys("a");
    });
    let mut observation = fixture::on_trial_over_ssh(83, &[]);
    observation.status.protection = fixture::protection(false);
    at_every_size("trial-reduced-protection", &|| observation.clone(), &nothing);
}

#[test]
fn drift() {
    at_every_size("drifted", &fixture::decided, &|session| {
        session.send(Msg::RulesChanged(vec!["nft".into()]));
        session.send(Msg::Status(Box::new(fixture::drifted().status)));
        session.send(Msg::Seen(Depth::Complete, Box::new(fixture::drifted())));
    });
    at_every_size("restore", &fixture::drifted, &|session| {
        session.keys("R");
    });
}

#[test]
fn rules_on_trial_that_something_changed() {
    let changed = || {
        let mut observation = fixture::on_trial(62);
        let why = "IPv4: fwtui's rules are gone from the kernel";
        observation.status.drift = Some(why.into());
        observation.status.protection = fixture::protection(true);
        for line in &mut observation.status.protection {
            if line.line == Line::Kernel {
                (line.holds, line.why) = (false, format!("the rules on trial were changed: {why}"));
            }
        }
        observation
    };
    // What was said when they came into force is no longer so.
    at_every_size("trial-changed", &|| fixture::on_trial(62), &|session| {
        session
            .model
            .say(Token::Text, "The new rules are in force. Does everything work?");
        session.send(Msg::Status(Box::new(changed().status)));
    });
    at_every_size("trial-changed-keep", &changed, &|session| {
        session.keys("k");
    });
}

#[test]
fn the_last_trial_is_told_whole() {
    for size in SIZES {
        let mut session = Session::unseen(size);
        let mut observation = fixture::decided();
        let last = observation.status.last.as_mut().unwrap();
        last.outcome = "reverted".into();
        last.reason = Some("reboot".into());
        last.why = Some("the machine was restarted".into());
        session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
        check(&format!("last-trial-{}x{}", size.0, size.1), &session.model);
    }
}

#[test]
fn too_small_is_said_politely_and_keeps_the_countdown() {
    for (observation, name) in [
        (fixture::decided(), "small-20x5"),
        (fixture::on_trial(42), "small-trial-20x5"),
    ] {
        check(name, &Session::on((20, 5), observation).model);
    }
    for size in [(0, 0), (1, 1), (2, 1), (59, 19), (60, 19), (400, 3)] {
        draw(&Session::on(size, fixture::on_trial(5)).model);
    }
}

#[test]
fn a_question_that_is_not_seen_is_named_in_the_line_that_is() {
    let mut session = Session::on((40, 6), fixture::on_trial(42));
    let said = |session: &Session| text(&draw(&session.model)).replace('\n', " ");
    assert!(said(&session).contains("k keep · r revert now"), "{}", said(&session));
    session.keys("k");
    assert!(
        said(&session).contains("keep the new rules? y yes · esc no"),
        "{}",
        said(&session)
    );
    session.keys("esc q");
    assert!(
        said(&session).contains("leave? y leave it running"),
        "{}",
        said(&session)
    );
    // What is not seen is not changed; what was open stays open.
    session.keys("esc ? 2 o");
    assert!(said(&session).contains("k keep · r revert now"), "{}", said(&session));
    session.send(Msg::Resize(80, 24));
    session.keys("?");
    session.send(Msg::Resize(40, 6));
    assert!(said(&session).contains("a window is open"), "{}", said(&session));
    session.keys("esc k y");
    session.send(Msg::Confirmed(Ok(None)));
    assert!(said(&session).starts_with("Kept."), "{}", said(&session));
    // Where only one of the two has room, it is what helps.
    session.send(Msg::Resize(16, 3));
    assert!(said(&session).starts_with("fwtui needs"), "{}", said(&session));
}

#[test]
fn every_size_is_drawn_whole() {
    let keys = ["1", "2", "p", "v", "?", "esc", "a", "esc", "f", "esc", "/", "esc"];
    for width in [60, 61, 79, 80, 99, 100, 133, 199] {
        for height in [20, 23, 24, 30, 47] {
            let over_ssh = fixture::on_trial_over_ssh(5, &[fixture::evidence("2001:db8::7", 3)]);
            for observation in [fixture::decided(), over_ssh, fixture::weird()] {
                let mut session = Session::on((width, height), observation);
                for name in keys {
                    session.keys(name);
                    draw(&session.model);
                }
            }
        }
    }
}

#[test]
fn nothing_a_process_calls_itself_reaches_the_terminal() {
    let mut session = Session::on((120, 40), fixture::weird());
    for name in ["1", "down", "down", "down", "down", "p"] {
        session.keys(name);
        assert!(
            text(&draw(&session.model))
                .chars()
                .all(|character| character == '\n' || !character.is_control())
        );
    }
}

#[test]
fn the_banner_is_on_every_screen_and_beside_every_popup() {
    for keys in [
        "1",
        "2",
        "3",
        "4",
        "1 ?",
        "1 w",
        "1 w enter",
        "k",
        "q",
        "/",
        "f",
        "b",
        "2 +",
        "3 ?",
        "4 ?",
    ] {
        for size in SIZES {
            let mut session = Session::on(size, fixture::on_trial(42));
            session.keys(keys);
            let drawn = text(&draw(&session.model));
            assert!(drawn.contains("42 seconds"), "{keys}:\n{drawn}");
            assert!(drawn.contains("sudo fwtui confirm"), "{keys}:\n{drawn}");
        }
    }
}

/// What is read while a message comes stays where it is; the message lies over the end of the details.
#[test]
fn a_message_of_some_lines_moves_nothing() {
    for size in SIZES {
        for screen in ["1", "2", "3", "4"] {
            let mut session = Session::on(size, fixture::decided());
            session.keys(screen);
            let lines = |session: &Session| -> Vec<String> {
                let text = text(&draw(&session.model));
                text.lines().map(ToOwned::to_owned).collect()
            };
            let before = lines(&session);
            session.model.notice = Some(Notice {
                token: Token::Text,
                text: "word ".repeat(usize::from(size.0) / 2),
            });
            let after = lines(&session);
            let height = usize::from(size.1);
            assert_eq!(before[..height - 4], after[..height - 4], "{size:?} {screen}");
            assert!(after[height - 4].starts_with(" word word"), "{size:?} {screen}");
            assert_eq!(before[height - 1], after[height - 1]);
        }
    }
}
