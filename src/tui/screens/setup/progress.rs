//! Where the user is among the steps.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::core::setup::Step;
use crate::tui::model::{Model, Setup};
use crate::tui::theme::Token;
use crate::tui::widgets::text::width;

/// From this width on every step has its name.
const WITH_NAMES: u16 = 80;

/// The name of a step.
const fn name(step: Step) -> &'static str {
    match step {
        Step::Welcome => "Welcome",
        Step::Networks => "Networks",
        Step::Refusal => "Refusal",
        Step::Services => "Services",
        Step::Logging => "Logging",
        Step::Summary => "Summary",
        Step::Preview => "Preview",
    }
}

/// How a step stands: done, shown, still to come.
fn sign(model: &Model, setup: &Setup, step: Step) -> (char, Token) {
    if setup.is_done || model.trial().is_some() || step < setup.step() {
        ('✓', Token::Good)
    } else if step == setup.step() {
        ('●', Token::Accent)
    } else if step <= setup.furthest {
        ('○', Token::Text)
    } else {
        ('○', Token::Dim)
    }
}

/// Every step with its name, and where it is drawn.
fn named(area: Rect) -> impl Iterator<Item = (Step, Rect)> {
    let mut x = area.x + 1;
    Step::ALL.into_iter().map(move |step| {
        let cells = u16::try_from(width(name(step)) + 2).unwrap_or(u16::MAX);
        let place = Rect::new(x, area.y, cells, 1).intersection(area);
        x = x.saturating_add(cells + 2);
        (step, place)
    })
}

/// Draws the line: names where there is room for them, else dots.
pub fn draw(model: &Model, setup: &Setup, frame: &mut Frame<'_>, area: Rect) {
    let palette = &model.palette;
    if area.width >= WITH_NAMES {
        for (step, place) in named(area) {
            let (sign, token) = sign(model, setup, step);
            let is_shown = token == Token::Accent;
            let name_token = if is_shown { Token::Accent } else { Token::Dim };
            let line = Line::from(vec![
                Span::styled(format!("{sign} "), palette.of(token)),
                Span::styled(name(step), palette.of(name_token)),
            ]);
            frame.render_widget(line, place);
        }
        return;
    }
    let step = setup.step();
    let place = match (setup.is_done, model.trial().is_some()) {
        (true, _) => "Setup: done".to_owned(),
        (false, true) => "Setup: on trial".to_owned(),
        (false, false) => format!(
            "Setup: step {} of {}, {}",
            step.place() + 1,
            Step::ALL.len(),
            name(step)
        ),
    };
    let mut spans = vec![
        Span::raw(" "),
        Span::styled(place, palette.of(Token::Accent)),
        Span::raw("  "),
    ];
    for step in Step::ALL {
        let (sign, token) = sign(model, setup, step);
        spans.push(Span::styled(format!("{sign} "), palette.of(token)));
    }
    frame.render_widget(Line::from(spans), area);
}

/// The step whose name is under the mouse.
pub fn step_at(area: Rect, position: Position) -> Option<Step> {
    if area.width < WITH_NAMES {
        return None;
    }
    named(area)
        .find(|(_, place)| place.contains(position))
        .map(|(step, _)| step)
}
