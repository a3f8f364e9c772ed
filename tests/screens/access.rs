//! Who can connect, and why, on a machine with docker and ufw.

use fwtui::tui::popups::Popup;
use fwtui::tui::{Depth, Effect, Msg, update};

use crate::snapshot::{check, draw, text};
use crate::{Session, fixture, key};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

fn select(session: &mut Session, id: &str) {
    session.keys("home");
    while session.model.services.selected().unwrap().service.id.to_string() != id {
        let before = session.model.services.list.cursor;
        session.keys("down");
        assert!(session.model.services.list.cursor > before, "{id} is not in the list");
    }
}

fn at_every_size(name: &str, id: &str, keys: &str) {
    for size in SIZES {
        let mut session = Session::on(size, fixture::containers());
        select(&mut session, id);
        if !keys.is_empty() {
            session.keys(keys);
        }
        check(&format!("{name}-{}x{}", size.0, size.1), &session.model);
    }
}

#[test]
fn published_ports_and_contradicted_decisions() {
    at_every_size("containers-published", "8080/tcp", "");
    at_every_size("containers-contradicted", "8080/udp", "");
    at_every_size("containers-preview", "22/tcp", "p");
    at_every_size("containers-apply", "22/tcp", "a");
}

#[test]
fn who_can_connect_and_why() {
    at_every_size("who", "8080/tcp", "w down down");
    at_every_size("way-now", "8080/tcp", "w down down enter");
    at_every_size("way-after", "8080/tcp", "w down down enter tab");
    at_every_size("way-contradicted", "8080/udp", "w down enter tab");
}

#[test]
fn a_published_port_is_there() {
    let session = Session::on((120, 40), fixture::containers());
    let shown = text(&draw(&session.model));
    for words in ["docker: web", "all (DNAT)", "docker: db"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("(not listening)"), "{shown}");
    let there = session
        .model
        .services
        .rows()
        .iter()
        .filter(|row| row.service.is_there());
    assert_eq!(session.model.services.counts().listening, there.count());
}

#[test]
fn what_contradicts_a_decision_is_named() {
    let mut session = Session::on((120, 40), fixture::containers());
    select(&mut session, "8080/udp");
    let row = session.model.services.selected().unwrap();
    assert!(row.kept_out_by.is_some());
    let shown = text(&draw(&session.model));
    let sentence = "Opened here, but ufw's rule 3 in ufw-user-input refuses it: -A ufw-user-input -p udp";
    assert!(shown.contains(sentence), "{shown}");
}

#[test]
fn into_a_way_and_back() {
    let mut session = Session::on((80, 24), fixture::containers());
    select(&mut session, "8080/tcp");
    session.keys("enter");
    assert!(matches!(session.model.popups.as_slice(), [Popup::WhoCan(who)] if who.id.to_string() == "8080/tcp"));
    session.keys("down down enter");
    assert!(matches!(session.model.popups.as_slice(), [Popup::WhoCan(_), Popup::Way(way)] if !way.is_after));
    let now = text(&draw(&session.model));
    session.keys("tab");
    assert!(matches!(session.model.popups.as_slice(), [.., Popup::Way(way)] if way.is_after));
    assert_ne!(now, text(&draw(&session.model)));
    session.keys("end");
    assert!(matches!(session.model.popups.as_slice(), [.., Popup::Way(way)] if way.top > 0));
    session.keys("esc");
    assert!(matches!(session.model.popups.as_slice(), [Popup::WhoCan(who)] if who.list.cursor == 2));
    session.keys("q");
    assert!(session.model.popups.is_empty());
}

#[test]
fn a_new_look_renews_what_is_open() {
    let mut session = Session::on((80, 24), fixture::containers());
    select(&mut session, "8080/tcp");
    session.keys("w down down enter");
    let before = text(&draw(&session.model));
    assert!(before.contains("gets in"), "{before}");
    let mut emptied = fixture::containers();
    emptied.services.retain(|service| service.id.to_string() != "8080/tcp");
    let mut stopped = fixture::containers();
    stopped.world.switches.clear();
    session.send(Msg::Seen(Depth::Complete, Box::new(stopped)));
    let after = text(&draw(&session.model));
    assert!(after.contains("does not forward"), "{after}");
    session.send(Msg::Seen(Depth::Complete, Box::new(emptied)));
    assert!(session.model.popups.is_empty());
}

#[test]
fn without_the_rules_nobody_is_asked_for() {
    let mut session = Session::on((80, 24), fixture::without_root());
    session.keys("w");
    assert!(session.model.popups.is_empty());
    assert!(
        session.notice().contains("can't be read without root"),
        "{}",
        session.notice()
    );
}

/// Ten thousand rules: what a key asks for is worked out elsewhere.
#[test]
fn the_screens_do_not_wait_for_many_rules() {
    let mut observation = fixture::containers();
    let mut netfilter = observation.netfilter.as_deref().unwrap().clone();
    let chains = netfilter.tables.iter_mut().flat_map(|table| &mut table.chains);
    for chain in chains.filter(|chain| chain.name == "ufw-user-input") {
        let rule = chain.rules.last().unwrap().clone();
        chain.rules.extend(std::iter::repeat_n(rule, 10_000));
    }
    observation.netfilter = Some(std::sync::Arc::new(netfilter));
    let mut session = Session::on((80, 24), observation);
    let asked = update(&mut session.model, Msg::Key(key("down")));
    assert!(matches!(asked.as_slice(), [Effect::AskAccess(_)]));
    update(&mut session.model, Msg::Key(key("w")));
    draw(&session.model);
    let answer = asked[0].answer().unwrap();
    update(&mut session.model, answer);
    let asked = update(&mut session.model, Msg::Key(key("enter")));
    assert!(matches!(asked.as_slice(), [Effect::AskWay(..)]));
}
