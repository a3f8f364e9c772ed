//! Keys as the command table names them.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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
