//! What the first-time setup keeps.

use std::collections::BTreeSet;

use crate::core::network::NetworkClass;
use crate::core::policy::{Decision, Logging, Policy, Refusal};
use crate::core::service::ServiceId;
use crate::core::setup::{Answers, Elsewhere, Proposals, ServiceProposal, Step};
use crate::tui::commands::{Command, CommandId, Context};
use crate::tui::model::list::ListState;

/// The setup while it runs. What it decides is in the model's policy at once, and nowhere else until
/// it is applied.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The answers so far, with the step that is shown.
    pub answers: Answers,
    /// What is recommended, with what was seen once and is gone.
    pub proposals: Proposals,
    /// What to know of other firewalls, with what to do: one sentence each.
    pub others: Vec<String>,
    /// What the answers are added to: the policy as it was stored when the setup began.
    pub base: Policy,
    /// The cursor in the networks.
    pub networks: ListState,
    /// The cursor in the services.
    pub services: ListState,
    /// The first line in sight of a step's text.
    pub top: usize,
    /// The last step that was seen.
    pub furthest: Step,
    /// What began to listen after the setup did.
    new: BTreeSet<ServiceId>,
    /// What no longer listens.
    gone: BTreeSet<ServiceId>,
    /// What was taken over as it was decided elsewhere.
    taken_over: Vec<Elsewhere>,
    /// How the last trial ended, in a sentence; none where there was none.
    pub told: Option<String>,
    /// The last trial of its answers; any other is somebody else's.
    pub trial: Option<String>,
    /// Whether its policy was written: then leaving changes nothing, but something was changed before.
    pub is_saved: bool,
    /// Whether a trial of it was kept.
    pub is_done: bool,
}

impl Setup {
    /// From the beginning.
    pub fn new(proposals: Proposals, others: Vec<String>, base: Policy) -> Self {
        let answers = Answers::from_proposals(&proposals);
        Self::with(answers, proposals, others, base)
    }

    /// From where the user left: what was decided elsewhere since is taken over where he had no answer
    /// of his own.
    pub fn resumed(draft: &Answers, proposals: Proposals, others: Vec<String>, base: Policy) -> Self {
        let (proposals, absent) = proposals.with_absent(draft, &base);
        let (answers, elsewhere) = draft.over(&proposals);
        let mut setup = Self::with(answers, proposals, others, base);
        setup.gone.extend(absent);
        setup.take_over(elsewhere);
        setup
    }

    fn with(answers: Answers, proposals: Proposals, others: Vec<String>, base: Policy) -> Self {
        Self {
            furthest: answers.step,
            answers,
            proposals,
            others,
            base,
            networks: ListState::default(),
            services: ListState::default(),
            top: 0,
            new: BTreeSet::new(),
            gone: BTreeSet::new(),
            taken_over: Vec::new(),
            told: None,
            trial: None,
            is_saved: false,
            is_done: false,
        }
    }

    /// Whose commands hold, beside those of a trial.
    pub fn contexts(&self, has_trial: bool) -> Vec<Context> {
        let of_step = match self.step() {
            _ if self.is_done => return vec![Context::SetupEnd],
            _ if has_trial => return vec![Context::SetupTrial],
            Step::Welcome | Step::Summary => return vec![Context::Setup],
            Step::Networks => Context::SetupNetworks,
            Step::Refusal | Step::Logging => Context::SetupChoice,
            Step::Services => Context::SetupServices,
            Step::Preview => Context::SetupPreview,
        };
        vec![of_step, Context::Setup]
    }

    /// Whether a command would do anything here; else the footer leaves it out.
    pub fn is_useful(&self, command: &Command) -> bool {
        match command.id {
            CommandId::TakeAll => self.step() < Step::Summary || self.differing() > 0,
            CommandId::StartAgain => self.furthest > Step::Welcome,
            CommandId::PreviousStep => self.step() != Step::Welcome,
            CommandId::NextStep => self.step() != Step::Preview,
            _ => true,
        }
    }

    /// The step that is shown.
    pub const fn step(&self) -> Step {
        self.answers.step
    }

    /// Shows another step from its beginning.
    pub fn show(&mut self, step: Step) {
        self.answers.step = step;
        self.furthest = self.furthest.max(step);
        self.top = 0;
    }

    /// The policy that comes of the answers.
    ///
    /// # Errors
    /// Where a decision contradicts another one, in words.
    pub fn policy(&self) -> Result<Policy, String> {
        self.answers.policy(&self.base)
    }

    /// The decision on a range, or on every address, that holds for a service without one of its own.
    pub fn wider(&self, id: &ServiceId) -> Option<ServiceId> {
        let mut policy = self.policy().ok()?;
        policy.services.remove(id);
        policy.entry_for(id).map(|(wider, _)| wider.clone())
    }

    /// Takes what is recommended by now: no answer is lost, and no line moves under the cursor but for
    /// new ones. How many services are new.
    pub fn renew(&mut self, mut proposals: Proposals, others: Vec<String>) -> usize {
        self.others = others;
        let ids = |list: &[ServiceProposal]| list.iter().map(|one| one.id.clone()).collect::<BTreeSet<_>>();
        let (known, there) = (ids(&self.proposals.services), ids(&proposals.services));
        let selected = self.proposals.services.get(self.services.cursor);
        let selected = selected.map(|one| one.id.clone());
        let network = self.proposals.networks.get(self.networks.cursor);
        let network = network.map(|one| one.interface.clone());
        let appeared: Vec<ServiceId> = there.difference(&known).cloned().collect();
        let gone = self.proposals.services.iter().filter(|one| !there.contains(&one.id));
        let gone: Vec<ServiceProposal> = gone.cloned().collect();
        self.gone = gone.iter().map(|one| one.id.clone()).collect();
        let base = &self.base;
        proposals
            .services
            .extend(gone.into_iter().map(|one| one.decided_in(base)));
        let absent = self.proposals.networks.iter();
        let absent = absent.filter(|one| proposals.networks.iter().all(|other| other.interface != one.interface));
        let absent: Vec<_> = absent.cloned().collect();
        proposals
            .networks
            .extend(absent.into_iter().map(|one| one.decided_in(base)));
        let (answers, elsewhere) = self.answers.over(&proposals);
        self.answers = answers;
        self.take_over(elsewhere);
        let place = |id| proposals.services.iter().position(|one| Some(&one.id) == id);
        self.services.cursor = place(selected.as_ref()).unwrap_or(self.services.cursor);
        let place = |name| proposals.networks.iter().position(|one| Some(&one.interface) == name);
        self.networks.cursor = place(network.as_ref()).unwrap_or(self.networks.cursor);
        self.proposals = proposals;
        let count = appeared.len();
        self.new.extend(appeared);
        count
    }

    /// Builds upon a policy that was decided elsewhere. What it decides is taken over at once: until it is known
    /// what is recommended with it, an apply must not take it back.
    pub fn rebase(&mut self, base: Policy) {
        let mut proposals = self.proposals.clone();
        let services = proposals.services.into_iter();
        proposals.services = services.map(|one| one.decided_in(&base)).collect();
        let networks = proposals.networks.into_iter();
        proposals.networks = networks.map(|one| one.decided_in(&base)).collect();
        let (answers, elsewhere) = self.answers.over(&proposals);
        (self.answers, self.proposals, self.base) = (answers, proposals, base);
        self.take_over(elsewhere);
    }

    fn take_over(&mut self, elsewhere: Vec<Elsewhere>) {
        let taken = elsewhere.into_iter().filter(|one| !one.is_own);
        for one in taken {
            self.taken_over.retain(|other| other.about != one.about);
            self.taken_over.push(one);
        }
    }

    /// What was decided elsewhere since it was answered here: first where the user's own answer holds,
    /// then what was taken over, as long as it is what is answered.
    pub fn elsewhere(&self) -> Vec<Elsewhere> {
        let (_, mut elsewhere) = self.answers.over(&self.proposals);
        elsewhere.retain(|one| one.is_own);
        let is_answered = |one: &&Elsewhere| self.answers.word(&one.about).as_ref() == Some(&one.now);
        elsewhere.extend(self.taken_over.iter().filter(is_answered).cloned());
        elsewhere
    }

    /// Whether it began to listen after the setup did.
    pub fn is_new(&self, id: &ServiceId) -> bool {
        self.new.contains(id)
    }

    /// Whether it no longer listens.
    pub fn is_gone(&self, id: &ServiceId) -> bool {
        self.gone.contains(id)
    }

    /// The class answered for a network.
    pub fn class(&self, interface: &str) -> NetworkClass {
        let class = self.answers.networks.get(interface).copied();
        class.unwrap_or(NetworkClass::Public)
    }

    /// The decision answered for a service.
    pub fn decision(&self, id: &ServiceId) -> Decision {
        self.answers.services.get(id).copied().unwrap_or_default()
    }

    /// How many answers are not what is recommended.
    pub fn differing(&self) -> usize {
        let recommended = Answers::from_proposals(&self.proposals);
        let (refusal, logging) = (self.answers.refusal, self.answers.logging);
        let networks = self.answers.networks.iter();
        let services = self.answers.services.iter();
        usize::from(refusal != recommended.refusal)
            + usize::from(logging != recommended.logging)
            + networks
                .filter(|(name, class)| recommended.networks.get(*name) != Some(*class))
                .count()
            + services
                .filter(|(id, decision)| recommended.services.get(*id) != Some(*decision))
                .count()
    }

    /// Everything as it is decided now, or else recommended, from the first step on.
    pub fn start_again(&mut self) {
        self.take_all();
        self.answers.step = Step::Welcome;
        self.furthest = Step::Welcome;
        self.networks = ListState::default();
        self.services = ListState::default();
        self.told = None;
    }

    /// Answers everything as recommended.
    pub fn take_all(&mut self) {
        let step = self.answers.step;
        self.answers = Answers::from_proposals(&self.proposals);
        self.answers.step = step;
        self.taken_over.clear();
    }
}

/// The ways to refuse, in the order they are shown.
pub const REFUSALS: [Refusal; 2] = [Refusal::Reject, Refusal::Drop];

/// The ways to log, in the order they are shown.
pub const LOGGINGS: [Logging; 3] = [Logging::Off, Logging::Kernel, Logging::Nflog];
