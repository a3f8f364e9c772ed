//! The consequences of a plan, in sentences.

use crate::core::connections::interrupted_words;
use crate::core::plan::{Consequence, Plan, UNSEEN};
use crate::core::policy::{Logging, Refusal};
use crate::core::reach::Reach;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{LaidLine, Model};
use crate::tui::screens::key_of;
use crate::tui::theme::Token;
use crate::tui::widgets::text::{width, wrap};

/// Nobody reads more.
const MOST_CONSEQUENCES: usize = 1000;

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

/// What must not be overlooked: lock-outs, then warnings.
pub fn must_be_read(plan: &Plan) -> Vec<Sentence> {
    let lockouts = plan.lockouts.iter().map(ToString::to_string);
    let warnings = plan.warnings.iter().map(ToString::to_string);
    let lockouts = lockouts.map(|text| Sentence::loud("✗ ", Token::Bad, text));
    lockouts
        .chain(warnings.map(|text| Sentence::quiet("! ", Token::Warn, text)))
        .collect()
}

/// The ways in that stay, and what is blocked.
fn ways_and_blocks(plan: &Plan) -> impl Iterator<Item = Sentence> {
    let kept = plan.kept.iter().map(|way_in| format!("You keep {way_in}"));
    let blocks = plan.blocks.iter();
    kept.map(|text| Sentence::quiet("✓ ", Token::Good, text))
        .chain(blocks.map(|text| Sentence::quiet("✗ ", Token::Warn, text)))
}

/// The services that are stopped or started themselves.
fn services(plan: &Plan) -> impl Iterator<Item = Sentence> {
    plan.services.iter().map(|change| {
        let token = if change.is_stopped { Token::Warn } else { Token::Accent };
        Sentence::quiet("■ ", token, change.to_string())
    })
}

/// Whether a service is reached by fewer after applying, by more, or by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Course {
    Loses,
    Gains,
    Otherwise,
}

fn course(consequence: &Consequence) -> Course {
    match consequence.after.cmp(&consequence.before) {
        std::cmp::Ordering::Less => Course::Loses,
        std::cmp::Ordering::Greater => Course::Gains,
        std::cmp::Ordering::Equal => Course::Otherwise,
    }
}

/// The consequences, those who lose first, by who can connect after applying; each with a heading.
fn groups(plan: &Plan) -> Vec<(Sentence, Vec<&Consequence>)> {
    let mut sorted: Vec<&Consequence> = plan.consequences.iter().collect();
    sorted.sort_by_key(|consequence| (course(consequence), consequence.after));
    let key = |consequence: &Consequence| (course(consequence), consequence.after);
    let groups = sorted.chunk_by(|a, b| key(a) == key(b)).filter_map(|group| {
        let (course, after) = key(group.first()?);
        let (symbol, token, text) = match (after, course) {
            (Reach::ThisMachine, _) => ("○ ", Token::Good, "Only this machine can connect; others are refused"),
            (Reach::Trusted, Course::Loses) => (
                "◐ ",
                Token::Warn,
                "Only trusted networks, or the sources named, can still connect",
            ),
            (Reach::Trusted, _) => ("◐ ", Token::Warn, "Trusted networks, or the sources named, can connect"),
            (Reach::Unknown, _) => (
                "? ",
                Token::Unknown,
                "fwtui lets them pass; whether other rules do can't be told",
            ),
            (Reach::Everyone, _) => ("● ", Token::Bad, "Everyone can connect"),
        };
        Some((Sentence::quiet(symbol, token, text), group.to_vec()))
    });
    groups.collect()
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

/// What a plan means besides what must be read, in as few lines as possible: the services of a group in
/// one sentence.
pub fn rest_in_brief(plan: &Plan, most: usize) -> Vec<Sentence> {
    let mut sentences: Vec<Sentence> = ways_and_blocks(plan).collect();
    sentences.extend(services(plan));
    for (heading, group) in groups(plan) {
        let names: Vec<String> = group.iter().copied().take(most).map(service).collect();
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
    let mut sentences = must_be_read(plan);
    sentences.extend(ways_and_blocks(plan));
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

/// A sentence with its symbol, as lines.
pub(super) fn sentence(sentence: &Sentence, cells: usize) -> Vec<LaidLine> {
    let margin = width(sentence.symbol);
    let symbol = sentence.symbol.trim_end();
    let token = if sentence.is_loud { sentence.token } else { Token::Text };
    let lines = wrap(&sentence.text, cells.saturating_sub(margin))
        .into_iter()
        .enumerate();
    lines
        .map(|(index, text)| {
            let symbol = if index == 0 { symbol } else { "" };
            let space = " ".repeat(margin.saturating_sub(width(symbol)));
            LaidLine {
                lead: symbol.chars().count() + space.len(),
                spans: vec![(sentence.token, symbol.to_owned()), (Token::Text, space), (token, text)],
                paragraph: 0,
            }
        })
        .collect()
}

/// The left side.
pub(super) fn lines(model: &Model, cells: usize) -> Vec<LaidLine> {
    let title = wrap(&summary(model), cells).into_iter();
    let title: Vec<LaidLine> = title.map(|text| LaidLine::plain(Token::Title, text)).collect();
    let mut paragraphs = vec![title];
    let sentences = plan_at_length(&model.plan);
    paragraphs.extend(sentences.iter().map(|one| sentence(one, cells)));
    // The setup asks for these at steps of their own, and the keys mean other things in it.
    let switches = model.setup.is_none().then(|| switches(model));
    if switches.is_some() {
        paragraphs.push(vec![LaidLine::default()]);
    }
    for switch in switches.into_iter().flatten() {
        let line = |lead, spans| LaidLine {
            spans,
            paragraph: 0,
            lead,
        };
        let name = vec![
            (Token::Key, switch.key),
            (Token::Text, format!(" {}: ", switch.name)),
            (Token::Accent, switch.value.to_owned()),
        ];
        paragraphs.push(vec![line(0, name)]);
        let why = wrap(switch.why, cells.saturating_sub(2)).into_iter();
        paragraphs.push(
            why.map(|text| line(2, vec![(Token::Text, "  ".to_owned()), (Token::Dim, text)]))
                .collect(),
        );
    }
    let numbered = paragraphs.into_iter().enumerate();
    numbered
        .flat_map(|(paragraph, lines)| lines.into_iter().map(move |line| LaidLine { paragraph, ..line }))
        .collect()
}

/// The left side as plain lines, as long as they are.
pub(super) fn plain(model: &Model) -> Vec<String> {
    let mut lines = vec![summary(model)];
    let sentences = plan_at_length(&model.plan);
    lines.extend(sentences.iter().map(|one| format!("{}{}", one.symbol, one.text)));
    lines.push(String::new());
    let switches = switches(model).into_iter();
    lines.extend(switches.map(|switch| format!("{}: {}. {}", switch.name, switch.value, switch.why)));
    lines
}

/// What a key of this screen switches.
struct Switch {
    key: String,
    name: &'static str,
    value: &'static str,
    why: &'static str,
}

fn switches(model: &Model) -> [Switch; 2] {
    let (refusal, why_refusal) = match model.policy.refusal {
        Refusal::Reject => (
            "reject",
            "The peer knows at once. Silence hides nothing and gives a mistyped port an obscure time-out.",
        ),
        Refusal::Drop => (
            "drop",
            "Silent: scanners wait longer, and so does everybody who mistypes a port. Reject answers at once.",
        ),
    };
    let (logging, why_logging) = match model.policy.logging {
        Logging::Off => ("off", "Log only if somebody reads it. It is always rate-limited."),
        Logging::Kernel => ("kernel", "To the kernel's log with the prefix 'fwtui ', rate-limited."),
        Logging::Nflog => ("nflog", "To NFLOG group 7 for ulogd or tcpdump, rate-limited."),
    };
    [
        Switch {
            key: key_of(model, Context::Preview, CommandId::SwitchRefusal),
            name: "Refuse by",
            value: refusal,
            why: why_refusal,
        },
        Switch {
            key: key_of(model, Context::Preview, CommandId::SwitchLogging),
            name: "Log refusals",
            value: logging,
            why: why_logging,
        },
    ]
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
    let lines = |count: usize| match count {
        1 => "1 line of rules".to_owned(),
        count => format!("{count} lines of rules"),
    };
    match (added, removed) {
        (0, 0) => "Applying leaves the rules as they are.".to_owned(),
        (0, removed) => format!("Applying takes {} out.", lines(removed)),
        (added, 0) => format!("Applying adds {}.", lines(added)),
        (added, removed) => format!("Applying adds {} and takes {removed} out.", lines(added)),
    }
}
