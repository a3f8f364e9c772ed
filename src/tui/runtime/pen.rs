//! What draws: cells in, as few bytes as possible out.
//!
//! A link may be slow, so nothing is written that the terminal knows already: not a colour, not a
//! place, not whether the cursor is shown. A frame in which nothing changed is no byte. Sequences
//! are those of ECMA-48 that every terminal since the VT220 understands.

#![expect(clippy::disallowed_types, reason = "it writes the colours that a theme has named")]

use std::cell::Cell as Shared;
use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier};

use crate::tui::widgets::text::width;

/// From so many bytes on, a frame is more than one write to the terminal, and the terminal is asked
/// to show it at once (synchronised output, private mode 2026; who does not know it ignores it).
const LARGE: usize = 4096;
const BEGIN: &[u8] = b"\x1b[?2026h";
/// The end of that; also written when the terminal is given back.
pub(super) const END: &str = "\x1b[?2026l";

/// What shows on a blank, too.
const DECORATIONS: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::CROSSED_OUT)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK);

/// SGR parameters (ECMA-48, 8.3.117) that switch them on, and those that switch them off.
const MODIFIERS: [(Modifier, &str); 9] = [
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::ITALIC, "3"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::SLOW_BLINK, "5"),
    (Modifier::RAPID_BLINK, "6"),
    (Modifier::REVERSED, "7"),
    (Modifier::HIDDEN, "8"),
    (Modifier::CROSSED_OUT, "9"),
];
/// What one parameter switches off goes together.
const OFF: [(Modifier, &str); 7] = [
    (Modifier::BOLD.union(Modifier::DIM), "22"),
    (Modifier::ITALIC, "23"),
    (Modifier::UNDERLINED, "24"),
    (Modifier::SLOW_BLINK.union(Modifier::RAPID_BLINK), "25"),
    (Modifier::REVERSED, "27"),
    (Modifier::HIDDEN, "28"),
    (Modifier::CROSSED_OUT, "29"),
];
/// So many blanks are erased rather than written.
const BLANKS: usize = 10;
/// So many cells that are as they should be are written once more rather than leapt over.
const GAP: u16 = 3;

/// Takes from blanks what nobody sees: the colour of letters that are not there.
pub(super) fn forget_the_unseen(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol() == " " && !cell.modifier.intersects(DECORATIONS) {
            cell.fg = Color::Reset;
            cell.modifier = Modifier::empty();
        }
    }
}

/// How the terminal writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ink {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Ink {
    const fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// What a cell needs to be written with, when this is in use: a blank shows no colour of letters.
    fn for_cell(self, cell: &Cell) -> Self {
        let want = Self::of(cell);
        let is_decorated = want.modifier.union(self.modifier).intersects(DECORATIONS);
        match cell.symbol() == " " && !is_decorated {
            true => Self { bg: want.bg, ..self },
            false => want,
        }
    }
}

/// A backend of ratatui's that writes to `out`.
#[derive(Debug)]
pub(super) struct Pen<W> {
    out: W,
    size: fn() -> io::Result<(u16, u16)>,
    frame: Vec<u8>,
    /// None where it is not known.
    ink: Option<Ink>,
    /// Where the cursor is; none where it is not known. In the column after the last one, the
    /// terminal has yet to decide on a line of its own for what comes.
    at: Option<Position>,
    is_cursor_shown: Option<bool>,
    columns: Shared<u16>,
    rows: Shared<u16>,
    /// Whether what is erased gets the background that is in use (terminfo's `bce`).
    erases_in_color: bool,
    /// What is on the screen, as far as it was written here.
    shown: Buffer,
}

impl<W: Write> Pen<W> {
    pub(super) fn new(out: W, size: fn() -> io::Result<(u16, u16)>, erases_in_color: bool) -> Self {
        Self {
            out,
            size,
            frame: Vec::new(),
            ink: None,
            at: None,
            is_cursor_shown: None,
            columns: Shared::new(0),
            rows: Shared::new(0),
            erases_in_color,
            shown: Buffer::default(),
        }
    }

    /// Somebody else has had the terminal.
    pub(super) fn forget(&mut self) {
        self.frame.clear();
        (self.ink, self.at, self.is_cursor_shown) = (None, None, None);
        self.shown.reset();
    }

    /// What stands between the cursor and a cell to its right, where that is written sooner than leapt
    /// over: a few letters of the same colours.
    fn between(&self, x: u16, y: u16) -> Option<String> {
        let at = self.at.filter(|at| at.y == y && at.x < x && x - at.x <= GAP)?;
        let ink = self.ink?;
        let symbol = |x| {
            let cell = self.shown.cell(Position::new(x, y))?;
            let is_same = ink.for_cell(cell) == ink;
            (is_same && cell.symbol().len() == 1).then(|| cell.symbol())
        };
        (at.x..x).map(symbol).collect()
    }

    /// How many cells from the first on are blanks side by side that can be erased.
    fn blanks(&self, cells: &[(u16, u16, &Cell)]) -> usize {
        let Some((x, y, first)) = cells.first() else { return 0 };
        let is_plain = |cell: &Cell| cell.symbol() == " " && !cell.modifier.intersects(DECORATIONS);
        let is_decorated = self.ink.is_none_or(|ink| ink.modifier.intersects(DECORATIONS));
        if is_decorated || !is_plain(first) || first.bg != Color::Reset && !self.erases_in_color {
            return 0;
        }
        let places = (*x..).zip(cells);
        let run =
            places.take_while(|(at, cell)| (cell.0, cell.1) == (*at, *y) && is_plain(cell.2) && cell.2.bg == first.bg);
        run.count()
    }

    fn remember(&mut self, x: u16, y: u16, cell: &Cell, ink: Ink) {
        if let Some(shown) = self.shown.cell_mut(Position::new(x, y)) {
            *shown = cell.clone();
            (shown.fg, shown.bg, shown.modifier) = (ink.fg, ink.bg, ink.modifier);
        }
        if width(cell.symbol()) != 1
            && let Some(half) = self.shown.cell_mut(Position::new(x.saturating_add(1), y))
        {
            // Nobody knows what is there: it is never written once more.
            half.set_symbol("  ");
        }
    }

    fn put(&mut self, text: &str) {
        self.frame.extend_from_slice(text.as_bytes());
    }

    fn go(&mut self, x: u16, y: u16) {
        let place = Position::new(x, y);
        let row = y.saturating_add(1);
        let text = match self.at {
            Some(at) if at == place => return,
            Some(at) if at.y == y && at.x < x && at.x < self.columns.get() => match x - at.x {
                1 => "\x1b[C".to_owned(),
                cells => format!("\x1b[{cells}C"),
            },
            Some(at) if x == 0 && at.y.saturating_add(1) == y => "\r\n".to_owned(),
            _ if x == 0 => format!("\x1b[{row}H"),
            _ => format!("\x1b[{row};{}H", x.saturating_add(1)),
        };
        self.put(&text);
        self.at = Some(place);
    }

    fn dip(&mut self, want: Ink) {
        if self.ink == Some(want) {
            return;
        }
        if want == Ink::default() {
            self.ink = Some(want);
            self.put("\x1b[m");
            return;
        }
        let mut parameters: Vec<String> = Vec::new();
        let mut have = self.ink.unwrap_or_else(|| {
            parameters.push("0".to_owned());
            Ink::default()
        });
        for (modifiers, parameter) in OFF {
            if have.modifier.difference(want.modifier).intersects(modifiers) {
                parameters.push(parameter.to_owned());
                have.modifier.remove(modifiers);
            }
        }
        let added = want.modifier.difference(have.modifier);
        let added = MODIFIERS.iter().filter(|(modifier, _)| added.contains(*modifier));
        parameters.extend(added.map(|(_, parameter)| (*parameter).to_owned()));
        if want.fg != have.fg {
            parameters.push(color(want.fg, 30));
        }
        if want.bg != have.bg {
            parameters.push(color(want.bg, 40));
        }
        self.ink = Some(want);
        let text = format!("\x1b[{}m", parameters.join(";"));
        self.put(&text);
    }

    fn cursor(&mut self, is_shown: bool) {
        if self.is_cursor_shown != Some(is_shown) {
            self.put(if is_shown { "\x1b[?25h" } else { "\x1b[?25l" });
            self.is_cursor_shown = Some(is_shown);
        }
    }
}

/// The parameters for a colour; of the foreground from 30 on, of the background from 40 on.
fn color(color: Color, first: u8) -> String {
    let plain = |number: u8| (first + number).to_string();
    let bright = |number: u8| (first + 60 + number).to_string();
    match color {
        Color::Reset => plain(9),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(index) => format!("{};5;{index}", plain(8)),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", plain(8)),
    }
}

impl<W: Write> Backend for Pen<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let area = Rect::new(0, 0, self.columns.get(), self.rows.get());
        if self.shown.area != area {
            self.shown = Buffer::empty(area);
        }
        let content: Vec<_> = content.collect();
        let mut rest = content.as_slice();
        while let Some((&(x, y, cell), others)) = rest.split_first() {
            match self.between(x, y) {
                Some(letters) => self.put(&letters),
                None => self.go(x, y),
            }
            let want = self.ink.map_or_else(|| Ink::of(cell), |ink| ink.for_cell(cell));
            self.dip(want);
            let blanks = self.blanks(rest);
            if blanks >= BLANKS {
                self.put(&format!("\x1b[{blanks}X"));
                self.at = Some(Position::new(x, y));
                let (erased, others) = rest.split_at(blanks);
                for (x, y, cell) in erased {
                    self.remember(*x, *y, cell, want);
                }
                rest = others;
                continue;
            }
            let symbol = cell.symbol();
            self.put(symbol);
            self.remember(x, y, cell, want);
            // How wide a terminal takes anything else to be is its own affair.
            let is_one_cell = symbol.len() == 1 || width(symbol) == 1;
            self.at = is_one_cell.then(|| Position::new(x.saturating_add(1), y));
            rest = others;
        }
        if !content.is_empty() {
            // Whoever writes next to the terminal shall not do so in our colours.
            self.dip(Ink::default());
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.cursor(false);
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.cursor(true);
        Ok(())
    }

    /// As far as it is known: the terminal is not asked, as the thread that reads the keys would get
    /// the answer.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.at.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        self.go(position.x, position.y);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.dip(Ink::default());
        // It may have been moved when the terminal changed its size.
        self.at = None;
        let size = self.size()?;
        self.shown = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        self.put(match clear_type {
            ClearType::All => "\x1b[2J",
            ClearType::AfterCursor => "\x1b[J",
            ClearType::BeforeCursor => "\x1b[1J",
            ClearType::CurrentLine => "\x1b[2K",
            ClearType::UntilNewLine => "\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = (self.size)()?;
        self.columns.set(width);
        self.rows.set(height);
        Ok(Size::new(width, height))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size()?,
            pixels: Size::default(),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        if self.frame.len() > LARGE {
            self.frame.splice(..0, BEGIN.iter().copied());
            self.frame.extend_from_slice(END.as_bytes());
        }
        let written = self.out.write_all(&self.frame);
        self.frame.clear();
        written.and_then(|()| self.out.flush())
    }
}

#[cfg(test)]
mod tests;
