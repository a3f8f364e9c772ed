//! A script for plain `sh` that puts rules back without fwtui.

use std::fmt::Write as _;

use crate::core::listener::Family;
use crate::core::ruleset::{DOCKER_USER, Hook, Own, SavedFamily, minimal_text, switch_text};

/// What the script does, before the rules themselves. Words are split on purpose nowhere.
const HEAD: &str = "\
# Puts the firewall rules of fwtui back that are below, by hand and without fwtui:
#     sh restore.sh
# It changes chains whose names begin with FWTUI-, and the jumps to them, and nothing else.
# During a trial these are the rules from before it; else those that were confirmed last.
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin
export PATH
failed=0

# The family's program of the variant that the rules were loaded with, else whichever there is.
program() {
    command -v \"$1-$variant$2\" || command -v \"$1$2\" || { echo \"$1$2 is not installed\" >&2; return 1; }
}

# load iptables|ip6tables: loads what it reads.
load() {
    restore=$(program \"$1\" -restore) && \"$restore\" --noflush -w 5 || failed=1
}

# has iptables|ip6tables TABLE CHAIN: whether there is the chain.
has() {
    tables=$(program \"$1\" '') && \"$tables\" -w 5 -t \"$2\" -S \"$3\" >/dev/null 2>&1
}

# jump iptables|ip6tables TABLE CHAIN TO: makes the jump to fwtui's chain the first rule, if it is not there.
jump() {
    tables=$(program \"$1\" '') || { failed=1; return; }
    \"$tables\" -w 5 -t \"$2\" -C \"$3\" -j \"$4\" 2>/dev/null ||
        \"$tables\" -w 5 -t \"$2\" -I \"$3\" 1 -j \"$4\" || failed=1
}

# no_jump iptables|ip6tables TABLE CHAIN TO: takes the jump out, however often it is there.
no_jump() {
    tables=$(program \"$1\" '') || return
    for _ in 1 2 3 4 5 6 7 8 9; do
        \"$tables\" -w 5 -t \"$2\" -D \"$3\" -j \"$4\" 2>/dev/null || break
    done
}
";

const TAIL: &str = "
if [ \"$failed\" = 0 ]; then
    echo \"The rules are back.\"
else
    echo \"Not all of the rules are back: see above.\" >&2
fi
exit \"$failed\"
";

/// The script for what is to be put back, in each family there is, in this order. `variant` is
/// `nft` or `legacy`; `more` is what follows the rules, whole lines.
pub fn restore_script(variant: &str, families: &[(Family, &Own)], more: &str) -> String {
    let mut out = format!("#!/bin/sh\nvariant={variant}\n{HEAD}");
    for &(family, own) in families {
        let program = match family {
            Family::Ipv4 => "iptables",
            Family::Ipv6 => "ip6tables",
        };
        // As if the jumps stood well: they are put in place afterwards, when there is what they lead to.
        let now = SavedFamily {
            jumps: own.jumps.iter().map(|hook| (*hook, 1)).collect(),
            ..SavedFamily::default()
        };
        let mut text = switch_text(&now, own, None);
        let hooks = || Hook::ALL.into_iter().filter(|hook| hook.is_of(family));
        for hook in hooks().filter(|hook| !own.jumps.contains(hook)) {
            text.push_str(&minimal_text(hook, None));
        }
        // The text has no line of this kind, and nothing in it is expanded. Writing into a String
        // cannot fail.
        let _ = write!(out, "\nload {program} <<'END_OF_RULES'\n{text}END_OF_RULES\n");
        for hook in hooks() {
            let verb = if own.jumps.contains(&hook) { "jump" } else { "no_jump" };
            let _ = writeln!(
                out,
                "{verb} {program} {} {} {}",
                hook.table().name(),
                hook.chain(),
                hook.entry()
            );
        }
        let (table, entry) = (Hook::Forward.table().name(), Hook::Forward.entry());
        let verb = if own.jumps.contains(&Hook::Forward) {
            "jump"
        } else {
            "no_jump"
        };
        let _ = writeln!(
            out,
            "! has {program} {table} {DOCKER_USER} || {verb} {program} {table} {DOCKER_USER} {entry}"
        );
    }
    out.push_str(more);
    out.push_str(TAIL);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::Policy;
    use crate::core::ruleset::{Slot, compile};

    #[test]
    fn nothing_there_is_a_state_of_its_own() {
        let script = restore_script(
            "nft",
            &[(Family::Ipv6, &Own::default()), (Family::Ipv4, &Own::default())],
            "",
        );
        assert!(
            script.contains("no_jump iptables filter INPUT FWTUI-INPUT\n"),
            "{script}"
        );
        assert!(
            script.contains("no_jump iptables raw PREROUTING FWTUI-PREROUTING\n"),
            "{script}"
        );
        assert!(
            script.contains("no_jump ip6tables filter INPUT FWTUI-INPUT\n"),
            "{script}"
        );
        assert!(script.contains(":FWTUI-INPUT - [0:0]\n"), "{script}");
        assert!(!script.contains("-A "), "{script}");
        let docker = "! has iptables filter DOCKER-USER || no_jump iptables filter DOCKER-USER FWTUI-FORWARD\n";
        assert!(script.contains(docker), "{script}");
    }

    #[test]
    fn rules_come_before_the_jumps_to_them() {
        let rules = compile(&Policy::default(), &[]);
        let script = restore_script("legacy", &[(Family::Ipv6, &Own::wanted(Slot::B, rules.ipv6))], "");
        assert!(script.starts_with("#!/bin/sh\nvariant=legacy\n"), "{script}");
        let rule = script.find("-A FWTUI-INPUT -g FWTUI-B-INPUT").unwrap();
        let jump = script.find("\njump ip6tables filter INPUT").unwrap();
        assert!(rule < jump);
        assert!(!script.contains("-I INPUT 1 -j FWTUI-INPUT\n"), "{script}");
    }
}
