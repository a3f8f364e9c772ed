//! A confirmation and the deadline at the same moment: one outcome, and everybody tells the same.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::*;
use crate::backend::memory::Memory;
use crate::backend::switch::Base;
use crate::core::listener::Protocol;
use crate::core::policy::Policy;
use crate::core::ruleset::{Chains, FamilyRules, Match, Rule, Ruleset, Target};
use crate::core::service::Ports;
use crate::core::trial::Reason;
use crate::core::unit::UnitWork;
use crate::guard::ask;
use crate::store::state::{self, Confirmed, RulesText};

const RACES: usize = 10_000;
/// Races at a time; a race is mostly waiting.
const PAIRS: usize = 4;
/// Long enough to be there in time, and no longer.
const TIMEOUT: Duration = Duration::from_millis(6);
/// How much earlier than where a confirmation just comes in time one may be sent, or later.
const SPREAD: i64 = 600;

/// So many microseconds before its deadline a confirmation is sent. What it takes to be heard hangs
/// on the machine and what else it does, so this is found: one that was kept sends the next one
/// later, one that came too late sends it earlier, and a little less of the first is kept.
struct Lead(i64);

impl Lead {
    fn next(&mut self, was_kept: bool) {
        self.0 = (self.0 + if was_kept { -60 } else { 40 }).clamp(-1000, 5500);
    }

    /// Around it, differently for each race.
    fn of(&self, race: usize) -> i64 {
        let scattered = i64::try_from(race * 7919 % 1000).unwrap();
        self.0 + (scattered - 500) * 2 * SPREAD / 1000
    }
}

fn job(root: &Path, id: String, rules: &Ruleset, has_kernel_timer: bool) -> Job {
    Job {
        root: root.to_owned(),
        timeout: TIMEOUT,
        settle: Duration::ZERO,
        candidate: Confirmed {
            id,
            at: "now".into(),
            is_off: false,
            policy: Policy::default(),
            interfaces: vec![],
            rules: RulesText::of(rules),
            stopped: Vec::new(),
        },
        no_kernel_timer: (!has_kernel_timer).then(|| "without, this time".to_owned()),
        end_connections: false,
        ways_in: Vec::new(),
        begun_by: String::new(),
        units: UnitWork::default(),
    }
}

/// Two rulesets that are easily told apart, so that a trial always changes something; and small,
/// since what is in them has no part in the race.
fn rulesets() -> [Ruleset; 2] {
    [22, 80].map(|port| {
        let matches = Match {
            protocol: Some(Protocol::Tcp),
            destination_ports: Ports::single(port).into_iter().collect(),
            ..Match::default()
        };
        let rule = Rule::new(matches, "open", Target::Return);
        let family = FamilyRules {
            filter: Chains::from([("INPUT".to_owned(), vec![rule])]),
            ..FamilyRules::default()
        };
        Ruleset {
            ipv4: family.clone(),
            ipv6: family,
        }
    })
}

/// One race; whether it was kept. None where it was not held: on a machine that is out of breath the
/// kernel's second can be over before the new rules have been read back.
fn race(backend: &Memory, root: &Path, number: usize, rules: &Ruleset, before: i64) -> Option<bool> {
    let paths = Paths::under(root);
    let id = format!("race-{number}");
    let job = job(root, id.clone(), rules, number.is_multiple_of(2));
    let earlier = state::confirmed(&paths).unwrap();
    let base = Base::of(&backend.read().unwrap());
    let (stop, _never_told) = UnixStream::pair().unwrap();
    let (tell, told) = mpsc::channel();
    let (answer, held) = std::thread::scope(|scope| {
        let report = move |switched: Switched| tell.send(switched.deadline).unwrap();
        let guard = scope.spawn(move || hold(job, backend, "boot", &stop, |_, _| Ok(Pulse::unheard()), report));
        let answer = told.recv().ok().and_then(|deadline| {
            let lead = Duration::from_micros(before.unsigned_abs());
            let send_at = if before < 0 {
                deadline + lead
            } else {
                deadline.saturating_sub(lead)
            };
            std::thread::sleep(send_at.saturating_sub(clock::since_boot()));
            let confirm = Message {
                request: Request::Confirm { is_unproven_fine: true },
                id: Some(id.clone()),
            };
            ask(&paths, &confirm).unwrap()
        });
        (answer, guard.join().unwrap())
    });
    let is_kept = match &answer {
        Some(Answer::Confirmed { trouble: None }) => true,
        // No answer: the guard has gone, and the outcome tells.
        Some(Answer::Reverted {
            reason: Reason::NotConfirmed,
            trouble: None,
        })
        | None => false,
        other => panic!("{id}: {other:?}"),
    };
    let last = state::last(&paths).unwrap().unwrap();
    let reason = match &held {
        Ok(()) => Reason::NotConfirmed,
        Err(error) => Reason::Failed(error.to_string()),
    };
    assert_eq!(last.id, id);
    assert_eq!(last.reverted, (!is_kept).then_some(reason), "{answer:?}");
    assert_eq!(last.trouble, None);
    let confirmed = state::confirmed(&paths).unwrap();
    let now = Base::of(&backend.read().unwrap());
    if is_kept {
        assert_eq!(confirmed.unwrap().id, id);
        assert_eq!(now, base.successor(rules), "{id}");
    } else {
        assert_eq!(confirmed, earlier, "{id}");
        assert_eq!(now, base, "{id}");
    }
    assert!(!paths.journal().exists() && !paths.candidate().exists() && !paths.socket().exists());
    held.ok().map(|()| is_kept)
}

#[test]
fn confirmation_and_deadline_race_and_there_is_one_outcome() {
    let [started, kept, not_held] = [const { AtomicUsize::new(0) }; 3];
    let rulesets = rulesets();
    std::thread::scope(|scope| {
        for _ in 0..PAIRS {
            scope.spawn(|| {
                // In memory where there is such a folder: the disk has no part in the race.
                let folder = tempfile::tempdir_in("/dev/shm")
                    .or_else(|_| tempfile::tempdir())
                    .unwrap();
                let backend = Memory::default();
                let mut lead = Lead(300);
                let mut candidate = 0;
                loop {
                    let number = started.fetch_add(1, Ordering::Relaxed);
                    if number >= RACES + not_held.load(Ordering::Relaxed) {
                        break;
                    }
                    let race = race(&backend, folder.path(), number, &rulesets[candidate], lead.of(number));
                    let Some(is_kept) = race else {
                        not_held.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    lead.next(is_kept);
                    if is_kept {
                        kept.fetch_add(1, Ordering::Relaxed);
                        // The other one, so that there is something to change.
                        candidate = 1 - candidate;
                    }
                }
            });
        }
    });
    let kept = kept.into_inner();
    let not_held = not_held.into_inner();
    assert!(not_held < RACES / 100, "{not_held} were not held");
    println!("{kept} of {RACES} confirmations were in time");
    assert!(kept > RACES / 5, "no race: {kept} were in time");
    assert!(kept < RACES / 2, "the way back is what matters: {kept} were in time");
}
