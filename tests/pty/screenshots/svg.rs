//! A screen as a picture: text that can be read aloud and selected, in the terminal's colours.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::cells::{Cell, Grid, Rgb};

/// The size of a cell.
const CELL: (f32, f32) = (8.4, 18.0);
/// Room around the cells.
const MARGIN: f32 = 14.0;
/// Where nothing says otherwise.
const TEXT: [u8; 3] = [0xd3, 0xd7, 0xdf];
const BACKGROUND: [u8; 3] = [0x16, 0x18, 0x1d];
/// What has no font of its own is drawn in one that most systems have.
const FONT: &str = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";

/// Draws a screen. The picture brings its own background, so that it can be read on any page.
pub fn draw(title: &str, grid: &Grid) -> String {
    let columns = grid.rows.iter().map(Vec::len).max().unwrap_or_default();
    let (width, height) = (across(columns) + 2.0 * MARGIN, down(grid.rows.len()) + 2.0 * MARGIN);
    let mut styles: BTreeMap<(Rgb, bool), usize> = BTreeMap::new();
    let (mut behind, mut text) = (String::new(), String::new());
    for (index, row) in grid.rows.iter().enumerate() {
        let y = MARGIN + down(index);
        for (at, run) in runs(row, |cell| cell.background) {
            if let Some(color) = run[0].background.filter(|color| *color != BACKGROUND) {
                let (x, width) = (MARGIN + across(at), across(run.len()));
                let color = hex(color);
                let height = CELL.1;
                writeln!(
                    behind,
                    r#"<rect x="{x:.1}" y="{y:.0}" width="{width:.1}" height="{height}" fill="{color}"/>"#
                )
                .unwrap();
            }
        }
        for (at, run) in runs(row, |cell| (cell.foreground, cell.is_bold)) {
            text.push_str(&line(at, &baseline(index), run, &mut styles));
        }
    }
    let mut style = String::new();
    for ((color, is_bold), class) in &styles {
        let weight = if *is_bold { ";font-weight:bold" } else { "" };
        write!(style, ".s{class}{{fill:{}{weight}}}", hex(color.unwrap_or(TEXT))).unwrap();
    }
    let (title, background) = (escaped(title), hex(BACKGROUND));
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img">
<title>{title}</title>
<style>text{{font:14px {FONT};white-space:pre}}{style}</style>
<rect width="100%" height="100%" rx="8" fill="{background}"/>
{behind}{text}</svg>
"#
    )
}

/// Where the text of a row stands.
pub fn baseline(row: usize) -> String {
    format!(r#"y="{:.1}""#, MARGIN + down(row) + 13.5)
}

/// A run of cells of one look as text: words that are far apart are each put in their place, whatever
/// the font's width is.
fn line(at: usize, baseline: &str, run: &[Cell], styles: &mut BTreeMap<(Rgb, bool), usize>) -> String {
    let mut out = String::new();
    let content = Grid::line(run);
    if content.trim().is_empty() {
        return out;
    }
    let next = styles.len();
    let class = *styles.entry((run[0].foreground, run[0].is_bold)).or_insert(next);
    let mut from = 0;
    for part in content.split_inclusive("  ") {
        let count = part.chars().count();
        let (words, lead) = (
            part.trim(),
            part.chars().take_while(|character| *character == ' ').count(),
        );
        if !words.is_empty() {
            let (x, length) = (MARGIN + across(at + from + lead), across(words.chars().count()));
            let words = escaped(words);
            writeln!(
                out,
                r#"<text class="s{class}" x="{x:.1}" {baseline} textLength="{length:.1}" lengthAdjust="spacingAndGlyphs">{words}</text>"#
            )
            .unwrap();
        }
        from += count;
    }
    out
}

/// Neighbouring cells with the same look, and where they begin.
fn runs<K: PartialEq>(row: &[Cell], look: impl Fn(&Cell) -> K) -> Vec<(usize, &[Cell])> {
    let mut at = 0;
    row.chunk_by(|one, other| look(one) == look(other))
        .map(|run| {
            let from = at;
            at += run.len();
            (from, run)
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a terminal has a few hundred columns")]
fn across(columns: usize) -> f32 {
    columns as f32 * CELL.0
}

#[expect(clippy::cast_precision_loss, reason = "a terminal has a few hundred rows")]
fn down(rows: usize) -> f32 {
    rows as f32 * CELL.1
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[test]
fn words_keep_their_places_and_no_markup_slips_in() {
    let grid = Grid::written("\u{1b}[38;2;1;2;3mA <b>   & more", (30, 1));
    let drawn = draw("one & two", &grid);
    assert!(
        drawn.contains("A &lt;b&gt;<") && drawn.contains(">&amp; more<"),
        "{drawn}"
    );
    assert!(drawn.contains("<title>one &amp; two</title>") && drawn.contains("#010203"));
    assert!(drawn.contains(&format!(r#"x="{:.1}""#, MARGIN + across(8))), "{drawn}");
}
