//! What is pasted is text, wherever it lands; it is never taken for commands.

use super::popups;
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::popups::Popup;
use crate::tui::theme::Token;

/// No line of text takes more characters.
const MOST: usize = 500;

/// A text was pasted.
pub(super) fn on_paste(model: &mut Model, text: &str) {
    model.notice = None;
    if !model.contexts().into_iter().any(Context::is_typed_into) {
        model.say(
            Token::Text,
            "What was pasted is ignored: a paste is text, and never taken for commands.",
        );
        return;
    }
    match model.popups.last_mut() {
        Some(Popup::Apply(_)) => {
            let text = "The word must be typed: a paste does not show that it was meant.";
            model.say(Token::Warn, text);
        }
        Some(Popup::Entry(entry)) => {
            entry.paste(text);
            popups::filter_as_typed(model);
        }
        _ => {
            let letters = text.chars().filter(|character| !character.is_control());
            letters
                .take(MOST)
                .for_each(|character| popups::on_typed(model, character));
        }
    }
}
