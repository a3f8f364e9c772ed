//! Who can be on a network, and what another class would change.

use fwtui::app::Observation;
use fwtui::core::network::InterfaceKind;
use fwtui::tui::popups::Popup;
use fwtui::tui::{Effect, Msg};

use super::drawn;
use crate::screens::at_every_size;
use crate::sessions::{SIZE, saved};
use crate::{Session, fixture};

/// As many interfaces as a host of containers has.
pub(crate) fn crowded() -> Observation {
    let mut observation = fixture::decided();
    for index in 0..40u8 {
        let address = format!("172.{}.0.1/16", 16 + index % 16);
        let network = format!("172.{}.0.0/16", 16 + index % 16);
        observation.interfaces.push(fixture::interface(
            u32::from(index) + 10,
            &format!("br-0123456789{index:02}"),
            InterfaceKind::Bridge,
            "bridge",
            &[&address],
            &[&network],
        ));
    }
    observation.world = fixture::world(observation.interfaces.clone());
    observation
}

/// With a router behind the uplink.
fn routed() -> Observation {
    let mut observation = fixture::decided();
    let routers = ["192.0.2.1", "fe80::1"].map(|router| router.parse().unwrap());
    observation.world.routers.insert(2, routers.into());
    observation
}

#[test]
fn another_class_is_told_before_it_is_chosen() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("2");
    let shown = drawn(&session);
    assert!(
        shown.contains("If it were trusted, its neighbours would also reach avahi-daemon 5353/udp"),
        "{shown}"
    );
    session.keys("c");
    let shown = drawn(&session);
    assert!(
        shown.contains("If it were public, its neighbours would no longer reach avahi-daemon"),
        "{shown}"
    );
}

#[test]
fn what_is_worked_out_belongs_to_the_policy_it_was_asked_for() {
    let mut session = Session::on(SIZE, fixture::decided());
    let effects = session.model.clone();
    let mut model = effects;
    let asked = fwtui::tui::update(&mut model, Msg::Key(crate::key("2")));
    assert!(matches!(asked.as_slice(), [Effect::AskClasses(_)]), "{asked:?}");
    // One at a time; what is edited meanwhile is asked for afterwards.
    let edited = fwtui::tui::update(&mut model, Msg::Key(crate::key("c")));
    assert!(saved(&edited).is_some() && edited.len() == 1, "{edited:?}");
    let again = fwtui::tui::update(&mut model, Msg::Classes("eth0".into(), Vec::new()));
    assert!(matches!(again.as_slice(), [Effect::AskClasses(_)]), "{again:?}");
    session.keys("2 enter");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Network(_)]));
    session.keys("esc end enter");
    assert!(session.model.popups.is_empty());
}

#[test]
fn networks_are_drawn() {
    let empty = || Observation {
        interfaces: Vec::new(),
        ..fixture::fresh()
    };
    at_every_size("networks-empty", &empty, &|session| {
        session.keys("2");
    });
    at_every_size("networks-uplink", &routed, &|session| {
        session.keys("2");
    });
    at_every_size("networks-changed", &routed, &|session| {
        session.keys("2 c");
    });
    at_every_size("networks-crowded", &crowded, &|session| {
        session.keys("2 pgdn down");
    });
    at_every_size("networks-without-root", &fixture::without_root, &|session| {
        session.keys("2");
    });
    let broken = || {
        let mut observation = fixture::decided();
        observation.policy_error = Some("/etc/fwtui/policy.json: line 7, column 5: unknown field `refuse`".into());
        observation
    };
    at_every_size("networks-error", &broken, &|session| {
        session.keys("2 c");
    });
    at_every_size("networks-trust", &fixture::decided, &|session| {
        session.keys("2 +");
    });
}

#[test]
fn the_details_are_drawn() {
    at_every_size("network-details", &routed, &|session| {
        session.keys("2 enter");
    });
    at_every_size("network-details-end", &routed, &|session| {
        session.keys("2 down enter end");
    });
    at_every_size("network-details-crowded", &|| fixture::crowded(300), &|session| {
        session.keys("2 enter pgdn");
    });
    at_every_size("network-details-guests", &fixture::decided, &|session| {
        session.keys("2 down down enter");
    });
}
