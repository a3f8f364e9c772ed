//! Which rows a filter finds.

use crate::core::overview::Row;

/// What is searched for: every word must be found, and none of those with `!` before them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Search {
    words: Vec<String>,
    not: Vec<String>,
    /// `:22`: this very port, not every port that has it in its number.
    ports: Vec<u16>,
    not_ports: Vec<u16>,
}

impl Search {
    pub(super) fn new(filter: &str) -> Self {
        let mut search = Self::default();
        for word in filter.split_whitespace() {
            let (is_not, word) = match word.strip_prefix('!') {
                Some(word) => (true, word),
                None => (false, word),
            };
            let port = word.strip_prefix("port:").or_else(|| word.strip_prefix(':'));
            match (port.map(str::parse), is_not) {
                (Some(Ok(port)), false) => search.ports.push(port),
                (Some(Ok(port)), true) => search.not_ports.push(port),
                // Still being typed.
                (Some(Err(_)), _) if port == Some("") => {}
                (_, true) if word.is_empty() => {}
                (_, false) => search.words.push(word.to_lowercase()),
                (_, true) => search.not.push(word.to_lowercase()),
            }
        }
        search
    }

    /// The words that are to be found.
    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    pub(super) fn finds(&self, row: &Row, haystack: &str) -> bool {
        let ports = row.service.id.ports;
        self.words.iter().all(|word| haystack.contains(word.as_str()))
            && !self.not.iter().any(|word| haystack.contains(word.as_str()))
            && self.ports.iter().all(|port| ports.contains_port(*port))
            && !self.not_ports.iter().any(|port| ports.contains_port(*port))
    }
}

/// What words are looked for in.
pub(super) fn haystack(row: &Row, is_recorded: bool) -> String {
    let service = &row.service;
    let mut text = format!(
        "{} {} {} {} {}",
        service.name, service.id, service.bound_to, row.reach_now, row.decision
    );
    let mut add = |word: &str| {
        text.push(' ');
        text.push_str(word);
    };
    if row.is_news(is_recorded) {
        add("new");
    }
    if row.since.is_some() {
        add("since");
    }
    if row.is_changed {
        add("changed");
    }
    for block in &row.blocks {
        add(&block.mark());
    }
    if row.disabled.is_some() {
        add("disabled");
    }
    if service.published.is_some() {
        add("published dnat");
    }
    let owners = service
        .owners
        .iter()
        .flat_map(|owner| [&owner.user, &owner.unit, &owner.exe]);
    for word in owners.chain([&service.unit]).flatten() {
        add(word);
    }
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_ports_and_their_opposites_are_told_apart() {
        let search = Search::new("SSH !docker :22 !port:2222 ! :");
        assert_eq!(search.words, ["ssh"]);
        assert_eq!(search.not, ["docker"]);
        assert_eq!((search.ports, search.not_ports), (vec![22], vec![2222]));
        // No port, so it is a word: of an address, perhaps.
        assert_eq!(Search::new(":1%virbr0").words, [":1%virbr0"]);
    }
}
