//! Starting what stays: another process of our own program (guard, sandbox services).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::fs::{MemfdFlags, memfd_create};

use super::SYSTEM_PATH;

/// What a child reads from its standard input.
#[derive(Debug, Clone, Default)]
pub enum Stdin {
    /// Nothing (`/dev/null`).
    #[default]
    Null,
    /// Exactly these bytes, out of memory: no pipe that could fill, break or wait.
    Bytes(Vec<u8>),
    /// A pipe: take it from [`Child::stdin`]. The child sees its end when we die.
    Pipe,
}

/// What a child finds in its environment, besides what the call adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Environment {
    /// `LC_ALL=C` and the system's `PATH`, nothing of the caller's.
    #[default]
    Clean,
    /// All of ours.
    Inherited,
}

/// A start of our own program.
#[derive(Debug, Clone, Default)]
pub struct SelfCall {
    /// The arguments, without the program's own name.
    pub args: Vec<OsString>,
    /// Another path to our program (a symbolic link), whose name the kernel then shows for the
    /// process.
    pub through: Option<PathBuf>,
    /// What it reads.
    pub stdin: Stdin,
    /// Whether its standard output is a pipe ([`Child::stdout`]); else it is `/dev/null`.
    pub reads_back: bool,
    /// What it finds in its environment.
    pub environment: Environment,
    /// Variables added to it.
    pub variables: Vec<(OsString, OsString)>,
}

impl SelfCall {
    /// A start with these arguments, a clean environment, and nothing connected.
    pub fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self {
            args: args.into_iter().map(|arg| arg.as_ref().to_owned()).collect(),
            ..Self::default()
        }
    }
}

/// Starts our own program in `/` and does not wait. Standard error is `/dev/null`.
///
/// The child stays in our session and process group: one that is to outlive the terminal calls
/// `setsid` itself, which works because it leads no group. Wait for the child in the end, or it
/// stays a zombie as long as we live.
///
/// # Errors
///
/// Where the system does not start it.
pub fn spawn_self(call: &SelfCall) -> io::Result<Child> {
    let program = call.through.clone().unwrap_or_else(own_program);
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    let mut command = Command::new(program);
    if call.environment == Environment::Clean {
        command.env_clear().env("LC_ALL", "C").env("PATH", SYSTEM_PATH);
    }
    command
        .args(&call.args)
        .envs(call.variables.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(match &call.stdin {
            Stdin::Null => Stdio::null(),
            Stdin::Bytes(bytes) => Stdio::from(in_memory(bytes)?),
            Stdin::Pipe => Stdio::piped(),
        })
        .stdout(if call.reads_back { Stdio::piped() } else { Stdio::null() })
        .stderr(Stdio::null())
        .spawn()
}

/// Closes every descriptor but the first three, which the caller of our caller may have left open: a
/// process that outlives them would hold their locks and pipes. To be called before anything else.
pub fn close_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let number = |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse::<i32>().ok();
    let open: Vec<i32> = entries
        .filter_map(number)
        .filter(|descriptor| *descriptor > 2)
        .collect();
    let is_open = |descriptor: &i32| Path::new("/proc/self/fd").join(descriptor.to_string()).is_symlink();
    // The listing's own is among them, and closed by now.
    for descriptor in open.into_iter().filter(is_open) {
        // SAFETY: nothing in this process has opened anything yet, so nobody owns the descriptor.
        #[expect(unsafe_code, reason = "there is no owner to close it")]
        unsafe {
            rustix::io::close(descriptor);
        }
    }
}

/// The path of the running program, where its file is still there.
pub fn own_path() -> Option<PathBuf> {
    std::env::current_exe().ok().filter(|path| path.exists())
}

/// What to start for the running program. After an upgrade its file may be gone; the kernel still has
/// it.
fn own_program() -> PathBuf {
    own_path().unwrap_or_else(|| Path::new("/proc/self/exe").to_owned())
}

/// A file without a name that holds the bytes, at its beginning.
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("fwtui-stdin", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Under test our own program is the test binary; any other will do as its stand-in.
    fn through(program: &str, args: &[&str]) -> SelfCall {
        SelfCall {
            through: Some(program.into()),
            reads_back: true,
            ..SelfCall::new(args)
        }
    }

    fn output_of(call: &SelfCall) -> String {
        let mut child = spawn_self(call).unwrap();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        text
    }

    #[test]
    fn bytes_beyond_a_pipe_arrive_without_a_writer() {
        let mut call = through("/bin/cat", &[]);
        call.stdin = Stdin::Bytes(vec![b'x'; 1 << 20]);
        assert_eq!(output_of(&call).len(), 1 << 20);
    }

    #[test]
    fn the_environment_is_clean_unless_asked() {
        let mut call = through("/usr/bin/env", &[]);
        call.variables.push(("FWTUI_ROOT".into(), "/x".into()));
        let text = output_of(&call);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("FWTUI_ROOT=/x\n"));
        call.environment = Environment::Inherited;
        assert!(output_of(&call).contains("CARGO"));
    }
}
