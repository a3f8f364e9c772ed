//! One command of iptables, on a command line or in a file for iptables-restore.

use super::held::{Held, HeldChain, HeldRule};
use super::normal;
use crate::core::listener::Family;

/// What one does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wish {
    table: Option<String>,
    /// `-A`, `-I`, ...; none where it changes nothing.
    verb: Option<char>,
    chain: Option<String>,
    /// The rule's number, the new name or the policy.
    value: Option<String>,
    /// What belongs to the rule.
    rule: Vec<String>,
    /// `-4` and `-6` bind a line of a file to a family.
    family: Option<Family>,
}

/// The tables of iptables.
const TABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// So many words a rule has at most: iptables-restore takes no more (`MAX_ARGC`).
const MOST_WORDS: usize = 255;

/// The verbs by their long names.
const LONG: [(&str, char); 14] = [
    ("--append", 'A'),
    ("--insert", 'I'),
    ("--delete", 'D'),
    ("--replace", 'R'),
    ("--policy", 'P'),
    ("--flush", 'F'),
    ("--new-chain", 'N'),
    ("--delete-chain", 'X'),
    ("--rename-chain", 'E'),
    ("--new", 'N'),
    ("--zero", 'Z'),
    ("--list", 'L'),
    ("--list-rules", 'S'),
    ("--check", 'C'),
];

/// Does what the words say, in a table that they need not name.
///
/// # Errors
/// What makes no sense, or can't be known: then nothing was done.
pub(super) fn perform(
    held: &mut Held,
    family: Family,
    table: &str,
    words: &[String],
    shown: Option<&str>,
    line: usize,
) -> Result<(), String> {
    if words.len() > MOST_WORDS {
        return Err(format!("it has more than {MOST_WORDS} words"));
    }
    let wish = wish(words)?;
    if wish.family.is_some_and(|wanted| wanted != family) {
        return Ok(());
    }
    let Some(verb) = wish.verb else {
        return match wish.rule.as_slice() {
            [] => Ok(()),
            _ => Err("it does not say what to do (-A, -I, -P ...)".to_owned()),
        };
    };
    if matches!(verb, 'Z' | 'L' | 'S' | 'C') {
        return Ok(());
    }
    let name = wish.table.as_deref().unwrap_or(table);
    for word in [Some(name), wish.chain.as_deref()].into_iter().flatten() {
        if word.contains(['$', '`']) {
            return Err(format!("where it belongs can't be known: {word}"));
        }
    }
    if wish.table.is_some() && !TABLES.contains(&name) {
        return Err(format!("there is no table {name}"));
    }
    let chain = || wish.chain.clone().ok_or_else(|| format!("'-{verb}' lacks its chain"));
    let made = match verb {
        'A' | 'I' | 'D' | 'R' => normal::rules(&wish.rule, family)?,
        _ => Vec::new(),
    };
    let table = held.table(family, name);
    match verb {
        'P' => {
            let chain = table.chains.entry(chain()?).or_default();
            chain.policy = wish.value;
            chain.policy_line = Some(line);
        }
        'F' => match wish.chain {
            Some(name) => {
                if let Some(chain) = table.chains.get_mut(&name) {
                    chain.rules.clear();
                }
            }
            None => table.chains.values_mut().for_each(|chain| chain.rules.clear()),
        },
        'N' => {
            table.chains.entry(chain()?).or_default();
        }
        'X' => match wish.chain {
            Some(name) => {
                if table.chains.get(&name).is_some_and(HeldChain::may_go) {
                    table.chains.remove(&name);
                }
            }
            None => table.chains.retain(|_, chain| !chain.may_go()),
        },
        'E' => {
            let new = wish.value.clone().ok_or("'-E' lacks the new name")?;
            if let Some(renamed) = table.chains.remove(&chain()?) {
                table.chains.insert(new, renamed);
            }
        }
        _ => {
            let name = chain()?;
            let rules: Vec<HeldRule> = made
                .into_iter()
                .map(|words| HeldRule {
                    text: shown.map_or_else(|| normal::text(&name, &words), str::to_owned),
                    words,
                    line,
                })
                .collect();
            let chain = table.chains.entry(name).or_default();
            let number = wish.value.as_deref().and_then(|number| number.parse::<usize>().ok());
            chain.change(verb, number, rules);
        }
    }
    Ok(())
}

impl HeldChain {
    /// Whether `-X` takes it away.
    const fn may_go(&self) -> bool {
        self.policy.is_none() && self.rules.is_empty()
    }

    fn change(&mut self, verb: char, number: Option<usize>, rules: Vec<HeldRule>) {
        let at = number.unwrap_or(1).saturating_sub(1).min(self.rules.len());
        match verb {
            'A' => self.rules.extend(rules),
            'I' => {
                self.rules.splice(at..at, rules);
            }
            'R' => {
                if at < self.rules.len() {
                    self.rules.splice(at..=at, rules);
                }
            }
            _ if number.is_some() => {
                if at < self.rules.len() {
                    self.rules.remove(at);
                }
            }
            _ => {
                for gone in rules {
                    if let Some(at) = self.rules.iter().position(|rule| rule.words == gone.words) {
                        self.rules.remove(at);
                    }
                }
            }
        }
    }
}

/// Sorts the words.
fn wish(words: &[String]) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        let is_value = |word: &&String| !word.starts_with('-') && *word != "!";
        let mut take = || {
            let (value, after) = rest.split_first().filter(|(word, _)| is_value(word))?;
            rest = after;
            Some(value.clone())
        };
        let (name, attached) = match word.split_at_checked(2) {
            Some((short, value)) if !word.starts_with("--") && !value.is_empty() => (short, Some(value)),
            _ => match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (word.as_str(), None),
            },
        };
        let long = LONG.iter().find(|(long, _)| *long == name).map(|(_, verb)| *verb);
        let short = name.strip_prefix('-').and_then(|letter| match letter {
            "A" | "I" | "D" | "R" | "P" | "F" | "N" | "X" | "E" | "Z" | "L" | "S" | "C" => letter.chars().next(),
            _ => None,
        });
        let mut value = || attached.map(str::to_owned).or_else(&mut take);
        match (long.or(short), name) {
            (Some(verb), _) => {
                if wish.verb.is_some() && verb != 'Z' {
                    return Err("it says two things at once".to_owned());
                }
                wish.verb = wish.verb.or(Some(verb));
                wish.chain = wish.chain.take().or_else(&mut value);
                if matches!(verb, 'P' | 'E') {
                    wish.value = take();
                    if wish.value.is_none() {
                        return Err(format!("'-{verb}' lacks a word"));
                    }
                } else if matches!(verb, 'I' | 'D' | 'R')
                    && rest.first().is_some_and(|word| word.parse::<usize>().is_ok())
                {
                    wish.value = rest.first().cloned();
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
            (None, "-t" | "--table") => {
                wish.table = Some(value().ok_or("'-t' lacks its table")?);
            }
            (None, "-w" | "--wait" | "-W" | "--wait-interval") => {
                if attached.is_none() && rest.first().is_some_and(|word| word.parse::<u64>().is_ok()) {
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
            (
                None,
                "-v" | "--verbose" | "-n" | "--numeric" | "-x" | "--exact" | "--line-numbers" | "-V" | "-h" | "--help",
            ) => {
                if attached.is_some_and(|more| more.contains(['L', 'S'])) {
                    wish.verb = Some('L');
                }
            }
            (None, "--modprobe") => {}
            (None, "-4" | "--ipv4") => wish.family = Some(Family::Ipv4),
            (None, "-6" | "--ipv6") => wish.family = Some(Family::Ipv6),
            (None, _) => {
                wish.rule.push(word.clone());
                // The value of an option may look like anything.
                if crate::core::netfilter::save::takes_any_text(word) {
                    wish.rule.extend(rest.first().cloned());
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
        }
    }
    Ok(wish)
}
