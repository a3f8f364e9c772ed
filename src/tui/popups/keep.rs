//! Whether to keep the new rules.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::running::on_trial;
use super::{Drawn, Sheet, text_height, text_width};
use crate::app::{OnTrial, boot_trouble};
use crate::core::plan::Lockout;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::alerts::on_trial_no_more;
use crate::tui::widgets::banner::CONFIRM_COMMAND;
use crate::tui::widgets::proof;
use crate::tui::widgets::text::wrapped;

pub(super) fn draw(model: &Model, lockouts: &[Lockout], frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 62);
    let cells = usize::from(width);
    let palette = &model.palette;
    let changed = model.changed_on_trial();
    let is_off = model.observation.on_trial.as_ref().is_some_and(OnTrial::is_off);
    let (what, token) = match (changed, boot_trouble(&model.observation.status.protection)) {
        (Some(why), _) => (on_trial_no_more(model, why), Token::Bad),
        (None, _) if is_off => {
            let text = "fwtui's rules stay out, and none are loaded at boot: it refuses nobody.";
            (text.to_owned(), Token::Text)
        }
        (None, None) => {
            let text = "The new rules stay, and come back after a reboot.";
            (text.to_owned(), Token::Text)
        }
        (None, Some(why)) => (format!("The new rules stay until the next reboot: {why}."), Token::Text),
    };
    let mut lines = wrapped(&what, cells, 0, palette.of(token));
    if let Some(seconds) = model.seconds_until_settled().filter(|_| changed.is_none()) {
        let yes = model.key_of(CommandId::Accept, Context::Asking);
        let text = format!("Too early: look first whether everything works. In {seconds} s {yes} keeps them.");
        lines.push(Line::default());
        lines.extend(wrapped(&text, cells, 0, palette.of(Token::Warn)));
    }
    for lockout in lockouts {
        let text = format!(
            "Your own way in, {}, is refused by them: a new connection of yours is not let in.",
            lockout.service
        );
        lines.push(Line::default());
        lines.extend(wrapped(&text, cells, 0, palette.of(Token::Bad)));
    }
    if let Some(text) = model.decided_since() {
        lines.push(Line::default());
        lines.extend(wrapped(&text, cells, 0, palette.of(Token::Warn)));
    }
    let connections = match changed {
        None => new_connections(model),
        Some(_) => Vec::new(),
    };
    if !connections.is_empty() {
        lines.push(Line::default());
    }
    for (text, token) in connections {
        lines.extend(wrapped(&text, cells, 0, palette.of(token)));
    }
    // The last thing to look at before a yes, where there is room for it.
    let room = text_height(area, usize::MAX).saturating_sub(lines.len() + 2);
    if room >= 2 && model.observation.on_trial.is_some() {
        let (title, new) = on_trial(model, cells, room);
        lines.push(Line::default());
        lines.push(Line::styled(title, palette.of(Token::Text)));
        lines.extend(new);
    }
    Sheet {
        model,
        title: "Keep the new rules?",
        token: Token::Accent,
        lines,
        top: 0,
        contexts: &[Context::Asking, Context::Trial],
        width,
    }
    .draw(frame, area)
}

/// Whether one of the user's is let in, as far as it is known; what would show it.
fn new_connections(model: &Model) -> Vec<(String, Token)> {
    let seen = proof::sentences(model);
    if !seen.is_empty() {
        return seen;
    }
    if let Some(command) = proof::command(model) {
        let text = "Nothing shows yet that a new connection gets in: the one you are typing in was there before. \
                    Open one from a second terminal, and keep the new rules there:";
        return vec![(text.to_owned(), Token::Warn), (command.to_owned(), Token::Key)];
    }
    if model.observation.ways_in.is_empty() {
        return Vec::new();
    }
    let text = format!(
        "Is a new connection let in? The one you are typing in proves nothing: it was there before. \
         The surest way is to log in again and type there: {CONFIRM_COMMAND}"
    );
    vec![(text, Token::Warn)]
}
