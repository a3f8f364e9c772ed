//! The first-time setup: one page for each step.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::core::setup::Step;
use crate::tui::layout::{Frames, TableFrames, table_over};
use crate::tui::model::list::scrolled;
use crate::tui::model::{Model, Movement, Setup};
use crate::tui::theme::Token;
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::text::{width, wrapped};

mod elsewhere;
mod end;
mod logging;
mod networks;
mod outlook;
mod progress;
mod refusal;
mod services;
mod summary;
mod trial;
mod welcome;

pub use progress::{draw as draw_progress, step_at};

/// Longer lines are hard to read.
const WIDEST: usize = 96;
/// The blanks before and after a text.
const MARGIN: u16 = 2;

/// What is drawn of the setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Step(Step),
    Trial,
    End,
}

fn page(model: &Model, setup: &Setup) -> Page {
    match setup.step() {
        _ if setup.is_done => Page::End,
        _ if model.trial().is_some() => Page::Trial,
        step => Page::Step(step),
    }
}

/// Draws the page.
pub fn draw(model: &Model, setup: &Setup, frame: &mut Frame<'_>, body: Rect) {
    match page(model, setup) {
        Page::Step(Step::Networks) => networks::draw(model, setup, frame, body),
        Page::Step(Step::Services) => services::draw(model, setup, frame, body),
        Page::Step(Step::Preview) => super::preview::draw(model, frame, body),
        page => draw_text(model, setup, page, frame, body),
    }
}

/// The title of a page and its text, in lines of so many cells.
fn text(model: &Model, setup: &Setup, page: Page, cells: usize) -> (&'static str, Vec<Line<'static>>) {
    match page {
        Page::Trial if setup.trial == model.trial().map(|trial| trial.id.clone()) => {
            ("Does everything work?", trial::lines(model, cells))
        }
        Page::Trial => ("Somebody else's trial is running", trial::of_others(model, cells)),
        Page::End => ("Done", end::lines(model, cells)),
        Page::Step(Step::Welcome) => ("Welcome", welcome::lines(model, setup, cells)),
        Page::Step(Step::Refusal) => ("How shall others be refused?", refusal::lines(model, setup, cells)),
        Page::Step(Step::Logging) => ("Shall refusals be logged?", logging::lines(model, setup, cells)),
        Page::Step(Step::Summary) => ("This is what you chose", summary::lines(model, setup, cells)),
        Page::Step(Step::Networks | Step::Services | Step::Preview) => ("", Vec::new()),
    }
}

/// Where a text goes, below its title.
fn text_area(body: Rect) -> Rect {
    Rect {
        x: body.x + MARGIN,
        y: body.y + 1,
        width: body.width.saturating_sub(2 * MARGIN),
        height: body.height.saturating_sub(1),
    }
}

fn text_cells(area: Rect) -> usize {
    usize::from(area.width).min(WIDEST)
}

fn draw_text(model: &Model, setup: &Setup, page: Page, frame: &mut Frame<'_>, body: Rect) {
    let area = text_area(body);
    let (title, lines) = text(model, setup, page, text_cells(area));
    let hidden = lines.len().saturating_sub(setup.top + usize::from(area.height));
    let below = match hidden {
        0 => String::new(),
        more => format!("{more} more ↓"),
    };
    let title = rule(&model.palette, title, &below, body.width);
    frame.render_widget(title, body.rows().next().unwrap_or_default());
    for (row, line) in area.rows().zip(lines.into_iter().skip(setup.top)) {
        frame.render_widget(line, row);
    }
}

/// How long the text of the page is, and how much of it is in sight; none where it is a list.
fn extent(model: &Model, setup: &Setup, body: Rect) -> (usize, usize) {
    match page(model, setup) {
        Page::Step(Step::Networks) => networks::extent(model, setup, body),
        Page::Step(Step::Services | Step::Preview) => (0, 0),
        page => {
            let area = text_area(body);
            let (_, lines) = text(model, setup, page, text_cells(area));
            (lines.len(), area.height.into())
        }
    }
}

/// Scrolls the text of the page.
pub fn scroll(model: &mut Model, movement: Movement) {
    let body = model.frames().body;
    let Some(setup) = &model.setup else { return };
    let (len, height) = extent(model, setup, body);
    let top = scrolled(setup.top, movement, len, height);
    if let Some(setup) = &mut model.setup {
        setup.top = top;
    }
}

/// Moves in the list of the page; where the list is short, a page scrolls what is said below it.
pub fn go(model: &mut Model, movement: Movement) {
    let body = model.frames().body;
    let Some(setup) = &mut model.setup else { return };
    let rows = usize::from(list(setup, body).rows.height);
    match (setup.step(), movement) {
        (Step::Networks, Movement::Pages(_)) => scroll(model, movement),
        (Step::Networks, _) => {
            setup.top = 0;
            let len = setup.proposals.networks.len();
            setup.networks.go(movement, len, rows);
        }
        _ => {
            let len = setup.proposals.services.len();
            setup.services.go(movement, len, rows);
        }
    }
}

/// Divides a page with a list: what a short list leaves is for what is said below it.
fn list(setup: &Setup, body: Rect) -> TableFrames {
    let (len, least) = match setup.step() {
        Step::Networks => (setup.proposals.networks.len(), body.height / 2),
        _ => (setup.proposals.services.len(), (body.height * 3 / 10).max(6)),
    };
    let room = body.height.saturating_sub(3);
    let rows = u16::try_from(len).unwrap_or(u16::MAX);
    let rows = rows.clamp(1, room.saturating_sub(least).max(1));
    table_over(body, room.saturating_sub(rows))
}

/// Brings cursors and texts back in order.
pub fn settle(model: &mut Model, frames: &Frames) {
    let Some(setup) = &model.setup else { return };
    let (len, height) = extent(model, setup, frames.body);
    let Some(setup) = &mut model.setup else { return };
    let rows = usize::from(list(setup, frames.body).rows.height);
    setup.top = setup.top.min(len.saturating_sub(height));
    let (networks, services) = (setup.proposals.networks.len(), setup.proposals.services.len());
    setup.networks.keep_in_sight(networks, rows);
    setup.services.keep_in_sight(services, rows);
}

/// The line of the list that is under the mouse.
pub fn row_at(setup: &Setup, body: Rect, position: Position) -> Option<usize> {
    let rows = list(setup, body).rows;
    let row = usize::from(position.y.checked_sub(rows.y)?);
    let (state, len) = match setup.step() {
        Step::Networks => (setup.networks, setup.proposals.networks.len()),
        Step::Services => (setup.services, setup.proposals.services.len()),
        _ => return None,
    };
    let line = state.top + row;
    (rows.contains(position) && line < len).then_some(line)
}

/// A paragraph with a symbol in front, the other lines indented below the first.
fn point(model: &Model, symbol: &str, token: Token, text: &str, cells: usize) -> Vec<Line<'static>> {
    let palette = &model.palette;
    let margin = width(symbol) + 1;
    let lines = wrapped(text, cells.saturating_sub(margin), 0, palette.of(Token::Text));
    let with_symbol = |(index, line): (usize, Line<'static>)| {
        let first = match index {
            0 => vec![Span::styled(symbol.to_owned(), palette.of(token)), Span::raw(" ")],
            _ => vec![Span::raw(" ".repeat(margin))],
        };
        first.into_iter().chain(line.spans).collect::<Line<'_>>()
    };
    lines.into_iter().enumerate().map(with_symbol).collect()
}

/// A paragraph.
fn paragraph(model: &Model, token: Token, text: &str, cells: usize) -> Vec<Line<'static>> {
    wrapped(text, cells, 0, model.palette.of(token))
}

/// A heading after an empty line.
fn heading(model: &Model, text: &str) -> [Line<'static>; 2] {
    let heading = Line::styled(text.to_owned(), model.palette.of(Token::Title));
    [Line::default(), heading]
}
