//! What the rules for the selected service have counted, and which one decides.

use crate::core::counters::{Count, Tally};
use crate::core::listener::Protocol;
use crate::core::overview::{NetworkReach, Row};
use crate::core::reach::Who;
use crate::core::text::printable_within;
use crate::tui::screens::services::row::short;

/// Longest rule in a sentence.
const LONGEST: usize = 240;

/// `Since the rules were loaded: 12 attempts let in (720 B), 3 attempts refused (180 B).`
pub(super) fn sentence(row: &Row) -> Option<String> {
    let tally = row.tally.as_ref()?;
    let noun = |count: Count| match (row.service.id.protocol, count.packets) {
        (Protocol::Tcp, 1) => "attempt",
        (Protocol::Tcp, _) => "attempts",
        (Protocol::Udp | Protocol::UdpLite, 1) => "packet",
        (Protocol::Udp | Protocol::UdpLite, _) => "packets",
    };
    let count = |count: Count, what: &str| {
        let told = format!("{} {}", short(count.packets), noun(count));
        match what {
            "" => format!("{told} ({})", bytes(count.bytes)),
            what => format!("{told} {what} ({})", bytes(count.bytes)),
        }
    };
    let parts = match *tally {
        tally if tally.all().packets == 0 => vec!["nothing has come for it".to_owned()],
        Tally {
            let_in,
            refused,
            by_network,
            ..
        } => {
            let mut parts = Vec::new();
            if let_in.packets > 0 {
                parts.push(count(let_in, "let in"));
            }
            if refused.packets > 0 {
                parts.push(count(refused, "refused"));
            }
            if by_network.packets > 0 {
                let told = count(by_network, "");
                parts.push(format!("{told}, let in from trusted networks and refused from others"));
            }
            parts
        }
    };
    let shared = match tally.is_shared {
        true => ", other ports of the same rule included",
        false => "",
    };
    Some(format!("Since the rules were loaded: {}{shared}.", parts.join(", ")))
}

/// 920 B, 1.2 kB.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        more => {
            let text = short(more);
            match text.char_indices().last() {
                Some((at, unit)) => format!("{} {unit}B", text.get(..at).unwrap_or_default()),
                None => text,
            }
        }
    }
}

/// The rule that decides now for strangers, or for whoever there is.
pub(super) fn rule(networks: &[NetworkReach]) -> Option<String> {
    let others = || networks.iter().filter(|network| network.who != Who::ThisMachine);
    let strangers = others().find(|network| network.who == Who::Strangers);
    let network = strangers.or_else(|| others().next())?;
    let by = &network.now.decided_by;
    by.number?;
    let text = format!("Decided now for {network} by {by}: {}", by.rule);
    Some(printable_within(&text, LONGEST))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::policy::Decision;
    use crate::core::reach::Reach;
    use crate::core::service::Service;

    #[test]
    fn what_was_counted_is_told_as_exactly_as_it_is_known() {
        let said = |id: &str, let_in: u64, refused: u64, by_network: u64, is_shared: bool| {
            let count = |packets| Count {
                packets,
                bytes: packets * 60,
            };
            let row = Row {
                service: Arc::new(Service::absent(id.parse().unwrap())),
                decision: Decision::Open,
                from: Vec::new(),
                reach_now: Reach::Everyone,
                reach_after: Reach::Everyone,
                is_new: false,
                is_changed: false,
                blocks: Vec::new(),
                disabled: None,
                since: None,
                tally: Some(Tally {
                    let_in: count(let_in),
                    refused: count(refused),
                    by_network: count(by_network),
                    is_shared,
                }),
                kept_out_by: None,
            };
            sentence(&row).unwrap()
        };
        assert_eq!(
            said("22/tcp", 1, 40, 0, false),
            "Since the rules were loaded: 1 attempt let in (60 B), 40 attempts refused (2.4 kB)."
        );
        assert_eq!(
            said("53/udp", 0, 0, 2, true),
            "Since the rules were loaded: 2 packets (120 B), let in from trusted networks and refused from others, \
             other ports of the same rule included."
        );
        assert_eq!(
            said("22/tcp", 0, 0, 0, false),
            "Since the rules were loaded: nothing has come for it."
        );
    }
}
