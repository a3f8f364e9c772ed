//! Themes as text: as files, and as what terminals obey.

use std::fmt::Write as _;

use ratatui::style::{Color, Modifier, Style};
use serde::Serialize;

use super::parse::{COLORS, MODIFIERS};
use super::{Paint, Theme, Token};

/// A token's colours by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Look {
    /// As `#7aa2f7`; none leaves it to the terminal.
    pub rgb: Option<String>,
    /// One of the sixteen, or default.
    pub ansi: &'static str,
    /// Bold, underlined and so on.
    pub modifiers: Vec<&'static str>,
}

impl Look {
    pub(super) fn of(paint: Paint) -> Self {
        let name = COLORS
            .iter()
            .find(|(_, color)| *color == paint.ansi)
            .map(|(name, _)| *name);
        let modifiers = MODIFIERS
            .iter()
            .filter(|(_, modifier)| paint.modifiers.contains(*modifier));
        Self {
            rgb: paint
                .rgb
                .map(|[red, green, blue]| format!("#{red:02x}{green:02x}{blue:02x}")),
            ansi: name.unwrap_or("default"),
            modifiers: modifiers.map(|(name, _)| *name).collect(),
        }
    }
}

/// The theme as a file: everything said, nothing inherited.
pub(super) fn file(theme: &Theme) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = format!("{{\n  \"about\": {},\n  \"tokens\": {{\n", quoted(&theme.about));
    for (index, token) in Token::ALL.into_iter().enumerate() {
        let look = theme.look(token);
        let mut parts = Vec::new();
        parts.extend(look.rgb.map(|rgb| format!("\"rgb\": \"{rgb}\"")));
        parts.push(format!("\"ansi\": \"{}\"", look.ansi));
        if !look.modifiers.is_empty() {
            let names: Vec<String> = look.modifiers.into_iter().map(quoted).collect();
            parts.push(format!("\"modifiers\": [{}]", names.join(", ")));
        }
        let comma = if index + 1 < Token::ALL.len() { "," } else { "" };
        // Writing to a string does not fail.
        let _ = writeln!(out, "    \"{token}\": {{ {} }}{comma}", parts.join(", "));
    }
    out.push_str("  }\n}\n");
    out
}

/// The escape sequence (ECMA-48, SGR) after which text is in this style and no other.
pub fn escape(style: Style) -> String {
    let mut out = String::from("\x1b[0");
    for (modifier, code) in [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
    ] {
        if style.add_modifier.contains(modifier) {
            let _ = write!(out, ";{code}");
        }
    }
    for (color, base) in [(style.fg, 30), (style.bg, 40)] {
        let _ = match color {
            None | Some(Color::Reset) => Ok(()),
            Some(Color::Rgb(red, green, blue)) => write!(out, ";{};2;{red};{green};{blue}", base + 8),
            Some(Color::Indexed(index)) => write!(out, ";{};5;{index}", base + 8),
            Some(named) => {
                // Behind the default come eight, and eight bright ones.
                let at = COLORS
                    .iter()
                    .skip(1)
                    .position(|(_, color)| *color == named)
                    .unwrap_or_default();
                write!(out, ";{}", if at < 8 { base + at } else { base + 60 + at - 8 })
            }
        };
    }
    out.push('m');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_theme_is_read_as_the_same() {
        for theme in Theme::all_built_in() {
            let text = file(&theme);
            assert_eq!(Theme::parse(theme.name(), &text).unwrap(), theme, "{text}");
        }
    }

    #[test]
    fn styles_are_said_to_the_terminal() {
        let style = Style::new()
            .fg(Color::LightCyan)
            .bg(Color::Red)
            .add_modifier(Modifier::BOLD);
        assert_eq!(escape(style), "\x1b[0;1;96;41m");
        assert_eq!(
            escape(Style::new().fg(Color::Indexed(9)).bg(Color::Rgb(1, 2, 3))),
            "\x1b[0;38;5;9;48;2;1;2;3m"
        );
        assert_eq!(escape(Style::new().fg(Color::Reset)), "\x1b[0m");
    }
}
