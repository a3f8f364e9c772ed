//! What the kernel would refuse is refused before anything changes; and a rehearsal leaves nothing
//! behind.

use fwtui::sys::interfaces::interfaces;

use crate::faults::Replaced;
use crate::harness::{Lab, in_sandbox};
use crate::machine::{guards, paths, policy};

/// Everything a rehearsal must leave alone.
pub fn world(lab: &Lab) -> String {
    let named = ["ip -details link", "ip address", "ip route", "ip -6 route", "ip netns"].map(|line| lab.line(line));
    let all = [
        named.join("\n"),
        format!("{:?}", interfaces().unwrap()),
        format!("{:?} {}", lab.base(), lab.foreign()),
    ];
    // How much longer addresses are valid, and how many packets came, may change by itself.
    let lines = all.iter().flat_map(|text| text.lines());
    lines
        .filter(|line| !line.contains("valid_lft"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn good_apply_is_rehearsed(lab: &Lab) {
    lab.listen_everywhere(8080);
    lab.keep(&policy(&[("8080/tcp", "open")]));
    let before = world(lab);
    lab.does(&["set", "8080/tcp", "confine"]);
    let said = lab.does(&["apply", "--yes"]);
    println!("{said}");
    // From a neighbour and a stranger of each of the two interfaces, in both families.
    assert!(said.contains("ms: loaded, 16 connections tried"), "{said}");
    lab.does(&["revert"]);
    lab.settled();
    assert_eq!(world(lab), before);
    let said = lab.does(&["off", "--yes"]);
    assert!(said.contains("ms: loaded, 16 connections tried"), "{said}");
}

#[test]
fn a_good_apply_is_rehearsed_and_leaves_nothing_behind() {
    in_sandbox(|lab| {
        good_apply_is_rehearsed(lab);
    });
}

#[test]
fn the_same_with_iptables_legacy() {
    in_sandbox(|lab| {
        lab.use_legacy();
        good_apply_is_rehearsed(lab);
    });
}

/// A program that refuses to load anything, in every network but the sandbox's own.
fn refuses_elsewhere(words: &str) -> Replaced {
    let here = std::fs::read_link("/proc/self/ns/net").unwrap();
    let script = format!(
        r#"if [ "$(readlink /proc/self/ns/net)" != "{}" ] && [ "${{0##*/}}" = iptables-nft-restore ]; then
               given=$(cat); case "$given" in *8080*) echo "{words}" >&2; exit 4;; esac
               echo "$given" | "/run/real/${{0##*/}}" "$@"; exit
           fi"#,
        here.display()
    );
    Replaced::program("iptables-nft-restore", &script)
}

#[test]
fn what_is_refused_in_the_rehearsal_is_not_begun() {
    in_sandbox(|lab| {
        lab.keep(&policy(&[("22/tcp", "open")]));
        let before = world(lab);
        let broken = refuses_elsewhere("line 9: no such target");
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["set", "8443/tcp", "open"]);
        let journal = std::fs::read_to_string(paths().last()).unwrap();
        let complaint = lab.fails(1, &["apply", "--yes"]);
        for part in [
            "rehearsal",
            "no such target",
            "nothing has been changed",
            "--no-rehearsal",
        ] {
            assert!(complaint.contains(part), "{part}: {complaint}");
        }
        assert!(guards().is_empty() && !paths().journal().exists());
        assert_eq!(
            std::fs::read_to_string(paths().last()).unwrap(),
            journal,
            "no trial was begun"
        );
        assert_eq!(world(lab), before);
        let said = lab.does(&["apply", "--yes", "--no-rehearsal"]);
        assert!(!said.contains("Rehearsed"), "{said}");
        drop(broken);
    });
}

#[test]
fn where_there_are_no_namespaces_it_is_applied_and_told() {
    in_sandbox(|lab| {
        // The limit is that of this user namespace, which must not be the machine's own.
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap();
        assert!(!map.contains("4294967295"), "this test needs user namespaces");
        std::fs::write("/proc/sys/user/max_net_namespaces", "0").unwrap();
        let output = lab.fwtui(&["apply", "--yes"]);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{complaint}");
        assert!(
            complaint.contains("Not rehearsed: could not make a scratch network namespace"),
            "{complaint}"
        );
    });
}

#[test]
fn where_there_are_no_links_it_is_loaded_all_the_same() {
    in_sandbox(|lab| {
        std::fs::write("/run/none", "").unwrap();
        let ip = std::fs::canonicalize(lab.run(&["sh", "-c", "command -v ip"]).trim()).unwrap();
        rustix::mount::mount_bind("/run/none", &ip).unwrap();
        let output = lab.fwtui(&["apply", "--yes"]);
        let said = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{complaint}");
        assert!(said.contains("ms: loaded, no connection tried"), "{said}");
        assert!(
            complaint.contains("No connections were rehearsed: ip is not installed"),
            "{complaint}"
        );
        lab.does(&["revert"]);
        lab.settled();
        // And what is refused is found all the same.
        rustix::mount::unmount(&ip, rustix::mount::UnmountFlags::DETACH).unwrap();
        let broken = refuses_elsewhere("line 9: no such target");
        rustix::mount::mount_bind("/run/none", &ip).unwrap();
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["set", "8443/tcp", "open"]);
        let complaint = lab.fails(1, &["apply", "--yes"]);
        assert!(complaint.contains("no such target"), "{complaint}");
        drop(broken);
    });
}
