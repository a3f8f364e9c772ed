//! The first-time setup: what was found, what is proposed, and the answers so far.

use crate::app::check::is_desktop;
use crate::app::machine::require_root;
use crate::app::{Error, Machine, Observation, Presence};
use crate::core::service::BoundTo;
use crate::core::setup::{Answers, Found, Proposals, propose};
use crate::core::way_in::WayIn;
use crate::store::setup as draft;
use crate::sys::host;

/// What the setup begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// What is proposed, and why.
    pub proposals: Proposals,
    /// How much was found.
    pub counts: Counts,
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

/// How much was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that listen, or are published.
    pub services: usize,
    /// Of these: bound to loopback, which nobody else can reach, so that nothing is asked.
    pub on_loopback: usize,
    /// Of these: clients that wait for answers, so that nothing is asked.
    pub clients: usize,
    /// Networks that are asked about.
    pub networks: usize,
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
            policy: &observation.policy,
        });
        let (draft, note) = draft::load(&self.paths);
        let there = || observation.services.iter().filter(|service| service.is_there());
        Setup {
            counts: Counts {
                services: there().count(),
                on_loopback: there().filter(|service| service.bound_to == BoundTo::Loopback).count(),
                clients: there().filter(|service| !service.folded.is_empty()).count(),
                networks: proposals.networks.len(),
            },
            proposals,
            tools: observation.status.tools.clone(),
            conflicts: observation.status.conflicts.clone(),
            ways_in: observation.ways_in.clone(),
            draft,
            notes: note.into_iter().collect(),
        }
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

    /// Whether nobody has decided anything on this machine: there is no policy, nothing was confirmed,
    /// no trial runs, and the user is root, so that the setup can do something about it.
    pub fn needs_setup(&self) -> bool {
        let paths = [self.paths.policy(), self.paths.confirmed(), self.paths.journal()];
        // Where that can't be told, nothing is begun.
        host::is_root() && paths.iter().all(|path| matches!(path.try_exists(), Ok(false)))
    }
}
