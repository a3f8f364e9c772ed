//! What a check finds, made by hand.

use fwtui::app::check::Checkup;
use fwtui::core::checkup::{Finding, Kind, Place, Severity};
use fwtui::tui::Msg;

use crate::{Session, fixture};

pub(super) const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];
pub(super) const SIZE: (u16, u16) = (80, 24);

pub(super) fn finding(id: &'static str, severity: Severity, place: Place, [what, why, advice]: [&str; 3]) -> Finding {
    let kind = Kind { id, severity, line: "" };
    Finding::new(&kind, place, what, why, advice)
}

fn rule(chain: &str, rule: &str) -> Place {
    Place {
        chain: Some(chain.into()),
        rule: Some(rule.into()),
        ..Place::default()
    }
}

fn sysctl(name: &str, file: &str, line: usize) -> Place {
    Place {
        file: Some(file.into()),
        line: Some(line),
        sysctl: Some(name.into()),
        ..Place::default()
    }
}

fn service(id: &str) -> Place {
    Place {
        service: Some(id.parse().unwrap()),
        ..Place::default()
    }
}

pub(super) const INVALID: &str = "-A INPUT -m conntrack --ctstate INVALID -j DROP";

/// What a machine like others has.
pub(crate) fn findings() -> Vec<Finding> {
    use Severity::{Harmful, Info, Missing, Redundant, Risky};
    vec![
        finding(
            "ipv6-neighbour-discovery-refused",
            Harmful,
            rule(
                "ip6 filter INPUT",
                "-A INPUT -j REJECT --reject-with icmp6-port-unreachable",
            ),
            [
                "IPv6 neighbour discovery is refused by the last rule of INPUT.",
                "Neighbours' answers are ICMPv6 packets: once the entries in the cache expire, within seconds, no \
                 new connection by IPv6 works, in either direction.",
                "Accept icmpv6 types 133 to 137 before this rule, or refuse only TCP and UDP.",
            ],
        ),
        finding(
            "answers-refused",
            Harmful,
            rule("ip filter INPUT", "-A INPUT -i eth0 -j DROP"),
            [
                "Answers to this machine's own connections are dropped: nothing accepts ESTABLISHED before.",
                "What this machine asks for never arrives.",
                "Put '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' before it.",
            ],
        ),
        finding(
            "policy-drop-flush",
            Risky,
            Place {
                chain: Some("ip filter INPUT".into()),
                ..Place::default()
            },
            [
                "The policy of INPUT is DROP, and rules let SSH in.",
                "'iptables -F' takes the rules away and leaves the policy: it locks you out.",
                "Leave the policy at ACCEPT, and end the chain with a rule that refuses.",
            ],
        ),
        finding(
            "drop-invalid",
            Redundant,
            rule("ip filter INPUT", INVALID),
            [
                "Packets that conntrack calls INVALID are dropped.",
                "They belong to no connection, and the TCP stack discards or resets them by itself.",
                "Take the rule out.",
            ],
        ),
        finding(
            "sysctl-rp-filter",
            Redundant,
            sysctl("net.ipv4.conf.all.rp_filter", "/etc/sysctl.d/99-hardening.conf", 12),
            [
                "rp_filter is 1 (strict); the kernel's default is 0.",
                "With more than one way out, answers that come by the other one are dropped.",
                "Take the line out, or set 2 (loose).",
            ],
        ),
        finding(
            "service-could-be-loopback",
            Missing,
            service("5432/tcp"),
            [
                "PostgreSQL listens on every address.",
                "It is mostly used from this machine alone.",
                "Set listen_addresses = 'localhost' in postgresql.conf: then no rule is needed at all.",
            ],
        ),
        finding(
            "drop-instead-of-reject",
            Info,
            rule("ip filter INPUT", "-A INPUT -p tcp -j DROP"),
            [
                "Connections are dropped without an answer.",
                "A mistyped port looks like a dead machine; on the other side, scanners are slowed down.",
                "REJECT --reject-with tcp-reset is the polite answer; fwtui would use it.",
            ],
        ),
    ]
}

fn looked_at() -> Vec<String> {
    [
        "143 rules (IPv4 and IPv6)",
        "11 services",
        "212 kernel settings",
        "the updates of apt",
    ]
    .map(str::to_owned)
    .into()
}

pub(crate) fn found(findings: Vec<Finding>) -> Checkup {
    Checkup {
        findings,
        looked_at: looked_at(),
        ..Checkup::default()
    }
}

pub(super) fn checked(number: u64, checkup: Checkup) -> Msg {
    Msg::Checked(number, Box::new(checkup))
}

/// A session on the screen, with what was found.
pub(super) fn with(size: (u16, u16), checkup: Checkup) -> Session {
    let mut session = Session::on(size, fixture::decided());
    session.keys("4");
    session.send(checked(1, checkup));
    session
}

pub(super) fn normal() -> Session {
    with(SIZE, found(findings()))
}

/// As many as nobody has.
pub(super) fn crowded(count: usize) -> Vec<Finding> {
    let one = |index: usize| {
        finding(
            "rule-never-matches",
            Severity::Redundant,
            rule(
                "ip filter INPUT",
                &format!("-A INPUT -s 198.51.{}.{}/32 -j DROP", index / 256, index % 256),
            ),
            [
                "It never matches: rule 1 takes all it would.",
                "It does nothing but cost time.",
                "Take it out.",
            ],
        )
    };
    (0..count).map(one).collect()
}
