//! Themes: fwtui's own and the user's, and `fwtui themes`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::app::{Error, Kind};
use crate::cli::args::Themes;
use crate::cli::config::{self, Given};
use crate::cli::output::Out;
use crate::cli::{DONE, config_folder, table, terminal, variable};
use crate::core::text::{nearest, printable_within};
use crate::sys::behalf;
use crate::tui::theme::{ColorDepth, Look, MONOCHROME, Theme, Token};

mod sample;

/// No theme file is larger.
const LARGEST: u64 = 64 * 1024;
/// More files are not looked at.
const MOST_FILES: usize = 200;
/// Longest name of a file in a sentence, in characters.
const LONGEST_PATH: usize = 200;

/// A theme, and where it comes from.
#[derive(Debug)]
struct Listed {
    theme: Theme,
    /// None: it is fwtui's own.
    path: Option<PathBuf>,
}

/// All themes there are.
#[derive(Debug)]
pub(super) struct Shelf {
    themes: Vec<Listed>,
    /// Files that can't be used: the name the theme would have, and a sentence that says why.
    spoilt: Vec<(String, String)>,
}

impl Shelf {
    /// fwtui's own themes, and those in `themes/` of the config folder.
    pub(super) fn load(config: Option<&Path>) -> Self {
        let own = Theme::all_built_in()
            .into_iter()
            .map(|theme| Listed { theme, path: None });
        let mut shelf = Self {
            themes: own.collect(),
            spoilt: Vec::new(),
        };
        // HOME may be that of whoever started this: where the folder can't be read, it is none of ours.
        let found = config.and_then(|folder| behalf::list(&folder.join("themes"), MOST_FILES).ok());
        let mut paths: Vec<PathBuf> = found
            .into_iter()
            .flatten()
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        for path in paths {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = printable_within(&stem, 64);
            match read(&name, &path) {
                Ok(theme) => shelf.themes.push(Listed {
                    theme,
                    path: Some(path),
                }),
                Err(why) => {
                    let path = printable_within(&path.display().to_string(), LONGEST_PATH);
                    shelf.spoilt.push((name, format!("{path}{why}")));
                }
            }
        }
        shelf
    }

    /// The theme with this name.
    ///
    /// # Errors
    /// Where there is none, or its file can't be used: why, in a sentence.
    pub(super) fn find(&self, name: &str) -> Result<&Theme, String> {
        let mut themes = self.themes.iter().map(|listed| &listed.theme);
        if let Some(theme) = themes.find(|theme| theme.name() == name) {
            return Ok(theme);
        }
        if let Some((_, why)) = self.spoilt.iter().find(|(spoilt, _)| spoilt == name) {
            return Err(why.clone());
        }
        let name = printable_within(name, 64);
        Err(match nearest(&name, self.names()) {
            Some(meant) => format!("there is no theme '{name}': did you mean '{meant}'?"),
            None => format!("there is no theme '{name}'"),
        })
    }

    /// All of them, in their order.
    pub(super) fn into_themes(self) -> Vec<Theme> {
        self.themes.into_iter().map(|listed| listed.theme).collect()
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.themes.iter().map(|listed| listed.theme.name())
    }
}

/// Reads a user's theme; what is wrong follows the path in a sentence.
fn read(name: &str, path: &Path) -> Result<Theme, String> {
    if Theme::names().any(|own| own == name) {
        return Err(" has the name of one of fwtui's own themes: give it another".to_owned());
    }
    let text = behalf::read(path, LARGEST).map_err(|error| format!(" can't be read: {error}"))?;
    let text = text.ok_or_else(|| " is gone".to_owned())?;
    Theme::parse(name, &text).map_err(|complaint| format!(", {complaint}"))
}

/// The theme that is asked for on the command line.
///
/// # Errors
/// Where there is none of that name, or it can't be read.
pub(super) fn wanted(shelf: &Shelf, name: &str) -> Result<Theme, Error> {
    let names: Vec<&str> = shelf.names().collect();
    let hint = format!("There are {}.", names.join(", "));
    let found = shelf.find(name).cloned();
    found.map_err(|why| Error::new(Kind::Usage, why).hint(hint))
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    in_use: &'a str,
    themes: Vec<ThemeJson<'a>>,
    /// Files that can't be used, and why.
    unusable: Vec<&'a str>,
}

#[derive(Serialize)]
struct ThemeJson<'a> {
    name: &'a str,
    about: &'a str,
    /// None: it is fwtui's own.
    path: Option<String>,
    /// The least contrast of what is read, by WCAG; null where the terminal chooses the colours.
    least_contrast: Option<f64>,
    tokens: BTreeMap<&'static str, Look>,
}

impl Listed {
    fn json(&self) -> ThemeJson<'_> {
        let tokens = Token::ALL.map(|token| (token.name(), self.theme.look(token)));
        ThemeJson {
            name: self.theme.name(),
            about: self.theme.about(),
            path: self.path.as_ref().map(|path| path.display().to_string()),
            least_contrast: self.theme.least_contrast().map(|least| (least * 100.0).round() / 100.0),
            tokens: tokens.into_iter().collect(),
        }
    }

    fn source(&self) -> String {
        let path = self.path.as_ref();
        path.map_or_else(
            || "fwtui".to_owned(),
            |path| printable_within(&path.display().to_string(), LONGEST_PATH),
        )
    }
}

/// `fwtui themes`.
pub(super) fn run(args: &Themes, given: Given<'_>, out: &Out) -> Result<u8, Error> {
    let shelf = Shelf::load(config_folder().as_deref());
    if let Some(name) = &args.name {
        out.print_json(&wanted(&shelf, name)?.to_file())?;
        return Ok(DONE);
    }
    if let Some(name) = given.theme {
        wanted(&shelf, name)?;
    }
    let depth = terminal::color_depth(&variable);
    let in_use = match depth {
        ColorDepth::None => MONOCHROME.to_owned(),
        ColorDepth::Sixteen | ColorDepth::Many | ColorDepth::True => config::theme(given, &shelf),
    };
    if args.json {
        out.json(&Document {
            schema: 1,
            in_use: &in_use,
            themes: shelf.themes.iter().map(Listed::json).collect(),
            unusable: shelf.spoilt.iter().map(|(_, why)| why.as_str()).collect(),
        })?;
        return Ok(DONE);
    }
    if out.is_terminal() && depth != ColorDepth::None {
        for listed in &shelf.themes {
            let remark = if listed.theme.name() == in_use { "in use" } else { "" };
            // Of a user's own it matters more where it is.
            let about = match &listed.path {
                Some(_) => &listed.source(),
                None => listed.theme.about(),
            };
            out.print(&sample::of(&listed.theme, depth, remark, about, sample::width()))?;
        }
    } else {
        let rows: Vec<_> = shelf
            .themes
            .iter()
            .map(|listed| {
                let mark = if listed.theme.name() == in_use { "*" } else { "" };
                [
                    mark.into(),
                    listed.theme.name().into(),
                    listed.source().into(),
                    listed.theme.about().into(),
                ]
            })
            .collect();
        out.print(&table::columns(["", "THEME", "FROM", "ABOUT"], &rows, out.width()))?;
    }
    for (_, why) in &shelf.spoilt {
        out.note(&format!("Left out: {why}"));
    }
    if out.is_terminal() {
        out.note("Try one with 'fwtui --theme NAME', or with T in the screens; 'fwtui themes NAME' prints one to start from.");
    }
    Ok(DONE)
}
