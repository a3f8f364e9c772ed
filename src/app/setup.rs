//! The first-time setup: what was found, what is proposed, and the answers so far.

use crate::app::check::is_desktop;
use crate::app::machine::require_root;
use crate::app::{Error, Machine, Observation, Presence, Status};
use crate::core::setup::{Answers, Found, Proposals, propose, words};
use crate::core::text::capitalised;
use crate::core::way_in::WayIn;
use crate::store::setup as draft;
use crate::store::state::{self, Confirmed};
use crate::sys::host;
use crate::sys::owners::ephemeral_ports;

/// What the setup begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// What is proposed, and why.
    pub proposals: Proposals,
    /// Who else decides over connections, now or after the next boot.
    pub tools: Vec<Presence>,
    /// What to know of them: one sentence each, with what to do.
    pub conflicts: Vec<String>,
    /// What the user's own session depends on.
    pub ways_in: Vec<WayIn>,
    /// The answers of a setup that was left before its end.
    pub draft: Option<Answers>,
    /// What could not be read: one sentence each.
    pub notes: Vec<String>,
}

/// What to know of the others, and what to do: one sentence each.
fn beside(status: &Status) -> Vec<String> {
    let undoing = status.conflicts.iter().map(|said| format!("{}.", capitalised(said)));
    undoing.chain(words::beside(&status.tools)).collect()
}

impl Machine {
    /// What the setup begins with. It needs an observation as deep as a plan does.
    pub fn setup(&self, observation: &Observation) -> Setup {
        let proposals = propose(&Found {
            services: &observation.services,
            interfaces: &observation.interfaces,
            catalogue: &observation.catalogue,
            ways_in: &observation.ways_in,
            is_desktop: is_desktop(self.paths.root()),
            ephemeral: observation.ephemeral.unwrap_or_else(ephemeral_ports),
            policy: &observation.policy,
        });
        let (draft, note) = draft::load(&self.paths);
        Setup {
            proposals,
            tools: observation.status.tools.clone(),
            conflicts: beside(&observation.status),
            ways_in: observation.ways_in.clone(),
            draft,
            notes: note.into_iter().collect(),
        }
    }

    /// Whether the user may go through it to its end.
    ///
    /// # Errors
    /// Without root.
    pub fn may_set_up(&self) -> Result<(), Error> {
        require_root("decide what is let in")
    }

    /// Keeps the answers so far, for the next time.
    ///
    /// # Errors
    /// Without root, and where they can't be written.
    pub fn keep_answers(&self, answers: &Answers) -> Result<(), Error> {
        require_root("keep the answers")?;
        Ok(draft::save(&self.paths, answers)?)
    }

    /// Forgets them: the setup is done, or begins anew.
    ///
    /// # Errors
    /// Without root, and where they can't be removed.
    pub fn forget_answers(&self) -> Result<(), Error> {
        require_root("forget the answers")?;
        Ok(draft::remove(&self.paths)?)
    }

    /// Forgets the answers if all of them were confirmed, from wherever: then the setup is done.
    pub(super) fn close_setup(&self) {
        let (Some(answers), _) = draft::load(&self.paths) else {
            return;
        };
        let Ok(Some(Confirmed {
            policy, is_off: false, ..
        })) = state::confirmed(&self.paths)
        else {
            return;
        };
        if answers
            .policy(&policy)
            .is_ok_and(|wanted| wanted.wants_the_same_as(&policy))
        {
            // What is left there harms nobody.
            let _left = draft::remove(&self.paths);
        }
    }

    /// Whether nobody has decided anything on this machine: there is no policy, nothing was confirmed,
    /// no trial runs, and the user is root, so that the setup can do something about it.
    pub fn needs_setup(&self) -> bool {
        let paths = [self.paths.policy(), self.paths.confirmed(), self.paths.journal()];
        // Where that can't be told, nothing is begun.
        host::is_root() && paths.iter().all(|path| matches!(path.try_exists(), Ok(false)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::app::{Options, plan};
    use crate::core::catalogue::Catalogue;
    use crate::core::listener::{Listener, Protocol};
    use crate::core::network::{Interface, InterfaceKind, World};
    use crate::core::reach::Filter;
    use crate::core::service::{Ownership, Ports, group};
    use crate::core::setup::Step;
    use crate::core::tools::Manager;
    use crate::core::way_in::Carrier;

    fn machine(folder: &tempfile::TempDir) -> Machine {
        Machine::new(Options {
            root: Some(folder.path().to_owned()),
            ..Options::default()
        })
    }

    /// A machine whose user came in by SSH from far away, and by what else there is.
    fn observation(ways_in: &[(Carrier, Protocol, u16)]) -> Observation {
        let listener = |(protocol, port): (Protocol, u16)| Listener {
            protocol,
            address: "::".parse().unwrap(),
            port,
            v6only: false,
            interface: None,
            inode: u32::from(port),
            uid: 0,
            cgroup: None,
        };
        let sockets = [(Protocol::Tcp, 22), (Protocol::Tcp, 5432), (Protocol::Udp, 60001)];
        let listeners: Vec<Listener> = sockets.into_iter().map(listener).collect();
        let eth0 = Interface {
            index: 2,
            name: "eth0".into(),
            kind: InterfaceKind::Ethernet,
            driver: None,
            addresses: vec!["203.0.113.10/24".parse().unwrap()],
            on_link: vec!["203.0.113.0/24".parse().unwrap()],
            changing: Vec::new(),
            is_up: true,
            has_default_route: true,
            has_physical_port: false,
        };
        let come_in = |(carrier, protocol, port): &(Carrier, Protocol, u16)| WayIn {
            carrier: carrier.clone(),
            protocol: *protocol,
            port: *port,
            peer: Some("198.51.100.7".parse().unwrap()),
            local: Some("203.0.113.10".parse().unwrap()),
            interface: Some("eth0".into()),
        };
        Observation {
            services: group(&listeners, &Ownership::default(), Ports::ALL, &|_| false),
            interfaces: vec![eth0.clone()],
            world: World {
                interfaces: vec![eth0],
                ..World::default()
            },
            filter: Some(Filter::default()),
            netfilter: Some(std::sync::Arc::default()),
            ways_in: ways_in.iter().map(come_in).collect(),
            catalogue: Catalogue::embedded(),
            ..Observation::default()
        }
    }

    #[test]
    fn taking_everything_makes_a_plan_that_keeps_the_user_in() {
        let folder = tempfile::tempdir().unwrap();
        let ssh = || (Carrier::Ssh, Protocol::Tcp, 22);
        for ways_in in [
            vec![ssh()],
            vec![ssh(), (Carrier::Mosh, Protocol::Udp, 60001)],
            vec![(Carrier::Ssh, Protocol::Tcp, 2222)],
            vec![ssh(), (Carrier::Tunnel("wg0".into()), Protocol::Udp, 51820)],
            vec![(Carrier::Other("ttyd".into()), Protocol::Tcp, 7681)],
        ] {
            let observation = observation(&ways_in);
            let setup = machine(&folder).setup(&observation);
            let taken = Answers::from_proposals(&setup.proposals).policy(&observation.policy);
            let taken = taken.unwrap();
            let plan = plan(&observation, &taken, false);
            assert_eq!(plan.lockouts, [], "{ways_in:?}");
            assert_eq!(plan.kept.len(), ways_in.len(), "{ways_in:?}");
            // Without any answer the same plan shuts him out: the test can tell.
            let nothing = crate::app::plan(&observation, &observation.policy, false);
            assert_ne!(nothing.lockouts, [], "{ways_in:?}");
        }
    }

    #[test]
    fn other_firewalls_are_told_with_what_to_do() {
        let presence = |manager, is_on| Presence {
            manager,
            in_kernel: Some(is_on),
            at_boot: Some(true),
            how: String::new(),
            boot: String::new(),
            has_rules: is_on,
            flushes: false,
        };
        let mut status = Status {
            conflicts: vec!["nftables.service empties everything; disable it".into()],
            ..Status::default()
        };
        status.tools = vec![
            presence(Manager::Ufw, true),
            presence(Manager::Firewalld, false),
            presence(Manager::Docker, true),
        ];
        let told = beside(&status);
        let [undoing, ufw, docker] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert!(undoing.ends_with("disable it."), "{undoing}");
        assert!(ufw.contains("sudo ufw disable") && ufw.contains("yourself"), "{ufw}");
        assert!(docker.contains("Rules of docker stay"), "{docker}");
    }

    #[test]
    fn answers_are_kept_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let machine = machine(&folder);
        let draft = || machine.setup(&observation(&[])).draft;
        assert_eq!(draft(), None);
        let answers = Answers {
            step: Step::Logging,
            ..Answers::default()
        };
        if !host::is_root() {
            assert!(machine.keep_answers(&answers).is_err() && machine.forget_answers().is_err());
            return;
        }
        machine.keep_answers(&answers).unwrap();
        assert_eq!(draft(), Some(answers));
        machine.forget_answers().unwrap();
        machine.forget_answers().unwrap();
        assert_eq!(draft(), None);
    }

    #[test]
    fn only_a_machine_nobody_decided_on_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let machine = machine(&folder);
        assert_eq!(machine.needs_setup(), host::is_root());
        for file in [
            "etc/fwtui/policy.json",
            "var/lib/fwtui/confirmed.json",
            "var/lib/fwtui/trial.json",
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "whatever").unwrap();
            assert!(!machine.needs_setup(), "{file}");
            fs::remove_file(&path).unwrap();
        }
        // A draft is no decision.
        fs::write(folder.path().join("var/lib/fwtui/setup.json"), "{}").unwrap();
        assert_eq!(machine.needs_setup(), host::is_root());
    }
}
