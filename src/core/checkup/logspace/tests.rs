use super::*;
use crate::core::checkup::LogSpace;
use crate::core::listener::Family;
use crate::core::netfilter::{Engine, Netfilter, save};
use crate::core::ruleset::SavedTables;

fn told(rule: &str, is_rotated: bool, is_by_size: bool) -> Vec<(&'static str, Severity)> {
    let text = format!("*filter\n:INPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n");
    let netfilter = Netfilter {
        tables: save::tables(&SavedTables::parse(&text).unwrap(), Engine::Nft, Family::Ipv4, &[]),
    };
    let logs = LogSpace {
        syslog: vec![("/var/log/kern.log".into(), is_rotated, is_by_size)],
        free: Some(3 << 30),
        ..LogSpace::default()
    };
    let found = findings(&Evidence {
        netfilter: Some(&netfilter),
        logs: Some(&logs),
        ..Evidence::default()
    });
    assert!(
        found.iter().all(|finding| finding.what.contains("3072 MB are free")),
        "{found:?}"
    );
    found.iter().map(|finding| (finding.id, finding.severity)).collect()
}

const LOG: &str = "-A INPUT -p tcp -j LOG --log-prefix \"no \"";
const LIMITED: &str = "-A INPUT -m limit --limit 3/min -j LOG";
const QUIET: &str = "-A INPUT -p tcp -j DROP";

#[test]
fn what_is_rotated_by_size_is_fine() {
    assert_eq!(told(LOG, true, true), []);
    assert_eq!(told(LIMITED, true, true), []);
}

#[test]
fn rotation_by_time_is_fine_where_every_rule_has_a_limit() {
    assert_eq!(told(LOG, true, false), [("log-space-unbounded", Severity::Missing)]);
    assert_eq!(told(LIMITED, true, false), []);
    assert_eq!(told(QUIET, true, false), []);
}

#[test]
fn what_is_not_rotated_grows() {
    assert_eq!(told(LOG, false, false), [("log-space-unbounded", Severity::Missing)]);
    assert_eq!(
        told(LIMITED, false, false),
        [("log-space-unbounded", Severity::Missing)]
    );
    assert_eq!(told(QUIET, false, false), [("log-space-unbounded", Severity::Info)]);
}

#[test]
fn the_journal_bounds_itself() {
    let logs = LogSpace {
        journal: Some("SystemMaxUse=50G".into()),
        ..LogSpace::default()
    };
    let evidence = Evidence {
        logs: Some(&logs),
        ..Evidence::default()
    };
    assert_eq!(findings(&evidence), []);
    assert_eq!(findings(&Evidence::default()), []);
}

#[test]
fn rules_that_log_are_told() {
    for (rule, logs, limited) in [
        ("tcp dport 22 log prefix \"ssh \" drop", true, false),
        ("limit rate 3/minute log", true, true),
        ("log group 7 accept", false, false),
        ("-A INPUT -j NFLOG --nflog-group 7", false, false),
        ("-A INPUT -m comment --comment \"log this\" -j DROP", false, false),
        (LIMITED, true, true),
    ] {
        assert_eq!((is_logging(rule), is_limited(rule)), (logs, limited), "{rule}");
    }
}
