use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::style::Style;
use vt100::Parser;

use super::*;

const COLUMNS: u16 = 20;
const ROWS: u16 = 6;

fn paper() -> Terminal<Pen<Vec<u8>>> {
    Terminal::new(Pen::new(Vec::new(), || Ok((COLUMNS, ROWS)), true)).unwrap()
}

fn emulator() -> Parser {
    Parser::new(ROWS.try_into().unwrap(), COLUMNS.try_into().unwrap(), 0)
}

/// Draws a frame; what was written for it.
fn draw(terminal: &mut Terminal<Pen<Vec<u8>>>, cells: &[(u16, u16, &str, Style)], cursor: Option<Position>) -> Vec<u8> {
    terminal
        .draw(|frame| {
            for (x, y, symbol, style) in cells {
                frame.buffer_mut().set_string(*x, *y, symbol, *style);
            }
            forget_the_unseen(frame.buffer_mut());
            if let Some(cursor) = cursor {
                frame.set_cursor_position(cursor);
            }
        })
        .unwrap();
    std::mem::take(&mut terminal.backend_mut().out)
}

#[test]
fn a_frame_in_which_nothing_changed_is_no_byte() {
    let mut terminal = paper();
    let cells = [(2, 3, "text", Style::new().fg(Color::Red))];
    for cursor in [None, Some(Position::new(4, 1))] {
        assert!(!draw(&mut terminal, &cells, cursor).is_empty());
        assert_eq!(draw(&mut terminal, &cells, cursor), b"");
    }
}

#[test]
fn what_changed_is_written_and_nothing_besides() {
    let mut terminal = paper();
    let style = Style::new().fg(Color::Red).bg(Color::Indexed(17));
    draw(&mut terminal, &[(2, 3, "text", style)], None);
    let written = draw(&mut terminal, &[(2, 3, "test", style)], None);
    assert_eq!(
        String::from_utf8(written).unwrap(),
        "\u{1b}[4;5H\u{1b}[31;48;5;17ms\u{1b}[m"
    );
}

#[test]
fn blanks_are_erased_and_small_gaps_written_again() {
    let mut terminal = paper();
    let plain = Style::new();
    draw(&mut terminal, &[(0, 1, "one word and more", plain)], None);
    let written = draw(&mut terminal, &[(0, 1, "one bird", plain)], None);
    assert_eq!(String::from_utf8(written).unwrap(), "\u{1b}[2;5Hbird         ");
}

#[test]
fn many_blanks_are_erased_where_that_leaves_the_right_colour() {
    let mut terminal = paper();
    let blue = Style::new().bg(Color::Blue);
    draw(&mut terminal, &[(0, 1, "fifteen_letters", blue)], None);
    let written = draw(&mut terminal, &[(0, 1, "f              ", blue)], None);
    assert_eq!(
        String::from_utf8(written).unwrap(),
        "\u{1b}[2;2H\u{1b}[44m\u{1b}[14X\u{1b}[m"
    );
    let mut terminal = Terminal::new(Pen::new(Vec::new(), || Ok((COLUMNS, ROWS)), false)).unwrap();
    draw(&mut terminal, &[(0, 1, "fifteen_letters", blue)], None);
    let written = draw(&mut terminal, &[(0, 1, "f              ", blue)], None);
    assert_eq!(
        String::from_utf8(written).unwrap(),
        "\u{1b}[2;2H\u{1b}[44m              \u{1b}[m"
    );
}

#[test]
fn after_somebody_else_had_the_terminal_nothing_is_taken_for_known() {
    let mut terminal = paper();
    let cells = [(2, 3, "text", Style::new())];
    let first = draw(&mut terminal, &cells, None);
    terminal.backend_mut().forget();
    terminal.resize(Rect::new(0, 0, COLUMNS, ROWS)).unwrap();
    let again = String::from_utf8(draw(&mut terminal, &cells, None)).unwrap();
    assert!(
        again.contains("\u{1b}[2J") && again.contains("\u{1b}[?25l") && again.contains("text"),
        "{again:?}"
    );
    assert!(again.len() >= first.len());
}

#[test]
fn a_large_frame_is_shown_at_once() {
    let size = || Ok((200, 60));
    let mut terminal = Terminal::new(Pen::new(Vec::new(), size, false)).unwrap();
    let line = "x".repeat(200);
    let cells: Vec<_> = (0..60).map(|row| (0, row, line.as_str(), Style::new())).collect();
    let written = draw(&mut terminal, &cells, None);
    assert!(written.starts_with(BEGIN) && written.ends_with(END.as_bytes()));
    let written = draw(&mut terminal, &cells[1..], None);
    assert!(!written.is_empty() && !written.starts_with(BEGIN));
}

/// What a reader sees of a cell: of a blank, neither its colour nor whether it is bold.
fn seen(cell: &vt100::Cell) -> (String, vt100::Color, Option<vt100::Color>, [bool; 3]) {
    let text = if cell.has_contents() { cell.contents() } else { " " };
    let is_blank = text == " " && !cell.inverse() && !cell.underline();
    let letters = (!is_blank).then(|| cell.fgcolor());
    (
        text.to_owned(),
        cell.bgcolor(),
        letters,
        [cell.inverse(), cell.underline(), !is_blank && cell.bold()],
    )
}

fn styles() -> impl Strategy<Value = Style> {
    let colors = || {
        prop_oneof![
            Just(Color::Reset),
            Just(Color::Blue),
            Just(Color::LightRed),
            Just(Color::Indexed(200)),
            Just(Color::Rgb(1, 2, 3))
        ]
    };
    let modifiers = prop_oneof![
        3 => Just(Modifier::empty()),
        2 => Just(Modifier::BOLD),
        1 => Just(Modifier::REVERSED),
        1 => Just(Modifier::UNDERLINED | Modifier::BOLD),
    ];
    (colors(), colors(), modifiers).prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
}

fn frames() -> impl Strategy<Value = Vec<(u16, u16, String, Style)>> {
    let texts = prop_oneof![
        "[ab ]{1,20}",
        " {8,20}",
        Just("──────".to_owned()),
        Just("a".to_owned())
    ];
    prop::collection::vec((0..COLUMNS, 0..ROWS, texts, styles()), 0..12)
}

proptest! {
    /// Frame upon frame, the terminal shows what it would show if ratatui's own backend drew them.
    #[test]
    fn the_terminal_shows_what_was_drawn(
        frames in prop::collection::vec((frames(), prop::option::of((0..COLUMNS, 0..ROWS))), 1..6),
    ) {
        let mut shown = emulator();
        let mut terminal = paper();
        let mut wanted = emulator();
        let area = Rect::new(0, 0, COLUMNS, ROWS);
        let mut before = Buffer::empty(area);
        for (frame, cursor) in &frames {
            let cells: Vec<_> = frame.iter().map(|(x, y, text, style)| (*x, *y, text.as_str(), *style)).collect();
            let cursor = cursor.map(|(x, y)| Position::new(x, y));
            shown.process(&draw(&mut terminal, &cells, cursor));
            let mut buffer = Buffer::empty(area);
            for (x, y, text, style) in &cells {
                buffer.set_string(*x, *y, text, *style);
            }
            let mut out = Vec::new();
            let changed = before.diff(&buffer);
            ratatui::backend::CrosstermBackend::new(&mut out).draw(changed.into_iter()).unwrap();
            before = buffer;
            wanted.process(&out);
            for y in 0..ROWS {
                for x in 0..COLUMNS {
                    let [have, want] = [&shown, &wanted].map(|parser| seen(parser.screen().cell(y, x).unwrap()));
                    prop_assert_eq!(have, want, "at {},{}", x, y);
                }
            }
            prop_assert_eq!(shown.screen().hide_cursor(), cursor.is_none());
            if let Some(cursor) = cursor {
                prop_assert_eq!(shown.screen().cursor_position(), (cursor.y, cursor.x));
            }
        }
    }
}
