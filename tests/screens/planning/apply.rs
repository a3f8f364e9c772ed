//! The question before an apply: what must be read before a yes counts.

use fwtui::app::Observation;
use fwtui::core::policy::Decision;
use fwtui::core::tools::Manager;
use fwtui::tui::Effect;

use super::drawn;
use crate::fixture::{self, decide};
use crate::screens::at_every_size;
use crate::sessions::SIZE;
use crate::{Session, key};

/// With more warnings than a small terminal shows at once.
fn warned() -> Observation {
    let mut observation = fixture::decided();
    decide(&mut observation.policy, "111/tcp", Decision::Open, &[]);
    observation.status.other_backend = Some("iptables-legacy has 12 rules in the tables filter and nat".into());
    let tools = [Manager::Ufw, Manager::Firewalld, Manager::Nftables];
    observation.status.tools = tools.map(fixture::presence).into();
    observation
}

fn locked_out() -> Observation {
    let mut observation = fixture::decided();
    decide(&mut observation.policy, "22/tcp", Decision::Confine, &[]);
    observation
}

#[test]
fn a_yes_counts_only_after_every_warning_was_in_sight() {
    let mut session = Session::on((60, 20), warned());
    session.keys("a");
    let shown = drawn(&session);
    assert!(shown.contains("more with warnings"), "{shown}");
    assert!(!shown.contains("y apply"), "{shown}");
    assert_eq!(session.keys("y"), [], "not everything was in sight");
    assert_eq!(session.keys("enter"), []);
    // What is jumped over was not in sight.
    session.keys("end");
    assert_eq!(session.keys("y"), []);
    session.keys("home");
    let mut seen = 0;
    while !drawn(&session).contains("y apply") {
        session.keys("down");
        seen += 1;
        assert!(seen < 60, "{}", drawn(&session));
    }
    assert!(seen > 0);
    // Back at the beginning it was still read.
    session.keys("home");
    assert!(matches!(session.keys("y").as_slice(), [Effect::Apply(_)]));
}

#[test]
fn where_everything_is_in_sight_a_yes_is_enough() {
    let mut session = Session::on((120, 40), warned());
    session.keys("a");
    assert!(drawn(&session).contains("y apply"), "{}", drawn(&session));
    assert!(matches!(session.keys("y").as_slice(), [Effect::Apply(_)]));
}

#[test]
fn a_wrong_word_is_told_and_a_pasted_one_is_taken() {
    let mut session = Session::on(SIZE, locked_out());
    session.keys("a");
    session.text("ssh");
    assert_eq!(session.keys("enter"), []);
    let shown = drawn(&session);
    assert!(
        shown.contains("'ssh' is not 22/tcp: nothing is applied yet."),
        "{shown}"
    );
    session.text("  22/tcp ");
    assert!(!drawn(&session).contains("is not 22/tcp"), "{}", drawn(&session));
    session.keys("enter");
    assert!(matches!(session.keys("y").as_slice(), [Effect::Apply(request)] if request.accepted_lockouts.len() == 1));
    let mut session = Session::on(SIZE, locked_out());
    session.keys("a");
    session.text(&"0123456789".repeat(10_000));
    session.send(fwtui::tui::Msg::Key(key("enter")));
    assert!(drawn(&session).contains("is not 22/tcp"), "{}", drawn(&session));
}

#[test]
fn warnings_are_drawn() {
    at_every_size("apply-warnings", &warned, &|session| {
        session.keys("a");
    });
    at_every_size("apply-warnings-read", &warned, &|session| {
        session.keys("a pgdn pgdn pgdn");
    });
    at_every_size("apply-wrong-word", &locked_out, &|session| {
        session.keys("a");
        session.text("ssh");
        session.keys("enter");
    });
}
