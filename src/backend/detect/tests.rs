//! The choice, for every combination of facts that matters.

use super::*;

const BOTH: Facts = Facts {
    plain: Some(Variant::Nft),
    has_nft: true,
    has_legacy: true,
    own: None,
    nft_has_rules: false,
    legacy_has_rules: false,
};

#[test]
fn the_one_in_use_is_used() {
    let cases = [
        (BOTH, Variant::Nft, false),
        (
            Facts {
                plain: Some(Variant::Legacy),
                ..BOTH
            },
            Variant::Legacy,
            false,
        ),
        (
            Facts {
                legacy_has_rules: true,
                ..BOTH
            },
            Variant::Legacy,
            false,
        ),
        (
            Facts {
                legacy_has_rules: true,
                nft_has_rules: true,
                ..BOTH
            },
            Variant::Nft,
            true,
        ),
        (
            Facts {
                own: Some(Variant::Legacy),
                nft_has_rules: true,
                ..BOTH
            },
            Variant::Legacy,
            true,
        ),
        (
            Facts {
                has_nft: false,
                plain: Some(Variant::Legacy),
                ..BOTH
            },
            Variant::Legacy,
            false,
        ),
        (
            Facts {
                has_legacy: false,
                legacy_has_rules: true,
                ..BOTH
            },
            Variant::Nft,
            true,
        ),
        (
            Facts {
                has_nft: false,
                nft_has_rules: true,
                ..BOTH
            },
            Variant::Legacy,
            true,
        ),
    ];
    for (facts, variant, is_reported) in cases {
        let (chosen, report) = choose(facts).unwrap();
        assert_eq!((chosen, report.is_some()), (variant, is_reported), "{facts:?}");
    }
}

#[test]
fn tables_nobody_can_show_are_reported_as_such() {
    let facts = Facts {
        has_legacy: false,
        legacy_has_rules: true,
        ..BOTH
    };
    let (_, report) = choose(facts).unwrap();
    assert!(report.unwrap().contains("iptables-legacy is not installed"));
}

#[test]
fn without_iptables_there_is_no_backend() {
    assert!(matches!(choose(Facts::default()), Err(BackendError::NoIptables)));
}
