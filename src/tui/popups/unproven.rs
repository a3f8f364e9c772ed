//! Whether to keep the new rules though nothing shows that a new connection gets in.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Drawn, Message, Sheet, text_width};
use crate::app::Error;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::alerts::on_trial_no_more;
use crate::tui::widgets::text::wrapped;

/// The second question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    /// Why they were not kept, and how to prove it.
    text: Vec<String>,
}

impl Unproven {
    /// The question after this refusal. Its other next steps are for the command line.
    pub fn new(error: &Error) -> Self {
        let mut text = Message::error("", error).text;
        text.truncate(2);
        Self { text }
    }
}

pub(super) fn draw(model: &Model, unproven: &Unproven, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 66);
    let cells = usize::from(width);
    let palette = &model.palette;
    let lines = if let Some(why) = model.changed_on_trial() {
        wrapped(&on_trial_no_more(model, why), cells, 0, palette.of(Token::Bad))
    } else {
        let yes = model.key_of(CommandId::Accept, Context::Doubting);
        let risk = format!(
            "Or press {yes} to keep the new rules all the same: if they lock you out, nothing brings the old ones back."
        );
        let asked = unproven.text.iter().map(String::as_str);
        let all = asked
            .zip([Token::Warn, Token::Text])
            .chain([(risk.as_str(), Token::Bad)]);
        all.flat_map(|(text, token)| wrapped(text, cells, 0, palette.of(token)))
            .collect()
    };
    Sheet {
        model,
        title: "Keep without proof?",
        token: Token::Bad,
        lines,
        top: 0,
        contexts: &[Context::Doubting, Context::Trial],
        width,
    }
    .draw(frame, area)
}
