//! All of a finding, for terminals where it does not fit below the list.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Drawn, Sheet, text_height, text_width};
use crate::tui::commands::Context;
use crate::tui::model::{self, Model};
use crate::tui::screens::checkup::{self, Paragraph};
use crate::tui::theme::Token;

const WIDTH: u16 = 90;

/// The text as it was when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    title: String,
    paragraphs: Vec<Paragraph>,
    /// The first line in sight.
    pub top: usize,
}

impl Whole {
    /// The text of a line of the list.
    pub fn new(model: &Model, line: model::Line<'_>) -> Self {
        Self {
            title: checkup::title(line),
            paragraphs: checkup::paragraphs(model, line),
            top: 0,
        }
    }

    fn lines(&self, model: &Model, cells: u16) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for paragraph in &self.paragraphs {
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            let paragraph = std::slice::from_ref(paragraph);
            lines.extend(checkup::lines(&model.palette, paragraph, usize::from(cells)));
        }
        lines
    }
}

pub(super) fn draw(model: &Model, whole: &Whole, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, WIDTH);
    Sheet {
        model,
        title: &whole.title,
        token: Token::Accent,
        lines: whole.lines(model, width),
        top: whole.top,
        contexts: &[Context::Reading],
        width,
    }
    .draw(frame, area)
}

/// How many lines there are, and how many are in sight.
pub fn extent(model: &Model, whole: &Whole, area: Rect) -> (usize, usize) {
    let len = whole.lines(model, text_width(area, WIDTH)).len();
    (len, text_height(area, len))
}
