//! The details of the selected service, in sentences.

use std::net::IpAddr;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::core::listener::{Family, Listener, Protocol};
use crate::core::netfilter::Tool;
use crate::core::overview::Row;
use crate::core::policy::{self, Block, Decision, Refusal};
use crate::core::reach::Reach;
use crate::core::service::BoundTo;
use crate::core::text::{capitalised, printable, printable_within};
use crate::core::unit::listed;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::screens::key_of;
use crate::tui::theme::Token;
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::text::{READABLE, ended, fit, width, wrap};

mod access;
mod counted;
mod known;
mod neighbours;
mod whole;

/// Longest sentence with a rule in it.
const LONGEST: usize = 300;
/// Cells of a title's line that are neither the title nor the remark.
const BESIDE: usize = 9;

/// Draws the title and the sentences that fit.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, title: Rect, area: Rect) {
    let palette = &model.palette;
    let Some(row) = model.services.selected() else {
        frame.render_widget(rule(palette, "", "", title.width), title);
        return;
    };
    let cells = usize::from(area.width).saturating_sub(4).min(READABLE);
    let is_low = area.height < 4;
    let mut lines: Vec<(Token, String)> = sentences(model, row, cells, is_low)
        .into_iter()
        .flat_map(|(token, text)| wrap(&text, cells).into_iter().map(move |line| (token, line)))
        .collect();
    let height = usize::from(area.height);
    let heading = heading(row);
    let mut remark = format!("{}/{}", model.services.list.cursor + 1, model.services.len());
    if lines.len() > height {
        lines.truncate(height);
        if let Some((_, last)) = lines.last_mut() {
            *last = ended(last, cells);
        }
        let key = key_of(model, Context::Services, CommandId::ReadWhole);
        if !key.is_empty() {
            let all = format!("{key} all of it");
            let both = format!("{all} · {remark}");
            let used = width(&heading) + width(&both) + BESIDE;
            remark = if used > usize::from(title.width) { all } else { both };
        }
    }
    frame.render_widget(rule(palette, &heading, &remark, title.width), title);
    for (place, (token, text)) in area.rows().zip(lines) {
        // Whole sentences are told apart by their colour; bold is for single words.
        let style = palette.of(token).remove_modifier(Modifier::BOLD);
        frame.render_widget(Line::from(vec![Span::raw("  "), Span::styled(text, style)]), place);
    }
}

/// Whose service it is, in short.
pub(in crate::tui) fn heading(row: &Row) -> String {
    let service = &row.service;
    let mut parts = Vec::new();
    if !service.name.is_empty() {
        parts.push(service.name.clone());
    }
    parts.push(service.id.to_string());
    if let Some(owner) = service.owners.first() {
        parts.push(format!("pid {}", owner.pid));
        parts.extend(owner.user.as_ref().map(|user| format!("user {user}")));
        parts.extend(owner.unit.clone().or_else(|| service.unit.clone()));
    } else {
        parts.extend(service.unit.clone());
    }
    if service.owners.len() > 1 {
        parts.push(format!("{} processes", service.owners.len()));
    }
    parts.join(" · ")
}

/// All that is known of a service, the most telling first.
pub(in crate::tui) fn whole(model: &Model, row: &Row, cells: usize) -> Vec<(Token, String)> {
    let mut sentences = sentences(model, row, cells, false);
    for (token, text) in whole::sentences(model, row) {
        if sentences.iter().all(|(_, other)| *other != text) {
            sentences.push((token, text));
        }
    }
    sentences
}

fn sentences(model: &Model, row: &Row, cells: usize, is_low: bool) -> Vec<(Token, String)> {
    let mut sentences: Vec<(Token, String)> = blocked(model, row).into_iter().collect();
    let neighbours = neighbours::sentence(model, row, if is_low { 0 } else { cells });
    // On a line of its own it has to wait for what is not known from the name.
    let mut what = known::what(model, row);
    let kept_out = kept_out(row);
    sentences.extend(disabled(model, row));
    // The columns say what it listens on, in fewer words.
    if !is_low || neighbours.is_none() && kept_out.is_none() {
        let listens = published(row).unwrap_or_else(|| sockets(row));
        let both = what.as_ref().map(|what| format!("{what} {listens}"));
        match both.filter(|both| width(both) <= cells) {
            Some(both) => {
                what = None;
                sentences.push((Token::Text, both));
            }
            None => sentences.push((Token::Text, listens)),
        }
    }
    sentences.extend(row.since.as_ref().map(|since| (Token::New, format!("{since}."))));
    sentences.extend(neighbours.map(|text| (Token::Accent, text)));
    let is_all_said = kept_out.is_some() && row.reach_after != Reach::Trusted;
    sentences.extend(kept_out.map(|text| (Token::Warn, text)));
    if !is_all_said {
        sentences.push(what_holds(model, row));
    }
    let better = advice(row).or_else(|| known::better(model, row));
    sentences.extend(better.map(|text| (Token::Dim, text)));
    sentences.extend(known::recommended(model, row).map(|text| (Token::Dim, text)));
    sentences.extend(what.map(|text| (Token::Text, text)));
    sentences.extend(counted::sentence(row).map(|text| (Token::Text, text)));
    if model.observation.netfilter.is_some() && row.service.bound_to != BoundTo::Loopback {
        let networks = model.access.at(&row.service.id).unwrap_or_default();
        sentences.extend(access::sentences(networks));
        sentences.extend(counted::rule(networks).map(|text| (Token::Dim, text)));
    }
    if let Some((id, _)) = model.policy.entry_for(&row.service.id)
        && *id != row.service.id
    {
        sentences.push((
            Token::Dim,
            format!("Decided with {id}; a decision here goes before it."),
        ));
    }
    if !row.from.is_empty() {
        let from: Vec<String> = row.from.iter().map(ToString::to_string).collect();
        sentences.push((Token::Text, format!("Let in from {}.", from.join(", "))));
    }
    if let Some(exe) = row.service.owners.first().and_then(|owner| owner.exe.as_ref()) {
        sentences.push((Token::Dim, format!("Program: {}", fit(exe, 200))));
    }
    if !row.service.folded.is_empty() {
        let folded: Vec<String> = row.service.folded.iter().take(8).map(ToString::to_string).collect();
        let text = format!("With it {}: sockets that mostly wait for answers.", folded.join(", "));
        sentences.push((Token::Dim, text));
    }
    sentences
}

/// What refuses it whatever is decided, and whether it does so yet.
fn blocked(model: &Model, row: &Row) -> Option<(Token, String)> {
    let marks = capitalised(&policy::marks(&row.blocks));
    let is_in_force = |block: &Block| {
        let filter = model.observation.filter.as_ref();
        filter.is_none_or(|filter| block.is_in_force(filter))
    };
    let decided = match row.decision {
        Decision::Undecided => "whatever is decided".to_owned(),
        decision => format!("whatever was decided ({decision})"),
    };
    let waits = match row.blocks.iter().all(is_in_force) {
        true => "",
        false => " Waits for an apply.",
    };
    (!row.blocks.is_empty()).then(|| {
        let unblock = model.key_of(CommandId::Unblock, Context::Services);
        (
            Token::Warn,
            format!("{marks}, {decided}.{waits} {unblock} takes it back."),
        )
    })
}

/// That the service itself is off, or is to be.
fn disabled(model: &Model, row: &Row) -> Option<(Token, String)> {
    let units = listed(&row.disabled.as_ref()?.units);
    let key = model.key_of(CommandId::Disable, Context::Services);
    Some(match (row.is_changed, row.service.listeners.is_empty()) {
        (true, _) => (
            Token::Changed,
            format!("To be stopped and disabled with the next apply: {units}. {key} takes that back."),
        ),
        (false, true) => (Token::Good, format!("Disabled: {units}. {key} enables it again.")),
        (false, false) => (
            Token::Warn,
            format!("Disabled ({units}), and something listens all the same. {key} enables it again."),
        ),
    })
}

/// Where packets for it are sent on to, and by whom.
fn published(row: &Row) -> Option<String> {
    let published = row.service.published.as_ref()?;
    let whose = match (published.by, &published.container) {
        (Tool::Admin | Tool::Unknown | Tool::Kernel, _) => "A rule".to_owned(),
        (by, None) => capitalised(by.word()),
        (by, Some(container)) => format!("{} (container {})", capitalised(by.word()), printable(container)),
    };
    let proxy = match row.service.listeners.is_empty() {
        true => "",
        false => "; a proxy listens here as well",
    };
    Some(format!("{whose} sends it on to {}{proxy}.", published.to))
}

/// What would make a rule unnecessary.
fn advice(row: &Row) -> Option<String> {
    let published = row.service.published.as_ref()?;
    let id = &row.service.id;
    let is_engine = matches!(published.by, Tool::Docker | Tool::Podman | Tool::Nerdctl);
    let is_wanted = matches!(row.decision, Decision::Confine | Decision::Undecided);
    if !is_engine || !is_wanted || row.service.bound_to == BoundTo::Loopback || !id.ports.is_single() {
        return None;
    }
    let udp = match id.protocol {
        Protocol::Tcp => "",
        Protocol::Udp | Protocol::UdpLite => "/udp",
    };
    let (port, to) = (id.ports.first(), published.to.port());
    Some(format!(
        "Better still: -p 127.0.0.1:{port}:{to}{udp} publishes it for this machine alone."
    ))
}

/// Which rule of others' contradicts the decision.
fn kept_out(row: &Row) -> Option<String> {
    let by = row.kept_out_by.as_ref()?;
    let decided = match (row.decision, row.from.is_empty()) {
        (Decision::Open, true) => "Opened here",
        (Decision::Open, false) => "Opened to some here",
        (Decision::Trusted | Decision::Confine | Decision::Undecided, _) => "Trusted networks may connect",
    };
    let rule = match by.number {
        Some(_) => format!(": {}", by.rule),
        None => ".".to_owned(),
    };
    let text = match row.reach_after {
        Reach::Unknown => format!("{decided}, but whether others get in can't be told because of {by}{rule}"),
        Reach::ThisMachine | Reach::Trusted | Reach::Everyone => format!("{decided}, but {by} refuses it{rule}"),
    };
    Some(printable_within(&text, LONGEST))
}

fn sockets(row: &Row) -> String {
    let listeners = &row.service.listeners;
    if listeners.is_empty() {
        let what = match row.decision {
            Decision::Undecided if !row.blocks.is_empty() => "block",
            _ => "decision",
        };
        return format!("Nothing listens there now. The {what} holds for whatever comes.");
    }
    let shown: Vec<String> = listeners.iter().take(4).map(socket).collect();
    let more = match listeners.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let both = listeners
        .iter()
        .any(|listener| matches!(listener.address, IpAddr::V6(_)) && listener.families().len() == 2);
    let families = match (
        both,
        listeners.iter().any(|listener| listener.families() == [Family::Ipv4]),
    ) {
        (true, false) => ", which answers IPv4 as well",
        _ => "",
    };
    format!("Listens on {}{more}{families}.", shown.join(", "))
}

fn socket(listener: &Listener) -> String {
    let zone = listener
        .interface
        .as_ref()
        .map(|name| format!("%{name}"))
        .unwrap_or_default();
    match listener.address {
        IpAddr::V4(address) => format!("{address}{zone}:{}", listener.port),
        IpAddr::V6(address) => format!("[{address}{zone}]:{}", listener.port),
    }
}

/// Who can connect after applying, and what becomes of the others.
fn what_holds(model: &Model, row: &Row) -> (Token, String) {
    let is_alone = row.reach_now == Reach::ThisMachine && row.reach_after == Reach::ThisMachine;
    if row.service.bound_to == BoundTo::Loopback && is_alone {
        let text = "Bound to loopback: nobody else can ever connect, and no rule is needed.";
        return (Token::Good, text.to_owned());
    }
    let refused = match (model.policy.refusal, row.service.id.protocol) {
        (Refusal::Drop, _) => "others wait for a time-out",
        (Refusal::Reject, Protocol::Tcp) => "others get a TCP reset at once",
        (Refusal::Reject, Protocol::Udp | Protocol::UdpLite) => "others get port-unreachable at once",
    };
    let who = model.key_of(CommandId::WhoCan, Context::Services);
    let is_so_now = row.reach_now == row.reach_after;
    let lead = if is_so_now {
        "Now and after applying"
    } else {
        "After applying"
    };
    match (row.decision, row.reach_after) {
        (Decision::Undecided, Reach::ThisMachine | Reach::Unknown) if row.is_new => {
            let verb = if is_so_now && row.reach_now == Reach::ThisMachine {
                "is"
            } else {
                "will be"
            };
            let [confine, trust, open] =
                [CommandId::Confine, CommandId::Trust, CommandId::Open].map(|id| model.key_of(id, Context::Services));
            let keys = format!("{confine} confines it, {trust} trusts your networks, {open} opens it");
            (
                Token::New,
                format!("Not decided yet, so it {verb} refused: {refused}. {keys}."),
            )
        }
        // The one thing every network of guests needs of its host is let in whatever is decided.
        (Decision::Confine | Decision::Undecided, Reach::Trusted) if !is_of_every_host(row) => (
            Token::Warn,
            format!("{lead} some connect whatever is decided here: {who} shows who, and why."),
        ),
        (Decision::Confine | Decision::Undecided, Reach::Trusted) => (
            Token::Warn,
            format!("VMs and containers always get DHCP and DNS from their host; {refused}."),
        ),
        (_, Reach::ThisMachine) => (Token::Good, format!("{lead} only this machine connects; {refused}.")),
        (_, Reach::Trusted) if row.kept_out_by.is_some() => {
            (Token::Warn, format!("{lead} trusted networks and guests connect."))
        }
        (_, Reach::Trusted) if row.from.is_empty() => (
            Token::Warn,
            format!("{lead} trusted networks and guests connect; {refused}."),
        ),
        (_, Reach::Trusted) => (Token::Warn, format!("{lead} the sources named connect; {refused}.")),
        (_, Reach::Everyone) if !row.blocks.is_empty() => (Token::Bad, format!("{lead} everyone else can connect.")),
        (_, Reach::Everyone) => (Token::Bad, format!("{lead} everyone can connect.")),
        (_, Reach::Unknown) if model.observation.filter.is_none() => {
            let why = if model.observation.is_root { "" } else { " without root" };
            let text = format!("fwtui would let it through; what other rules say can't be seen{why}.");
            (Token::Unknown, text)
        }
        (_, Reach::Unknown) => (
            Token::Unknown,
            format!("fwtui lets it through; whether other rules do can't be told: {who} shows which."),
        ),
    }
}

/// Whether it is DNS or DHCP, which every host of guests gives them.
fn is_of_every_host(row: &Row) -> bool {
    [53, 67, 547]
        .iter()
        .any(|port| row.service.id.ports.contains_port(*port))
}
