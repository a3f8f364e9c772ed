//! Going on with the answers of an earlier setup: what the user must know before he does.

use crate::core::setup::{Elsewhere, Step};
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::popups::{Message, Popup};
use crate::tui::theme::Token;

/// More are only counted: the summary has them all.
const MOST: usize = 4;

/// Says where it goes on, what was decided elsewhere since, and what could not be read.
pub(super) fn greet(model: &mut Model, has_draft: bool, notes: Vec<String>) {
    let Some(setup) = &model.setup else { return };
    let again = model.key_of(CommandId::StartAgain, Context::Setup);
    let mut text = notes;
    let elsewhere = setup.elsewhere();
    if !elsewhere.is_empty() {
        text.extend(told(&elsewhere));
        text.push(match elsewhere.iter().any(|one| one.is_own) {
            true => {
                let advice = model.key_of(CommandId::TakeAdvice, Context::SetupServices);
                format!(
                    "Your own answers hold, unless you change them: {advice} takes what was decided, on the page that \
                     asks; {again} starts over with what holds now."
                )
            }
            false => format!("None of your own answers is touched by it. {again} starts over with what holds now."),
        });
    }
    let step = setup.step();
    if has_draft && step != Step::Welcome {
        let text = format!(
            "You were here before: this goes on at step {}. {again} starts again.",
            step.place() + 1
        );
        model.say(Token::Accent, text);
    }
    if !text.is_empty() {
        model.popups.push(Popup::Message(Message {
            title: "Since you were here".to_owned(),
            token: Token::Warn,
            text,
        }));
    }
}

/// A sentence each.
fn told(elsewhere: &[Elsewhere]) -> Vec<String> {
    let mut told: Vec<String> = elsewhere.iter().take(MOST).map(|one| format!("{one}.")).collect();
    match elsewhere.len().saturating_sub(MOST) {
        0 => {}
        more => told.push(format!("And {more} more: the summary has them all.")),
    }
    told
}
