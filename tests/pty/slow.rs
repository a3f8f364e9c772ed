//! A program of the system's that takes its time.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::lab::eventually;
use crate::terminal::PATIENCE;

/// Puts a program in the place of one of the system's, in this mount namespace only, which is the
/// sandbox's own: it says that it was started, waits for a file, and then is the other.
pub struct Slow {
    /// Where it is told what to do.
    pub folder: tempfile::TempDir,
}

impl Slow {
    /// In the place of this one.
    pub fn new(program: &str) -> Self {
        Self::new_where(program, "true")
    }

    /// Slow where this command says so, which finds the program's name in `$0`.
    pub fn new_where(program: &str, condition: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        fs::copy(program, &real).unwrap();
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
        let mounted = Command::new("mount")
            .arg("--bind")
            .arg(&script)
            .arg(program)
            .status()
            .unwrap();
        assert!(mounted.success());
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
