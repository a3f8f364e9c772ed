//! `fwtui network`

use serde::Serialize;

use crate::app::{ClassInquiry, Depth, Error, Kind, Machine, Observation};
use crate::cli::args::Network;
use crate::cli::output::Out;
use crate::cli::table::{self, Cells};
use crate::cli::{DONE, FAILED, decide};
use crate::core::network::{
    Interface, InterfaceKind, NetworkClass, class_of, inhabitants, is_interface_name, parse_source,
    parse_trusted_source,
};
use crate::core::overview::{ClassReach, if_class};
use crate::core::policy::Policy;
use crate::core::reach::Admits;
use crate::core::text::printable;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    networks: Vec<NetworkJson<'a>>,
    trusted_sources: Vec<String>,
}

#[derive(Serialize)]
struct NetworkJson<'a> {
    interface: &'a str,
    kind: InterfaceKind,
    driver: Option<&'a str>,
    addresses: Vec<String>,
    up: bool,
    default_route: bool,
    class: &'static str,
    chosen: bool,
    /// Who can be there, in sentences.
    who: Vec<String>,
    /// Who of them gets in where, now and with each class.
    services: Vec<ServiceJson>,
}

#[derive(Serialize)]
struct ServiceJson {
    id: String,
    name: String,
    decision: &'static str,
    now: Admits,
    if_public: Admits,
    if_trusted: Admits,
    if_guests: Admits,
}

impl From<&ClassReach> for ServiceJson {
    fn from(row: &ClassReach) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name.clone(),
            decision: row.decision.word(),
            now: row.now,
            if_public: row.with(NetworkClass::Public),
            if_trusted: row.with(NetworkClass::Trusted),
            if_guests: row.with(NetworkClass::Guests),
        }
    }
}

/// What stands for the class of the loopback interface, which has none.
const NEVER_REFUSED: &str = "this-machine";

pub(super) fn run(machine: &Machine, args: &Network, out: &Out) -> Result<u8, Error> {
    match (&args.subject, &args.class) {
        (Some(subject), Some(class)) => choose(machine, subject, class, out),
        (Some(subject), None) => show_one(&machine.look(Depth::Reach), subject, args.json, out),
        (None, _) if args.json => show(&machine.look(Depth::Reach), true, out),
        (None, _) => show(&machine.look(Depth::Sockets), false, out),
    }
}

/// All that is known of one interface.
fn show_one(observation: &Observation, subject: &str, is_json: bool, out: &Out) -> Result<u8, Error> {
    let policy = &observation.policy;
    let Some(interface) = observation.interfaces.iter().find(|one| one.name == subject) else {
        let subject = printable(subject);
        let error = match parse_source(&subject) {
            Ok(_) => usage(format!(
                "say what {subject} is: fwtui network {subject} trusted, or public"
            )),
            Err(_) => Error::failed(format!("there is no interface {subject} now")).hint("fwtui network lists them."),
        };
        return Err(error);
    };
    let network = network_json(interface, policy);
    let rows = differences(observation, interface);
    if is_json {
        let trusted_sources = policy.networks.trusted_sources.iter().map(ToString::to_string);
        out.json(&Document {
            schema: 1,
            networks: vec![whole(observation, interface)],
            trusted_sources: trusted_sources.collect(),
        })?;
        return Ok(told(observation, out));
    }
    out.print(&table::columns(
        ["INTERFACE", "KIND", "CLASS", "ADDRESSES"],
        &[cells(&network)],
        out.width(),
    ))?;
    out.line("\nWho can be there:")?;
    for sentence in inhabitants(interface, &observation.world) {
        out.line(&format!("  {sentence}"))?;
    }
    if !interface.is_up {
        out.line("\nIt is down: whom its class lets in can be told once it is up.")?;
    } else if !rows.is_empty() {
        let class = class_of(interface, policy);
        out.line("\nWhat another class would change:")?;
        for other in NetworkClass::ALL.into_iter().filter(|other| *other != class) {
            out.line(&format!("  {}", if_class(&rows, class, other, usize::MAX)))?;
        }
        out.line("\nWho of them gets in:")?;
        let rows: Vec<Cells<'_, 6>> = rows.iter().map(|row| admitted(row, class)).collect();
        let heads = ["SERVICE", "NOW", "AFTER", "IF PUBLIC", "IF TRUSTED", "IF GUESTS"];
        out.print(&table::columns(heads, &rows, out.width()))?;
    }
    for sentence in &observation.unseen {
        out.note(sentence);
    }
    Ok(told(observation, out))
}

fn admitted(row: &ClassReach, class: NetworkClass) -> Cells<'static, 6> {
    let word = |admits: Admits| admits.word().into();
    [
        row.service().into(),
        word(row.now),
        word(row.with(class)),
        word(row.with(NetworkClass::Public)),
        word(row.with(NetworkClass::Trusted)),
        word(row.with(NetworkClass::Guests)),
    ]
}

fn differences(observation: &Observation, interface: &Interface) -> Vec<ClassReach> {
    ClassInquiry::new(observation, &observation.policy, interface.name.clone()).answer()
}

/// An interface with who can be there, and what another class would change.
fn whole<'a>(observation: &'a Observation, interface: &'a Interface) -> NetworkJson<'a> {
    NetworkJson {
        who: inhabitants(interface, &observation.world),
        services: differences(observation, interface)
            .iter()
            .map(ServiceJson::from)
            .collect(),
        ..network_json(interface, &observation.policy)
    }
}

fn show(observation: &Observation, is_json: bool, out: &Out) -> Result<u8, Error> {
    let policy = &observation.policy;
    let trusted_sources: Vec<String> = policy
        .networks
        .trusted_sources
        .iter()
        .map(ToString::to_string)
        .collect();
    let networks: Vec<NetworkJson<'_>> = observation
        .interfaces
        .iter()
        .map(|one| match is_json {
            true => whole(observation, one),
            false => network_json(one, policy),
        })
        .collect();
    if is_json {
        out.json(&Document {
            schema: 1,
            networks,
            trusted_sources,
        })?;
    } else {
        let rows: Vec<_> = networks.iter().map(cells).collect();
        out.print(&table::columns(
            ["INTERFACE", "KIND", "CLASS", "ADDRESSES"],
            &rows,
            out.width(),
        ))?;
        if !trusted_sources.is_empty() {
            out.line(&format!("Trusted wherever it comes in: {}", trusted_sources.join(", ")))?;
        }
    }
    Ok(told(observation, out))
}

/// A policy that can't be read is said, and counts.
fn told(observation: &Observation, out: &Out) -> u8 {
    if let Some(error) = &observation.policy_error {
        out.note(&format!("fwtui: the policy is not used: {error}"));
        return FAILED;
    }
    DONE
}

fn network_json<'a>(interface: &'a Interface, policy: &Policy) -> NetworkJson<'a> {
    let is_loopback = interface.kind == InterfaceKind::Loopback;
    NetworkJson {
        interface: &interface.name,
        kind: interface.kind,
        driver: interface.driver.as_deref(),
        addresses: interface.addresses.iter().map(ToString::to_string).collect(),
        up: interface.is_up,
        default_route: interface.has_default_route,
        class: if is_loopback {
            NEVER_REFUSED
        } else {
            class_of(interface, policy).word()
        },
        chosen: policy.networks.interfaces.contains_key(&interface.name),
        who: Vec::new(),
        services: Vec::new(),
    }
}

fn cells<'a>(network: &NetworkJson<'a>) -> Cells<'a, 4> {
    let kind = match (network.kind, network.driver) {
        (InterfaceKind::Vpn, Some(driver)) => format!("vpn ({driver})"),
        (kind, _) => kind.word().to_owned(),
    };
    let mut notes = Vec::new();
    if network.default_route {
        notes.push("default route");
    }
    if !network.up {
        notes.push("down");
    }
    if !network.chosen && network.class != NEVER_REFUSED {
        notes.push("proposed");
    }
    let class = match notes.as_slice() {
        [] => network.class.to_owned(),
        notes => format!("{} ({})", network.class, notes.join(", ")),
    };
    [
        network.interface.into(),
        kind.into(),
        class.into(),
        network.addresses.join(" ").into(),
    ]
}

fn choose(machine: &Machine, subject: &str, class: &str, out: &Out) -> Result<u8, Error> {
    let class: NetworkClass = class.parse().map_err(usage)?;
    let (said, has_changed) = machine.edit(|policy| change(policy, subject, class))?;
    let is_there = || {
        machine
            .look(Depth::Sockets)
            .interfaces
            .iter()
            .any(|interface| interface.name == subject)
    };
    if parse_source(subject).is_err() && !is_there() {
        out.note(&format!(
            "There is no interface {subject} now; it will be {class} when it comes."
        ));
    }
    out.line(&decide::outcome(&said, has_changed))?;
    Ok(DONE)
}

/// Changes the policy and says what it is then, without a full stop.
fn change(policy: &mut Policy, subject: &str, class: NetworkClass) -> Result<String, Error> {
    let source = match parse_source(subject) {
        Ok(net) => net,
        // A word with a slash or a colon was meant as a network: its own complaint is the right one.
        Err(error) if subject.contains(['/', ':']) => return Err(usage(error)),
        Err(_) if subject == "lo" => return Err(usage("lo is this machine itself, which is never refused".to_owned())),
        Err(_) if !is_interface_name(subject) => {
            return Err(usage(format!(
                "'{}' is no interface and no network",
                printable(subject)
            )));
        }
        Err(_) => {
            policy.networks.interfaces.insert(subject.to_owned(), class);
            return Ok(format!("{subject} is {class}"));
        }
    };
    let sources = &mut policy.networks.trusted_sources;
    sources.retain(|known| *known != source);
    match class {
        NetworkClass::Trusted => sources.push(parse_trusted_source(subject).map_err(usage)?),
        NetworkClass::Public => {}
        NetworkClass::Guests => return Err(usage("guests are an interface's neighbours, not a network".to_owned())),
    }
    sources.sort();
    Ok(format!("{source} is {class}"))
}

fn usage(error: String) -> Error {
    Error::new(Kind::Usage, error)
}
