//! What `nft -j list ruleset` prints.

#![no_main]

use fwtui::core::netfilter::json;
use fwtui::core::netfilter::merge::merge;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(listed) = json::parse(text) {
        let tables = listed.netfilter.tables.clone();
        let merged = merge(listed, Some(tables.clone()), Some(tables.clone()));
        assert_eq!(merged.tables.len(), tables.len());
    }
});
