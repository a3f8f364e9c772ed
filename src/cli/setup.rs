//! `fwtui setup`

use std::io::{self, IsTerminal};

use serde::Serialize;

use crate::app::{Depth, Error, Kind, Machine, Presence, Setup, State};
use crate::cli::args::Setup as Args;
use crate::cli::output::Out;
use crate::cli::screens::{self, First};
use crate::cli::wrap::Report;
use crate::cli::{DONE, FAILED};
use crate::core::catalogue::Advice;
use crate::core::network::NetworkClass;
use crate::core::plan::NOBODY_TRUSTED;
use crate::core::policy::{Decision, Logging, Refusal};
use crate::core::setup::{Answers, Counts, Elsewhere, MachineKind, NetworkProposal, Proposed, ServiceProposal};
use crate::core::text::printable_within;
use crate::core::way_in::WayIn;

/// Longest sentence shown, in characters.
const LONGEST: usize = 1000;

/// What is said of answers that were not taken.
const KEPT_APART: &str =
    "What you answered in an earlier setup was not taken, and is kept: 'sudo fwtui setup' goes on with it.";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    /// Why the policy can't be used; what is decided in it is not known then.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_error: Option<&'a str>,
    machine: MachineKind,
    found: Counts,
    networks: Vec<NetworkJson<'a>>,
    /// What is trusted by hand, whatever interface it comes by.
    trusted_sources: Vec<String>,
    refusal: ProposedJson<'a, Refusal>,
    services: Vec<ServiceJson<'a>>,
    logging: ProposedJson<'a, Logging>,
    ways_in: Vec<String>,
    tools: &'a [Presence],
    conflicts: &'a [String],
    /// Whether answers of an earlier setup are kept; none where that can't be seen.
    resumable: Option<bool>,
    /// What was decided elsewhere since they were given.
    elsewhere: Vec<ElsewhereJson>,
}

#[derive(Serialize)]
struct ElsewhereJson {
    about: String,
    answered: String,
    now: String,
    decided: bool,
    own: bool,
}

#[derive(Serialize)]
struct NetworkJson<'a> {
    interface: &'a str,
    class: NetworkClass,
    why: &'a str,
    decided: bool,
}

#[derive(Serialize)]
struct ProposedJson<'a, T> {
    value: T,
    why: &'a str,
    decided: bool,
}

#[derive(Serialize)]
struct ServiceJson<'a> {
    id: String,
    name: &'a str,
    known: bool,
    what: Option<&'a str>,
    advice: Advice,
    decision: Decision,
    from: Vec<String>,
    why: &'a str,
    carries_you: bool,
    decided: bool,
}

pub(super) fn run(machine: Machine, args: &Args, first: First<'_>, out: &Out) -> Result<u8, Error> {
    if args.take_all {
        return take_all(&machine, out);
    }
    if args.json || args.show {
        return show(&machine, args.json, out);
    }
    machine
        .may_set_up()
        .map_err(|error| error.hint("'fwtui setup --show' shows what it would recommend, without root too."))?;
    if !(io::stdin().is_terminal() && out.is_terminal()) {
        return Err(Error::new(Kind::Usage, "the setup needs a terminal").hint(
            "Without one, 'fwtui setup --show' shows what it recommends, and 'fwtui setup --take-all' takes it.",
        ));
    }
    screens::run(
        machine,
        &First {
            is_setup: true,
            ..first
        },
        out,
    )
}

fn show(machine: &Machine, is_json: bool, out: &Out) -> Result<u8, Error> {
    let observation = machine.look(Depth::Plan);
    let setup = machine.setup(&observation);
    let error = observation.policy_error.as_deref();
    if is_json {
        out.json(&document(&setup, error, observation.is_root))?;
    } else {
        out.print(&text(&setup, out.width()))?;
    }
    for note in observation.unseen.iter().chain(&setup.notes) {
        out.note(note);
    }
    if let Some(error) = error {
        out.note(&format!("fwtui: the policy is not used: {error}"));
        return Ok(FAILED);
    }
    Ok(DONE)
}

fn take_all(machine: &Machine, out: &Out) -> Result<u8, Error> {
    machine.may_set_up()?;
    let observation = machine.look(Depth::Plan);
    if let Some(error) = &observation.policy_error {
        return Err(Error::failed(format!("the policy can't be read: {error}"))
            .hint("Mend that line; until then the policy is left as it is."));
    }
    let setup = machine.setup(&observation);
    let before = &observation.policy;
    let wanted = Answers::from_proposals(&setup.proposals)
        .policy(before)
        .map_err(Error::failed)?;
    if wanted == *before {
        out.line("Everything is decided already; nothing changed.")?;
        return Ok(DONE);
    }
    machine.save(before, &wanted)?;
    let mut report = taken(&setup, observation.status.state == State::Trial, out.width());
    match setup.draft.as_ref().is_some_and(Answers::has_own) {
        true => say(&mut report, KEPT_APART),
        // What is left there harms nobody.
        false => drop(machine.forget_answers()),
    }
    out.print(&report.into_text())?;
    for note in &setup.notes {
        out.note(note);
    }
    Ok(DONE)
}

/// What was taken, and the next step.
fn taken(setup: &Setup, is_on_trial: bool, cells: Option<usize>) -> Report {
    let proposals = &setup.proposals;
    let mut report = Report::new(cells);
    for one in proposals.networks.iter().filter(|one| !one.is_decided) {
        say(&mut report, &format!("{}: {}", one.interface, one.class));
    }
    for one in proposals.services.iter().filter(|one| !one.is_decided) {
        say(&mut report, &format!("{}: {}", service(one), decision(one)));
    }
    match proposals.services.iter().filter(|one| one.is_decided).count() {
        0 => {}
        1 => say(&mut report, "1 service was decided before, and stays so."),
        kept => say(
            &mut report,
            &format!("{kept} services were decided before, and stay so."),
        ),
    }
    if proposals.trusts_nobody() {
        say(&mut report, &format!("{NOBODY_TRUSTED} If one is yours:"));
        // On a line of its own: it is there to be copied.
        report.line("  sudo fwtui network NAME trusted");
    }
    let next = match is_on_trial {
        true => {
            "None of it is in force: a trial of other rules is running. Keep it ('sudo fwtui confirm') or end it \
             ('sudo fwtui revert') first; then 'sudo fwtui apply' applies this on trial."
        }
        false => "None of it is in force yet: 'sudo fwtui preview' shows it, 'sudo fwtui apply' applies it on trial.",
    };
    say(&mut report, next);
    report
}

fn document<'a>(setup: &'a Setup, policy_error: Option<&'a str>, is_root: bool) -> Document<'a> {
    let proposals = &setup.proposals;
    Document {
        schema: 1,
        policy_error,
        machine: proposals.machine,
        found: proposals.counts,
        networks: proposals.networks.iter().map(network_json).collect(),
        trusted_sources: proposals.trusted_sources.iter().map(ToString::to_string).collect(),
        refusal: proposed_json(&proposals.refusal),
        services: proposals.services.iter().map(service_json).collect(),
        logging: proposed_json(&proposals.logging),
        ways_in: setup.ways_in.iter().map(way_in_words).collect(),
        tools: &setup.tools,
        conflicts: &setup.conflicts,
        resumable: (is_root || setup.notes.is_empty()).then_some(setup.draft.is_some()),
        elsewhere: elsewhere(setup).into_iter().map(elsewhere_json).collect(),
    }
}

/// What was decided elsewhere since the answers were given that are kept.
fn elsewhere(setup: &Setup) -> Vec<Elsewhere> {
    let draft = setup.draft.as_ref();
    draft.map(|draft| draft.over(&setup.proposals).1).unwrap_or_default()
}

fn elsewhere_json(one: Elsewhere) -> ElsewhereJson {
    ElsewhereJson {
        about: one.about.to_string(),
        answered: one.answered,
        now: one.now,
        decided: one.is_decided,
        own: one.is_own,
    }
}

fn network_json(network: &NetworkProposal) -> NetworkJson<'_> {
    NetworkJson {
        interface: &network.interface,
        class: network.class,
        why: &network.why,
        decided: network.is_decided,
    }
}

fn proposed_json<T: Copy>(proposed: &Proposed<T>) -> ProposedJson<'_, T> {
    ProposedJson {
        value: proposed.value,
        why: &proposed.why,
        decided: proposed.is_decided,
    }
}

fn service_json(service: &ServiceProposal) -> ServiceJson<'_> {
    ServiceJson {
        id: service.id.to_string(),
        name: &service.name,
        known: service.is_known,
        what: service.what.as_deref(),
        advice: service.advice,
        decision: service.decision,
        from: service.from.iter().map(ToString::to_string).collect(),
        why: &service.why,
        carries_you: service.carries_you,
        decided: service.is_decided,
    }
}

/// What was found, and what is recommended, each with its reason below.
fn text(setup: &Setup, cells: Option<usize>) -> String {
    let proposals = &setup.proposals;
    let mut report = Report::new(cells);
    say(&mut report, &found(setup));
    for way_in in &setup.ways_in {
        say(&mut report, &format!("You came in by {}.", way_in_words(way_in)));
    }
    for said in &setup.conflicts {
        say(&mut report, said);
    }
    if setup.draft.is_some() {
        say(
            &mut report,
            "Answers of an earlier setup are kept: 'sudo fwtui setup' goes on with them.",
        );
    }
    for one in elsewhere(setup) {
        say(&mut report, &format!("{one}."));
    }
    heading(&mut report, "NETWORKS");
    for one in &proposals.networks {
        item(&mut report, &format!("{}: {}", one.interface, one.class), &one.why);
    }
    for net in &proposals.trusted_sources {
        item(
            &mut report,
            &format!("{net}: {}", NetworkClass::Trusted),
            "You trust it by hand.",
        );
    }
    heading(&mut report, "WHAT IS REFUSED GETS");
    item(&mut report, proposals.refusal.value.word(), &proposals.refusal.why);
    heading(&mut report, "SERVICES");
    for one in &proposals.services {
        item(&mut report, &format!("{}: {}", service(one), decision(one)), &one.why);
    }
    if proposals.services.is_empty() {
        say(&mut report, "  Nothing that others could reach.");
    }
    heading(&mut report, "LOGGING");
    item(&mut report, proposals.logging.value.word(), &proposals.logging.why);
    report.line("");
    if proposals.trusts_nobody() {
        say(&mut report, NOBODY_TRUSTED);
    }
    say(
        &mut report,
        "'sudo fwtui setup' asks about each of these; 'sudo fwtui setup --take-all' takes all of them. Neither is in \
         force before you apply it.",
    );
    report.into_text()
}

fn heading(report: &mut Report, title: &str) {
    report.line("");
    report.line(title);
}

fn item(report: &mut Report, what: &str, why: &str) {
    report.wrapped("  ", "    ", what);
    report.wrapped("      ", "      ", why);
}

fn say(report: &mut Report, words: &str) {
    report.wrapped("", "", words);
}

/// `On this server: 6 services, of which 1 on loopback only needs nothing; 2 networks.`
fn found(setup: &Setup) -> String {
    let counts = setup.proposals.counts;
    let machine = match setup.proposals.machine {
        MachineKind::Desktop => "On this desktop",
        MachineKind::Server => "On this server",
        MachineKind::Unknown => "On this machine",
    };
    let mut parts = vec![services(counts.services)];
    let mut nothing = Vec::new();
    if counts.on_loopback > 0 {
        nothing.push(format!("{} on loopback only", counts.on_loopback));
    }
    if counts.clients > 0 {
        nothing.push(format!("{} waiting for answers", counts.clients));
    }
    if !nothing.is_empty() {
        let needs = match counts.on_loopback + counts.clients {
            1 => "needs",
            _ => "need",
        };
        parts.push(format!("of which {} {needs} nothing", nothing.join(" and ")));
    }
    let networks = match counts.networks {
        1 => "1 network".to_owned(),
        many => format!("{many} networks"),
    };
    format!("{machine}: {}; {networks}.", parts.join(", "))
}

fn services(count: usize) -> String {
    match count {
        1 => "1 service".to_owned(),
        many => format!("{many} services"),
    }
}

fn way_in_words(way_in: &WayIn) -> String {
    printable_within(&way_in.to_string(), LONGEST)
}

/// `22/tcp (sshd)`
fn service(one: &ServiceProposal) -> String {
    match one.name.as_str() {
        "" => one.id.to_string(),
        name => format!("{} ({name})", one.id),
    }
}

/// `open`, `open to 192.0.2.0/24`
fn decision(one: &ServiceProposal) -> String {
    let sources: Vec<String> = one.from.iter().map(ToString::to_string).collect();
    match sources.is_empty() {
        true => one.decision.word().to_owned(),
        false => format!("{} to {}", one.decision, sources.join(", ")),
    }
}
