//! The user's configuration: what can be chosen, where each choice comes from, and what is wrong.
//!
//! Nothing in it is needed to use the program: what is wrong is said, and counts as not there.

use std::fmt;
use std::time::Duration;

use crate::core::text::{nearest, printable};
use crate::core::trial::{DEFAULT_TIMEOUT, parse_timeout};

mod document;
#[cfg(test)]
mod tests;

/// How often the sockets are looked at, unless the user chose otherwise.
pub const DEFAULT_REFRESH: Duration = Duration::from_secs(3);
/// The most seconds between two looks; the least is one.
const LONGEST_REFRESH: u64 = 60;

/// What can be chosen by one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The colours.
    Theme,
    /// The screen shown first.
    Screen,
    /// Whether clicks come to fwtui.
    Mouse,
    /// The seconds between two looks.
    Refresh,
    /// Whether only ASCII is drawn.
    Ascii,
    /// How long a trial lasts.
    Timeout,
}

impl Field {
    /// All of them, in the order they are shown in.
    pub const ALL: [Self; 6] = [
        Self::Theme,
        Self::Screen,
        Self::Mouse,
        Self::Refresh,
        Self::Ascii,
        Self::Timeout,
    ];

    /// The word for it in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Theme => "theme",
            Self::Screen => "screen",
            Self::Mouse => "mouse",
            Self::Refresh => "refresh",
            Self::Ascii => "ascii",
            Self::Timeout => "timeout",
        }
    }

    /// The variable of the environment that stands above the file.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Theme => "FWTUI_THEME",
            Self::Screen => "FWTUI_SCREEN",
            Self::Mouse => "FWTUI_MOUSE",
            Self::Refresh => "FWTUI_REFRESH",
            Self::Ascii => "FWTUI_ASCII",
            Self::Timeout => "FWTUI_TIMEOUT",
        }
    }
}

/// Whether only ASCII is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ascii {
    /// Where the terminal can't show more.
    #[default]
    Auto,
    /// Always.
    Yes,
    /// Never.
    No,
}

impl Ascii {
    /// The word in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

/// Where a value comes from, what counts most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An option of the command line.
    CommandLine,
    /// This variable.
    Environment(&'static str),
    /// The file, at this line where it is one.
    File(Option<usize>),
    /// Nobody chose.
    Default,
}

/// A value, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

/// Keys that the file gives a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The command: `services.confine`.
    pub command: String,
    /// The keys' names.
    pub keys: Vec<String>,
    /// The line.
    pub line: usize,
}

/// What is wrong, and counts as not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where it stands.
    pub source: Source,
    /// What is wrong, in words.
    pub reason: String,
}

/// What was said, before it is weighed.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// On the command line.
    pub command_line: Vec<(Field, String)>,
    /// In the environment.
    pub environment: Vec<(Field, String)>,
    /// In the file: all of its text.
    pub file: Option<String>,
}

/// What holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The theme's name; whether there is one, the core can't know.
    pub theme: Value<String>,
    /// The screen's name.
    pub screen: Value<String>,
    /// Whether clicks come to fwtui.
    pub mouse: Value<bool>,
    /// How often the sockets are looked at; none where they are looked at on request only.
    pub refresh: Value<Option<Duration>>,
    /// Whether only ASCII is drawn.
    pub ascii: Value<Ascii>,
    /// How long a trial lasts.
    pub timeout: Value<Duration>,
    /// The keys of the file; whether there are such commands and keys, the core can't know.
    pub keys: Vec<Choice>,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
}

impl Config {
    /// Weighs what was said: command line over environment over file over default. Whether there is
    /// a theme, and a good one, the caller tells.
    pub fn of(said: &Said, theme: impl Fn(&str) -> Result<String, String>, screens: &[&str]) -> Self {
        let mut wrong = Vec::new();
        let file = said.file.as_deref().map(document::parse).unwrap_or_default();
        wrong.extend(file.complaints.into_iter().map(|complaint| Wrong {
            source: Source::File(Some(complaint.line)),
            reason: complaint.reason,
        }));
        let texts = |field: Field| {
            let on = |said: &[(Field, String)], source| {
                let texts = said.iter().filter(move |(other, _)| *other == field);
                texts.map(|(_, text)| (source, text.clone())).collect::<Vec<_>>()
            };
            let mut texts = on(&said.command_line, Source::CommandLine);
            texts.extend(on(&said.environment, Source::Environment(field.variable())));
            let values = file.values.iter().filter(|value| value.field == field);
            texts.extend(values.map(|value| (Source::File(Some(value.line)), value.text.clone())));
            texts
        };
        let config = Self {
            theme: weigh(texts(Field::Theme), "dark".to_owned(), &mut wrong, theme),
            screen: weigh(texts(Field::Screen), "services".to_owned(), &mut wrong, |text| {
                screen(text, screens)
            }),
            mouse: weigh(texts(Field::Mouse), true, &mut wrong, yes_or_no),
            refresh: weigh(texts(Field::Refresh), Some(DEFAULT_REFRESH), &mut wrong, refresh),
            ascii: weigh(texts(Field::Ascii), Ascii::Auto, &mut wrong, ascii),
            timeout: weigh(texts(Field::Timeout), DEFAULT_TIMEOUT, &mut wrong, parse_timeout),
            keys: file.keys,
            wrong: Vec::new(),
        };
        Self { wrong, ..config }
    }
}

/// The first that is right; what is wrong is named, wherever it stands.
fn weigh<T>(
    texts: Vec<(Source, String)>,
    default: T,
    wrong: &mut Vec<Wrong>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Value<T> {
    let mut found = None;
    for (source, text) in texts {
        match parse(&text) {
            Ok(value) if found.is_none() => found = Some(Value { value, source }),
            Ok(_) => {}
            Err(reason) => {
                let quoted = format!("'{}'", printable(&text));
                let reason = match reason.contains(&quoted) {
                    true => reason,
                    false => format!("{quoted}: {reason}"),
                };
                wrong.push(Wrong { source, reason });
            }
        }
    }
    found.unwrap_or(Value {
        value: default,
        source: Source::Default,
    })
}

fn screen(text: &str, screens: &[&str]) -> Result<String, String> {
    if screens.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(match nearest(text, screens.iter().copied()) {
        Some(meant) => format!("there is no such screen: did you mean '{meant}'?"),
        None => format!("there is no such screen; there are {}", screens.join(", ")),
    })
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" | "on" => Ok(true),
        "no" | "false" | "off" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}

fn ascii(text: &str) -> Result<Ascii, String> {
    if text == "auto" {
        return Ok(Ascii::Auto);
    }
    match yes_or_no(text) {
        Ok(true) => Ok(Ascii::Yes),
        Ok(false) => Ok(Ascii::No),
        Err(_) => Err("write auto, yes or no".to_owned()),
    }
}

fn refresh(text: &str) -> Result<Option<Duration>, String> {
    if matches!(text, "off" | "no" | "false") {
        return Ok(None);
    }
    match text.trim_end_matches('s').trim_end().parse::<u64>() {
        Ok(seconds @ 1..=LONGEST_REFRESH) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(format!("write the seconds, 1 to {LONGEST_REFRESH}, or off")),
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
