//! Loading what was confirmed, without a trial.

use ipnet::IpNet;

use crate::app::machine::{Opened, require_root};
use crate::app::{Error, Machine};
use crate::backend::switch::{self, Base};
use crate::backend::{Backend, BackendError, detect};
use crate::core::listener::Family;
use crate::core::network::{Interface, zones};
use crate::core::ruleset::{Ruleset, compile_by};
use crate::core::unit::UnitWork;
use crate::guard::{self, GuardError};
use crate::store::state::{self, Confirmed};
use crate::sys::{clock, files, host, interfaces};

/// What restoring did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// The confirmed rules are in the kernel.
    Loaded,
    /// The same, compiled anew: the addresses of trusted networks have changed.
    Recompiled,
    /// Nothing is confirmed, and rules of fwtui that were there are out.
    TakenOut,
    /// Nothing was ever confirmed, or fwtui is off.
    Nothing,
}

impl Machine {
    /// Loads what was last confirmed, without a trial: at boot, or where it has drifted. Where nothing
    /// is confirmed, rules of fwtui that are there all the same are taken out.
    ///
    /// A trial that can't be closed is no reason to leave the machine open: it is told beside.
    ///
    /// # Errors
    /// Where it can't be read or loaded; what fwtui had in the kernel is then back.
    pub fn restore(&self) -> Result<(Restored, Option<Error>), Error> {
        require_root("restore rules")?;
        // After a reboot nothing of a trial is in the kernel. What is left to do of one is systemd's,
        // which may not answer: no rule waits for it.
        if self.has_rebooted_since() {
            let restored = self.load_confirmed();
            let unclosed = self.recover().err();
            return restored.map(|restored| (restored, unclosed));
        }
        let unclosed = self.recover().err();
        Ok((self.load_confirmed()?, unclosed))
    }

    /// Whether the trial that is not closed is of an earlier boot.
    fn has_rebooted_since(&self) -> bool {
        let (journal, now) = (state::journal(&self.paths), host::boot_id());
        let (Ok(Some(journal)), Some(now)) = (journal, now) else {
            return false;
        };
        !journal.boot_id.is_empty() && journal.boot_id != now
    }

    fn load_confirmed(&self) -> Result<Restored, Error> {
        let failed = |error: std::io::Error| {
            Error::failed(format!("{} can't be used: {error}", self.paths.run().display()))
                .hint("It must be a folder that only root may write.")
        };
        files::private_folder(&self.paths.run()).map_err(failed)?;
        let lock = guard::take_lock(&self.paths).map_err(failed)?;
        let Some(_lock) = lock else {
            return Err(GuardError::Busy.into());
        };
        let confirmed = state::confirmed(&self.paths)?.filter(|confirmed| !confirmed.is_off);
        let Some(confirmed) = confirmed else {
            return Self::take_out();
        };
        let (rules, restored) = rules_for_now(&confirmed, interfaces::interfaces().unwrap_or_default())?;
        let Opened { backend, .. } = Self::open()?;
        self.put_in_force(backend.as_ref(), &rules)?;
        self.forget_blocks_that_are_over();
        Ok(restored)
    }

    /// Loads confirmed rules without a trial, by whoever holds the lock.
    pub(super) fn put_in_force(&self, backend: &dyn Backend, rules: &Ruleset) -> Result<(), BackendError> {
        let loaded = load(backend, rules)?;
        // Where this fails, the one that is there loads what was confirmed before.
        let _not_written = state::save_script(
            &self.paths,
            &guard::restore_script(backend, &loaded, &UnitWork::default()),
        );
        Ok(())
    }

    /// Takes out rules that were never confirmed, or were confirmed away: another program that saves
    /// and loads whole tables may have kept them.
    fn take_out() -> Result<Restored, Error> {
        if detect::is_pristine() {
            return Ok(Restored::Nothing);
        }
        let Opened { backend, .. } = Self::open()?;
        let now = backend.read()?;
        if now.ipv4.chains.is_empty() && now.ipv6.chains.is_empty() {
            return Ok(Restored::Nothing);
        }
        load(backend.as_ref(), &Ruleset::default())?;
        Ok(Restored::TakenOut)
    }
}

/// Loads without a trial, and gives what is there then; a failure puts back what was there.
fn load(backend: &dyn Backend, rules: &Ruleset) -> Result<Base, BackendError> {
    let now = backend.read()?;
    let base = Base::of(&now);
    let want = base.successor(rules);
    if let Err(error) = switch::put(backend, &now, &want, None) {
        // The error that counts is the first one.
        let _reverted = switch::revert(backend, &base);
        return Err(error);
    }
    // Chains left over are in nobody's way.
    let _left_behind = switch::clean(backend, &want);
    Ok(want)
}

/// The confirmed rules without those whose time is over; compiled anew where trusted networks have
/// other addresses now.
pub(super) fn rules_for_now(confirmed: &Confirmed, now: Vec<Interface>) -> Result<(Ruleset, Restored), Error> {
    let rules = confirmed.rules.ruleset();
    let rules =
        rules.ok_or_else(|| Error::failed("the confirmed rules can't be read back").hint("Run 'fwtui apply'."))?;
    let today = clock::since_1970();
    let interfaces = with_confirmed_networks(confirmed, now);
    if zones(&confirmed.policy, &interfaces) != zones(&confirmed.policy, &confirmed.interfaces) {
        let telling = rules.telling().unwrap_or_default();
        let policy = confirmed.policy.current(today);
        return Ok((compile_by(telling, &policy, &interfaces), Restored::Recompiled));
    }
    Ok((rules.current(today), Restored::Loaded))
}

/// The interfaces of now; where one has no prefix of a family but link-local ones (at boot, before
/// DHCP and router advertisements have come), it keeps those it was confirmed with, and its addresses
/// there: without labels, published ports are told by them.
fn with_confirmed_networks(confirmed: &Confirmed, mut now: Vec<Interface>) -> Vec<Interface> {
    for known in &confirmed.interfaces {
        let Some(interface) = now.iter_mut().find(|interface| interface.name == known.name) else {
            now.push(known.clone());
            continue;
        };
        for family in Family::ALL {
            let keep = |now: &mut Vec<IpNet>, known: &[IpNet]| {
                if !now.iter().any(|net| is_global(net, family)) {
                    now.extend(known.iter().filter(|net| is_global(net, family)));
                }
            };
            keep(&mut interface.on_link, &known.on_link);
            keep(&mut interface.addresses, &known.addresses);
            keep(&mut interface.changing, &known.changing);
        }
    }
    now
}

fn is_global(net: &IpNet, family: Family) -> bool {
    let is_link_local = match net {
        IpNet::V4(net) => net.addr().is_link_local(),
        IpNet::V6(net) => net.addr().is_unicast_link_local(),
    };
    Family::of(net.addr()) == family && !is_link_local
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::Policy;
    use crate::core::ruleset::{Telling, compile_by_address};
    use crate::store::state::RulesText;

    fn eth0(addresses: &str, on_link: &str) -> Vec<Interface> {
        let text = format!(
            r#"[{{ "index": 2, "name": "eth0", "kind": "ethernet", "driver": null, "addresses": {addresses},
                "on_link": {on_link}, "is_up": true, "has_default_route": true, "has_physical_port": true }}]"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn confirmed(rules: &Ruleset, policy: Policy, interfaces: Vec<Interface>) -> Confirmed {
        Confirmed {
            id: "t".into(),
            at: "x".into(),
            is_off: false,
            policy,
            interfaces,
            rules: RulesText::of(rules),
            stopped: Vec::new(),
        }
    }

    fn trusting() -> Policy {
        let mut policy = Policy::default();
        let class = crate::core::network::NetworkClass::Trusted;
        policy.networks.interfaces.insert("eth0".into(), class);
        policy
    }

    #[test]
    fn rules_by_address_keep_the_addresses_that_have_not_come_yet() {
        let known = eth0(
            r#"["192.0.2.10/24", "2001:db8::10/64"]"#,
            r#"["192.0.2.0/24", "2001:db8::/64"]"#,
        );
        let rules = compile_by_address(&trusting(), &known);
        let kept = confirmed(&rules, trusting(), known);
        // IPv4 has come, from another network; of IPv6 there is a link-local address only.
        let now = eth0(
            r#"["198.51.100.7/24", "fe80::1/64"]"#,
            r#"["198.51.100.0/24", "fe80::/64"]"#,
        );
        let (rules, restored) = rules_for_now(&kept, now).unwrap();
        assert_eq!(restored, Restored::Recompiled);
        assert_eq!(
            rules.telling(),
            Some(Telling::ByAddress),
            "in the kind that was confirmed"
        );
        let (ipv4, ipv6) = (rules.ipv4.to_text(), rules.ipv6.to_text());
        assert!(
            ipv4.contains("--ctorigdst 198.51.100.7 ") && !ipv4.contains("192.0.2.10"),
            "{ipv4}"
        );
        assert!(ipv6.contains("--ctorigdst 2001:db8::10 "), "{ipv6}");
    }

    #[test]
    fn rules_by_label_are_recompiled_by_label() {
        let known = eth0(r#"["192.0.2.10/24"]"#, r#"["192.0.2.0/24"]"#);
        let rules = compile_by(Telling::ByLabel, &trusting(), &known);
        let kept = confirmed(&rules, trusting(), known);
        let now = eth0(r#"["198.51.100.7/24"]"#, r#"["198.51.100.0/24"]"#);
        let (again, restored) = rules_for_now(&kept, now).unwrap();
        assert_eq!(
            (again.telling(), restored),
            (Some(Telling::ByLabel), Restored::Recompiled)
        );
    }
}
