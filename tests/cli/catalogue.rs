//! What the catalogue adds: to the list, to the preview, to Checkup; and what may be added to it.

use std::fs;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::{Done, in_sandbox};

fn service<'a>(list: &'a Value, id: &str) -> &'a Value {
    let services = list["services"].as_array().unwrap();
    let found = services.iter().find(|service| service["id"] == id);
    found.unwrap_or_else(|| panic!("{id} in {list}"))
}

#[test]
fn a_list_says_what_is_known_of_a_service() {
    in_sandbox(|home| {
        // A port above all that the catalogue names, and one that is usually PostgreSQL's.
        let listening = ["0.0.0.0:64999", "0.0.0.0:5432"].map(|at| TcpListener::bind(at).unwrap());
        let list = home.fwtui(&["list", "--json"]).exits(0).json();
        let known = &service(&list, "5432/tcp")["catalogue"];
        assert_eq!(
            (&known["id"], &known["known_by"]),
            (&json!("postgresql"), &json!("port"))
        );
        assert_eq!(known["what"], "PostgreSQL is a relational database.");
        assert_eq!(known["recommended"]["desktop"]["decision"], "confine");
        assert!(known["recommended"]["server"]["why"].is_string(), "{known}");
        assert_eq!(known["loopback"][0]["lines"], json!(["listen_addresses = 'localhost'"]));
        assert_eq!(known["loopback"][0]["file"], "/etc/postgresql/*/main/postgresql.conf");
        assert_eq!(known["authenticates"]["is"], "yes");
        for field in ["encrypts", "alternative", "source", "name"] {
            assert!(known.get(field).is_some(), "{field} in {known}");
        }
        assert_eq!(service(&list, "64999/tcp").get("catalogue"), None);
        drop(listening);
    });
}

#[test]
fn additions_are_taken_and_mistakes_in_them_named() {
    in_sandbox(|home| {
        let listening = TcpListener::bind("0.0.0.0:64999").unwrap();
        let additions = home.policy().with_file_name("services.json");
        fs::create_dir_all(additions.parent().unwrap()).unwrap();
        let text = r#"{
  "version": 1,
  "services": [
    { "id": "sheep", "name": "Sheep", "what": "It counts sheep.", "ports": ["64999/tcp"] },
    { "id": "goats", "nam": "Goats" }
  ]
}"#;
        fs::write(&additions, text).unwrap();
        let done = home.fwtui(&["list", "--json"]).exits(0);
        let words = "services.json, line 5: unknown field 'nam': did you mean 'name'? This is left out";
        assert!(done.stderr.contains(words), "{}", done.stderr);
        let list = done.json();
        let known = &service(&list, "64999/tcp")["catalogue"];
        assert_eq!(
            (&known["id"], &known["what"]),
            (&json!("sheep"), &json!("It counts sheep."))
        );
        assert_eq!(fs::read_to_string(&additions).unwrap(), text, "nothing is lost");
        drop(listening);
    });
}

#[test]
fn a_preview_names_what_it_opens_unguarded() {
    in_sandbox(|home| {
        home.fwtui(&["set", "23/tcp", "open"]).exits(0);
        let words = "23/tcp (usually Telnet) will be open to everyone, without encryption";
        home.fwtui(&["preview"]).exits(0).says(&format!(" ! {words}."));
        let preview = home.fwtui(&["preview", "--json"]).exits(0).json();
        let warnings = preview["warnings"].as_array().unwrap();
        assert!(warnings.contains(&json!(words)), "{preview}");
        home.fwtui(&["set", "23/tcp", "confine"]).exits(0);
        let preview = home.fwtui(&["preview", "--json"]).exits(0).json();
        assert!(!preview["warnings"].to_string().contains("23/tcp"), "{preview}");
    });
}

#[test]
fn a_check_knows_a_service_by_its_process() {
    in_sandbox(|home| {
        let listening = TcpListener::bind("0.0.0.0:64999").unwrap();
        let found = |done: &Done| {
            let check = done.json();
            let findings = check["findings"].as_array().unwrap().clone();
            let about = |finding: &Value| finding["place"]["service"] == "64999/tcp";
            let about = findings.into_iter().filter(about);
            about
                .map(|finding| finding["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let other = found(&home.fwtui(&["check", "--json"]));
        assert!(!other.contains(&"service-without-password".to_owned()), "{other:?}");
        // This process takes another's name: whoever reaches distcc runs programs.
        fs::write("/proc/self/comm", "distccd").unwrap();
        let check = home.fwtui(&["check", "--json"]).exits(3);
        for id in ["service-without-password", "service-plaintext", "service-root-owned"] {
            assert!(found(&check).contains(&id.to_owned()), "{id} in {check:?}");
        }
        drop(listening);
    });
}
