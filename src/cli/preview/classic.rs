//! `fwtui preview --classic`

use serde::Serialize;

use crate::app::Error;
use crate::cli::DONE;
use crate::cli::output::Out;
use crate::cli::wrap::Report;
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
        out.print(&text(&ipv4, &ipv6, out.width()))?;
    }
    Ok(DONE)
}

/// IPv4 whole, then of IPv6 what differs.
fn text(ipv4: &[Comparison], ipv6: &[Comparison], cells: Option<usize>) -> String {
    let mut report = Report::new(cells);
    report.wrapped(
        "",
        "",
        "The classic rules of a client, and what fwtui makes of a policy without decisions.",
    );
    report.line("");
    report.line("# IPv4");
    for comparison in ipv4 {
        block(&mut report, comparison);
    }
    report.line("");
    report.line("# IPv6: the same, but for");
    for comparison in ipv6.iter().filter(|comparison| !ipv4.contains(comparison)) {
        block(&mut report, comparison);
    }
    report.into_text()
}

/// Rules are never broken: they may be copied.
fn block(report: &mut Report, comparison: &Comparison) {
    report.line("");
    report.line(&format!("  classic  {}", comparison.classic.unwrap_or("(nothing)")));
    for (index, own) in comparison.own.iter().enumerate() {
        let lead = if index == 0 { "  fwtui    " } else { "           " };
        report.line(&format!("{lead}{own}"));
    }
    report.wrapped("  why      ", "           ", comparison.why);
}
