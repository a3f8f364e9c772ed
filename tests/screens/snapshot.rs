//! A frame as text with its styles, compared with a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use fwtui::tui::{Model, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};

/// Draws the model.
pub(crate) fn draw(model: &Model) -> Buffer {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(model, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The characters alone, without the blanks at the ends of lines.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                line.push_str(symbol);
                skip = ratatui::text::Span::raw(symbol).width().saturating_sub(1);
            } else {
                skip -= 1;
            }
        }
        writeln!(out, "{}", line.trim_end()).unwrap();
    }
    out
}

/// A line for every run of cells that does not look like the plain text of the theme, which is
/// named first: `row:from..to foreground background modifiers`.
fn styles(buffer: &Buffer, plain: &Cell) -> String {
    let look = |cell: &Cell| format!("{} {} {:?}", cell.fg, cell.bg, cell.modifier);
    let mut out = format!("plain {}\n", look(plain));
    for y in 0..buffer.area.height {
        let mut from = 0;
        while from < buffer.area.width {
            let style = look(&buffer[(from, y)]);
            let to = (from..buffer.area.width)
                .find(|x| look(&buffer[(*x, y)]) != style)
                .unwrap_or(buffer.area.width);
            if style != look(plain) {
                writeln!(out, "{y}:{from}..{to} {style}").unwrap();
            }
            from = to;
        }
    }
    out
}

/// In ASCII every cell is one printable character, in the style that it has otherwise.
fn check_ascii(name: &str, model: &Model, buffer: &Buffer) {
    let mut model = model.clone();
    model.settings.is_ascii = true;
    let ascii = draw(&model);
    let mut previous = ascii.content.first();
    for (index, (cell, before)) in ascii.content.iter().zip(&buffer.content).enumerate() {
        let is_plain = cell.symbol().len() == 1 && (b' '..=b'~').contains(&cell.symbol().as_bytes()[0]);
        assert!(
            is_plain,
            "{name}: cell {index} is {:?}, and was {:?}",
            cell.symbol(),
            before.symbol()
        );
        // The second half of a wide character is drawn as the first; so are the dots of an ellipsis.
        let is_filled =
            cell.symbol() != before.symbol() && previous.is_some_and(|previous| previous.style() == cell.style());
        assert!(
            cell.style() == before.style() || is_filled,
            "{name}: cell {index} has another style"
        );
        previous = Some(cell);
    }
}

/// Two tests that draw different things under one name would take turns with its file.
fn is_drawn_once(name: &str, drawn: &str) {
    static DRAWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut known = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = known.entry(name.to_owned()).or_insert_with(|| drawn.to_owned());
    assert!(before == drawn, "{name} is the name of two pictures");
}

/// Compares a frame with its file.
pub(crate) fn check(name: &str, model: &Model) {
    crate::cases::have_files(&model.popups);
    if crate::keymaps::check(name, model) {
        return;
    }
    let buffer = draw(model);
    check_ascii(name, model, &buffer);
    let mut plain = Cell::default();
    plain.set_style(model.palette.base());
    let drawn = format!("{}---\n{}", text(&buffer), styles(&buffer, &plain));
    is_drawn_once(name, &drawn);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens/golden");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|value| value == "1") {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, &drawn).unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    if golden == drawn {
        return;
    }
    let differing = golden
        .lines()
        .zip(drawn.lines())
        .filter(|(golden, drawn)| golden != drawn)
        .take(10);
    let report: Vec<String> = differing
        .map(|(golden, drawn)| format!("- {golden}\n+ {drawn}"))
        .collect();
    panic!(
        "{name} is drawn otherwise than in {}:\n{}\nIf that is meant, run with UPDATE_SNAPSHOTS=1.\n{}",
        path.display(),
        report.join("\n"),
        text(&buffer)
    );
}
