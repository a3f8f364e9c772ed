//! What would differ at every service if an interface had another class.

use std::borrow::Cow;

use super::{Judged, Scene};
use crate::core::network::{InterfaceKind, NetworkClass};
use crate::core::policy::{Decision, Policy};
use crate::core::reach::Admits;
use crate::core::ruleset::{Telling, compile_by};
use crate::core::service::{BoundTo, ServiceId};
use crate::core::text::capitalised;

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

/// The services of rows that are meant, of which so many are named; none where none is.
fn named(rows: &[ClassReach], is_meant: impl Fn(&ClassReach) -> bool, most: usize) -> Option<String> {
    let meant = rows.iter().filter(|row| is_meant(row));
    let meant: Vec<String> = meant.map(ClassReach::service).collect();
    let more = match meant.len().saturating_sub(most) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown: Vec<&str> = meant.iter().take(most).map(String::as_str).collect();
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

const fn neighbours(class: NetworkClass) -> &'static str {
    match class {
        NetworkClass::Guests => "the guests on it",
        NetworkClass::Public | NetworkClass::Trusted => "its neighbours",
    }
}

/// Whether applying would change who gets in; `class` is the one it has.
fn has_pending(rows: &[ClassReach], class: NetworkClass) -> bool {
    rows.iter().any(|row| row.now != row.with(class))
}

/// Who gets in where, with so many services named: one sentence where the kernel holds what is wanted,
/// else one for now and one for after applying. `class` is the one the interface has.
pub fn who_gets_in(rows: &[ClassReach], class: NetworkClass, is_on_trial: bool, most: usize) -> Vec<String> {
    let now = clause(rows, class, &|row| row.now, most);
    let when = if is_on_trial { "Now, on trial" } else { "Now" };
    if has_pending(rows, class) {
        let after = clause(rows, class, &|row| row.with(class), most);
        return vec![format!("{when}: {now}."), format!("After applying: {after}.")];
    }
    match is_on_trial {
        true => vec![format!("{when}: {now}.")],
        false => vec![format!("{}.", capitalised(&now))],
    }
}

/// `everyone there reaches sshd 22/tcp; its neighbours also avahi-daemon 5353/udp`
fn clause(rows: &[ClassReach], class: NetworkClass, admits: &dyn Fn(&ClassReach) -> Admits, most: usize) -> String {
    let of = |wanted: Admits| named(rows, |row| admits(row) == wanted, most);
    let is_whole = |wanted: Admits| rows.len() > 1 && rows.iter().all(|row| admits(row) == wanted);
    if is_whole(Admits::Everyone) {
        return format!(
            "everyone there reaches all {} services that listen for others",
            rows.len()
        );
    }
    if is_whole(Admits::Unknown) {
        return format!(
            "whether anyone there reaches the {} services that listen for others is not known",
            rows.len()
        );
    }
    let everyone = of(Admits::Everyone).map(|names| format!("everyone there reaches {names}"));
    let (verb, who) = (
        if everyone.is_some() { "also reach" } else { "reach" },
        neighbours(class),
    );
    let neighbours = of(Admits::Neighbours).map(|names| format!("{who} {verb} {names}"));
    let unknown = of(Admits::Unknown).map(|names| format!("whether anyone there reaches {names} is not known"));
    let parts: Vec<String> = [everyone, neighbours, unknown].into_iter().flatten().collect();
    match parts.is_empty() {
        true => "nobody there reaches any service".to_owned(),
        false => parts.join("; "),
    }
}

/// What another class would change, in one sentence that names so many services at most; `now` is the
/// class it has.
pub fn if_class(rows: &[ClassReach], now: NetworkClass, class: NetworkClass, most: usize) -> String {
    let meant = |is_meant: &dyn Fn(Admits, Admits) -> bool| {
        let is_meant = |row: &ClassReach| is_meant(row.with(now), row.with(class));
        named(rows, is_meant, most)
    };
    let is_certain = |one, other| one != Admits::Unknown && other != Admits::Unknown;
    let changes = [
        ("also reach", meant(&|now, then| then > now && is_certain(now, then))),
        (
            "perhaps reach",
            meant(&|now, then| then > now && !is_certain(now, then)),
        ),
        (
            "no longer reach",
            meant(&|now, then| then < now && is_certain(now, then)),
        ),
        (
            "surely not reach",
            meant(&|now, then| then < now && !is_certain(now, then)),
        ),
    ];
    let changes: Vec<String> = changes
        .into_iter()
        .filter_map(|(verb, names)| names.map(|names| format!("{verb} {names}")))
        .collect();
    // Against what the kernel holds now more would change than by the class.
    let (when, is_pending) = match has_pending(rows, now) {
        true => ("after applying ", true),
        false => ("", false),
    };
    if !changes.is_empty() {
        let who = neighbours(class);
        return format!("If it were {class}, {when}{who} would {}.", changes.join(", and "));
    }
    if class != NetworkClass::Public && rows.iter().all(|row| row.decision != Decision::Trusted) {
        return format!("If it were {class}, nobody would gain access yet: nothing is decided 'trusted'.");
    }
    match is_pending {
        true => format!("If it were {class}, applying would come to the same."),
        false => format!("If it were {class}, nobody would gain or lose access."),
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
            // As if it were public, and that were in force.
            now: classes[0],
            classes,
        }
    }

    /// The same rows where the kernel holds what is wanted with a class.
    fn in_force(rows: &[ClassReach], class: NetworkClass) -> Vec<ClassReach> {
        let now = |row: &ClassReach| ClassReach {
            now: row.with(class),
            ..row.clone()
        };
        rows.iter().map(now).collect()
    }

    #[test]
    fn now_and_after_applying_are_told_apart_where_they_differ() {
        use Admits::{Everyone, Neighbours, Nobody, Unknown};
        let rows = [
            row("22/tcp", "sshd", [Everyone; 3]),
            row("5353/udp", "avahi-daemon", [Nobody, Neighbours, Neighbours]),
            row("80/tcp", "nginx", [Nobody; 3]),
        ];
        let trusted = NetworkClass::Trusted;
        let said = |rows: &[ClassReach], is_on_trial| who_gets_in(rows, trusted, is_on_trial, 9);
        assert_eq!(
            said(&in_force(&rows, trusted), false),
            ["Everyone there reaches sshd 22/tcp; its neighbours also reach avahi-daemon 5353/udp."]
        );
        assert_eq!(
            said(&in_force(&rows, trusted), true),
            ["Now, on trial: everyone there reaches sshd 22/tcp; its neighbours also reach avahi-daemon 5353/udp."]
        );
        // Nothing is loaded.
        let off = rows.clone().map(|row| ClassReach { now: Everyone, ..row });
        assert_eq!(
            said(&off, false),
            [
                "Now: everyone there reaches all 3 services that listen for others.",
                "After applying: everyone there reaches sshd 22/tcp; its neighbours also reach avahi-daemon 5353/udp."
            ]
        );
        assert_eq!(
            if_class(&off, trusted, NetworkClass::Public, 9),
            "If it were public, after applying its neighbours would no longer reach avahi-daemon 5353/udp."
        );
        assert_eq!(
            if_class(&off, trusted, NetworkClass::Guests, 9),
            "If it were guests, applying would come to the same."
        );
        // Nothing can be seen.
        let unseen = rows.clone().map(|row| ClassReach { now: Unknown, ..row });
        assert_eq!(
            said(&unseen, false)[0],
            "Now: whether anyone there reaches the 3 services that listen for others is not known."
        );
        assert_eq!(said(&[], false), ["Nobody there reaches any service."]);
    }

    #[test]
    fn what_is_not_known_is_not_promised() {
        use Admits::{Nobody, Unknown};
        let rows = [row("5353/udp", "avahi-daemon", [Nobody, Unknown, Unknown])];
        let said = |now, class| if_class(&in_force(&rows, now), now, class, 9);
        assert_eq!(
            said(NetworkClass::Public, NetworkClass::Trusted),
            "If it were trusted, its neighbours would perhaps reach avahi-daemon 5353/udp."
        );
        assert_eq!(
            said(NetworkClass::Trusted, NetworkClass::Public),
            "If it were public, its neighbours would surely not reach avahi-daemon 5353/udp."
        );
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
        let said = |now, class, most| if_class(&in_force(&rows, now), now, class, most);
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
            "If it were guests, the guests on it would also reach dnsmasq 53/udp, and no longer reach sshd 22/tcp."
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
