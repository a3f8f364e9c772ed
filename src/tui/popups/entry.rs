//! A line of text being typed.

use ipnet::IpNet;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Drawn, Sheet, text_width};
use crate::core::network::{parse_source, parse_trusted_source};
use crate::core::policy::Block;
use crate::core::service::ServiceId;
use crate::tui::availability;
use crate::tui::commands::{Command, Context};
use crate::tui::model::Model;
use crate::tui::screens::ScreenId;
use crate::tui::theme::Token;
use crate::tui::widgets::footer;
use crate::tui::widgets::text::{fit_end, width, wrapped};

/// More than anybody types; a paste of a book stops here.
const LONGEST: usize = 500;

/// What the text is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To filter the rows, while it is typed; what the filter was before.
    Filter(String),
    /// The sources these services are open to.
    Sources(Vec<ServiceId>),
    /// A network to trust.
    TrustedSource,
    /// A block, in the place of this one where there is one.
    Block(Option<Box<Block>>),
    /// Why a finding of this kind, at this subject, is intended.
    Note(&'static str, String),
    /// The name of a file for what the Preview screen shows.
    File,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is for.
    pub purpose: Purpose,
    /// What was typed.
    pub text: String,
    /// How many characters of a paste were left out.
    pub left_out: usize,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl Entry {
    /// A line to be typed, beginning with a text.
    pub fn new(purpose: Purpose, text: String) -> Self {
        Self {
            purpose,
            text,
            left_out: 0,
            error: None,
        }
    }

    /// Takes a character more; whether it was taken.
    pub fn push(&mut self, character: char) -> bool {
        let is_taken = self.text.len() < LONGEST && !character.is_control();
        if is_taken {
            self.text.push(character);
            self.left_out = 0;
            self.error = None;
        }
        is_taken
    }

    /// Takes what fits of a paste; lines become words.
    pub fn paste(&mut self, text: &str) {
        self.error = None;
        let text = text.trim_end_matches(['\r', '\n']);
        for character in text.chars() {
            let character = if character.is_whitespace() { ' ' } else { character };
            if character.is_control() {
                continue;
            }
            if self.left_out > 0 || self.text.len() + character.len_utf8() > LONGEST {
                self.left_out += 1;
            } else {
                self.text.push(character);
            }
        }
    }

    /// What was left out, in words.
    fn left_out(&self) -> Option<String> {
        match self.left_out {
            0 => None,
            1 => Some("1 character of the paste was left out.".to_owned()),
            many => Some(format!("{many} characters of the paste were left out.")),
        }
    }

    /// The networks typed, separated by commas or spaces.
    ///
    /// # Errors
    /// What is wrong with the first that is wrong.
    pub fn networks(&self) -> Result<Vec<IpNet>, String> {
        let words = self.text.split([',', ' ']).filter(|word| !word.is_empty());
        let parse = match self.purpose {
            Purpose::TrustedSource => parse_trusted_source,
            Purpose::Sources(_) | Purpose::Filter(_) | Purpose::Block(_) | Purpose::Note(..) | Purpose::File => {
                parse_source
            }
        };
        let mut networks = words.map(parse).collect::<Result<Vec<IpNet>, String>>()?;
        networks.sort();
        networks.dedup();
        Ok(networks)
    }
}

pub(super) fn draw(model: &Model, entry: &Entry, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let palette = &model.palette;
    if matches!(entry.purpose, Purpose::Filter(_)) {
        return draw_filter(model, entry, frame);
    }
    let cells = text_width(area, 62);
    let (title, what) = match &entry.purpose {
        Purpose::Sources(ids) => {
            let which = match ids.as_slice() {
                [id] => format!("Open {id} from"),
                ids => format!("Open {} services from", ids.len()),
            };
            (
                which,
                "Networks or addresses, separated by commas. Nothing means everyone.",
            )
        }
        Purpose::Block(_) => (
            "Block a service".to_owned(),
            "Its id; and if wanted 'from' networks, 'for' 7d or 'until' 2026-12-24 (UTC), and 'note' with any words after \
             it. It is refused whatever is decided on it.",
        ),
        Purpose::Note(id, _) => (
            format!("Intended: {id}"),
            "Why is it intended? One line, which is kept in the policy. The finding is then no longer counted.",
        ),
        Purpose::File => (
            "Write what is shown to a file".to_owned(),
            "The words, and the rules of the view that is shown, as plain text. Only you will be able to read the file.",
        ),
        Purpose::TrustedSource | Purpose::Filter(_) => (
            "Trust a network".to_owned(),
            "Like 198.51.100.0/24, 2001:db8::/32 or one address; several separated by commas. It is trusted by whatever \
             interface it comes in: list only what nobody can forge from outside, such as a network behind a tunnel.",
        ),
    };
    let mut lines = wrapped(what, usize::from(cells), 0, palette.of(Token::Dim));
    lines.push(Line::default());
    // The end is what is being typed: a text that is too long shows its end.
    let room = usize::from(cells).saturating_sub(3);
    let mut shown = entry.text.as_str();
    while width(shown) > room {
        let mut characters = shown.chars();
        characters.next();
        shown = characters.as_str();
    }
    lines.push(Line::from(vec![
        Span::styled("> ", palette.of(Token::Key)),
        Span::styled(shown.to_owned(), palette.of(Token::Text)),
        Span::styled("▏", palette.of(Token::Accent)),
    ]));
    if let Some(left_out) = entry.left_out() {
        lines.extend(wrapped(&left_out, usize::from(cells), 0, palette.of(Token::Warn)));
    }
    if let Some(error) = &entry.error {
        lines.extend(wrapped(error, usize::from(cells), 0, palette.of(Token::Bad)));
    }
    Sheet {
        model,
        title: &title,
        token: Token::Accent,
        lines,
        top: 0,
        contexts: &[Context::Typing],
        width: cells,
    }
    .draw(frame, area)
}

/// The filter is typed in the line below the table, which shows what it finds.
fn draw_filter(model: &Model, entry: &Entry, frame: &mut Frame<'_>) -> Drawn {
    let frames = model.frames();
    let palette = &model.palette;
    let text = fit_end(
        &entry.text,
        usize::from(frames.notice.width).saturating_sub(26 + 2 * usize::from(entry.left_out > 0) * 8),
    );
    let (shown, all) = model.found();
    let found = match entry.left_out {
        0 if text.is_empty() && model.screen == ScreenId::Services => {
            format!("   {shown} of {all}   words, !word for without, :22 for a port")
        }
        0 => format!("   {shown} of {all}"),
        many => format!("   {shown} of {all}, {many} left out"),
    };
    let cursor = frames.notice.x + u16::try_from(3 + width(&text)).unwrap_or_default();
    let line = Line::from(vec![
        Span::styled(" / ", palette.of(Token::Key)),
        Span::styled(text, palette.of(Token::Text)),
        Span::raw(" "),
        Span::styled(found, palette.of(Token::Dim)),
    ]);
    frame.buffer_mut().set_style(frames.notice, palette.base());
    frame.render_widget(ratatui::widgets::Clear, frames.notice);
    frame.buffer_mut().set_style(frames.notice, palette.base());
    frame.render_widget(line, frames.notice);
    let is_useful = |command: &Command| availability::is_useful(model, command);
    let hints = footer::hints(&model.settings.keymap, &[Context::Typing], &is_useful, frames.footer);
    frame.render_widget(footer::line(&hints, palette), frames.footer);
    frame.set_cursor_position(Position::new(cursor, frames.notice.y));
    Drawn {
        text: frames.notice,
        hints,
        hints_area: frames.footer,
    }
}
