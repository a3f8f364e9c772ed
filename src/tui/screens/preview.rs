//! What applying would change: in words, and as rules.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::core::ruleset::{DiffLine, Sign};
use crate::tui::layout::Frames;
use crate::tui::model::{Model, Pane, RulesView};
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::text::{fit, wrap};

mod words;

pub use words::{Sentence, plan_in_brief};

/// From this width on the two sides are beside each other, else one above the other.
pub const WIDE: u16 = 100;

/// Where the two sides are: each a title and its text.
struct Panes {
    words_title: Rect,
    words: Rect,
    rules_title: Rect,
    rules: Rect,
}

fn panes(model: &Model, body: Rect) -> Panes {
    let titled =
        |area: Rect| -> [Rect; 2] { Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area) };
    let (words, rules) = if body.width >= WIDE {
        let [words, gap, rules] =
            Layout::horizontal([Constraint::Percentage(45), Constraint::Length(2), Constraint::Min(0)]).areas(body);
        let _ = gap;
        (words, rules)
    } else {
        // The side that scrolls gets the room.
        let share = match model.preview.pane {
            Pane::Words => 65,
            Pane::Rules => 35,
        };
        let [words, rules] = Layout::vertical([Constraint::Percentage(share), Constraint::Min(0)]).areas(body);
        (words, rules)
    };
    let [words_title, words] = titled(words);
    let [rules_title, rules] = titled(rules);
    Panes {
        words_title,
        words,
        rules_title,
        rules,
    }
}

/// Draws the screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let panes = panes(model, body);
    let palette = &model.palette;
    let title = |text: &str, pane: Pane| {
        if model.preview.pane == pane {
            format!("▸ {text}")
        } else {
            text.to_owned()
        }
    };
    let words = words::lines(model, usize::from(panes.words.width).saturating_sub(2));
    let below = below(words.len(), model.preview.words_top, panes.words);
    let heading = rule(
        palette,
        &title("What changes", Pane::Words),
        &below,
        panes.words_title.width,
    );
    frame.render_widget(heading, panes.words_title);
    for (area, line) in panes.words.rows().zip(words.into_iter().skip(model.preview.words_top)) {
        frame.render_widget(indented(line), area);
    }
    let rules = rules(model, usize::from(panes.rules.width).saturating_sub(2));
    let heading = rule(
        palette,
        &title(&format!("Rules: {}", views(model.preview.view)), Pane::Rules),
        &self::below(rules.len(), model.preview.rules_top, panes.rules),
        panes.rules_title.width,
    );
    frame.render_widget(heading, panes.rules_title);
    for (area, (token, text)) in panes.rules.rows().zip(rules.into_iter().skip(model.preview.rules_top)) {
        frame.render_widget(indented(Line::styled(text, palette.of(token))), area);
    }
}

fn indented(line: Line<'static>) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    spans.extend(line.spans.into_iter().map(|span| span.patch_style(line.style)));
    Line::from(spans)
}

/// How much there is below, so that nobody misses it.
fn below(len: usize, top: usize, area: Rect) -> String {
    match len.saturating_sub(top + usize::from(area.height)) {
        0 => String::new(),
        more => format!("{more} more ↓"),
    }
}

fn views(shown: RulesView) -> String {
    let words = RulesView::ALL.map(|view| {
        if view == shown {
            format!("[{}]", view.word())
        } else {
            view.word().to_owned()
        }
    });
    words.join(" ")
}

/// The right side, long rules continued on indented lines.
fn rules(model: &Model, cells: usize) -> Vec<(Token, String)> {
    match model.preview.view {
        RulesView::Diff => difference(&model.plan.diff, cells),
        RulesView::Full(family) => {
            let lines = model.preview.full(family);
            if lines.is_empty() {
                return vec![(Token::Dim, format!("No rules for {family}."))];
            }
            lines
                .iter()
                .flat_map(|text| {
                    let token = if text.starts_with('*') {
                        Token::Title
                    } else {
                        Token::Text
                    };
                    hanging("", text, cells, token)
                })
                .collect()
        }
    }
}

/// Unchanged lines shown around a change.
const CONTEXT: usize = 2;

/// What changes with a little around it; what stays is only counted.
fn difference(diff: &[DiffLine], cells: usize) -> Vec<(Token, String)> {
    if diff.is_empty() {
        return vec![(Token::Dim, "No rules, now or after applying.".to_owned())];
    }
    let changes = |line: &DiffLine| matches!(line.sign, Sign::Added | Sign::Removed);
    let is_near = |index: usize| {
        let from = index.saturating_sub(CONTEXT);
        diff.iter().skip(from).take(index + CONTEXT + 1 - from).any(changes)
    };
    let mut lines = Vec::new();
    let mut hidden = 0;
    for (index, line) in diff.iter().enumerate() {
        if line.sign == Sign::Same && !is_near(index) {
            hidden += 1;
            continue;
        }
        lines.extend(unchanged(std::mem::take(&mut hidden)));
        let token = match line.sign {
            Sign::Heading => Token::Title,
            Sign::Same => Token::Dim,
            Sign::Added => Token::Added,
            Sign::Removed => Token::Removed,
        };
        match line.sign {
            Sign::Heading => lines.push((token, line.text.clone())),
            sign => lines.extend(hanging(&format!("{} ", sign.mark()), &line.text, cells, token)),
        }
    }
    lines.extend(unchanged(hidden));
    lines
}

fn unchanged(count: usize) -> Option<(Token, String)> {
    (count > 0).then(|| (Token::Dim, format!("  … {count} unchanged")))
}

fn hanging(mark: &str, text: &str, cells: usize, token: Token) -> Vec<(Token, String)> {
    const INDENT: usize = 4;
    if text.len() + mark.len() <= cells {
        return vec![(token, format!("{mark}{}", fit(text, cells)))];
    }
    wrap(text, cells.saturating_sub(INDENT + mark.len()))
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let margin = if index == 0 { "" } else { "    " };
            (token, format!("{mark}{margin}{line}"))
        })
        .collect()
}

/// How long the texts are, and how much of them is in sight: words, then rules.
pub fn extents(model: &Model, body: Rect) -> [(usize, usize); 2] {
    let panes = panes(model, body);
    let words = words::lines(model, usize::from(panes.words.width).saturating_sub(2)).len();
    let rules = rules(model, usize::from(panes.rules.width).saturating_sub(2)).len();
    [
        (words, usize::from(panes.words.height)),
        (rules, usize::from(panes.rules.height)),
    ]
}

/// Which side a point is on.
pub fn pane_at(model: &Model, body: Rect, position: ratatui::layout::Position) -> Option<Pane> {
    let panes = panes(model, body);
    if panes.words.union(panes.words_title).contains(position) {
        return Some(Pane::Words);
    }
    panes
        .rules
        .union(panes.rules_title)
        .contains(position)
        .then_some(Pane::Rules)
}

/// Keeps both texts within their ends after one of them became shorter.
pub fn settle(model: &mut Model, frames: &Frames) {
    if model.screen != super::ScreenId::Preview {
        return;
    }
    let [(words, words_height), (rules, rules_height)] = extents(model, frames.body);
    let preview = &mut model.preview;
    preview.words_top = preview.words_top.min(words.saturating_sub(words_height));
    preview.rules_top = preview.rules_top.min(rules.saturating_sub(rules_height));
}

/// A sentence with the symbol in front of it, as lines.
pub fn sentence_lines(palette: &Palette, sentence: &Sentence, cells: usize) -> Vec<Line<'static>> {
    let margin = crate::tui::widgets::text::width(sentence.symbol);
    wrap(&sentence.text, cells.saturating_sub(margin))
        .into_iter()
        .enumerate()
        .map(|(index, text)| {
            // Spaces have no style of their own: a monochrome theme would underline them.
            let symbol = sentence.symbol.trim_end();
            let (symbol, space) = match index {
                0 => (symbol, margin.saturating_sub(crate::tui::widgets::text::width(symbol))),
                _ => ("", margin),
            };
            let text_token = if sentence.is_loud { sentence.token } else { Token::Text };
            Line::from(vec![
                Span::styled(symbol.to_owned(), palette.of(sentence.token)),
                Span::raw(" ".repeat(space)),
                Span::styled(text, palette.of(text_token)),
            ])
        })
        .collect()
}
