//! The columns there is room for, and their heads.

use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::tui::layout;
use crate::tui::model::{Column, Model};
use crate::tui::theme::Token;
use crate::tui::widgets::text::{fit, pad, width};

/// In front of the first column: the cursor, and the mark.
pub(super) const MARGIN: usize = 2;
/// A number at the right edge, and a blank between.
const PACKETS: usize = 10;
/// In front of a decision: whether it is changed.
pub(super) const STAR: usize = 2;

/// The columns there is room for, with their widths. A blank is between them.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) cells: Vec<(Column, usize)>,
    pub(super) is_wide: bool,
}

impl Columns {
    pub(super) fn of(cells: u16) -> Self {
        use Column::{After, Bound, Decision, Now, Packets, Port, Service, Unit, User};
        let cells = usize::from(cells);
        let mut columns = match cells {
            ..80 => vec![
                (Service, 15 + cells.saturating_sub(60)),
                (Port, 9),
                (Now, 14),
                (After, 5),
            ],
            80..100 => vec![
                (Service, 15 + (cells - 80)),
                (Port, 10),
                (Bound, 9),
                (Now, 14),
                (After, 14),
            ],
            100..120 => vec![
                (Service, 20 + (cells - 100) / 5),
                (Port, 15),
                (Bound, 11 + (cells - 100) / 4),
                (Now, 14),
                (After, 14),
            ],
            120..150 => vec![
                (Service, 20 + (cells - 120) / 4),
                (Port, 15),
                (Bound, 15 + (cells - 120) / 5),
                (Now, 14),
                (After, 14),
            ],
            150.. => vec![
                (Service, 22 + (cells - 150) / 5),
                (Port, 15 + (cells - 150) / 10),
                (Bound, 15 + (cells - 150) / 8),
                (Now, 15),
                (After, 15),
            ],
        };
        // Who can connect and what was decided are beside each other, at every width; the rest is behind.
        let behind = match cells {
            ..120 => vec![],
            120..150 => vec![(Packets, PACKETS)],
            150.. => vec![
                (User, 10 + (cells - 150) / 10),
                (Unit, 20 + (cells - 150) / 4),
                (Packets, PACKETS),
            ],
        };
        // The decision gets what is left.
        let used = MARGIN + columns.iter().chain(&behind).map(|(_, cells)| cells + 1).sum::<usize>();
        columns.push((Decision, cells.saturating_sub(used)));
        columns.extend(behind);
        Self {
            cells: columns,
            is_wide: cells >= 100,
        }
    }
}

/// The columns that are shown on a screen of this width, from the left.
pub fn columns(cells: u16) -> Vec<Column> {
    let columns = Columns::of(cells).cells.into_iter();
    columns.map(|(column, _)| column).collect()
}

/// The column whose head is under the mouse.
pub fn column_at(model: &Model, body: Rect, position: Position) -> Option<Column> {
    let head = layout::services(model, body).head;
    if model.services.rows().is_empty() || !head.contains(position) {
        return None;
    }
    let at = usize::from(position.x - head.x);
    let mut end = MARGIN;
    let found = Columns::of(body.width).cells.into_iter().find(|(_, cells)| {
        end += cells + 1;
        at < end
    });
    found.filter(|_| at >= MARGIN).map(|(column, _)| column)
}

/// The heads; the one that the rows are sorted by has an arrow.
pub(super) fn head(model: &Model, columns: &Columns) -> Line<'static> {
    let palette = &model.palette;
    let (sorted, is_reversed) = model.services.order();
    let arrow = if is_reversed { '▴' } else { '▾' };
    let mut spans = vec![Span::raw(" ".repeat(MARGIN))];
    for (column, cells) in &columns.cells {
        let is_sorted = *column == sorted;
        // Above the word, not above the star before it.
        let indent = if *column == Column::Decision { STAR } else { 0 };
        let room = cells.saturating_sub(indent + usize::from(*column == Column::Packets));
        let (text, token) = match is_sorted {
            true => (with_arrow(column.head(), arrow, room), Token::Title),
            false => (column.head().to_owned(), Token::Dim),
        };
        let text = match column {
            Column::Packets => at_the_edge(&text, *cells),
            _ => format!("{}{} ", " ".repeat(indent), pad(&text, room)),
        };
        spans.push(Span::styled(text, palette.of(token)));
    }
    Line::from(spans)
}

/// A number's column, or its head.
pub(super) fn at_the_edge(text: &str, cells: usize) -> String {
    format!("{text:>0$} ", cells.saturating_sub(1))
}

/// The name with an arrow behind it, in as many words as fit.
fn with_arrow(name: &str, arrow: char, cells: usize) -> String {
    let words = [name, name.split(' ').next().unwrap_or(name)];
    let whole = words.iter().map(|words| format!("{words} {arrow}"));
    let mut fitting = whole.filter(|text| width(text) <= cells);
    fitting.next().unwrap_or_else(|| {
        let name = fit(name, cells.saturating_sub(1));
        format!("{}{arrow}", name.trim_end_matches('…'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_every_width_and_no_more() {
        for cells in 60..400 {
            let columns = Columns::of(cells);
            let used = MARGIN + columns.cells.iter().map(|(_, cells)| cells + 1).sum::<usize>() - 1;
            assert_eq!(used, usize::from(cells));
            let order: Vec<Column> = columns.cells.iter().map(|(column, _)| *column).collect();
            let together = [Column::Now, Column::After, Column::Decision];
            assert!(order.windows(3).any(|three| three == together), "{cells}");
            let mut cells_of = columns.cells.iter();
            let (_, decision) = cells_of.find(|(column, _)| *column == Column::Decision).unwrap();
            // The longest word, and the star.
            assert!(*decision >= STAR + "undecided".len(), "{cells}: {decision}");
        }
    }

    #[test]
    fn an_arrow_finds_its_place() {
        assert_eq!(with_arrow("REACH NOW", '▾', 14), "REACH NOW ▾");
        assert_eq!(with_arrow("BOUND TO", '▴', 8), "BOUND ▴");
        assert_eq!(with_arrow("AFTER", '▾', 5), "AFT▾");
    }
}
