//! What listened when a policy was last confirmed: what is there since is new to the user.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::service::{Service, ServiceId};

/// What listened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listened {
    /// The id of the trial that was confirmed then.
    pub id: String,
    /// Every service, without the clients that wait for answers.
    pub services: BTreeMap<ServiceId, Seen>,
}

/// How a service looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its name; empty where nobody was seen who holds its sockets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it was bound to.
    pub bound_to: String,
}

/// What is new about a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// It was not there.
    Appeared,
    /// It was bound to something else.
    Bound {
        /// To what.
        before: String,
    },
    /// Another program had the port.
    Owner {
        /// Which one.
        before: String,
    },
}

impl Since {
    /// The word in JSON: `appeared`, `bound`, `owner`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Bound { .. } => "bound",
            Self::Owner { .. } => "owner",
        }
    }

    /// What it was bound to, or who had it.
    pub fn before(&self) -> Option<&str> {
        match self {
            Self::Appeared => None,
            Self::Bound { before } | Self::Owner { before } => Some(before),
        }
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Appeared => f.write_str("It was not there when the rules were last confirmed"),
            Self::Bound { before } => write!(f, "It was bound to {before} when the rules were last confirmed"),
            Self::Owner { before } => write!(f, "{before} had this port when the rules were last confirmed"),
        }
    }
}

impl Listened {
    /// What listens, as of the trial with this id.
    pub fn of(id: String, services: &[Arc<Service>]) -> Self {
        let is_kept = |service: &&Arc<Service>| service.is_there() && !is_client(service);
        let seen = |service: &Arc<Service>| {
            let seen = Seen {
                name: service.name.clone(),
                bound_to: service.bound_to.to_string(),
            };
            (service.id.clone(), seen)
        };
        Self {
            id,
            services: services.iter().filter(is_kept).map(seen).collect(),
        }
    }

    /// What is new about a service.
    pub fn since(&self, service: &Service) -> Option<Since> {
        if !service.is_there() || is_client(service) {
            return None;
        }
        let Some(seen) = self.services.get(&service.id) else {
            return Some(Since::Appeared);
        };
        // Who has it is not always known; then nothing has changed as far as anybody can tell.
        if !seen.name.is_empty() && !service.name.is_empty() && seen.name != service.name {
            let before = seen.name.clone();
            return Some(Since::Owner { before });
        }
        let before = seen.bound_to.clone();
        (before != service.bound_to.to_string()).then_some(Since::Bound { before })
    }
}

/// Whether it is one of the sockets that come and go with a client that waits for answers.
fn is_client(service: &Service) -> bool {
    !service.folded.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::netfilter::Tool;
    use crate::core::service::{BoundTo, Published};

    fn service(id: &str, name: &str, bound_to: BoundTo) -> Service {
        Service {
            name: name.to_owned(),
            bound_to,
            published: Some(Published {
                to: "172.17.0.2:80".parse().unwrap(),
                by: Tool::Docker,
                container: None,
                families: Vec::new(),
            }),
            ..Service::absent(id.parse().unwrap())
        }
    }

    #[test]
    fn what_appeared_moved_or_changed_hands_is_told() {
        let before = [
            service("22/tcp", "sshd", BoundTo::All),
            service("80/tcp", "", BoundTo::All),
            service("5432/tcp", "postgres", BoundTo::Loopback),
        ]
        .map(Arc::new);
        let listened = Listened::of("1".to_owned(), &before);
        let since = |service: Service| listened.since(&service).map(|since| since.to_string());
        for service in &before {
            assert_eq!(listened.since(service), None);
        }
        assert_eq!(since(service("80/tcp", "nginx", BoundTo::All)), None);
        assert_eq!(since(Service::absent("81/tcp".parse().unwrap())), None);
        let said = |service| since(service).unwrap();
        assert!(said(service("81/tcp", "nginx", BoundTo::All)).starts_with("It was not there"));
        assert!(said(service("22/tcp", "nc", BoundTo::All)).starts_with("sshd had this port"));
        assert!(said(service("5432/tcp", "postgres", BoundTo::All)).starts_with("It was bound to loopback"));
    }
}
