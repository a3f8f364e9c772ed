//! The screens in ASCII, for terminals and locales that have nothing else.
//!
//! One fold over what was drawn, cell by cell, so that no screen needs to know. Signs that stand for
//! different things stay different: circles become `@`, `o` and `.`, by how much they let in.

use ratatui::buffer::{Buffer, CellWidth as _};

/// What stands for everything else: as for what is not known.
const UNKNOWN: char = '?';
const ELLIPSIS: char = '…';

/// A sign in ASCII; none for what has no likeness there.
#[expect(clippy::match_same_arms, reason = "in groups, by what they stand for")]
pub const fn sign(character: char) -> Option<char> {
    Some(match character {
        ' '..='~' => character,
        // Who can connect; where fwtui stands.
        '●' => '@',
        '◐' => 'o',
        '○' => '.',
        '◌' => ':',
        '↕' => '|',
        '▲' | '△' | '▴' | '↑' => '^',
        '▼' | '▽' | '▾' | '↓' => 'v',
        '▸' | '▶' | '►' | '→' | '›' | '»' => '>',
        '◂' | '◀' | '◄' | '←' | '‹' | '«' => '<',
        '✓' | '✔' => 'v',
        '✗' | '✘' | '✕' | '×' => 'x',
        '■' | '█' | '▓' | '◆' => '#',
        '□' | '░' | '▒' | '◇' => ':',
        '◷' | ELLIPSIS | '≈' => '~',
        '·' | '•' | '─' | '╌' | '┄' | '┈' | '╴' | '╶' | '‐'..='―' | '−' => '-',
        '━' | '═' | '╍' | '┅' | '┉' => '=',
        '│' | '┃' | '║' | '╎' | '┆' | '┊' | '▌' | '▍' | '▎' | '▐' | '▕' => '|',
        '▏' => '_',
        '┌'..='╋' | '╒'..='╰' => '+',
        '‘'..='‛' => '\'',
        '“'..='‟' => '"',
        '\u{a0}' | '\u{202f}' | '\u{3000}' => ' ',
        // Spinners.
        '⠀'..='⣿' => '*',
        'à'..='å' => 'a',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        _ => return None,
    })
}

/// What is in a cell: a character, or one with marks over it. A tick right before a word marks it,
/// and would be read as its first letter.
fn symbol(symbol: &str, next: &str) -> char {
    let mut characters = symbol.chars();
    let first = characters.next().unwrap_or(' ');
    let is_before_word = next.starts_with(|next: char| next.is_alphanumeric() || next == '(');
    match first {
        '✓' | '✔' if is_before_word => '#',
        first => sign(first).unwrap_or(UNKNOWN),
    }
}

/// Makes every cell ASCII; what is where stays as it is.
pub fn fold(buffer: &mut Buffer) {
    let area = buffer.area;
    for y in area.rows().map(|row| row.y) {
        let mut x = area.x;
        while x < area.right() {
            x = x.saturating_add(fold_cell(buffer, x, y));
        }
    }
}

/// How many cells this was.
fn fold_cell(buffer: &mut Buffer, x: u16, y: u16) -> u16 {
    let at = |buffer: &Buffer, x: u16| buffer.cell((x, y)).map(|cell| cell.symbol().to_owned());
    let Some(old) = at(buffer, x).filter(|symbol| !symbol.is_ascii() || symbol.len() != 1) else {
        return 1;
    };
    let width = old
        .as_str()
        .cell_width()
        .clamp(1, buffer.area.right().saturating_sub(x).max(1));
    let next = at(buffer, x.saturating_add(1)).unwrap_or_default();
    let mut text = vec![symbol(&old, &next); usize::from(width)];
    let is_blank = |x: u16| at(buffer, x).is_none_or(|symbol| symbol == " ");
    let is_after_word = x > buffer.area.x && !is_blank(x - 1);
    let has_room =
        buffer.area.right().saturating_sub(x) >= 3 && (1..4).all(|further| is_blank(x.saturating_add(further)));
    if old.starts_with(ELLIPSIS) && !is_after_word && has_room {
        // Something goes on; else a word was cut.
        text = vec!['.'; 3];
    }
    let style = buffer
        .cell((x, y))
        .map(ratatui::buffer::Cell::style)
        .unwrap_or_default();
    for (x, character) in (x..).zip(text) {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_char(character).set_style(style);
        }
    }
    width
}

/// A text in ASCII, character for character but for an ellipsis that stands alone.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut is_after_word = false;
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\t' => out.push(character),
            ELLIPSIS if !is_after_word => out.push_str("..."),
            _ => {
                let next = characters.peek().map(ToString::to_string).unwrap_or_default();
                out.push(symbol(character.encode_utf8(&mut [0; 4]), &next));
            }
        }
        is_after_word = !character.is_whitespace();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Modifier, Style};

    fn folded(line: &str) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 1));
        buffer.set_string(0, 0, line, Style::new().add_modifier(Modifier::BOLD));
        fold(&mut buffer);
        let cells = buffer.content.iter().map(|cell| cell.symbol().to_owned());
        cells.collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn cells_become_ascii_where_they_are() {
        for (line, wanted) in [
            ("─ dnsmasq · 192.168… ──", "- dnsmasq - 192.168~ --"),
            ("╭│╰┤ ●◐○◌ ▲◷", "+|++ @o.: ^~"),
            ("✓postgres ✓(kernel)", "#postgres #(kernel)"),
            ("✓ gets in  3✓  ✓▲", "v gets in  3v  v^"),
            ("漢字x", "????x"),
            ("cafe\u{301} café na\u{ef}ve", "cafe cafe naive"),
            ("👩\u{200d}👧 z", "?? z"),
            ("looking …", "looking ..."),
            ("looking …   eth0", "looking ... eth0"),
            ("wait … now", "wait ~ now"),
            ("to the very end      …", "to the very end      ..."),
            ("to the very end       …", "to the very end       ~"),
        ] {
            assert_eq!(folded(line), wanted);
        }
        assert_eq!(folded(&"x".repeat(23).replace('x', "…")), "~".repeat(23));
    }

    #[test]
    fn both_cells_of_a_wide_character_look_alike() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
        buffer.set_string(0, 0, "漢", Style::new().add_modifier(Modifier::BOLD));
        fold(&mut buffer);
        assert_eq!(buffer[(0, 0)], buffer[(1, 0)]);
        assert_ne!(buffer[(0, 0)], buffer[(2, 0)]);
    }

    #[test]
    fn texts_keep_their_lines_and_columns() {
        assert_eq!(text("┌─ a ─┐\n│ b…  │\n"), "+- a -+\n| b~  |\n");
        assert_eq!(text("Rehearsing …"), "Rehearsing ...");
        assert_eq!(text("漢字  x"), "??  x");
    }
}
