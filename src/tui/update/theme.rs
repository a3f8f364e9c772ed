//! One theme after the other.

use crate::tui::model::Model;
use crate::tui::theme::{ColorDepth, Palette, Token};

/// Takes the theme that is so many further in the list, for this session.
pub(super) fn cycle(model: &mut Model, step: usize) {
    if model.settings.color == ColorDepth::None {
        model.say(
            Token::Text,
            "Without colours there is one theme only: NO_COLOR is set, or TERM says so.",
        );
        return;
    }
    let themes = &model.settings.themes;
    let count = themes.len().max(1);
    let current = themes
        .iter()
        .position(|theme| theme.name() == model.settings.theme.name());
    let index = current.map_or(0, |current| (current + step) % count);
    let Some(theme) = themes.get(index).cloned() else {
        return;
    };
    model.palette = Palette::new(&theme, model.settings.color);
    let name = theme.name();
    let keep = match &model.settings.config {
        Some(file) => format!("To keep it: \"theme\": \"{name}\" in {file}"),
        None => format!("Next time: fwtui --theme {name}"),
    };
    let text = format!("Theme: {name} ({} of {count}). {keep}", index + 1);
    model.settings.theme = theme;
    model.say(Token::Text, text);
}

/// How far back is one step, in a list that goes round.
pub(super) fn back(model: &Model) -> usize {
    model.settings.themes.len().saturating_sub(1)
}
