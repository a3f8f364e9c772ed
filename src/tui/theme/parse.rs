//! Theme files.

use std::collections::BTreeMap;
use std::fmt;

use ratatui::style::{Color, Modifier};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::rgb::Rgb;
use super::{Paint, Theme, Token};
use crate::core::json::{Complaint, line_at, line_of_key, offset_of, reason_of};
use crate::core::text::{nearest, printable, printable_within};

/// Longest description, in characters.
const LONGEST_ABOUT: usize = 100;

/// The sixteen, as theme files call them, and the terminal's own.
pub(super) const COLORS: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// What letters can be beside coloured.
pub(super) const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    /// Read, and not used: a theme is called what its file is called.
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(default)]
    about: String,
    inherits: Option<String>,
    #[serde(borrow)]
    tokens: Tokens<'a>,
}

/// Names and values in their order; a name may be there twice.
struct Tokens<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Tokens<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TokensVisitor)
    }
}

struct TokensVisitor;

impl<'de> Visitor<'de> for TokensVisitor {
    type Value = Tokens<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, \"tokens\": { ... }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut tokens = Vec::new();
        while let Some(entry) = access.next_entry()? {
            tokens.push(entry);
        }
        Ok(Tokens(tokens))
    }
}

/// What is left out stays as it is in the theme that is inherited from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rgb: Option<HexColor>,
    ansi: Option<AnsiColor>,
    modifiers: Option<Vec<Emphasis>>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct HexColor(Rgb);

impl TryFrom<String> for HexColor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let is_hexadecimal = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits
            .filter(is_hexadecimal)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = number
            .ok_or_else(|| format!("'{text}' is no colour: write it like #7aa2f7"))?
            .to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct AnsiColor(Color);

impl TryFrom<String> for AnsiColor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        find(&COLORS, &text).map(Self).ok_or_else(|| {
            let names = COLORS.map(|(name, _)| name);
            format!("'{text}' is none of the sixteen colours: {}", meant(&text, &names))
        })
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Emphasis(Modifier);

impl TryFrom<String> for Emphasis {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        find(&MODIFIERS, &text).map(Self).ok_or_else(|| {
            let names = MODIFIERS.map(|(name, _)| name);
            format!("'{text}' is no modifier: {}", meant(&text, &names))
        })
    }
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// The word that was probably meant, or all there are.
pub(super) fn meant(word: &str, right: &[&str]) -> String {
    match nearest(word, right.iter().copied()) {
        Some(right) => format!("did you mean '{right}'?"),
        None => format!("use {}", right.join(", ")),
    }
}

/// Reads a theme.
pub(super) fn theme(name: &str, text: &str) -> Result<Theme, Complaint> {
    let at_line = |line, reason| Complaint { line, reason };
    // Serde would take a list of the fields' values as well.
    if text.trim_start().starts_with('[') {
        return Err(at_line(
            1,
            "a theme is an object, { ... }, and this is a list".to_owned(),
        ));
    }
    let document: Document<'_> =
        serde_json::from_str(text).map_err(|error| at_line(error.line(), reason_of(&error, text)))?;
    let mut paints = match &document.inherits {
        // Only fwtui's own can be inherited from, and these inherit nothing: no theme is its own heir.
        Some(other) => {
            let base = Theme::built_in(other);
            base.map_err(|reason| {
                let reason = format!("\"inherits\" takes one of fwtui's own themes: {reason}");
                at_line(line_of_key(text, "inherits"), reason)
            })?
            .paints
        }
        None => BTreeMap::new(),
    };
    let mut given = Vec::new();
    for (word, raw) in &document.tokens.0 {
        let raw = raw.get();
        let begin = line_at(text, offset_of(raw, text));
        let token = Token::named(word).ok_or_else(|| {
            let names = Token::ALL.map(Token::name);
            at_line(
                begin,
                format!("there is no token '{}': {}", printable(word), meant(word, &names)),
            )
        })?;
        if given.contains(&token) {
            return Err(at_line(begin, format!("the token '{token}' is there twice")));
        }
        given.push(token);
        if !raw.starts_with('{') {
            let reason = format!("the token '{token}' is an object, {{ \"rgb\": \"#7aa2f7\", \"ansi\": \"blue\" }}");
            return Err(at_line(begin, reason));
        }
        let entry: Entry = serde_json::from_str(raw).map_err(|error| {
            let line = begin + error.line().saturating_sub(1);
            at_line(line, format!("the token '{token}': {}", reason_of(&error, raw)))
        })?;
        entry.over(paints.entry(token).or_default());
    }
    if let Some(missing) = Token::ALL.into_iter().find(|token| !paints.contains_key(token)) {
        let line = line_of_key(text, "tokens");
        let hint = "with \"inherits\": \"dark\" only those that differ are needed";
        return Err(at_line(line, format!("the token '{missing}' is missing; {hint}")));
    }
    Ok(Theme {
        name: name.to_owned(),
        about: printable_within(&document.about, LONGEST_ABOUT),
        paints,
    })
}

impl Entry {
    fn over(self, paint: &mut Paint) {
        if let Some(HexColor(rgb)) = self.rgb {
            paint.rgb = Some(rgb);
        }
        if let Some(AnsiColor(ansi)) = self.ansi {
            paint.ansi = ansi;
        }
        if let Some(modifiers) = self.modifiers {
            paint.modifiers = modifiers.into_iter().map(|Emphasis(modifier)| modifier).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let sample = include_str!("../../../themes/dark.json");
        for (find, replace, line, complaint) in [
            ("\"dim\"", "\"dimm\"", 6, "no token 'dimm': did you mean 'dim'?"),
            ("\"dim\"", "\"text\"", 6, "'text' is there twice"),
            (
                "\"tokens\": {",
                "\"tokens\": { \"zzzzzzzzz\": {},",
                3,
                "no token 'zzzzzzzzz': use background,",
            ),
            (
                "    \"key\": { \"rgb\": \"#8fc7ff\", \"ansi\": \"cyan\", \"modifiers\": [\"bold\"] },\n",
                "",
                3,
                "'key' is missing",
            ),
            (
                "\"ansi\": \"bright-red\"",
                "\"ansi\": \"bright-rot\"",
                10,
                "'bad': 'bright-rot' is none of the sixteen colours: did you mean 'bright-red'?",
            ),
            ("\"bold\"", "\"blod\"", 7, "no modifier: did you mean 'bold'?"),
            ("\"rgb\"", "\"rbg\"", 4, "unknown field 'rbg': did you mean 'rgb'?"),
            (
                "\"#868e9c\"",
                "\n\"868e9c\"",
                7,
                "'868e9c' is no colour: write it like #7aa2f7",
            ),
            ("\"#868e9c\"", "\"#+68e9c\"", 6, "is no colour"),
            (
                "{ \"rgb\": \"#d3d7df\", \"ansi\": \"default\" }",
                "\"#d3d7df\"",
                5,
                "'text' is an object",
            ),
            ("\"about\"", "\"abuot\"", 2, "did you mean 'about'?"),
            (
                "\"about\"",
                "\"inherits\": \"drak\", \"about\"",
                2,
                "no theme 'drak': did you mean 'dark'?",
            ),
            ("{", "[", 1, "this is a list"),
            ("\"removed\"", "", 24, ""),
        ] {
            let text = sample.replacen(find, replace, 1);
            assert_ne!(text, sample, "{find}");
            let error = theme("mine", &text).unwrap_err();
            assert!(
                error.reason.contains(complaint) && error.line == line,
                "{replace}: {error}"
            );
        }
        let cut = sample.split("\"removed\"").next().unwrap();
        assert!(theme("mine", cut).unwrap_err().reason.contains("ends too early"));
    }

    #[test]
    fn what_is_not_said_is_inherited() {
        let text = r##"{ "name": "x", "inherits": "light", "tokens": { "bad": { "rgb": "#8a0000" }, "dim": { "modifiers": [] } } }"##;
        let (mine, light) = (theme("mine", text).unwrap(), Theme::built_in("light").unwrap());
        assert_eq!((mine.name(), mine.about()), ("mine", ""));
        for token in Token::ALL {
            let (mut mine, light) = (mine.paints[&token], light.paints[&token]);
            if token == Token::Bad {
                assert_eq!(mine.rgb, Some([0x8a, 0, 0]));
                mine.rgb = light.rgb;
            }
            assert_eq!(mine, light, "{token}");
        }
    }
}
