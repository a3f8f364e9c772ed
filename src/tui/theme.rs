//! Themes: meanings to colours. The only place that names a colour.

#![allow(clippy::disallowed_types, reason = "the one home of ratatui's Color")]

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier};

use crate::core::json::Complaint;

mod approximate;
mod palette;
mod parse;
mod print;
mod rgb;
#[cfg(test)]
mod tests;
mod token;

pub use palette::Palette;
pub use print::{Look, escape};
pub use token::Token;

use rgb::Rgb;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorDepth {
    /// None: `NO_COLOR`, or a terminal without.
    None,
    /// The sixteen every terminal has.
    #[default]
    Sixteen,
    /// The 256 of xterm.
    Many,
    /// 24 bits, where `COLORTERM` says so.
    True,
}

/// The colour of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Paint {
    /// Red, green, blue; none leaves it to the terminal.
    rgb: Option<Rgb>,
    /// One of the sixteen, or the terminal's default.
    ansi: Color,
    modifiers: Modifier,
}

/// A theme: a colour for every token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    about: String,
    paints: BTreeMap<Token, Paint>,
}

/// The themes that come with the program: all of themes/.
const BUILT_IN: [(&str, &str); 10] = [
    (DEFAULT, include_str!("../../themes/dark.json")),
    ("light", include_str!("../../themes/light.json")),
    ("high-contrast", include_str!("../../themes/high-contrast.json")),
    (
        "high-contrast-light",
        include_str!("../../themes/high-contrast-light.json"),
    ),
    ("colorblind", include_str!("../../themes/colorblind.json")),
    ("ember", include_str!("../../themes/ember.json")),
    ("fjord", include_str!("../../themes/fjord.json")),
    ("lagoon", include_str!("../../themes/lagoon.json")),
    ("paper", include_str!("../../themes/paper.json")),
    (MONOCHROME, include_str!("../../themes/monochrome.json")),
];

/// The theme of who has chosen none.
pub const DEFAULT: &str = "dark";

/// The theme without colours, for `NO_COLOR` and terminals that have none.
pub const MONOCHROME: &str = "monochrome";

impl Theme {
    /// Reads a theme file; the theme is called what the file is called.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(name: &str, text: &str) -> Result<Self, Complaint> {
        parse::theme(name, text)
    }

    /// A theme that comes with the program.
    ///
    /// # Errors
    /// Where there is none of that name, with the name that was probably meant.
    pub fn built_in(name: &str) -> Result<Self, String> {
        let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let names: Vec<&str> = Self::names().collect();
            format!("there is no theme '{name}': {}", parse::meant(name, &names))
        })?;
        Self::parse(name, text).map_err(|complaint| complaint.to_string())
    }

    /// Every theme that comes with the program.
    pub fn all_built_in() -> Vec<Self> {
        Self::names().filter_map(|name| Self::built_in(name).ok()).collect()
    }

    /// The names of the themes that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is like, in a few words; may be empty.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// A token's colours by name.
    pub fn look(&self, token: Token) -> Look {
        Look::of(self.paints.get(&token).copied().unwrap_or_default())
    }

    /// The theme as the text of a theme file.
    pub fn to_file(&self) -> String {
        print::file(self)
    }

    /// The contrast of two tokens by WCAG 2.1 (1 to 21); none where the terminal chooses a colour.
    pub fn contrast(&self, first: Token, second: Token) -> Option<f64> {
        Some(rgb::contrast(self.rgb(first)?, self.rgb(second)?))
    }

    /// The least contrast of anything that is read, but for what may be overlooked; none where the terminal
    /// chooses the colours.
    pub fn least_contrast(&self) -> Option<f64> {
        let grounds = [Token::Background, Token::SelectionBackground];
        let texts = Token::READ
            .into_iter()
            .flat_map(|text| grounds.map(|ground| (text, ground)));
        texts
            .chain(Token::PAIRS)
            .filter_map(|(text, ground)| self.contrast(text, ground))
            .min_by(f64::total_cmp)
    }

    fn rgb(&self, token: Token) -> Option<Rgb> {
        self.paints.get(&token)?.rgb
    }
}

impl Default for Theme {
    /// The dark one.
    fn default() -> Self {
        // The tests read every built-in theme, so this never falls back.
        Self::built_in(DEFAULT).unwrap_or_else(|_| Self {
            name: String::new(),
            about: String::new(),
            paints: BTreeMap::new(),
        })
    }
}
