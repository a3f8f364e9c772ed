//! Which keys the commands have: those of the table, unless the user chose others.

use std::collections::BTreeMap;

use crossterm::event::KeyEvent;

use super::{Command, CommandId, Context, Key, of, table};
use crate::core::config::Choice;
use crate::core::json::Complaint;
use crate::core::text::{nearest, printable};

/// The keys of every command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keymap {
    chosen: BTreeMap<(CommandId, Context), Vec<Key>>,
    /// Whether keys are named in ASCII.
    pub is_ascii: bool,
}

/// What the user chose for a command, and where.
struct Chosen {
    command: &'static Command,
    keys: Vec<Key>,
    line: usize,
}

impl Keymap {
    /// The keys of the table with the user's over them. A choice that is wrong, or would hide
    /// another command, is left out and named.
    pub fn with(choices: &[Choice]) -> (Self, Vec<Complaint>) {
        let mut complaints = Vec::new();
        let mut chosen = Vec::new();
        for choice in choices {
            match read(choice) {
                Ok(choice) => chosen.push(choice),
                Err(reason) => complaints.push(Complaint {
                    line: choice.line,
                    reason,
                }),
            }
        }
        // What is left out has its keys of the table again, which may collide with other choices.
        while let Some(([one, other], key)) = Self::of(&chosen).collision() {
            let is_in_it = |choice: &Chosen| [one, other].contains(&choice.command);
            let Some(choice) = chosen.iter().rposition(is_in_it).map(|at| chosen.remove(at)) else {
                break;
            };
            let rival = if choice.command == one { other } else { one };
            complaints.push(Complaint {
                line: choice.line,
                reason: format!(
                    "{key} can't be '{}': it is '{}' there ({})",
                    choice.command.name(),
                    rival.name(),
                    rival.doc
                ),
            });
        }
        complaints.sort_by_key(|complaint| complaint.line);
        (Self::of(&chosen), complaints)
    }

    fn of(chosen: &[Chosen]) -> Self {
        let keys = chosen.iter().map(|choice| {
            let Command { id, context, .. } = *choice.command;
            ((id, context), choice.keys.clone())
        });
        Self {
            chosen: keys.collect(),
            is_ascii: false,
        }
    }

    /// Two commands that one key would mean in the same place, at least one of them by the user's
    /// choice; and the key.
    fn collision(&self) -> Option<([&'static Command; 2], Key)> {
        for (index, one) in table().iter().enumerate() {
            for other in table().iter().skip(index + 1) {
                let may_collide = one.id != other.id
                    && (self.is_chosen(one) || self.is_chosen(other))
                    && one.context.is_beside(other.context);
                if !may_collide {
                    continue;
                }
                let shared = self.keys(one).iter().find(|key| self.keys(other).contains(key));
                if let Some(key) = shared.copied() {
                    return Some(([one, other], key));
                }
            }
        }
        None
    }

    /// The keys of a command, the one to show first.
    pub fn keys<'a>(&'a self, command: &'a Command) -> &'a [Key] {
        self.chosen
            .get(&(command.id, command.context))
            .map_or(command.keys, Vec::as_slice)
    }

    /// Whether the user chose the keys of a command.
    pub fn is_chosen(&self, command: &Command) -> bool {
        self.chosen.contains_key(&(command.id, command.context))
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

/// A choice with its command and keys, as far as it can be judged by itself.
fn read(choice: &Choice) -> Result<Chosen, String> {
    let command = find(&choice.command)?;
    let keys = choice.keys.iter().map(|name| Key::parse(name));
    let keys = keys
        .collect::<Result<Vec<Key>, String>>()
        .map_err(|why| format!("'{}': {why}", command.name()))?;
    if let Some(key) = kept(command).iter().find(|key| !keys.contains(key)) {
        return Err(format!(
            "'{}' keeps its key {key}, so that it is always at hand: others may stand beside it",
            command.name()
        ));
    }
    if keys.is_empty() && !command.context.has_palette() {
        return Err(format!("'{}' needs a key: there is no other way to it", command.name()));
    }
    if let Some(key) = keys.iter().find(|key| command.context.is_typed_into() && key.types()) {
        return Err(format!(
            "{key} can't be '{}': characters are typed there; take a key with ctrl, or f1 to f12",
            command.name()
        ));
    }
    Ok(Chosen {
        command,
        keys,
        line: choice.line,
    })
}

/// The command with this name: `services.confine`.
fn find(name: &str) -> Result<&'static Command, String> {
    let shown = printable(name);
    let Some((context, id)) = name.split_once('.') else {
        let meant = table().iter().find(|command| command.id.name() == name);
        return Err(match meant {
            Some(command) => format!("unknown command '{shown}': did you mean '{}'?", command.name()),
            None => format!("unknown command '{shown}': write place.command, like 'services.confine'"),
        });
    };
    let known: Vec<String> = Context::ALL.into_iter().map(Context::name).collect();
    let Some(place) = Context::ALL.into_iter().find(|other| other.name() == context) else {
        let place = printable(context);
        return Err(match nearest(context, known.iter().map(String::as_str)) {
            Some(meant) => format!("'{shown}': there is no place '{place}': did you mean '{meant}'?"),
            None => format!("'{shown}': there is no place '{place}'; there are {}", known.join(", ")),
        });
    };
    of(place).find(|command| command.id.name() == id).ok_or_else(|| {
        let there: Vec<String> = of(place).map(|command| command.id.name()).collect();
        let elsewhere = table().iter().find(|command| command.id.name() == id);
        match (nearest(id, there.iter().map(String::as_str)), elsewhere) {
            (_, Some(command)) => format!("unknown command '{shown}': did you mean '{}'?", command.name()),
            (Some(meant), None) => format!("unknown command '{shown}': did you mean '{context}.{meant}'?"),
            (None, None) => format!("unknown command '{shown}'; there are {}", there.join(", ")),
        }
    })
}

/// The keys that a command has whatever the user chooses: the ways out, the yes, and those that the
/// banner of a trial and the messages about it name.
const fn kept(command: &Command) -> &'static [Key] {
    match (command.id, command.keys) {
        (
            CommandId::Interrupt
            | CommandId::Cancel
            | CommandId::Submit
            | CommandId::Accept
            | CommandId::Keep
            | CommandId::Revert
            | CommandId::Extend,
            [first, ..],
        ) => std::slice::from_ref(first),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(choices: &[(&str, &[&str])]) -> (Keymap, Vec<String>) {
        let choices: Vec<Choice> = choices
            .iter()
            .enumerate()
            .map(|(index, (command, keys))| Choice {
                command: (*command).to_owned(),
                keys: keys.iter().map(|key| (*key).to_owned()).collect(),
                line: index + 1,
            })
            .collect();
        let (keymap, complaints) = Keymap::with(&choices);
        (keymap, complaints.iter().map(ToString::to_string).collect())
    }

    fn shown(keymap: &Keymap, name: &str) -> String {
        keymap.shown(find(name).unwrap())
    }

    #[test]
    fn the_users_keys_stand_in_the_place_of_the_tables() {
        let (keymap, complaints) = with(&[
            ("services.confine", &["f6", "C"]),
            ("moving.down", &["down", "j"]),
            ("screens.quit", &["ctrl-q"]),
            ("services.sort", &[]),
        ]);
        assert_eq!(complaints, [""; 0]);
        assert_eq!(shown(&keymap, "services.confine"), "F6");
        assert_eq!(shown(&keymap, "services.sort"), "");
        assert_eq!(shown(&keymap, "services.open"), "o");
        let contexts = [Context::Services, Context::Screens, Context::Moving];
        assert_eq!(keymap.lookup(&contexts, &Key::char('j').event()), Some(CommandId::Down));
        assert_eq!(keymap.lookup(&contexts, &Key::char('q').event()), None);
    }

    #[test]
    fn keys_may_be_exchanged_but_not_given_twice() {
        let (keymap, complaints) = with(&[("services.confine", &["t"]), ("services.trust", &["c"])]);
        assert_eq!(complaints, [""; 0]);
        assert_eq!(shown(&keymap, "services.trust"), "c");
        let (keymap, complaints) = with(&[("services.confine", &["x"]), ("services.open", &["x"])]);
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(
            complaints[0].contains("x can't be 'services.open': it is 'services.confine' there"),
            "{complaints:?}"
        );
        assert_eq!(
            (shown(&keymap, "services.open"), shown(&keymap, "services.confine")),
            ("o".into(), "x".into())
        );
    }

    #[test]
    fn what_is_left_out_takes_what_builds_on_it_along() {
        // With t refused for confine, trust's c is confine's again.
        let (keymap, complaints) = with(&[("services.trust", &["c"]), ("services.confine", &["k"])]);
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert_eq!(keymap, Keymap::default());
    }

    #[test]
    fn no_choice_hides_a_key_of_a_trial_or_a_way_out() {
        for (command, keys, words) in [
            ("services.confine", vec!["k"], "'trial.keep'"),
            ("moving.up", vec!["k"], "'trial.keep'"),
            ("screens.quit", vec!["r"], "'trial.revert'"),
            ("services.confine", vec!["ctrl-c"], "'always.interrupt'"),
            ("services.confine", vec!["a"], "'screens.apply'"),
            ("always.interrupt", vec!["ctrl-q"], "keeps its key ctrl-c"),
            ("always.interrupt", vec![], "keeps its key ctrl-c"),
            ("trial.revert", vec!["x"], "keeps its key r"),
            ("trial.keep", vec![], "keeps its key k"),
            ("reading.cancel", vec!["x"], "keeps its key esc"),
            ("asking.accept", vec!["x"], "keeps its key y"),
            // In the questions whether to keep, the trial's keys hold as well.
            ("asking.accept", vec!["y", "r"], "'trial.revert'"),
            ("asking.accept", vec!["y", "k"], "'trial.keep'"),
            ("asking.accept", vec!["y", "m"], "'trial.extend'"),
            ("asking.cancel", vec!["esc", "r"], "'trial.revert'"),
            ("doubting.accept", vec!["y", "r"], "'trial.revert'"),
            ("trial.revert", vec!["r", "y"], "'asking.accept'"),
            ("trial.extend", vec!["m", "y"], "'asking.accept'"),
            ("reading.cancel", vec!["esc", "r"], "'trial.revert'"),
            ("way.switch-time", vec![], "needs a key"),
            ("typing.erase", vec!["x"], "characters are typed there"),
        ] {
            let (keymap, complaints) = with(&[(command, &keys)]);
            assert_eq!(complaints.len(), 1, "{command} {keys:?}");
            assert!(complaints[0].contains(words), "{complaints:?}");
            assert_eq!(keymap, Keymap::default(), "{command} {keys:?}");
        }
    }

    #[test]
    fn unknown_words_are_told_with_the_nearest() {
        for (command, key, words) in [
            ("servces.confine", "x", "did you mean 'services'?"),
            ("services.confin", "x", "did you mean 'services.confine'?"),
            ("services.apply", "x", "did you mean 'screens.apply'?"),
            ("confine", "x", "did you mean 'services.confine'?"),
            ("nonsense", "x", "write place.command"),
            ("services.confine", "spaec", "did you mean 'space'?"),
            ("\u{1b}[2J.x", "x", "there is no place '?[2J'"),
        ] {
            let (_, complaints) = with(&[(command, &[key])]);
            assert_eq!(complaints.len(), 1, "{command}");
            assert!(
                complaints[0].contains(words) && complaints[0].starts_with("line 1: "),
                "{complaints:?}"
            );
        }
    }

    #[test]
    fn the_table_itself_has_no_collision() {
        let all: Vec<Choice> = table()
            .iter()
            .filter(|command| !command.keys.is_empty())
            .map(|command| Choice {
                command: command.name(),
                keys: command.keys.iter().map(ToString::to_string).collect(),
                line: 1,
            })
            .collect();
        let (_, complaints) = Keymap::with(&all);
        assert_eq!(complaints, []);
    }
}
