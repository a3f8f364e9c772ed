//! The lab: a bare sandbox with a test in it.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use fwtui::app::sandbox::{self, Knock, Neighbour, Socket};
use fwtui::core::listener::{Family, Protocol};
use fwtui::sys::netns;

use crate::host;

/// Set inside.
const INSIDE: &str = "FWTUI_LAB";
/// Said at the end, so that a test that never ran does not pass.
const DONE: &str = "lab: done";
/// How long anything may take that should happen at once.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing must happen to count as silence.
pub const SILENCE: Duration = Duration::from_millis(700);
/// How long a whole test may take, in seconds.
const LIMIT: &str = "60";

/// Runs the body in a sandbox of its own: outside, by running this very test again inside.
pub fn in_sandbox<F: FnOnce(&Lab)>(body: F) {
    if std::env::var_os(INSIDE).is_some() {
        body(&Lab(()));
        println!("\n{DONE}");
        return;
    }
    let before = host::rules();
    // The closure's type is named after the function it is in: `kernel::rules::reset::{{closure}}`.
    let path = std::any::type_name::<F>();
    let path = path.strip_prefix("kernel::").unwrap_or(path);
    let name = path.strip_suffix("::{{closure}}").unwrap_or(path);
    let output = Command::new("timeout")
        .args(["--kill-after=5", LIMIT])
        .arg(env!("CARGO_BIN_EXE_fwtui"))
        .args(["sandbox", "--bare", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stdout.contains(DONE),
        "{name} failed in the sandbox ({}):\n{stdout}\n{stderr}",
        output.status
    );
    assert_eq!(before, host::rules(), "the rules outside are not what they were");
}

/// What a test in the sandbox works with.
#[derive(Debug)]
pub struct Lab(());

impl Lab {
    /// Echoes on a socket of the machine's, `tcp/dual/[::]:8080` for example.
    pub fn listen(&self, socket: &str) {
        let socket: Socket = socket.parse().unwrap();
        let bound = sandbox::bind(&socket).unwrap_or_else(|error| panic!("{socket}: {error}"));
        std::thread::spawn(move || sandbox::serve_socket(socket.protocol, bound, ""));
    }

    /// Echoes on TCP and UDP, IPv4 and IPv6, on all addresses.
    pub fn listen_everywhere(&self, port: u16) {
        self.listen(&format!("tcp/dual/[::]:{port}"));
        self.listen(&format!("udp/dual/[::]:{port}"));
    }

    /// Knocks at the machine, where the neighbour finds it.
    pub fn knock(&self, from: Neighbour, family: Family, protocol: Protocol, port: u16) -> Knock {
        self.knock_at(from, SocketAddr::new(from.machine().of(family), port), protocol)
    }

    /// Knocks anywhere.
    pub fn knock_at(&self, from: Neighbour, target: SocketAddr, protocol: Protocol) -> Knock {
        sandbox::knock(from, target, protocol, SILENCE).unwrap()
    }

    /// Runs a program of the system's on the machine; gives what it printed.
    pub fn run(&self, command: &[&str]) -> String {
        self.feed(command, "")
    }

    /// The same in a neighbour's namespace.
    pub fn run_at(&self, neighbour: Neighbour, command: &[&str]) -> String {
        netns::enter(neighbour.namespace(), || self.run(command)).unwrap()
    }

    /// The same with something to read.
    pub fn feed(&self, command: &[&str], stdin: &str) -> String {
        let mut child = Command::new(command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} must be installed for this test: {error}", command[0]));
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{command:?}: {}\n{stdin}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Loads rules of the filter table in one family, as `iptables-restore` reads them.
    pub fn load(&self, family: Family, rules: &str) {
        let program = match family {
            Family::Ipv4 => "iptables-restore",
            Family::Ipv6 => "ip6tables-restore",
        };
        self.feed(&[program, "--noflush"], &format!("*filter\n{rules}\nCOMMIT\n"));
    }

    /// Runs fwtui in the machine, with the sandbox's own policy and state.
    pub fn fwtui(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// fwtui in the machine, to be started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
        // Whoever runs the tests over SSH has no session in here.
        command.args(args).env_remove("SSH_CONNECTION").stdin(Stdio::null());
        command
    }

    /// The link-local address of an interface, at a neighbour or (`None`) on the machine.
    pub fn link_local(&self, at: Option<Neighbour>, interface: &str) -> std::net::Ipv6Addr {
        let look = || {
            eventually(|| {
                addresses(interface)
                    .into_iter()
                    .find(std::net::Ipv6Addr::is_unicast_link_local)
            })
        };
        let found = match at {
            None => look(),
            Some(neighbour) => netns::enter(neighbour.namespace(), look).unwrap(),
        };
        found.unwrap_or_else(|| panic!("{interface} has no link-local address"))
    }
}

/// The usable IPv6 addresses of an interface in the calling thread's namespace.
pub fn addresses(interface: &str) -> Vec<std::net::Ipv6Addr> {
    // linux/if_addr.h: IFA_F_TENTATIVE.
    const TENTATIVE: u8 = 0x40;
    let text = std::fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [address, _index, _prefix, _scope, flags, name] = words[..] else {
            panic!("unexpected: {line}");
        };
        let flags = u8::from_str_radix(flags, 16).unwrap();
        if name == interface && flags & TENTATIVE == 0 {
            found.push(u128::from_str_radix(address, 16).unwrap().into());
        }
    }
    found
}

/// Asks again and again until there is an answer, or patience ends.
pub fn eventually<T>(ask: impl FnMut() -> Option<T>) -> Option<T> {
    eventually_within(PATIENCE, ask)
}

/// The same with a patience of its own.
pub fn eventually_within<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
