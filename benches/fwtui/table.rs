//! The table, printed line by line as the figures come.

use std::fmt::Display;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// So many times as fast as theirs, or faster.
    Faster(f64),
    /// At most so many times what theirs takes.
    AtMost(f64),
    /// For information.
    None,
}

#[derive(Debug, Default)]
pub struct Table {
    reached: usize,
    figures: usize,
}

impl Table {
    pub fn new() -> Self {
        println!(
            "{:<46} {:>10} {:>10} {:>7}  {:<12} reached",
            "what", "ours", "theirs", "ratio", "target"
        );
        Self::default()
    }

    /// Two times, medians of alternating runs.
    pub fn pair(&mut self, what: &str, ours: Duration, theirs: Duration, target: Target) {
        let (ratio, wanted, is_reached) = match target {
            Target::Faster(factor) => {
                let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
                (ratio, format!(">= {factor}x faster"), ratio >= factor)
            }
            Target::AtMost(factor) => {
                let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
                (ratio, format!("< {factor}x"), ratio < factor)
            }
            Target::None => {
                let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
                println!(
                    "{what:<46} {:>10} {:>10} {ratio:>7.2}  -",
                    milliseconds(ours),
                    milliseconds(theirs)
                );
                return;
            }
        };
        self.row(
            what,
            milliseconds(ours),
            milliseconds(theirs),
            format!("{ratio:.2}"),
            wanted,
            is_reached,
        );
    }

    /// A figure of ours alone.
    pub fn single(&mut self, what: &str, ours: impl Display, target: impl Display, is_reached: bool) {
        self.row(what, ours, "-", "-", target, is_reached);
    }

    /// One for information.
    #[expect(clippy::unused_self, reason = "a line of the table like the others")]
    pub fn figure(&mut self, what: &str, ours: impl Display) {
        println!("{what:<46} {:>10} {:>10} {:>7}  -", ours.to_string(), "-", "-");
    }

    fn row(
        &mut self,
        what: &str,
        ours: impl Display,
        theirs: impl Display,
        ratio: impl Display,
        target: impl Display,
        is_reached: bool,
    ) {
        let (ours, theirs, ratio) = (ours.to_string(), theirs.to_string(), ratio.to_string());
        self.figures += 1;
        self.reached += usize::from(is_reached);
        let reached = if is_reached { "yes" } else { "no" };
        println!(
            "{what:<46} {ours:>10} {theirs:>10} {ratio:>7}  {:<12} {reached}",
            target.to_string()
        );
    }

    pub fn end(self) {
        println!("{} of {} targets reached.", self.reached, self.figures);
        println!("Medians of alternating runs on this machine as it is now; ratios compare, times do not.");
    }
}

/// Something to know about the next lines.
pub fn note(text: &str) {
    println!("# {text}");
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// How long a command takes from its start to its end, its output thrown away.
pub fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let taken = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    taken
}

/// Asks again and again until there is an answer.
pub fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "it did not happen in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}
