//! What shows that a *new* connection still gets in: a session that goes on proves nothing, since
//! an established connection is never refused.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::listener::{Family, Protocol};
use crate::core::service::ServiceId;
use crate::core::way_in::{Carrier, WayIn};

/// How whoever asks for the new rules to be kept reaches this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// At the machine itself, or otherwise not through its network.
    Local,
    /// Through an SSH connection accepted after the change.
    New,
    /// Through one that is older, or comes from this machine itself.
    Old,
    /// Through something that outlives connections: its name.
    Detached(String),
    /// Not any more: the session it was started from has ended.
    Ended,
}

impl Caller {
    /// Why this is no proof; none where it is one, or none is needed.
    pub fn doubt(&self) -> Option<Doubt> {
        match self {
            Self::Local | Self::New => None,
            Self::Old => Some(Doubt::Old),
            Self::Detached(name) => Some(Doubt::Detached(name.clone())),
            Self::Ended => Some(Doubt::Ended),
        }
    }
}

/// Why a confirmation proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doubt {
    /// The session's connection is older than the change.
    Old,
    /// The session lives in something of this name.
    Detached(String),
    /// The session has ended.
    Ended,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not kept, since nothing shows that a new connection still gets in: ")?;
        match self {
            Self::Old => {
                f.write_str("this session's connection is older than the change, and running connections are never cut")
            }
            Self::Detached(name) => write!(f, "this session lives in {name}, which outlives the connection to it"),
            Self::Ended => {
                f.write_str("the session this was started from has ended, so it proves nothing about new connections")
            }
        }
    }
}

/// A connection that an SSH server accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accepted {
    /// The other end.
    pub peer: SocketAddr,
    /// This machine's port.
    pub port: u16,
    /// When the process that serves it was started, since boot.
    pub at: Duration,
}

/// New connections of one family to one port that were accepted after the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The family.
    pub family: Family,
    /// Where to: `22/tcp`.
    pub port: ServiceId,
    /// From where, the latest of them.
    pub peer: IpAddr,
    /// How many.
    pub connections: u32,
    /// When the latest was accepted, since boot.
    pub latest: Duration,
}

impl Evidence {
    /// `A new connection from 192.0.2.7 to 22/tcp was accepted 12 s ago, over IPv4.`
    pub fn sentence(&self, now: Duration) -> String {
        format!(
            "A new connection from {} to {} was accepted {} s ago, over {}.",
            self.peer,
            self.port,
            self.seconds_ago(now),
            self.family
        )
    }

    /// Whole seconds since the latest.
    pub const fn seconds_ago(&self, now: Duration) -> u64 {
        now.saturating_sub(self.latest).as_secs()
    }
}

/// The connections seen in a trial.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    accepted: BTreeSet<Accepted>,
}

/// More are not remembered: one is enough.
const MOST: usize = 1000;

impl Seen {
    /// Takes down connections: those to the port the user came in by, from his own address. Anybody
    /// can open one from elsewhere.
    pub fn note(&mut self, ways: &[WayIn], accepted: impl IntoIterator<Item = Accepted>) {
        let is_own = |accepted: &Accepted| {
            ways.iter().any(|way| {
                way.carrier == Carrier::Ssh
                    && way.port == accepted.port
                    && way.peer.map(|peer| peer.to_canonical()) == Some(accepted.peer.ip().to_canonical())
            })
        };
        let room = MOST.saturating_sub(self.accepted.len());
        self.accepted.extend(accepted.into_iter().filter(is_own).take(room));
    }

    /// What they come to, by family and port.
    pub fn evidence(&self) -> Vec<Evidence> {
        let mut all: Vec<Evidence> = Vec::new();
        for accepted in &self.accepted {
            let peer = accepted.peer.ip().to_canonical();
            let family = Family::of(peer);
            let Some(port) = ServiceId::port(accepted.port, Protocol::Tcp) else {
                continue;
            };
            match all.iter_mut().find(|have| have.family == family && have.port == port) {
                Some(have) => {
                    have.connections += 1;
                    if accepted.at > have.latest {
                        (have.latest, have.peer) = (accepted.at, peer);
                    }
                }
                None => all.push(Evidence {
                    family,
                    port,
                    peer,
                    connections: 1,
                    latest: accepted.at,
                }),
            }
        }
        all.sort_by_key(|evidence| evidence.family);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(peer: &str) -> WayIn {
        WayIn {
            carrier: Carrier::Ssh,
            protocol: Protocol::Tcp,
            port: 22,
            peer: Some(peer.parse().unwrap()),
            local: None,
            interface: None,
        }
    }

    fn accepted(peer: &str, port: u16, at: u64) -> Accepted {
        Accepted {
            peer: peer.parse().unwrap(),
            port,
            at: Duration::from_secs(at),
        }
    }

    #[test]
    fn only_the_users_own_address_and_port_count() {
        let mut seen = Seen::default();
        let ways = [way("192.0.2.7"), way("2001:db8::7")];
        seen.note(
            &ways,
            [
                accepted("192.0.2.8:1000", 22, 5),
                accepted("192.0.2.7:1000", 80, 5),
                accepted("[::ffff:192.0.2.7]:1001", 22, 6),
                accepted("[2001:db8::7]:1002", 22, 8),
            ],
        );
        // The same connection again, and another one.
        seen.note(
            &ways,
            [
                accepted("[::ffff:192.0.2.7]:1001", 22, 6),
                accepted("192.0.2.7:1003", 22, 9),
            ],
        );
        let evidence = seen.evidence();
        assert_eq!(evidence.len(), 2);
        assert_eq!((evidence[0].family, evidence[0].connections), (Family::Ipv4, 2));
        assert_eq!(evidence[0].peer.to_string(), "192.0.2.7");
        assert_eq!(evidence[0].seconds_ago(Duration::from_secs(21)), 12);
        assert_eq!((evidence[1].family, evidence[1].connections), (Family::Ipv6, 1));
    }

    #[test]
    fn who_is_at_the_machine_needs_no_proof() {
        for (caller, is_doubted) in [
            (Caller::Local, false),
            (Caller::New, false),
            (Caller::Old, true),
            (Caller::Detached("tmux".into()), true),
            (Caller::Ended, true),
        ] {
            assert_eq!(caller.doubt().is_some(), is_doubted, "{caller:?}");
        }
    }

    #[test]
    fn a_doubt_says_what_it_is_about() {
        for (caller, words) in [
            (
                Caller::Detached("tmux".into()),
                "this session lives in tmux, which outlives",
            ),
            (
                Caller::Ended,
                "the session this was started from has ended, so it proves nothing",
            ),
        ] {
            let doubt = caller.doubt().unwrap();
            assert!(doubt.to_string().contains(words), "{doubt}");
            // As it goes from the guard to whoever asks.
            let text = serde_json::to_string(&doubt).unwrap();
            assert_eq!(serde_json::from_str::<Doubt>(&text).unwrap(), doubt);
        }
    }
}
