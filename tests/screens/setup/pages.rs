//! What the steps look like.

use std::sync::Arc;

use fwtui::app::{Observation, Presence, Protection};
use fwtui::core::policy::Decision;
use fwtui::core::setup::Step;
use fwtui::core::tools::Manager;
use fwtui::tui::Msg;
use fwtui::tui::theme::Token;

use super::{begun_with, ends, found, go_to, sees, select};
use crate::Session;
use crate::fixture;
use crate::snapshot::{check, draw, text};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

fn at_every_size(name: &str, observation: &dyn Fn() -> Observation, act: &dyn Fn(&mut Session)) {
    for size in SIZES {
        let mut session = begun_with(size, observation(), None);
        act(&mut session);
        check(&format!("setup-{name}-{}x{}", size.0, size.1), &session.model);
    }
    crate::keymaps::with_other_keys(|| {
        let mut session = begun_with((120, 40), observation(), None);
        act(&mut session);
        check(name, &session.model);
    });
}

#[test]
fn every_step_of_a_fresh_machine() {
    let steps = [
        "welcome", "networks", "refusal", "services", "logging", "summary", "preview",
    ];
    for (name, step) in steps.into_iter().zip(Step::ALL) {
        at_every_size(name, &fixture::fresh, &|session| go_to(session, step));
    }
}

#[test]
fn answered_otherwise() {
    at_every_size("networks-changed", &fixture::fresh, &|session| {
        session.keys("enter down space");
    });
    at_every_size("refusal-drop", &fixture::fresh, &|session| {
        session.keys("enter enter down");
    });
    at_every_size("services-changed", &fixture::fresh, &|session| {
        go_to(session, Step::Services);
        select(session, "5432/tcp");
        session.keys("o down - down space");
        select(session, "6379/tcp");
    });
    at_every_size("summary-changed", &fixture::fresh, &|session| {
        session.keys("enter space enter down enter");
        select(session, "5432/tcp");
        session.keys("o down -");
        go_to(session, Step::Summary);
    });
}

#[test]
fn a_lock_out_in_plain_sight() {
    let lock_out = |session: &mut Session| {
        go_to(session, Step::Services);
        select(session, "22/tcp");
        session.keys("c");
    };
    at_every_size("services-lockout", &fixture::fresh, &lock_out);
    at_every_size("summary-lockout", &fixture::fresh, &|session| {
        lock_out(session);
        go_to(session, Step::Summary);
    });
}

#[test]
fn where_nothing_listens() {
    let empty = || {
        let mut observation = fixture::fresh();
        observation.services.clear();
        observation
    };
    for (name, step) in [
        ("welcome", Step::Welcome),
        ("services", Step::Services),
        ("summary", Step::Summary),
    ] {
        at_every_size(&format!("{name}-nothing"), &empty, &|session| go_to(session, step));
    }
}

#[test]
fn where_very_much_listens() {
    at_every_size("services-crowded", &|| fixture::crowded(40), &|session| {
        go_to(session, Step::Services);
        session.keys("pgdn");
    });
    at_every_size("summary-crowded", &|| fixture::crowded(40), &|session| {
        go_to(session, Step::Summary);
    });
    at_every_size("services-weird-names", &fixture::weird, &|session| {
        go_to(session, Step::Services);
    });
}

#[test]
fn beside_other_firewalls() {
    let beside = || {
        let mut observation = fixture::fresh();
        let tools = [
            (
                Manager::Ufw,
                "ufw loads its rules before fwtui; neither touches the other's",
            ),
            (
                Manager::Docker,
                "Docker starts after fwtui, and puts its rules at the head of FORWARD",
            ),
            (Manager::Fail2ban, "fail2ban starts after fwtui"),
        ];
        observation.status.tools = tools
            .into_iter()
            .map(|(manager, boot)| Presence {
                manager,
                in_kernel: Some(true),
                at_boot: Some(true),
                how: String::new(),
                boot: boot.to_owned(),
                has_rules: true,
                flushes: false,
            })
            .collect();
        observation.status.conflicts = vec![
            "nftables.service empties all of nf_tables when it starts or reloads, and takes the rules of ufw with it; \
             take 'flush ruleset' out of its file, or disable it: sudo systemctl disable nftables"
                .into(),
        ];
        observation
    };
    at_every_size("welcome-others", &beside, &|_| {});
}

#[test]
fn at_the_machine_itself() {
    let alone = || Observation {
        ways_in: Vec::new(),
        ..fixture::fresh()
    };
    at_every_size("welcome-alone", &alone, &|_| {});
    at_every_size("summary-alone", &alone, &|session| go_to(session, Step::Summary));
}

#[test]
fn gone_on_with() {
    for size in SIZES {
        let mut first = begun_with(size, fixture::fresh(), None);
        go_to(&mut first, Step::Services);
        select(&mut first, "5432/tcp");
        first.keys("o");
        let draft = first.model.setup.unwrap().answers;
        let session = begun_with(size, fixture::fresh(), Some(draft));
        check(&format!("setup-resumed-{}x{}", size.0, size.1), &session.model);
    }
}

#[test]
fn what_changed_meanwhile() {
    for size in SIZES {
        let mut session = begun_with(size, fixture::fresh(), None);
        go_to(&mut session, Step::Services);
        let mut changed = fixture::fresh();
        changed.services.retain(|one| one.id.to_string() != "80/tcp");
        changed.services.extend(fixture::services_of(&[(
            "0.0.0.0",
            3306,
            fwtui::core::listener::Protocol::Tcp,
            Some(("mariadbd", "mysql", "mariadb.service")),
        )]));
        sees(&mut session, &changed);
        check(
            &format!("setup-services-meanwhile-{}x{}", size.0, size.1),
            &session.model,
        );
    }
}

#[test]
fn its_questions() {
    at_every_size("leave", &fixture::fresh, &|session| {
        session.keys("enter q");
    });
    at_every_size("take-all", &fixture::fresh, &|session| {
        session.keys("enter space A");
    });
    at_every_size("start-again", &fixture::fresh, &|session| {
        session.keys("enter enter x");
    });
    at_every_size("apply", &fixture::fresh, &|session| {
        session.keys("A enter enter");
    });
    at_every_size("help", &fixture::fresh, &|session| {
        go_to(session, Step::Services);
        session.keys("?");
    });
}

#[test]
fn its_trial_and_its_end() {
    for size in SIZES {
        let name = |what: &str| format!("setup-{what}-{}x{}", size.0, size.1);
        let mut session = begun_with(size, fixture::fresh(), None);
        ends::applied(&mut session);
        check(&name("trial"), &session.model);
        let mut reverted = session.model.clone();
        session.keys("k y");
        session.send(Msg::Confirmed(Ok(None)));
        check(&name("end"), &session.model);
        session.model.observation.status.protection = vec![Protection {
            line: fwtui::app::Line::Boot,
            holds: false,
            why: "fwtui.service is not installed; run 'sudo fwtui install-service'".into(),
        }];
        check(&name("end-until-reboot"), &session.model);
        std::mem::swap(&mut session.model, &mut reverted);
        session.keys("r");
        session.send(Msg::Reverted(Ok(())));
        check(&name("reverted"), &session.model);
    }
}

#[test]
fn what_another_tool_keeps_out_is_said() {
    let mut observation = fixture::fresh();
    observation.services = observation.services.into_iter().take(1).collect();
    let first = Arc::clone(&observation.services[0]);
    let mut session = begun_with((80, 24), observation, None);
    session.keys("A");
    assert_eq!(session.model.policy.decision_for(&first.id), Decision::Open);
}

#[test]
fn what_is_trusted_by_hand_is_told_in_the_summary() {
    let mut observation = fixture::fresh();
    let sources = &mut observation.policy.networks.trusted_sources;
    sources.push("198.51.100.0/24".parse().unwrap());
    let mut session = begun_with((120, 40), observation, None);
    go_to(&mut session, Step::Summary);
    let shown = text(&draw(&session.model));
    assert!(
        shown.contains("Networks: trusted 198.51.100.0/24; public eth0"),
        "{shown}"
    );
    assert!(!shown.contains("No network is trusted yet"), "{shown}");
}

#[test]
fn what_was_said_on_the_screens_is_not_said_in_the_setup() {
    let mut session = Session::on((80, 24), fixture::decided());
    session.keys("/");
    session.text("22");
    session.keys("enter");
    let filter = "Filter: 22";
    let shows_it = |session: &Session| text(&draw(&session.model)).contains(filter);
    assert!(shows_it(&session));
    session.keys("f2");
    session.model.say(Token::Text, "This was said there.");
    let found = Box::new(found(&fixture::decided(), None));
    session.send(Msg::SetupFound { found, is_new: false });
    assert!(session.model.setup.is_some() && !shows_it(&session));
    assert_eq!(session.model.notice, None);
}
