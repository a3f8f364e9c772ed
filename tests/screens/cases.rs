//! Every screen and every popup is drawn, at every size: empty, crowded, and where something is wrong.

use std::path::PathBuf;

use fwtui::app::{Error, Kind, Observation};
use fwtui::core::policy::Decision;
use fwtui::core::policy::Policy;
use fwtui::tui::Msg;
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::{SCREENS, ScreenId};

use crate::Session;
use crate::fixture::{self, decide};
use crate::screens::at_every_size;
use crate::sessions::select;

#[test]
fn screens_with_nothing_on_them() {
    let empty = || {
        let mut observation = fixture::fresh();
        observation.services.clear();
        observation
    };
    at_every_size("services-empty", &empty, &|_| {});
    let done = || {
        let mut observation = fixture::decided();
        observation.policy = fixture::confirmed_policy();
        observation
    };
    at_every_size("preview-empty", &done, &|session| {
        session.keys("p");
    });
}

#[test]
fn screens_with_very_much_on_them() {
    at_every_size("services-crowded", &|| fixture::crowded(10_000), &|session| {
        session.keys("end up up pgup");
    });
    let decided = || {
        let mut observation = fixture::crowded(200);
        let mut policy = Policy::default();
        for port in 1000..1200 {
            let decision = if port % 2 == 0 {
                Decision::Confine
            } else {
                Decision::Open
            };
            decide(&mut policy, &format!("{port}/tcp"), decision, &[]);
        }
        observation.policy = policy;
        observation
    };
    at_every_size("apply-crowded", &decided, &|session| {
        session.keys("a");
    });
}

#[test]
fn before_anything_is_known() {
    for (width, height) in [(60, 20), (80, 24), (120, 40)] {
        let session = Session::unseen((width, height));
        crate::snapshot::check(&format!("services-looking-{width}x{height}"), &session.model);
    }
}

#[test]
fn trials_found_and_trials_over() {
    let opened = |name: &str, observation: &dyn Fn() -> Observation, act: &dyn Fn(&mut Session)| {
        for (width, height) in [(60, 20), (80, 24), (120, 40)] {
            let mut session = Session::unseen((width, height));
            session.send(Msg::Seen(fwtui::tui::Depth::Complete, Box::new(observation())));
            act(&mut session);
            crate::snapshot::check(&format!("{name}-{width}x{height}"), &session.model);
        }
    };
    opened("running", &|| fixture::on_trial(50), &|_| {});
    opened("running-over-ssh", &|| fixture::on_trial_over_ssh(50, &[]), &|_| {});
    let crowded = || {
        let mut observation = fixture::on_trial(50);
        let policy = observation.on_trial.as_mut().unwrap().after.as_mut().unwrap();
        for port in 1000..1100 {
            decide(policy, &format!("{port}/tcp"), Decision::Confine, &[]);
        }
        observation
    };
    opened("running-crowded", &crowded, &|_| {});
    opened("outcome", &|| fixture::on_trial(1), &|session| {
        let ended = fixture::ended("reverted", "deadline", "nobody confirmed in time");
        session.send(Msg::Status(Box::new(ended.status)));
    });
    opened("outcome-too-late", &|| fixture::on_trial(1), &|session| {
        let why = "too late: the old rules are back (nobody confirmed in time)";
        session.keys("k y");
        session.send(Msg::Confirmed(Err(Error::new(Kind::Reverted, why))));
    });
    let failed = || {
        let why = "nobody confirmed in time; the old rules are not back whole: iptables-restore: line 4 failed";
        fixture::ended("revert-failed", "deadline", why)
    };
    opened("outcome-failed", &failed, &|_| {});
    opened("elsewhere", &|| fixture::on_trial(50), &|session| {
        session.keys("esc");
        session.send(Msg::Status(Box::new(fixture::on_trial(110).status)));
    });
}

/// Popups where what was typed is wrong, and where there is very much to say.
#[test]
fn popups_that_are_wrong_or_crowded() {
    at_every_size("sources-wrong", &fixture::decided, &|session| {
        session.keys("f ctrl-u");
        session.text("192.0.2.0/24, 198.51.100.0/33");
        session.keys("enter");
    });
    at_every_size("blocked-entry-wrong", &fixture::decided, &|session| {
        session.keys("b ctrl-u");
        session.text("445/tpc");
        session.keys("enter");
    });
    at_every_size("networks-trust-wrong", &fixture::decided, &|session| {
        session.keys("2 +");
        session.text("somewhere");
        session.keys("enter");
    });
    at_every_size("preview-error", &broken, &|session| {
        session.keys("p");
    });
    at_every_size("checkup-error", &broken, &|session| {
        session.keys("4");
    });
    at_every_size("who-crowded", &crate::planning::networks::crowded, &|session| {
        session.keys("w end");
    });
    at_every_size("disable-crowded", &fixture::decided, &|session| {
        let mut proposal = crate::disabling::proposal();
        let dependents = |word: &str| (1..40).map(|index| format!("{word}-{index}.service")).collect();
        proposal.needed_by = dependents("needs-it");
        proposal.wanted_by = dependents("wants-it");
        select(session, "5432/tcp");
        session.keys("d");
        session.send(Msg::Proposed(proposal.id.clone(), Ok(Box::new(proposal))));
    });
    let much = || {
        let mut observation = fixture::on_trial(50);
        let policy = observation.on_trial.as_mut().unwrap().after.as_mut().unwrap();
        for port in 1000..1100 {
            decide(policy, &format!("{port}/tcp"), Decision::Confine, &[]);
        }
        observation
    };
    at_every_size("keep-crowded", &much, &|session| {
        session.keys("k");
    });
    // A question has no keys to scroll: all of it is in sight.
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens/golden");
    for name in ["keep-crowded", "disable-crowded"] {
        for size in ["60x20", "80x24", "120x40"] {
            let text = std::fs::read_to_string(folder.join(format!("{name}-{size}.txt"))).unwrap();
            assert!(!text.contains("more ↓"), "{name} at {size}: {text}");
        }
    }
}

/// A machine whose policy can't be read.
fn broken() -> Observation {
    let mut observation = fixture::decided();
    observation.policy_error = Some("/etc/fwtui/policy.json: line 7, column 5: unknown field `refuse`".into());
    observation
}

/// The files of a screen: normal, empty, crowded, and where something is wrong.
const fn cases(screen: ScreenId) -> [&'static str; 4] {
    match screen {
        ScreenId::Services => [
            "services-fresh",
            "services-empty",
            "services-crowded",
            "services-troubles",
        ],
        ScreenId::Networks => [
            "networks",
            "networks-empty",
            "networks-crowded",
            "networks-without-root",
        ],
        ScreenId::Preview => ["preview", "preview-empty", "preview-crowded", "preview-unknown"],
        ScreenId::Checkup => ["checkup", "checkup-nothing", "checkup-crowded", "checkup-unseen"],
    }
}

/// The files of the popups.
const POPUPS: [&str; 19] = [
    "help",
    "error",
    "apply",
    "keep",
    "running",
    "outcome",
    "unproven",
    "restore",
    "disable",
    "leave",
    "sources",
    "who",
    "way-now",
    "checkup-full",
    "setup-leave",
    "palette",
    "network-details",
    "service-details",
    "write-replace",
];

/// The file of a popup: a new one names its own here and above.
const fn file(popup: &Popup) -> &'static str {
    match popup {
        Popup::Help(_) => "help",
        Popup::Message(_) => "error",
        Popup::Apply(_) => "apply",
        Popup::Keep(_) => "keep",
        Popup::Running => "running",
        Popup::Outcome(_) => "outcome",
        Popup::Unproven(_) => "unproven",
        Popup::Restore => "restore",
        Popup::Disable(_) => "disable",
        Popup::Leave => "leave",
        Popup::Entry(_) => "sources",
        Popup::WhoCan(_) => "who",
        Popup::Way(_) => "way-now",
        Popup::Finding(_) => "checkup-full",
        Popup::Setup(_) => "setup-leave",
        Popup::Palette(_) => "palette",
        Popup::Network(_) => "network-details",
        Popup::Service(_) => "service-details",
        Popup::Replace(_) => "write-replace",
    }
}

/// A popup that is drawn anywhere has a file at every size.
pub(crate) fn have_files(popups: &[Popup]) {
    for popup in popups {
        assert!(POPUPS.contains(&file(popup)), "{popup:?}");
    }
}

#[test]
fn every_screen_and_popup_is_drawn_in_every_case_at_every_size() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens/golden");
    for name in SCREENS.iter().flat_map(|screen| cases(screen.id)).chain(POPUPS) {
        for size in ["60x20", "80x24", "120x40"] {
            let path = folder.join(format!("{name}-{size}.txt"));
            assert!(path.exists(), "{} is missing", path.display());
        }
    }
}
