use std::collections::BTreeSet;

use super::entry::is;
use super::*;
use crate::core::listener::{Family, Owner};
use crate::core::netfilter::Tool;
use crate::core::service::Published;
use crate::core::text::printable_within;

/// A service with one process of this name.
fn service(id: &str, process: &str, unit: Option<&str>) -> Service {
    let mut service = Service::absent(id.parse().unwrap());
    if !process.is_empty() {
        service.owners = vec![Arc::new(Owner {
            pid: 1,
            name: process.into(),
            exe: None,
            user: None,
            unit: None,
        })];
    }
    service.unit = unit.map(str::to_owned);
    service
}

fn found(catalogue: &Catalogue, service: &Service) -> Option<(String, KnownBy)> {
    catalogue.find(service).map(|it| (it.entry.id.clone(), it.by))
}

#[test]
fn every_entry_is_valid() {
    let mut catalogue = Catalogue::default();
    assert_eq!(catalogue.extend(EMBEDDED), []);
    let in_file = EMBEDDED
        .lines()
        .filter(|line| line.starts_with("      \"id\": "))
        .count();
    assert_eq!(
        catalogue.entries().count(),
        in_file,
        "as many as stand there, each once"
    );
    for entry in catalogue.entries() {
        let id = &entry.id;
        let recommended = [entry.desktop.as_ref().unwrap(), entry.server.as_ref().unwrap()];
        let sentences = recommended.map(|it| it.why.as_str());
        for sentence in sentences
            .into_iter()
            .chain([&*entry.what])
            .chain(entry.alternative.as_deref())
        {
            assert!(sentence.ends_with('.'), "{id}: no full stop: {sentence}");
            assert!(
                sentence.chars().count() <= 160,
                "{id}: longer than two lines: {sentence}"
            );
            assert_eq!(printable_within(sentence, 500), sentence, "{id}");
        }
        assert!(entry.what.starts_with(|first: char| first.is_alphanumeric()), "{id}");
        assert!(
            entry.source.as_ref().is_some_and(|source| source.len() > 3),
            "{id}: no source"
        );
        for loopback in &entry.loopback {
            let file = &loopback.file;
            let is_place = file.starts_with('/') || file.starts_with("~/") || file == COMMAND_LINE;
            let is_known = is_place || ["compose.yaml"].contains(&file.as_str());
            assert!(is_known, "{id}: {file} is no place");
            assert!(
                !loopback.lines.is_empty() && loopback.lines.iter().all(|line| !line.is_empty()),
                "{id}"
            );
        }
        for unit in &entry.units {
            assert!(unit.ends_with(".service") || unit.ends_with(".socket"), "{id}: {unit}");
        }
        let is_open = |it: &Recommended| it.decision == Advice::Open;
        let is_unsafe = is(entry.authenticates.as_ref(), Has::No) && entry.alternative.is_some();
        assert!(
            !(is_unsafe && recommended.into_iter().any(is_open)),
            "{id}: open, though it asks nobody"
        );
    }
}

#[test]
fn there_are_enough() {
    assert!(Catalogue::embedded().entries().count() >= 120);
}

#[test]
fn a_port_that_nobody_else_has_is_found_again() {
    let catalogue = Catalogue::embedded();
    let mut found = BTreeSet::new();
    for entry in catalogue.entries() {
        for port in entry.ports.iter().filter(|port| port.ports.is_single()) {
            found.extend(catalogue.at(port).map(|it| it.id.clone()));
        }
        for process in &entry.processes {
            if let Some(port) = entry.ports.first() {
                let service = service(&port.to_string(), process, None);
                let known = catalogue.find(&service).unwrap();
                assert!(
                    known.entry.processes.contains(process),
                    "{process} is {}",
                    known.entry.id
                );
                assert_eq!(known.by, KnownBy::Process, "{process}");
            }
        }
    }
    assert!(found.len() > 60, "{found:?}");
}

#[test]
fn process_goes_before_unit_before_port() {
    let catalogue = Catalogue::embedded();
    let id = |id: &str, by| Some((id.to_owned(), by));
    let look = |at: &str, process: &str, unit| found(&catalogue, &service(at, process, unit));
    assert_eq!(look("7777/tcp", "sshd", None), id("sshd", KnownBy::Process));
    assert_eq!(look("23/tcp", "sshd", None), id("sshd", KnownBy::Process));
    assert_eq!(look("7777/tcp", "", Some("ssh.socket")), id("sshd", KnownBy::Unit));
    assert_eq!(
        look("7777/tcp", "systemd", Some("cockpit.socket")),
        id("cockpit", KnownBy::Unit)
    );
    assert_eq!(look("22/tcp", "", None), id("sshd", KnownBy::Port));
    assert_eq!(look("22/udp", "", None), None);
    assert_eq!(look("7776/tcp", "node", None), None);
    // The kernel keeps 15 characters of a name.
    assert_eq!(look("5355/udp", "systemd-resolve", None), id("llmnr", KnownBy::Process));
    assert_eq!(
        look("127.0.0.53:53/udp", "systemd-resolve", None),
        id("systemd-resolved", KnownBy::Process)
    );
    // Several programs use it; what they have in common is known.
    assert_eq!(look("5353/udp", "", None), id("mdns", KnownBy::Port));
}

#[test]
fn a_published_port_is_known_by_the_containers() {
    let catalogue = Catalogue::embedded();
    let mut service = service("8022/tcp", "docker-proxy", None);
    service.published = Some(Published {
        to: "172.17.0.2:22".parse().unwrap(),
        by: Tool::Docker,
        container: None,
        families: Family::ALL.into(),
    });
    assert_eq!(found(&catalogue, &service), Some(("sshd".to_owned(), KnownBy::Port)));
    let what = catalogue.find(&service).unwrap().what();
    assert!(what.starts_with("By its port, perhaps: OpenSSH lets"), "{what}");
}

#[test]
fn additions_change_what_they_name_and_no_more() {
    let mut catalogue = Catalogue::clone(&Catalogue::embedded());
    let before = catalogue.get("sshd").unwrap().clone();
    let text = r#"{ "version": 1, "services": [
        { "id": "sshd", "server": { "decision": "trusted", "why": "By VPN only." } },
        { "id": "our-app", "name": "Our app", "what": "It counts sheep.", "ports": ["7777/tcp"] }
    ] }"#;
    assert_eq!(catalogue.extend(text), []);
    let after = catalogue.get("sshd").unwrap();
    assert_eq!(after.server.as_ref().unwrap().decision, Advice::Trusted);
    let restored = Entry {
        server: before.server.clone(),
        ..after.clone()
    };
    assert_eq!(restored, before);
    let app = found(&catalogue, &service("7777/tcp", "", None));
    assert_eq!(app, Some(("our-app".to_owned(), KnownBy::Port)));
}

#[test]
fn what_is_wrong_has_its_line_and_the_word_that_was_meant() {
    let right = r#"{ "id": "b", "name": "B", "what": "B.", "ports": ["2/tcp"] }"#;
    for (wrong, line, words) in [
        (
            "{ \"id\": \"a\",\n \"nme\": \"A\" }",
            4,
            "unknown field 'nme': did you mean 'name'?",
        ),
        (
            "{ \"id\": \"a\",\n \"desktop\": { \"decision\": \"confined\", \"why\": \"\" } }",
            4,
            "unknown variant 'confined': did you mean 'confine'?",
        ),
        (
            "{ \"id\": \"a\",\n\n \"ports\": [\"5432/tpc\"] }",
            5,
            "unknown protocol 'tpc'",
        ),
        (
            "{ \"id\": \"a\",\n \"ports\": [\"192.0.2.1:53/udp\"] }",
            4,
            "a port has no address",
        ),
        (
            "{ \"id\": \"a\", \"name\": \"A\" }",
            3,
            "'a' is new, and 'what' is missing",
        ),
        (
            "{ \"id\": \"a\", \"name\": \"A\", \"what\": \"A.\" }",
            3,
            "'ports' is missing",
        ),
        (
            "{ \"id\": \"a\",\n \"what\": \"\\u001b[2J\" }",
            4,
            "'what' is empty, longer",
        ),
        ("{ \"id\": \"a b\" }", 3, "an id is made of"),
        ("{ \"name\": \"A\" }", 3, "missing field `id`"),
        ("[]", 3, "an entry is an object"),
        (right, 4, "'b' is there twice"),
        (
            "{ \"id\": \"a\",\n \"loopback\": [{ \"file\": \"/etc/a\", \"lines\": [] }] }",
            4,
            "at least one line",
        ),
    ] {
        let text = format!("{{ \"version\": 1,\n\"services\": [\n{wrong},\n{right} ] }}");
        let mut catalogue = Catalogue::clone(&Catalogue::embedded());
        let complaints = catalogue.extend(&text);
        let said: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        assert_eq!(complaints.len(), 1, "{wrong}: {said:?}");
        assert!(
            said[0].starts_with(&format!("line {line}: ")) && said[0].contains(words),
            "{wrong}: {said:?}"
        );
        // The others are there all the same.
        assert!(
            catalogue.get("b").is_some() && catalogue.get("sshd").is_some(),
            "{wrong}"
        );
    }
    for (text, line, words) in [
        ("{ \"version\": 1,\n \"services\": [ }", 2, "expected value"),
        ("{\n\"version\": 2, \"services\": [] }", 2, "version 2 is not known"),
        ("{ \"version\": 1, \"sevices\": [] }", 1, "did you mean 'services'?"),
        ("{ \"version\": 1", 1, "ends too early"),
        ("[1, []]", 1, "is a list"),
        ("", 1, "ends too early"),
    ] {
        let mut catalogue = Catalogue::clone(&Catalogue::embedded());
        let said: Vec<String> = catalogue.extend(text).iter().map(ToString::to_string).collect();
        assert!(
            said.len() == 1 && said[0].starts_with(&format!("line {line}: ")) && said[0].contains(words),
            "{text}: {said:?}"
        );
        assert_eq!(catalogue, *Catalogue::embedded(), "{text}");
    }
}

#[test]
fn patterns() {
    for (pattern, name, is_match) in [
        ("ssh.service", "ssh.service", true),
        ("ssh@*.service", "ssh@2-192.0.2.1:22.service", true),
        ("ssh@*.service", "ssh@.socket", false),
        ("*", "", true),
        ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXcYb", false),
    ] {
        assert_eq!(is_like(pattern, name), is_match, "{pattern} {name}");
    }
}

#[test]
fn where_it_is_unknown_what_the_machine_is_both_have_to_agree() {
    let catalogue = Catalogue::embedded();
    let decision = |id: &str, is_desktop| {
        let entry = catalogue.get(id).unwrap();
        entry.recommended(is_desktop).map(|it| it.decision)
    };
    assert_eq!(decision("sshd", Some(true)), Some(Advice::Trusted));
    assert_eq!(decision("sshd", Some(false)), Some(Advice::Open));
    assert_eq!(decision("sshd", None), None);
    assert_eq!(decision("telnet", None), Some(Advice::Disable));
}

#[test]
fn the_way_to_loopback_in_words() {
    let catalogue = Catalogue::embedded();
    let short = |id: &str| catalogue.get(id).unwrap().loopback_in_short();
    for (id, words) in [
        ("postgresql", "listen_addresses = 'localhost' in postgresql.conf"),
        (
            "cockpit",
            "ListenStream=, ListenStream=127.0.0.1:9090 in a drop-in of cockpit.socket",
        ),
        ("mongodb", "bindIp: 127.0.0.1 in mongod.conf"),
        ("samba", "interfaces = lo, bind interfaces only = yes in smb.conf"),
        ("vnc", "-localhost on its command line (x11vnc)"),
        ("iperf", "--bind 127.0.0.1 on its command line"),
    ] {
        assert_eq!(short(id).as_deref(), Some(words));
    }
    assert_eq!(short("wireguard"), None);
    let full = |id: &str| catalogue.get(id).unwrap().loopback_in_full();
    for (id, words) in [
        (
            "memcached",
            "Set -l 127.0.0.1 in /etc/memcached.conf (Debian, Ubuntu), or set OPTIONS=\"-l 127.0.0.1,::1\" in \
             /etc/sysconfig/memcached (Fedora, RHEL), and restart it.",
        ),
        ("iperf", "Start it with --bind 127.0.0.1, and restart it."),
        (
            "ollama",
            "Set [Service] then Environment=\"OLLAMA_HOST=127.0.0.1:11434\" in \
             /etc/systemd/system/ollama.service.d/override.conf, run systemctl daemon-reload, and restart it.",
        ),
        (
            "mongodb",
            "Set net: then bindIp: 127.0.0.1 in /etc/mongod.conf, and restart it.",
        ),
    ] {
        assert_eq!(full(id).as_deref(), Some(words));
    }
    assert_eq!(full("telnet"), None);
}
