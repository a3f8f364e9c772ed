//! Protocols that open a second connection, which connection tracking only expects with a helper.

use crate::core::checkup::gist::{about, asks, asks_protocol, conditions, destination_ports, hooks, verdict};
use crate::core::checkup::{Evidence, Finding, Kind, Placed, Severity};
use crate::core::netfilter::{Condition, Field, Hook, Part, Verdict, ct};

const FTP: Kind = Kind {
    id: "ftp-helper-unassigned",
    severity: Severity::Missing,
    line: "FTP is let through, but nothing assigns the helper that makes its data connections RELATED",
};
const TFTP: Kind = Kind {
    id: "tftp-helper-unassigned",
    severity: Severity::Missing,
    line: "TFTP is asked of others, but nothing assigns the helper that makes their answers RELATED",
};
const SIP: Kind = Kind {
    id: "sip-helper-unassigned",
    severity: Severity::Info,
    line: "SIP is let through without the helper that would make its media streams RELATED",
};
const IRC: Kind = Kind {
    id: "irc-helper-unassigned",
    severity: Severity::Info,
    line: "IRC is asked of others without the helper that would make its DCC connections RELATED",
};
const PPTP: Kind = Kind {
    id: "pptp-helper-unassigned",
    severity: Severity::Info,
    line: "PPTP is let through without the helper that would make its GRE packets RELATED",
};

pub(super) const KINDS: &[Kind] = &[FTP, TFTP, SIP, IRC, PPTP];

/// One protocol with a helper.
struct Helper {
    kind: &'static Kind,
    /// The helper's name, and the protocol's.
    name: &'static str,
    title: &'static str,
    protocol: u8,
    port: u16,
    /// Where the first connection passes.
    hooks: &'static [Hook],
    /// What does not come through without.
    lost: &'static str,
}

const HELPERS: [Helper; 5] = [
    Helper {
        kind: &FTP,
        name: "ftp",
        title: "FTP",
        protocol: 6,
        port: 21,
        hooks: &[Hook::Input, Hook::Forward, Hook::Output],
        lost: "the data connections of passive FTP to a server here, and of active FTP from others, are new ones and refused",
    },
    Helper {
        kind: &TFTP,
        name: "tftp",
        title: "TFTP",
        protocol: 17,
        port: 69,
        hooks: &[Hook::Output, Hook::Forward],
        lost: "the answers come from another port and are refused",
    },
    Helper {
        kind: &SIP,
        name: "sip",
        title: "SIP",
        protocol: 17,
        port: 5060,
        hooks: &[Hook::Input, Hook::Forward],
        lost: "media streams need their ports opened by hand",
    },
    Helper {
        kind: &IRC,
        name: "irc",
        title: "IRC",
        protocol: 6,
        port: 6667,
        hooks: &[Hook::Output],
        lost: "files that others fetch by DCC are refused",
    },
    Helper {
        kind: &PPTP,
        name: "pptp",
        title: "PPTP",
        protocol: 6,
        port: 1723,
        hooks: &[Hook::Input, Hook::Forward],
        lost: "its GRE packets need a rule of their own",
    },
];

pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    HELPERS.iter().filter_map(|helper| helper.finding(evidence)).collect()
}

impl Helper {
    /// The first rule that lets the protocol's first connection through, where RELATED is counted on and
    /// nothing assigns the helper.
    fn finding(&self, evidence: &Evidence<'_>) -> Option<Finding> {
        let first = evidence.rules().find(|placed| self.is_let_through(placed))?;
        let family = first.table.family;
        let assigns = |placed: &Placed<'_>| placed.table.family == family && self.is_assigned(&placed.rule.text);
        let counts_on_related = |placed: &Placed<'_>| placed.table.family == family && accepts_related(placed);
        if evidence.rules().any(|placed| assigns(&placed)) || !evidence.rules().any(|placed| counts_on_related(&placed))
        {
            return None;
        }
        let chain = if first.chain.base.as_ref().is_some_and(|base| base.hook == Hook::Output) {
            "OUTPUT"
        } else {
            "PREROUTING"
        };
        let protocol = if self.protocol == 6 { "tcp" } else { "udp" };
        let (title, name, port, lost) = (self.title, self.name, self.port, self.lost);
        Some(about(
            self.kind,
            evidence,
            &first,
            &format!("{title} is let through, and no rule assigns its helper."),
            &format!(
                "Kernels no longer assign helpers by themselves (not by default since 4.7, not at all since 6.0), so {lost}."
            ),
            &format!(
                "If it is needed: '-t raw -A {chain} -p {protocol} --dport {port} -j CT --helper {name}' and nf_conntrack_{name}; \
better a protocol that needs no helper."
            ),
        ))
    }

    fn is_assigned(&self, text: &str) -> bool {
        let has = |words: String| text.contains(&words);
        has(format!("--helper {}", self.name)) || has(format!("helper set \"{}\"", self.name))
    }

    fn is_let_through(&self, placed: &Placed<'_>) -> bool {
        let asked = Part::number(self.port.into());
        // Cheap questions first: there may be many rules.
        verdict(placed.rule) == Some(&Verdict::Accept)
            && destination_ports(placed.rule).any(|part| *part == asked)
            && asks_protocol(placed.rule, self.protocol)
            && hooks(placed.table)
                .get(placed.chain.name.as_str())
                .is_some_and(|hooks| self.hooks.iter().any(|hook| hooks.contains(hook)))
    }
}

/// Whether what another connection announced is accepted, whatever its port.
fn accepts_related(placed: &Placed<'_>) -> bool {
    let has_related = |condition: &Condition| matches!(condition, Condition::Is { field: Field::State, mask: Some(mask), is_negated: true, .. } if mask & ct::RELATED != 0);
    verdict(placed.rule) == Some(&Verdict::Accept)
        && conditions(placed.rule).any(has_related)
        && !asks(placed.rule, |field| matches!(field, Field::Port(..)))
}
