//! What is on a terminal, cell by cell, and made equal for all machines.

use vt100::{Color, Screen};

/// Red, green, blue; none is the terminal's own.
pub type Rgb = Option<[u8; 3]>;

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What is in it; nothing behind a wide character.
    pub text: String,
    /// The text's colour.
    pub foreground: Rgb,
    /// What is behind it.
    pub background: Rgb,
    /// Whether it is bold.
    pub is_bold: bool,
}

/// A screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// The rows from the top.
    pub rows: Vec<Vec<Cell>>,
}

/// The seconds that every countdown shows.
const SECONDS: usize = 83;
/// Of how many.
const TIMEOUT: usize = 90;
/// The process id that every process has.
const PID: &str = "1022";

impl Grid {
    /// Reads a terminal.
    pub fn of(screen: &Screen, (columns, rows): (u16, u16)) -> Self {
        let cell = |row, column| {
            let cell = screen.cell(row, column).unwrap();
            let (mut foreground, mut background) = (rgb(cell.fgcolor()), rgb(cell.bgcolor()));
            if cell.inverse() {
                std::mem::swap(&mut foreground, &mut background);
            }
            let text = match cell.contents() {
                "" if !cell.is_wide_continuation() => " ".to_owned(),
                text => text.to_owned(),
            };
            Cell {
                text,
                foreground,
                background,
                is_bold: cell.bold(),
            }
        };
        Self {
            rows: (0..rows)
                .map(|row| (0..columns).map(|column| cell(row, column)).collect())
                .collect(),
        }
    }

    /// What a terminal shows to which this is written.
    #[cfg(test)]
    pub fn written(text: &str, (columns, rows): (u16, u16)) -> Self {
        let mut emulator = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        emulator.process(text.as_bytes());
        Self::of(emulator.screen(), (columns, rows))
    }

    /// The text of a row.
    pub fn line(row: &[Cell]) -> String {
        row.iter().map(|cell| cell.text.as_str()).collect()
    }

    /// The text, without the blanks at the ends of lines.
    pub fn text(&self) -> String {
        let line = |row: &Vec<Cell>| Self::line(row).trim_end().to_owned() + "\n";
        self.rows.iter().map(line).collect()
    }

    /// The same with what differs by nature from one run to the next made equal: process ids, the
    /// seconds of the countdown and its bar, those since a new connection, and which kind of iptables
    /// is installed; and what nobody sees.
    #[must_use]
    pub fn evened(mut self) -> Self {
        for row in &mut self.rows {
            even_blanks(row);
            even_pids(row);
            even_countdown(row);
            even_evidence(row);
            replace(row, "iptables-legacy", "iptables-nft");
        }
        self
    }
}

fn rgb(color: Color) -> Rgb {
    match color {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        // True colours are asked for: an indexed one is the terminal's own.
        Color::Default | Color::Idx(_) => None,
    }
}

/// Where these words begin in a row, in cells.
fn find(row: &[Cell], words: &str) -> Option<usize> {
    let length = words.chars().count();
    (0..row.len().saturating_sub(length)).find(|&at| Grid::line(&row[at..at + length]) == words)
}

/// Puts other words in the place of some; what is behind them up to the end of a line of one and the
/// same character (blanks, a border) gives way.
fn replace(row: &mut Vec<Cell>, words: &str, others: &str) {
    let Some(at) = find(row, words) else { return };
    replace_cells(row, at, words.chars().count(), others);
}

fn replace_cells(row: &mut Vec<Cell>, at: usize, length: usize, others: &str) {
    let style = row[at].clone();
    let new = others.chars().map(|character| Cell {
        text: character.to_string(),
        ..style.clone()
    });
    let columns = row.len();
    row.splice(at..at + length, new);
    // The first two alike behind it can be more or fewer.
    let from = at + others.chars().count();
    let Some(filler) = (from..row.len() - 1).find(|&at| {
        let text = row[at].text.as_str();
        row[at].text == row[at + 1].text && [" ", "─", "━", "·"].contains(&text)
    }) else {
        return;
    };
    while row.len() > columns {
        row.remove(filler);
    }
    while row.len() < columns {
        let cell = row[filler].clone();
        row.insert(filler, cell);
    }
}

fn digits(row: &[Cell], from: usize) -> usize {
    let is_digit = |cell: &&Cell| cell.text.chars().all(|character| character.is_ascii_digit());
    row[from..].iter().take_while(is_digit).count()
}

/// What a blank would look like with something in it depends on what was there before: as the cell
/// before it.
fn even_blanks(row: &mut [Cell]) {
    let mut before = (None, false);
    for cell in row {
        if cell.text == " " {
            (cell.foreground, cell.is_bold) = before;
        }
        before = (cell.foreground, cell.is_bold);
    }
}

fn even_pids(row: &mut Vec<Cell>) {
    for words in ["· pid ", "process "] {
        if let Some(at) = find(row, words) {
            let from = at + words.chars().count();
            let length = digits(row, from);
            if length > 0 {
                replace_cells(row, from, length, PID);
            }
        }
    }
}

/// When the new connection came.
fn even_evidence(row: &mut Vec<Cell>) {
    let Some(at) = find(row, " s ago, IPv") else { return };
    let is_digit = |cell: &&Cell| cell.text.chars().all(|character| character.is_ascii_digit());
    let length = row[..at].iter().rev().take_while(is_digit).count();
    replace_cells(row, at - length, length, "4");
}

fn even_countdown(row: &mut [Cell]) {
    if find(row, "TRIAL  ").is_none() {
        return;
    }
    let Some(at) = find(row, " seconds, then the old") else {
        return;
    };
    // Three cells, whatever the number.
    for (cell, character) in row[at - 3..at].iter_mut().zip(format!("{SECONDS:>3}").chars()) {
        cell.text = character.to_string();
    }
    let is_bar = |cell: &Cell| cell.text == "━" || cell.text == "·";
    let bar: Vec<usize> = (0..row.len()).filter(|&at| is_bar(&row[at])).collect();
    let full = (SECONDS * bar.len()).div_ceil(TIMEOUT);
    for (index, at) in bar.into_iter().enumerate() {
        let shown = if index < full { "━" } else { "·" };
        shown.clone_into(&mut row[at].text);
    }
}

#[test]
fn what_differs_by_nature_is_made_equal_and_nothing_else() {
    let evened = |lines: [&str; 3]| {
        let columns = lines.iter().map(|line| line.chars().count()).max().unwrap();
        let text = lines.map(|line| format!("{line:columns$}\r\n")).concat();
        Grid::written(&text, (u16::try_from(columns).unwrap() + 1, 4))
            .evened()
            .text()
    };
    let one = evened([
        " TRIAL   83 seconds, then the old rules come back ━━━━━━━━━·",
        "─ sshd · 22/tcp · pid 7 · user root ────────────────────── 1",
        " Begun 3 s ago by process 123456.        everything else",
    ]);
    let other = evened([
        " TRIAL    9 seconds, then the old rules come back ━·········",
        "─ sshd · 22/tcp · pid 4194304 · user root ──────────────── 1",
        " Begun 3 s ago by process 9.             everything else",
    ]);
    assert_eq!(one.lines().next(), other.lines().next());
    assert_eq!(one, other);
    assert!(one.contains(" 83 seconds") && one.contains("pid 1022 · user root ─") && one.contains("everything else"));
}
