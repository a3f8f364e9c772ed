//! Keys as the command table names them.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::core::text::{nearest, printable};

/// A key with the one modifier that terminals report reliably, or with shift where they mostly do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    has_ctrl: bool,
    /// With an arrow; elsewhere shift is in the character itself.
    has_shift: bool,
}

impl Key {
    /// A character; capital letters stand for themselves.
    pub const fn char(character: char) -> Self {
        Self::code(KeyCode::Char(character))
    }

    /// A character with ctrl.
    pub const fn ctrl(character: char) -> Self {
        Self {
            code: KeyCode::Char(character),
            has_ctrl: true,
            has_shift: false,
        }
    }

    /// Any other key.
    pub const fn code(code: KeyCode) -> Self {
        Self {
            code,
            has_ctrl: false,
            has_shift: false,
        }
    }

    /// An arrow with shift, which some terminals keep for themselves.
    pub const fn shift(code: KeyCode) -> Self {
        Self {
            code,
            has_ctrl: false,
            has_shift: true,
        }
    }

    /// The key with this name: `x`, `ctrl-l`, `space`, `f5`, `pgdn`, `right` or `→`.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn parse(name: &str) -> Result<Self, String> {
        let lower = name.to_lowercase();
        if let Some(code) = match lower.as_str() {
            "shift-up" | "shift-↑" => Some(KeyCode::Up),
            "shift-down" | "shift-↓" => Some(KeyCode::Down),
            _ => None,
        } {
            return Ok(Self::shift(code));
        }
        if let Some((code, _)) = NAMES.iter().find(|(_, names)| names.contains(&lower.as_str())) {
            return Ok(Self::code(*code));
        }
        let mut characters = name.chars();
        match (characters.next(), characters.next()) {
            (None, _) => return Err("a key has a name, and this is none".to_owned()),
            (Some(character), None) if printable(name) == name => return Ok(Self::char(character)),
            _ => {}
        }
        if let Some(rest) = lower.strip_prefix("ctrl-") {
            return controlled(rest);
        }
        if let Some(Ok(number @ 1..=12)) = lower.strip_prefix('f').map(str::parse) {
            return Ok(Self::code(KeyCode::F(number)));
        }
        let shown = printable(name);
        if lower.starts_with("alt-") || lower.starts_with("meta-") {
            return Err(format!("'{shown}': terminals do not report alt reliably; ctrl they do"));
        }
        if lower.starts_with("shift-") {
            return Err(format!("'{shown}': write the character that shift gives, like 'X'"));
        }
        let known = NAMES.iter().flat_map(|(_, names)| names.iter().copied());
        Err(match nearest(&lower, known) {
            Some(meant) => format!("there is no key '{shown}': did you mean '{meant}'?"),
            None => format!("there is no key '{shown}': write x, ctrl-x, space, f5, pgdn and the like"),
        })
    }

    /// Whether it types a character into a line of text.
    pub const fn types(self) -> bool {
        !self.has_ctrl && matches!(self.code, KeyCode::Char(_))
    }

    /// What a terminal would tell of it.
    pub const fn event(self) -> KeyEvent {
        let modifiers = match (self.has_ctrl, self.has_shift) {
            (true, _) => KeyModifiers::CONTROL,
            (false, true) => KeyModifiers::SHIFT,
            (false, false) => KeyModifiers::NONE,
        };
        KeyEvent::new(self.code, modifiers)
    }

    /// Whether this key was pressed. Shift is in the character itself; alt makes it another key.
    pub fn matches(self, event: &KeyEvent) -> bool {
        let is_shifted =
            matches!(self.code, KeyCode::Up | KeyCode::Down) && event.modifiers.contains(KeyModifiers::SHIFT);
        self.code == event.code
            && self.has_shift == is_shifted
            && self.has_ctrl == event.modifiers.contains(KeyModifiers::CONTROL)
            && !event.modifiers.contains(KeyModifiers::ALT)
    }
}

/// Keys that are no characters, and what they are called.
const NAMES: [(KeyCode, &[&str]); 16] = [
    (KeyCode::Char(' '), &["space"]),
    (KeyCode::Enter, &["enter", "return"]),
    (KeyCode::Esc, &["esc", "escape"]),
    (KeyCode::Tab, &["tab"]),
    (KeyCode::BackTab, &["shift-tab", "backtab"]),
    (KeyCode::Backspace, &["backspace"]),
    (KeyCode::Delete, &["delete", "del"]),
    (KeyCode::Insert, &["insert", "ins"]),
    (KeyCode::Home, &["home"]),
    (KeyCode::End, &["end"]),
    (KeyCode::PageUp, &["pgup", "pageup"]),
    (KeyCode::PageDown, &["pgdn", "pagedown"]),
    (KeyCode::Up, &["up", "\u{2191}"]),
    (KeyCode::Down, &["down", "\u{2193}"]),
    (KeyCode::Left, &["left", "\u{2190}"]),
    (KeyCode::Right, &["right", "\u{2192}"]),
];

/// A letter with ctrl; terminals send the same for some of them as for other keys.
fn controlled(letter: &str) -> Result<Key, String> {
    let same = match letter {
        "i" => "tab",
        "m" | "j" => "enter",
        "h" => "backspace",
        "[" => "esc",
        _ => "",
    };
    if !same.is_empty() {
        return Err(format!(
            "terminals send the same for ctrl-{letter} as for {same}: write {same}"
        ));
    }
    let mut characters = letter.chars();
    match (characters.next(), characters.next()) {
        (Some(letter @ 'a'..='z'), None) => Ok(Key::ctrl(letter)),
        _ => Err(format!(
            "'ctrl-{}': with ctrl goes one letter, like ctrl-x",
            printable(letter)
        )),
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_ctrl {
            f.write_str("ctrl-")?;
        }
        if self.has_shift {
            f.write_str("shift-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(character) => write!(f, "{character}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("pgup"),
            KeyCode::PageDown => f.write_str("pgdn"),
            KeyCode::BackTab => f.write_str("shift-tab"),
            other => write!(f, "{}", format!("{other:?}").to_lowercase()),
        }
    }
}

impl Key {
    /// The name where only ASCII is shown: an arrow drawn as `v` would be taken for the letter.
    pub fn ascii(self) -> String {
        match self.code {
            KeyCode::Up | KeyCode::Down | KeyCode::Left | KeyCode::Right => {
                let shift = if self.has_shift { "shift-" } else { "" };
                format!("{shift}{}", format!("{:?}", self.code).to_lowercase())
            }
            _ => self.to_string(),
        }
    }
}

/// The character a key press types into a line of text; none for keys that type nothing.
pub fn typed(event: &KeyEvent) -> Option<char> {
    match event.code {
        KeyCode::Char(character) if !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
            Some(character)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_tell_keys_apart() {
        let plain = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::NONE);
        let ctrl = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        let alt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::ALT);
        assert!(Key::char('c').matches(&plain) && !Key::char('c').matches(&ctrl) && !Key::char('c').matches(&alt));
        assert!(Key::ctrl('c').matches(&ctrl) && !Key::ctrl('c').matches(&plain));
        assert_eq!(typed(&plain), Some('c'));
        assert_eq!(typed(&ctrl), None);
    }

    #[test]
    fn shift_is_in_the_character() {
        let shifted = KeyEvent::new(KeyCode::Char('?'), KeyModifiers::SHIFT);
        assert!(Key::char('?').matches(&shifted));
        assert_eq!(typed(&shifted), Some('?'));
    }

    #[test]
    fn every_key_of_the_table_has_its_name_read_back() {
        for key in crate::tui::commands::table().iter().flat_map(|command| command.keys) {
            assert_eq!(Key::parse(&key.to_string()), Ok(*key), "{key}");
            assert_eq!(Key::parse(&key.ascii()), Ok(*key), "{key} in ASCII");
        }
        for (name, key) in [
            ("X", Key::char('X')),
            ("Ctrl-L", Key::ctrl('l')),
            ("space", Key::char(' ')),
            (" ", Key::char(' ')),
            ("F12", Key::code(KeyCode::F(12))),
            ("right", Key::code(KeyCode::Right)),
            ("PgDn", Key::code(KeyCode::PageDown)),
            ("\u{e4}", Key::char('\u{e4}')),
        ] {
            assert_eq!(Key::parse(name), Ok(key), "{name}");
        }
    }

    #[test]
    fn what_is_no_key_is_told_with_what_was_meant() {
        for (name, words) in [
            ("", "a key has a name"),
            ("spcae", "did you mean 'space'?"),
            ("alt-x", "alt"),
            ("shift-x", "'X'"),
            ("ctrl-i", "write tab"),
            ("ctrl-\u{e4}", "one letter"),
            ("f13", "there is no key 'f13'"),
            ("\u{1b}", "there is no key '?'"),
            ("\u{202e}", "there is no key '?'"),
        ] {
            let error = Key::parse(name).unwrap_err();
            assert!(error.contains(words), "{name}: {error}");
            assert!(!error.contains('\u{1b}'));
        }
    }

    #[test]
    fn keys_are_named_as_they_are_labelled() {
        let names = [
            Key::char(' '),
            Key::ctrl('l'),
            Key::code(KeyCode::F(5)),
            Key::code(KeyCode::Esc),
        ]
        .map(|key| key.to_string());
        assert_eq!(names, ["space", "ctrl-l", "F5", "esc"]);
    }
}
