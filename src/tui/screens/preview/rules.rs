//! The rules of the view that is shown.

use crate::core::listener::Family;
use crate::core::ruleset::{DiffLine, Sign};
use crate::tui::model::{LaidLine, Model, RulesView};
use crate::tui::theme::Token;
use crate::tui::widgets::text::{fit, wrap};

/// A rule as it is written down: a sign, and the text.
pub(super) type Rule = (Token, &'static str, String);

/// The right side, long rules continued on indented lines.
pub(super) fn lines(model: &Model, cells: usize) -> Vec<LaidLine> {
    let mut lines = Vec::new();
    for (paragraph, (token, mark, text)) in all(model).iter().enumerate() {
        for line in hanging(mark, text, cells, *token) {
            lines.push(LaidLine { paragraph, ..line });
        }
    }
    lines
}

/// Every rule of the view.
pub(super) fn all(model: &Model) -> Vec<Rule> {
    match model.preview.view {
        RulesView::Diff => difference(&model.plan.diff),
        RulesView::All => Family::ALL
            .into_iter()
            .flat_map(|family| {
                let heading = (Token::Title, "", family.to_string());
                std::iter::once(heading).chain(full(model, family))
            })
            .collect(),
        RulesView::Full(family) => full(model, family),
        RulesView::Nft => nft(model),
    }
}

fn nft(model: &Model) -> Vec<Rule> {
    let text = model.plan.candidate.to_nft_text();
    if text.is_empty() {
        return vec![(Token::Dim, "", "No rules.".to_owned())];
    }
    let line = |line: &str| {
        let rule = line.trim_start();
        match line.len() - rule.len() {
            0 => (Token::Title, "", rule.to_owned()),
            4 => (Token::Accent, "    ", rule.to_owned()),
            _ => (Token::Text, "        ", rule.to_owned()),
        }
    };
    text.lines().map(line).collect()
}

fn full(model: &Model, family: Family) -> Vec<Rule> {
    let rules = model.plan.candidate.family(family);
    let text = rules.to_plain_text(&rules.hooks());
    if text.is_empty() {
        return vec![(Token::Dim, "", format!("No rules for {family}."))];
    }
    let token = |line: &str| match line.starts_with('*') {
        true => Token::Title,
        false => Token::Text,
    };
    text.lines().map(|line| (token(line), "", line.to_owned())).collect()
}

/// Unchanged lines shown around a change.
const CONTEXT: usize = 2;

/// What changes with a little around it; what stays is only counted.
fn difference(diff: &[DiffLine]) -> Vec<Rule> {
    if diff.is_empty() {
        return vec![(Token::Dim, "", "No rules, now or after applying.".to_owned())];
    }
    let near = near(diff);
    let mut lines = Vec::new();
    let mut hidden = 0;
    for (line, is_near) in diff.iter().zip(near) {
        if line.sign == Sign::Same && !is_near {
            hidden += 1;
            continue;
        }
        lines.extend(unchanged(std::mem::take(&mut hidden)));
        let (token, mark) = match line.sign {
            Sign::Heading => (Token::Title, ""),
            Sign::Same => (Token::Dim, "  "),
            Sign::Added => (Token::Added, "+ "),
            Sign::Removed => (Token::Removed, "- "),
        };
        lines.push((token, mark, line.text.clone()));
    }
    lines.extend(unchanged(hidden));
    lines
}

/// For each line, whether a change is near it.
fn near(diff: &[DiffLine]) -> Vec<bool> {
    let mut near = vec![false; diff.len()];
    for (index, line) in diff.iter().enumerate() {
        if matches!(line.sign, Sign::Added | Sign::Removed) {
            let from = index.saturating_sub(CONTEXT);
            for one in near.iter_mut().skip(from).take(index + CONTEXT + 1 - from) {
                *one = true;
            }
        }
    }
    near
}

fn unchanged(count: usize) -> Option<Rule> {
    (count > 0).then(|| (Token::Dim, "  ", format!("… {count} unchanged")))
}

fn hanging(mark: &str, text: &str, cells: usize, token: Token) -> Vec<LaidLine> {
    const INDENT: usize = 4;
    let line = |lead: usize, text: String| LaidLine {
        lead,
        ..LaidLine::plain(token, text)
    };
    if text.len() + mark.len() <= cells {
        return vec![line(mark.len(), format!("{mark}{}", fit(text, cells)))];
    }
    wrap(text, cells.saturating_sub(INDENT + mark.len()))
        .into_iter()
        .enumerate()
        .map(|(index, text)| {
            let margin = if index == 0 { "" } else { "    " };
            line(mark.len() + margin.len(), format!("{mark}{margin}{text}"))
        })
        .collect()
}
