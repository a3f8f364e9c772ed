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
    // Nearly all that is looked at.
    if text.len() <= longest && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(longest));
    let mut can_be_marked = false;
    for (count, character) in text.chars().enumerate() {
        if count == longest {
            out.push('\u{2026}');
            break;
        }
        let is_shown = is_harmless(character) && (can_be_marked || !is_mark(character));
        can_be_marked = is_shown && !is_mark(character);
        out.push(if is_shown { character } else { '?' });
    }
    out
}

/// Whether a terminal prints the character and does nothing else with it.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        // Bidirectional marks and overrides, zero-width characters, line separators, letters without a
        // shape or of any width, tags (Unicode TR 36: they reorder or hide what a reader sees).
        && !matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether it is put over what stands before: any number of them would fit one cell, and hide it.
const fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The text with a capital letter in front, as a sentence begins; a sysctl or a file keeps its name.
pub fn capitalised(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    if first.trim_end_matches(['.', ':', ',']).contains(['.', '_', '/']) {
        return text.to_owned();
    }
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// The word among those that are right which was probably meant; none where none is near.
pub fn nearest<'a>(word: &str, right: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let len = word.chars().count();
    // What has nothing in common with it was not meant.
    let far = (1 + len / 3).min(len.saturating_sub(1));
    let near = right.into_iter().map(|other| (distance(word, other), other));
    near.filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, other)| other)
}

/// How many characters are to be added, taken away or changed to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, character) in one.chars().enumerate() {
        let mut above = index;
        let mut left = index + 1;
        let mut next = vec![left];
        for (have, up) in other.iter().zip(row.iter().skip(1)) {
            left = (left + 1).min(up + 1).min(above + usize::from(*have != character));
            above = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_the_nearest_word() {
        let words = ["name", "what", "desktop", "server"];
        for (word, meant) in [
            ("dekstop", Some("desktop")),
            ("sever", Some("server")),
            ("names", Some("name")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, words), meant, "{word}");
        }
        assert_eq!((distance("kitten", "sitting"), distance("", "abc")), (3, 3));
    }

    #[test]
    fn escape_sequences_do_not_survive() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a?[2Jb?c");
        assert_eq!(printable("evil\u{202e}txt"), "evil?txt");
        assert_eq!(printable("caf\u{e9}"), "caf\u{e9}");
        // A letter may have one mark: a heap of them hides what is below.
        assert_eq!(printable("e\u{301}\u{301}\u{20dd}e\u{301}"), "e\u{301}??e\u{301}");
        assert_eq!(printable("\u{301}"), "?");
        // C1 controls, zero width, letters without a shape.
        for hidden in
            "\u{9b}\u{90}\u{85}\u{200b}\u{200d}\u{feff}\u{ad}\u{61c}\u{2066}\u{2069}\u{3164}\u{fe0f}\u{fff9}\u{e0041}"
                .chars()
        {
            assert_eq!(printable(&format!("a{hidden}b")), "a?b", "{:x}", u32::from(hidden));
        }
    }

    #[test]
    fn sentences_begin_with_a_capital_letter_but_names_stay() {
        assert_eq!(capitalised("neither is here"), "Neither is here");
        assert_eq!(capitalised("gone."), "Gone.");
        for name in ["net.ipv4.tcp_syncookies is 0", "sshd_config: set it", "/etc/x is there"] {
            assert_eq!(capitalised(name), name);
        }
    }

    #[test]
    fn long_names_are_cut() {
        let shown = printable(&"x".repeat(10_000));
        assert_eq!(shown.chars().count(), LONGEST + 1);
        assert!(shown.ends_with('\u{2026}'));
    }
}
