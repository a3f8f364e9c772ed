//! What nft 1.0.6 printed of the rulesets in `tests/fixtures/nft`.

/// Name, `nft -j list ruleset`, `nft -s list ruleset`.
pub(super) const ALL: &[(&str, &str, &str)] = &[
    (
        "matches",
        include_str!("../../../../../tests/fixtures/nft/matches.json"),
        include_str!("../../../../../tests/fixtures/nft/matches.list"),
    ),
    (
        "statements",
        include_str!("../../../../../tests/fixtures/nft/statements.json"),
        include_str!("../../../../../tests/fixtures/nft/statements.list"),
    ),
    (
        "families",
        include_str!("../../../../../tests/fixtures/nft/families.json"),
        include_str!("../../../../../tests/fixtures/nft/families.list"),
    ),
    (
        "tools",
        include_str!("../../../../../tests/fixtures/nft/tools.json"),
        include_str!("../../../../../tests/fixtures/nft/tools.list"),
    ),
];
