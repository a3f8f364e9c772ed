//! Whole sessions, replayed: what the user types and what happens meanwhile, with what is on the screen
//! after each step, and where the machine stands in the end.
//!
//! A machine of the test's own does what the screens ask for, at once. Steps are
//!
//! | step               | what happens                                                        |
//! |--------------------|---------------------------------------------------------------------|
//! | `keys a y`         | these keys are pressed                                              |
//! | `type post`        | this text is typed                                                  |
//! | `wait 12`          | so many seconds go by                                               |
//! | `elsewhere keep`   | another session does it: `apply`, `keep`, `revert`, `extend`        |
//! | `connect`          | a new connection of the user's is accepted                          |
//! | `demand proof`     | keeping is refused until a new connection is seen, or all the same  |
//! | `break disk`       | nothing can be written any more                                     |
//! | `break apply`      | the kernel refuses the rules                                        |
//! | `kill`             | the screens are gone, without a word                                |
//! | `open`             | they are opened (again)                                             |

use std::time::Duration;

use fwtui::app::{Error, Kind, Last, Observation, OnTrial, Started, State};
use fwtui::core::policy::Policy;
use fwtui::core::reach::Filter;
use fwtui::core::setup::Answers;
use fwtui::tui::{Depth, Effect, Msg, Start};

use crate::Session;
use crate::fixture::{self, NOW};
use crate::sessions::SIZE;
use crate::snapshot::{draw, text};

/// The machine of a replayed session.
struct World {
    seen: Observation,
    clock: Duration,
    /// What comes back without a confirmation.
    base: Option<Filter>,
    trials: u32,
    /// What is wrong with it: `disk`, `apply`, `proof`.
    troubles: Vec<String>,
    /// What a setup that was left has kept.
    answers: Option<Answers>,
    has_quit: bool,
}

impl World {
    fn new(mut seen: Observation) -> Self {
        seen.status.protection = fixture::protection(true);
        Self {
            seen,
            clock: NOW,
            base: None,
            trials: 0,
            troubles: Vec::new(),
            answers: None,
            has_quit: false,
        }
    }

    fn has(&self, trouble: &str) -> bool {
        self.troubles.iter().any(|known| known == trouble)
    }

    /// Does what the screens ask for, and answers.
    fn perform(&mut self, effect: &Effect) -> Option<Msg> {
        let unproven = self.has("proof")
            && self
                .seen
                .status
                .trial
                .as_ref()
                .is_some_and(|trial| trial.evidence.is_empty());
        Some(match effect {
            Effect::Look(_) => Msg::Seen(Depth::Complete, Box::new(self.seen.clone())),
            Effect::Save { wanted, .. } => Msg::Saved(wanted.clone(), self.save(wanted)),
            Effect::Apply(request) => Msg::Applied(match self.has("apply") {
                true => Err(Error::failed("applying failed: iptables-restore: line 12 failed")
                    .hint("Other rules are untouched; the words are those of the program.")),
                false => Ok(self.begin(request.timeout, "anna, process 4711")),
            }),
            Effect::Confirm { is_unproven_fine, .. } if unproven && !is_unproven_fine => {
                Msg::Confirmed(Err(Error::new(
                    Kind::Unproven,
                    "not kept, since nothing shows that a new connection still gets in",
                )))
            }
            Effect::Confirm { .. } => Msg::Confirmed(match self.end("confirmed", None) {
                true => Ok(None),
                false => Err(Error::new(
                    Kind::Reverted,
                    "too late: the old rules are back (nobody confirmed in time)",
                )),
            }),
            Effect::Revert(_) => {
                self.end("reverted", Some(("asked", "a revert was asked for")));
                Msg::Reverted(Ok(()))
            }
            Effect::Extend(_) => Msg::Extended(Ok(self.extend())),
            Effect::AskStatus => Msg::Status(Box::new(self.seen.status.clone())),
            Effect::Told(id) => {
                self.seen.status.told = Some(id.clone());
                return None;
            }
            Effect::AskSetup(observation) => Msg::SetupFound {
                found: Box::new(crate::setup::found(observation, self.answers.clone())),
                is_new: self.seen.confirmed.is_none() && self.seen.policy == Policy::default(),
            },
            Effect::KeepAnswers(answers) => {
                self.answers = Some(*answers.clone());
                return None;
            }
            Effect::ForgetAnswers => {
                self.answers = None;
                return None;
            }
            Effect::Quit => {
                self.has_quit = true;
                return None;
            }
            _ => return None,
        })
    }

    fn save(&mut self, wanted: &Policy) -> Result<(), Error> {
        if self.has("disk") {
            return Err(
                Error::failed("/etc/fwtui/policy.json can't be written: no space left on device")
                    .hint("Make room on the disk; nothing has been changed."),
            );
        }
        self.seen.policy = wanted.clone();
        Ok(())
    }

    fn begin(&mut self, timeout: Duration, by: &str) -> Started {
        self.trials += 1;
        self.base = self.seen.filter.replace(fixture::in_force(&self.seen.policy));
        let mut started = fixture::started(90);
        started.trial.id = format!("trial {}", self.trials);
        started.trial.beginning.at = self.clock;
        started.trial.deadline = self.clock + timeout;
        started.trial.timeout = timeout;
        by.clone_into(&mut started.trial.beginning.by);
        self.seen.on_trial = Some(OnTrial {
            before: self.seen.confirmed.clone(),
            after: Some(self.seen.policy.clone()),
        });
        self.seen.status.state = State::Trial;
        self.seen.status.trial = Some(started.trial.clone());
        started
    }

    fn extend(&mut self) -> fwtui::app::TrialView {
        let trial = self.seen.status.trial.as_mut().unwrap();
        trial.deadline += Duration::from_secs(60);
        trial.clone()
    }

    /// The trial ends; whether there was one.
    fn end(&mut self, outcome: &str, reverted: Option<(&str, &str)>) -> bool {
        let Some(trial) = self.seen.status.trial.take() else {
            return false;
        };
        self.seen.on_trial = None;
        match reverted {
            None => self.seen.confirmed = Some(self.seen.policy.clone()),
            Some(_) => self.seen.filter = self.base.take(),
        }
        self.seen.status.state = match self.seen.confirmed {
            Some(_) => State::Confirmed,
            None => State::Off,
        };
        self.seen.status.last = Some(Last {
            id: trial.id,
            outcome: outcome.into(),
            reason: reverted.map(|(reason, _)| reason.into()),
            why: reverted.map(|(_, why)| why.into()),
            began: "2026-11-22T14:01:00Z".into(),
            at: "2026-11-22T14:02:00Z".into(),
        });
        true
    }

    fn wait(&mut self, seconds: u64) {
        self.clock += Duration::from_secs(seconds);
        if self
            .seen
            .status
            .trial
            .as_ref()
            .is_some_and(|trial| trial.deadline <= self.clock)
        {
            self.end("reverted", Some(("deadline", "nobody confirmed in time")));
        }
    }

    /// Where it stands, as nobody needs the screens for.
    fn stand(&self) -> String {
        let state = self.seen.status.state.word();
        let is_kept = self.seen.confirmed.as_ref() == Some(&self.seen.policy);
        let wanted = self.seen.filter == Some(fixture::in_force(&self.seen.policy));
        format!(
            "{state}, {} rules in force, {}{}",
            if wanted { "new" } else { "old" },
            if is_kept { "kept" } else { "not kept" },
            if self.has_quit { ", left" } else { "" }
        )
    }
}

struct Replay {
    world: World,
    screens: Option<Session>,
}

impl Replay {
    fn take(&mut self, msg: Msg) {
        let Some(session) = self.screens.as_mut() else { return };
        let mut waiting = session.send(msg);
        while !waiting.is_empty() {
            let effect = waiting.remove(0);
            if let Some(answer) = self.world.perform(&effect) {
                waiting.extend(session.send(answer));
            }
        }
    }

    fn step(&mut self, step: &str) {
        let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
        match (word, rest) {
            ("keys", keys) => {
                for name in keys.split(' ') {
                    self.take(Msg::Key(crate::key(name)));
                }
            }
            ("type", text) => {
                for character in text.chars() {
                    self.take(Msg::Key(crate::key(&character.to_string())));
                }
            }
            ("wait", seconds) => {
                for _ in 0..seconds.parse().unwrap() {
                    self.world.wait(1);
                    self.take(Msg::Tick(self.world.clock));
                }
            }
            ("elsewhere", what) => {
                match what {
                    "apply" => drop(self.world.begin(Duration::from_secs(90), "ben, process 99")),
                    "keep" => drop(self.world.end("confirmed", None)),
                    "revert" => drop(self.world.end("reverted", Some(("asked", "a revert was asked for")))),
                    "extend" => drop(self.world.extend()),
                    _ => panic!("nobody does '{what}' elsewhere"),
                }
                self.take(Msg::Probed(Box::new(self.world.seen.status.clone())));
            }
            ("connect", "") => {
                let trial = self.world.seen.status.trial.as_mut().unwrap();
                trial.evidence = vec![fixture::evidence("192.0.2.7", 0)];
            }
            ("demand" | "break", trouble) => self.world.troubles.push(trouble.to_owned()),
            ("kill", "") => self.screens = None,
            ("open", "") => {
                self.world.has_quit = false;
                let mut session = Session::unseen(SIZE);
                session.model.now = self.world.clock;
                session.model.start = Start::SetupIfNew;
                self.screens = Some(session);
                self.take(Msg::Seen(Depth::Complete, Box::new(self.world.seen.clone())));
            }
            _ => panic!("there is no step '{step}'"),
        }
    }
}

/// Replays the steps, each with words that are on the screen afterwards (`!` before those that are
/// not; several between bars), from the decided machine to where it stands in the end.
#[track_caller]
fn replay(steps: &[(&str, &str)], end: &str) {
    replay_on(fixture::decided(), steps, end);
}

#[track_caller]
fn replay_on(machine: Observation, steps: &[(&str, &str)], end: &str) {
    let mut replay = Replay {
        world: World::new(machine),
        screens: None,
    };
    replay.step("open");
    for (step, words) in steps {
        replay.step(step);
        let drawn = replay.screens.as_ref().map(|session| text(&draw(&session.model)));
        let drawn = drawn.unwrap_or_default();
        // A sentence may be broken anywhere, in a popup between its borders.
        let flat: Vec<&str> = drawn
            .split(|c: char| c.is_whitespace() || c == '│')
            .filter(|word| !word.is_empty())
            .collect();
        let flat = flat.join(" ");
        for words in words.split(" | ").filter(|words| !words.is_empty()) {
            let is_as_said = match words.strip_prefix('!') {
                Some(words) => !flat.contains(words),
                None => flat.contains(words),
            };
            assert!(is_as_said, "after '{step}', '{words}':\n{drawn}");
        }
    }
    assert_eq!(replay.world.stand(), end);
}

#[test]
fn decide_preview_apply_keep() {
    replay(
        &[
            ("keys /", "12 of 12"),
            ("type redis", "redis-server"),
            ("keys enter", "!postgres 5432"),
            ("keys c", "6379/tcp: confine."),
            ("keys p", "What changes | Only this machine can connect"),
            ("keys a", "Apply? | for 90 seconds"),
            ("keys y", "TRIAL 90 seconds | The new rules are in force"),
            ("wait 12", "TRIAL 78 seconds"),
            ("connect", ""),
            ("wait 1", "new connection from 192.0.2.7 to 22/tcp"),
            ("keys k", "Keep the new rules? | redis-server 6379/tcp"),
            ("keys y", "Kept. The new rules stay | ● confirmed | !TRIAL"),
        ],
        "confirmed, new rules in force, kept",
    );
}

#[test]
fn reverted_by_a_key() {
    replay(
        &[
            ("keys a y", "TRIAL 90 seconds"),
            ("wait 3", "TRIAL 87 seconds"),
            (
                "keys r",
                "Reverted: the old rules are back. | wait for an apply | !TRIAL",
            ),
            ("keys p", "What changes"),
            ("kill", ""),
            ("open", "!The trial is over"),
        ],
        "confirmed, old rules in force, not kept",
    );
}

#[test]
fn reverted_when_time_runs_out_and_told_once() {
    replay(
        &[
            ("keys a y", "TRIAL 90 seconds"),
            ("wait 89", "TRIAL 1 second, then the old rules come back"),
            (
                "wait 1",
                "Time ran out: the old rules are back | nobody confirmed in time | trusted again (on trial: confine)",
            ),
            ("wait 600", "Time ran out"),
            // Nobody was there to read it.
            ("kill", ""),
            (
                "open",
                "Time ran out: the old rules are back | p shows them, a applies them",
            ),
            ("keys esc", "!What holds now | Time ran out: the old rules are back."),
            ("kill", ""),
            ("open", "!Time ran out"),
        ],
        "confirmed, old rules in force, not kept",
    );
}

#[test]
fn made_longer() {
    replay(
        &[
            ("keys a + y", "TRIAL 120 seconds"),
            ("wait 80", "TRIAL 40 seconds"),
            ("keys m", "One more minute. | TRIAL 100 seconds | !elsewhere"),
            ("wait 99", "TRIAL 1 second"),
            ("keys k y", "Kept."),
        ],
        "confirmed, new rules in force, kept",
    );
}

#[test]
fn found_again_after_the_screens_were_killed() {
    replay(
        &[
            ("keys a y", "TRIAL 90 seconds | !Begun"),
            ("kill", ""),
            ("wait 40", ""),
            (
                "open",
                "TRIAL 50 seconds | A trial is running | Begun 40 s ago by anna, process 4711. | 50 s are left",
            ),
            (
                "wait 1",
                "49 s are left | postgres 5432/tcp confine (was trusted) | k keep",
            ),
            ("keys m", "TRIAL 109 seconds | Begun 41 s ago"),
            ("keys k", "Keep the new rules?"),
            ("keys y", "Kept. | !Begun"),
        ],
        "confirmed, new rules in force, kept",
    );
    replay(
        &[
            (
                "elsewhere apply",
                "A trial was begun elsewhere, 0 s ago by ben, process 99.",
            ),
            ("kill", ""),
            ("open", "Begun 0 s ago by ben"),
            ("keys esc", "!Begun | TRIAL 90 seconds"),
            ("keys r", "Reverted"),
        ],
        "confirmed, old rules in force, not kept",
    );
}

#[test]
fn what_another_session_does_is_told() {
    replay(
        &[
            ("keys a y", "TRIAL 90 seconds"),
            (
                "elsewhere extend",
                "TRIAL 150 seconds | Made longer elsewhere: 150 seconds are left.",
            ),
            ("keys k", "Keep the new rules?"),
            (
                "elsewhere keep",
                "Kept elsewhere. The new rules stay | !Keep the new rules? | !TRIAL",
            ),
            // What was meant for the question does nothing.
            ("keys y", "● confirmed"),
        ],
        "confirmed, new rules in force, kept",
    );
    replay(
        &[
            ("keys a y", "TRIAL 90 seconds"),
            (
                "elsewhere revert",
                "Reverted elsewhere: the old rules are back. | !TRIAL",
            ),
        ],
        "confirmed, old rules in force, not kept",
    );
}

#[test]
fn refused_by_the_kernel_or_by_the_disk() {
    replay(
        &[
            ("break apply", ""),
            ("keys a y", "Not applied | line 12 failed | !TRIAL"),
            ("keys esc", "● confirmed"),
        ],
        "confirmed, old rules in force, not kept",
    );
    replay(
        &[
            ("break disk", ""),
            (
                "keys c",
                "The policy could not be saved | no space left on device | Make room",
            ),
            ("keys esc", "sshd 22/tcp all ● everyone ● everyone open"),
        ],
        "confirmed, old rules in force, not kept",
    );
}

#[test]
fn too_late_and_without_proof() {
    replay(
        &[
            ("demand proof", ""),
            ("keys a y", "TRIAL 90 seconds"),
            ("wait 3", "TRIAL 87 seconds"),
            ("keys k y", "Keep without proof? | Not kept, since nothing shows"),
            ("keys enter esc", "TRIAL 87 seconds | !without proof"),
            ("connect", ""),
            ("keys k y", "Kept."),
        ],
        "confirmed, new rules in force, kept",
    );
    let mut late = Replay {
        world: World::new(fixture::decided()),
        screens: None,
    };
    for step in ["open", "keys a y", "wait 3", "keys k"] {
        late.step(step);
    }
    // The deadline passes between the key and its arrival.
    late.world.wait(90);
    late.step("keys y");
    let drawn = text(&draw(&late.screens.as_ref().unwrap().model));
    assert!(drawn.contains("Too late: the old rules are back"), "{drawn}");
    late.step("wait 2");
    late.step("keys esc");
    assert!(late.screens.as_ref().unwrap().model.popups.is_empty(), "told once");
}

#[test]
fn left_running_and_told_afterwards() {
    replay(
        &[
            ("keys a y", "TRIAL 90 seconds"),
            ("keys q", "A trial is running | leave it running"),
            ("keys y", ""),
            ("kill", ""),
            ("wait 91", ""),
            ("open", "Time ran out: the old rules are back"),
            ("keys enter q", ""),
        ],
        "confirmed, old rules in force, not kept, left",
    );
}

#[test]
fn what_is_told_unasked_takes_no_letters_of_a_line_being_typed() {
    let mut replay = Replay {
        world: World::new(fixture::decided()),
        screens: None,
    };
    replay.world.begin(Duration::from_secs(90), "ben, process 99");
    let mut session = Session::unseen(SIZE);
    session.send(Msg::Seen(Depth::Sockets, Box::new(replay.world.seen.clone())));
    replay.screens = Some(session);
    replay.step("keys /");
    replay.take(Msg::Seen(Depth::Complete, Box::new(replay.world.seen.clone())));
    replay.step("type redis-server");
    assert_eq!(replay.world.stand(), "trial, new rules in force, not kept");
    let drawn = text(&draw(&replay.screens.as_ref().unwrap().model));
    assert!(drawn.contains("redis-server"), "{drawn}");
    replay.step("keys enter");
    assert!(text(&draw(&replay.screens.as_ref().unwrap().model)).contains("Begun 0 s ago"));
}

#[test]
fn the_setup_from_the_first_page_to_the_end() {
    replay_on(
        fixture::fresh(),
        &[
            ("keys enter", "Whom do you trust?"),
            ("keys down space", "wlan0 wifi ◐ trusted"),
            ("keys enter", "How shall others be refused?"),
            ("keys left", "Whom do you trust? | wlan0 wifi ◐ trusted"),
            ("keys enter enter", "Who may connect to what?"),
            ("keys down o", "nginx 80/tcp ● open"),
            ("keys enter enter", "This is what you chose | sshd 22/tcp, nginx 80/tcp"),
            ("keys enter", "What changes | !TRIAL"),
            ("keys a", "Apply?"),
            ("keys y", "TRIAL 90 seconds | Does everything work?"),
            ("wait 12", "TRIAL 78 seconds"),
            ("connect", ""),
            ("wait 1", "new connection from 192.0.2.7 to 22/tcp"),
            ("keys k y", "Done | Kept: the new rules are in force | !TRIAL"),
            ("keys enter", "Services | ● confirmed | !Done"),
            ("kill", ""),
            ("open", "Services | !Welcome"),
        ],
        "confirmed, new rules in force, kept",
    );
}

#[test]
fn a_setup_that_is_killed_reverted_and_gone_on_with() {
    replay_on(
        fixture::fresh(),
        &[
            ("keys enter down space", "wlan0 wifi ◐ trusted"),
            ("kill", ""),
            ("open", "wlan0 wifi ◐ trusted"),
            ("keys A", "That answer is replaced."),
            ("keys y", "This is what you chose"),
            ("keys enter a y", "TRIAL 90 seconds"),
            ("keys r", "the old rules are back | This is what you chose | !TRIAL"),
            ("keys enter a y", "TRIAL 90 seconds"),
            ("wait 90", "the old rules are back | !TRIAL"),
            ("keys q q y", ""),
        ],
        "off, old rules in force, not kept, left",
    );
}
