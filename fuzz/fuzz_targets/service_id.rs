//! The id of a service: what is read, is read again after it was printed.

#![no_main]

use fwtui::core::service::ServiceId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(id) = text.parse::<ServiceId>() {
        assert_eq!(id.to_string().parse::<ServiceId>(), Ok(id));
    }
});
