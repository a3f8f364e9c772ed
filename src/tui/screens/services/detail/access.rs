//! Who can connect, network by network, in as few lines as possible.

use crate::core::listener::Family;
use crate::core::netfilter::Tool;
use crate::core::overview::{Fared, NetworkReach};
use crate::core::reach::{Fate, Who};
use crate::core::text::printable_within;
use crate::tui::theme::Token;

/// So many of a group are named.
const MOST: usize = 6;
const THIS_MACHINE: &str = "this machine";

/// How they fare, in short: two networks with the same are told together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Short {
    now: String,
    after: String,
    may_arrive: bool,
}

/// Those on an interface who fare the same.
#[derive(Debug)]
struct Alike {
    interface: String,
    who: Vec<Who>,
    families: Vec<Family>,
    label: Option<String>,
    short: Short,
}

/// A sentence for every group that fares the same: first those for whom something changes, then those
/// who get in; that this machine does is no news.
pub(super) fn sentences(networks: &[NetworkReach]) -> Vec<(Token, String)> {
    let mut groups: Vec<(Short, Vec<String>)> = Vec::new();
    for some in folded(networks) {
        let label = some.label(networks);
        match groups.iter_mut().find(|(short, _)| *short == some.short) {
            Some((_, labels)) => labels.push(label),
            None => groups.push((some.short, vec![label])),
        }
    }
    let is_this_machine = |labels: &[String]| labels.iter().all(|label| label.starts_with(THIS_MACHINE));
    groups.sort_by_key(|(short, labels)| (is_this_machine(labels), short.now == short.after, !short.may_arrive));
    groups.iter().map(|(short, labels)| sentence(short, labels)).collect()
}

fn sentence(short: &Short, labels: &[String]) -> (Token, String) {
    let shown: Vec<&str> = labels.iter().take(MOST).map(String::as_str).collect();
    let more = match labels.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let who = format!("{}{more}", shown.join(", "));
    match short.now == short.after {
        true => (Token::Dim, format!("{who}: {}, now and after.", short.now)),
        false => (Token::Text, format!("{who}: now {}, after {}.", short.now, short.after)),
    }
}

/// Families that agree are one, and so are neighbours and strangers.
fn folded(networks: &[NetworkReach]) -> Vec<Alike> {
    let mut by_family: Vec<Alike> = Vec::new();
    for network in networks {
        let short = Short::of(network);
        let is_named = network.who == Who::Named;
        let same = by_family.iter_mut().find(|some| {
            !is_named && some.interface == network.interface && some.who == [network.who] && some.short == short
        });
        match same {
            Some(known) => known.families.push(network.family),
            None => by_family.push(Alike {
                interface: network.interface.clone(),
                who: vec![network.who],
                families: vec![network.family],
                label: is_named.then(|| network.now.from.to_string()),
                short,
            }),
        }
    }
    let mut all: Vec<Alike> = Vec::new();
    for some in by_family {
        let same = all.iter_mut().find(|other| {
            some.label.is_none()
                && other.label.is_none()
                && (&other.interface, &other.families, &other.short) == (&some.interface, &some.families, &some.short)
        });
        match same {
            Some(other) => other.who.extend(some.who),
            None => all.push(some),
        }
    }
    all
}

impl Alike {
    fn label(&self, networks: &[NetworkReach]) -> String {
        if let Some(label) = &self.label {
            return label.clone();
        }
        let there = |is: &dyn Fn(&NetworkReach) -> bool| {
            networks
                .iter()
                .any(|network| network.interface == self.interface && network.who != Who::Named && is(network))
        };
        let is_all = !there(&|network| !self.who.contains(&network.who));
        let family = match self.families.as_slice() {
            [family] if there(&|network| network.family != *family && self.who.contains(&network.who)) => {
                format!(" ({family})")
            }
            _ => String::new(),
        };
        let text = match self.who.as_slice() {
            [Who::ThisMachine, ..] => format!("{THIS_MACHINE}{family}"),
            [who] if !is_all => format!("{} on {}{family}", who.words(), self.interface),
            _ => format!("{}{family}", self.interface),
        };
        printable_within(&text, 64)
    }
}

impl Short {
    fn of(network: &NetworkReach) -> Self {
        Self {
            now: fared(&network.now),
            after: fared(&network.after),
            may_arrive: network.after.fate.may_arrive(),
        }
    }
}

fn fared(fared: &Fared) -> String {
    let word = match fared.fate {
        Fate::Accepted => "let in",
        Fate::Refused => "refused",
        Fate::Dropped => "dropped",
        Fate::Unknown { may_arrive: true } => "unknown",
        Fate::Unknown { may_arrive: false } => "kept out",
    };
    match (fared.decided_by.owner, fared.fate) {
        (Tool::Kernel, Fate::Accepted) => word.to_owned(),
        (Tool::Admin, _) => format!("{word} (a rule of the admin)"),
        (Tool::Unknown, _) => format!("{word} (another tool)"),
        (owner, _) => format!("{word} ({owner})"),
    }
}
