//! `fwtui preview --classic`: needs neither root nor the kernel.

use crate::harness::Home;

#[test]
fn an_empty_policy_stands_beside_the_classic_rules() {
    let home = Home::unprivileged();
    let text = home.fwtui(&["preview", "--classic"]).exits(0).stdout;
    for line in [
        "  classic  -A INPUT -p tcp -j REJECT --reject-with tcp-reset\n",
        "  fwtui    -A FWTUI-INPUT -i lo -m comment --comment fwtui:loopback -j RETURN\n",
        "  why      The same reset, but for the SYN only",
        "# IPv6: the same, but for\n",
        "-t raw -A PREROUTING -j FWTUI-PREROUTING\n",
        "--dport 546",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let json = home.fwtui(&["preview", "--classic", "--json"]).exits(0).json();
    assert_eq!(json["schema"], 1);
    for family in ["ipv4", "ipv6"] {
        let comparisons = json[family].as_array().unwrap();
        let classic = comparisons.iter().filter(|it| it["classic"].is_string()).count();
        assert_eq!(classic, 4, "{json}");
        assert!(
            comparisons
                .iter()
                .all(|it| it["own"][0].is_string() && it["why"].is_string())
        );
    }
    home.fwtui(&["preview", "--classic", "--off"]).exits(2);
}
