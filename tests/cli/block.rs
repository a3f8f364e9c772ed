//! `fwtui block`, `fwtui unblock`

use std::fs;

use crate::harness::{Home, in_sandbox};

#[test]
fn a_block_is_kept_listed_and_taken_back() {
    in_sandbox(|home| {
        home.fwtui(&["block"]).exits(0).says("Nothing is blocked.");
        let args = ["block", "445/tcp", "--until", "2037-12-24", "--note", "CVE-2026-0001"];
        let said = home.fwtui(&args).exits(0);
        assert_eq!(
            said.stdout,
            "445/tcp: everyone is refused until 2037-12-24 00:00 UTC, whatever is decided on it (CVE-2026-0001). \
             That is not in force yet: 'fwtui preview' shows it, 'sudo fwtui apply' applies it.\n"
        );
        let text = fs::read_to_string(home.policy()).unwrap();
        assert!(text.contains("\"until\": \"2037-12-24T00:00:00Z\""), "{text}");
        home.fwtui(&args).exits(0).says("already; nothing changed");
        // Who opens it all the same is told that it stays blocked.
        let opened = home.fwtui(&["set", "445/tcp", "open"]).exits(0);
        let note = "445/tcp: everyone is refused until 2037-12-24 00:00 UTC, whatever is decided on it (CVE-2026-0001). \
                    'sudo fwtui unblock 445/tcp' takes that back.";
        assert_eq!(opened.stderr.trim_end(), note);
        // Another end takes the place of the first.
        let evening = ["block", "445/tcp", "--until", "2037-12-24T18:30Z"];
        home.fwtui(&evening).exits(0).says("until 2037-12-24 18:30 UTC");
        let some = ["block", "445/tcp", "--from", "192.0.2.7", "--from", "2001:db8::/32"];
        home.fwtui(&some)
            .exits(0)
            .says("445/tcp: 192.0.2.7/32, 2001:db8::/32 are refused, whatever");
        home.fwtui(&["block", "137-139/udp", "--for", "7d"]).exits(0);
        let list = home.fwtui(&["block"]).exits(0).stdout;
        let words: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[0], ["SERVICE", "FROM", "UNTIL", "IN", "FORCE", "NOTE"]);
        assert_eq!(words[1][..2], ["137-139/udp", "everyone"], "{list}");
        assert_eq!(
            words[2],
            ["445/tcp", "everyone", "2037-12-24", "18:30", "UTC", "no", "-"]
        );
        assert_eq!(words[3], ["445/tcp", "192.0.2.7/32", "2001:db8::/32", "-", "no", "-"]);
        let json = home.fwtui(&["block", "--json"]).exits(0).json();
        assert_eq!(json["schema"], 1);
        let blocks = json["blocks"].as_array().unwrap();
        assert_eq!(blocks.len(), 3, "{json}");
        assert_eq!(blocks[1]["service"], "445/tcp");
        assert_eq!(blocks[1]["until"], "2037-12-24T18:30:00Z");
        assert_eq!(
            (&blocks[1]["note"], &blocks[1]["in_force"]),
            (&().into(), &false.into())
        );
        assert_eq!(blocks[2]["from"][0], "192.0.2.7/32");
        let status = home.fwtui(&["status", "--json"]).json();
        assert_eq!(status["blocks"]["count"], 3, "{status}");
        assert!(status["blocks"]["next_end"].is_string(), "{status}");
        home.fwtui(&["status"])
            .says("3 blocks are in the policy; the next ends 20");
        // With other sources than those of a block nothing is taken back, and that is an error.
        home.fwtui(&["unblock", "445/tcp", "--from", "192.0.2.7"])
            .complains(2, "is not blocked from these sources");
        let both = ["unblock", "445/tcp", "--from", "2001:db8::/32", "--from", "192.0.2.7"];
        home.fwtui(&both).exits(0).says("445/tcp is no longer blocked");
        home.fwtui(&["unblock", "445/tcp"]).exits(0).says("no longer blocked");
        home.fwtui(&["unblock", "445/tcp"])
            .exits(0)
            .says("445/tcp was not blocked; nothing changed.");
        // What a range still holds is no success either.
        home.fwtui(&["unblock", "138/udp"])
            .complains(2, "137-139/udp is blocked until");
        home.fwtui(&["block", "[2001:db8::1]:53/udp", "--from", "192.0.2.0/24"])
            .complains(2, "is ever sent to");
        let left = home.fwtui(&["block", "--json"]).json();
        assert_eq!(left["blocks"].as_array().unwrap().len(), 1, "{left}");
    });
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    in_sandbox(|home| {
        home.fwtui(&["block", "80/tcp"]).exits(0);
        let before = fs::read_to_string(home.policy()).unwrap();
        let long = "x".repeat(201);
        for (args, words) in [
            (&["0/tcp"][..], "ports go from 1 to 65535"),
            (&["445"], "445"),
            (&["445/icmp"], "unknown protocol 'icmp'"),
            (&["445/tcp", "--from", "192.0.2.0/33"], "is no network"),
            (&["445/tcp", "--from", "::1"], "never refused"),
            (&["445/tcp", "--from", "eth0"], "is no network"),
            (&["445/tcp", "--until", "tomorrow"], "'tomorrow' is no time"),
            (&["445/tcp", "--until", "2026-02-30"], "is no time"),
            (
                &["445/tcp", "--until", "2020-01-01"],
                "2020-01-01 00:00 UTC is over already",
            ),
            (&["445/tcp", "--until", "2038-06-01"], "before 2038-01-19"),
            (&["445/tcp", "--until", ""], "is no time"),
            (&["445/tcp", "--for", "7"], "no length of time"),
            (&["445/tcp", "--for", "-7d"], "no length of time"),
            (&["445/tcp", "--for", "0s"], "a second at least"),
            (&["445/tcp", "--for", "100years"], "too long"),
            (
                &["445/tcp", "--for", "7d", "--until", "2037-01-01"],
                "cannot be used with",
            ),
            (&["445/tcp", "--note", ""], "the note is empty"),
            (&["445/tcp", "--note", "two\nlines"], "one line"),
            (&["445/tcp", "--note", "\u{1b}[2J"], "printable"),
            (&["445/tcp", "--note", &long], "200 characters"),
            (&["445/tcp", "--json"], "cannot be used with"),
            (&["--note", "why"], "required"),
            (&["--from", "192.0.2.0/24"], "required"),
        ] {
            let args: Vec<&str> = std::iter::once("block").chain(args.iter().copied()).collect();
            home.fwtui(&args).complains(2, words);
        }
        home.fwtui(&["unblock"]).complains(2, "required");
        home.fwtui(&["unblock", "445"]).complains(2, "445");
        home.fwtui(&["unblock", "445/tcp", "--from", "x"])
            .complains(2, "is no network");
        assert_eq!(fs::read_to_string(home.policy()).unwrap(), before);
    });
}

/// What is over is not listed, and the next edit writes the policy without it.
#[test]
fn what_is_over_leaves_with_the_next_edit() {
    in_sandbox(|home| {
        home.fwtui(&["block", "445/tcp", "--until", "2037-01-01"]).exits(0);
        let text = fs::read_to_string(home.policy()).unwrap();
        fs::write(home.policy(), text.replace("2037", "2021")).unwrap();
        home.fwtui(&["block"]).exits(0).says("Nothing is blocked.");
        home.fwtui(&["unblock", "445/tcp"]).exits(0).says("was not blocked");
        assert!(fs::read_to_string(home.policy()).unwrap().contains("2021"));
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        let text = fs::read_to_string(home.policy()).unwrap();
        assert!(!text.contains("blocks") && text.contains("22/tcp"), "{text}");
    });
}

#[test]
fn a_broken_block_in_the_policy_is_refused_with_its_line() {
    in_sandbox(|home| {
        home.fwtui(&["block", "445/tcp", "--until", "2037-01-01"]).exits(0);
        let text = fs::read_to_string(home.policy()).unwrap();
        let line = 1 + text.lines().position(|line| line.contains("2037")).unwrap();
        fs::write(
            home.policy(),
            text.replace("2037-01-01T00:00:00Z", "2037-01-32T00:00:00Z"),
        )
        .unwrap();
        let complaint = home.fwtui(&["block"]).exits(1).stderr;
        // Where the reader has got to: the end of the object.
        let is_near = [line, line + 1]
            .iter()
            .any(|line| complaint.contains(&format!("line {line},")));
        assert!(is_near && complaint.contains("no end of a block"), "{complaint}");
    });
}

#[test]
fn without_root_blocks_are_listed_and_not_made() {
    let home = Home::unprivileged();
    home.fwtui(&["block", "445/tcp"])
        .complains(5, "only root can change the policy");
    home.fwtui(&["block"]).exits(0).says("Nothing is blocked.");
}
