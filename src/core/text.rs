//! Text from outside, made safe to show.

/// Longest name shown, in characters.
const LONGEST: usize = 64;

/// Makes text that others chose (process names, paths, unit names) printable: control and
/// direction-changing characters become `?`, and what is too long is cut with an ellipsis.
///
/// A process may call itself `\x1b[2J`; neither the screen nor a log may obey it.
pub fn printable(text: &str) -> String {
    printable_within(text, LONGEST)
}

/// [`printable`] with a limit of its own, for paths and sentences.
pub fn printable_within(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest));
    for (count, character) in text.chars().enumerate() {
        if count == longest {
            out.push('\u{2026}');
            break;
        }
        out.push(if is_harmless(character) { character } else { '?' });
    }
    out
}

/// Whether a terminal prints the character and does nothing else with it.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        // Bidirectional marks and overrides, zero-width characters, line separators (Unicode
        // TR 36: they reorder or hide what a reader sees).
        && !matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text with a capital letter in front, as a sentence begins.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_survive() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a?[2Jb?c");
        assert_eq!(printable("evil\u{202e}txt"), "evil?txt");
        assert_eq!(printable("caf\u{e9}"), "caf\u{e9}");
    }

    #[test]
    fn long_names_are_cut() {
        let shown = printable(&"x".repeat(10_000));
        assert_eq!(shown.chars().count(), LONGEST + 1);
        assert!(shown.ends_with('\u{2026}'));
    }
}
