use proptest::prelude::*;

use super::*;

/// 2026-11-22T14:00:00Z
const NOW: Duration = Duration::from_secs(1_795_356_000);

fn block(line: &str) -> Block {
    Block::parse_line(line, NOW).unwrap()
}

fn id(text: &str) -> ServiceId {
    text.parse().unwrap()
}

#[test]
fn a_line_says_everything() {
    let block = block("445/tcp from 198.51.100.0/24,192.0.2.0/24 2001:db8::/32 for 7d note CVE-2026-0001, worm");
    assert_eq!(block.service, id("445/tcp"));
    assert_eq!(sources(&block.from), "192.0.2.0/24, 198.51.100.0/24, 2001:db8::/32");
    assert_eq!(block.until.unwrap().to_string(), "2026-11-29T14:00:00");
    assert_eq!(block.note.as_deref(), Some("CVE-2026-0001, worm"));
}

#[test]
fn it_is_said_in_words() {
    for (line, words, mark) in [
        (
            "445/tcp until 2026-12-24 note CVE-2026-0001",
            "445/tcp: everyone is refused until 2026-12-24 00:00 UTC, whatever is decided on it (CVE-2026-0001)",
            "blocked until 2026-12-24 00:00 UTC (CVE-2026-0001)",
        ),
        (
            "53/udp from 192.0.2.7",
            "53/udp: 192.0.2.7/32 is refused, whatever is decided on it",
            "blocked from 192.0.2.7/32",
        ),
        (
            "53/udp from 192.0.2.7 2001:db8::/32 until 2026-12-24T18:30:07",
            "53/udp: 192.0.2.7/32, 2001:db8::/32 are refused until 2026-12-24 18:30:07 UTC, whatever is decided on it",
            "blocked from 192.0.2.7/32, 2001:db8::/32 until 2026-12-24 18:30:07 UTC",
        ),
    ] {
        assert_eq!(block(line).to_string(), words);
        assert_eq!(block(line).mark(), mark);
    }
}

#[test]
fn bad_lines_say_what_is_wrong() {
    let long = format!("445/tcp note {}", "x".repeat(201));
    for (line, why) in [
        ("", "a service first"),
        ("445", "445"),
        ("445/tcp 192.0.2.0/24", "'192.0.2.0/24' is not known here"),
        ("445/tcp from", "'from' needs a network"),
        ("445/tcp from for 7d", "'from' needs a network"),
        ("445/tcp from 192.0.2.0/33", "is no network"),
        ("445/tcp from 127.0.0.1", "never refused"),
        (
            "[2001:db8::1]:53/udp from 192.0.2.0/24",
            "nothing from 192.0.2.0/24 is ever sent to [2001:db8::1]:53/udp",
        ),
        (
            "192.0.2.1:53/udp from 192.0.2.7,2001:db8::/32",
            "nothing from 2001:db8::/32",
        ),
        ("445/tcp from ::ffff:192.0.2.1", "means IPv4"),
        ("445/tcp until", "'' is no time"),
        ("445/tcp until tomorrow", "'tomorrow' is no time"),
        ("445/tcp until 2027-02-31", "is no time"),
        ("445/tcp until 2026-12-24T18:00+01:00", "is no time"),
        ("445/tcp until 2038-01-20", "before 2038-01-19"),
        ("445/tcp until 9999-01-01", "before 2038-01-19"),
        ("445/tcp until 2026-11-22", "is over already"),
        ("445/tcp until 2026-11-22T14:00:00Z", "is over already"),
        ("445/tcp for", "no length of time"),
        ("445/tcp for 7", "no length of time"),
        ("445/tcp for ever", "no length of time"),
        ("445/tcp for 0s", "a second at least"),
        ("445/tcp for 20years", "too long"),
        ("445/tcp for 7d until 2027-01-01", "one time only"),
        ("445/tcp note", "the note is empty"),
        ("445/tcp note a\u{202e}b", "printable"),
        (long.as_str(), "200 characters"),
    ] {
        let error = Block::parse_line(line, NOW).unwrap_err();
        assert!(error.contains(why), "{line}: {error}");
    }
}

#[test]
fn it_is_over_at_its_end_and_not_before() {
    let block = block("445/tcp for 10s");
    assert!(!block.is_over(NOW + Duration::from_millis(9_999)));
    assert!(block.is_over(NOW + Duration::from_secs(10)));
    assert!(!Block::on(id("445/tcp")).is_over(Duration::MAX));
}

#[test]
fn one_of_the_same_service_and_sources_is_replaced() {
    let mut policy = Policy::default();
    policy.block(block("445/tcp note first"));
    policy.block(block("445/tcp from 192.0.2.0/24"));
    policy.block(block("139/tcp"));
    policy.block(block("445/tcp note second"));
    let lines: Vec<String> = policy.blocks.iter().map(Block::line).collect();
    assert_eq!(lines, ["139/tcp", "445/tcp note second", "445/tcp from 192.0.2.0/24"]);
    assert_eq!(policy.unblock(&id("445/tcp"), &["192.0.2.0/25".parse().unwrap()]), 0);
    assert_eq!(policy.unblock(&id("445/tcp"), &["192.0.2.0/24".parse().unwrap()]), 1);
    assert_eq!(policy.unblock(&id("445/tcp"), &[]), 1);
    assert_eq!(policy.unblock(&id("445/tcp"), &[]), 0);
    policy.block(block("445/tcp for 7d"));
    assert_eq!(policy.current(NOW).blocks.len(), 2);
    assert_eq!(policy.current(NOW + Duration::from_secs(7 * 86_400)).blocks.len(), 1);
}

#[test]
fn it_touches_what_it_may_refuse() {
    for (line, service, touches, refuses_all) in [
        ("445/tcp", "445/tcp", true, true),
        ("445/tcp", "192.0.2.1:445/tcp", true, true),
        ("192.0.2.1:445/tcp", "445/tcp", true, false),
        ("192.0.2.1:445/tcp", "192.0.2.2:445/tcp", false, false),
        ("445/tcp", "445/udp", false, false),
        ("137-139/udp", "138/udp", true, true),
        ("138/udp", "137-139/udp", true, false),
        ("445/tcp from 192.0.2.0/24", "445/tcp", true, false),
    ] {
        let (block, service) = (block(line), id(service));
        assert_eq!(block.touches(&service), touches, "{line} {service}");
        assert_eq!(block.refuses_all_of(&service), refuses_all, "{line} {service}");
    }
}

const DOCUMENT: &str = r#"{
  "version": 1,
  "refusal": "reject",
  "logging": "off",
  "networks": {
    "interfaces": {},
    "trusted_sources": []
  },
  "services": {},
  "blocks": [
    {
      "service": "445/tcp",
      "from": [
        "192.0.2.0/24"
      ],
      "until": "2026-12-24T00:00:00Z",
      "note": "CVE-2026-0001"
    },
    {
      "service": "3389/tcp"
    }
  ]
}
"#;

#[test]
fn the_document_prints_what_it_reads() {
    let policy = Policy::parse(DOCUMENT).unwrap();
    assert_eq!(policy.to_text(), DOCUMENT);
    assert!(!Policy::default().to_text().contains("blocks"));
}

#[test]
fn every_complaint_about_the_document_has_its_line() {
    for (find, replace, line, reason) in [
        ("445/tcp", "445", 12, "445"),
        ("192.0.2.0/24", "::1", 15, "never refused"),
        ("2026-12-24T00:00:00Z", "2026-12-24", 16, "no end of a block"),
        ("2026-12-24T00:00:00Z", "2039-12-24T00:00:00Z", 16, "no end of a block"),
        ("2026-12-24T00:00:00Z", "2026-02-31T00:00:00Z", 16, "no end of a block"),
        ("\"2026-12-24T00:00:00Z\"", "null", 16, "null"),
        ("\"note\"", "\"why\"", 17, "unknown field `why`"),
        // The complaint comes where the reader has got to: behind the last field.
        ("CVE-2026-0001", "", 18, "the note is empty"),
        ("CVE-2026-0001", "a\\nb", 18, "printable"),
        ("\"3389/tcp\"", "\"445/tcp\", \"from\": [\"192.0.2.0/24\"]", 22, "twice"),
        ("\"blocks\": [", "\"blocks\": {}, \"x\": [", 10, "a list"),
    ] {
        let text = DOCUMENT.replacen(find, replace, 1);
        assert_ne!(text, DOCUMENT, "{find}");
        let error = Policy::parse(&text).unwrap_err();
        assert!(error.reason.contains(reason), "{replace}: {error}");
        assert_eq!(error.line, line, "{replace}: {error}");
    }
    // What was written when it still held can be read when it no longer does.
    assert!(Policy::parse(&DOCUMENT.replace("2026-12", "1999-12")).is_ok());
}

fn any_block() -> impl Strategy<Value = Block> {
    let net = prop_oneof![Just("192.0.2.0/24"), Just("198.51.100.7/32"), Just("2001:db8::/32")];
    let service = prop_oneof![Just("445/tcp"), Just("137-139/udp"), Just("192.0.2.1:53/udp")];
    let until = proptest::option::of(NOW.as_secs() + 1..=u64::from(i32::MAX.cast_unsigned()));
    let note = proptest::option::of("[!-~]{1,9}( [!-~]{1,9}){0,3}");
    let parts = (service, proptest::collection::vec(net, 0..3), until, note);
    let any = parts.prop_map(|(service, from, until, note)| Block {
        service: id(service),
        from: parse_sources(from).unwrap(),
        until: until.and_then(|seconds| Stamp::at_or_after(Duration::from_secs(seconds))),
        note,
    });
    any.prop_filter("of one family", |block| block.check().is_ok())
}

proptest! {
    #[test]
    fn a_line_reads_back_as_printed(block in any_block()) {
        prop_assert_eq!(Block::parse_line(&block.line(), NOW), Ok(block));
    }

    #[test]
    fn no_line_makes_it_panic(line in "(445/tcp)?( (from|until|for|note|7d|[ -~]{0,8})){0,5}") {
        let _read: Result<Block, String> = Block::parse_line(&line, NOW);
    }
}
