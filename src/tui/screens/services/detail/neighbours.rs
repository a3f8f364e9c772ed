//! What the sandbox's neighbours are answered.

use crate::core::listener::Family;
use crate::core::overview::Row;
use crate::tui::model::Model;
use crate::tui::port::{Knock, Neighbour};
use crate::tui::widgets::text::width;

/// In the sandbox, what its neighbours get now: with real packets, whatever the rules promise.
/// Where they all get the same and the names don't fit, without these.
pub(super) fn sentence(model: &Model, row: &Row, cells: usize) -> Option<String> {
    let id = &row.service.id;
    if !model.neighbours.are_there || !id.ports.is_single() {
        return None;
    }
    let Some(seen) = model.neighbours.at(id) else {
        return Some("Neighbours now: knocking …".to_owned());
    };
    let words: Vec<String> = Neighbour::ALL
        .into_iter()
        .filter_map(|neighbour| {
            let get = |family| {
                let mut knocks = seen
                    .iter()
                    .filter(|(from, knocked, _)| *from == neighbour && *knocked == family);
                knocks.next().map(|(_, _, knock)| knock.word())
            };
            let name = neighbour.name();
            match (get(Family::Ipv4), get(Family::Ipv6)) {
                (Some(ipv4), Some(ipv6)) if ipv4 != ipv6 => Some(format!("{name} {ipv4} (IPv6: {ipv6})")),
                (ipv4, ipv6) => ipv4.or(ipv6).map(|word| format!("{name} {word}")),
            }
        })
        .collect();
    let (_, _, first) = seen.first()?;
    let named = format!("Neighbours now: {}", words.join(" · "));
    let is_same = seen.iter().all(|(_, _, knock)| knock.word() == first.word());
    if width(&named) <= cells || !is_same {
        return Some(named);
    }
    let word = match first {
        Knock::Answered => "answer",
        knock => knock.word(),
    };
    Some(format!("Neighbours now: all {word}"))
}
