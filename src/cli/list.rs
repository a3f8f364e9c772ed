//! `fwtui list`

use std::sync::Arc;

use serde::Serialize;

use crate::app::{Depth, Error, Machine};
use crate::cli::args::Json;
use crate::cli::output::Out;
use crate::cli::table::{self, Cells};
use crate::cli::{DONE, FAILED};
use crate::core::listener::{Family, Listener, Owner, Protocol};
use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::BoundTo;

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
    reach: ReachJson,
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
struct ReachJson {
    now: Reach,
    after: Reach,
}

impl<'a> From<&'a Row> for ServiceJson<'a> {
    fn from(row: &'a Row) -> Self {
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
            reach: ReachJson {
                now: row.reach_now,
                after: row.reach_after,
            },
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
    let observation = machine.look(Depth::Reach);
    let rows = observation.scene().rows(&observation.policy);
    if args.json {
        out.json(&Document {
            schema: 1,
            policy_error: observation.policy_error.as_deref(),
            services: rows.iter().map(ServiceJson::from).collect(),
        })?;
    } else if rows.is_empty() {
        out.line("Nothing listens.")?;
    } else {
        let heading = ["SERVICE", "PORT", "BOUND TO", "REACH NOW", "AFTER", "DECISION"];
        let cells: Vec<_> = rows.iter().map(|row| cells(row, observation.is_root)).collect();
        out.print(&table::columns(heading, &cells))?;
    }
    if let Some(error) = &observation.policy_error {
        out.note(&format!("fwtui: the policy is not used: {error}"));
    }
    for sentence in &observation.unseen {
        out.note(sentence);
    }
    let code = if observation.policy_error.is_some() {
        FAILED
    } else {
        DONE
    };
    // The process is about to end: giving back 10,000 services one by one would be for nothing.
    std::mem::forget((rows, observation));
    Ok(code)
}

fn cells(row: &Row, is_root: bool) -> Cells<'_, 6> {
    let service = &row.service;
    let name = match service.name.as_str() {
        "" if service.listeners.is_empty() => "(not listening)",
        "" if is_root => "(kernel)",
        "" => "?",
        name => name,
    };
    let port = match service.folded.len() {
        0 => service.id.to_string(),
        more => format!("{} +{more}", service.id),
    };
    let bound_to = match &service.bound_to {
        BoundTo::All | BoundTo::Loopback => service.bound_to.word().into(),
        BoundTo::Address(_) | BoundTo::Interface(_) => service.bound_to.to_string().into(),
    };
    let after = match row.reach_now == row.reach_after {
        true => row.reach_after.words().into(),
        false => format!("{} *", row.reach_after).into(),
    };
    let decision = match (row.is_new, row.from.as_slice()) {
        (true, _) => "undecided NEW".into(),
        (false, []) if row.decision == Decision::Undecided => "-".into(),
        (false, []) => row.decision.word().into(),
        (false, from) => {
            let list: Vec<String> = from.iter().map(ToString::to_string).collect();
            format!("{} from {}", row.decision, list.join(", ")).into()
        }
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
