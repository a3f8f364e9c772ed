//! The Checkup screen: what is drawn.

use fwtui::app::check::Checkup;
use fwtui::core::checkup::{Place, Severity};
use fwtui::tui::Effect;

use crate::snapshot::{check, draw, text};
use crate::{Session, fixture};

mod found;
mod keys;

use found::{SIZES, checked, crowded, finding, with};
pub(crate) use found::{findings, found};

fn at_every_size(name: &str, checkup: &dyn Fn() -> Checkup, act: &dyn Fn(&mut Session)) {
    for size in SIZES {
        let mut session = with(size, checkup());
        act(&mut session);
        check(&format!("{name}-{}x{}", size.0, size.1), &session.model);
    }
}

fn mark(session: &mut Session, note: &str) -> Vec<Effect> {
    session.keys("i");
    session.text(note);
    session.keys("enter")
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
