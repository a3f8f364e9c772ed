//! The screens: sessions replayed through `update`, and what `view` draws, compared cell by cell
//! with the files beside this one. `UPDATE_SNAPSHOTS=1` writes those files anew.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which also reads UPDATE_SNAPSHOTS"
)]

mod access;
mod applying;
mod ascii;
mod blocks;
mod cases;
mod checkup;
mod disabling;
mod endings;
mod fixture;
mod honesty;
mod keymaps;
mod mouse;
mod palette;
mod planning;
mod replay;
mod screens;
mod services;
mod sessions;
mod setup;
mod snapshot;
mod themes;
mod trials;
mod waiting;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use fwtui::app::Observation;
use fwtui::tui::theme::ColorDepth;
use fwtui::tui::{Depth, Effect, Model, Msg, Settings, update};

/// A session under way.
struct Session {
    model: Model,
    effects: Vec<Effect>,
}

impl Session {
    /// On a terminal of this size, nothing seen yet.
    fn unseen(size: (u16, u16)) -> Self {
        let settings = Settings {
            color: ColorDepth::True,
            ..Settings::default()
        };
        Self {
            model: Model::new(keymaps::settings(settings), size, fixture::NOW),
            effects: Vec::new(),
        }
    }

    /// On a machine that has been looked at.
    fn on(size: (u16, u16), observation: Observation) -> Self {
        let mut session = Self::unseen(size);
        session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
        session.model.notice = None;
        // A trial that runs already is told of; that is a test of its own.
        session.model.popups.clear();
        session
    }

    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = update(&mut self.model, msg);
        // What takes nothing but time is answered at once.
        while let Some(at) = effects.iter().position(|effect| effect.answer().is_some()) {
            let answer = effects.remove(at).answer().unwrap();
            effects.extend(update(&mut self.model, answer));
        }
        self.effects.extend(effects.clone());
        effects
    }

    /// Presses keys: characters, or names as `enter`, `esc`, `down`, `f5`, `ctrl-c`, separated by spaces.
    fn keys(&mut self, keys: &str) -> Vec<Effect> {
        keys.split(' ')
            .flat_map(|name| self.send(Msg::Key(key(name))))
            .collect()
    }

    /// Types a text.
    fn text(&mut self, text: &str) {
        for character in text.chars() {
            self.send(Msg::Key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE)));
        }
    }

    /// The message on the line for the user.
    fn notice(&self) -> &str {
        self.model.notice.as_ref().map_or("", |notice| &notice.text)
    }
}

fn key(name: &str) -> KeyEvent {
    if let Some(character) = name.strip_prefix("ctrl-") {
        return KeyEvent::new(KeyCode::Char(character.chars().next().unwrap()), KeyModifiers::CONTROL);
    }

    let shifted = |code| KeyEvent::new(code, KeyModifiers::SHIFT);
    let code = match name {
        "shift-down" => return shifted(KeyCode::Down),
        "shift-up" => return shifted(KeyCode::Up),
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "pgdn" => KeyCode::PageDown,
        "pgup" => KeyCode::PageUp,
        "end" => KeyCode::End,
        "home" => KeyCode::Home,
        "tab" => KeyCode::Tab,
        "backspace" => KeyCode::Backspace,
        "delete" => KeyCode::Delete,
        "space" => KeyCode::Char(' '),
        "f1" => KeyCode::F(1),
        "f2" => KeyCode::F(2),
        "f5" => KeyCode::F(5),
        one => {
            let mut characters = one.chars();
            let character = characters.next().unwrap();
            assert_eq!(characters.next(), None, "no key is called {one}");
            KeyCode::Char(character)
        }
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}
