//! Folding ports into as few rules as iptables allows.

use crate::core::service::Ports;

/// What one `multiport` match takes; a range counts two (`XT_MULTI_PORTS`).
pub(super) const MULTIPORT_SLOTS: usize = 15;

/// Sorts the ports, joins neighbours into ranges, and packs them into groups one rule can match.
pub(super) fn fold(ports: impl IntoIterator<Item = Ports>) -> Vec<Vec<Ports>> {
    let mut groups: Vec<Vec<Ports>> = Vec::new();
    let mut used = MULTIPORT_SLOTS;
    for range in join(ports) {
        let cost = if range.is_single() { 1 } else { 2 };
        match groups.last_mut() {
            Some(group) if used + cost <= MULTIPORT_SLOTS => {
                group.push(range);
                used += cost;
            }
            _ => {
                groups.push(vec![range]);
                used = cost;
            }
        }
    }
    groups
}

/// Sorted, with overlapping and adjoining ranges made one.
pub(super) fn ranges(ports: impl IntoIterator<Item = Ports>) -> Vec<Ports> {
    let mut sorted: Vec<Ports> = ports.into_iter().collect();
    sorted.sort();
    let mut joined: Vec<Ports> = Vec::with_capacity(sorted.len());
    for next in sorted {
        match joined.last_mut() {
            Some(last) if u32::from(next.first()) <= u32::from(last.last()) + 1 => {
                if let Some(both) = Ports::new(last.first(), last.last().max(next.last())) {
                    *last = both;
                }
            }
            _ => joined.push(next),
        }
    }
    joined
}

/// The same, but two single neighbours stay single: a range costs as much and reads worse.
fn join(ports: impl IntoIterator<Item = Ports>) -> Vec<Ports> {
    ranges(ports)
        .into_iter()
        .flat_map(|range| match range.count() {
            2 => vec![Ports::single(range.first()), Ports::single(range.last())]
                .into_iter()
                .flatten()
                .collect(),
            _ => vec![range],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(port: u16) -> Ports {
        Ports::single(port).unwrap()
    }

    #[test]
    fn fifteen_fit_and_the_sixteenth_starts_a_rule() {
        let groups = fold((1..=16).map(|n| single(n * 2)));
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [15, 1]);
    }

    #[test]
    fn ranges_count_two() {
        let groups = fold((1..=8).map(|n| Ports::new(n * 100, n * 100 + 9).unwrap()));
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [7, 1]);
    }

    #[test]
    fn neighbours_become_ranges() {
        assert_eq!(
            fold([single(82), single(80), single(81)]),
            [vec![Ports::new(80, 82).unwrap()]]
        );
        assert_eq!(fold([single(81), single(80)]), [vec![single(80), single(81)]]);
        assert_eq!(fold([single(65535), single(65535)]), [vec![single(65535)]]);
    }
}
