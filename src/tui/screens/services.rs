//! What listens, who may connect, who will.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::tui::commands::{CommandId, Context};
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::rule::{Piece, rule_of};

mod columns;
mod detail;
mod row;

use columns::Columns;
pub use columns::{column_at, columns};
pub(in crate::tui) use detail::{heading, whole};

/// Draws the screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let parts = layout::services(model, body);
    let palette = &model.palette;
    let title = [(Token::Title, "Services".to_owned())];
    let remark = remark(model, body.width);
    frame.render_widget(rule_of(palette, &title, &remark, false, body.width), parts.title);
    let columns = Columns::of(body.width);
    frame.render_widget(columns::head(model, &columns), parts.head);
    let services = &model.services;
    if services.is_empty() {
        frame.render_widget(
            Line::styled(format!("   {}", empty(model)), palette.of(Token::Dim)),
            parts.rows,
        );
    }
    for (index, (area, row)) in parts
        .rows
        .rows()
        .zip(services.visible_from(services.list.top))
        .enumerate()
    {
        let is_selected = services.list.top + index == services.list.cursor;
        let line = row::line(model, &columns, row, is_selected);
        frame.render_widget(line, area);
    }
    detail::draw(model, frame, parts.detail_title, parts.detail);
}

/// The counts; what waits stands out.
fn remark(model: &Model, cells: u16) -> Vec<Piece> {
    if model.depth.is_none() {
        return vec![(Token::Dim, "looking …".to_owned())];
    }
    let counts = model.services.counts();
    let mut parts = Vec::new();
    let mut say = |token, text: String| {
        if !parts.is_empty() {
            parts.push((Token::Dim, " · ".to_owned()));
        }
        parts.push((token, text));
    };
    if cells >= 80 || model.observation.filter.is_none() {
        say(Token::Dim, format!("{} listening", counts.listening));
    }
    if model.observation.filter.is_some() {
        let outside = if cells < 80 || cells < 100 && counts.blocked + counts.undecided > 0 {
            "reachable"
        } else {
            "reachable from outside"
        };
        say(Token::Dim, format!("{} {outside}", counts.reachable));
    }
    if counts.blocked > 0 {
        say(Token::Dim, format!("{} blocked", counts.blocked));
    }
    if counts.new > 0 {
        say(Token::New, format!("{} new", counts.new));
    }
    if counts.undecided > 0 && cells >= 80 {
        say(Token::Dim, format!("{} undecided", counts.undecided));
    }
    if counts.changed > 0 {
        let noun = if counts.changed == 1 { "change" } else { "changes" };
        say(Token::Changed, format!("{} {noun}", counts.changed));
    }
    if counts.appeared > 0 && cells >= 100 {
        say(Token::Dim, format!("{} since the last confirm", counts.appeared));
    }
    parts
}

fn empty(model: &Model) -> String {
    match (model.depth, model.services.filter().is_empty()) {
        (None, _) => String::new(),
        (Some(_), true) => "Nothing listens on this machine.".to_owned(),
        (Some(_), false) => {
            let clear = model.key_of(CommandId::Clear, Context::Screens);
            format!("Nothing matches the filter. {clear} shows all.")
        }
    }
}
