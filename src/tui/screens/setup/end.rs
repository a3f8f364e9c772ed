//! What holds now, and what to do next.

use ratatui::text::Line;

use super::{heading, outlook, point};
use crate::app::boot_trouble;
use crate::tui::model::Model;
use crate::tui::theme::Token;

pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let mut lines = match boot_trouble(&model.observation.status.protection) {
        None => {
            let text = "Kept: the new rules are in force, and come back after a reboot.";
            point(model, "✓", Token::Good, text, cells)
        }
        Some(why) => {
            let mut lines = point(model, "✓", Token::Good, "Kept: the new rules are in force.", cells);
            let text = format!("They are gone after a reboot: {}.", why.trim_end_matches('.'));
            lines.extend(point(model, "!", Token::Warn, &text, cells));
            lines
        }
    };
    if model.is_in_force() == Some(false) {
        let text = "What was decided since the trial began was not on trial: it waits for an apply.";
        lines.extend(point(model, "!", Token::Warn, text, cells));
    }
    lines.extend(heading(model, "What to do next"));
    let next = [
        "Something new that listens is refused until you decide on it: the screens mark it NEW.",
        "Checkup (4) tells what other rules, settings and programs do, and which updates wait.",
        "'sudo fwtui setup' asks all this again; 'sudo fwtui off' takes all of it out.",
    ];
    for text in next {
        lines.extend(point(model, "·", Token::Accent, text, cells));
    }
    lines.extend(heading(model, "Who can connect"));
    lines.extend(outlook::lines(model, outlook::When::of(model), cells));
    lines
}
