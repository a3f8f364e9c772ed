//! The question before an apply in lines.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Apply, WIDTH};
use crate::app::{State, protection_words};
use crate::core::text::capitalised;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::popups::text_width;
use crate::tui::screens::preview::{must_be_read, rest_in_brief, sentence_lines};
use crate::tui::theme::Token;
use crate::tui::widgets::text::{fit, wrap, wrapped};

/// More consequences than this are for the Preview screen.
const MOST_CONSEQUENCES: usize = 6;

/// The question in lines.
pub(super) struct Parts {
    /// What applying means, which scrolls.
    pub(super) body: Vec<Line<'static>>,
    /// So many of its lines must be read before a yes counts.
    pub(super) grave: usize,
    /// How many of its lines are in sight.
    pub(super) room: usize,
    /// How long the trial lasts, and what to press: always in sight.
    pub(super) foot: Vec<Line<'static>>,
}

pub(super) fn parts(model: &Model, apply: &Apply, area: Rect) -> Parts {
    let cells = usize::from(text_width(area, WIDTH));
    let palette = &model.palette;
    let mut body = Vec::new();
    if apply.is_off {
        let text = "All of fwtui's rules are taken out: whatever listens can be reached.";
        body.extend(wrapped(text, cells, 0, palette.of(Token::Bad)));
    }
    for sentence in must_be_read(&apply.plan) {
        body.extend(sentence_lines(palette, &sentence, cells));
    }
    let grave = if apply.is_harmless() { 0 } else { body.len() };
    for sentence in rest_in_brief(&apply.plan, MOST_CONSEQUENCES) {
        body.extend(sentence_lines(palette, &sentence, cells));
    }
    body.extend(running(model, apply, cells));
    let back = match model.observation.status.state {
        // That is not what "the old rules" makes one think of.
        State::Drifted => "what the kernel holds now comes back by itself",
        State::Off | State::Confirmed | State::Trial | State::Unknown => "the old ones come back by themselves",
    };
    let text = format!(
        "On trial for {} seconds: unless you keep the new rules, {back}, whatever becomes of this terminal.",
        apply.timeout.as_secs()
    );
    let mut foot = wrapped(&text, cells, 0, palette.of(Token::Accent));
    let mut asked = Vec::new();
    if let Some(note) = apply.plan.kernel_note() {
        let note = format!("{}.", capitalised(&note));
        asked.extend(wrapped(&note, cells, 0, palette.of(Token::Warn)));
    }
    asked.extend(question(model, apply, cells));
    // The frame, the keys, and the line between the two.
    let room = usize::from(area.height).saturating_sub(4 + 1 + foot.len() + asked.len());
    foot.extend(protection(model, cells, room.saturating_sub(body.len())));
    foot.extend(asked);
    let room = usize::from(area.height).saturating_sub(4 + 1 + foot.len()).max(1);
    Parts {
        room: room.min(body.len()),
        body,
        grave,
        foot,
    }
}

/// What is missing of the lines of defence that a trial should have; so many lines are free for it.
fn protection(model: &Model, cells: usize, free: usize) -> Vec<Line<'static>> {
    let lines = &model.observation.status.protection;
    if lines.iter().all(|line| line.holds) {
        return Vec::new();
    }
    let text = format!("{}.", capitalised(&protection_words(lines)));
    // On a small terminal the consequences matter more than every word of a reason.
    let most = free.max(if model.size.1 < 24 { 2 } else { 5 });
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
        let error = apply.error.iter();
        lines.extend(error.flat_map(|error| wrapped(error, cells, 0, palette.of(Token::Warn))));
        return lines;
    }
    if apply.is_harmless() {
        Vec::new()
    } else {
        let mut lines = vec![Line::default()];
        let yes = model.key_of(CommandId::Accept, Context::Applying);
        let [down, page] = [CommandId::Down, CommandId::PageDown].map(|id| model.key_of(id, Context::Moving));
        let text = match apply.is_read() {
            true => format!("Press {yes} to apply in spite of what is said above."),
            false => format!("There are more warnings: {down} or {page} shows them, then {yes} applies."),
        };
        lines.extend(wrapped(&text, cells, 0, palette.of(Token::Warn)));
        lines
    }
}
