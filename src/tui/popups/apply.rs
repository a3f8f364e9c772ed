//! The question before an apply: what will happen, for how long, and what it may cost.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Drawn, Sheet, text_width};
use crate::app::protection_words;
use crate::core::connections::GoesOn;
use crate::core::plan::Plan;
use crate::core::policy::Policy;
use crate::core::service::ServiceId;
use crate::core::text::capitalised;
use crate::core::trial::{LONGEST_TIMEOUT, SHORTEST_TIMEOUT};
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::port::ApplyRequest;
use crate::tui::screens::preview::{plan_in_brief, sentence_lines};
use crate::tui::theme::Token;
use crate::tui::widgets::text::{fit, wrap, wrapped};

/// What one key press adds to or takes from the timeout.
const STEP: Duration = Duration::from_secs(30);
/// More consequences than this are for the Preview screen.
const MOST_CONSEQUENCES: usize = 6;

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
        let longest = self.wanted_word().map_or(0, |word| word.to_string().len());
        if self.typed.len() < longest {
            self.typed.push(character);
        }
    }

    /// Takes what was typed; whether it was the right word.
    pub fn submit(&mut self) -> bool {
        let typed = std::mem::take(&mut self.typed);
        match self.wanted_word().cloned() {
            Some(wanted) if typed.trim() == wanted.to_string() => {
                self.accepted.push(wanted);
                true
            }
            _ => false,
        }
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

pub(super) fn draw(model: &Model, apply: &Apply, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 70);
    let cells = usize::from(width);
    let palette = &model.palette;
    let mut lines = Vec::new();
    if apply.is_off {
        let text = "All of fwtui's rules are taken out: whatever listens can be reached.";
        lines.extend(wrapped(text, cells, 0, palette.of(Token::Bad)));
    }
    let running = running(model, apply, cells);
    // What must be said comes before what may be cut: the question and the timeout need 5 lines.
    let mut sentences = Vec::new();
    for sentence in plan_in_brief(&apply.plan, MOST_CONSEQUENCES) {
        sentences.extend(sentence_lines(palette, &sentence, cells));
    }
    let mut protection = protection(model, cells);
    if let Some(note) = apply.plan.kernel_note() {
        let note = format!("{}.", capitalised(&note));
        protection.extend(wrapped(&note, cells, 0, palette.of(Token::Warn)));
    }
    let room = usize::from(area.height.saturating_sub(4 + 6))
        .saturating_sub(lines.len() + running.len() + protection.len())
        .max(2);
    if sentences.len() > room {
        sentences.truncate(room - 1);
        sentences.push(Line::styled("  … all of it is in the preview.", palette.of(Token::Dim)));
    }
    lines.extend(sentences);
    lines.extend(running);
    lines.push(Line::default());
    let text = format!(
        "On trial for {} seconds: unless you keep the new rules, the old ones come back by themselves, \
         whatever becomes of this terminal.",
        apply.timeout.as_secs()
    );
    lines.extend(wrapped(&text, cells, 0, palette.of(Token::Accent)));
    lines.extend(protection);
    lines.extend(question(model, apply, cells));
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
        is_useful: &|_| true,
        width,
    }
    .draw(frame, area)
}

/// What is missing of the lines of defence that a trial should have.
fn protection(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let lines = &model.observation.status.protection;
    if lines.iter().all(|line| line.holds) {
        return Vec::new();
    }
    let text = format!("{}.", capitalised(&protection_words(lines)));
    // On a small terminal the consequences matter more than every word of a reason.
    let most = if model.size.1 < 24 { 2 } else { 5 };
    let mut wrapped = wrap(&text, cells);
    if wrapped.len() > most {
        let rest = wrapped.split_off(most - 1).join(" ");
        wrapped.push(fit(&rest, cells));
    }
    let style = model.palette.of(Token::Warn);
    wrapped
        .into_iter()
        .map(|line| Line::from(Span::styled(line, style)))
        .collect()
}

/// What becomes of the connections that run, and the key that changes it.
fn running(model: &Model, apply: &Apply, cells: usize) -> Vec<Line<'static>> {
    let count = apply.plan.count_going_on();
    let (connections, go, are) = match count {
        0 => return Vec::new(),
        1 => ("1 running connection".to_owned(), "goes", "is"),
        _ => (format!("{count} running connections"), "go", "are"),
    };
    let (text, token) = match apply.end_connections {
        true => (
            format!("~ {connections} to what is refused {are} ended once you keep the rules."),
            Token::Warn,
        ),
        false => (
            format!("~ {connections} to what is refused {go} on: only new ones are refused."),
            Token::Text,
        ),
    };
    wrapped(&text, cells, 2, model.palette.of(token))
}

fn question(model: &Model, apply: &Apply, cells: usize) -> Vec<Line<'static>> {
    let palette = &model.palette;
    if let Some(word) = apply.wanted_word() {
        let mut lines = vec![Line::default()];
        lines.push(Line::from(vec![
            Span::styled(
                format!("To go ahead all the same, type {word}: "),
                palette.of(Token::Bad),
            ),
            Span::styled(apply.typed.clone(), palette.of(Token::Text)),
            Span::styled("▏", palette.of(Token::Accent)),
        ]));
        return lines;
    }
    if apply.is_harmless() {
        Vec::new()
    } else {
        let mut lines = vec![Line::default()];
        let text = "Press y to apply in spite of what is said above.";
        lines.extend(wrapped(text, cells, 0, palette.of(Token::Warn)));
        lines
    }
}
