//! The consequences of a plan, in sentences.

use ratatui::text::{Line, Span};

use super::sentence_lines;
use crate::core::connections::interrupted_words;
use crate::core::plan::{Consequence, Plan, UNSEEN};
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

/// What a plan means, the gravest first: lock-outs, ways in, warnings, blocks.
fn grave(plan: &Plan) -> Vec<Sentence> {
    let lockouts = plan.lockouts.iter().map(ToString::to_string);
    let kept = plan.kept.iter().map(|way_in| format!("You keep {way_in}"));
    let warnings = plan.warnings.iter().map(ToString::to_string);
    let mut sentences: Vec<Sentence> = lockouts.map(|text| Sentence::loud("✗ ", Token::Bad, text)).collect();
    sentences.extend(kept.map(|text| Sentence::quiet("✓ ", Token::Good, text)));
    sentences.extend(warnings.map(|text| Sentence::quiet("! ", Token::Warn, text)));
    let blocks = plan.blocks.iter();
    sentences.extend(blocks.map(|text| Sentence::quiet("✗ ", Token::Warn, text)));
    sentences
}

/// The services that are stopped or started themselves.
fn services(plan: &Plan) -> impl Iterator<Item = Sentence> {
    plan.services.iter().map(|change| {
        let token = if change.is_stopped { Token::Warn } else { Token::Accent };
        Sentence::quiet("■ ", token, change.to_string())
    })
}

/// The consequences by who can connect after applying, each with a heading.
fn groups(plan: &Plan) -> impl Iterator<Item = (Sentence, &[Consequence])> {
    plan.consequences.chunk_by(|a, b| a.after == b.after).map(|group| {
        let after = group.first().map_or(Reach::Unknown, |consequence| consequence.after);
        let (symbol, token, text) = match after {
            Reach::ThisMachine => ("○ ", Token::Good, "Only this machine can connect; others are refused"),
            Reach::Trusted => ("◐ ", Token::Warn, "Trusted networks, or the sources named, can connect"),
            Reach::Unknown => (
                "? ",
                Token::Unknown,
                "fwtui lets them pass; whether other rules do can't be told",
            ),
            Reach::Everyone => ("● ", Token::Bad, "Everyone can connect"),
        };
        (Sentence::quiet(symbol, token, text), group)
    })
}

fn service(consequence: &Consequence) -> String {
    if consequence.name.is_empty() {
        return consequence.id.to_string();
    }
    format!("{} {}", consequence.name, consequence.id)
}

/// What becomes of running flows, as information.
fn interrupted(plan: &Plan) -> Option<Sentence> {
    let text = interrupted_words(&plan.interrupted)?;
    Some(Sentence::quiet("~ ", Token::Dim, text))
}

/// What is said where the consequences are none.
const fn nobody(plan: &Plan) -> &'static str {
    if plan.is_blind {
        UNSEEN
    } else {
        "No service gains or loses anybody"
    }
}

/// What a plan means, in as few lines as possible: the services of a group in one sentence.
pub fn plan_in_brief(plan: &Plan, most: usize) -> Vec<Sentence> {
    let mut sentences = grave(plan);
    sentences.extend(services(plan));
    for (heading, group) in groups(plan) {
        let names: Vec<String> = group.iter().take(most).map(service).collect();
        let more = match group.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!("{}: {}{more}", heading.text, names.join(", "));
        sentences.push(Sentence { text, ..heading });
    }
    if plan.is_blind || plan.consequences.is_empty() && plan.blocks.is_empty() {
        sentences.push(Sentence::quiet("  ", Token::Dim, nobody(plan)));
    }
    sentences.extend(interrupted(plan));
    sentences
}

/// What a plan means, with a line for every service.
fn plan_at_length(plan: &Plan) -> Vec<Sentence> {
    let mut sentences = grave(plan);
    sentences.extend(services(plan));
    for (heading, group) in groups(plan) {
        let text = format!("{} ({})", heading.text, group.len());
        sentences.push(Sentence { text, ..heading });
        for consequence in group.iter().take(MOST_CONSEQUENCES) {
            let now = if consequence.is_listening {
                format!("now {}", consequence.before)
            } else {
                "nothing listens there now".to_owned()
            };
            let text = format!("{}, {now}", service(consequence));
            sentences.push(Sentence::loud("    ", Token::Text, text));
            let networks = consequence.by_network();
            sentences.extend(networks.map(|text| Sentence::loud("      ", Token::Dim, text)));
        }
        let more = group.len().saturating_sub(MOST_CONSEQUENCES);
        if more > 0 {
            sentences.push(Sentence::loud("    ", Token::Dim, format!("… and {more} more")));
        }
    }
    if plan.consequences.is_empty() && (plan.is_blind || plan.blocks.is_empty()) {
        sentences.push(Sentence::loud("  ", Token::Dim, nobody(plan)));
    }
    let going_on = plan.going_on.iter().take(MOST_CONSEQUENCES);
    sentences.extend(going_on.map(|goes_on| Sentence::quiet("~ ", Token::Dim, goes_on.to_string())));
    sentences.extend(interrupted(plan));
    sentences
}

/// The left side.
pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let palette = &model.palette;
    let mut lines = wrapped(&summary(model), cells, 0, palette.of(Token::Title));
    let plan = &model.plan;
    for sentence in plan_at_length(plan) {
        lines.extend(sentence_lines(palette, &sentence, cells));
    }
    if model.setup.is_some() {
        // The setup asks for these at steps of their own, and the keys mean other things in it.
        return lines;
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
    if plan.is_done() && model.trial().is_some() {
        return "On trial: the kernel holds these rules until the trial ends.".to_owned();
    }
    if plan.is_done() {
        return "Nothing to apply: the kernel holds these rules already.".to_owned();
    }
    let count = |sign| plan.diff.iter().filter(|line| line.sign == sign).count();
    let added = count(crate::core::ruleset::Sign::Added);
    let removed = count(crate::core::ruleset::Sign::Removed);
    format!("Applying adds {added} lines of rules and takes {removed} out.")
}
