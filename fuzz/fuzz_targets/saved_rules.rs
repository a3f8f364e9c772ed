//! What `iptables-save` prints.

#![no_main]

use std::time::Duration;

use fwtui::core::ruleset::SavedTables;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(saved) = SavedTables::parse(text) {
        let family = saved.take_apart(Duration::from_secs(1_700_000_000));
        assert!(!family.is_absent);
    }
});
