//! The policy's document: what is read, is read again after it was written.

#![no_main]

use fwtui::core::policy::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(policy) = Policy::parse(text) {
        assert!(Policy::parse(&policy.to_text()).is_ok_and(|again| again == policy));
    }
});
