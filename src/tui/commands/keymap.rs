//! Which keys the commands have: those of the table, unless the user chose others.

use std::collections::BTreeMap;

use crossterm::event::KeyEvent;

use super::{Command, CommandId, Context, Key, of};

/// The keys of every command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keymap {
    chosen: BTreeMap<(CommandId, Context), Vec<Key>>,
    /// Whether keys are named in ASCII.
    pub is_ascii: bool,
}

impl Keymap {
    /// The keys of a command, the one to show first.
    pub fn keys<'a>(&'a self, command: &'a Command) -> &'a [Key] {
        self.chosen
            .get(&(command.id, command.context))
            .map_or(command.keys, Vec::as_slice)
    }

    /// The key to show for a command; empty where it has none.
    pub fn shown(&self, command: &Command) -> String {
        self.names(command).into_iter().next().unwrap_or_default()
    }

    /// The names of a command's keys.
    pub fn names(&self, command: &Command) -> Vec<String> {
        let name = |key: &Key| if self.is_ascii { key.ascii() } else { key.to_string() };
        self.keys(command).iter().map(name).collect()
    }

    /// What a key asks for: the first of the contexts that knows it decides.
    pub fn lookup(&self, contexts: &[Context], event: &KeyEvent) -> Option<CommandId> {
        contexts
            .iter()
            .flat_map(|context| of(*context))
            .find(|command| self.keys(command).iter().any(|key| key.matches(event)))
            .map(|command| command.id)
    }
}
