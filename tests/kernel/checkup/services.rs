//! Services that strangers reach.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};

use super::harmful;
use crate::harness::{Lab, in_sandbox};
use crate::machine::policy;

/// A service of a program's name.
struct Service(Child);

impl Service {
    fn started(lab: &Lab, name: &str, sockets: &[&str]) -> Self {
        let link = std::env::temp_dir()
            .join(format!("fwtui-{}", std::process::id()))
            .join(name);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        let program = lab.command(&[]).get_program().to_owned();
        std::os::unix::fs::symlink(program, &link).unwrap();
        let mut child = std::process::Command::new(&link)
            .arg("sandbox-service")
            .args(sockets)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It says so once it listens.
        let mut report = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut report)
            .unwrap();
        std::fs::remove_dir_all(link.parent().unwrap()).unwrap();
        Self(child)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_stranger_is_answered_by_what_asks_nobody_who_he_is() {
    in_sandbox(|lab| {
        const PORT: u16 = 3632;
        let reached = |family| lab.knock(Neighbour::Stranger, family, Protocol::Tcp, PORT) == Knock::Answered;
        let everywhere = ["tcp/0.0.0.0:3632", "tcp/[::]:3632"];
        let service = Service::started(lab, "distccd", &everywhere);
        assert_eq!(Family::ALL.map(reached), [true, true]);
        harmful(lab, &["service-without-password"]);
        // By its own setting.
        drop(service);
        let on_loopback = Service::started(lab, "distccd", &["tcp/127.0.0.1:3632", "tcp/[::1]:3632"]);
        assert_eq!(Family::ALL.map(reached), [false, false]);
        harmful(lab, &[]);
        // By a decision.
        drop(on_loopback);
        let _service = Service::started(lab, "distccd", &everywhere);
        lab.keep(&policy(&[("3632/tcp", "confine")]));
        assert_eq!(Family::ALL.map(reached), [false, false]);
        harmful(lab, &[]);
    });
}
