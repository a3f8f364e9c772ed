//! systemd as it concerns us: whether it is this machine's, starting a service that outlives the
//! session, and telling it that we live.
//!
//! `systemd-run(1)`, `systemd.service(5)` and `sd_notify(3)` are the sources.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};

use crate::core::text::printable_within;
use crate::sys::runner::{Call, Runner, find_program};

/// There while systemd runs as the first process (`sd_booted(3)`).
const BOOTED: &str = "/run/systemd/system";
/// What a service of systemd's must share with us to be of use to us: one in another network would
/// guard nothing, one with other mounts would not find our files.
const NAMESPACES: [&str; 4] = ["net", "mnt", "pid", "user"];

/// Why systemd can't be asked to run a service here; none where it can.
pub fn why_not() -> Option<String> {
    if !Path::new(BOOTED).is_dir() {
        return Some("systemd does not run here".to_owned());
    }
    let identity = |process: &str, name: &str| fs::read_link(format!("/proc/{process}/ns/{name}")).ok();
    let is_shared = |name: &str| {
        let ours = identity("self", name);
        ours.is_some() && ours == identity("1", name)
    };
    if !NAMESPACES.iter().all(|name| is_shared(name)) {
        return Some("this is another namespace than systemd's".to_owned());
    }
    find_program(Path::new("systemd-run"))
        .is_none()
        .then(|| "systemd-run is not installed".to_owned())
}

/// A service that is started once, and forgotten when it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transient {
    /// Its unit's name, with `.service`.
    pub unit: String,
    /// What it is, for `systemctl`.
    pub description: String,
    /// `Name=value`, as in `systemd.service(5)`.
    pub properties: Vec<String>,
    /// The program, by absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl Transient {
    /// The call that starts it. It ends when the service says that it is ready, or fails.
    pub fn call(&self) -> Call {
        let mut call = Call::new("systemd-run")
            .args(["--system", "--quiet", "--collect", "--slice=system.slice"])
            .arg(format!("--unit={}", self.unit))
            .arg(format!("--description={}", self.description));
        for property in &self.properties {
            call = call.arg(format!("--property={property}"));
        }
        call.arg("--").args(
            [self.program.as_os_str()]
                .into_iter()
                .chain(self.args.iter().map(OsString::as_os_str))
                .map(unexpanded),
        )
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// What systemd says against it.
    pub fn start(&self, runner: &dyn Runner) -> Result<(), String> {
        let output = runner.run(&self.call()).map_err(|error| error.to_string())?;
        match output.is_success() {
            true => Ok(()),
            false => {
                Err(first_line(&output.stderr).unwrap_or_else(|| format!("systemd-run ended with {}", output.code)))
            }
        }
    }
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(printable_within(line, 200))
}

/// A word as an argument of a service: systemd would look for variables in it.
fn unexpanded(word: &OsStr) -> OsString {
    let mut safe = Vec::new();
    for byte in word.as_bytes() {
        safe.push(*byte);
        if *byte == b'$' {
            safe.push(b'$');
        }
    }
    OsString::from_vec(safe)
}

/// A command line for a unit (`ExecStopPost=` and its kind), quoted as `systemd.syntax(7)` and
/// `systemd.service(5)` want it; none where a word is not UTF-8 or holds a line's end.
pub fn command_line<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Option<String> {
    let quoted = words.into_iter().map(|word| {
        let word = word.as_ref().to_str()?;
        if word.chars().any(char::is_control) {
            return None;
        }
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-=:+,@".contains(letter);
        if !word.is_empty() && word.chars().all(is_plain) {
            return Some(word.to_owned());
        }
        let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$");
        Some(format!("\"{escaped}\""))
    });
    Some(quoted.collect::<Option<Vec<_>>>()?.join(" "))
}

/// The way to tell systemd how its service is (`sd_notify(3)`).
#[derive(Debug)]
pub struct Notifier {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Notifier {
    /// From the value of `NOTIFY_SOCKET`: a path, or a name in the abstract namespace behind an `@`.
    ///
    /// # Errors
    /// Where it is neither, or there is no socket to be had.
    pub fn to(socket: &OsStr) -> io::Result<Self> {
        let address = match socket.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(Path::new(socket))?,
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let socket = UnixDatagram::unbound()?;
        // Nobody waits for systemd: it may be busy reloading, and hears the next one.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }

    /// Sends one message, such as `READY=1`.
    ///
    /// # Errors
    /// Where it does not arrive.
    pub fn send(&self, message: &str) -> io::Result<()> {
        self.socket
            .send_to_addr(message.as_bytes(), &self.address)
            .map(|_sent| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::runner::{ScriptedCall, ScriptedRunner};

    fn service() -> Transient {
        Transient {
            unit: "fwtui-guard-0.service".into(),
            description: "A test".into(),
            properties: vec!["Type=notify".into()],
            program: "/opt/a $b/fwtui".into(),
            args: vec!["guard".into()],
        }
    }

    #[test]
    fn a_service_is_started_with_its_words_as_they_are() {
        let expected = [
            "--system",
            "--quiet",
            "--collect",
            "--slice=system.slice",
            "--unit=fwtui-guard-0.service",
            "--description=A test",
            "--property=Type=notify",
            "--",
            "/opt/a $$b/fwtui",
            "guard",
        ];
        let runner = ScriptedRunner::new([ScriptedCall::new("systemd-run", expected)]);
        service().start(&runner).unwrap();
    }

    #[test]
    fn what_systemd_says_against_it_is_told() {
        let call = service().call();
        let refused = ScriptedCall::new("systemd-run", call.args).fails(1, "\nUnknown assignment: X=1\nmore\n");
        let said = service().start(&ScriptedRunner::new([refused])).unwrap_err();
        assert_eq!(said, "Unknown assignment: X=1");
    }

    #[test]
    fn command_lines_are_quoted() {
        assert_eq!(
            command_line(["/usr/bin/fwtui", "--root", "/"]).unwrap(),
            "/usr/bin/fwtui --root /"
        );
        assert_eq!(command_line(["/a b/f", "$x\"\\"]).unwrap(), r#""/a b/f" "$$x\"\\""#);
        assert_eq!(command_line(["a\nb"]), None);
    }

    #[test]
    fn it_is_told_by_path_and_by_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("fwtui-test-{}", std::process::id());
        let heard = |socket: &UnixDatagram| {
            let mut buffer = [0; 64];
            let count = socket.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..count].to_vec()).unwrap()
        };
        let by_path = UnixDatagram::bind(&path).unwrap();
        Notifier::to(path.as_os_str()).unwrap().send("READY=1").unwrap();
        assert_eq!(heard(&by_path), "READY=1");
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let value = OsString::from(format!("@{name}"));
        Notifier::to(&value).unwrap().send("WATCHDOG=1").unwrap();
        assert_eq!(heard(&by_name), "WATCHDOG=1");
        assert!(Notifier::to(OsStr::new("relative")).is_err());
    }
}
