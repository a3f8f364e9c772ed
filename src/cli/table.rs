//! Columns that line up.

use std::borrow::Cow;

use crate::tui::widgets::text::wrap;

/// One row of cells.
pub(super) type Cells<'a, const N: usize> = [Cow<'a, str>; N];

/// Between two columns, if there is room.
const GAP: usize = 2;
/// No column is narrower, if it has more than that.
const NARROWEST: usize = 8;

/// Prints a heading and rows as columns, each as wide as its widest cell, two spaces apart. Where there is no room for
/// that, the widest columns get narrower, and their cells several lines.
pub(super) fn columns<const N: usize>(heading: [&str; N], rows: &[Cells<'_, N>], room: Option<usize>) -> String {
    let mut widths = heading.map(width);
    let mut words = widths;
    for row in rows {
        for ((widest, word), cell) in widths.iter_mut().zip(&mut words).zip(row) {
            *widest = width(cell).max(*widest);
            *word = cell.split_whitespace().map(width).max().unwrap_or_default().max(*word);
        }
    }
    let mut gap = GAP;
    if let Some(room) = room {
        if words.iter().sum::<usize>() + GAP * N.saturating_sub(1) > room {
            gap = 1;
        }
        let room = room.saturating_sub(gap * N.saturating_sub(1));
        shrink(&mut widths, words, room);
        // If whole words are too wide, too, these are broken.
        shrink(&mut widths, [NARROWEST; N], room);
    }
    let mut out = String::new();
    push_row(&mut out, heading, &widths, gap);
    for row in rows {
        push_row(&mut out, row.each_ref().map(AsRef::as_ref), &widths, gap);
    }
    out
}

/// Makes the widest narrower until there is room for all, but none narrower than its least.
fn shrink<const N: usize>(widths: &mut [usize; N], least: [usize; N], room: usize) {
    while widths.iter().sum::<usize>() > room {
        let wider = widths.iter_mut().zip(least).filter(|(width, least)| **width > *least);
        match wider.map(|(width, _)| width).max() {
            Some(widest) => *widest -= 1,
            None => return,
        }
    }
}

fn push_row<const N: usize>(out: &mut String, cells: [&str; N], widths: &[usize; N], gap: usize) {
    let mut folded: [Vec<String>; N] = std::array::from_fn(|_| Vec::new());
    for ((lines, cell), room) in folded.iter_mut().zip(cells).zip(widths) {
        *lines = match width(cell) <= *room {
            true => vec![cell.to_owned()],
            false => wrap(cell, *room),
        };
    }
    for index in 0..folded.iter().map(Vec::len).max().unwrap_or_default() {
        let start = out.len();
        for (lines, widest) in folded.iter().zip(widths) {
            let cell = lines.get(index).map_or("", String::as_str);
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', widest + gap - width(cell)));
        }
        out.truncate(out.trim_end().len().max(start));
        out.push('\n');
    }
}

/// How many columns a cell takes, counting characters; most cells are plain ASCII.
fn width(cell: &str) -> usize {
    if cell.is_ascii() {
        cell.len()
    } else {
        cell.chars().count()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_line_up_and_lines_end_without_spaces() {
        let rows = [["long".into(), "x".into()], ["\u{e9}".into(), "".into()]];
        assert_eq!(super::columns(["A", "B"], &rows, None), "A     B\nlong  x\n\u{e9}\n");
    }

    #[test]
    fn cells_that_have_no_room_have_several_lines() {
        let rows = [["eth0".into(), "192.0.2.1/24, 198.51.100.1/24, 2001:db8::1/64".into()]];
        let text = super::columns(["NAME", "ADDRESSES"], &rows, Some(36));
        assert_eq!(
            text,
            "NAME  ADDRESSES\neth0  192.0.2.1/24, 198.51.100.1/24,\n      2001:db8::1/64\n"
        );
        for room in 20..60 {
            let text = super::columns(["NAME", "ADDRESSES"], &rows, Some(room));
            assert!(text.lines().all(|line| line.len() <= room), "{room}: {text}");
        }
        assert_eq!(super::columns(["NAME", "ADDRESSES"], &rows, None).lines().count(), 2);
    }
}
