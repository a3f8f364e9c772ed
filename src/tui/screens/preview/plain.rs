//! What the screen shows, as a text for a file.

use std::time::Duration;

use super::{rules, words};
use crate::core::date;
use crate::core::text::printable_within;
use crate::tui::model::Model;

/// Longest line of the file, in characters: nothing that is shown is longer.
const LONGEST: usize = 10_000;

/// The words, then the rules of the view that is shown: plain text.
pub fn as_text(model: &Model) -> String {
    let host = match model.observation.host.as_str() {
        "" => String::new(),
        host => format!(" of {host}"),
    };
    let mut lines = vec![
        format!(
            "fwtui: preview{host}, {} UTC",
            when(model.since_1970()).replace('T', " ")
        ),
        String::new(),
    ];
    lines.extend(words::plain(model));
    lines.push(String::new());
    lines.push(format!("Rules ({})", model.preview.view.word()));
    lines.push(String::new());
    let rules = rules::all(model).into_iter();
    lines.extend(rules.map(|(_, mark, text)| format!("{mark}{text}")));
    let mut text = String::new();
    for line in lines {
        text.push_str(printable_within(&line, LONGEST).trim_end());
        text.push('\n');
    }
    text
}

/// Where it is proposed to be written.
pub fn proposed_name(model: &Model) -> String {
    let when = when(model.since_1970());
    let day = when.split('T').next().unwrap_or_default();
    format!("./fwtui-preview-{day}.txt")
}

fn when(since_1970: Duration) -> String {
    date::text(u32::try_from(since_1970.as_secs()).unwrap_or(u32::MAX))
}
