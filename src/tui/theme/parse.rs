//! Theme files.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier};
use serde::Deserialize;

use super::{Paint, Theme, Token};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    tokens: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rgb: Option<String>,
    #[serde(default)]
    ansi: Ansi,
    #[serde(default)]
    modifiers: Vec<Emphasis>,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "kebab-case")]
enum Ansi {
    #[default]
    Default,
    Black,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    White,
    BrightBlack,
    BrightRed,
    BrightGreen,
    BrightYellow,
    BrightBlue,
    BrightMagenta,
    BrightCyan,
    BrightWhite,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Emphasis {
    Bold,
    Dim,
    Italic,
    Underlined,
    Reversed,
}

pub(super) fn theme(text: &str) -> Result<Theme, String> {
    let Document { name, mut tokens } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut paints = BTreeMap::new();
    for token in Token::ALL {
        let entry = tokens
            .remove(token.name())
            .ok_or_else(|| format!("the token '{token}' is missing"))?;
        let paint = paint(&entry).map_err(|why| format!("the token '{token}': {why}"))?;
        paints.insert(token, paint);
    }
    match tokens.into_keys().next() {
        Some(unknown) => Err(format!("there is no token '{unknown}'")),
        None => Ok(Theme { name, paints }),
    }
}

fn paint(entry: &Entry) -> Result<Paint, String> {
    Ok(Paint {
        rgb: entry.rgb.as_deref().map(rgb).transpose()?,
        ansi: color(entry.ansi),
        modifiers: entry.modifiers.iter().map(|emphasis| modifier(*emphasis)).collect(),
    })
}

fn rgb(text: &str) -> Result<[u8; 3], String> {
    let wrong = || format!("'{text}' is no colour: write it like #7aa2f7");
    let digits = text
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6)
        .ok_or_else(wrong)?;
    let number = u32::from_str_radix(digits, 16).ok().ok_or_else(wrong)?;
    let [_, red, green, blue] = number.to_be_bytes();
    Ok([red, green, blue])
}

const fn color(ansi: Ansi) -> Color {
    match ansi {
        Ansi::Default => Color::Reset,
        Ansi::Black => Color::Black,
        Ansi::Red => Color::Red,
        Ansi::Green => Color::Green,
        Ansi::Yellow => Color::Yellow,
        Ansi::Blue => Color::Blue,
        Ansi::Magenta => Color::Magenta,
        Ansi::Cyan => Color::Cyan,
        Ansi::White => Color::Gray,
        Ansi::BrightBlack => Color::DarkGray,
        Ansi::BrightRed => Color::LightRed,
        Ansi::BrightGreen => Color::LightGreen,
        Ansi::BrightYellow => Color::LightYellow,
        Ansi::BrightBlue => Color::LightBlue,
        Ansi::BrightMagenta => Color::LightMagenta,
        Ansi::BrightCyan => Color::LightCyan,
        Ansi::BrightWhite => Color::White,
    }
}

const fn modifier(emphasis: Emphasis) -> Modifier {
    match emphasis {
        Emphasis::Bold => Modifier::BOLD,
        Emphasis::Dim => Modifier::DIM,
        Emphasis::Italic => Modifier::ITALIC,
        Emphasis::Underlined => Modifier::UNDERLINED,
        Emphasis::Reversed => Modifier::REVERSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let sample = include_str!("../../../themes/dark.json");
        for (find, replace, complaint) in [
            ("\"dim\"", "\"dimm\"", "the token 'dim' is missing"),
            ("\"tokens\": {", "\"tokens\": { \"extra\": {},", "no token 'extra'"),
            ("\"ansi\": \"red\"", "\"ansi\": \"rot\"", "unknown variant `rot`"),
            ("\"rgb\"", "\"rbg\"", "unknown field `rbg`"),
            ("\"#", "\"", "is no colour"),
            ("{", "[", "at line 2"),
        ] {
            let text = sample.replacen(find, replace, 1);
            assert_ne!(text, sample, "{find}");
            let error = theme(&text).unwrap_err();
            assert!(error.contains(complaint), "{replace}: {error}");
        }
    }
}
