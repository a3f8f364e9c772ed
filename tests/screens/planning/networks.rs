//! Who can be on a network, and what another class would change.

use fwtui::app::Observation;
use fwtui::core::network::{InterfaceKind, NetworkClass, Peers};
use fwtui::tui::model::NetworkLine;
use fwtui::tui::popups::Popup;
use fwtui::tui::{Depth, Effect, Msg};

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
    let shown = words(&shown);
    assert!(
        shown.contains("If it were trusted, after applying its neighbours would also reach avahi-daemon 5353/udp"),
        "{shown}"
    );
    session.keys("c");
    let shown = words(&drawn(&session));
    assert!(
        shown.contains("If it were public, after applying its neighbours would no longer reach avahi-daemon"),
        "{shown}"
    );
}

/// What is drawn, as if it were one line.
fn words(shown: &str) -> String {
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the screen says of a line of the list.
fn said(observation: &Observation, keys: &str) -> String {
    let mut session = Session::on((120, 40), observation.clone());
    session.keys(keys);
    words(&drawn(&session))
}

#[test]
fn what_is_said_of_a_network_holds_now_and_after_applying_in_every_state() {
    let wlan0 = "2 down";
    // Nothing is in the kernel: everyone gets in everywhere, whatever is decided.
    let mut off = fixture::fresh();
    off.policy = fixture::confirmed_policy();
    let shown = said(&off, wlan0);
    assert!(
        shown.contains("Now: everyone there reaches all 9 services that listen for others."),
        "{shown}"
    );
    let after = "veryone there reaches sshd 22/tcp, nginx 80/tcp; its neighbours also reach avahi-daemon 5353/udp, \
                 postgres 5432/tcp.";
    assert!(shown.contains(&format!("After applying: e{after}")), "{shown}");
    assert!(
        shown.contains("If it were public, after applying its neighbours would no longer"),
        "{shown}"
    );
    // What is wanted is in force: there is no after.
    let mut confirmed = fixture::decided();
    confirmed.policy = fixture::confirmed_policy();
    let shown = said(&confirmed, wlan0);
    assert!(shown.contains(&format!(" E{after}")), "{shown}");
    assert!(
        !shown.contains("After applying") && !shown.contains("after applying"),
        "{shown}"
    );
    assert!(
        shown.contains("If it were public, its neighbours would no longer reach"),
        "{shown}"
    );
    // Changes wait.
    let shown = said(&fixture::decided(), wlan0);
    assert!(shown.contains(&format!("Now: e{after}")), "{shown}");
    let less = "everyone there reaches sshd 22/tcp; its neighbours also reach avahi-daemon 5353/udp.";
    assert!(shown.contains(&format!("After applying: {less}")), "{shown}");
    // They are on trial.
    let shown = said(&fixture::on_trial(41), wlan0);
    assert!(shown.contains(&format!("Now, on trial: {less}")), "{shown}");
    assert!(!shown.contains("After applying"), "{shown}");
    // Somebody took the rules out.
    let shown = said(&fixture::drifted(), wlan0);
    assert!(shown.contains("Now: everyone there reaches all 9 services"), "{shown}");
    // Nobody can tell.
    let shown = said(&fixture::without_root(), wlan0);
    assert!(
        shown.contains("Now: whether anyone there reaches the 9 services that listen for others is not known."),
        "{shown}"
    );
    // A policy that can't be read is not applied.
    let mut broken = fixture::decided();
    broken.policy_error = Some("line 3: truncated".into());
    let shown = said(&broken, wlan0);
    assert!(
        shown.contains(&format!("Now: e{after}")) && !shown.contains("fter applying"),
        "{shown}"
    );
    // Nobody is behind a cable that is down.
    let shown = said(&fixture::fresh(), "2 down down down down");
    assert!(
        shown.contains("It is down: whom its class lets in can be told once it is up."),
        "{shown}"
    );
}

#[test]
fn what_is_said_of_a_network_by_hand_holds_in_every_state() {
    let lets_in = "ts addresses are let in by fwtui at what is decided 'trusted': avahi-daemon 5353/udp.";
    let pending = said(&fixture::decided(), "2 end");
    assert!(pending.contains("Now: its addresses are not trusted."), "{pending}");
    assert!(pending.contains(&format!("After applying: i{lets_in}")), "{pending}");
    let on_trial = said(&fixture::on_trial(41), "2 end");
    assert!(
        on_trial.contains(&format!("I{lets_in}")) && !on_trial.contains("Now"),
        "{on_trial}"
    );
    let mut off = fixture::fresh();
    off.policy = fixture::wanted_policy();
    let off = said(&off, "2 end");
    assert!(off.contains("Now: nobody is refused by fwtui."), "{off}");
    let drifted = said(&fixture::drifted(), "2 end");
    assert!(
        drifted.contains("Now: the kernel does not hold what was confirmed."),
        "{drifted}"
    );
}

#[test]
fn a_network_taken_off_the_list_is_counted_until_an_apply() {
    let mut observation = fixture::decided();
    observation.confirmed = Some(observation.policy.clone());
    let mut session = Session::on(SIZE, observation);
    session.keys("2 end");
    assert!(
        drawn(&session).contains("1 guests · 1 trusted by hand ──"),
        "{}",
        drawn(&session)
    );
    session.keys("delete");
    assert!(
        drawn(&session).contains("1 guests · 1 by hand until you apply ──"),
        "{}",
        drawn(&session)
    );
}

#[test]
fn a_network_that_is_not_there_says_what_becomes_of_its_class() {
    let mut observation = fixture::decided();
    let interfaces = &mut observation.policy.networks.interfaces;
    interfaces.insert("wg7".into(), NetworkClass::Trusted);
    let shown = said(&observation, "2 end up");
    // It was not confirmed so.
    assert!(shown.contains("wg7 - ◐ trusted * not there now"), "{shown}");
    assert!(
        shown.contains("when it comes, apply again. delete forgets its class."),
        "{shown}"
    );
}

#[test]
fn a_name_that_no_policy_can_hold_gets_no_class() {
    let mut observation = fixture::decided();
    for interface in &mut observation.interfaces {
        if interface.name == "wlan0" {
            interface.name = "naïve+".into();
        }
    }
    observation.world = fixture::world(observation.interfaces.clone());
    let shown = said(&observation, "2 down");
    assert!(shown.contains("Its name can't stand in a rule"), "{shown}");
    assert!(!shown.contains("If it were"), "{shown}");
    assert!(!shown.contains(" c class"), "{shown}");
    let mut session = Session::on(SIZE, observation);
    session.keys("2 down");
    assert_eq!(session.keys("c"), []);
    assert!(
        session.notice().contains("can't stand in a rule"),
        "{}",
        session.notice()
    );
    assert!(!session.model.policy.networks.interfaces.contains_key("naïve+"));
}

#[test]
fn the_cursor_stays_on_its_network_while_others_come_and_go() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("2 down down");
    let selected = |session: &Session| match session.model.networks.selected() {
        Some(NetworkLine::Interface(interface)) => interface.name.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(selected(&session), "virbr0");
    let mut fewer = fixture::decided();
    fewer.interfaces.retain(|interface| interface.name != "wlan0");
    session.send(Msg::Seen(Depth::Complete, Box::new(fewer)));
    assert_eq!(selected(&session), "virbr0");
    session.send(Msg::Seen(Depth::Complete, Box::new(fixture::decided())));
    assert_eq!(selected(&session), "virbr0");
}

#[test]
fn the_peers_of_a_tunnel_are_named() {
    let mut observation = fixture::decided();
    let peers = Peers {
        count: 2,
        networks: vec!["10.8.0.2/32".parse().unwrap(), "192.168.7.0/24".parse().unwrap()],
        has_more: false,
    };
    let wg0 = observation
        .interfaces
        .iter()
        .find(|interface| interface.name == "wg0")
        .unwrap();
    observation.world.peers.insert(wg0.index, peers);
    let shown = said(&observation, "2 down down down");
    assert!(
        shown.contains("its 2 peers, each known by its key: packets are taken from 10.8.0.2/32, 192.168.7.0/24 only."),
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
