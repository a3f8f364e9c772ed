//! `fwtui config`, and the settings of the screens that come of the user's configuration.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::app::Error;
use crate::cli::args;
use crate::cli::output::Out;
use crate::cli::table::{Cells, columns};
use crate::cli::themes::{Shelf, wanted};
use crate::cli::{DONE, FAILED, config_folder, terminal, variable};
use crate::core::config::{Ascii, Config, Field, Said, Source, Value, Wrong};
use crate::core::text::printable_within;
use crate::sys::behalf;
use crate::tui::Settings;
use crate::tui::commands::{Command, Keymap, table};
use crate::tui::screens::{SCREENS, ScreenId};

/// The file in the config folder.
const FILE: &str = "config.json";
/// It is never larger.
const LARGEST: u64 = 64 * 1024;
/// Longest path shown, in characters.
const LONGEST_PATH: usize = 200;

/// What the command line says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Given<'a> {
    /// `--theme`
    pub(super) theme: Option<&'a str>,
    /// `--screen`
    pub(super) screen: Option<ScreenId>,
    /// `--ascii`
    pub(super) wants_ascii: bool,
}

/// The configuration as it was found.
struct Found {
    path: Option<PathBuf>,
    is_there: bool,
    config: Config,
    keymap: Keymap,
}

/// The settings of the screens; what is wrong is among them, unless it is on the command line.
/// ASCII is drawn where the terminal has nothing else, unless somebody said otherwise.
///
/// # Errors
/// Where the command line names a theme or a screen that is not there.
pub(super) fn settings(given: Given<'_>, is_terminal_ascii: bool) -> Result<Settings, Error> {
    let shelf = Shelf::load(config_folder().as_deref());
    if let Some(theme) = given.theme {
        wanted(&shelf, theme)?;
    }
    let found = find(given, &shelf);
    let complaints = found.config.wrong.iter().map(|wrong| found.complaint(wrong, true));
    Ok(Settings {
        theme: wanted(&shelf, &found.config.theme.value)?,
        color: terminal::color_depth(&variable),
        erases_in_color: terminal::erases_in_color(&variable),
        is_ascii: match found.config.ascii.value {
            Ascii::Auto => is_terminal_ascii,
            Ascii::Yes => true,
            Ascii::No => false,
        },
        config: found.path.as_deref().map(|path| shown(Some(path))),
        screen: screen(&found.config.screen.value),
        has_mouse: found.config.mouse.value,
        timeout: found.config.timeout.value,
        refresh: found.config.refresh.value,
        complaints: complaints.collect(),
        themes: shelf.into_themes(),
        keymap: found.keymap,
    })
}

/// The name of the theme that is in use.
pub(super) fn theme(given: Given<'_>, shelf: &Shelf) -> String {
    find(given, shelf).config.theme.value
}

/// Reads what there is and weighs it.
fn find(given: Given<'_>, shelf: &Shelf) -> Found {
    let path = config_folder().map(|folder| folder.join(FILE));
    let read = path.as_deref().map_or(Ok(None), |path| behalf::read(path, LARGEST));
    let (file, unread) = match read {
        Ok(file) => (file, None),
        Err(error) => (None, Some(error)),
    };
    let is_there = file.is_some() || unread.is_some();
    let option = |field, value: Option<&str>| value.map(|value| (field, value.to_owned()));
    let said = Said {
        command_line: [
            option(Field::Theme, given.theme),
            option(Field::Screen, given.screen.map(ScreenId::word)),
            option(Field::Ascii, given.wants_ascii.then_some("yes")),
        ]
        .into_iter()
        .flatten()
        .collect(),
        environment: Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, variable(field.variable())?)))
            .collect(),
        file,
    };
    let theme = |name: &str| shelf.find(name).map(|theme| theme.name().to_owned());
    let mut config = Config::of(&said, theme, &SCREENS.map(|screen| screen.id.word()));
    if let Some(error) = unread {
        let reason = format!("it can't be read: {error}");
        let source = Source::File(None);
        config.wrong.insert(0, Wrong { source, reason });
    }
    let (keymap, complaints) = Keymap::with(&config.keys);
    config.wrong.extend(complaints.into_iter().map(|complaint| Wrong {
        source: Source::File(Some(complaint.line)),
        reason: complaint.reason,
    }));
    Found {
        path,
        is_there,
        config,
        keymap,
    }
}

/// The screen with this name, which was found to be one.
fn screen(name: &str) -> ScreenId {
    let mut ids = SCREENS.iter().map(|screen| screen.id);
    ids.find(|id| id.word() == name).unwrap_or_default()
}

impl Found {
    /// The place and what is wrong there; in the screens the folder would take the room.
    fn complaint(&self, wrong: &Wrong, is_short: bool) -> String {
        let place = match (wrong.source, is_short) {
            (Source::File(line), true) => {
                let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
                format!("{FILE}{line}")
            }
            (source, _) => self.place(source),
        };
        format!("{place}: {}", wrong.reason)
    }

    /// Where a value comes from, to be read by people.
    fn place(&self, source: Source) -> String {
        match source {
            Source::CommandLine => "command line".to_owned(),
            Source::Environment(name) => name.to_owned(),
            Source::File(line) => {
                let path = shown(self.path.as_deref());
                line.map_or_else(|| path.clone(), |line| format!("{path}:{line}"))
            }
            Source::Default => "default".to_owned(),
        }
    }

    /// Every value as a word, with its source.
    fn words(&self) -> [(Field, String, Source); 6] {
        let Config {
            theme,
            screen,
            mouse,
            refresh,
            ascii,
            timeout,
            ..
        } = &self.config;
        let seconds = |time: std::time::Duration| format!("{}s", time.as_secs());
        Field::ALL.map(|field| {
            let (word, source) = match field {
                Field::Theme => said(theme, Clone::clone),
                Field::Screen => said(screen, Clone::clone),
                Field::Mouse => said(mouse, |is_on| if *is_on { "yes" } else { "no" }.to_owned()),
                Field::Refresh => said(refresh, |time| time.map_or_else(|| "off".to_owned(), seconds)),
                Field::Ascii => said(ascii, |ascii| ascii.word().to_owned()),
                Field::Timeout => said(timeout, |time| seconds(*time)),
            };
            (field, word, source)
        })
    }

    /// The commands whose keys the user chose, with the line.
    fn chosen(&self) -> impl Iterator<Item = (&'static Command, Source)> {
        table().iter().filter_map(|command| {
            let name = command.name();
            let choice = self.config.keys.iter().find(|choice| choice.command == name)?;
            let is_taken = self.keymap.is_chosen(command);
            is_taken.then_some((command, Source::File(Some(choice.line))))
        })
    }

    fn keys(&self, command: &Command) -> Vec<String> {
        // As they may stand in the file, whatever the keyboard and the locale have.
        self.keymap.keys(command).iter().map(|key| key.ascii()).collect()
    }
}

fn said<T>(value: &Value<T>, word: impl Fn(&T) -> String) -> (String, Source) {
    (word(&value.value), value.source)
}

fn shown(path: Option<&Path>) -> String {
    let path = path.map(|path| path.display().to_string()).unwrap_or_default();
    printable_within(&path, LONGEST_PATH)
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    path: Option<String>,
    exists: bool,
    values: Vec<ValueView>,
    keys: Vec<KeysView>,
    wrong: Vec<WrongView>,
}

#[derive(Serialize)]
struct ValueView {
    name: &'static str,
    value: String,
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Serialize)]
struct KeysView {
    command: String,
    keys: Vec<String>,
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Serialize)]
struct WrongView {
    reason: String,
    #[serde(flatten)]
    origin: Origin,
}

/// Where something comes from, for scripts.
#[derive(Serialize)]
struct Origin {
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl From<Source> for Origin {
    fn from(source: Source) -> Self {
        let (source, variable, line) = match source {
            Source::CommandLine => ("command-line", None, None),
            Source::Environment(name) => ("environment", Some(name), None),
            Source::File(line) => ("file", None, line),
            Source::Default => ("default", None, None),
        };
        Self { source, variable, line }
    }
}

/// `fwtui config`
pub(super) fn run(args: &args::Config, given: Given<'_>, out: &Out) -> Result<u8, Error> {
    let shelf = Shelf::load(config_folder().as_deref());
    if let Some(theme) = given.theme {
        wanted(&shelf, theme)?;
    }
    let found = find(given, &shelf);
    if args.path {
        let path = found
            .path
            .ok_or_else(|| Error::failed("there is no config folder: HOME is not set"))?;
        out.print_exactly(&format!("{}\n", path.display()))?;
        return Ok(DONE);
    }
    if args.keys {
        print_keys(&found, out)?;
    } else if args.json {
        out.json(&document(&found))?;
    } else {
        print(&found, out)?;
    }
    if found.config.wrong.is_empty() {
        return Ok(DONE);
    }
    if !args.json {
        for wrong in &found.config.wrong {
            out.note(&format!("fwtui: {}", found.complaint(wrong, false)));
        }
        out.note("  What is wrong counts as not there; the rest holds.");
    }
    Ok(FAILED)
}

fn print(found: &Found, out: &Out) -> Result<(), Error> {
    let place = match found.path.as_deref() {
        None => "no config folder: HOME is not set".to_owned(),
        path if found.is_there => shown(path),
        path => format!("{} (not there)", shown(path)),
    };
    let mut rows: Vec<Cells<'_, 3>> = Vec::new();
    for (field, word, source) in found.words() {
        rows.push([field.name().into(), word.into(), found.place(source).into()]);
    }
    for (command, source) in found.chosen() {
        let keys = found.keys(command).join(", ");
        let keys: Cow<'_, str> = if keys.is_empty() {
            "palette only".into()
        } else {
            keys.into()
        };
        rows.push([command.name().into(), keys, found.place(source).into()]);
    }
    out.print(&format!(
        "{place}\n\n{}",
        columns(["SETTING", "VALUE", "FROM"], &rows, out.width())
    ))
}

fn document(found: &Found) -> Document {
    let values = found.words().into_iter().map(|(field, value, source)| ValueView {
        name: field.name(),
        value,
        origin: source.into(),
    });
    let keys = found.chosen().map(|(command, source)| KeysView {
        command: command.name(),
        keys: found.keys(command),
        origin: source.into(),
    });
    let wrong = found.config.wrong.iter().map(|wrong| WrongView {
        reason: wrong.reason.clone(),
        origin: wrong.source.into(),
    });
    Document {
        schema: 1,
        path: found.path.as_deref().map(|path| path.display().to_string()),
        exists: found.is_there,
        values: values.collect(),
        keys: keys.collect(),
        wrong: wrong.collect(),
    }
}

/// All keys as they are, in the form the file has them in.
fn print_keys(found: &Found, out: &Out) -> Result<(), Error> {
    let mut lines = Vec::new();
    for command in table() {
        let keys = serde_json::to_string(&found.keys(command)).map_err(|error| Error::failed(error.to_string()))?;
        lines.push(format!("    \"{}\": {keys}", command.name()));
    }
    out.print(&format!("{{\n  \"keys\": {{\n{}\n  }}\n}}\n", lines.join(",\n")))
}
