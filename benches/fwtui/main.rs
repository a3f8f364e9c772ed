//! What fwtui takes, beside what the tools it stands for take, in one run: `make bench`.
//!
//! Everything happens in a sandbox. A number that is missed is said, and fails nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    missing_docs,
    unreachable_pub,
    reason = "measuring code"
)]

mod apply;
mod check;
mod crowd;
mod deadline;
mod keystroke;
mod large;
mod list;
mod reach;
mod screen;
mod table;

use std::process::{Command, ExitCode};

/// Set inside.
const INSIDE: &str = "FWTUI_BENCH";
/// Where it can be had, a process table of its own: then there are as many processes as are wanted.
const AMONG_OWN: &str = "alone='unshare --pid --fork --mount-proc --kill-child'; \
    if $alone true 2>/dev/null; then exec $alone \"$0\" \"$@\"; else exec \"$0\" \"$@\"; fi";
/// Adds its lines to the table.
type Measure = fn(&mut table::Table);
/// The program that is measured.
pub const FWTUI: &str = env!("CARGO_BIN_EXE_fwtui");

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, rest)) = args.split_first()
        && first == crowd::MEMBER
    {
        crowd::be_member(rest);
        return ExitCode::SUCCESS;
    }
    if std::env::var_os(INSIDE).is_none() {
        let status = Command::new(FWTUI)
            .args(["sandbox", "--bare", "--", "sh", "-c", AMONG_OWN])
            .arg(std::env::current_exe().unwrap())
            .args(&args)
            .env(INSIDE, "1")
            .status()
            .unwrap();
        return ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1));
    }
    let mut table = table::Table::new();
    let parts: [(&str, Measure); 8] = [
        ("list", list::measure),
        ("apply", apply::measure),
        ("deadline", deadline::measure),
        ("screen", screen::measure),
        ("keystroke", keystroke::measure),
        ("large", large::measure),
        ("reach", reach::measure),
        ("check", check::measure),
    ];
    // `cargo bench --bench fwtui -- reach`: cargo adds a flag of its own.
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    for (name, measure) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| *wanted == name) {
            measure(&mut table);
        }
    }
    table.end();
    ExitCode::SUCCESS
}
