//! The texts that `iptables-restore --noflush` is given.
//!
//! A candidate is written into the slot that is not in use and the entry chains are switched to it
//! in the same commit; what was in force before stays whole in its own slot, so that a revert is
//! the same again the other way round.

use std::fmt::Write as _;

use crate::core::ruleset::entry::Entry;
use crate::core::ruleset::print::rule_spec;
use crate::core::ruleset::{DOCKER_USER, Hook, Own, PREFIX, SavedFamily, Slot, Table, Timer};

/// So many rules are loaded in one commit: what iptables-nft sends for it must fit into a socket buffer,
/// which a program without the machine's own root (as in some containers) can't make larger than its
/// 208 KiB (`net.core.wmem_default`). A rule takes up to 950 bytes, for its comment and conntrack's match.
const MOST_AT_ONCE: usize = 200;

/// The text in which the commits of a table are one, for programs that try a text: they don't keep
/// what the commit before has made.
pub fn in_one_commit(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    let mut table = None;
    while let Some(line) = lines.next() {
        if line.starts_with('*') {
            table = Some(line);
        }
        if line == "COMMIT" && lines.peek().copied() == table {
            lines.next();
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// The text that puts `want` in force over what is there now: its chains replaced, the entry chains
/// pointed to it, one jump in each built-in chain's first place. Everything else is left alone.
///
/// Nothing in it can fail for what is or isn't there: chains are declared (made or emptied), and
/// only jumps that were seen are deleted. With a timer, the kernel goes on to what is to follow by
/// itself; the chains of that are left as they are.
pub fn switch_text(now: &SavedFamily, want: &Own, timer: Option<&Timer<'_>>) -> String {
    text(now, want, timer, true)
}

/// The part of [`switch_text`] that says until when: the entry chains and the jumps to them. The
/// rules of `want` are there already.
pub fn timer_text(now: &SavedFamily, want: &Own, timer: Option<&Timer<'_>>) -> String {
    text(now, want, timer, false)
}

fn text(now: &SavedFamily, want: &Own, timer: Option<&Timer<'_>>, with_rules: bool) -> String {
    let mut out = String::new();
    let jumps = want.wanted_jumps(timer);
    for table in Table::ALL {
        let hooks: Vec<Hook> = Hook::ALL.into_iter().filter(|hook| hook.table() == table).collect();
        let mut entries: Vec<String> = Vec::new();
        let mut switch: Vec<String> = Vec::new();
        for hook in hooks {
            let is_wanted = jumps.contains(&hook);
            let is_there = now.chains.contains(&(table, hook.entry()));
            let rules = Entry::wanted(hook, want, timer).rules(hook);
            if is_wanted || is_there || !rules.is_empty() {
                entries.push(hook.entry());
            }
            switch.extend(jump_lines(now, hook, is_wanted));
            switch.extend(rules.iter().map(|rule| format!("-A {} {rule}", hook.entry())));
        }
        let mut chains: Vec<String> = Vec::new();
        let mut lines: Vec<String> = Vec::new();
        if let Some(slot) = want.slot.filter(|_| with_rules) {
            for (name, rules) in want.rules.table(table) {
                let chain = format!("{}{name}", slot.prefix());
                lines.extend(rules.iter().map(|rule| format!("-A {chain} {}", rule_spec(rule, slot))));
                chains.push(chain);
            }
            let stale = now
                .chains
                .iter()
                .filter(|(of, name)| *of == table && name.starts_with(slot.prefix()));
            let stale: Vec<String> = stale
                .map(|(_, name)| name.clone())
                .filter(|name| !chains.contains(name))
                .collect();
            chains.extend(stale);
        }
        if lines.len() > MOST_AT_ONCE {
            // No packet meets them before the entry chains are switched.
            for part in chains.chunks(MOST_AT_ONCE) {
                push_table(&mut out, table, part, &[]);
            }
            for part in lines.chunks(MOST_AT_ONCE) {
                push_table(&mut out, table, &[], part);
            }
            chains.clear();
            lines.clear();
        }
        push_table(&mut out, table, &[entries, chains].concat(), &[switch, lines].concat());
    }
    out
}

/// The jump of a hook, put into the first place unless it is the only one and stands well.
fn jump_lines(now: &SavedFamily, hook: Hook, is_wanted: bool) -> Vec<String> {
    let count = now.jumps.get(&hook).copied().unwrap_or(0);
    let stands_well = count == 1 && !now.misplaced.contains(&hook);
    if is_wanted && stands_well {
        return Vec::new();
    }
    let jump = format!("{} -j {}", hook.chain(), hook.entry());
    let mut lines = vec![format!("-D {jump}"); count];
    if is_wanted {
        lines.push(format!("-I {} 1 -j {}", hook.chain(), hook.entry()));
    }
    lines
}

/// The text that puts the jump to fwtui's rules for FORWARD into the first place of [`DOCKER_USER`], or
/// takes it out; empty where all is well or there is no such chain.
///
/// A text of its own: it fails where docker is being removed at this moment, and nothing else may
/// fail with it. The jump in FORWARD itself holds meanwhile.
pub fn docker_user_text(now: &SavedFamily, is_wanted: bool) -> String {
    let mut out = String::new();
    if let Some(docker) = now.docker_user.filter(|docker| !docker.is_as_wanted(is_wanted)) {
        let (table, entry) = (Hook::Forward.table(), Hook::Forward.entry());
        let mut lines = vec![format!("-D {DOCKER_USER} -j {entry}"); docker.jumps];
        lines.extend(is_wanted.then(|| format!("-I {DOCKER_USER} 1 -j {entry}")));
        push_table(&mut out, table, &[], &lines);
    }
    out
}

fn push_table(out: &mut String, table: Table, chains: &[String], lines: &[String]) {
    if chains.is_empty() && lines.is_empty() {
        return;
    }
    // Writing into a String cannot fail.
    let _ = writeln!(out, "*{}", table.name());
    for chain in chains {
        let _ = writeln!(out, ":{chain} - [0:0]");
    }
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
    out.push_str("COMMIT\n");
}

/// The smallest text that takes a candidate out of force, for when nothing can be read: the entry
/// chain of one hook emptied and, where there was something before, pointed back to its slot.
pub fn minimal_text(hook: Hook, back_to: Option<Slot>) -> String {
    let entry = hook.entry();
    let line = back_to.map(|slot| format!("-A {entry} -g {}", slot.main(hook)));
    let mut out = String::new();
    push_table(&mut out, hook.table(), &[entry], line.as_slice());
    out
}

/// The text that makes a hook's jump the first rule of a chain (its built-in one, or [`DOCKER_USER`]),
/// where it is there already or (else) is not. It fails, and changes nothing, where that is not so.
pub fn jump_text(chain: &str, hook: Hook, is_there: bool) -> String {
    let jump = hook.entry();
    let insert = format!("-I {chain} 1 -j {jump}");
    let delete = is_there.then(|| format!("-D {chain} -j {jump}"));
    let lines: Vec<String> = delete.into_iter().chain([insert]).collect();
    let mut out = String::new();
    push_table(&mut out, hook.table(), &[], &lines);
    out
}

/// The chains of fwtui that are no longer needed once `keep` is in force: what cleaning up removes.
pub fn leftovers(now: &SavedFamily, keep: &Own) -> Vec<(Table, String)> {
    let is_kept = |table: Table, name: &str| {
        let is_entry = keep
            .jumps
            .iter()
            .any(|hook| hook.table() == table && hook.entry() == name);
        let bare = keep.slot.and_then(|slot| name.strip_prefix(slot.prefix()));
        is_entry || bare.is_some_and(|bare| keep.rules.table(table).contains_key(bare))
    };
    now.chains
        .iter()
        .filter(|(table, name)| name.starts_with(PREFIX) && !is_kept(*table, name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::policy::{Decision, Entry, Policy};
    use crate::core::ruleset::{SavedTables, compile};

    fn installed() -> Own {
        Own::wanted(Slot::A, compile(&Policy::default(), &[]).ipv4)
    }

    #[test]
    fn a_first_apply_inserts_the_jump_first() {
        let text = switch_text(&SavedFamily::default(), &installed(), None);
        assert!(text.contains(":FWTUI-INPUT - [0:0]\n"), "{text}");
        assert!(text.contains("-I INPUT 1 -j FWTUI-INPUT\n"), "{text}");
        assert!(text.contains("-A FWTUI-INPUT -g FWTUI-A-INPUT\n"), "{text}");
        assert!(!text.contains("-D "), "{text}");
    }

    #[test]
    fn many_rules_are_loaded_before_one_commit_switches_to_them() {
        let mut policy = Policy::default();
        for port in 0..1000u16 {
            let entry = Entry {
                decision: Decision::Open,
                // No two alike, so that none share a rule.
                from: vec![format!("10.{}.{}.0/24", port / 250, port % 250).parse().unwrap()],
            };
            policy
                .decide(format!("{}/tcp", 1000 + port * 7).parse().unwrap(), entry)
                .unwrap();
        }
        let want = Own::wanted(Slot::A, compile(&policy, &[]).ipv4);
        let text = switch_text(&SavedFamily::default(), &want, None);
        let commits: Vec<&str> = text
            .split("COMMIT\n")
            .filter(|commit| commit.contains("*filter"))
            .collect();
        assert!(commits.len() > 2, "{}", commits.len());
        let (last, before) = commits.split_last().unwrap();
        assert!(before.iter().all(|commit| !commit.contains("FWTUI-INPUT")));
        assert!(
            before
                .iter()
                .all(|commit| commit.matches("\n-A ").count() <= MOST_AT_ONCE)
        );
        assert_eq!(
            *last,
            "*filter\n:FWTUI-FORWARD - [0:0]\n:FWTUI-INPUT - [0:0]\n-I FORWARD 1 -j FWTUI-FORWARD\n\
             -A FWTUI-FORWARD -g FWTUI-A-FORWARD\n-I INPUT 1 -j FWTUI-INPUT\n-A FWTUI-INPUT -g FWTUI-A-INPUT\n"
        );
        assert_eq!(in_one_commit(&text).matches("COMMIT").count(), 3);
        let saved = text
            .replace("-I INPUT 1 ", "-A INPUT ")
            .replace("-I FORWARD 1 ", "-A FORWARD ")
            .replace("-I PREROUTING 1 ", "-A PREROUTING ");
        assert_eq!(SavedTables::parse(&saved).unwrap().take_apart(Duration::ZERO).own, want);
    }

    #[test]
    fn going_back_to_nothing_empties_the_entry_and_takes_the_jump_out() {
        let saved = "*filter\n:INPUT ACCEPT [0:0]\n:FWTUI-INPUT - [0:0]\n:FWTUI-A-INPUT - [0:0]\n\
                     -A INPUT -j FWTUI-INPUT\n-A FWTUI-INPUT -g FWTUI-A-INPUT\nCOMMIT\n";
        let now = SavedTables::parse(saved).unwrap().take_apart(Duration::ZERO);
        let text = switch_text(&now, &Own::default(), None);
        assert_eq!(text, "*filter\n:FWTUI-INPUT - [0:0]\n-D INPUT -j FWTUI-INPUT\nCOMMIT\n");
        let gone: Vec<String> = leftovers(&now, &Own::default())
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        assert_eq!(gone, ["FWTUI-A-INPUT", "FWTUI-INPUT"]);
    }

    #[test]
    fn a_jump_behind_an_accept_is_moved_and_doubles_are_removed() {
        let saved = "*filter\n:INPUT ACCEPT [0:0]\n:FWTUI-INPUT - [0:0]\n-A INPUT -p tcp -j ACCEPT\n\
                     -A INPUT -j FWTUI-INPUT\n-A INPUT -j FWTUI-INPUT\nCOMMIT\n";
        let now = SavedTables::parse(saved).unwrap().take_apart(Duration::ZERO);
        assert!(now.misplaced.contains(&Hook::Input));
        let text = switch_text(&now, &installed(), None);
        assert_eq!(text.matches("-D INPUT -j FWTUI-INPUT\n").count(), 2, "{text}");
        assert_eq!(text.matches("-I INPUT 1 -j FWTUI-INPUT\n").count(), 1, "{text}");
    }

    #[test]
    fn the_minimal_text_is_minimal() {
        assert_eq!(
            minimal_text(Hook::Input, None),
            "*filter\n:FWTUI-INPUT - [0:0]\nCOMMIT\n"
        );
        assert_eq!(
            minimal_text(Hook::Input, Some(Slot::B)),
            "*filter\n:FWTUI-INPUT - [0:0]\n-A FWTUI-INPUT -g FWTUI-B-INPUT\nCOMMIT\n"
        );
    }
}
