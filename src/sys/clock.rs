//! The only place that reads a clock.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

/// Time since the machine started, the time it slept included (`CLOCK_BOOTTIME`).
///
/// Deadlines are kept in it: setting the date moves them neither way, and a suspended laptop does
/// not get extra time.
pub fn since_boot() -> Duration {
    reading(ClockId::Boottime)
}

/// The same without the time the machine slept (`CLOCK_MONOTONIC`): for how long somebody could have
/// done something and did not.
pub fn awake() -> Duration {
    reading(ClockId::Monotonic)
}

fn reading(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Neither part is ever negative for these clocks, and nanoseconds are below 10^9.
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

/// The date and time of day, for people and files; never for deadlines.
pub fn now() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    SystemTime::now()
}

/// The date and time of day as the time since 1970 in UTC, which the kernel's time match counts in.
pub fn since_1970() -> Duration {
    now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The same moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since boot.
    pub boot: Duration,
    /// Since 1970, in UTC.
    pub wall: Duration,
}

/// This moment.
pub fn moment() -> Moment {
    Moment {
        boot: since_boot(),
        wall: since_1970(),
    }
}

/// A time as RFC 3339 in UTC with whole seconds: `2026-11-22T14:02:00Z`.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_since_boot_does_not_run_backwards() {
        let earlier = since_boot();
        assert!(earlier > Duration::ZERO);
        assert!(since_boot() >= earlier);
    }

    #[test]
    fn times_are_written_in_utc_with_whole_seconds() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_500);
        assert_eq!(rfc3339(time), "2001-09-09T01:46:40Z");
    }
}
