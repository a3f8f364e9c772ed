//! Service by service, a decision.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::outlook::name;
use super::{MARGIN, WIDEST, elsewhere, list, paragraph};
use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::ServiceId;
use crate::core::setup::{About, Elsewhere, ServiceProposal};
use crate::tui::commands::Context;
use crate::tui::model::{Model, Setup};
use crate::tui::theme::Token;
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::pad;

/// A choice far from the name it is about is hard to find.
const WIDEST_NAME: usize = 44;
/// From so many cells on a remark is in words.
const WIDE_REMARK: usize = 12;

struct Columns {
    name: usize,
    port: usize,
    choice: usize,
    advice: usize,
    /// 0: left out.
    now: usize,
    remark: usize,
}

impl Columns {
    fn of(cells: u16) -> Self {
        let cells = usize::from(cells);
        let (choice, advice) = (13, 11);
        let (port, now, remark) = match cells {
            ..80 => (11, 0, 5),
            80..100 => (20, 0, 8),
            100.. => (24, 16, 18),
        };
        let gaps = if now > 0 { 5 } else { 4 };
        Self {
            name: cells
                .saturating_sub(2 + port + choice + advice + now + remark + gaps)
                .min(WIDEST_NAME),
            port,
            choice,
            advice,
            now,
            remark,
        }
    }
}

pub(super) fn draw(model: &Model, setup: &Setup, frame: &mut Frame<'_>, body: Rect) {
    let palette = &model.palette;
    let parts = list(setup, body);
    let services = &setup.proposals.services;
    let place = match services.len() {
        0 => String::new(),
        len => format!("{} of {len}", setup.services.cursor + 1),
    };
    frame.render_widget(
        rule(palette, "Who may connect to what?", &place, body.width),
        parts.title,
    );
    let columns = Columns::of(body.width);
    let mut head = format!(
        "  {} {} {} {} ",
        pad("SERVICE", columns.name),
        pad("PORT", columns.port),
        pad("YOUR CHOICE", columns.choice),
        pad("RECOMMENDED", columns.advice)
    );
    if columns.now > 0 {
        head.push_str(&pad("REACH NOW", columns.now));
    }
    frame.render_widget(Line::styled(head, palette.of(Token::Dim)), parts.head);
    if services.is_empty() {
        let text = "  Nothing here can be reached from other machines.";
        frame.render_widget(Line::styled(text, palette.of(Token::Dim)), parts.rows);
    }
    let elsewhere = setup.elsewhere();
    let is_otherwise = |service: &ServiceProposal| {
        let of_it = |one: &Elsewhere| one.is_own && one.about == About::Service(service.id.clone());
        elsewhere.iter().any(of_it)
    };
    let lines = services.iter().enumerate().skip(setup.services.top);
    for (area, (index, service)) in parts.rows.rows().zip(lines) {
        let remark = match is_otherwise(service) {
            true if columns.remark < WIDE_REMARK => ("!", Token::Warn),
            true => ("decided elsewhere", Token::Warn),
            false => remark(setup, service, columns.remark),
        };
        let line = row(model, setup, &columns, service, index == setup.services.cursor, remark);
        frame.render_widget(line, area);
    }
    detail(model, setup, frame, parts.detail_title, parts.detail);
}

/// The sign of a decision: that of the reach it is for.
const fn sign(decision: Decision) -> char {
    match decision {
        Decision::Undecided => '-',
        Decision::Confine => '○',
        Decision::Trusted => '◐',
        Decision::Open => '●',
    }
}

fn seen<'a>(model: &'a Model, id: &ServiceId) -> Option<&'a Row> {
    model.services.rows().iter().find(|row| row.service.id == *id)
}

fn row(
    model: &Model,
    setup: &Setup,
    columns: &Columns,
    service: &ServiceProposal,
    is_selected: bool,
    (remark, token): (&'static str, Token),
) -> Line<'static> {
    let palette = &model.palette;
    let style = |token: Token| match is_selected {
        true => palette.selected(token),
        false => palette.of(token),
    };
    let id = service.id.to_string();
    let (shown, name_token) = match service.name.is_empty() {
        true => ("(not known)", Token::Dim),
        false => (service.name.as_str(), Token::Text),
    };
    let decision = setup.decision(&service.id);
    let star = if decision == service.decision { "" } else { " *" };
    let mut spans = vec![
        Span::styled(if is_selected { "▸ " } else { "  " }, style(Token::Accent)),
        Span::styled(format!("{} ", pad(shown, columns.name)), style(name_token)),
        Span::styled(format!("{} ", pad(&id, columns.port)), style(Token::Text)),
        Span::styled(
            format!(
                "{} ",
                pad(&format!("{} {decision}{star}", sign(decision)), columns.choice)
            ),
            style(symbols::decision(decision)),
        ),
        Span::styled(
            format!("{} ", pad(service.decision.word(), columns.advice)),
            style(Token::Dim),
        ),
    ];
    if columns.now > 0 {
        let reach = seen(model, &service.id).map(|row| row.reach_now);
        let (text, token) = match reach {
            Some(reach) => {
                let (symbol, token) = symbols::reach(reach);
                (format!("{symbol} {reach}"), token)
            }
            None => ("-".to_owned(), Token::Dim),
        };
        spans.push(Span::styled(format!("{} ", pad(&text, columns.now)), style(token)));
    }
    spans.push(Span::styled(pad(remark, columns.remark), style(token)));
    let line = Line::from(spans);
    match is_selected {
        true => line.style(palette.selection()),
        false => line,
    }
}

fn remark(setup: &Setup, service: &ServiceProposal, cells: usize) -> (&'static str, Token) {
    let is_narrow = cells < WIDE_REMARK;
    if service.carries_you {
        (if is_narrow { "← you" } else { "← you came by it" }, Token::Good)
    } else if setup.is_gone(&service.id) {
        (if is_narrow { "gone" } else { "gone meanwhile" }, Token::Dim)
    } else if setup.is_new(&service.id) {
        ("NEW", Token::New)
    } else if service.is_decided {
        (if is_narrow { "kept" } else { "decided before" }, Token::Dim)
    } else if !service.is_known {
        (if is_narrow { "?" } else { "? not known" }, Token::Unknown)
    } else {
        ("", Token::Dim)
    }
}

/// What the program is, what is recommended and why, and what the choice comes to.
fn detail(model: &Model, setup: &Setup, frame: &mut Frame<'_>, title: Rect, area: Rect) {
    let palette = &model.palette;
    let Some(service) = setup.proposals.services.get(setup.services.cursor) else {
        frame.render_widget(rule(palette, "", "", title.width), title);
        return;
    };
    let id = service.id.to_string();
    let heading = name(&service.name, &id);
    frame.render_widget(rule(palette, &heading, "", title.width), title);
    let cells = usize::from(area.width.saturating_sub(2 * MARGIN)).min(WIDEST);
    let about = About::Service(service.id.clone());
    let mut lines = elsewhere::about(model, setup, &about, Context::SetupServices, cells);
    let (token, text) = outcome(model, setup, service);
    let outcome = paragraph(model, token, &text, cells);
    let is_lockout = token == Token::Bad;
    if is_lockout {
        lines.extend(outcome.clone());
    }
    if let Some(what) = &service.what {
        lines.extend(paragraph(model, Token::Text, what, cells));
    }
    let verb = if service.is_decided {
        "Decided before"
    } else {
        "Recommended"
    };
    let text = format!("{verb}: {}. {}", service.decision, service.why);
    lines.extend(paragraph(model, Token::Accent, &text, cells));
    if !is_lockout {
        lines.extend(outcome);
    }
    let area = Rect {
        x: area.x + MARGIN,
        ..area
    };
    for (row, line) in area.rows().zip(lines) {
        frame.render_widget(line, row);
    }
}

/// What the choice comes to.
fn outcome(model: &Model, setup: &Setup, service: &ServiceProposal) -> (Token, String) {
    let lockout = model.plan.lockouts.iter().find(|lockout| lockout.service == service.id);
    if let Some(lockout) = lockout {
        return (Token::Bad, format!("✗ {lockout}."));
    }
    if setup.is_gone(&service.id) {
        let text = "It no longer listens. Your choice holds when it comes back.";
        return (Token::Dim, text.to_owned());
    }
    let decision = setup.decision(&service.id);
    let row = seen(model, &service.id);
    let kept_out = row.and_then(|row| row.kept_out_by.as_ref());
    if let Some(by) = kept_out {
        let text = format!("You chose {decision}, but {by} keeps others out, and stays.");
        return (Token::Warn, text);
    }
    let who = match (decision, row.map(|row| row.reach_after)) {
        (Decision::Undecided, _) => "others are refused until you decide",
        (_, Some(Reach::Everyone)) => "everyone can connect",
        (_, Some(Reach::Trusted)) => "trusted networks and guests get in",
        (Decision::Trusted, Some(Reach::ThisMachine)) => "no network that reaches it is trusted yet",
        (_, Some(Reach::ThisMachine)) => "only this machine can connect",
        (_, Some(Reach::Unknown) | None) => "who can connect then can't be told",
    };
    (Token::Text, format!("You chose {decision}: {who}."))
}
