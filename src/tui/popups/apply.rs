//! The question before an apply: what will happen, for how long, and what it may cost.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Drawn, Popup, Sheet, text_width};
use crate::core::connections::GoesOn;
use crate::core::plan::Plan;
use crate::core::policy::Policy;
use crate::core::service::ServiceId;
use crate::core::trial::{LONGEST_TIMEOUT, SHORTEST_TIMEOUT};
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::port::ApplyRequest;
use crate::tui::theme::Token;

mod parts;

use parts::parts;

/// What one key press adds to or takes from the timeout.
const STEP: Duration = Duration::from_secs(30);
/// How much longer than the service's id may be what is typed or pasted.
const SPARE: usize = 20;
const WIDTH: u16 = 70;

/// The question, with the answers so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apply {
    /// What will happen, as it was when the question was asked.
    pub plan: Plan,
    /// The policy it was worked out for.
    policy: Policy,
    /// Whether everything is taken out.
    pub is_off: bool,
    /// How long the trial lasts.
    pub timeout: Duration,
    /// What is being typed.
    pub typed: String,
    /// The services typed out so far.
    accepted: Vec<ServiceId>,
    /// Whether running connections are ended, too.
    end_connections: bool,
    /// What is wrong with what was typed.
    error: Option<String>,
    /// The first line in sight.
    pub top: usize,
    /// How many lines have been in sight, at which width.
    seen: (usize, usize),
    /// Whether everything that must be read has been in sight.
    is_read: bool,
    /// What was in sight when that was looked at last.
    settled: Option<Sight>,
}

/// What the lines in sight depend on while the question is open: a paste must not lay them out for
/// every letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sight {
    area: Rect,
    top: usize,
    accepted: usize,
    going_on: usize,
    has_error: bool,
    ends: bool,
    timeout: Duration,
}

impl Apply {
    /// The question for a plan.
    pub const fn new(plan: Plan, policy: Policy, is_off: bool, timeout: Duration) -> Self {
        Self {
            plan,
            policy,
            is_off,
            timeout,
            typed: String::new(),
            accepted: Vec::new(),
            end_connections: false,
            error: None,
            top: 0,
            seen: (0, 0),
            is_read: false,
            settled: None,
        }
    }

    /// The service that must be typed out next; none when nothing (more) must be.
    pub fn wanted_word(&self) -> Option<&ServiceId> {
        self.plan
            .lockouts
            .iter()
            .map(|lockout| &lockout.service)
            .find(|service| !self.accepted.contains(service))
    }

    /// Takes a character more of the service that must be typed out.
    pub fn push(&mut self, character: char) {
        let longest = self.wanted_word().map_or(0, |word| word.to_string().len() + SPARE);
        if self.typed.len() < longest && !character.is_control() {
            self.typed.push(character);
            self.error = None;
        }
    }

    /// Takes the last character back.
    pub fn erase(&mut self) {
        self.typed.pop();
        self.error = None;
    }

    /// Takes what was typed; whether it was the right word.
    pub fn submit(&mut self) -> bool {
        let typed = std::mem::take(&mut self.typed);
        self.error = None;
        match (self.wanted_word().cloned(), typed.trim()) {
            (Some(wanted), typed) if typed == wanted.to_string() => {
                self.accepted.push(wanted);
                return true;
            }
            (Some(_), "") | (None, _) => {}
            (Some(wanted), typed) => {
                self.error = Some(format!("'{typed}' is not {wanted}: nothing is applied yet."));
            }
        }
        false
    }

    /// Whether every lock-out and every warning has been in sight.
    pub const fn is_read(&self) -> bool {
        self.is_read
    }

    /// Whether Enter is enough: there is nothing to be overlooked.
    pub fn is_harmless(&self) -> bool {
        self.plan.warnings.is_empty() && self.plan.lockouts.is_empty()
    }

    /// A trial that is longer or shorter by a step, within the limits.
    pub fn stretch(&mut self, is_longer: bool) {
        let timeout = if is_longer {
            self.timeout.saturating_add(STEP)
        } else {
            self.timeout.saturating_sub(STEP)
        };
        self.timeout = timeout.clamp(SHORTEST_TIMEOUT, LONGEST_TIMEOUT);
    }

    /// Ends running connections too, or not after all; where there are none, never.
    pub fn switch_end_connections(&mut self) {
        self.end_connections = !self.end_connections && !self.plan.going_on.is_empty();
    }

    /// Takes what runs by now.
    pub fn count_again(&mut self, going_on: Vec<GoesOn>) {
        self.end_connections &= !going_on.is_empty();
        self.plan.going_on = going_on;
    }

    /// What to ask the machine for; none while a word is still to be typed.
    pub fn request(&self) -> Option<ApplyRequest> {
        self.wanted_word().is_none().then(|| ApplyRequest {
            previewed: self.policy.clone(),
            is_off: self.is_off,
            timeout: self.timeout,
            replace: false,
            accepted_lockouts: self.accepted.clone(),
            end_connections: self.end_connections,
            rehearse: true,
        })
    }
}

/// Takes note of what has been in sight.
pub(super) fn settle(model: &mut Model) {
    let frames = model.frames();
    let area = frames.beside_popups();
    let Some(Popup::Apply(apply)) = model.popups.last() else {
        return;
    };
    let sight = Sight {
        area,
        top: apply.top,
        accepted: apply.accepted.len(),
        going_on: apply.plan.count_going_on(),
        has_error: apply.error.is_some(),
        ends: apply.end_connections,
        timeout: apply.timeout,
    };
    if frames.is_too_small() || apply.settled == Some(sight) {
        return;
    }
    let parts = parts(model, apply, area);
    let cells = usize::from(text_width(area, WIDTH));
    let Some(Popup::Apply(apply)) = model.popups.last_mut() else {
        return;
    };
    apply.top = apply.top.min(parts.body.len().saturating_sub(parts.room));
    apply.settled = Some(Sight {
        top: apply.top,
        ..sight
    });
    let (width, seen) = apply.seen;
    let mut seen = if width == cells { seen } else { 0 };
    // What was jumped over was not in sight.
    if apply.top <= seen {
        seen = seen.max(apply.top + parts.room);
    }
    apply.seen = (cells, seen);
    apply.is_read |= seen >= parts.grave;
}

/// How many lines there are to scroll, and how many are in sight.
pub fn extent(model: &Model, apply: &Apply, area: Rect) -> (usize, usize) {
    let parts = parts(model, apply, area);
    (parts.body.len(), parts.room)
}

pub(super) fn draw(model: &Model, apply: &Apply, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let parts = parts(model, apply, area);
    let palette = &model.palette;
    let below = parts.body.len().saturating_sub(apply.top + parts.room);
    let mut lines: Vec<Line<'static>> = parts.body.into_iter().skip(apply.top).take(parts.room).collect();
    lines.push(match (below, apply.is_read) {
        (0, _) if apply.top == 0 => Line::default(),
        (0, _) => Line::styled("  ↑ more above", palette.of(Token::Dim)),
        (more, true) => Line::styled(
            format!("  ↓ {more} more, and all of it in the preview"),
            palette.of(Token::Dim),
        ),
        (more, false) => Line::styled(
            format!("  ↓ {more} more with warnings: read on, then answer"),
            palette.of(Token::Warn),
        ),
    });
    lines.extend(parts.foot);
    let contexts = match apply.wanted_word() {
        Some(_) => [Context::Typing],
        None => [Context::Applying],
    };
    let has_lockout = !apply.plan.lockouts.is_empty();
    Sheet {
        model,
        title: if apply.is_off { "Turn off?" } else { "Apply?" },
        token: if has_lockout { Token::Bad } else { Token::Accent },
        lines,
        top: 0,
        contexts: &contexts,
        width: text_width(area, WIDTH),
    }
    .draw(frame, area)
}
