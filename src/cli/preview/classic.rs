//! `fwtui preview --classic`

use serde::Serialize;

use crate::app::Error;
use crate::cli::DONE;
use crate::cli::check::wrapped;
use crate::cli::output::Out;
use crate::core::listener::Family;
use crate::core::ruleset::{Comparison, beside_the_classic};

#[derive(Serialize)]
struct Document {
    schema: u32,
    ipv4: Vec<Comparison>,
    ipv6: Vec<Comparison>,
}

pub(super) fn run(is_json: bool, out: &Out) -> Result<u8, Error> {
    let ipv4 = beside_the_classic(Family::Ipv4);
    let ipv6 = beside_the_classic(Family::Ipv6);
    if is_json {
        out.json(&Document { schema: 1, ipv4, ipv6 })?;
    } else {
        out.print(&text(&ipv4, &ipv6))?;
    }
    Ok(DONE)
}

/// IPv4 whole, then of IPv6 what differs.
fn text(ipv4: &[Comparison], ipv6: &[Comparison]) -> String {
    let mut text = "The classic rules of a client, and what fwtui makes of a policy without decisions.\n".to_owned();
    text.push_str("\n# IPv4\n");
    for comparison in ipv4 {
        block(&mut text, comparison);
    }
    text.push_str("\n# IPv6: the same, but for\n");
    for comparison in ipv6.iter().filter(|comparison| !ipv4.contains(comparison)) {
        block(&mut text, comparison);
    }
    text
}

fn block(text: &mut String, comparison: &Comparison) {
    let classic = comparison.classic.unwrap_or("(nothing)");
    text.extend(["\n  classic  ", classic, "\n"]);
    for (index, own) in comparison.own.iter().enumerate() {
        let lead = if index == 0 { "  fwtui    " } else { "           " };
        text.extend([lead, own, "\n"]);
    }
    wrapped(text, "  why      ", "           ", comparison.why);
}
