//! What is typed, and what is pasted.
//!
//! A paste is text: it is never taken for commands. Terminals that know of it say where one begins
//! and ends (bracketed paste, private mode 2004). Of the others it is told by its speed.

use std::io;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, MouseEventKind, poll, read};
use signal_hook::consts::SIGHUP;

use super::Event;
use crate::tui::commands::typed;
use crate::tui::msg::Msg;

/// So many characters at once were not typed: a key that is held down gives 30 in a second.
const FLOOD: usize = 64;
/// What comes within this time belongs together. Not nothing: then nothing would be read.
const AT_ONCE: Duration = Duration::from_millis(1);
/// What comes within this time after a flood is the rest of it.
const AFTERWARDS: Duration = Duration::from_millis(50);
/// A flood that is longer is told in parts.
const MOST: usize = 16 * 1024;

/// Reads keys until the terminal or the screens are gone.
pub(super) fn read_terminal(sender: &SyncSender<Event>) {
    let mut is_flood = false;
    loop {
        let Ok(burst) = burst(is_flood) else {
            sender.send(Event::End(SIGHUP)).ok();
            return;
        };
        let msgs;
        (msgs, is_flood) = told(burst, is_flood);
        for msg in msgs {
            if sender.send(Event::Msg(msg)).is_err() {
                return;
            }
        }
    }
}

/// What comes at once. After a flood it is waited for its rest; nothing may come of that.
fn burst(is_flood: bool) -> io::Result<Vec<TerminalEvent>> {
    if is_flood && !poll(AFTERWARDS)? {
        return Ok(Vec::new());
    }
    let mut burst = vec![read()?];
    while burst.len() < MOST && poll(AT_ONCE)? {
        burst.push(read()?);
    }
    Ok(burst)
}

/// The messages for a burst, and whether it ends in a flood.
fn told(burst: Vec<TerminalEvent>, mut is_flood: bool) -> (Vec<Msg>, bool) {
    if burst.is_empty() {
        return (Vec::new(), false);
    }
    let mut msgs = Vec::new();
    let mut run = Vec::new();
    for event in burst {
        match event {
            TerminalEvent::Key(key) if letter(&key).is_some() => run.push(key),
            other => {
                msgs.extend(ended(&mut run, is_flood));
                is_flood = false;
                msgs.extend(message(other));
            }
        }
    }
    let is_flood = !run.is_empty() && (is_flood || run.len() >= FLOOD);
    msgs.extend(ended(&mut run, is_flood));
    (msgs, is_flood)
}

/// A run of letters: keys, or what was pasted.
fn ended(run: &mut Vec<KeyEvent>, is_flood: bool) -> Vec<Msg> {
    let run = std::mem::take(run);
    if is_flood && !run.is_empty() || run.len() >= FLOOD {
        return vec![Msg::Paste(run.iter().filter_map(letter).collect())];
    }
    run.into_iter().map(Msg::Key).collect()
}

/// The character of a key that a text may consist of.
fn letter(key: &KeyEvent) -> Option<char> {
    match key.code {
        _ if key.kind == KeyEventKind::Release => None,
        KeyCode::Enter => Some('\n'),
        KeyCode::Tab => Some('\t'),
        _ => typed(key),
    }
}

fn message(event: TerminalEvent) -> Option<Msg> {
    match event {
        TerminalEvent::Key(event) => Some(Msg::Key(event)),
        TerminalEvent::Mouse(event) if event.kind != MouseEventKind::Moved => Some(Msg::Mouse(event)),
        TerminalEvent::Resize(width, height) => Some(Msg::Resize(width, height)),
        TerminalEvent::Paste(text) => Some(Msg::Paste(text)),
        TerminalEvent::Mouse(_) | TerminalEvent::FocusGained | TerminalEvent::FocusLost => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyModifiers;

    fn keys(text: &str) -> Vec<TerminalEvent> {
        let code = |character| match character {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            other => KeyCode::Char(other),
        };
        let key = |character| TerminalEvent::Key(KeyEvent::new(code(character), KeyModifiers::NONE));
        text.chars().map(key).collect()
    }

    /// Keys as one character each, pastes in brackets.
    fn shown(msgs: &[Msg]) -> String {
        let shown = msgs.iter().map(|msg| match msg {
            Msg::Key(key) if key.code == KeyCode::Esc => "E".to_owned(),
            Msg::Key(key) => letter(key).unwrap().to_string(),
            Msg::Paste(text) => format!("[{text}]"),
            other => format!("{other:?}"),
        });
        shown.collect()
    }

    #[test]
    fn what_is_typed_stays_keys() {
        let (msgs, is_flood) = told(keys("/sshd\nc\u{1b}"), false);
        assert_eq!((shown(&msgs).as_str(), is_flood), ("/sshd\ncE", false));
    }

    #[test]
    fn a_flood_of_letters_is_a_paste_and_so_is_its_rest() {
        let text = "y\n".repeat(FLOOD);
        let (msgs, is_flood) = told(keys(&text), false);
        assert_eq!((shown(&msgs), is_flood), (format!("[{text}]"), true));
        let (msgs, is_flood) = told(keys("ya"), is_flood);
        assert_eq!((shown(&msgs).as_str(), is_flood), ("[ya]", true));
        // Nothing came for a while: what comes now is typed.
        let (msgs, is_flood) = told(Vec::new(), is_flood);
        assert_eq!((msgs.len(), is_flood), (0, false));
        let (msgs, _) = told(keys("ya"), is_flood);
        assert_eq!(shown(&msgs), "ya");
    }

    #[test]
    fn any_other_key_ends_a_flood() {
        let text = "x".repeat(FLOOD);
        let (msgs, is_flood) = told(keys(&format!("{text}\u{1b}ab")), false);
        assert_eq!((shown(&msgs), is_flood), (format!("[{text}]Eab"), false));
        let (msgs, is_flood) = told(keys("a\u{1b}b"), true);
        assert_eq!((shown(&msgs).as_str(), is_flood), ("[a]Eb", false));
    }
}
