//! Rules and scripts that `fwtui check FILE` is given.

#![no_main]

use fwtui::app::check::checkup_of_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(checkup) = checkup_of_text("fuzz", text) {
        let mut texts = checkup.findings.iter().flat_map(|finding| [&finding.what, &finding.why, &finding.advice]);
        assert!(texts.all(|text| !text.contains(char::is_control)));
    }
});
