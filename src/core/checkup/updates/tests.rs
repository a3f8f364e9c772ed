use super::*;

fn told(updates: &Updates) -> Vec<(&'static str, Severity)> {
    let found = findings(&Evidence {
        updates: Some(updates),
        ..Evidence::default()
    });
    found.iter().map(|finding| (finding.id, finding.severity)).collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("package-{number}")).collect()
}

fn apt() -> Updates {
    Updates {
        manager: "apt".into(),
        pending: Some(Vec::new()),
        security: Some(Vec::new()),
        age: Some(DAY),
        ..Updates::default()
    }
}

#[test]
fn what_is_up_to_date_is_silent() {
    assert_eq!(told(&apt()), []);
    assert_eq!(told(&Updates::default()), []);
    assert_eq!(findings(&Evidence::default()), []);
}

#[test]
fn security_updates_are_risky_and_others_are_not() {
    let updates = |pending: usize, security: Option<usize>| Updates {
        pending: Some(names(pending)),
        security: security.map(names),
        ..apt()
    };
    assert_eq!(told(&updates(3, Some(0))), [("updates-pending", Severity::Info)]);
    assert_eq!(
        told(&updates(3, Some(1))),
        [
            ("updates-security", Severity::Risky),
            ("updates-pending", Severity::Info)
        ]
    );
    // All of them are for security: said once.
    assert_eq!(told(&updates(3, Some(3))), [("updates-security", Severity::Risky)]);
    // Nobody tells which are for security.
    assert_eq!(told(&updates(3, None)), [("updates-pending", Severity::Info)]);
    assert_eq!(told(&updates(100, None)), [("updates-pending", Severity::Risky)]);
    let found = security(&updates(9, Some(7))).unwrap();
    assert!(found.what.contains("package-4 and 2 more"), "{}", found.what);
    assert!(
        found
            .why
            .starts_with("The first tool for network security is the system update")
    );
}

#[test]
fn old_lists_are_told_by_their_age() {
    let aged = |days: u64| {
        told(&Updates {
            age: Some(days * DAY),
            ..apt()
        })
    };
    assert_eq!(aged(7), []);
    assert_eq!(aged(8), [("updates-state-old", Severity::Info)]);
    assert_eq!(aged(30), [("updates-state-old", Severity::Info)]);
    assert_eq!(aged(31), [("updates-state-old", Severity::Risky)]);
}

#[test]
fn reboots_and_kernels_are_told() {
    let updates = Updates {
        reboot: Some(" by libc6".into()),
        kernel: Some(("6.1.0-18-amd64".into(), "6.1.0-21-amd64".into())),
        ..apt()
    };
    assert_eq!(
        told(&updates),
        [("reboot-required", Severity::Risky), ("kernel-older", Severity::Risky)]
    );
    assert_eq!(reboot(&updates).unwrap().what, "A reboot is asked for by libc6.");
}
