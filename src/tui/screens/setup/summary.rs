//! All answers in a few sentences, and what comes of them.

use std::collections::BTreeSet;

use ratatui::text::Line;

use super::outlook::name;
use super::{elsewhere, heading, outlook, paragraph, point};
use crate::core::network::NetworkClass;
use crate::core::plan::{NOBODY_TRUSTED, Warning};
use crate::core::policy::{Logging, Refusal};
use crate::core::setup::{About, Answers, Elsewhere};
use crate::tui::model::{Model, Setup};
use crate::tui::theme::Token;

/// More differences than this are only counted.
const MOST_DIFFERENCES: usize = 20;

pub(super) fn lines(model: &Model, setup: &Setup, cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(told) = &setup.told {
        lines.extend(point(model, "!", Token::Warn, told, cells));
        lines.push(Line::default());
    }
    lines.extend(own_way_in(model, cells));
    let elsewhere = setup.elsewhere();
    lines.extend(elsewhere::lines(model, &elsewhere, cells));
    lines.extend(outlook::lines(model, outlook::When::Afterwards, cells));
    if model.plan.warnings.contains(&Warning::NobodyTrusted) {
        let text = format!("{NOBODY_TRUSTED} Go back to the networks if one of them is yours.");
        lines.extend(point(model, "!", Token::Warn, &text, cells));
    }
    lines.push(Line::default());
    lines.extend(paragraph(model, Token::Text, &networks(setup), cells));
    lines.extend(paragraph(model, Token::Text, &refusals(setup), cells));
    lines.extend(heading(model, "Against the recommendations"));
    lines.extend(differences(model, setup, &elsewhere, cells));
    lines
}

/// Whether the user gets in again comes before everything else.
fn own_way_in(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for lockout in &model.plan.lockouts {
        let text = format!(
            "{}. Go back to the services and open {}, unless you have another way in.",
            lockout.to_string().trim_end_matches('.'),
            lockout.service
        );
        let loud = point(model, "✗", Token::Bad, &text, cells);
        let style = model.palette.of(Token::Bad);
        lines.extend(loud.into_iter().map(|line| {
            let spans = line.spans.into_iter().map(|span| span.style(style));
            spans.collect::<Line<'_>>()
        }));
    }
    for way_in in &model.plan.kept {
        lines.extend(point(model, "✓", Token::Good, &format!("You keep {way_in}."), cells));
    }
    lines
}

/// `Networks: trusted eth1; public eth0, wlan0; guests virbr0.`
fn networks(setup: &Setup) -> String {
    let of_class = |class: NetworkClass| {
        let names = setup.answers.networks.iter().filter(|(_, one)| **one == class);
        let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        if class == NetworkClass::Trusted {
            // What is trusted by hand is not asked about, but it gets in all the same.
            names.extend(setup.base.networks.trusted_sources.iter().map(ToString::to_string));
        }
        match (names.is_empty(), class) {
            (true, NetworkClass::Trusted) => Some("none is trusted".to_owned()),
            (true, _) => None,
            (false, _) => Some(format!("{class} {}", names.join(", "))),
        }
    };
    let classes = [NetworkClass::Trusted, NetworkClass::Public, NetworkClass::Guests];
    let parts: Vec<String> = classes.into_iter().filter_map(of_class).collect();
    format!("Networks: {}.", parts.join("; "))
}

fn refusals(setup: &Setup) -> String {
    let refused = match setup.answers.refusal {
        Refusal::Reject => "All others are refused politely (reject)",
        Refusal::Drop => "All others are refused silently (drop)",
    };
    let logged = match setup.answers.logging {
        Logging::Off => "and that is not logged",
        Logging::Kernel => "and that is logged by the kernel, at a limited rate",
        Logging::Nflog => "and that is logged to NFLOG, at a limited rate",
    };
    format!("{refused}, {logged}.")
}

/// What was answered otherwise than recommended, without what was told as decided elsewhere.
fn differences(model: &Model, setup: &Setup, elsewhere: &[Elsewhere], cells: usize) -> Vec<Line<'static>> {
    let recommended = Answers::from_proposals(&setup.proposals);
    let told: BTreeSet<&About> = elsewhere.iter().map(|one| &one.about).collect();
    let is_told = |about: About| told.contains(&about);
    let mut found = Vec::new();
    for network in &setup.proposals.networks {
        let class = setup.class(&network.interface);
        if class != network.class && !is_told(About::Network(network.interface.clone())) {
            found.push(format!("{}: {class}, not {}", network.interface, network.class));
        }
    }
    if setup.answers.refusal != recommended.refusal && !is_told(About::Refusal) {
        let (now, advice) = (setup.answers.refusal.word(), recommended.refusal.word());
        found.push(format!("refusing: {now}, not {advice}"));
    }
    for service in &setup.proposals.services {
        let decision = setup.decision(&service.id);
        if decision != service.decision && !is_told(About::Service(service.id.clone())) {
            let name = name(&service.name, &service.id.to_string());
            found.push(format!("{name}: {decision}, not {}", service.decision));
        }
    }
    if setup.answers.logging != recommended.logging && !is_told(About::Logging) {
        let (now, advice) = (setup.answers.logging.word(), recommended.logging.word());
        found.push(format!("logging: {now}, not {advice}"));
    }
    if found.is_empty() && elsewhere.iter().any(|one| one.is_own) {
        return point(model, "✓", Token::Good, "Everything else is as recommended.", cells);
    }
    if found.is_empty() {
        return point(model, "✓", Token::Good, "Everything is as recommended.", cells);
    }
    let more = found.len().saturating_sub(MOST_DIFFERENCES);
    let mut lines: Vec<Line<'static>> = found
        .iter()
        .take(MOST_DIFFERENCES)
        .flat_map(|text| point(model, "*", Token::Changed, text, cells))
        .collect();
    if more > 0 {
        lines.extend(point(model, "*", Token::Changed, &format!("and {more} more"), cells));
    }
    lines
}
