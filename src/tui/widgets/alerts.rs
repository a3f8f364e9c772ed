//! The lines below the tabs: what is wrong, and what can't be seen. They stay until it is mended.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{Line as Defence, State, protection_words};
use crate::core::text::capitalised;
use crate::tui::availability::not_read;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::{ended, fit, width, wrap};

/// The lines, the gravest first.
pub fn of(model: &Model) -> Vec<(Token, String)> {
    let observation = &model.observation;
    let status = &observation.status;
    let mut alerts = Vec::new();
    if let Some(error) = &observation.policy_error {
        let text = format!("The policy can't be read, and nothing is changed until it is mended: {error}");
        alerts.push((Token::Bad, text));
    }
    if status.state == State::Drifted {
        let why = status.drift.as_deref().unwrap_or("something changed them");
        let by = model
            .drift
            .by()
            .map(|by| format!(" (changed by {by})"))
            .unwrap_or_default();
        alerts.push((
            Token::Bad,
            match observation.status.can_restore {
                true => {
                    let key = model.key_of(CommandId::Restore, Context::Screens);
                    format!("The kernel does not hold what was confirmed: {why}{by}. Put it back: {key}")
                }
                false => format!("The kernel does not hold what was confirmed: {why}{by}."),
            },
        ));
    }
    let doubt = status.drift.as_ref().filter(|_| status.state == State::Unknown);
    if let Some(why) = doubt {
        let text = format!("It is not known whether the kernel holds what was confirmed: {why}. More: fwtui status");
        alerts.push((Token::Unknown, text));
    }
    let changed = model.changed_on_trial();
    if let Some(why) = changed {
        alerts.push((Token::Bad, on_trial_no_more(model, why)));
    }
    let protection = &status.protection;
    // What boot does matters once it is kept; the question before an apply and that before keeping say so.
    // That the kernel's timer goes with changed rules is said with them.
    let is_told = |line| line == Defence::Boot || line == Defence::Kernel && changed.is_some();
    let is_reduced = protection.iter().any(|line| !line.holds && !is_told(line.line));
    if model.trial().is_some() && is_reduced {
        let text = format!("{}.", capitalised(&protection_words(protection)));
        alerts.push((Token::Warn, text));
    }
    if let Some(other) = &status.other_backend {
        alerts.push((Token::Warn, format!("Both kinds of iptables are in use: {other}")));
    }
    // What the doubt says already is not said twice.
    let is_new = |what: &&String| doubt.is_none_or(|why| what.trim_end_matches('.') != why);
    let unseen = observation.unseen.iter().filter(is_new);
    alerts.extend(unseen.map(|what| (Token::Unknown, what.clone())));
    alerts.extend(stopped(model).map(|what| (Token::Unknown, what)));
    if let Some((first, others)) = model.settings.complaints.split_first() {
        let stop = if first.ends_with(['.', '?']) { "" } else { "." };
        let more = match others.len() {
            0 => "See".to_owned(),
            count => format!("And {count} more"),
        };
        alerts.push((Token::Warn, format!("{first}{stop} {more}: fwtui config")));
    }
    alerts
}

/// Rules on trial that something changed, in two sentences.
pub fn on_trial_no_more(model: &Model, why: &str) -> String {
    let revert = model.key_of(CommandId::Revert, Context::Trial);
    format!(
        "The rules on trial were changed, and can't be kept: {}. {revert} puts the old ones back.",
        why.trim_end_matches('.')
    )
}

/// What was not looked at because the user stopped it, in one sentence.
fn stopped(model: &Model) -> Option<String> {
    let observation = &model.observation;
    let is_unsought = observation.services.iter().any(|service| service.is_unsought);
    match (observation.is_stopped, is_unsought) {
        (false, false) => None,
        (true, false) => Some(not_read(model)),
        (is_stopped, true) => {
            let key = model.key_of(CommandId::Refresh, Context::Always);
            let rules = if is_stopped {
                ", and the rules in the kernel were not read"
            } else {
                ""
            };
            Some(format!(
                "Who holds the sockets was not looked up{rules}: that was stopped. {key} looks again."
            ))
        }
    }
}

/// The same in lines of so many cells.
pub fn lines(model: &Model, cells: usize) -> Vec<(Token, String)> {
    let line = |(token, text): (Token, String)| {
        let lines = wrap(&text, cells.saturating_sub(3));
        lines.into_iter().map(move |line| (token, line))
    };
    of(model).into_iter().flat_map(line).collect()
}

/// Draws as many lines as there is room for; the last one says where to read on.
pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let help = format!(" more: {}", model.key_of(CommandId::Help, Context::Screens));
    let cells = usize::from(area.width);
    let lines = lines(model, cells);
    let rows = usize::from(area.height);
    for (index, (row, (token, text))) in area.rows().zip(&lines).enumerate() {
        let is_cut = lines.len() > rows && index + 1 == rows;
        let more = if is_cut { help.as_str() } else { "" };
        let style = model.palette.of(*token);
        let room = cells.saturating_sub(2 + width(more));
        let text = if is_cut { ended(text, room) } else { fit(text, room) };
        let line = Line::from(vec![
            Span::styled(" ▌", style),
            Span::styled(text, style),
            Span::styled(more.to_owned(), model.palette.of(Token::Dim)),
        ]);
        frame.render_widget(line, row);
    }
}
