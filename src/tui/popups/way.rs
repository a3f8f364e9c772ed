//! The way of a peer through the rules, as `fwtui explain` tells it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::who::{WIDTH, named, peer};
use super::{Drawn, Popup, Sheet, text_height, text_width};
use crate::app::explain::{Answer, WalkLine};
use crate::core::overview::NetworkReach;
use crate::core::reach::Fate;
use crate::core::service::ServiceId;
use crate::core::text::printable_within;
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::text::wrapped;

/// The way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The service.
    pub id: ServiceId,
    /// Whose way.
    pub network: NetworkReach,
    /// Whether the rules are those after applying.
    pub is_after: bool,
    /// The first line in sight.
    pub top: usize,
    /// Now, and after applying; none while they are worked out.
    answers: Option<Box<[Answer; 2]>>,
    /// Whether the rules are to be walked (again).
    is_wanted: bool,
}

impl Way {
    /// The way of those on a network.
    pub fn new(id: ServiceId, network: NetworkReach) -> Self {
        Self {
            id,
            network,
            is_after: false,
            top: 0,
            answers: None,
            is_wanted: true,
        }
    }

    /// Whether to ask for it now; then it is under way.
    pub const fn begin(&mut self) -> bool {
        std::mem::replace(&mut self.is_wanted, false)
    }

    /// Takes what came back, if it is still about this way.
    pub fn adopt(&mut self, id: &ServiceId, network: &NetworkReach, answers: Box<[Answer; 2]>) {
        if (id, network) == (&self.id, &self.network) {
            self.answers = Some(answers);
        }
    }

    fn answer(&self) -> Option<&Answer> {
        let [now, after] = self.answers.as_deref()?;
        Some(if self.is_after { after } else { now })
    }
}

/// The rules may have changed: ways are walked again.
pub fn forget(popups: &mut [Popup]) {
    for popup in popups {
        if let Popup::Way(way) = popup {
            way.is_wanted = true;
        }
    }
}

fn lines(palette: &Palette, way: &Way, cells: usize) -> Vec<Line<'static>> {
    let time = |text: &str, is_shown: bool| match is_shown {
        true => Span::styled(format!("[{text}]"), palette.of(Token::Title)),
        false => Span::styled(format!(" {text} "), palette.of(Token::Dim)),
    };
    let mut lines = vec![Line::from(vec![
        time("now", !way.is_after),
        Span::raw("  "),
        time("after applying", way.is_after),
    ])];
    let Some(answer) = way.answer() else {
        lines.push(Line::styled("Walking through the rules …", palette.of(Token::Dim)));
        return lines;
    };
    let token = match answer.explanation.fate {
        Fate::Accepted => Token::Warn,
        Fate::Refused | Fate::Dropped => Token::Good,
        Fate::Unknown { .. } => Token::Unknown,
    };
    let mut add = |text: &str, indent: usize, token: Token| {
        let text = wrapped(text, cells.saturating_sub(indent), 2, palette.of(token));
        lines.extend(text.into_iter().map(|line| {
            let mut spans = vec![Span::raw(" ".repeat(indent))];
            spans.extend(line.spans);
            Line::from(spans)
        }));
    };
    add(&answer.verdict(&way.id, way.is_after), 0, token);
    let (because, rule) = answer.because();
    add(&because, 0, Token::Text);
    if let Some(rule) = rule {
        add(&rule, 4, Token::Accent);
    }
    for line in answer.walk() {
        match line {
            WalkLine::Hook(hook) => {
                add("", 0, Token::Text);
                add(&hook, 0, Token::Title);
            }
            WalkLine::Step(step) => add(&step, 2, Token::Text),
            WalkLine::Rule(rule) => add(&rule, 6, Token::Dim),
        }
    }
    lines
}

pub(super) fn draw(model: &Model, way: &Way, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, WIDTH);
    let title = format!(
        "{} ({}) to {}",
        peer(&way.network),
        way.network.family,
        named(model, &way.id)
    );
    Sheet {
        model,
        title: &printable_within(&title, usize::from(width)),
        token: Token::Accent,
        lines: lines(&model.palette, way, usize::from(width)),
        top: way.top,
        contexts: &[Context::Way],
        width,
    }
    .draw(frame, area)
}

/// How many lines there are, and how many are in sight.
pub fn extent(model: &Model, way: &Way, area: Rect) -> (usize, usize) {
    let width = text_width(area, WIDTH);
    let len = lines(&model.palette, way, usize::from(width)).len();
    (len, text_height(area, len))
}
