//! Apply, read back, revert, clean up: the same for every backend.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::backend::{Backend, BackendError, Observed};
use crate::core::listener::Family;
use crate::core::ruleset::{
    DOCKER_USER, Hook, Own, Ruleset, SavedFamily, Slot, Stamp, Timer, docker_user_text, jump_text, leftovers,
    minimal_text, switch_text, timer_text,
};
use crate::sys::clock;

/// What fwtui had in the kernel before a change, and what a revert puts back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    /// IPv4.
    pub ipv4: Own,
    /// IPv6.
    pub ipv6: Own,
}

impl Base {
    /// What of fwtui is in what was read.
    pub fn of(observed: &Observed) -> Self {
        Self {
            ipv4: observed.ipv4.to_put_back(),
            ipv6: observed.ipv6.to_put_back(),
        }
    }

    /// A ruleset in the slots that are free beside this one.
    #[must_use]
    pub fn successor(&self, ruleset: &Ruleset) -> Self {
        let place = |own: &Own, rules| Own::wanted(own.slot.map_or(Slot::A, Slot::other), rules);
        Self {
            ipv4: place(&self.ipv4, ruleset.ipv4.clone()),
            ipv6: place(&self.ipv6, ruleset.ipv6.clone()),
        }
    }

    /// The part of a family.
    pub const fn family(&self, family: Family) -> &Own {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }
}

/// The kernel's own timer on a trial, for both families.
#[derive(Debug, Clone, Copy)]
pub struct Fallback<'a> {
    /// The first second in which the old rules hold again.
    pub from: Stamp,
    /// The old rules, whose chains are in the kernel.
    pub base: &'a Base,
}

impl<'a> Fallback<'a> {
    const fn timer(self, family: Family) -> Timer<'a> {
        Timer {
            from: self.from,
            after: self.base.family(family),
        }
    }
}

/// Puts `want` in force, until the kernel falls back by itself where it is to, and reads it back. Both
/// texts are tried before either family is changed, so that one the programs don't take changes
/// nothing. With the first error the rest is left alone; the caller reverts.
///
/// Returns how long loading took, trying and reading back not counted.
///
/// # Errors
/// Where a text is refused, loading failed, or the kernel does not hold what was loaded.
pub fn put(
    backend: &dyn Backend,
    now: &Observed,
    want: &Base,
    fallback: Option<Fallback<'_>>,
) -> Result<Duration, BackendError> {
    let texts = texts(backend, now, want, fallback, switch_text);
    for (family, text) in &texts {
        backend.check(*family, text)?;
    }
    load(backend, now, &texts, want, fallback)
}

/// Moves or takes off the kernel's timer from rules that are in force already.
///
/// # Errors
/// Where loading failed, or the kernel does not hold what was loaded.
pub fn set_timer(backend: &dyn Backend, want: &Base, fallback: Option<Fallback<'_>>) -> Result<(), BackendError> {
    let now = backend.read()?;
    let texts = texts(backend, &now, want, fallback, timer_text);
    load(backend, &now, &texts, want, fallback).map(|_took| ())
}

type Text = fn(&SavedFamily, &Own, Option<&Timer<'_>>) -> String;

/// What to load, IPv6 first (where a mistake is noticed last).
fn texts(
    backend: &dyn Backend,
    now: &Observed,
    want: &Base,
    fallback: Option<Fallback<'_>>,
    text: Text,
) -> Vec<(Family, String)> {
    [Family::Ipv6, Family::Ipv4]
        .into_iter()
        .filter(|family| backend.families().contains(family))
        .map(|family| {
            let timer = fallback.map(|fallback| fallback.timer(family));
            (family, text(now.family(family), want.family(family), timer.as_ref()))
        })
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

fn load(
    backend: &dyn Backend,
    now: &Observed,
    texts: &[(Family, String)],
    want: &Base,
    fallback: Option<Fallback<'_>>,
) -> Result<Duration, BackendError> {
    let started = clock::since_boot();
    for (family, text) in texts {
        backend.load(*family, text)?;
    }
    for &family in backend.families() {
        let timer = fallback.map(|fallback| fallback.timer(family));
        let jumps = want.family(family).wanted_jumps(timer.as_ref());
        jump_for_docker(backend, family, now.family(family), jumps.contains(&Hook::Forward))?;
    }
    let took = clock::since_boot().saturating_sub(started);
    verify(backend, want, fallback)?;
    Ok(took)
}

/// Makes the jump in docker's chain what it is to be. Docker may be stopped or removed at any moment,
/// so what can't be done is looked at again: without the chain there is nothing to do.
fn jump_for_docker(
    backend: &dyn Backend,
    family: Family,
    now: &SavedFamily,
    is_wanted: bool,
) -> Result<(), BackendError> {
    let load = |now: &SavedFamily| match docker_user_text(now, is_wanted) {
        text if text.is_empty() => Ok(()),
        text => backend.load(family, &text),
    };
    load(now).or_else(|_it_was_changed| load(&backend.read_family(family)?))
}

/// Compares what is in force with what is wanted: a rule the kernel ignored in silence is an error.
///
/// # Errors
/// Where they differ, or nothing can be read.
pub fn verify(backend: &dyn Backend, want: &Base, fallback: Option<Fallback<'_>>) -> Result<(), BackendError> {
    let observed = backend.read()?;
    backend.families().iter().try_for_each(|&family| {
        let timer = fallback.map(|fallback| fallback.timer(family));
        compare(family, observed.family(family), want.family(family), timer.as_ref())
    })
}

fn compare(family: Family, saved: &SavedFamily, want: &Own, timer: Option<&Timer<'_>>) -> Result<(), BackendError> {
    let error = |what: &str| {
        Err(BackendError::NotAsLoaded {
            family,
            what: what.to_owned(),
        })
    };
    let wanted_jumps = want.wanted_jumps(timer);
    if !saved.misplaced.is_empty() && !wanted_jumps.is_empty() {
        return error("the jump to fwtui's chains does not come first");
    }
    // One that leads nowhere does no harm, but it is not what was wanted either.
    let jumps: BTreeSet<Hook> = saved.jumps.keys().copied().collect();
    if jumps != wanted_jumps || saved.own.jumps != want.jumps {
        return error("the jumps to fwtui's chains, or what they lead to, differ");
    }
    let is_forwarded = wanted_jumps.contains(&Hook::Forward);
    if saved
        .docker_user
        .is_some_and(|docker| !docker.is_as_wanted(is_forwarded))
    {
        return error("the jump to fwtui's chains in DOCKER-USER is not what it is to be");
    }
    if saved.entries != want.wanted_entries(timer) {
        return error("the chains that select fwtui's rules, or until when they do, differ");
    }
    if saved.own.slot != want.slot || saved.own.rules != want.rules {
        return error("the rules differ");
    }
    Ok(())
}

/// Puts the old rules back, each family for itself: first the whole of them over what is there; where
/// that fails or nothing can be read, the little that matters, so that at least the candidate is out
/// of force.
///
/// # Errors
/// Where the old rules are not back whole; the candidate may be out of force all the same.
pub fn revert(backend: &dyn Backend, base: &Base) -> Result<(), BackendError> {
    let mut result = Ok(());
    for family in [Family::Ipv6, Family::Ipv4] {
        if backend.families().contains(&family) {
            let reverted = revert_family(backend, family, base.family(family));
            result = result.and(reverted);
        }
    }
    result
}

fn revert_family(backend: &dyn Backend, family: Family, own: &Own) -> Result<(), BackendError> {
    let compared = || compare(family, &backend.read_family(family)?, own, None);
    // Not tried first: there is nothing better to do than loading what can be loaded.
    let whole = backend.read_family(family).and_then(|now| {
        let text = switch_text(&now, own, None);
        match text.is_empty() {
            true => Ok(()),
            false => backend.load(family, &text),
        }?;
        jump_for_docker(backend, family, &now, own.jumps.contains(&Hook::Forward))
    });
    let whole = whole.and_then(|()| compared());
    if whole.is_ok() {
        return Ok(());
    }
    let mut switched = Ok(());
    for hook in Hook::ALL.into_iter().filter(|hook| hook.is_of(family)) {
        let back_to = own.slot.filter(|_| own.jumps.contains(&hook));
        switched = backend.load(family, &minimal_text(hook, back_to)).and(switched);
        if back_to.is_some() {
            switched = put_jump(backend, family, hook.chain(), hook).and(switched);
        }
        if back_to.is_some() && hook == Hook::Forward {
            // There may be no such chain; the jump in FORWARD is what counts. And where nothing is to
            // be put back, one that is left leads to an empty chain.
            let _no_docker = put_jump(backend, family, DOCKER_USER, hook);
        }
    }
    match compared() {
        Ok(()) => Ok(()),
        // What iptables can't show can't be compared, but all that selects the rules was taken.
        Err(BackendError::Unreadable { .. }) if switched.is_ok() => Ok(()),
        Err(_) => whole,
    }
}

/// Makes a hook's jump the first rule of a chain, whether it is there or not.
fn put_jump(backend: &dyn Backend, family: Family, chain: &str, hook: Hook) -> Result<(), BackendError> {
    backend
        .load(family, &jump_text(chain, hook, true))
        .or_else(|_it_is_not_there| backend.load(family, &jump_text(chain, hook, false)))
}

/// Removes the chains that `keep` does not need.
///
/// # Errors
/// The chains that are still there.
pub fn clean(backend: &dyn Backend, keep: &Base) -> Result<(), BackendError> {
    let observed = backend.read()?;
    let mut result = Ok(());
    for &family in backend.families() {
        let gone = leftovers(observed.family(family), keep.family(family));
        // A chain that is jumped to can't be deleted.
        if !keep.family(family).jumps.contains(&Hook::Forward) {
            result = jump_for_docker(backend, family, observed.family(family), false).and(result);
        }
        if !gone.is_empty() {
            result = backend.remove(family, &gone).and(result);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::memory::Memory;
    use crate::core::policy::{Decision, Entry, Policy};
    use crate::core::ruleset::compile;

    const FOREIGN: &str = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:f2b-sshd - [0:0]\n\
                           -A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd\n-A f2b-sshd -j RETURN\nCOMMIT\n";

    fn ruleset(port: u16) -> Ruleset {
        let mut policy = Policy::default();
        let id = format!("{port}/tcp").parse().unwrap();
        policy
            .decide(
                id,
                Entry {
                    decision: Decision::Open,
                    from: vec![],
                },
            )
            .unwrap();
        compile(&policy, &[])
    }

    fn apply(backend: &Memory, rules: &Ruleset) -> (Base, Base) {
        let now = backend.read().unwrap();
        let base = Base::of(&now);
        let want = base.successor(rules);
        put(backend, &now, &want, None).unwrap();
        (base, want)
    }

    #[test]
    fn apply_and_revert_leave_foreign_rules_alone() {
        let backend = Memory::with(FOREIGN, "");
        let before = backend.saved_text(Family::Ipv4);
        let (base, want) = apply(&backend, &ruleset(22));
        assert_eq!(
            backend.foreign_text(Family::Ipv4),
            crate::core::ruleset::own_text_removed(&before)
        );
        verify(&backend, &want, None).unwrap();
        revert(&backend, &base).unwrap();
        clean(&backend, &base).unwrap();
        assert_eq!(
            backend.foreign_text(Family::Ipv4),
            crate::core::ruleset::own_text_removed(&before)
        );
        assert!(!backend.saved_text(Family::Ipv4).contains("FWTUI"));
    }

    #[test]
    fn a_second_apply_takes_the_other_slot_and_reverts_to_the_first() {
        let backend = Memory::default();
        let (_, first) = apply(&backend, &ruleset(22));
        let (base, second) = apply(&backend, &ruleset(80));
        assert_eq!(base, first);
        assert_ne!(base.ipv4.slot, second.ipv4.slot);
        revert(&backend, &base).unwrap();
        verify(&backend, &first, None).unwrap();
        clean(&backend, &first).unwrap();
        assert!(!backend.saved_text(Family::Ipv4).contains("FWTUI-B-"));
    }

    #[test]
    fn chains_left_over_in_a_slot_do_not_matter() {
        let backend = Memory::default();
        let mut policy = Policy::default();
        policy.networks.trusted_sources = vec!["192.0.2.0/24".parse().unwrap()];
        // Nothing cleans up in between: the third finds chains of the first that it does not need.
        apply(&backend, &compile(&policy, &[]));
        apply(&backend, &ruleset(22));
        let (_, want) = apply(&backend, &ruleset(80));
        assert!(backend.saved_text(Family::Ipv4).contains(":FWTUI-A-UDP-END"));
        clean(&backend, &want).unwrap();
        assert!(!backend.saved_text(Family::Ipv4).contains("UDP-END"));
    }

    #[test]
    fn a_revert_restores_what_a_script_flushed() {
        let backend = Memory::default();
        let (_, first) = apply(&backend, &ruleset(22));
        let (base, _) = apply(&backend, &ruleset(80));
        backend.flush_everything();
        revert(&backend, &base).unwrap();
        verify(&backend, &first, None).unwrap();
    }

    #[test]
    fn a_revert_that_cannot_read_still_takes_the_candidate_out() {
        let backend = Memory::default();
        let (base, _) = apply(&backend, &ruleset(22));
        backend.refuse_reads(1);
        revert(&backend, &base).unwrap_err();
        assert!(backend.read().unwrap().ipv4.own.rules.is_empty());
    }

    #[test]
    fn a_family_that_fails_does_not_keep_the_other_from_coming_back() {
        let backend = Memory::default();
        let (_, first) = apply(&backend, &ruleset(22));
        let (base, _) = apply(&backend, &ruleset(80));
        // Everything is to be loaded anew, and IPv6, which comes first, is refused.
        backend.flush_everything();
        backend.refuse_next_load(Family::Ipv6);
        revert(&backend, &base).unwrap_err();
        assert_eq!(backend.read().unwrap().ipv4.own, first.ipv4);
    }

    #[test]
    fn a_text_that_is_refused_changes_neither_family() {
        let backend = Memory::with("*filter\n:FWTUI-INPUT - [0:0]\n-A INPUT -j FWTUI-INPUT\nCOMMIT\n", "");
        let mut now = backend.read().unwrap();
        now.ipv4.misplaced.insert(Hook::Input);
        // What was read is not there any more: the jump that is to be moved can't be deleted.
        backend.flush_everything();
        put(&backend, &now, &Base::default().successor(&ruleset(22)), None).unwrap_err();
        for family in Family::ALL {
            assert!(!backend.saved_text(family).contains("FWTUI"), "{family}");
        }
    }

    /// What docker leaves of its chain that is not its own.
    const DOCKER: &str = "*filter\n:FORWARD ACCEPT [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n\
                          -A FORWARD -o docker0 -j ACCEPT\n-A DOCKER-USER -j RETURN\nCOMMIT\n";

    fn with_addresses() -> Ruleset {
        let eth0 = r#"[{ "index": 2, "name": "eth0", "kind": "ethernet", "driver": null,
            "addresses": ["192.0.2.10/24", "2001:db8::10/64"], "on_link": [], "is_up": true,
            "has_default_route": true, "has_physical_port": false }]"#;
        let interfaces: Vec<crate::core::network::Interface> = serde_json::from_str(eth0).unwrap();
        compile(&Policy::default(), &interfaces)
    }

    #[test]
    fn the_jump_in_dockers_chain_comes_and_goes_with_the_rules() {
        let backend = Memory::with(DOCKER, "");
        let foreign = backend.foreign_text(Family::Ipv4);
        let (base, want) = apply(&backend, &with_addresses());
        let jump = "-A DOCKER-USER -j FWTUI-FORWARD\n";
        assert_eq!(backend.saved_text(Family::Ipv4).matches(jump).count(), 1);
        verify(&backend, &want, None).unwrap();
        revert(&backend, &base).unwrap();
        clean(&backend, &base).unwrap();
        assert!(!backend.saved_text(Family::Ipv4).contains("FWTUI"));
        assert_eq!(backend.foreign_text(Family::Ipv4), foreign);
        // A jump that was put back by somebody's restore keeps no chain from going.
        backend
            .load(
                Family::Ipv4,
                "*filter\n:FWTUI-FORWARD - [0:0]\n-I DOCKER-USER 1 -j FWTUI-FORWARD\nCOMMIT\n",
            )
            .unwrap();
        clean(&backend, &Base::default()).unwrap();
        assert!(!backend.saved_text(Family::Ipv4).contains("FWTUI"));
    }

    #[test]
    fn docker_that_goes_at_this_moment_keeps_nothing_from_being_applied_or_reverted() {
        let backend = Memory::with(DOCKER, "");
        let now = backend.read().unwrap();
        let want = Base::of(&now).successor(&with_addresses());
        // What was read is not there any more.
        backend.flush_everything();
        put(&backend, &now, &want, None).unwrap();
        verify(&backend, &want, None).unwrap();
        let backend = Memory::with(DOCKER, "");
        let (_, want) = apply(&backend, &with_addresses());
        let now = backend.read().unwrap();
        assert!(now.ipv4.docker_user.is_some_and(|docker| docker.leads_in));
        backend.flush_everything();
        jump_for_docker(&backend, Family::Ipv4, &now.ipv4, false).unwrap();
        revert(&backend, &want).unwrap();
        verify(&backend, &want, None).unwrap();
    }

    #[test]
    fn a_revert_that_cannot_read_puts_the_jump_back_in_dockers_chain_too() {
        let backend = Memory::with(DOCKER, "");
        let (_, want) = apply(&backend, &with_addresses());
        for line in ["-D DOCKER-USER -j FWTUI-FORWARD", "-D FORWARD -j FWTUI-FORWARD"] {
            backend
                .load(Family::Ipv4, &format!("*filter\n{line}\nCOMMIT\n"))
                .unwrap();
        }
        // Of IPv6, which comes first, nothing is to be read twice.
        backend.refuse_reads(4);
        revert(&backend, &want).unwrap_err();
        verify(&backend, &want, None).unwrap();
    }

    #[test]
    fn a_failing_family_is_an_error_and_reverts_whole() {
        let backend = Memory::default();
        let now = backend.read().unwrap();
        let base = Base::of(&now);
        backend.refuse_next_load(Family::Ipv4);
        put(&backend, &now, &base.successor(&ruleset(22)), None).unwrap_err();
        assert!(!backend.read().unwrap().ipv6.own.rules.is_empty(), "IPv6 came first");
        revert(&backend, &base).unwrap();
        verify(&backend, &base, None).unwrap();
    }
}
