//! The consequences of a plan, in sentences.

use ratatui::text::{Line, Span};

use super::sentence_lines;
use crate::core::plan::Plan;
use crate::core::policy::{Logging, Refusal};
use crate::core::reach::Reach;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrapped;

/// Nobody reads more, and a frame must not take longer for it.
const MOST_CONSEQUENCES: usize = 200;

/// A sentence with a symbol in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// The symbol and a space.
    pub symbol: &'static str,
    /// What it means.
    pub token: Token,
    /// The sentence.
    pub text: String,
    /// Whether the sentence has the symbol's colour too.
    pub is_loud: bool,
}

impl Sentence {
    fn quiet(symbol: &'static str, token: Token, text: impl Into<String>) -> Self {
        Self {
            symbol,
            token,
            text: text.into(),
            is_loud: false,
        }
    }

    fn loud(symbol: &'static str, token: Token, text: impl Into<String>) -> Self {
        Self {
            is_loud: true,
            ..Self::quiet(symbol, token, text)
        }
    }
}

/// What a plan means, the gravest first: lock-outs, ways in, warnings, who gains and who loses.
pub fn plan_sentences(plan: &Plan, most: usize) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    sentences.extend(
        plan.lockouts
            .iter()
            .map(|lockout| Sentence::loud("✗ ", Token::Bad, lockout.to_string())),
    );
    sentences.extend(
        plan.kept
            .iter()
            .map(|way_in| Sentence::quiet("✓ ", Token::Good, format!("You keep {way_in}"))),
    );
    sentences.extend(
        plan.warnings
            .iter()
            .map(|warning| Sentence::quiet("! ", Token::Warn, warning.to_string())),
    );
    sentences.extend(plan.consequences.iter().take(most).map(|consequence| {
        let (symbol, token) = match consequence.after {
            Reach::ThisMachine => ("○ ", Token::Good),
            Reach::Trusted => ("◐ ", Token::Warn),
            Reach::Unknown => ("? ", Token::Unknown),
            Reach::Everyone => ("● ", Token::Bad),
        };
        Sentence::quiet(symbol, token, consequence.to_string())
    }));
    let more = plan.consequences.len().saturating_sub(most);
    if more > 0 {
        sentences.push(Sentence::quiet("  ", Token::Dim, format!("… and {more} more services")));
    }
    if plan.consequences.is_empty() {
        sentences.push(Sentence::quiet("  ", Token::Dim, "No service gains or loses anybody"));
    }
    sentences
}

/// The left side.
pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let palette = &model.palette;
    let mut lines = wrapped(&summary(model), cells, 0, palette.of(Token::Title));
    let plan = &model.plan;
    for sentence in plan_sentences(plan, MOST_CONSEQUENCES) {
        lines.extend(sentence_lines(palette, &sentence, cells));
    }
    lines.push(Line::default());
    let (refusal, why) = match model.policy.refusal {
        Refusal::Reject => (
            "reject",
            "The peer knows at once. Silence hides nothing and gives a mistyped port an obscure time-out.",
        ),
        Refusal::Drop => (
            "drop",
            "Silent: scanners wait longer, and so does everybody who mistypes a port. Reject answers at once.",
        ),
    };
    lines.extend(switch(model, "x", "Refuse by", refusal, why, cells));
    let (logging, why) = match model.policy.logging {
        Logging::Off => ("off", "Log only if somebody reads it. It is always rate-limited."),
        Logging::Kernel => ("kernel", "To the kernel's log with the prefix 'fwtui ', rate-limited."),
        Logging::Nflog => ("nflog", "To NFLOG group 7 for ulogd or tcpdump, rate-limited."),
    };
    lines.extend(switch(model, "l", "Log refusals", logging, why, cells));
    lines
}

fn switch(model: &Model, key: &str, name: &str, value: &str, why: &str, cells: usize) -> Vec<Line<'static>> {
    let palette = &model.palette;
    let mut lines = vec![Line::from(vec![
        Span::styled(key.to_owned(), palette.of(Token::Key)),
        Span::styled(format!(" {name}: "), palette.of(Token::Text)),
        Span::styled(value.to_owned(), palette.of(Token::Accent)),
    ])];
    let why = wrapped(why, cells.saturating_sub(2), 0, palette.of(Token::Dim));
    lines.extend(why.into_iter().map(|line| {
        let mut spans = vec![Span::raw("  ")];
        spans.extend(line.spans);
        Line::from(spans)
    }));
    lines
}

fn summary(model: &Model) -> String {
    let plan = &model.plan;
    if model.depth.is_none() {
        return "Looking …".to_owned();
    }
    if model.observation.filter.is_none() {
        return "What is in the kernel can't be seen, so this is what would be loaded, not what changes.".to_owned();
    }
    if plan.is_in_force && model.trial().is_some() {
        return "On trial: the kernel holds these rules until the trial ends.".to_owned();
    }
    if plan.is_in_force {
        return "Nothing to apply: the kernel holds these rules already.".to_owned();
    }
    let count = |sign| plan.diff.iter().filter(|line| line.sign == sign).count();
    let added = count(crate::core::ruleset::Sign::Added);
    let removed = count(crate::core::ruleset::Sign::Removed);
    format!("Applying adds {added} lines of rules and takes {removed} out.")
}
