//! The model, drawn.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::tui::ascii;
use crate::tui::availability;
use crate::tui::commands::{self, Command, CommandId, Context};
use crate::tui::layout::SMALLEST;
use crate::tui::model::Model;
use crate::tui::popups::{self, Popup};
use crate::tui::screens;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrap;
use crate::tui::widgets::{alerts, banner, bars, footer};

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    draw(model, frame);
    if model.settings.is_ascii {
        ascii::fold(frame.buffer_mut());
    }
}

fn draw(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, model.palette.base());
    let parts = model.frames();
    if parts.area != area {
        // The terminal changed its size; the message about it is on its way.
        return;
    }
    if parts.is_too_small() {
        draw_too_small(model, frame, area);
        return;
    }
    banner::draw(model, frame, parts.banner);
    bars::header(model, frame, parts.header);
    alerts::draw(model, frame, parts.alerts);
    if let Some(setup) = &model.setup {
        screens::setup::draw_progress(model, setup, frame, parts.tabs);
        screens::setup::draw(model, setup, frame, parts.body);
    } else {
        bars::tabs(model, frame, parts.tabs);
        if let Some(screen) = model.screen.screen() {
            (screen.draw)(model, frame, parts.body);
        }
    }
    bars::notice(model, frame, parts.notice);
    footer::draw(model, frame, parts.footer);
    popups::draw(model, frame);
}

/// What fits: the trial, if one runs, and what would help.
fn draw_too_small(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let mut rows = area.rows().collect::<Vec<_>>().into_iter();
    let cells = usize::from(area.width);
    if let Some(seconds) = model.seconds_left() {
        let text = format!("{} · {}", banner::countdown(model, seconds), keys_in_short(model));
        for line in wrap(&text, cells) {
            if let Some(row) = rows.next() {
                frame.render_widget(Line::styled(line, model.palette.alarm()), row);
            }
        }
    }
    let (width, height) = SMALLEST;
    let quit = model.key_of(CommandId::Quit, Context::Screens);
    let leave = match model.popups.is_empty() {
        true => format!(", or press {quit}"),
        false => String::new(),
    };
    let size = format!(
        "fwtui needs {width}x{height} cells, and this terminal has {}x{}. Make it larger{leave}.",
        area.width, area.height
    );
    // What became of it, where it is over.
    let said = match model.popups.last() {
        Some(Popup::Outcome(outcome)) => Some((outcome.token, outcome.title.as_str())),
        _ => model.notice.as_ref().map(|notice| (notice.token, notice.text.as_str())),
    };
    let in_lines = |(token, text): (Token, &str)| {
        let lines = wrap(text, cells).into_iter();
        lines
            .map(|line| Line::styled(line, model.palette.of(token)))
            .collect::<Vec<_>>()
    };
    let (said, size) = (said.map(in_lines).unwrap_or_default(), in_lines((Token::Text, &size)));
    // Where there is room for one of them only, it is what would help.
    let lines = match said.len() + size.len() <= rows.len() {
        true => [said, size],
        false => [size, said],
    };
    for (line, row) in lines.into_iter().flatten().zip(rows) {
        frame.render_widget(line, row);
    }
}

/// What the keys do in a trial that is shown in one line: a question that is open is not seen.
fn keys_in_short(model: &Model) -> String {
    let contexts = match model.popups.last() {
        None | Some(Popup::Running) => vec![Context::Trial],
        Some(popup @ (Popup::Keep(_) | Popup::Unproven(_) | Popup::Leave)) => popup.contexts(),
        Some(_) => return "a window is open".to_owned(),
    };
    let question = match model.popups.last() {
        Some(Popup::Keep(_)) => "keep the new rules? ",
        Some(Popup::Unproven(_)) => "keep them without proof? ",
        Some(Popup::Leave) => "leave? ",
        _ => "",
    };
    // What there is room for: more time is asked for where the rest can be seen.
    let is_asked = !model.popups.is_empty();
    let is_vital = |command: &&Command| {
        let is_known = !is_asked || availability::is_useful(model, command);
        command.rank == 1 && command.id != CommandId::Extend && is_known
    };
    let of = |context: &Context| commands::of(*context).filter(is_vital);
    let hint = |command: &Command| format!("{} {}", model.settings.keymap.shown(command), command.label);
    let hints: Vec<String> = contexts.iter().flat_map(of).map(hint).collect();
    format!("{question}{}", hints.join(" · "))
}
