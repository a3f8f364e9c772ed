//! What counts as proof that a new connection gets in, and what does not.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::listener::Family;
use fwtui::core::trial::Reason;
use fwtui::sys::{clock, netns};
use serde_json::Value;

use crate::harness::{Lab, PATIENCE, eventually, in_sandbox};
use crate::machine::policy;
use crate::trial::closed;

/// Stands in for a session of an SSH server: a process of that name that holds an accepted
/// connection and runs what comes over it.
const SERVER: &str = r#"printf %s "$NAME" > /proc/$$/comm
while read -r words; do
    # As a second session over the same connection: a child that holds it, of the same name.
    if [ "$words" = fork ]; then (sleep 20; :) & echo "exit 0"; continue; fi
    # shellcheck disable=SC2086
    "$FWTUI" $words </dev/null 2>&1
    echo "exit $?"
done"#;

struct Session {
    server: Child,
    client: TcpStream,
}

impl Session {
    /// Comes in from a neighbour, as from an SSH client.
    fn open(lab: &Lab, listener: &TcpListener, from: Neighbour, family: Family) -> Self {
        Self::served_by(lab, listener, from, family, "sshd")
    }

    fn served_by(_lab: &Lab, listener: &TcpListener, from: Neighbour, family: Family, name: &str) -> Self {
        let machine = SocketAddr::new(from.machine().of(family), 22);
        let client = netns::enter(from.namespace(), || {
            TcpStream::connect_timeout(&machine, PATIENCE).unwrap()
        })
        .unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let server = Command::new("sh")
            .args(["-c", SERVER])
            .env("NAME", name)
            .env("FWTUI", env!("CARGO_BIN_EXE_fwtui"))
            .env_remove("SSH_CONNECTION")
            .stdin(OwnedFd::from(accepted.try_clone().unwrap()))
            .stdout(OwnedFd::from(accepted))
            .spawn()
            .unwrap();
        let session = Self { server, client };
        // It has its name once it answers.
        session.runs("--version");
        session
    }

    /// Runs fwtui in the session; what it says, and its exit code.
    fn runs(&self, words: &str) -> (String, i32) {
        (&self.client).write_all(format!("{words}\n").as_bytes()).unwrap();
        let mut said = String::new();
        for line in BufReader::new(&self.client).lines() {
            let line = line.unwrap();
            if let Some(code) = line.strip_prefix("exit ") {
                return (said, code.parse().unwrap());
            }
            said += &(line + "\n");
        }
        panic!("the session is cut: {said}");
    }

    /// Confirms once it is not too early.
    fn confirms(&self, words: &str) -> (String, i32) {
        eventually(|| Some(self.runs(words)).filter(|(said, _)| !said.contains("too early"))).expect("not for ever")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn evidence(lab: &Lab) -> Vec<Value> {
    lab.status().0["trial"]["evidence"].as_array().unwrap().clone()
}

fn listener() -> TcpListener {
    TcpListener::bind("[::]:22").unwrap()
}

/// Starts a trial from a session, with SSH open.
fn on_trial(lab: &Lab, session: &Session) {
    lab.does(&["set", "22/tcp", "open"]);
    let (said, code) = session.runs("apply --yes");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("ssh -t -o ControlPath=none"), "{said}");
    assert!(said.contains("sudo fwtui confirm"), "{said}");
    // The start of a process is known to a hundredth of a second: what comes now is clearly later.
    let later = clock::since_boot() + Duration::from_millis(20);
    eventually(|| (clock::since_boot() > later).then_some(()));
}

#[test]
fn an_old_session_proves_nothing_and_says_what_would() {
    in_sandbox(|lab| {
        let listener = listener();
        let old = Session::open(lab, &listener, Neighbour::Public, Family::Ipv4);
        on_trial(lab, &old);
        // From another neighbour, and from the same address to another port: not the user's own way in.
        let _stranger = Session::open(lab, &listener, Neighbour::Trusted, Family::Ipv4);
        let (said, code) = old.confirms("confirm");
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("older than the change"), "{said}");
        assert!(
            said.contains("ssh -t -o ControlPath=none") && said.contains("--unproven"),
            "{said}"
        );
        assert_eq!(lab.status().0["state"], "trial");
        assert_eq!(evidence(lab), Vec::<Value>::new());
        // The explicit second yes.
        assert_eq!(old.runs("confirm --unproven").1, 0);
        assert_eq!(lab.status().0["state"], "confirmed");
    });
}

#[test]
fn a_session_newer_than_the_change_is_proof_in_either_family() {
    in_sandbox(|lab| {
        let listener = listener();
        let old = Session::open(lab, &listener, Neighbour::Public, Family::Ipv4);
        for family in Family::ALL {
            on_trial(lab, &old);
            let new = Session::open(lab, &listener, Neighbour::Trusted, family);
            let (said, code) = new.confirms("confirm");
            assert_eq!(code, 0, "{family}: {said}");
            lab.settled();
            assert_eq!(lab.status().0["state"], "confirmed");
            lab.does(&[
                "set",
                "8080/tcp",
                if family == Family::Ipv4 { "open" } else { "confine" },
            ]);
        }
    });
}

#[test]
fn a_new_connection_from_ones_own_address_is_evidence_without_asking() {
    in_sandbox(|lab| {
        let listener = listener();
        let old = Session::open(lab, &listener, Neighbour::Public, Family::Ipv4);
        on_trial(lab, &old);
        assert_eq!(evidence(lab), Vec::<Value>::new());
        let _new = Session::open(lab, &listener, Neighbour::Public, Family::Ipv4);
        let seen = eventually(|| Some(evidence(lab)).filter(|seen| !seen.is_empty())).expect("it is seen");
        assert_eq!(
            (seen[0]["family"].as_str(), seen[0]["port"].as_str()),
            (Some("ipv4"), Some("22/tcp"))
        );
        assert_eq!(seen[0]["new_connections"], 1);
        assert!(seen[0]["seconds_ago"].as_u64().is_some_and(|seconds| seconds < 10));
        // With that, the old session may keep it.
        let (said, code) = old.confirms("confirm");
        assert_eq!(code, 0, "{said}");
    });
}

#[test]
fn an_old_connection_in_the_hands_of_a_younger_process_is_still_old() {
    in_sandbox(|lab| {
        let listener = listener();
        let old = Session::open(lab, &listener, Neighbour::Public, Family::Ipv4);
        on_trial(lab, &old);
        assert_eq!(old.runs("fork").1, 0);
        let (said, code) = old.confirms("confirm");
        assert_eq!(code, 1, "{said}");
        assert_eq!(evidence(lab), Vec::<Value>::new());
        assert_eq!(old.runs("revert").1, 0);
    });
}

#[test]
fn a_connection_that_nobody_accepted_is_no_evidence() {
    in_sandbox(|lab| {
        let listener = listener();
        let old = Session::open(lab, &listener, Neighbour::Public, Family::Ipv4);
        on_trial(lab, &old);
        // A port scan: the kernel completes the handshake, and no server has it.
        let machine = SocketAddr::new(Neighbour::Public.machine().of(Family::Ipv4), 22);
        let _scan = netns::enter(Neighbour::Public.namespace(), || {
            TcpStream::connect_timeout(&machine, PATIENCE).unwrap()
        });
        let (said, code) = old.confirms("confirm");
        assert_eq!(code, 1, "{said}");
        assert_eq!(evidence(lab), Vec::<Value>::new());
        assert_eq!(old.runs("revert").1, 0);
        closed(lab, &Reason::Asked);
    });
}

#[test]
fn what_outlives_connections_is_named() {
    in_sandbox(|lab| {
        let listener = listener();
        let old = Session::open(lab, &listener, Neighbour::Public, Family::Ipv4);
        on_trial(lab, &old);
        // Detached long ago: tmux has no server of the connection above it.
        let inside = Command::new("sh")
            .args([
                "-c",
                r#"printf %s "tmux: server" > /proc/$$/comm; sleep 2.1; "$FWTUI" confirm; true"#,
            ])
            .env("FWTUI", env!("CARGO_BIN_EXE_fwtui"))
            .output()
            .unwrap();
        let said = String::from_utf8(inside.stderr).unwrap();
        assert!(said.contains("lives in tmux"), "{said}");
        assert_eq!(lab.status().0["state"], "trial");
    });
}

#[test]
fn at_the_machine_itself_plain_keeping_is_enough() {
    in_sandbox(|lab| {
        let guard = lab.hold(&policy(&[]), Duration::from_secs(60));
        // Nobody came in through the network.
        lab.confirm();
        guard.ended();
        assert_eq!(lab.status().0["state"], "confirmed");
    });
}
