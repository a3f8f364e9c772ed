//! The lines around a screen: header, tabs, the line for the user.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::app::{State, protection_words};
use crate::core::text::capitalised;
use crate::tui::availability::{Stoppable, stopped_by_esc};
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, Search};
use crate::tui::port::Depth;
use crate::tui::screens::{SCREENS, ScreenId};
use crate::tui::theme::Token;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{fit, width, wrap};

pub use crate::tui::widgets::rule::rule;

/// The program, the machine, where it stands, and what the networks are.
pub fn header(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let palette = &model.palette;
    let observation = &model.observation;
    let mut parts = vec![vec![Span::styled("fwtui", palette.of(Token::Accent))]];
    if !observation.host.is_empty() {
        parts.push(vec![Span::raw(fit(&observation.host, 20))]);
    }
    if model.depth == Some(Depth::Complete) {
        let (symbol, token) = symbols::state(observation.status.state);
        parts.push(vec![Span::styled(
            format!("{symbol} {}", state_words(model)),
            palette.of(token),
        )]);
    }
    // The key stops one thing at a time, and closes what lies over the screen first.
    let has_key = stopped_by_esc(model) == Some(Stoppable::Look);
    let look = model.progress.look(model.depth, has_key, model.now);
    parts.extend(look.map(|text| vec![Span::styled(text, palette.of(Token::Dim))]));
    if model.is_working_out() {
        parts.push(vec![Span::styled(
            "working out the last edit …",
            palette.of(Token::Dim),
        )]);
    }
    parts.extend(protection(model));
    if let Some(backend) = observation.status.backend.as_ref().filter(|_| area.width >= 100) {
        parts.push(vec![Span::styled(fit(backend, 20), palette.of(Token::Dim))]);
    }
    if let Some(tools) = others(model).filter(|_| area.width >= 100) {
        parts.push(vec![Span::styled(fit(&tools, 24), palette.of(Token::Dim))]);
    }
    let used: usize = parts.iter().map(|part| line_width(part) + 3).sum();
    let classes = some_of(&model.classes(), usize::from(area.width).saturating_sub(used + 1));
    if !classes.is_empty() {
        parts.push(vec![Span::styled(classes, palette.of(Token::Dim))]);
    }
    let mut spans = Vec::new();
    for part in parts {
        spans.push(Span::raw(if spans.is_empty() { " " } else { "   " }));
        spans.extend(part);
    }
    frame.render_widget(Line::from(spans), area);
}

/// Who else decides: `+ ufw, docker`.
fn others(model: &Model) -> Option<String> {
    let active = model.observation.status.tools.iter().filter(|tool| tool.is_active());
    let names: Vec<&str> = active.map(|tool| tool.manager.word()).collect();
    (!names.is_empty()).then(|| format!("+ {}", names.join(", ")))
}

/// How many lines of defence the running trial has.
fn protection(model: &Model) -> Option<Vec<Span<'static>>> {
    let lines = &model.observation.status.protection;
    if model.trial().is_none() || lines.is_empty() {
        return None;
    }
    let words = protection_words(lines);
    let is_whole = lines.iter().all(|line| line.holds);
    let token = if is_whole { Token::Dim } else { Token::Warn };
    let count = words.split(';').next().unwrap_or_default().to_owned();
    Some(vec![Span::styled(count, model.palette.of(token))])
}

/// As many entries as fit whole, and how many there are besides.
fn some_of(entries: &[String], cells: usize) -> String {
    (1..=entries.len())
        .rev()
        .map(|count| {
            let shown: Vec<&str> = entries.iter().take(count).map(String::as_str).collect();
            match entries.len() - count {
                0 => shown.join(" · "),
                more => format!("{} · +{more}", shown.join(" · ")),
            }
        })
        .find(|text| width(text) <= cells)
        .unwrap_or_default()
}

fn state_words(model: &Model) -> String {
    let status = &model.observation.status;
    match (status.state, &status.last) {
        (State::Off, _) => "off: nothing is refused".to_owned(),
        (State::Trial, _) => "on trial".to_owned(),
        // The date alone: how long ago that was, the screens can't know.
        (State::Confirmed, Some(last)) if last.outcome == "confirmed" => {
            let day = last.at.split('T').next().unwrap_or_default();
            format!("confirmed {}", fit(day, 10))
        }
        (state @ (State::Confirmed | State::Drifted | State::Unknown), _) => state.word().to_owned(),
    }
}

fn line_width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| width(&span.content)).sum()
}

/// Where each tab is.
fn tab_cells(model: &Model, area: Rect) -> impl Iterator<Item = (ScreenId, String, Rect)> {
    let mut x = area.x + 1;
    SCREENS.iter().map(move |screen| {
        let text = format!(
            " {} ",
            [screen.key(model), screen.title.to_owned()].join(" ").trim_start()
        );
        let cells = u16::try_from(width(&text)).unwrap_or(u16::MAX);
        let place = Rect::new(x, area.y, cells, 1).intersection(area);
        x = x.saturating_add(cells + 1);
        (screen.id, text, place)
    })
}

/// The screens' names.
pub fn tabs(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    for (id, text, place) in tab_cells(model, area) {
        let style = if id == model.screen {
            model.palette.selection()
        } else {
            model.palette.of(Token::Dim)
        };
        frame.render_widget(Line::styled(text, style), place);
    }
    if !model.neighbours.are_there {
        return;
    }
    let used = tab_cells(model, area)
        .map(|(.., place)| place.right())
        .max()
        .unwrap_or(area.x);
    let room = Rect {
        x: used,
        width: area.right().saturating_sub(used),
        ..area
    };
    if let Some(words) = SANDBOX.iter().find(|words| width(words) + 3 <= usize::from(room.width)) {
        let line = Line::styled(format!("{words} "), model.palette.of(Token::Accent));
        frame.render_widget(line.right_aligned(), room);
    }
}

/// What the sandbox says of itself, by the room there is.
const SANDBOX: [&str; 4] = [
    "sandbox: nothing here touches your machine",
    "sandbox: your machine is not touched",
    "sandbox: not your machine",
    "sandbox",
];

/// The tab under the mouse.
pub fn tab_at(model: &Model, area: Rect, position: Position) -> Option<ScreenId> {
    tab_cells(model, area)
        .find(|(_, _, place)| place.contains(position))
        .map(|(id, ..)| id)
}

/// A message for the user takes as many lines as it needs, up to a few.
pub fn notice_lines(model: &Model, cells: u16) -> Vec<String> {
    const MOST: usize = 3;
    let Some(notice) = model.notice.as_ref().filter(|_| model.task.is_none()) else {
        return Vec::new();
    };
    let mut lines = wrap(&notice.text, usize::from(cells).saturating_sub(2));
    lines.truncate(MOST);
    lines
}

/// The line for the user: what was just done, what is being done, or what is still to be done.
pub fn notice(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let palette = &model.palette;
    let cells = usize::from(area.width).saturating_sub(2);
    let (token, text) = match (&model.notice, model.task) {
        (_, Some(task)) => {
            let has_key = stopped_by_esc(model) == Some(Stoppable::Apply);
            (Token::Accent, model.progress.words(task, has_key, model.now))
        }
        (Some(notice), None) => {
            frame.render_widget(Clear, area);
            frame.buffer_mut().set_style(area, palette.base());
            for (row, text) in area.rows().zip(notice_lines(model, area.width)) {
                let line = Line::from(vec![Span::raw(" "), Span::styled(text, palette.of(notice.token))]);
                frame.render_widget(line, row);
            }
            return;
        }
        (None, None) => standing(model),
    };
    let line = Line::from(vec![Span::raw(" "), Span::styled(fit(&text, cells), palette.of(token))]);
    frame.render_widget(line, area);
}

fn searched(search: &Search, clear: &str) -> (Token, String) {
    let (at, all) = search.count();
    let text = format!("Search: {} ({at} of {all}, {clear} ends it)", search.needle());
    (Token::Accent, text)
}

/// What of a screen is marked, left out, under way or out of date.
fn of_the_screen(model: &Model, clear: &str) -> Option<(Token, String)> {
    let marked = model.services.marked();
    if marked > 0 && model.screen == ScreenId::Services {
        let hidden = match model.services.marked_out_of_sight() {
            0 => String::new(),
            hidden => format!(", {hidden} of them hidden by the filter"),
        };
        let text = format!("{marked} marked{hidden}: a decision is for all of them");
        return Some((Token::Accent, text));
    }
    if model.screen == ScreenId::Checkup && model.checkup.is_under_way() {
        let since = model.progress.check(model.now);
        let text = match model.checkup.is_stopping() {
            true => format!("Checking is being stopped …{since}"),
            false if stopped_by_esc(model) == Some(Stoppable::Check) => {
                format!("Checking the machine …{since}   esc stops it")
            }
            false => format!("Checking the machine …{since}"),
        };
        return Some((Token::Accent, text));
    }
    if !model.filter().is_empty() {
        let (count, _) = model.found();
        let text = format!("Filter: {} ({count} shown, {clear} shows all)", model.filter());
        return Some((Token::Accent, text));
    }
    if let Some(severity) = model.checkup.severity().filter(|_| model.screen == ScreenId::Checkup) {
        let next = model.key_of(CommandId::CycleSeverity, Context::Checkup);
        let text = format!(
            "{}: {next} shows the next, {clear} all.",
            capitalised(&format!("{severity} only"))
        );
        return Some((Token::Accent, text));
    }
    if model.screen == ScreenId::Checkup && model.checkup.is_outdated() {
        let key = model.key_of(CommandId::Refresh, Context::Checkup);
        return Some((
            Token::Warn,
            format!("The rules have changed since: {key} checks again."),
        ));
    }
    None
}

/// What to say when nothing happens.
fn standing(model: &Model) -> (Token, String) {
    let status = &model.observation.status;
    let clear = model.key_of(CommandId::Clear, Context::Screens);
    if let Some(search) = model
        .help()
        .map(|help| &help.search)
        .filter(|search| !search.needle().is_empty())
    {
        return searched(search, &model.key_of(CommandId::Cancel, Context::Reading));
    }
    if let Some(search) = model.search().filter(|search| !search.needle().is_empty()) {
        return searched(search, &clear);
    }
    // The setup is before them: what they show is not seen.
    if let Some(said) = of_the_screen(model, &clear).filter(|_| model.setup.is_none()) {
        return said;
    }
    if model.depth.is_none() || model.trial().is_some() || model.setup.as_ref().is_some_and(|setup| setup.is_done) {
        return (Token::Dim, String::new());
    }
    if let Some(why) = model.why_read_only() {
        return (Token::Dim, why);
    }
    if status.state == State::Drifted {
        let by = model
            .drift
            .by()
            .map(|by| format!("Changed by {by}. "))
            .unwrap_or_default();
        let key = model.key_of(CommandId::Restore, Context::Screens);
        let next = match status.can_restore {
            true => format!("{key} puts back what was confirmed."),
            false => model.why_no_restore().unwrap_or_default(),
        };
        return (Token::Bad, format!("{by}{next}"));
    }
    if model.setup.is_some() {
        const NOTHING_YET: &str = "Nothing is changed until you apply.";
        return match model.neighbours.are_there {
            true => (Token::Accent, format!("This is a sandbox. {NOTHING_YET}")),
            false => (Token::Dim, NOTHING_YET.to_owned()),
        };
    }
    let waiting = match model.services.counts().changed {
        1 => Some("1 change waits for an apply.".to_owned()),
        changed @ 2.. => Some(format!("{changed} changes wait for an apply.")),
        0 => None,
    };
    if let Some(waiting) = waiting {
        return (Token::Changed, waiting);
    }
    if status.state == State::Off {
        return (
            Token::Dim,
            "Decide on each service, then see the preview and apply.".to_owned(),
        );
    }
    if model.has_pending() {
        (Token::Changed, "Changes wait for an apply.".to_owned())
    } else {
        (Token::Dim, String::new())
    }
}
