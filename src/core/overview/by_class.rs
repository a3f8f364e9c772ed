//! What would differ at every service if an interface had another class.

use std::borrow::Cow;

use super::{Judged, Scene};
use crate::core::network::{InterfaceKind, NetworkClass};
use crate::core::policy::{Decision, Policy};
use crate::core::reach::Admits;
use crate::core::ruleset::{Telling, compile_by};
use crate::core::service::{BoundTo, ServiceId};

/// Who of those on one network gets in at a service, by the class the network has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassReach {
    /// The service.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// What is decided on it.
    pub decision: Decision,
    /// Who gets in now.
    pub now: Admits,
    /// Who will with each class, in the order of [`NetworkClass::ALL`].
    pub classes: [Admits; 3],
}

impl ClassReach {
    /// Who will get in with a class.
    pub const fn with(&self, class: NetworkClass) -> Admits {
        let [public, trusted, guests] = self.classes;
        match class {
            NetworkClass::Public => public,
            NetworkClass::Trusted => trusted,
            NetworkClass::Guests => guests,
        }
    }

    /// Whether the class makes a difference.
    pub fn differs(&self) -> bool {
        let [public, trusted, guests] = self.classes;
        public != trusted || trusted != guests
    }

    /// The service as a sentence names it: `postgres 5432/tcp`.
    pub fn service(&self) -> String {
        match self.name.as_str() {
            "" => self.id.to_string(),
            name => format!("{name} {}", self.id),
        }
    }
}

/// How those on an interface fare at every service that others can try, with each class it may have:
/// first the services for which the class makes a difference. Nothing for loopback, and for an interface
/// that is not there.
pub fn by_class(scene: Scene<'_>, telling: Telling, policy: &Policy, name: &str) -> Vec<ClassReach> {
    let found = scene.interfaces.iter().find(|interface| interface.name == name);
    if found.is_none_or(|interface| interface.kind == InterfaceKind::Loopback) {
        return Vec::new();
    }
    let policy = policy.current(scene.world.now);
    let tried = |bound: &BoundTo| *bound != BoundTo::Loopback;
    let services: Vec<_> = scene
        .services
        .iter()
        .filter(|service| tried(&service.bound_to))
        .collect();
    let admitted = |class: NetworkClass| -> Vec<(Admits, Admits)> {
        let mut policy = Cow::clone(&policy).into_owned();
        policy.networks.interfaces.insert(name.to_owned(), class);
        let candidate = compile_by(telling, &policy, scene.interfaces);
        let judged = Judged::new(scene, &policy, &candidate);
        let (now, after) = judged.judges();
        let admits = services
            .iter()
            .map(|service| (now.admits(service, name), after.admits(service, name)));
        admits.collect()
    };
    let [public, trusted, guests] = NetworkClass::ALL.map(admitted);
    let mut rows: Vec<ClassReach> = services
        .iter()
        .zip(public)
        .zip(trusted)
        .zip(guests)
        .map(|(((service, (now, public)), (_, trusted)), (_, guests))| ClassReach {
            id: service.id.clone(),
            name: service.name.clone(),
            decision: policy.decision_for(&service.id),
            now,
            classes: [public, trusted, guests],
        })
        .collect();
    rows.sort_by_key(|row| (!row.differs(), row.id.clone()));
    rows
}

/// What another class would change, in one sentence that names so many services at most; `now` is the
/// class it has.
pub fn if_class(rows: &[ClassReach], now: NetworkClass, class: NetworkClass, most: usize) -> String {
    let named = |is_meant: &dyn Fn(Admits, Admits) -> bool| -> Option<String> {
        let meant = rows.iter().filter(|row| is_meant(row.with(now), row.with(class)));
        let meant: Vec<String> = meant.map(ClassReach::service).collect();
        let more = match meant.len().saturating_sub(most) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown: Vec<&str> = meant.iter().take(most).map(String::as_str).collect();
        (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
    };
    let who = match class {
        NetworkClass::Guests => "the guests on it",
        NetworkClass::Public | NetworkClass::Trusted => "its neighbours",
    };
    let gains = named(&|now, then| then > now);
    let loses = named(&|now, then| then < now);
    match (gains, loses) {
        (None, None) if class != NetworkClass::Public && rows.iter().all(|row| row.decision != Decision::Trusted) => {
            format!("If it were {class}, nobody would gain access yet: nothing is decided 'trusted'.")
        }
        (None, None) => format!("If it were {class}, nobody would gain or lose access."),
        (Some(gains), None) => format!("If it were {class}, {who} would also reach {gains}."),
        (None, Some(loses)) => format!("If it were {class}, {who} would no longer reach {loses}."),
        (Some(gains), Some(loses)) => {
            format!("If it were {class}, {who} would also reach {gains}, and no longer {loses}.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, name: &str, classes: [Admits; 3]) -> ClassReach {
        ClassReach {
            id: id.parse().unwrap(),
            name: name.into(),
            decision: Decision::Trusted,
            now: Admits::Nobody,
            classes,
        }
    }

    #[test]
    fn who_gains_and_who_loses_is_named() {
        use Admits::{Everyone, Neighbours, Nobody};
        let rows = [
            row("53/udp", "dnsmasq", [Nobody, Nobody, Neighbours]),
            row("5353/udp", "avahi-daemon", [Nobody, Neighbours, Neighbours]),
            row("5432/tcp", "", [Nobody, Neighbours, Neighbours]),
            row("22/tcp", "sshd", [Everyone, Everyone, Nobody]),
        ];
        let said = |now, class, most| if_class(&rows, now, class, most);
        assert_eq!(
            said(NetworkClass::Public, NetworkClass::Trusted, 9),
            "If it were trusted, its neighbours would also reach avahi-daemon 5353/udp, 5432/tcp."
        );
        assert_eq!(
            said(NetworkClass::Trusted, NetworkClass::Public, 1),
            "If it were public, its neighbours would no longer reach avahi-daemon 5353/udp and 1 more."
        );
        assert_eq!(
            said(NetworkClass::Trusted, NetworkClass::Guests, 9),
            "If it were guests, the guests on it would also reach dnsmasq 53/udp, and no longer sshd 22/tcp."
        );
        assert_eq!(
            if_class(&[], NetworkClass::Public, NetworkClass::Trusted, 9),
            "If it were trusted, nobody would gain access yet: nothing is decided 'trusted'."
        );
        assert_eq!(
            if_class(&[], NetworkClass::Trusted, NetworkClass::Public, 9),
            "If it were public, nobody would gain or lose access."
        );
    }
}
