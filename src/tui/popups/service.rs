//! All of a service, for terminals where it does not fit below the list.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Drawn, Sheet, text_height, text_width};
use crate::core::overview::Row;
use crate::core::service::ServiceId;
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::screens::services;
use crate::tui::theme::Token;
use crate::tui::widgets::text::{fit, wrapped};

const WIDTH: u16 = 90;
/// So few lines that paragraphs are not kept apart.
const LOW: u16 = 20;

/// The service, and the first line in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceDetails {
    /// Its id.
    pub id: ServiceId,
    /// The first line in sight.
    pub top: usize,
}

impl ServiceDetails {
    fn row<'a>(&self, model: &'a Model) -> Option<&'a Row> {
        model.services.rows().iter().find(|row| row.service.id == self.id)
    }

    fn lines(&self, model: &Model, area: Rect) -> Vec<Line<'static>> {
        let palette = &model.palette;
        let cells = usize::from(text_width(area, WIDTH));
        let Some(row) = self.row(model) else {
            return vec![Line::styled("It is gone.", palette.of(Token::Warn))];
        };
        let mut lines = Vec::new();
        for (token, text) in services::whole(model, row, cells) {
            if area.height > LOW && !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.extend(wrapped(&text, cells, 0, palette.of(token)));
        }
        lines
    }
}

pub(super) fn draw(model: &Model, details: &ServiceDetails, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, WIDTH);
    let title = details
        .row(model)
        .map_or_else(|| details.id.to_string(), services::heading);
    Sheet {
        model,
        title: &fit(&title, usize::from(width)),
        token: Token::Accent,
        lines: details.lines(model, area),
        top: details.top,
        contexts: &[Context::Reading],
        width,
    }
    .draw(frame, area)
}

/// How many lines there are, and how many are in sight.
pub fn extent(model: &Model, details: &ServiceDetails, area: Rect) -> (usize, usize) {
    let len = details.lines(model, area).len();
    (len, text_height(area, len))
}
