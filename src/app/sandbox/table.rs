//! `fwtui knock`: every service as every neighbour sees it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::knock::{Knock, knock_all};
use super::links::Neighbour;
use super::services::SERVICES;
use super::{Socket, is_inside, outside};
use crate::app::error::Error;
use crate::core::listener::{Family, Protocol};
use crate::core::service::ServiceId;

/// A port to knock at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Target {
    /// The port.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// The service's name.
    pub name: String,
}

/// Who knocked, in which family, and what came back.
pub type Seen = (Neighbour, Family, Knock);

/// A port, and what each neighbour gets there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The port.
    #[serde(flatten)]
    pub target: Target,
    /// Who knocked, in which family, and what came back.
    pub knocks: Vec<Seen>,
}

/// How long a silent port is waited for.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// What the neighbours get at a service now, with real packets, in the families it is for; none
/// outside a sandbox, for a range of ports, and where a neighbour cannot knock.
pub fn neighbours_at(id: &ServiceId) -> Option<Vec<Seen>> {
    let target = id.ports.is_single().then(|| Target {
        port: id.ports.first(),
        protocol: id.protocol,
        name: String::new(),
    })?;
    let family = id.address.as_ref().map(|local| Family::of(local.ip));
    let row = rows(&[target], PATIENCE).ok()?.pop()?;
    let is_for = |(_, knocked, _): &Seen| family.is_none_or(|family| family == *knocked);
    Some(row.knocks.into_iter().filter(is_for).collect())
}

/// The ports of the sandbox's own services, in order.
pub fn targets() -> Vec<Target> {
    let mut by_port = BTreeMap::new();
    for service in SERVICES {
        for socket in service.sockets.iter().filter_map(|text| text.parse::<Socket>().ok()) {
            by_port.insert((socket.address.port(), socket.protocol), service.name);
        }
    }
    by_port
        .into_iter()
        .map(|((port, protocol), name)| Target {
            port,
            protocol,
            name: name.to_owned(),
        })
        .collect()
}

/// Knocks at all targets from all neighbours in both families, all at once.
///
/// # Errors
///
/// Outside a sandbox, or where a neighbour cannot knock.
pub fn rows(targets: &[Target], timeout: Duration) -> Result<Vec<Row>, Error> {
    if !is_inside() {
        return Err(outside());
    }
    let answers = thread::scope(|scope| {
        let knocking = Neighbour::ALL.map(|from| scope.spawn(move || from_neighbour(from, targets, timeout)));
        knocking
            .into_iter()
            .map(|neighbour| {
                neighbour
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect::<Result<Vec<_>, Error>>()
    })?;
    let mut rows: Vec<_> = targets
        .iter()
        .map(|target| Row {
            target: target.clone(),
            knocks: Vec::new(),
        })
        .collect();
    for of_neighbour in answers {
        for (row, knocks) in rows.iter_mut().zip(of_neighbour) {
            row.knocks.extend(knocks);
        }
    }
    Ok(rows)
}

/// One neighbour's knocks, by target.
fn from_neighbour(from: Neighbour, targets: &[Target], timeout: Duration) -> Result<Vec<[Seen; 2]>, Error> {
    let [v4, v6] = Family::ALL.map(|family| {
        let doors: Vec<_> = targets
            .iter()
            .map(|target| (SocketAddr::new(from.machine().of(family), target.port), target.protocol))
            .collect();
        doors
    });
    // All in one go, so that silence costs its time once.
    let (count, doors) = (v4.len(), [v4, v6].concat());
    let knocks = knock_all(from, &doors, timeout)?;
    let (v4, v6) = knocks.split_at(count.min(knocks.len()));
    Ok(v4
        .iter()
        .zip(v6)
        .map(|(v4, v6)| [(from, Family::Ipv4, *v4), (from, Family::Ipv6, *v6)])
        .collect())
}

/// The rows as a table for people, with a newline at the end of each line.
pub fn print_rows(rows: &[Row]) -> String {
    let mut text = format!("{:<16}{:<11}", "", "");
    for neighbour in Neighbour::ALL {
        let _ = write!(text, "{:<24}", neighbour.name());
    }
    let mut lines = vec![
        text,
        format!(
            "{:<16}{:<11}{}",
            "SERVICE",
            "PORT",
            "IPv4        IPv6        ".repeat(3)
        ),
    ];
    for Row { target, knocks } in rows {
        let port = format!("{}/{}", target.port, target.protocol);
        let mut line = format!("{:<16}{port:<11}", target.name);
        for (_, _, knock) in knocks {
            let _ = write!(line, "{:<12}", knock.word());
        }
        lines.push(line);
    }
    lines
        .iter()
        .fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_port() {
        let target = targets().into_iter().find(|target| target.port == 22).unwrap();
        let after = Duration::ZERO;
        let knocks = Neighbour::ALL
            .into_iter()
            .flat_map(|from| {
                [
                    (from, Family::Ipv4, Knock::Answered),
                    (from, Family::Ipv6, Knock::Refused { after }),
                ]
            })
            .collect();
        let expected = concat!(
            "                           public                  trusted                 far\n",
            "SERVICE         PORT       IPv4        IPv6        IPv4        IPv6        IPv4        IPv6\n",
            "sshd            22/tcp     answers     refused     answers     refused     answers     refused\n",
        );
        assert_eq!(print_rows(&[Row { target, knocks }]), expected);
    }

    #[test]
    fn outside_the_sandbox_nobody_knocks() {
        assert_eq!(neighbours_at(&"22/tcp".parse().unwrap()), None);
        let error = rows(&targets(), Duration::from_millis(1)).unwrap_err();
        assert!(error.hints[0].contains("fwtui sandbox"), "{error:?}");
    }
}
