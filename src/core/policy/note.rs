//! Notes of the user's: why something is blocked, or intended.

use crate::core::text::printable_within;

/// Longest note, in characters.
pub(super) const LONGEST_NOTE: usize = 200;

/// A note as it is kept: one line that says something, without blanks around it.
///
/// # Errors
/// What is wrong with it, in words; of one that says nothing what the caller says.
pub(super) fn check<'a>(text: &'a str, if_empty: &str) -> Result<&'a str, String> {
    let note = text.trim();
    let length = note.chars().count();
    if note.is_empty() {
        return Err(if_empty.to_owned());
    }
    if length > LONGEST_NOTE {
        return Err(format!(
            "a note has {LONGEST_NOTE} characters at most, and this one {length}"
        ));
    }
    match printable_within(note, LONGEST_NOTE) == note {
        true => Ok(note),
        false => Err("a note is one line of printable characters, without control characters".to_owned()),
    }
}
