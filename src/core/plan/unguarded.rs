//! What a plan opens to everyone that the catalogue warns of.

use crate::core::catalogue::Catalogue;
use crate::core::overview::Row;
use crate::core::plan::Warning;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::BoundTo;

/// What the plan opens to everyone though it asks nobody who he is, or can be read on the way.
pub fn unguarded(rows: &[Row], catalogue: &Catalogue) -> Option<Warning> {
    let opens = |row: &&Row| {
        let is_news = row.is_changed || row.reach_now != row.reach_after;
        let is_everyone = match row.reach_after {
            Reach::Everyone => true,
            Reach::Unknown => row.decision == Decision::Open && row.from.is_empty(),
            Reach::ThisMachine | Reach::Trusted => false,
        };
        is_news && is_everyone && row.service.bound_to != BoundTo::Loopback
    };
    let found = rows.iter().filter(opens).filter_map(|row| {
        let known = catalogue.find_credible(&row.service)?;
        Some((&row.service.id, known, known.entry.lacks()?))
    });
    let mut found: Vec<_> = found.collect();
    // The gravest is the one that is named.
    found.sort_by_key(|(_, known, _)| (!known.entry.asks_nobody(), !known.entry.may_ask_nobody()));
    let count = found.len();
    let (id, known, lacks) = found.into_iter().next()?;
    Some(Warning::Unguarded {
        count,
        id: id.clone(),
        name: known.name(),
        lacks,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::service::Service;

    /// A decision on a port where nothing listens yet.
    fn row(id: &str, decision: Decision, reach_now: Reach, reach_after: Reach) -> Row {
        Row {
            service: Arc::new(Service::absent(id.parse().unwrap())),
            decision,
            from: Vec::new(),
            reach_now,
            reach_after,
            is_new: false,
            is_changed: reach_now != reach_after,
            blocks: Vec::new(),
            disabled: None,
            since: None,
            tally: None,
            kept_out_by: None,
        }
    }

    fn said(rows: &[Row]) -> Option<String> {
        unguarded(rows, &Catalogue::embedded()).map(|warning| warning.to_string())
    }

    #[test]
    fn the_gravest_is_named_and_the_others_counted() {
        let opened = |id| row(id, Decision::Open, Reach::ThisMachine, Reach::Everyone);
        let one = said(&[opened("22/tcp"), opened("23/tcp")]);
        assert_eq!(
            one.as_deref(),
            Some("23/tcp (usually Telnet) will be open to everyone, without encryption")
        );
        let several = said(&[opened("23/tcp"), opened("6379/tcp"), opened("11434/tcp")]);
        assert_eq!(
            several.as_deref(),
            Some(
                "11434/tcp (usually Ollama) will be open to everyone, without a password and without encryption, \
                 and 2 more like it"
            )
        );
    }

    #[test]
    fn what_stays_or_stays_closed_is_no_news() {
        for near_miss in [
            row("23/tcp", Decision::Open, Reach::Everyone, Reach::Everyone),
            row("23/tcp", Decision::Trusted, Reach::ThisMachine, Reach::Trusted),
            row("23/tcp", Decision::Confine, Reach::Everyone, Reach::ThisMachine),
            row("22/tcp", Decision::Open, Reach::ThisMachine, Reach::Everyone),
            row("80/tcp", Decision::Open, Reach::ThisMachine, Reach::Everyone),
            row("23/tcp", Decision::Undecided, Reach::ThisMachine, Reach::Unknown),
        ] {
            assert_eq!(said(std::slice::from_ref(&near_miss)), None, "{near_miss:?}");
        }
        // Without root nobody knows what other rules do; what is asked for is known.
        let blind = row("23/tcp", Decision::Open, Reach::ThisMachine, Reach::Unknown);
        assert!(said(&[blind]).is_some());
    }
}
