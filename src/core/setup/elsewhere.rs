//! What was decided elsewhere since the answers were given: by `fwtui set`, in another session, by a
//! trial that was kept.
//!
//! Each answer knows what stood there as it was given. Where the user had no answer of his own, what
//! was decided since is taken over; where he had one, his holds, and both are told.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Answers, Proposals};
use crate::core::network::NetworkClass;
use crate::core::policy::{Decision, Logging, Refusal};
use crate::core::service::ServiceId;

/// What stood for a question: recommended, or decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stood<T> {
    value: T,
    #[serde(default, rename = "decided")]
    is_decided: bool,
}

impl<T: PartialEq> Stood<T> {
    /// What was decided, as opposed to recommended.
    fn decided(&self) -> Option<&T> {
        self.is_decided.then_some(&self.value)
    }
}

/// A decision with the sources it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    decision: Decision,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    from: Vec<IpNet>,
}

/// What stood for every question as it was answered. What differs from it is the user's own answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Against {
    #[serde(default)]
    refusal: Option<Stood<Refusal>>,
    #[serde(default)]
    logging: Option<Stood<Logging>>,
    #[serde(default)]
    networks: BTreeMap<String, Stood<NetworkClass>>,
    #[serde(default)]
    services: BTreeMap<ServiceId, Stood<Choice>>,
}

impl Against {
    /// What stands now.
    pub(super) fn of(proposals: &Proposals) -> Self {
        let networks = proposals.networks.iter().map(|one| {
            let stood = Stood {
                value: one.class,
                is_decided: one.is_decided,
            };
            (one.interface.clone(), stood)
        });
        let services = proposals.services.iter().map(|one| {
            let value = Choice {
                decision: one.decision,
                from: one.from.clone(),
            };
            let stood = Stood {
                value,
                is_decided: one.is_decided,
            };
            (one.id.clone(), stood)
        });
        Self {
            refusal: Some(Stood {
                value: proposals.refusal.value,
                is_decided: proposals.refusal.is_decided,
            }),
            logging: Some(Stood {
                value: proposals.logging.value,
                is_decided: proposals.logging.is_decided,
            }),
            networks: networks.collect(),
            services: services.collect(),
        }
    }

    /// What stood for a network.
    pub(super) fn class(&self, interface: &str) -> Option<NetworkClass> {
        self.networks.get(interface).map(|stood| stood.value)
    }

    /// What stood for a service.
    pub(super) fn decision(&self, id: &ServiceId) -> Option<Decision> {
        self.services.get(id).map(|stood| stood.value.decision)
    }
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// The class of a network.
    Network(String),
    /// Reject or drop.
    Refusal,
    /// A service.
    Service(ServiceId),
    /// Whether refusals are logged.
    Logging,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(interface) => f.write_str(interface),
            Self::Refusal => f.write_str("refusal"),
            Self::Service(id) => write!(f, "{id}"),
            Self::Logging => f.write_str("logging"),
        }
    }
}

/// Something that was decided elsewhere since a question was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The question.
    pub about: About,
    /// What was answered before.
    pub answered: String,
    /// What stands now.
    pub now: String,
    /// Whether that was decided; else what was decided was taken back, and it is recommended.
    pub is_decided: bool,
    /// Whether the answer is the user's own, and holds; else what stands now was taken over.
    pub is_own: bool,
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            about, answered, now, ..
        } = self;
        match (self.is_own, self.is_decided) {
            (true, true) => write!(f, "{about}: you answered {answered}; {now} was decided elsewhere since"),
            (true, false) => write!(
                f,
                "{about}: you answered {answered}; what was decided before was taken back elsewhere since"
            ),
            (false, true) => write!(
                f,
                "{about}: now {now}, as decided elsewhere since; here it was {answered}"
            ),
            (false, false) => write!(
                f,
                "{about}: now {now}, as recommended; {answered} was taken back elsewhere since"
            ),
        }
    }
}

/// An answer that is gone on with.
struct Settled<T> {
    value: T,
    against: Stood<T>,
    /// Whether it was decided elsewhere since, and otherwise: if so, whether the answer is the user's own.
    is_own: Option<bool>,
}

/// Where nothing tells what stood as it was answered, the answer is the user's own.
fn settle<T: Clone + PartialEq>(answer: Option<&T>, then: Option<&Stood<T>>, now: Stood<T>) -> Settled<T> {
    let Some(answer) = answer else {
        return Settled {
            value: now.value.clone(),
            against: now,
            is_own: None,
        };
    };
    let is_own = then.is_none_or(|then| then.value != *answer);
    let is_decided_since = then.and_then(Stood::decided) != now.decided();
    let differs = *answer != now.value;
    match then {
        // A recommendation that is another one by now changes no answer.
        Some(then) if !is_decided_since => Settled {
            value: answer.clone(),
            against: then.clone(),
            is_own: None,
        },
        // It is told again until the two agree.
        then if is_own && differs => Settled {
            value: answer.clone(),
            against: then.cloned().unwrap_or_else(|| Stood {
                value: now.value.clone(),
                is_decided: false,
            }),
            is_own: is_decided_since.then_some(true),
        },
        _ => Settled {
            value: now.value.clone(),
            against: now,
            is_own: differs.then_some(false),
        },
    }
}

impl<T: Clone> Settled<T> {
    /// What is to be told.
    fn told(
        &self,
        about: impl Fn() -> About,
        answered: Option<&T>,
        now: &Stood<T>,
        word: fn(&T) -> String,
    ) -> Option<Elsewhere> {
        Some(Elsewhere {
            is_own: self.is_own?,
            about: about(),
            answered: word(answered?),
            now: word(&now.value),
            is_decided: now.is_decided,
        })
    }
}

/// `open to 192.0.2.0/24`
fn choice_words(choice: &Choice) -> String {
    let sources: Vec<String> = choice.from.iter().map(ToString::to_string).collect();
    match sources.is_empty() || choice.decision != Decision::Open {
        true => choice.decision.word().to_owned(),
        false => format!("{} to {}", choice.decision, sources.join(", ")),
    }
}

impl Answers {
    /// The answer on a service with the sources it is for.
    fn choice(&self, id: &ServiceId) -> Option<Choice> {
        let decision = *self.services.get(id)?;
        let from = self.from.get(id).filter(|_| decision == Decision::Open);
        Some(Choice {
            decision,
            from: from.cloned().unwrap_or_default(),
        })
    }

    /// The answer to a question, in a word; none where there is none.
    pub fn word(&self, about: &About) -> Option<String> {
        match about {
            About::Network(interface) => self.networks.get(interface).map(ToString::to_string),
            About::Refusal => Some(self.refusal.word().to_owned()),
            About::Logging => Some(self.logging.word().to_owned()),
            About::Service(id) => self.choice(id).as_ref().map(choice_words),
        }
    }

    /// These answers on a machine as it is now, and what was decided elsewhere since. What is gone is
    /// left out.
    #[must_use]
    pub fn over(&self, proposals: &Proposals) -> (Self, Vec<Elsewhere>) {
        let stands = Against::of(proposals);
        let then = self.against.clone().unwrap_or_default();
        let mut answers = Self {
            step: self.step,
            ..Self::default()
        };
        let mut against = Against::default();
        let mut told = Vec::new();
        for (interface, now) in stands.networks {
            let answer = self.networks.get(&interface);
            let settled = settle(answer, then.networks.get(&interface), now.clone());
            let about = || About::Network(interface.clone());
            told.extend(settled.told(about, answer, &now, ToString::to_string));
            answers.networks.insert(interface.clone(), settled.value);
            against.networks.insert(interface, settled.against);
        }
        for (id, now) in stands.services {
            let answer = self.choice(&id);
            let settled = settle(answer.as_ref(), then.services.get(&id), now.clone());
            let about = || About::Service(id.clone());
            told.extend(settled.told(about, answer.as_ref(), &now, choice_words));
            answers.services.insert(id.clone(), settled.value.decision);
            // Sources that were decided wait for the service to be open again.
            let from = match settled.value.decision {
                Decision::Open => settled.value.from,
                Decision::Undecided | Decision::Confine | Decision::Trusted => now.value.from,
            };
            if !from.is_empty() {
                answers.from.insert(id.clone(), from);
            }
            against.services.insert(id, settled.against);
        }
        if let Some(now) = stands.refusal {
            let settled = settle(Some(&self.refusal), then.refusal.as_ref(), now.clone());
            told.extend(settled.told(
                || About::Refusal,
                Some(&self.refusal),
                &now,
                |refusal| refusal.word().to_owned(),
            ));
            answers.refusal = settled.value;
            against.refusal = Some(settled.against);
        }
        if let Some(now) = stands.logging {
            let settled = settle(Some(&self.logging), then.logging.as_ref(), now.clone());
            told.extend(settled.told(
                || About::Logging,
                Some(&self.logging),
                &now,
                |logging| logging.word().to_owned(),
            ));
            answers.logging = settled.value;
            against.logging = Some(settled.against);
        }
        told.sort_by(|a, b| (!a.is_own, &a.about).cmp(&(!b.is_own, &b.about)));
        answers.against = Some(against);
        (answers, told)
    }

    /// Whether the answer on a network is the user's own, and not what stood there anyway.
    pub fn is_own_class(&self, interface: &str) -> bool {
        let against = self.against.as_ref().and_then(|against| against.class(interface));
        self.networks
            .get(interface)
            .is_some_and(|class| Some(*class) != against)
    }

    /// Whether the answer on a service is the user's own.
    pub fn is_own_decision(&self, id: &ServiceId) -> bool {
        let against = self.against.as_ref().and_then(|against| against.decision(id));
        self.services.get(id).is_some_and(|decision| Some(*decision) != against)
    }

    /// Whether any answer is.
    pub fn has_own(&self) -> bool {
        let then = self.against.clone().unwrap_or_default();
        then.refusal.is_none_or(|then| then.value != self.refusal)
            || then.logging.is_none_or(|then| then.value != self.logging)
            || self.networks.keys().any(|one| self.is_own_class(one))
            || self.services.keys().any(|one| self.is_own_decision(one))
    }
}
