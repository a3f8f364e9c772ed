//! glob(7), for names and paths that stand in configuration files.

/// Whether a pattern with `*`, `?` and `[...]` matches a text. None of these matches the separator.
pub fn matches(pattern: &str, text: &str, separator: char) -> bool {
    let mut parts = text.split(separator);
    let mut patterns = pattern.split(separator);
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if part_matches(pattern.as_bytes(), part.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// The same for a part. Only the last `*` is ever taken back, so that no pattern takes long.
fn part_matches(mut pattern: &[u8], mut name: &[u8]) -> bool {
    let mut last_star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            last_star = Some((rest, name));
            pattern = rest;
            continue;
        }
        match (one(pattern, name), name) {
            (Some(rest), [_, later @ ..]) => (pattern, name) = (rest, later),
            (_, []) if pattern.is_empty() => return true,
            _ => match last_star {
                Some((rest, [_, later @ ..])) => {
                    last_star = Some((rest, later));
                    (pattern, name) = (rest, later);
                }
                _ => return false,
            },
        }
    }
}

/// What is left of a pattern that begins with something that stands for the first letter.
fn one<'a>(pattern: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let byte = name.first()?;
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b']')?;
            let (class, rest) = rest.split_at(end);
            let (is_negated, class) = match class {
                [b'!' | b'^', class @ ..] => (true, class),
                _ => (false, class),
            };
            (is_in(class, *byte) != is_negated).then(|| rest.get(1..)).flatten()
        }
        [wanted, rest @ ..] => (wanted == byte).then_some(rest),
        [] => None,
    }
}

/// Whether a letter is among those between brackets: `abc`, `0-9`.
fn is_in(class: &[u8], byte: u8) -> bool {
    match class {
        [first, b'-', last, rest @ ..] => (*first..=*last).contains(&byte) || is_in(rest, byte),
        [one, rest @ ..] => *one == byte || is_in(rest, byte),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_shells_do() {
        for (pattern, path, is_match) in [
            ("/var/log/*.log", "/var/log/kern.log", true),
            ("/var/log/*.log", "/var/log/apt/term.log", false),
            ("/var/log/*/*.log", "/var/log/apt/term.log", true),
            ("/var/log/messages", "/var/log/messages", true),
            ("/var/log/messages", "/var/log/messages2", false),
            ("/var/log/[km]*", "/var/log/kern.log", true),
            ("/var/log/[!km]*", "/var/log/kern.log", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("*", "", true),
            ("?", "", false),
            ("[", "[", false),
        ] {
            assert_eq!(matches(pattern, path, '/'), is_match, "{pattern} {path}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        assert!(!matches(&"*a".repeat(50_000), &"a".repeat(200), '/'));
    }
}
