//! The Services screen: order, filter, marks, redo, what is new, what was counted.

use std::sync::Arc;

use fwtui::app::Observation;
use fwtui::core::counters::{Count, Counted, Counters, Does};
use fwtui::core::listened::Listened;
use fwtui::core::listener::{Owner, Protocol};
use fwtui::core::policy::Decision;
use fwtui::core::service::{Ports, Service};
use fwtui::tui::model::Column;
use fwtui::tui::screens::services::{column_at, columns};
use fwtui::tui::{Msg, update};
use ratatui::layout::Position;

use crate::Session;
use crate::fixture::{self, crowded, decide};
use crate::screens::at_every_size;
use crate::sessions::{saved, select};
use crate::snapshot::{check, draw, text};

const WIDE: (u16, u16) = (200, 60);

/// The decided machine, with packets counted, and two services that are not what they were.
fn counted() -> Observation {
    let mut observation = fixture::decided();
    let mut counters = Counters::default();
    for (reason, protocol, ports, does, packets) in [
        ("open", Protocol::Tcp, &[22, 80][..], Does::LetsIn, 1342),
        ("5353/udp", Protocol::Udp, &[5353], Does::Asks, 73),
        ("111/tcp", Protocol::Tcp, &[111], Does::Refuses, 4),
        ("5432/tcp", Protocol::Tcp, &[5432], Does::Asks, 0),
    ] {
        counters.add(&Counted {
            reason,
            protocol,
            ports: ports.iter().map(|port| Ports::single(*port).unwrap()).collect(),
            does,
            count: Count {
                packets,
                bytes: packets * 60,
            },
        });
    }
    observation.status.counters = Some(Arc::new(counters));
    let mut listened = Listened::of("4a1d".into(), &observation.services);
    listened.services.remove(&"8080/tcp".parse().unwrap());
    "loopback".clone_into(
        &mut listened
            .services
            .get_mut(&"6379/tcp".parse().unwrap())
            .unwrap()
            .bound_to,
    );
    observation.listened = Some(Arc::new(listened));
    observation
}

fn ids(session: &Session) -> Vec<String> {
    let rows = session.model.services.visible_from(0);
    rows.map(|row| row.service.id.to_string()).collect()
}

fn selected(session: &Session) -> String {
    session.model.services.selected().unwrap().service.id.to_string()
}

#[test]
fn marks_that_the_filter_hides_are_counted() {
    let mut session = Session::on((80, 24), fixture::decided());
    session.keys("A /");
    session.text("postgres");
    session.keys("enter");
    session.model.notice = None;
    let marked = session.model.services.marked();
    let hidden = marked - session.model.services.len();
    let text = text(&draw(&session.model));
    let said = format!("{marked} marked, {hidden} of them hidden by the filter");
    assert!(hidden > 0 && text.contains(&said), "{text}");
}

#[test]
fn services_with_counters_and_news() {
    at_every_size("services-counted", &counted, &|session| select(session, "22/tcp"));
    let mut session = Session::on(WIDE, counted());
    select(&mut session, "6379/tcp");
    check("services-counted-200x60", &session.model);
}

#[test]
fn services_of_every_kind_at_every_size() {
    let empty = || {
        let mut observation = fixture::fresh();
        observation.services.clear();
        observation
    };
    at_every_size("services-none", &empty, &|_session| {});
    at_every_size("services-5000", &|| crowded(5000), &|session| {
        session.keys("end up A /");
        session.text("worker-1 !5 :1011");
    });
    let mut session = Session::on(WIDE, crowded(5000));
    session.keys("end S");
    check("services-5000-200x60", &session.model);
}

/// What was left undecided when something was confirmed is known by now; what came since is not.
#[test]
fn only_what_came_since_the_last_confirm_is_new() {
    let session = Session::on((120, 40), fixture::decided());
    let before = session.model.services.counts();
    assert_eq!((before.new, before.undecided), (4, 0), "nobody knows what was there");
    let mut session = Session::on((120, 40), counted());
    let counts = session.model.services.counts();
    assert_eq!((counts.new, counts.undecided, counts.appeared), (2, 2, 2));
    session.model.set_filter("new".into());
    assert_eq!(ids(&session), ["6379/tcp", "8080/tcp"]);
    session.model.set_filter("undecided !new !loopback".into());
    assert_eq!(ids(&session), ["192.168.122.1:53/udp", "51820/udp"]);
}

#[test]
fn every_column_sorts_both_ways_and_the_cursor_stays_on_its_service() {
    for size in [(60, 20), (80, 24), (120, 40), WIDE] {
        let mut session = Session::on(size, counted());
        select(&mut session, "5432/tcp");
        let shown = columns(size.0);
        assert_eq!(session.model.services.order(), (Column::Port, false));
        let by_port = ids(&session);
        for _ in &shown {
            session.keys("s");
            let order = ids(&session);
            assert_eq!(selected(&session), "5432/tcp");
            session.keys("S");
            assert!(session.model.services.order().1);
            assert_eq!(selected(&session), "5432/tcp");
            assert_ne!(ids(&session), order, "{:?}", session.model.services.order());
            session.keys("S");
            assert_eq!(ids(&session), order);
        }
        // All the way round.
        assert_eq!(session.model.services.order(), (Column::Port, false));
        assert_eq!(ids(&session), by_port);
    }
}

#[test]
fn a_column_has_the_order_it_promises() {
    let mut session = Session::on((120, 40), counted());
    let mut first = |column: Column| {
        session.model.services.sort_by(column);
        ids(&session).first().cloned().unwrap()
    };
    assert_eq!(first(Column::Packets), "22/tcp");
    // By the same once more: the other way round, those without any first.
    assert_ne!(first(Column::Packets), "22/tcp");
    assert_eq!(first(Column::Service), "5353/udp");
    assert_eq!(first(Column::Now), "22/tcp");
    assert_eq!(first(Column::Decision), "6379/tcp");
}

#[test]
fn each_head_is_found_where_it_is_drawn() {
    for size in [(60, 20), (80, 24), (120, 40), WIDE] {
        let mut session = Session::on(size, fixture::decided());
        for column in columns(size.0) {
            session.model.services.sort_by(column);
            let buffer = draw(&session.model);
            let body = session.model.frames().body;
            let y = body.y + 1;
            let is_arrow = |x: &u16| matches!(buffer[(*x, y)].symbol(), "▾" | "▴");
            let x = (0..size.0)
                .find(is_arrow)
                .unwrap_or_else(|| panic!("{column:?} at {size:?}"));
            assert_eq!(column_at(&session.model, body, Position::new(x, y)), Some(column));
            assert_eq!(column_at(&session.model, body, Position::new(x, y + 1)), None);
        }
        let body = session.model.frames().body;
        assert_eq!(column_at(&session.model, body, Position::new(0, body.y + 1)), None);
    }
}

#[test]
fn a_filter_takes_words_their_opposites_and_ports() {
    let mut session = Session::on((80, 24), fixture::decided());
    let mut found = |filter: &str| {
        session.model.set_filter(filter.to_owned());
        ids(&session).join(" ")
    };
    assert_eq!(found("nginx"), "80/tcp");
    assert_eq!(found("root TCP !sshd"), "80/tcp 631/tcp");
    assert_eq!(found("80"), "80/tcp 8080/tcp");
    assert_eq!(found(":80"), "80/tcp");
    assert_eq!(found("port:60500"), "60000-61000/udp");
    assert_eq!(found("changed"), "80/tcp 5432/tcp 60000-61000/udp");
    assert_eq!(found("no such thing"), "");
}

#[test]
fn leaving_a_filter_leads_back_to_where_it_began() {
    let mut session = Session::on((80, 24), fixture::decided());
    select(&mut session, "5432/tcp");
    session.keys("/");
    session.text("nginx");
    assert_eq!(selected(&session), "80/tcp");
    session.keys("esc");
    assert_eq!((selected(&session).as_str(), session.model.filter()), ("5432/tcp", ""));
    // Whoever moves on meanwhile stays where he goes.
    session.keys("/");
    session.text("root");
    session.keys("home down esc");
    assert_eq!(selected(&session), "80/tcp");
}

#[test]
fn all_that_is_shown_is_marked_and_decided() {
    let mut session = Session::on((80, 24), crowded(5000));
    session.keys("/");
    session.text("worker-12");
    session.keys("enter A");
    assert_eq!(session.notice(), "100 services marked: a decision is for all of them.");
    session.keys("A");
    assert_eq!(session.model.services.marked(), 0);
    session.keys("A");
    let effects = session.keys("c");
    assert_eq!(saved(&effects).unwrap().services.len(), 100);
    assert!(
        session.notice().starts_with("100 services: confine"),
        "{}",
        session.notice()
    );
}

#[test]
fn shift_marks_on() {
    let mut session = Session::on((80, 24), fixture::decided());
    session.keys("home shift-down shift-down");
    assert_eq!(session.model.services.marked(), 3);
    session.keys("down shift-up");
    assert_eq!(session.model.services.marked(), 4);
}

#[test]
fn what_is_taken_back_is_named_and_can_be_done_again() {
    let mut session = Session::on((80, 24), fixture::decided());
    select(&mut session, "22/tcp");
    session.keys("c");
    select(&mut session, "80/tcp");
    session.keys("t u");
    assert_eq!(
        session.notice(),
        "Taken back: 80/tcp trusted. Earlier decisions wait for an apply."
    );
    session.keys("u");
    assert_eq!(
        session.notice(),
        "Taken back: 22/tcp confine. Earlier decisions wait for an apply."
    );
    let effects = session.keys("U");
    assert_eq!(session.notice(), "Done again: 22/tcp confine. Waits for an apply.");
    let confined = |policy: &fwtui::core::policy::Policy| policy.decision_for(&"22/tcp".parse().unwrap());
    assert_eq!(confined(saved(&effects).unwrap()), Decision::Confine);
    session.keys("ctrl-r");
    assert_eq!(session.notice(), "Done again: 80/tcp trusted. Waits for an apply.");
    assert!(session.keys("U").is_empty());
    assert_eq!(session.notice(), "Nothing was taken back that could be done again.");
    // An edit of another kind: nothing is left that could be done again over it.
    session.keys("u o U");
    assert_eq!(session.notice(), "Nothing was taken back that could be done again.");
}

#[test]
fn what_is_decided_as_it_is_in_force_waits_for_nothing() {
    let mut observation = fixture::decided();
    observation.confirmed = Some(observation.policy.clone());
    let mut session = Session::on((80, 24), observation);
    select(&mut session, "22/tcp");
    session.keys("c");
    assert_eq!(session.notice(), "22/tcp: confine. Waits for an apply.");
    session.keys("o");
    assert_eq!(session.notice(), "22/tcp: open. Nothing waits for an apply.");
    session.keys("u");
    assert_eq!(session.notice(), "Taken back: 22/tcp open. Waits for an apply.");
}

/// What an edit does not concern is kept; it must be what would be worked out anew.
#[test]
fn after_edits_the_rows_are_those_of_the_whole_machine() {
    let observation = || {
        let mut observation = fixture::decided();
        decide(&mut observation.policy, "50-5400/tcp", Decision::Trusted, &[]);
        observation
    };
    let mut session = Session::on((120, 40), observation());
    for (id, keys) in [
        ("5432/tcp", "o"),
        ("192.168.122.1:53/udp", "t"),
        ("80/tcp", "-"),
        ("50-5400/tcp", "c"),
        ("50-5400/tcp", "-"),
        ("6379/tcp", "space space c"),
        ("22/tcp", "u u"),
        ("8080/tcp", "U B"),
        ("22/tcp", "2 enter down enter 1"),
        ("22/tcp", "p x 1 u"),
    ] {
        select(&mut session, id);
        session.keys(keys);
        let mut whole = observation();
        whole.policy = session.model.policy.clone();
        let anew = Session::on((120, 40), whole);
        assert_eq!(session.model.services.rows(), anew.model.services.rows(), "{id} {keys}");
        assert_eq!(session.model.plan, anew.model.plan, "{id} {keys}");
    }
}

/// New counters come without a look; the rest stays as it is.
#[test]
fn counters_go_on_with_the_status() {
    let mut session = Session::on((120, 40), counted());
    let mut status = session.model.observation.status.clone();
    let mut counters = Counters::default();
    counters.add(&Counted {
        reason: "111/tcp",
        protocol: Protocol::Tcp,
        ports: vec![Ports::single(111).unwrap()],
        does: Does::Refuses,
        count: Count {
            packets: 98_765,
            bytes: 1,
        },
    });
    status.counters = Some(Arc::new(counters));
    let effects = update(&mut session.model, Msg::Probed(Box::new(status)));
    assert_eq!(effects, []);
    assert!(text(&draw(&session.model)).contains("98k"));
}

/// What does not fit below the list is read in a popup, and the pane says by which key.
#[test]
fn all_of_a_service_can_be_read_at_every_size() {
    at_every_size("service-details", &fixture::decided, &|session| {
        select(session, "5432/tcp");
        session.keys("i");
    });
    let shared = || {
        let mut observation = fixture::decided();
        let is_it = |service: &&mut Arc<Service>| service.id.to_string() == "80/tcp";
        let service = Arc::make_mut(observation.services.iter_mut().find(is_it).unwrap());
        let owner = service.owners.first().unwrap().clone();
        service.owners = (0..60)
            .map(|index| {
                let mut worker = Owner::clone(&owner);
                worker.pid += index;
                worker.into()
            })
            .collect();
        observation
    };
    at_every_size("service-details-crowded", &shared, &|session| {
        select(session, "80/tcp");
        session.keys("i end");
    });
    at_every_size("service-details-weird-names", &fixture::weird, &|session| {
        session.keys("i");
    });
    let mut session = Session::on((60, 20), fixture::decided());
    select(&mut session, "5432/tcp");
    let pane = text(&draw(&session.model));
    assert!(pane.contains("i all of it"), "{pane}");
    assert!(!pane.contains("postgresql.conf"), "{pane}");
    session.keys("i");
    let mut read = String::new();
    for _ in 0..40 {
        read.push_str(&text(&draw(&session.model)));
        session.keys("down");
    }
    for told in [
        "listen_addresses",
        "postgresql.conf",
        "It asks who connects",
        "Program:",
    ] {
        assert!(read.contains(told), "{told}: {read}");
    }
    session.keys("esc");
    assert!(session.model.popups.is_empty());
    // Nothing is cut where the whole of it fits.
    let session = Session::on((120, 60), fixture::decided());
    let pane = text(&draw(&session.model));
    assert!(!pane.contains("all of it"), "{pane}");
}
