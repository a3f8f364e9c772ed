//! The model, drawn.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::tui::ascii;
use crate::tui::commands::{CommandId, Context};
use crate::tui::layout::SMALLEST;
use crate::tui::model::Model;
use crate::tui::popups;
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
    bars::tabs(model, frame, parts.tabs);
    alerts::draw(model, frame, parts.alerts);
    if let Some(screen) = model.screen.screen() {
        (screen.draw)(model, frame, parts.body);
    }
    bars::notice(model, frame, parts.notice);
    footer::draw(model, frame, parts.footer);
    popups::draw(model, frame);
}

/// What fits: the trial, if one runs, and what would help.
fn draw_too_small(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let mut rows = area.rows();
    let cells = usize::from(area.width);
    if let Some(seconds) = model.seconds_left() {
        let text = format!("{} · k keep · r revert", banner::countdown(model, seconds));
        for line in wrap(&text, cells) {
            if let Some(row) = rows.next() {
                frame.render_widget(Line::styled(line, model.palette.alarm()), row);
            }
        }
    }
    let (width, height) = SMALLEST;
    let quit = model.key_of(CommandId::Quit, Context::Screens);
    let text = format!(
        "fwtui needs {width}x{height} cells, and this terminal has {}x{}. Make it larger, or press {quit}.",
        area.width, area.height
    );
    for (row, line) in rows.zip(wrap(&text, cells)) {
        frame.render_widget(Line::styled(line, model.palette.of(Token::Text)), row);
    }
}
