//! Themes: meanings to colours. The only place that names a colour.

#![allow(clippy::disallowed_types, reason = "the one home of ratatui's Color")]

use std::collections::BTreeMap;
use std::fmt;

use ratatui::style::{Color, Modifier};

mod palette;
mod parse;

pub use palette::Palette;

/// What a piece of the screen means. Screens ask for meanings, never for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    /// What everything is drawn on.
    Background,
    /// Plain text.
    Text,
    /// What may be overlooked.
    Dim,
    /// The program's own colour: the name, the tab that is open.
    Accent,
    /// Reached by this machine only; done; in order.
    Good,
    /// Reached by trusted networks; worth a look.
    Warn,
    /// Reached by everyone; an error.
    Bad,
    /// Not known.
    Unknown,
    /// Text of the selected row.
    SelectionText,
    /// What the selected row is drawn on.
    SelectionBackground,
    /// Lines between the parts of a screen.
    Border,
    /// Headings.
    Title,
    /// Text of the trial's banner.
    TrialText,
    /// What the trial's banner is drawn on.
    TrialBackground,
    /// Text of the banner in its last seconds.
    AlarmText,
    /// What the banner is drawn on in its last seconds.
    AlarmBackground,
    /// Keys in footers and the help.
    Key,
    /// A service that needs a decision.
    New,
    /// A decision that is not in force yet.
    Changed,
    /// A line the ruleset gains.
    Added,
    /// A line it loses.
    Removed,
}

impl Token {
    /// Every token; a theme must define all.
    pub const ALL: [Self; 21] = [
        Self::Background,
        Self::Text,
        Self::Dim,
        Self::Accent,
        Self::Good,
        Self::Warn,
        Self::Bad,
        Self::Unknown,
        Self::SelectionText,
        Self::SelectionBackground,
        Self::Border,
        Self::Title,
        Self::TrialText,
        Self::TrialBackground,
        Self::AlarmText,
        Self::AlarmBackground,
        Self::Key,
        Self::New,
        Self::Changed,
        Self::Added,
        Self::Removed,
    ];

    /// The name in theme files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Text => "text",
            Self::Dim => "dim",
            Self::Accent => "accent",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
            Self::SelectionText => "selection-text",
            Self::SelectionBackground => "selection-background",
            Self::Border => "border",
            Self::Title => "title",
            Self::TrialText => "trial-text",
            Self::TrialBackground => "trial-background",
            Self::AlarmText => "alarm-text",
            Self::AlarmBackground => "alarm-background",
            Self::Key => "key",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Paint {
    /// Red, green, blue; none leaves it to the terminal.
    rgb: Option<[u8; 3]>,
    /// One of the sixteen, or the terminal's default.
    ansi: Color,
    modifiers: Modifier,
}

/// A theme: a colour for every token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    paints: BTreeMap<Token, Paint>,
}

/// The themes that come with the program.
const BUILT_IN: [(&str, &str); 3] = [
    ("dark", include_str!("../../themes/dark.json")),
    ("light", include_str!("../../themes/light.json")),
    (MONOCHROME, include_str!("../../themes/monochrome.json")),
];

/// The theme without colours, for `NO_COLOR` and terminals that have none.
const MONOCHROME: &str = "monochrome";

impl Theme {
    /// Reads a theme file.
    ///
    /// # Errors
    /// What is wrong with it: the token that is missing or the line that can't be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::theme(text)
    }

    /// A theme that comes with the program.
    ///
    /// # Errors
    /// Where there is none of that name, with the names there are.
    pub fn built_in(name: &str) -> Result<Self, String> {
        let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let names: Vec<&str> = Self::names().collect();
            format!("there is no theme '{name}': use {}", names.join(", "))
        })?;
        Self::parse(text)
    }

    /// The names of the themes that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The contrast of two tokens by WCAG 2.1 (1 to 21); none where the terminal chooses a colour.
    pub fn contrast(&self, first: Token, second: Token) -> Option<f64> {
        let luminance = |token| Some(relative_luminance(self.paints.get(&token)?.rgb?));
        let (first, second) = (luminance(first)?, luminance(second)?);
        Some((first.max(second) + 0.05) / (first.min(second) + 0.05))
    }
}

impl Default for Theme {
    /// The dark one.
    fn default() -> Self {
        // The tests read every built-in theme, so this never falls back.
        Self::built_in("dark").unwrap_or_else(|_| Self {
            name: String::new(),
            paints: BTreeMap::new(),
        })
    }
}

/// <https://www.w3.org/TR/WCAG21/#dfn-relative-luminance>
fn relative_luminance(rgb: [u8; 3]) -> f64 {
    let [red, green, blue] = rgb.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: [Token; 14] = [
        Token::Text,
        Token::Accent,
        Token::Good,
        Token::Warn,
        Token::Bad,
        Token::Unknown,
        Token::Title,
        Token::Key,
        Token::New,
        Token::Changed,
        Token::Added,
        Token::Removed,
        Token::Text,
        Token::Accent,
    ];

    #[test]
    fn every_theme_is_complete_and_readable() {
        for name in Theme::names() {
            let theme = Theme::built_in(name).unwrap();
            assert_eq!(theme.name(), name);
            let at_least = |text, on, least: f64| {
                if let Some(contrast) = theme.contrast(text, on) {
                    assert!(
                        contrast >= least,
                        "{name}: {text} on {on} is {contrast:.2}, not {least}"
                    );
                }
            };
            for token in READ {
                at_least(token, Token::Background, 4.5);
                at_least(token, Token::SelectionBackground, 4.5);
            }
            at_least(Token::Dim, Token::Background, 3.0);
            at_least(Token::Dim, Token::SelectionBackground, 3.0);
            at_least(Token::SelectionText, Token::SelectionBackground, 4.5);
            at_least(Token::TrialText, Token::TrialBackground, 4.5);
            at_least(Token::AlarmText, Token::AlarmBackground, 4.5);
            at_least(Token::TrialBackground, Token::Background, 3.0);
            at_least(Token::AlarmBackground, Token::Background, 3.0);
        }
    }

    #[test]
    fn without_colours_only_modifiers_are_left() {
        let palette = Palette::new(&Theme::default(), ColorDepth::None);
        for token in Token::ALL {
            assert_eq!(palette.of(token).fg, Some(Color::Reset), "{token}");
        }
        assert!(palette.selection().add_modifier.contains(Modifier::REVERSED));
        assert!(palette.trial().add_modifier.contains(Modifier::REVERSED));
        assert_ne!(palette.of(Token::Good), palette.of(Token::Bad));
    }
}
