#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    dead_code,
    missing_docs
)]
#[path = "../tests/screens/fixture.rs"]
mod fixture;
use fwtui::app::*;
use fwtui::core::policy::Policy;
use fwtui::tui::theme::*;
use fwtui::tui::*;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
struct Fake {
    state: Mutex<Observation>,
    start: Instant,
    before: Mutex<Option<Observation>>,
}
impl Fake {
    fn expire(&self) {
        let mut s = self.state.lock().unwrap();
        let over = s.status.trial.as_ref().is_some_and(|t| t.deadline <= self.now());
        if over {
            self.back(&mut s, "nobody confirmed in time");
        }
    }
    fn now(&self) -> Duration {
        fixture::NOW + self.start.elapsed()
    }
    fn back(&self, s: &mut Observation, why: &str) {
        let b = self.before.lock().unwrap().take().unwrap();
        s.filter = b.filter;
        s.confirmed = b.confirmed;
        s.status = b.status;
        s.status.last = Some(Last {
            outcome: "reverted".into(),
            reason: Some(why.into()),
            at: "2026-11-22T10:00:00Z".into(),
        });
    }
}
impl fwtui::tui::Machine for Fake {
    fn look(&self, depth: Depth) -> Observation {
        self.expire();
        let s = self.state.lock().unwrap().clone();
        match depth {
            Depth::Complete => s,
            _ => Observation {
                filter: None,
                confirmed: None,
                status: Status::default(),
                ways_in: vec![],
                ..s
            },
        }
    }
    fn save(&self, p: &Policy) -> Result<(), Error> {
        if std::env::args().any(|a| a == "nosave") {
            return Err(
                Error::failed("/etc/fwtui/policy.json: read-only file system").hint("Nothing has been changed.")
            );
        }
        self.state.lock().unwrap().policy = p.clone();
        Ok(())
    }
    fn apply(&self, r: &ApplyRequest) -> Result<TrialView, Error> {
        std::thread::sleep(Duration::from_millis(700));
        let mut s = self.state.lock().unwrap();
        *self.before.lock().unwrap() = Some(s.clone());
        let p = if r.is_off { None } else { Some(s.policy.clone()) };
        s.filter = Some(p.map(|p| fixture::in_force(&p)).unwrap_or_default());
        let t = TrialView {
            id: format!("{:?}", self.now()),
            deadline: self.now() + r.timeout,
            timeout: r.timeout,
        };
        s.status.state = State::Trial;
        s.status.trial = Some(t.clone());
        Ok(t)
    }
    fn confirm(&self) -> Result<(), Error> {
        let mut s = self.state.lock().unwrap();
        s.status.trial = None;
        s.status.state = State::Confirmed;
        s.confirmed = Some(s.policy.clone());
        s.status.last = Some(Last {
            outcome: "confirmed".into(),
            reason: None,
            at: "2026-11-22T10:00:00Z".into(),
        });
        Ok(())
    }
    fn revert(&self) -> Result<(), Error> {
        std::thread::sleep(Duration::from_millis(500));
        let mut s = self.state.lock().unwrap();
        self.back(&mut s, "you asked for it");
        Ok(())
    }
    fn extend(&self) -> Result<TrialView, Error> {
        let mut s = self.state.lock().unwrap();
        let t = s.status.trial.as_mut().unwrap();
        t.deadline += Duration::from_secs(60);
        Ok(t.clone())
    }
    fn status(&self) -> Status {
        self.expire();
        self.state.lock().unwrap().status.clone()
    }
    fn since_boot(&self) -> Duration {
        self.now()
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let is = |w: &str| args.iter().any(|a| a == w);
    let s = if is("fresh") {
        fixture::fresh()
    } else if is("weird") {
        fixture::weird()
    } else if is("crowd") {
        fixture::crowded(10000)
    } else if is("noroot") {
        fixture::without_root()
    } else {
        fixture::decided()
    };
    let theme = if is("light") {
        "light"
    } else if is("mono") {
        "monochrome"
    } else {
        "dark"
    };
    let color = if is("16") {
        ColorDepth::Sixteen
    } else if is("256") {
        ColorDepth::Many
    } else {
        ColorDepth::True
    };
    let fake = Fake {
        state: Mutex::new(s),
        start: Instant::now(),
        before: Mutex::new(None),
    };
    let timeout = if is("short") { 20 } else { 90 };
    let r = run(
        Arc::new(fake),
        &fwtui::tui::Options {
            theme: Theme::built_in(theme).unwrap(),
            color,
            timeout: Duration::from_secs(timeout),
            has_mouse: true,
        },
    );
    println!("{r:?}");
}
