//! Checkup's facts of the machine: the kernel's own settings, and who else loads rules.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::harness::{Lab, in_sandbox};
use crate::machine::paths;

/// Severities by id and by what they are about.
fn found(lab: &Lab, prefix: &str) -> BTreeMap<(String, String), String> {
    let document = lab.json(&["check", "--json"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| text(&finding["id"]).starts_with(prefix))
        .map(|finding| {
            let place = &finding["place"];
            let about = ["sysctl", "chain", "file"].iter().map(|part| text(&place[*part]));
            let about = about.into_iter().find(|part| !part.is_empty()).unwrap_or_default();
            ((text(&finding["id"]), about), text(&finding["severity"]))
        })
        .collect()
}

fn entry(id: &str, about: &str, severity: &str) -> ((String, String), String) {
    ((id.to_owned(), about.to_owned()), severity.to_owned())
}

fn write(path: &str, text: &str) {
    let path = paths().root().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The namespace's own settings, which nobody outside sees.
fn set(name: &str, value: &str) {
    fs::write(format!("/proc/sys/net/{name}"), value).unwrap();
}

#[test]
fn a_setting_that_was_changed_is_found_with_its_file() {
    in_sandbox(|lab| {
        // The sandbox itself sets some for its links.
        let before = found(lab, "sysctl-");
        assert!(
            !before.keys().any(|(id, _)| id == "sysctl-echo-ignore-all"),
            "{before:?}"
        );
        set("ipv4/icmp_echo_ignore_all", "1");
        set("ipv4/tcp_syncookies", "0");
        set("ipv4/tcp_keepalive_time", "600");
        write("etc/sysctl.d/10-mine.conf", "# mine\nnet.ipv4.tcp_syncookies = 0\n");
        let after = found(lab, "sysctl-");
        let new: BTreeMap<_, _> = after.into_iter().filter(|(key, _)| !before.contains_key(key)).collect();
        assert_eq!(
            new,
            [
                entry("sysctl-differs", "net.ipv4.tcp_keepalive_time", "info"),
                entry("sysctl-echo-ignore-all", "net.ipv4.icmp_echo_ignore_all", "risky"),
                entry("sysctl-syncookies", "net.ipv4.tcp_syncookies", "risky"),
            ]
            .into()
        );
        let document = lab.json(&["check", "--json"]);
        let all = document["findings"].as_array().unwrap();
        let place = |name: &str| &all.iter().find(|one| one["place"]["sysctl"] == name).unwrap()["place"];
        let syncookies = place("net.ipv4.tcp_syncookies");
        assert_eq!(
            (&syncookies["file"], &syncookies["line"]),
            (&"/etc/sysctl.d/10-mine.conf".into(), &2.into())
        );
        assert_eq!(place("net.ipv4.icmp_echo_ignore_all").get("file"), None);
        // Checked, and left alone.
        assert_eq!(fs::read_to_string("/proc/sys/net/ipv4/tcp_syncookies").unwrap(), "0\n");
    });
}

#[test]
fn forwarding_is_risky_until_something_restricts_it() {
    in_sandbox(|lab| {
        set("ipv4/ip_forward", "1");
        let key = ("sysctl-ip-forward".to_owned(), "net.ipv4.ip_forward".to_owned());
        let severity = || found(lab, "sysctl-ip-forward").get(&key).cloned();
        assert_eq!(severity().as_deref(), Some("risky"));
        lab.line("iptables -P FORWARD DROP");
        assert_eq!(severity().as_deref(), Some("info"));
        set("ipv4/ip_forward", "0");
        assert_eq!(severity(), None);
    });
}

#[test]
fn rules_in_both_packet_filters_are_found() {
    in_sandbox(|lab| {
        lab.line("iptables-nft -A INPUT -p tcp --dport 9 -j DROP");
        assert_eq!(found(lab, "legacy-and-nft"), BTreeMap::new());
        lab.line("iptables-legacy -A OUTPUT -p tcp --dport 9 -j ACCEPT");
        assert_eq!(
            found(lab, "legacy-and-nft"),
            [entry("legacy-and-nft", "ip filter", "risky")].into()
        );
    });
}

#[test]
fn what_the_next_boot_takes_and_brings_is_found() {
    in_sandbox(|lab| {
        let folder = paths().root().join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&folder).unwrap();
        lab.line("iptables -A INPUT -p tcp --dport 9 -j DROP");
        let gone = |lab: &Lab| found(lab, "rules-").into_keys().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(gone(lab), ["rules-vanish-at-boot"]);
        // What netfilter-persistent does.
        let link = "/lib/systemd/system/netfilter-persistent.service";
        std::os::unix::fs::symlink(link, folder.join("netfilter-persistent.service")).unwrap();
        write("etc/iptables/rules.v4", &lab.line("iptables-save"));
        assert_eq!(gone(lab), Vec::<String>::new());
        lab.line("iptables -F INPUT");
        assert_eq!(gone(lab), ["rules-appear-at-boot"]);
    });
}
