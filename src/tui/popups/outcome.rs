//! How a trial ended that nobody here ended, and what that means now.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::running::change_lines;
use super::{Drawn, Sheet, text_height, text_width};
use crate::app::Last;
use crate::core::policy::Change;
use crate::core::text::capitalised;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrapped;

/// What to do where the old rules are not back whole.
const BY_HAND: &str =
    "fwtui goes on trying. How it stands: sudo fwtui status. By hand: sudo sh /var/lib/fwtui/restore.sh";

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The trial; none where that is not known.
    pub id: Option<String>,
    /// In a few words; said once more when the popup is closed.
    pub title: String,
    /// Warn, or bad.
    pub token: Token,
    /// What happened, and why.
    text: String,
    /// What differed on trial, and does no longer.
    changes: Vec<Change>,
    has_failed: bool,
}

impl Outcome {
    /// Of a trial that was reverted, or could not be. It differed from what holds now by the changes.
    pub fn of(last: &Last, changes: Vec<Change>) -> Self {
        let has_failed = last.outcome == "revert-failed";
        let reason = last.reason.as_deref().unwrap_or_default();
        let title = match reason {
            _ if has_failed => "The old rules are not back whole",
            "deadline" => "Time ran out: the old rules are back",
            "reboot" => "After a restart the old rules are back",
            _ => "The trial is over: the old rules are back",
        };
        let why = match reason {
            _ if has_failed => "",
            "deadline" => ". Nothing broke: without a word from you it goes back by itself",
            "guard-died" => ". What watches over it has put the old rules back",
            "signal" => ", as happens when the machine is shut down",
            "reboot" => ". Only rules that were kept are loaded at boot",
            _ => "",
        };
        Self {
            id: Some(last.id.clone()),
            title: title.to_owned(),
            token: if has_failed { Token::Bad } else { Token::Warn },
            // Which day it is, the screens can't know.
            text: format!("{}{why}.", capitalised(&last.sentence_as_of(""))),
            changes,
            has_failed,
        }
    }

    /// Of a trial of which something is known only.
    pub fn said(id: Option<String>, title: &str, text: String, changes: Vec<Change>) -> Self {
        Self {
            id,
            title: title.to_owned(),
            token: Token::Warn,
            text,
            changes,
            has_failed: false,
        }
    }
}

pub(super) fn draw(model: &Model, outcome: &Outcome, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 66);
    let cells = usize::from(width);
    let palette = &model.palette;
    let mut lines = wrapped(&outcome.text, cells, 0, palette.of(Token::Text));
    let next = if outcome.has_failed {
        BY_HAND.to_owned()
    } else if model.setup.as_ref().is_some_and(|setup| !setup.is_done) {
        // Its keys are not those of the screens.
        "Your answers are all here.".to_owned()
    } else if model
        .observation
        .status
        .has_pending
        .unwrap_or(!outcome.changes.is_empty())
    {
        let apply = model.key_of(CommandId::Apply, Context::Screens);
        let preview = model.key_of(CommandId::ShowPreview, Context::Screens);
        let longer = model.key_of(CommandId::Longer, Context::Applying);
        format!(
            "Your decisions are saved and wait: {preview} shows them, {apply} applies them again ({longer} there gives more time)."
        )
    } else {
        "Nothing waits to be applied.".to_owned()
    };
    let next = wrapped(&next, cells, 0, palette.of(Token::Text));
    let room = text_height(area, usize::MAX).saturating_sub(lines.len() + next.len() + 3);
    let again = |change: &Change| format!("{} again (on trial: {})", change.before, change.after);
    let changes = change_lines(model, &outcome.changes, &again, cells, room);
    if !changes.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("What holds now:", palette.of(Token::Text)));
        lines.extend(changes);
    }
    lines.push(Line::default());
    lines.extend(next);
    Sheet {
        model,
        title: &outcome.title,
        token: outcome.token,
        lines,
        top: 0,
        contexts: &[Context::Reading],
        width,
    }
    .draw(frame, area)
}
