//! Columns that line up.

use std::borrow::Cow;

/// One row of cells.
pub(super) type Cells<'a, const N: usize> = [Cow<'a, str>; N];

/// Prints a heading and rows as columns, each as wide as its widest cell, two spaces apart.
pub(super) fn columns<const N: usize>(heading: [&str; N], rows: &[Cells<'_, N>]) -> String {
    let mut widths = heading.map(width);
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let mut out = String::new();
    push_line(&mut out, heading, &widths);
    for row in rows {
        push_line(&mut out, row.each_ref().map(AsRef::as_ref), &widths);
    }
    out
}

fn push_line<const N: usize>(out: &mut String, cells: [&str; N], widths: &[usize; N]) {
    let start = out.len();
    for (cell, widest) in cells.into_iter().zip(widths) {
        out.push_str(cell);
        out.extend(std::iter::repeat_n(' ', widest + 2 - width(cell)));
    }
    out.truncate(out.trim_end().len().max(start));
    out.push('\n');
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
        assert_eq!(super::columns(["A", "B"], &rows), "A     B\nlong  x\n\u{e9}\n");
    }
}
