//! Layers over a screen: the last one opened gets the keys.

use ratatui::Frame;
use ratatui::layout::{Margin, Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear};

use crate::app::Writing;
use crate::core::plan::Lockout;
use crate::core::unit::Proposal;
use crate::tui::availability;
use crate::tui::commands::{Command, CommandId, Context};
use crate::tui::layout::centered;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::footer;

mod apply;
mod disable;
mod entry;
mod finding;
mod help;
mod keep;
mod leave;
mod message;
mod network;
mod outcome;
mod palette;
mod replace;
mod restore;
mod running;
mod service;
mod setup;
mod unproven;
mod way;
mod who;

pub use apply::{Apply, extent as apply_extent};
pub use entry::{Entry, Purpose};
pub use finding::{Whole, extent as finding_extent};
pub use help::{Help, scroll as scroll_help, search as search_help, step as step_help};
pub use message::Message;
pub use network::{NetworkDetails, extent as network_extent};
pub use outcome::Outcome;
pub use palette::{Found, Palette, height as palette_height};
pub(in crate::tui) use running::on_trial;
pub use service::{ServiceDetails, extent as service_extent};
pub use setup::SetupQuestion;
pub use unproven::Unproven;
pub use way::{Way, extent as way_extent, forget as forget_ways};
pub use who::{WhoCan, height as who_height};

/// A popup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Popup {
    /// All keys.
    Help(Help),
    /// Something to read.
    Message(Message),
    /// The question before an apply.
    Apply(Box<Apply>),
    /// Whether to keep the new rules, which refuse these ways in of the user's.
    Keep(Vec<Lockout>),
    /// A trial that was running already.
    Running,
    /// How a trial ended.
    Outcome(Box<Outcome>),
    /// Whether to keep them though nothing shows that a new connection gets in.
    Unproven(Unproven),
    /// Whether to put back what was confirmed.
    Restore,
    /// Whether to have a service stopped and disabled.
    Disable(Box<Proposal>),
    /// A question of the setup.
    Setup(SetupQuestion),
    /// What becomes of the trial.
    Leave,
    /// A line of text.
    Entry(Entry),
    /// Who can connect to a service.
    WhoCan(WhoCan),
    /// The way of a peer through the rules.
    Way(Box<Way>),
    /// All of a finding.
    Finding(Box<Whole>),
    /// The commands.
    Palette(Palette),
    /// All of an interface.
    Network(NetworkDetails),
    /// All of a service.
    Service(Box<ServiceDetails>),
    /// Whether to replace a file.
    Replace(Box<Writing>),
}

impl Popup {
    /// Whose commands hold while it is open.
    pub fn contexts(&self) -> Vec<Context> {
        match self {
            Self::Help(_) => vec![Context::Help, Context::Reading, Context::Moving],
            Self::Message(_) | Self::Finding(_) | Self::Outcome(_) | Self::Network(_) | Self::Service(_) => {
                vec![Context::Reading, Context::Moving]
            }
            Self::Running => vec![Context::Trial, Context::Reading],
            Self::Apply(apply) if apply.wanted_word().is_some() => vec![Context::Typing, Context::Moving],
            Self::Apply(_) => vec![Context::Applying, Context::Moving],
            // While the clock runs, going back and taking more time are never behind another key.
            Self::Keep(_) => vec![Context::Asking, Context::Trial],
            Self::Unproven(_) => vec![Context::Doubting, Context::Trial],
            Self::Restore | Self::Disable(_) => vec![Context::Asking],
            Self::Replace(_) => vec![Context::Doubting],
            Self::Setup(question) => vec![question.context()],
            Self::Leave => vec![Context::Leaving],
            Self::Entry(_) => vec![Context::Typing, Context::Moving],
            Self::WhoCan(_) => vec![Context::WhoCan, Context::Moving],
            Self::Way(_) => vec![Context::Way, Context::Moving],
            Self::Palette(_) => vec![Context::Palette, Context::Moving],
        }
    }
}

/// Draws every popup, the last one on top.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let area = model.frames().beside_popups();
    for popup in &model.popups {
        let is_behind = match (popup, model.popups.last()) {
            // What is read rule by rule takes the place of the list.
            (Popup::WhoCan(_), Some(Popup::Way(_)))
            // The question takes the place of the name that was typed.
            | (Popup::Entry(_), Some(Popup::Replace(_))) => true,
            _ => false,
        };
        if !is_behind {
            draw_one(model, popup, frame, area);
        }
    }
}

/// Draws a popup, and tells where the things are that can be clicked.
pub fn draw_one(model: &Model, popup: &Popup, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    match popup {
        Popup::Help(help) => help::draw(model, help, frame),
        Popup::Message(message) => message::draw(model, message, frame, area),
        Popup::Apply(apply) => apply::draw(model, apply, frame, area),
        Popup::Keep(lockouts) => keep::draw(model, lockouts, frame, area),
        Popup::Running => running::draw(model, frame, area),
        Popup::Outcome(outcome) => outcome::draw(model, outcome, frame, area),
        Popup::Unproven(unproven) => unproven::draw(model, unproven, frame, area),
        Popup::Restore => restore::draw(model, frame, area),
        Popup::Disable(proposal) => disable::draw(model, proposal, frame, area),
        Popup::Setup(question) => setup::draw(model, *question, frame, area),
        Popup::Leave => leave::draw(model, frame, area),
        Popup::Entry(entry) => entry::draw(model, entry, frame, area),
        Popup::WhoCan(who) => who::draw(model, who, frame, area),
        Popup::Way(way) => way::draw(model, way, frame, area),
        Popup::Finding(whole) => finding::draw(model, whole, frame, area),
        Popup::Palette(palette) => palette::draw(model, palette, frame, area),
        Popup::Network(details) => network::draw(model, details, frame, area),
        Popup::Service(details) => service::draw(model, details, frame, area),
        Popup::Replace(writing) => replace::draw(model, writing, frame, area),
    }
}

/// Where the things of a popup are that can be clicked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Its text.
    pub text: Rect,
    /// What its keys do.
    hints: Vec<footer::Hint>,
    /// The line they are in.
    hints_area: Rect,
}

impl Drawn {
    /// What its keys do.
    pub fn hints(&self) -> &[footer::Hint] {
        &self.hints
    }

    /// The command under the mouse.
    pub fn command_at(&self, position: Position) -> Option<CommandId> {
        footer::hit(&self.hints, self.hints_area, position)
    }

    /// The row of the popup's list under the mouse, counted from the first in sight.
    pub fn row_at(&self, popup: &Popup, position: Position) -> Option<usize> {
        let above = match popup {
            Popup::WhoCan(_) => who::ABOVE,
            Popup::Palette(_) => palette::ABOVE,
            _ => return None,
        };
        let line = usize::from(position.y.checked_sub(self.text.y)?);
        line.checked_sub(above).filter(|_| self.text.contains(position))
    }
}

/// How wide the text of a popup is, in cells.
pub fn text_width(area: Rect, most: u16) -> u16 {
    most.min(area.width.saturating_sub(6))
}

/// A box in the middle with a title, a text from some line on, and what the keys do.
struct Sheet<'a> {
    model: &'a Model,
    title: &'a str,
    token: Token,
    lines: Vec<Line<'static>>,
    top: usize,
    contexts: &'a [Context],
    width: u16,
}

impl Sheet<'_> {
    fn draw(self, frame: &mut Frame<'_>, area: Rect) -> Drawn {
        let mut drawn = Drawn::default();
        let palette = &self.model.palette;
        let wanted = u16::try_from(self.lines.len()).unwrap_or(u16::MAX).saturating_add(4);
        let place = centered(area, self.width + 6, wanted);
        // A margin at both sides keeps what lies below from running into the border; where little more than
        // that is left of it, it is only in the way.
        let beside = area.width.saturating_sub(place.width);
        let margin = if beside < area.width / 4 { beside } else { 1 };
        let cleared = place.outer(Margin::new(margin, 0)).intersection(area);
        frame.render_widget(Clear, cleared);
        frame.buffer_mut().set_style(cleared, palette.base());
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(palette.of(self.token))
            .title(Line::styled(format!(" {} ", self.title), palette.of(self.token)));
        let inner = block.inner(place);
        frame.render_widget(block, place);
        let text = Rect {
            x: inner.x + 2,
            width: inner.width.saturating_sub(4),
            height: inner.height.saturating_sub(2),
            ..inner
        };
        drawn.text = text;
        let height = usize::from(text.height);
        let top = self.top.min(self.lines.len().saturating_sub(height));
        let hidden = self.lines.len().saturating_sub(top + height);
        for (row, line) in text.rows().zip(self.lines.into_iter().skip(top)) {
            frame.render_widget(line, row);
        }
        if let Some(last) = inner.rows().next_back() {
            let last = Rect {
                x: last.x + 1,
                width: last.width.saturating_sub(2),
                ..last
            };
            // Only the keys of the popup on top are asked.
            let is_useful = |command: &Command| {
                let is_on_top = self
                    .model
                    .popups
                    .last()
                    .is_some_and(|top| top.contexts().contains(&command.context));
                !is_on_top || availability::is_useful(self.model, command)
            };
            let hints = footer::hints(&self.model.settings.keymap, self.contexts, &is_useful, last);
            frame.render_widget(footer::line(&hints, palette), last);
            (drawn.hints, drawn.hints_area) = (hints, last);
            if hidden > 0 {
                let more = format!("{hidden} more ↓ ");
                let more = Line::styled(more, palette.of(Token::Dim)).right_aligned();
                frame.render_widget(more, last);
            }
        }
        drawn
    }
}

/// Keeps what is open in order after texts or sizes changed.
pub fn settle(model: &mut Model) {
    apply::settle(model);
    help::settle(model);
}

/// How many lines of a text a popup shows at once.
pub fn text_height(area: Rect, lines: usize) -> usize {
    lines.min(usize::from(area.height.saturating_sub(4)))
}
