//! What takes its time, or hangs, where fwtui asks.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::eventually;
use crate::terminal::PATIENCE;

/// Puts a program in the place of one of the system's, in this mount namespace only, which is the
/// sandbox's own: it says that it was started, waits for a file, and then is the other.
pub struct Slow {
    folder: tempfile::TempDir,
}

impl Slow {
    /// In the place of this one.
    pub fn new(program: &str) -> Self {
        Self::new_where(program, "true")
    }

    /// Those that save the rules, of the programs that are one and go by many names.
    pub fn save() -> Self {
        let program = fs::canonicalize("/usr/sbin/iptables-nft-save").unwrap();
        Self::new_where(program, "[[ $0 == *-save ]]")
    }

    /// Slow where this command says so, which finds the program's name in `$0`.
    pub fn new_where(program: impl AsRef<Path>, condition: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        fs::copy(&program, &real).unwrap();
        let script = folder.path().join("script");
        let place = folder.path().display();
        let mut file = fs::File::create(&script).unwrap();
        writeln!(
            file,
            "#!/bin/bash\n[ -e {place}/on ] && {condition} && {{ echo $$ >> {place}/started; \
             while [ ! -e {place}/go ]; do sleep 0.05; done; }}\nexec -a \"$0\" {place}/real \"$@\""
        )
        .unwrap();
        drop(file);
        for path in [&real, &script] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        bind(&script, program.as_ref());
        Self { folder }
    }

    /// From now on it is slow.
    pub fn begin(&self) {
        fs::write(self.folder.path().join("on"), "").unwrap();
    }

    /// Waits until it was started; its process id.
    pub fn is_running(&self) -> String {
        eventually("the slow program", PATIENCE, || {
            let text = fs::read_to_string(self.folder.path().join("started")).ok()?;
            text.split_whitespace().next().map(str::to_owned)
        })
    }

    /// It may end.
    pub fn end(&self) {
        fs::write(self.folder.path().join("go"), "").unwrap();
        fs::remove_file(self.folder.path().join("on")).unwrap();
    }

    /// As if it had never been slow.
    pub fn forget(&self) {
        for file in ["started", "go"] {
            fs::remove_file(self.folder.path().join(file)).unwrap();
        }
    }
}

/// A file of a process in `/proc` whose reading never ends, as of one that hangs.
pub struct Hanging {
    _folder: tempfile::TempDir,
    place: PathBuf,
}

impl Hanging {
    pub fn new(process: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let place = PathBuf::from(format!("/proc/{process}/cgroup"));
        bind(&pipe, &place);
        Self { _folder: folder, place }
    }

    /// It can be read again; who waits for it goes on waiting.
    pub fn end(self) {
        assert!(
            Command::new("umount")
                .arg("-l")
                .arg(&self.place)
                .status()
                .unwrap()
                .success()
        );
    }
}

fn bind(what: &Path, place: &Path) {
    let mounted = Command::new("mount").arg("--bind").arg(what).arg(place).status();
    assert!(mounted.unwrap().success());
}

/// Whether a process has ended and was waited for.
pub fn is_gone(pid: &str) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

/// Where `ip` is.
pub fn ip() -> &'static str {
    ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .unwrap()
}
