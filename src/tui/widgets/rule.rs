//! The lines between the parts of a screen, with a title in them.

use ratatui::text::{Line, Span};

use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::text::{fit, width};

/// A piece of a title, in the colour of what it means.
pub type Piece = (Token, String);

/// A line across the screen with a title at its left and a remark at its right.
pub fn rule(palette: &Palette, title: &str, remark: &str, cells: u16) -> Line<'static> {
    let title = (Token::Title, title.to_owned());
    let remark = (Token::Dim, remark.to_owned());
    rule_of(palette, &[title], &[remark], false, cells)
}

/// The same in pieces; where it has the focus, an arrow takes the place of its first stroke.
pub fn rule_of(palette: &Palette, title: &[Piece], remark: &[Piece], has_focus: bool, cells: u16) -> Line<'static> {
    let cells = usize::from(cells);
    let border = palette.of(Token::Border);
    let (titled, remarked) = (pieces_width(title), pieces_width(remark));
    if titled + remarked == 0 {
        return Line::styled("─".repeat(cells), border);
    }
    // A remark of some length yields to the title, a short one is always there.
    let kept = remarked.min(12);
    let title = fit_pieces(title, cells.saturating_sub(kept + 10));
    let room = cells.saturating_sub(pieces_width(&title) + 4);
    let remark = fit_pieces(remark, room.saturating_sub(4));
    let tail = match pieces_width(&remark) {
        0 => 0,
        remarked => remarked + 4,
    };
    let styled = |(token, text): Piece| Span::styled(text, palette.of(token));
    let mut spans = match has_focus {
        true => vec![Span::styled("▸ ", palette.of(Token::Accent))],
        false => vec![Span::styled("─ ", border)],
    };
    spans.extend(title.into_iter().map(styled));
    let strokes = "─".repeat((room + 1).saturating_sub(tail));
    spans.push(Span::styled(format!(" {strokes}"), border));
    if tail > 0 {
        spans.push(Span::raw(" "));
        spans.extend(remark.into_iter().map(styled));
        spans.push(Span::styled(" ──", border));
    }
    Line::from(spans)
}

fn pieces_width(pieces: &[Piece]) -> usize {
    pieces.iter().map(|(_, text)| width(text)).sum()
}

/// The pieces in at most so many cells; what is cut off is an ellipsis.
fn fit_pieces(pieces: &[Piece], cells: usize) -> Vec<Piece> {
    let is_whole = pieces_width(pieces) <= cells;
    let mut room = cells;
    let mut fitting = Vec::new();
    for (token, text) in pieces {
        let is_last = !is_whole && width(text) >= room;
        let text = match is_last {
            true => fit(&format!("{text}…"), room),
            false => fit(text, room),
        };
        room = room.saturating_sub(width(&text));
        fitting.push((*token, text));
        if is_last {
            break;
        }
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_in_an_ellipsis_where_they_are_cut() {
        let pieces = [(Token::Dim, "4 listening"), (Token::Dim, " · "), (Token::New, "2 new")];
        let pieces = pieces.map(|(token, text)| (token, text.to_owned()));
        let fitted = |cells| -> String { fit_pieces(&pieces, cells).into_iter().map(|(_, text)| text).collect() };
        assert_eq!(fitted(19), "4 listening · 2 new");
        assert_eq!(fitted(18), "4 listening · 2 n…");
        assert_eq!(fitted(14), "4 listening ·…");
        assert_eq!(fitted(11), "4 listenin…");
        assert_eq!(fitted(0), "");
    }

    #[test]
    fn a_rule_is_as_long_as_the_screen_is_wide_and_the_focus_moves_nothing() {
        let palette = Palette::new(
            &crate::tui::theme::Theme::default(),
            crate::tui::theme::ColorDepth::True,
        );
        let title = [(Token::Title, "What changes".to_owned())];
        let remark = [(Token::Dim, "1–9 of 32 ↓".to_owned())];
        for cells in 30..120 {
            let text = |has_focus| {
                let line = rule_of(&palette, &title, &remark, has_focus, cells);
                line.spans.iter().map(|span| span.content.as_ref()).collect::<String>()
            };
            assert_eq!(width(&text(true)), usize::from(cells));
            assert_eq!(text(true).replacen('▸', "─", 1), text(false));
        }
    }
}
