//! What a theme looks like, in a few lines.

use ratatui::style::Style;

use crate::core::reach::Reach;
use crate::tui::theme::{ColorDepth, Palette, Theme, Token, escape};
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{fit, pad, width as cells_of};

/// How wide samples are, where the terminal is.
const WIDEST: u16 = 80;
/// No style at all.
const PLAIN: &str = "\x1b[0m";

/// How wide samples are here.
pub(super) fn width() -> usize {
    let (columns, _) = crossterm::terminal::size().unwrap_or((WIDEST, 0));
    usize::from(columns.clamp(20, WIDEST))
}

type Piece = (String, Style);

/// Name, signs, a selected row and both banners, each line in the theme's own background.
pub(super) fn of(theme: &Theme, depth: ColorDepth, remark: &str, about: &str, cells: usize) -> String {
    let palette = Palette::new(theme, depth);
    let style = |token| palette.of(token);
    let piece = |text: &str, token| (text.to_owned(), style(token));
    let name = vec![
        piece(" ", Token::Text),
        (pad(theme.name(), 20), style(Token::Accent)),
        (pad(remark, 8), style(Token::Changed)),
        piece(about, Token::Dim),
    ];
    let mut signs: Vec<Piece> = vec![piece("   ", Token::Text)];
    for reach in [Reach::Everyone, Reach::Trusted, Reach::ThisMachine, Reach::Unknown] {
        let (sign, token) = symbols::reach(reach);
        signs.push((format!("{sign} {reach}  "), style(token)));
    }
    signs.extend([piece("* ", Token::Changed), piece("NEW  ", Token::New)]);
    signs.extend([piece("+ added  ", Token::Added), piece("- removed", Token::Removed)]);
    let row = [("▸ ", Token::Accent), ("postgres      5432/tcp   ", Token::Text)]
        .into_iter()
        .chain([
            ("all   ", Token::Dim),
            ("● everyone   ", Token::Bad),
            ("○ this machine ", Token::Good),
        ])
        .chain([("* ", Token::Changed), ("confine", Token::Good)]);
    let row = row
        .map(|(text, token)| (text.to_owned(), palette.selected(token)))
        .collect();
    // The first is whole where there is room.
    let most = cells * 5 / 8;
    let banners = vec![
        (
            pad(" TRIAL  62 seconds, then the old rules come back", most),
            palette.trial(),
        ),
        (pad(" TRIAL   9 seconds", cells - most), palette.alarm()),
    ];
    let lines = [
        (name, palette.base()),
        (signs, palette.base()),
        (row, palette.selection()),
        (banners, palette.base()),
    ];
    let lines = lines.into_iter().map(|(pieces, ground)| line(pieces, ground, cells));
    lines.collect::<String>() + "\n"
}

/// Pieces in exactly so many cells.
fn line(pieces: Vec<Piece>, ground: Style, cells: usize) -> String {
    let mut out = String::new();
    let mut room = cells;
    for (text, style) in pieces {
        let text = fit(&text, room);
        room = room.saturating_sub(cells_of(&text));
        out.push_str(&escape(ground.patch(style)));
        out.push_str(&text);
    }
    out.push_str(&escape(ground));
    out.push_str(&" ".repeat(room));
    out + PLAIN + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text without its escape sequences.
    fn bare(text: &str) -> String {
        let mut parts = text.split("\x1b[");
        let first = parts.next().unwrap().to_owned();
        first + &parts.map(|part| part.split_once('m').unwrap().1).collect::<String>()
    }

    #[test]
    fn every_line_of_a_sample_is_as_wide_as_the_others() {
        for theme in Theme::all_built_in() {
            for depth in [ColorDepth::Sixteen, ColorDepth::Many, ColorDepth::True] {
                for cells in [20, 60, 80] {
                    let sample = of(&theme, depth, "in use", theme.about(), cells);
                    let text = bare(&sample);
                    let lines: Vec<&str> = text.lines().collect();
                    assert_eq!(lines.len(), 5, "{text}");
                    assert!(lines.iter().take(4).all(|line| cells_of(line) == cells), "{text}");
                    let is_whole = cells < 80 || !text.contains('…');
                    assert!(is_whole, "{text}");
                    assert!(sample.lines().take(4).all(|line| line.ends_with(PLAIN)), "{sample:?}");
                }
            }
        }
    }
}
