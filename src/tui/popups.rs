//! Layers over a screen: the last one opened gets the keys.

use ratatui::Frame;
use ratatui::layout::{Margin, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear};

use crate::app::Writing;
use crate::core::unit::Proposal;
use crate::tui::commands::{Command, Context};
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
mod replace;
mod restore;
mod unproven;
mod way;
mod who;

pub use apply::{Apply, extent as apply_extent, settle};
pub use entry::{Entry, Purpose};
pub use finding::{Whole, extent as finding_extent};
pub use help::extent as help_extent;
pub use message::Message;
pub use network::{NetworkDetails, extent as network_extent};
pub use unproven::Unproven;
pub use way::{Way, extent as way_extent, forget as forget_ways};
pub use who::{WhoCan, height as who_height};

/// A popup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Popup {
    /// All keys; the first line in sight.
    Help(usize),
    /// Something to read.
    Message(Message),
    /// The question before an apply.
    Apply(Box<Apply>),
    /// Whether to keep the new rules.
    Keep,
    /// Whether to keep them though nothing shows that a new connection gets in.
    Unproven(Unproven),
    /// Whether to put back what was confirmed.
    Restore,
    /// Whether to have a service stopped and disabled.
    Disable(Box<Proposal>),
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
    /// All of an interface.
    Network(NetworkDetails),
    /// Whether to replace a file.
    Replace(Box<Writing>),
}

impl Popup {
    /// Whose commands hold while it is open.
    pub fn contexts(&self) -> Vec<Context> {
        match self {
            Self::Help(_) | Self::Message(_) | Self::Finding(_) | Self::Network(_) => {
                vec![Context::Reading, Context::Moving]
            }
            Self::Apply(apply) if apply.wanted_word().is_some() => vec![Context::Typing, Context::Moving],
            Self::Apply(_) => vec![Context::Applying, Context::Moving],
            Self::Keep | Self::Restore | Self::Disable(_) => vec![Context::Asking],
            Self::Unproven(_) | Self::Replace(_) => vec![Context::Doubting],
            Self::Leave => vec![Context::Leaving],
            Self::Entry(_) => vec![Context::Typing, Context::Moving],
            Self::WhoCan(_) => vec![Context::WhoCan, Context::Moving],
            Self::Way(_) => vec![Context::Way, Context::Moving],
        }
    }
}

/// Draws every popup, the last one on top.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let area = model.frames().beside_popups();
    for popup in &model.popups {
        match popup {
            Popup::Help(top) => help::draw(model, *top, frame, area),
            Popup::Message(message) => message::draw(model, message, frame, area),
            Popup::Apply(apply) => apply::draw(model, apply, frame, area),
            Popup::Keep => keep::draw(model, frame, area),
            Popup::Unproven(unproven) => unproven::draw(model, unproven, frame, area),
            Popup::Restore => restore::draw(model, frame, area),
            Popup::Disable(proposal) => disable::draw(model, proposal, frame, area),
            Popup::Leave => leave::draw(model, frame, area),
            // The question takes the place of the name that was typed.
            Popup::Entry(_) if matches!(model.popups.last(), Some(Popup::Replace(_))) => {}
            Popup::Entry(entry) => entry::draw(model, entry, frame, area),
            // What is read rule by rule takes the place of the list.
            Popup::WhoCan(_) if matches!(model.popups.last(), Some(Popup::Way(_))) => {}
            Popup::WhoCan(who) => who::draw(model, who, frame, area),
            Popup::Way(way) => way::draw(model, way, frame, area),
            Popup::Finding(whole) => finding::draw(model, whole, frame, area),
            Popup::Network(details) => network::draw(model, details, frame, area),
            Popup::Replace(writing) => replace::draw(model, writing, frame, area),
        }
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
    is_useful: &'a dyn Fn(&Command) -> bool,
    width: u16,
}

impl Sheet<'_> {
    fn draw(self, frame: &mut Frame<'_>, area: Rect) {
        let palette = &self.model.palette;
        let wanted = u16::try_from(self.lines.len()).unwrap_or(u16::MAX).saturating_add(4);
        let place = centered(area, self.width + 6, wanted);
        // A margin at both sides keeps what lies below from running into the border.
        let cleared = place.outer(Margin::new(1, 0)).intersection(area);
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
            let hints = footer::hints(&self.model.settings.keymap, self.contexts, self.is_useful, last);
            frame.render_widget(footer::line(&hints, palette), last);
            if hidden > 0 {
                let more = format!("{hidden} more ↓ ");
                let more = Line::styled(more, palette.of(Token::Dim)).right_aligned();
                frame.render_widget(more, last);
            }
        }
    }
}

/// How many lines of a text a popup shows at once.
pub fn text_height(area: Rect, lines: usize) -> usize {
    lines.min(usize::from(area.height.saturating_sub(4)))
}
