//! The plan: what applying would change, and what that means.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;

use crate::core::connections::{GoesOn, Refusals, Running, Spared, going_on, interrupted};
use crate::core::listener::Family;
use crate::core::overview::NetworkReach;
use crate::core::overview::Row;
use crate::core::policy::Policy;
use crate::core::reach::{DecidedBy, Filter, Reach, Who};
use crate::core::ruleset::{DiffLine, FamilyRules, Match, Obstacle, Rule, Ruleset, diff};
use crate::core::service::{Service, ServiceId};
use crate::core::text::printable_within;
use crate::core::tools::Manager;
use crate::core::unit::kernel_note;
use crate::core::way_in::{Standing, WayIn};

mod services;
mod unguarded;

pub use services::{ServiceChange, lost_with, service_changes};
pub use unguarded::unguarded;

/// What changes for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequence {
    /// The service.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Who can connect now.
    pub before: Reach,
    /// Who can connect after applying.
    pub after: Reach,
    /// The sources the decision names; empty where it names none.
    pub from: Vec<IpNet>,
    /// Whether anything listens there, or is reached through it.
    pub is_listening: bool,
    /// The networks for which something changes, where that was worked out.
    pub networks: Vec<NetworkReach>,
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{} ", self.name)?;
        }
        write!(f, "{}: ", self.id)?;
        match (self.before, self.after) {
            (_, Reach::ThisMachine) => f.write_str("only this machine can connect; others are refused"),
            (_, Reach::Trusted) if !self.from.is_empty() => {
                let sources: Vec<String> = self.from.iter().map(ToString::to_string).collect();
                write!(f, "only {} can connect; others are refused", sources.join(", "))
            }
            (Reach::ThisMachine, Reach::Trusted) => f.write_str("trusted networks gain access"),
            (_, Reach::Trusted) => f.write_str("only trusted networks can connect; strangers are refused"),
            (_, Reach::Everyone) => f.write_str("everyone can connect"),
            (_, Reach::Unknown) => f.write_str("fwtui lets everyone pass; rules of other tools decide"),
        }?;
        if !self.is_listening {
            f.write_str(" (nothing listens there now)")?;
        }
        Ok(())
    }
}

impl Consequence {
    /// Who loses and who gains, network by network: `neighbours on eth1 lose access`. Only where that
    /// differs from network to network: else it is said already.
    pub fn by_network(&self) -> impl Iterator<Item = String> {
        let of = |word, change: &dyn Fn(&NetworkReach) -> bool| {
            let mut who: Vec<String> = Vec::new();
            for network in self.networks.iter().filter(|network| change(network)) {
                let text = format!("{} on {}", network.who.words(), network.interface);
                if network.who != Who::ThisMachine && !who.contains(&text) {
                    who.push(text);
                }
            }
            (!who.is_empty()).then(|| format!("{} {word} access", who.join(", ")))
        };
        let loses = |network: &NetworkReach| network.now.fate.may_arrive() && !network.after.fate.may_arrive();
        let gains = |network: &NetworkReach| !network.now.fate.may_arrive() && network.after.fate.may_arrive();
        let (lose, gain) = (of("lose", &loses), of("gain", &gains));
        let says_more = gain.is_some() || self.after != Reach::ThisMachine;
        lose.into_iter().chain(gain).filter(move |_| says_more)
    }
}

/// Something the user should know before applying. None of them stops an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Other tools' rules keep out those whom decisions let in.
    KeptOut {
        /// At how many services.
        count: usize,
        /// The first of them.
        id: ServiceId,
        /// What keeps them out there.
        by: DecidedBy,
    },
    /// Another firewall is active: it decides over everything as well, now or after the next boot.
    Manager(Manager),
    /// Something a decision lets trusted networks reach, while no network is trusted.
    NobodyTrusted,
    /// The kernel has no connection labels: published ports are told by the addresses of now.
    PublishedByAddress,
    /// The plan opens to everyone what asks nobody who he is, or can be read on the way.
    Unguarded {
        /// How many services.
        count: usize,
        /// The first of them.
        id: ServiceId,
        /// Its name, with how certain that is.
        name: String,
        /// What it lacks: `without a password`.
        lacks: String,
    },
    /// iptables-legacy and iptables-nft both have rules.
    TwoBackends(String),
    /// Listeners without a decision will be refused.
    Undecided {
        /// How many can be reached from outside now.
        reachable: usize,
        /// Whether that is known of each of them.
        is_known: bool,
    },
    /// fwtui's own rules in the kernel are not what was confirmed.
    Drifted(String),
    /// Whether they are can't be told.
    Unsure(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeptOut { count, id, by } => {
                write!(f, "{id} is to be reached, but {by} keeps others out")?;
                match count {
                    1 => Ok(()),
                    more => write!(f, "; so it is at {} more", more - 1),
                }
            }
            Self::Manager(manager) => write!(
                f,
                "{manager} is active as well, and may refuse what fwtui lets through: {}",
                manager.next_step()
            ),
            Self::NobodyTrusted => write!(f, "{NOBODY_TRUSTED} If one is yours: fwtui network NAME trusted"),
            Self::PublishedByAddress => f.write_str(
                "This kernel or its iptables has no connection labels (xt_connlabel): where this machine gets a new \
                 address, the published ports of containers are open at it until the next apply",
            ),
            Self::Unguarded { count, id, name, lacks } => {
                write!(f, "{id} ({name}) will be open to everyone, {lacks}")?;
                match count {
                    1 => Ok(()),
                    more => write!(f, ", and {} more like it", more - 1),
                }
            }
            Self::TwoBackends(what) => write!(f, "Both kinds of iptables have rules: {what}"),
            Self::Undecided { reachable, is_known } => {
                let (noun, verb) = if *reachable == 1 {
                    ("service", "is")
                } else {
                    ("services", "are")
                };
                let can = if *is_known { "can" } else { "may" };
                write!(
                    f,
                    "{reachable} {noun} that {can} be reached now {verb} undecided and will be refused"
                )
            }
            Self::Drifted(why) => write!(f, "The rules in the kernel are no longer what was confirmed: {why}"),
            Self::Unsure(why) => write!(f, "It is not known whether the kernel holds what was confirmed: {why}"),
        }
    }
}

/// A way in that a new connection would no longer get through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockout {
    /// The way in.
    pub way_in: WayIn,
    /// The service to open again, or to type out to go ahead all the same.
    pub service: ServiceId,
    /// What would keep it out, or might.
    pub standing: Standing,
}

impl fmt::Display for Lockout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way_in = &self.way_in;
        match &self.standing {
            Standing::Kept | Standing::Refused => write!(f, "This locks you out: {way_in} would be refused"),
            Standing::Stopped(unit) => write!(f, "This locks you out: {way_in} needs {unit}, which is stopped"),
            Standing::KeptOut(by) => write!(f, "This locks you out: {way_in} would be refused by {by}, as it is now"),
            Standing::Unproven(by) => write!(
                f,
                "It can't be proven that a new connection like {way_in} would be let in, because of {by}: {}",
                printable_within(&by.rule, LONGEST_RULE)
            ),
        }
    }
}

/// Longest rule of another tool in a sentence.
const LONGEST_RULE: usize = 120;

/// So many services are looked at network by network.
const MOST_BY_NETWORK: usize = 500;

/// What is to be known where services are for trusted networks and no network is trusted.
pub const NOBODY_TRUSTED: &str = "No network is trusted yet, so 'trusted' lets nobody in.";

/// What is said of a plan for a kernel whose rules can't be seen.
pub const UNSEEN: &str = "Who gains or loses access can't be told: the rules in the kernel can't be seen";

/// The plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The services whose reach changes, those that lose access first.
    pub consequences: Vec<Consequence>,
    /// What is blocked whatever is decided, or no longer is, and not so in the kernel yet: in words,
    /// without a full stop.
    pub blocks: Vec<String>,
    /// The ways in that stay open.
    pub kept: Vec<WayIn>,
    /// The ways in that would be closed.
    pub lockouts: Vec<Lockout>,
    /// What else to know.
    pub warnings: Vec<Warning>,
    /// The services that are stopped or started themselves.
    pub services: Vec<ServiceChange>,
    /// The services with running connections that the candidate refuses as new ones, without those of
    /// the user's own ways in.
    pub going_on: Vec<GoesOn>,
    /// The datagram flows that lose packets when connection tracking begins with the candidate.
    pub interrupted: Vec<Running>,
    /// fwtui's own rules now against the candidate's.
    pub diff: Vec<DiffLine>,
    /// What would be loaded.
    pub candidate: Ruleset,
    /// Whether the kernel already enforces the candidate.
    pub is_in_force: bool,
    /// Whether the rules in the kernel can't be seen: then nobody can tell what changes.
    pub is_blind: bool,
}

impl Plan {
    /// Works out what loading `candidate`, which `policy` compiles to, over what `filter` holds would
    /// mean.
    pub fn new(
        policy: &Policy,
        rows: &[Row],
        filter: &Filter,
        candidate: Ruleset,
        ways_in: Vec<(WayIn, Standing)>,
        mut warnings: Vec<Warning>,
    ) -> Self {
        let sources = LazyCell::new(|| {
            let now = Family::ALL.map(|family| &filter.family(family).own.rules);
            let after = Family::ALL.map(|family| candidate.family(family));
            (sources_by_decision(now), sources_by_decision(after))
        });
        // Other sources are a change, even where the word for who can connect stays.
        let has_other_sources = |row: &Row| {
            let is_named = row.reach_after == Reach::Trusted && !row.from.is_empty();
            let entry = is_named.then(|| policy.entry_for(&row.service.id)).flatten();
            entry.is_some_and(|(id, _)| {
                let (id, (now, after)) = (id.to_string(), &*sources);
                now.get(id.as_str()) != after.get(id.as_str())
            })
        };
        let mut consequences: Vec<Consequence> = rows
            .iter()
            .filter(|row| row.reach_now != row.reach_after || has_other_sources(row))
            .map(consequence)
            .collect();
        consequences.sort_by_key(|consequence| (consequence.after, consequence.id.clone()));
        warnings.extend(kept_out_warning(rows));
        let (mut kept, mut lockouts) = (Vec::new(), Vec::new());
        for (way_in, standing) in ways_in {
            match (standing, way_in.service_under(policy)) {
                (Standing::Kept, _) => kept.push(way_in),
                (standing, Some(service)) => lockouts.push(Lockout {
                    way_in,
                    service,
                    standing,
                }),
                (_, None) => {}
            }
        }
        let is_in_force = filter.ipv4.enforces(&candidate.ipv4)
            && filter.ipv6.enforces(&candidate.ipv6)
            // What comes before fwtui's rules has to be overtaken again.
            && (candidate.is_empty() || !foreign(filter).any(Obstacle::goes_first));
        let diff = diff(filter, &candidate);
        Self {
            blocks: blocks(policy, filter, &candidate),
            consequences,
            kept,
            lockouts,
            warnings,
            services: Vec::new(),
            going_on: Vec::new(),
            interrupted: Vec::new(),
            diff,
            candidate,
            is_in_force,
            is_blind: false,
        }
    }

    /// Adds how many services are refused that nobody has decided on. Of clients that wait for answers
    /// there is nothing to decide: answers get in.
    #[must_use]
    pub fn with_undecided(mut self, rows: &[Row], is_client: &dyn Fn(&Service) -> bool) -> Self {
        let is_undecided = |row: &&Row| row.is_new && row.reach_now > Reach::ThisMachine && !is_client(&row.service);
        let undecided = || rows.iter().filter(is_undecided);
        let reachable = undecided().count();
        if reachable > 0 && !self.candidate.is_empty() {
            let is_known = undecided().all(|row| row.reach_now != Reach::Unknown);
            self.warnings.push(Warning::Undecided { reachable, is_known });
        }
        self
    }

    /// Adds, for each service that changes, what changes on which network.
    #[must_use]
    pub fn with_networks(mut self, rows: &[Row], look: &dyn Fn(&Service) -> Vec<NetworkReach>) -> Self {
        let services: BTreeMap<&ServiceId, &Service> =
            rows.iter().map(|row| (&row.service.id, &*row.service)).collect();
        for consequence in self.consequences.iter_mut().take(MOST_BY_NETWORK) {
            if let Some(service) = services.get(&consequence.id) {
                consequence.networks = look(service);
                consequence
                    .networks
                    .retain(|network| network.now.fate != network.after.fate);
            }
        }
        self
    }

    /// Adds the services that are stopped or started with it.
    #[must_use]
    pub fn with_services(self, services: Vec<ServiceChange>) -> Self {
        Self { services, ..self }
    }

    /// Whether there is nothing to change: the kernel enforces the candidate, and no service is to be
    /// stopped or started.
    pub fn is_done(&self) -> bool {
        self.is_in_force && self.services.is_empty()
    }

    /// What the kernel's timer could not undo of it, in one sentence without a full stop.
    pub fn kernel_note(&self) -> Option<String> {
        let units = |is_stopped| -> Vec<String> {
            let changes = self.services.iter().filter(|change| change.is_stopped == is_stopped);
            changes.flat_map(|change| change.proposal.units.clone()).collect()
        };
        kernel_note(&units(true), &units(false))
    }

    /// The same for a kernel whose rules can't be seen.
    #[must_use]
    pub fn blind(self) -> Self {
        Self {
            is_in_force: false,
            is_blind: true,
            ..self
        }
    }

    /// Adds what becomes of the TCP connections that came in to these services.
    #[must_use]
    pub fn with_running(mut self, running: &[Running], services: &[Arc<Service>], ways_in: &[WayIn]) -> Self {
        let spared = Spared::of(ways_in);
        self.going_on = going_on(running, services, &Refusals::new(&self.candidate, &spared));
        self
    }

    /// Adds what becomes of datagram flows that the kernel does not track.
    #[must_use]
    pub fn with_untracked(mut self, flows: &[Running], now: &Filter) -> Self {
        self.interrupted = interrupted(flows, now, &Refusals::new(&self.candidate, &[]));
        self
    }

    /// How many running connections could be ended.
    pub fn count_going_on(&self) -> usize {
        self.going_on.iter().map(|goes_on| goes_on.count).sum()
    }
}

/// The sources that rules name, by the id of the decision they come from.
fn sources_by_decision(families: [&FamilyRules; 2]) -> BTreeMap<&str, BTreeSet<IpNet>> {
    let mut found: BTreeMap<&str, BTreeSet<IpNet>> = BTreeMap::new();
    for rule in families.into_iter().flat_map(FamilyRules::rules) {
        if let Rule::Known {
            matches: Match {
                source: Some(source), ..
            },
            reason: Some(id),
            ..
        } = rule
        {
            found.entry(id).or_default().insert(*source);
        }
    }
    found
}

fn consequence(row: &Row) -> Consequence {
    let service = &row.service;
    Consequence {
        id: service.id.clone(),
        name: service.name.clone(),
        before: row.reach_now,
        after: row.reach_after,
        from: row.from.clone(),
        is_listening: service.is_there(),
        networks: Vec::new(),
    }
}

/// What changes about blocks; with a candidate that refuses nothing, they all end.
fn blocks(policy: &Policy, filter: &Filter, candidate: &Ruleset) -> Vec<String> {
    let reasons = |rules: &FamilyRules| -> BTreeSet<String> {
        let blocked = rules.rules().filter_map(|rule| rule.reason()?.strip_prefix("block "));
        blocked.map(str::to_owned).collect()
    };
    let of = |rules: &dyn Fn(Family) -> BTreeSet<String>| Family::ALL.into_iter().flat_map(rules).collect();
    let now: BTreeSet<String> = of(&|family| reasons(&filter.family(family).own.rules));
    let after: BTreeSet<String> = of(&|family| reasons(candidate.family(family)));
    let added = policy
        .blocks
        .iter()
        .filter(|block| !candidate.is_empty() && !block.is_in_force(filter));
    let lifted = now.difference(&after).map(|id| format!("{id} is no longer blocked"));
    added.map(ToString::to_string).chain(lifted).collect()
}

fn foreign(filter: &Filter) -> impl Iterator<Item = &Obstacle> {
    filter.ipv4.foreign.iter().chain(&filter.ipv6.foreign)
}

fn kept_out_warning(rows: &[Row]) -> Option<Warning> {
    let mut kept_out = rows
        .iter()
        .filter_map(|row| Some((&row.service.id, row.kept_out_by.as_ref()?)));
    let (id, by) = kept_out.next()?;
    Some(Warning::KeptOut {
        count: kept_out.count() + 1,
        id: id.clone(),
        by: by.clone(),
    })
}
