//! Processes to be among: some listen, the others have files open and wait.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The argument that makes this program one of the crowd.
pub const MEMBER: &str = "--member-of-the-crowd";

/// Is one of the crowd: listens on a range of ports, until nobody holds its standard input any more.
pub fn be_member(args: &[String]) {
    // Not before it is in its group.
    std::io::stdin().read_exact(&mut [0]).unwrap();
    let ports: Vec<u16> = args.iter().map(|port| port.parse().unwrap()).collect();
    // The soft limit is for programs that use select; this one does not.
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
    let sockets: Vec<TcpListener> = (ports[0]..ports[1])
        .map(|port| TcpListener::bind(("0.0.0.0", port)).unwrap())
        .collect();
    let files: Vec<fs::File> = (0..8).map(|_| fs::File::open("/dev/null").unwrap()).collect();
    std::io::stdout().write_all(b"!").unwrap();
    std::io::stdout().flush().unwrap();
    let _ended = std::io::stdin().read(&mut [0]);
    drop((sockets, files));
}

/// They end with it.
#[derive(Debug, Default)]
pub struct Crowd {
    members: Vec<Child>,
    groups: Vec<PathBuf>,
}

impl Crowd {
    /// One more, which listens on these ports.
    pub fn add(&mut self, ports: Range<u16>) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(MEMBER)
            .args([ports.start.to_string(), ports.end.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // In a group of its own before it opens a socket: a service manager would have it so. Where
        // that is not allowed, `are_grouped` says so.
        self.group(&child);
        child.stdin.as_mut().unwrap().write_all(b"!").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        self.members.push(child);
    }

    /// Others that do not listen, until there are so many processes.
    pub fn fill(&mut self, processes: usize) {
        while count() < processes {
            self.add(0..0);
        }
    }

    /// Whether each has a cgroup of its own.
    pub fn are_grouped(&self) -> bool {
        self.groups.len() == self.members.len()
    }

    fn group(&mut self, child: &Child) {
        let Some(folder) = cgroups() else { return };
        let path = folder.join(format!("fwtui-bench-{}-{}", std::process::id(), child.id()));
        if fs::create_dir(&path).is_err() {
            return;
        }
        let joined = fs::OpenOptions::new()
            .write(true)
            .open(path.join("cgroup.procs"))
            .and_then(|mut file| file.write_all(child.id().to_string().as_bytes()));
        match joined {
            Ok(()) => self.groups.push(path),
            Err(_) => drop(fs::remove_dir(path)),
        }
    }
}

/// Where cgroups of version 2 are mounted.
fn cgroups() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (_, path, kind) = (words.next(), words.next()?, words.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(path))
    })
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for member in &mut self.members {
            drop(member.stdin.take());
        }
        for member in &mut self.members {
            let _ended = member.wait();
        }
        for group in &self.groups {
            // A process leaves its group a moment after it was waited for.
            for _ in 0..100 {
                if fs::remove_dir(group).is_ok() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

/// How many processes there are on the machine.
pub fn count() -> usize {
    let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let entries = fs::read_dir("/proc").unwrap();
    entries
        .filter(|entry| is_process(&entry.as_ref().unwrap().file_name().to_string_lossy()))
        .count()
}
