//! The questions of the setup.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::leave::SANDBOX_ENDS;
use super::{Drawn, Sheet, text_width};
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrapped;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupQuestion {
    /// Whether to leave it.
    Leave,
    /// Whether to replace what was answered otherwise.
    TakeAll,
    /// Whether to forget the answers.
    StartAgain,
}

impl SetupQuestion {
    /// Whose commands hold while it is asked.
    pub const fn context(self) -> Context {
        match self {
            Self::Leave => Context::SetupLeaving,
            // The key that goes on is not to be the one that forgets answers.
            Self::TakeAll | Self::StartAgain => Context::Doubting,
        }
    }
}

pub(super) fn draw(model: &Model, question: SetupQuestion, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 62);
    let setup = model.setup.as_ref();
    let (title, text) = match question {
        SetupQuestion::Leave if setup.is_some_and(|setup| setup.is_saved) => (
            "Leave the setup?",
            "The old rules are in force. Your answers are kept, and wait for an apply.".to_owned(),
        ),
        SetupQuestion::Leave => (
            "Leave the setup?",
            "Nothing has been changed. Your answers are kept: the setup goes on here when you start it again."
                .to_owned(),
        ),
        SetupQuestion::TakeAll => {
            let text = match setup.map_or(0, crate::tui::model::Setup::differing) {
                1 => "You answered one question otherwise. That answer is replaced.".to_owned(),
                many => format!("You answered {many} questions otherwise. Those answers are replaced."),
            };
            ("Take all recommendations?", text)
        }
        SetupQuestion::StartAgain => (
            "Start again?",
            "Your answers are forgotten: what is decided by now stays, and the rest is as recommended. Nothing else is \
             changed.".to_owned(),
        ),
    };
    let mut lines = wrapped(&text, width.into(), 0, model.palette.of(Token::Text));
    if question == SetupQuestion::Leave && model.neighbours.are_there {
        lines.push(Line::default());
        lines.extend(wrapped(SANDBOX_ENDS, width.into(), 0, model.palette.of(Token::Warn)));
    }
    Sheet {
        model,
        title,
        token: Token::Accent,
        lines,
        top: 0,
        contexts: &[question.context()],
        width,
    }
    .draw(frame, area)
}
