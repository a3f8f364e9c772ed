//! A shell script, as far as rules need it: what would be run, without running it.

use super::held::Held;
use super::{Note, Sysctl};

mod expand;
mod lexer;
mod load;
mod parser;
mod run;
#[cfg(test)]
mod tests;

/// Reads a script: the rules and sysctls it leaves behind.
pub(super) fn read(file: &str, text: &str, held: &mut Held, notes: &mut Vec<Note>) -> Vec<Sysctl> {
    let lexed = lexer::lex(text);
    let script = parser::parse(lexed);
    notes.extend(script.notes.iter().cloned());
    run::run(file, &script, held, notes)
}
