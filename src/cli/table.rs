//! Columns that line up.

use std::borrow::Cow;

use crate::tui::widgets::text::wrap;

/// One row of cells.
pub(super) type Cells<'a, const N: usize> = [Cow<'a, str>; N];

/// Between two columns, if there is room.
const GAP: usize = 2;
/// A word may be broken after these; elsewhere only if nothing else helps.
const JOINTS: [char; 6] = [':', '/', '-', '_', '@', ','];
/// No column is narrower, if it has more than that.
const NARROWEST: usize = 6;

/// Prints a heading and rows as columns, each as wide as its widest cell, two spaces apart. Where there is no room for
/// that, columns get narrower, and what is wider in them has several lines: in as few rows as possible.
pub(super) fn columns<const N: usize>(heading: [&str; N], rows: &[Cells<'_, N>], room: Option<usize>) -> String {
    let lines: Vec<[&str; N]> = [heading]
        .into_iter()
        .chain(rows.iter().map(|row| row.each_ref().map(AsRef::as_ref)))
        .collect();
    let (mut widths, mut least) = ([0; N], [0; N]);
    for line in &lines {
        for ((widest, part), cell) in widths.iter_mut().zip(&mut least).zip(line) {
            *widest = width(cell).max(*widest);
            *part = parts(cell).into_iter().map(width).max().unwrap_or_default().max(*part);
        }
    }
    let mut gap = GAP;
    if let Some(room) = room {
        if least.iter().sum::<usize>() + GAP * N.saturating_sub(1) > room {
            gap = 1;
        }
        let room = room.saturating_sub(gap * N.saturating_sub(1));
        shrink(&mut widths, least, &lines, room);
        shrink(&mut widths, [NARROWEST; N], &lines, room);
    }
    let mut out = String::new();
    for line in lines {
        push_row(&mut out, line, &widths, gap);
    }
    out
}

/// Takes columns away where the fewest cells need a line more for it, until there is room for all; none gets narrower
/// than its least.
fn shrink<const N: usize>(widths: &mut [usize; N], least: [usize; N], lines: &[[&str; N]], room: usize) {
    while widths.iter().sum::<usize>() > room {
        let columns = widths.iter().zip(least).enumerate();
        let wider = columns.filter(|(_, (width, least))| *width > least);
        let cheapest = wider.min_by_key(|(column, (widest, _))| {
            let cells = lines.iter().filter_map(|line| line.get(*column));
            let folded = cells.filter(|cell| width(cell) == **widest).count();
            (folded, std::cmp::Reverse(**widest))
        });
        let cheapest = cheapest.map_or(N, |(column, _)| column);
        let Some(width) = widths.get_mut(cheapest) else {
            return;
        };
        *width -= 1;
    }
}

/// What of a cell stays together: words, or their parts with a joint at the end.
fn parts(cell: &str) -> Vec<&str> {
    let words = cell.split_inclusive(' ').flat_map(|word| word.split_inclusive(JOINTS));
    words.map(str::trim_end).filter(|part| !part.is_empty()).collect()
}

/// The cell in lines of at most so many columns, broken between words, else at joints, else anywhere.
fn fold(cell: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in cell.split_whitespace() {
        // Only a word that has no room even on a line of its own is taken apart.
        let parts: Vec<&str> = match width(word) <= room {
            true => vec![word],
            false => word.split_inclusive(JOINTS).collect(),
        };
        for (index, part) in parts.into_iter().enumerate() {
            let blank = if index == 0 { " " } else { "" };
            match lines.last_mut() {
                Some(line) if width(line) + blank.len() + width(part) <= room => {
                    line.push_str(blank);
                    line.push_str(part);
                }
                _ => lines.extend(wrap(part, room)),
            }
        }
    }
    lines
}

fn push_row<const N: usize>(out: &mut String, cells: [&str; N], widths: &[usize; N], gap: usize) {
    let mut folded: [Vec<String>; N] = std::array::from_fn(|_| Vec::new());
    for ((lines, cell), room) in folded.iter_mut().zip(cells).zip(widths) {
        *lines = match width(cell) <= *room {
            true => vec![cell.to_owned()],
            false => fold(cell, *room),
        };
    }
    for index in 0..folded.iter().map(Vec::len).max().unwrap_or_default() {
        let start = out.len();
        for (lines, widest) in folded.iter().zip(widths) {
            let cell = lines.get(index).map_or("", String::as_str);
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', (widest + gap).saturating_sub(width(cell))));
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
    use super::*;

    #[test]
    fn cells_line_up_and_lines_end_without_spaces() {
        let rows = [["long".into(), "x".into()], ["\u{e9}".into(), "".into()]];
        assert_eq!(columns(["A", "B"], &rows, None), "A     B\nlong  x\n\u{e9}\n");
    }

    #[test]
    fn cells_that_have_no_room_have_several_lines() {
        let rows = [["eth0".into(), "192.0.2.1/24, 198.51.100.1/24, 2001:db8::1/64".into()]];
        let text = columns(["NAME", "ADDRESSES"], &rows, Some(36));
        assert_eq!(
            text,
            "NAME  ADDRESSES\neth0  192.0.2.1/24, 198.51.100.1/24,\n      2001:db8::1/64\n"
        );
        for room in 20..60 {
            let text = columns(["NAME", "ADDRESSES"], &rows, Some(room));
            assert!(text.lines().all(|line| line.len() <= room), "{room}: {text}");
        }
        assert_eq!(columns(["NAME", "ADDRESSES"], &rows, None).lines().count(), 2);
    }

    #[test]
    fn as_few_rows_as_possible_are_folded_and_words_at_their_joints() {
        let mut rows = vec![["sshd".into(), "22/tcp".into(), "undecided NEW".into()]; 9];
        rows.push([
            "systemd-resolved".into(),
            "127.0.0.53:53/udp".into(),
            "undecided NEW".into(),
        ]);
        let text = columns(["SERVICE", "PORT", "DECISION"], &rows, Some(40));
        assert_eq!(text.lines().count(), 12, "{text}");
        assert!(
            text.contains("sshd") && text.contains("systemd-") && text.contains("\nresolved"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() <= 40), "{text}");
    }

    #[test]
    fn a_folded_cell_has_all_its_letters() {
        for cell in [
            "127.0.0.53:53/udp",
            "a b-c d",
            "undecided NEW *",
            "one-two-three four",
            "aaaaaaaaaaaaaaaa-b",
            "",
        ] {
            for room in 1..20 {
                let lines = fold(cell, room);
                assert!(lines.iter().all(|line| width(line) <= room), "{room}: {lines:?}");
                let bare = |text: &str| text.replace(' ', "");
                assert_eq!(bare(&lines.concat()), bare(cell), "{room}: {lines:?}");
            }
        }
        assert_eq!(fold("one-two three", 8), ["one-two", "three"]);
        assert_eq!(fold("a one-two", 8), ["a", "one-two"]);
        assert_eq!(fold("one-two", 5), ["one-", "two"]);
    }
}
