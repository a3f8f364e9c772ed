//! `fwtui list`

use std::borrow::Cow;
use std::sync::Arc;
use std::thread;

use serde::Serialize;

use crate::app::{Depth, Error, Machine};
use crate::cli::args::Json;
use crate::cli::block::BlockJson;
use crate::cli::output::Out;
use crate::cli::table::{self, Cells};
use crate::cli::{DONE, FAILED};
use crate::core::catalogue::{Catalogue, KnownBy, Loopback, Match, Recommended, Safeguard};
use crate::core::counters::Tally;
use crate::core::listened::Since;
use crate::core::listener::{Family, Listener, Owner, Protocol};
use crate::core::overview::{Judged, NetworkReach, Row, by_network};
use crate::core::policy::{Decision, Disabled, marks};
use crate::core::reach::{DecidedBy, Reach, Who};
use crate::core::service::{BoundTo, PublishedJson};

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    /// Why the policy can't be used; the decisions shown are none then.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_error: Option<&'a str>,
    services: Vec<ServiceJson<'a>>,
}

#[derive(Serialize)]
struct ServiceJson<'a> {
    id: String,
    protocol: Protocol,
    port: u16,
    name: &'a str,
    bound_to: &'static str,
    unit: Option<&'a str>,
    listeners: Vec<ListenerJson<'a>>,
    owners: &'a [Arc<Owner>],
    /// Further ports of the same client, folded into this row.
    folded: Vec<String>,
    decision: Decision,
    from: Vec<String>,
    /// Its units, where the service itself is to be off.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<&'a Disabled>,
    reach: ReachJson,
    /// What refuses packets for it, whatever is decided.
    blocks: Vec<BlockJson>,
    /// What fwtui's rules for it have counted since they were loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<Tally>,
    /// What is new about it since something was last confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    since_confirmed: Option<SinceJson<'a>>,
    /// What keeps out those whom the decision lets in.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_out_by: Option<&'a DecidedBy>,
    /// Where packets for it are sent on to.
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<PublishedJson<'a>>,
    /// What is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalogue: Option<CatalogueJson<'a>>,
}

/// What the catalogue says.
#[derive(Serialize)]
struct CatalogueJson<'a> {
    id: &'a str,
    name: &'a str,
    /// `process`, `unit`, or `port`: then it may be something else.
    known_by: KnownBy,
    what: &'a str,
    recommended: RecommendedJson<'a>,
    loopback: &'a [Loopback],
    authenticates: Option<&'a Safeguard>,
    encrypts: Option<&'a Safeguard>,
    alternative: Option<&'a str>,
    source: Option<&'a str>,
}

#[derive(Serialize)]
struct RecommendedJson<'a> {
    desktop: Option<&'a Recommended>,
    server: Option<&'a Recommended>,
}

impl<'a> From<Match<'a>> for CatalogueJson<'a> {
    fn from(Match { entry, by }: Match<'a>) -> Self {
        Self {
            id: &entry.id,
            name: &entry.name,
            known_by: by,
            what: &entry.what,
            recommended: RecommendedJson {
                desktop: entry.desktop.as_ref(),
                server: entry.server.as_ref(),
            },
            loopback: &entry.loopback,
            authenticates: entry.authenticates.as_ref(),
            encrypts: entry.encrypts.as_ref(),
            alternative: entry.alternative.as_deref(),
            source: entry.source.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct ListenerJson<'a> {
    address: std::net::IpAddr,
    family: Family,
    v6only: bool,
    interface: Option<&'a str>,
    inode: u32,
    uid: u32,
}

#[derive(Serialize)]
struct SinceJson<'a> {
    /// `appeared`, `bound` or `owner`.
    change: &'static str,
    /// What it was bound to, or who had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a str>,
}

impl<'a> From<&'a Since> for SinceJson<'a> {
    fn from(since: &'a Since) -> Self {
        Self {
            change: since.word(),
            before: since.before(),
        }
    }
}

#[derive(Serialize)]
struct ReachJson {
    now: Reach,
    after: Reach,
    by_network: Vec<NetworkJson>,
}

#[derive(Serialize)]
struct NetworkJson {
    interface: String,
    class: &'static str,
    family: Family,
    who: Who,
    now: &'static str,
    after: &'static str,
    /// Who decides now.
    decided_by: DecidedBy,
    /// Who will.
    decided_by_after: DecidedBy,
}

impl From<NetworkReach> for NetworkJson {
    fn from(reach: NetworkReach) -> Self {
        Self {
            class: match reach.who {
                Who::ThisMachine => "this-machine",
                Who::Neighbours | Who::Strangers | Who::Named => reach.class.word(),
            },
            interface: reach.interface,
            family: reach.family,
            who: reach.who,
            now: reach.now.fate.word(),
            after: reach.after.fate.word(),
            decided_by: reach.now.decided_by,
            decided_by_after: reach.after.decided_by,
        }
    }
}

impl<'a> ServiceJson<'a> {
    fn new(row: &'a Row, by_network: Vec<NetworkReach>, catalogue: &'a Catalogue) -> Self {
        let service = &row.service;
        Self {
            id: service.id.to_string(),
            protocol: service.id.protocol,
            port: service.id.ports.first(),
            name: &service.name,
            bound_to: service.bound_to.word(),
            unit: service.unit.as_deref(),
            listeners: service.listeners.iter().map(ListenerJson::from).collect(),
            owners: &service.owners,
            folded: service.folded.iter().map(ToString::to_string).collect(),
            decision: row.decision,
            from: row.from.iter().map(ToString::to_string).collect(),
            disabled: row.disabled.as_ref(),
            reach: ReachJson {
                now: row.reach_now,
                after: row.reach_after,
                by_network: by_network.into_iter().map(NetworkJson::from).collect(),
            },
            blocks: row.blocks.iter().map(BlockJson::from).collect(),
            counters: row.tally,
            since_confirmed: row.since.as_ref().map(SinceJson::from),
            kept_out_by: row.kept_out_by.as_ref(),
            published: service.published.as_ref().map(PublishedJson::from),
            catalogue: catalogue.find(service).map(CatalogueJson::from),
        }
    }
}

impl<'a> From<&'a Listener> for ListenerJson<'a> {
    fn from(listener: &'a Listener) -> Self {
        Self {
            address: listener.address,
            family: Family::of(listener.address),
            v6only: listener.v6only,
            interface: listener.interface.as_deref(),
            inode: listener.inode,
            uid: listener.uid,
        }
    }
}

pub(super) fn run(machine: &Machine, args: &Json, out: &Out) -> Result<u8, Error> {
    let observation = thread::scope(|scope| {
        if args.json {
            // It is long: meanwhile the rest is looked at.
            scope.spawn(|| machine.catalogue());
        }
        machine.look(Depth::Reach)
    });
    let scene = observation.scene();
    let candidate = observation.compile(&observation.policy);
    let judged = Judged::new(scene, &observation.policy, &candidate);
    let (now, after) = judged.judges();
    let rows = scene.rows_by(&observation.policy, &now, &after);
    if args.json {
        let (catalogue, _) = machine.catalogue();
        out.json(&Document {
            schema: 1,
            policy_error: observation.policy_error.as_deref(),
            services: rows
                .iter()
                .map(|row| ServiceJson::new(row, by_network(&row.service, &now, &after), catalogue))
                .collect(),
        })?;
    } else if rows.is_empty() {
        out.line("Nothing listens.")?;
    } else {
        let heading = ["SERVICE", "PORT", "BOUND TO", "REACH NOW", "AFTER", "DECISION"];
        let is_recorded = observation.listened.is_some();
        let cells: Vec<_> = rows
            .iter()
            .map(|row| cells(row, observation.is_root, is_recorded))
            .collect();
        out.print(&table::columns(heading, &cells, out.width()))?;
    }
    if let Some(error) = &observation.policy_error {
        out.note(&format!("fwtui: the policy is not used: {error}"));
    }
    for row in rows.iter().filter(|row| !args.json && !row.blocks.is_empty()) {
        out.note(&format!("{} is {}.", row.service.id, marks(&row.blocks)));
    }
    for row in rows.iter().filter(|_| !args.json) {
        if let Some(by) = &row.kept_out_by {
            let id = &row.service.id;
            out.note(&format!("{id} is {}, but {by} keeps others out.", row.decision));
        }
    }
    // Whoever does not see the catalogue need not hear of it.
    let left_out = args.json.then(|| machine.catalogue().1.as_slice());
    for sentence in observation.unseen.iter().chain(left_out.unwrap_or_default()) {
        out.note(sentence);
    }
    let code = if observation.policy_error.is_some() {
        FAILED
    } else {
        DONE
    };
    // The process is about to end: giving back 10,000 services one by one would be for nothing.
    std::mem::forget(rows);
    Ok(code)
}

fn cells(row: &Row, is_root: bool, is_recorded: bool) -> Cells<'_, 6> {
    let service = &row.service;
    let name = match service.name.as_str() {
        "" if !service.is_there() => "(not listening)",
        "" if is_root => "(kernel)",
        "" => "?",
        name => name,
    };
    let port = match service.folded.len() {
        0 => service.id.to_string(),
        more => format!("{} +{more}", service.id),
    };
    let bound_to = match (&service.bound_to, &service.published) {
        (bound, Some(_)) => format!("{bound} (DNAT)").into(),
        (BoundTo::All | BoundTo::Loopback, None) => service.bound_to.word().into(),
        (BoundTo::Address(_) | BoundTo::Interface(_), None) => service.bound_to.to_string().into(),
    };
    let after = match row.reach_now == row.reach_after {
        true => row.reach_after.words().into(),
        false => format!("{} *", row.reach_after).into(),
    };
    let is_blocked = row.blocks.iter().any(|block| block.refuses_all_of(&service.id));
    let decision: Cow<'_, str> = match (row.is_new, row.from.as_slice()) {
        _ if row.disabled.is_some() => "disabled".into(),
        _ if is_blocked => "blocked".into(),
        (true, _) if row.is_news(is_recorded) => "undecided NEW".into(),
        (true, _) => "undecided".into(),
        (false, []) if row.decision == Decision::Undecided => "-".into(),
        (false, []) => row.decision.word().into(),
        (false, from) => {
            let list: Vec<String> = from.iter().map(ToString::to_string).collect();
            format!("{} from {}", row.decision, list.join(", ")).into()
        }
    };
    let decision = match row.blocks.is_empty() || is_blocked {
        true => decision,
        false => format!("{decision}, blocked from some").into(),
    };
    [
        name.into(),
        port.into(),
        bound_to,
        row.reach_now.words().into(),
        after,
        decision,
    ]
}
