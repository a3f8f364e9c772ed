//! Networks, what applying would change, and the question before it.

mod apply;
mod file;
pub(crate) mod networks;
mod search;

use fwtui::app::Observation;
use fwtui::core::policy::Decision;

use crate::Session;
use crate::fixture::{self, decide};
use crate::screens::at_every_size;
use crate::snapshot::{draw, text};

/// So many services, each with a decision, and nothing of it in force.
pub(crate) fn many(count: u16) -> Observation {
    let mut observation = fixture::crowded(count);
    for index in 0..count {
        let decision = match index % 3 {
            0 => Decision::Open,
            1 => Decision::Trusted,
            _ => Decision::Confine,
        };
        decide(&mut observation.policy, &format!("{}/tcp", 1000 + index), decision, &[]);
    }
    decide(&mut observation.policy, "22/tcp", Decision::Open, &[]);
    observation
}

/// What is drawn.
fn drawn(session: &Session) -> String {
    text(&draw(&session.model))
}

#[test]
fn the_preview_in_every_view() {
    let done = || {
        let mut observation = fixture::decided();
        observation.policy = fixture::confirmed_policy();
        observation
    };
    at_every_size("preview-done", &done, &|session| {
        session.keys("p");
    });
    at_every_size("preview-crowded", &|| many(300), &|session| {
        session.keys("p pgdn");
    });
    at_every_size("preview-full", &fixture::decided, &|session| {
        session.keys("p v");
    });
    at_every_size("preview-ipv6", &fixture::decided, &|session| {
        session.keys("p v v v end");
    });
    at_every_size("preview-nft", &fixture::decided, &|session| {
        session.keys("p v v v v");
    });
}

#[test]
fn those_who_lose_come_before_those_who_gain() {
    let mut session = Session::on((120, 40), fixture::decided());
    session.keys("p");
    let shown = drawn(&session);
    let at = |words: &str| shown.find(words).unwrap_or_else(|| panic!("{words}: {shown}"));
    let order = [
        "will be",
        "You keep",
        "Only this machine",
        "Only trusted networks",
        "Everyone can",
    ]
    .map(at);
    assert!(order.is_sorted(), "{order:?}: {shown}");
}
