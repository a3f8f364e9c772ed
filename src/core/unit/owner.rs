//! Whose work a service is, and what to do where it is no unit of systemd's.

use std::collections::BTreeSet;
use std::fmt;

use crate::core::netfilter::Tool;
use crate::core::service::Service;

/// A process that holds the sockets of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// The name of its user, where it is known.
    pub user: Option<String>,
    /// Its control group below the root; none where it can't be read.
    pub cgroup: Option<String>,
}

/// What a service seems to be the work of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidate {
    /// A unit of the system's, to be asked for.
    Unit(String),
    /// systemd itself holds the sockets, for a socket unit that is to be found.
    HeldBySystemd,
}

/// Why a service can't be disabled here, with the way to do it by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unstoppable {
    /// Nothing listens there.
    Nothing,
    /// Without root the owner can't be seen.
    Unseen,
    /// Why systemd can't be asked.
    NoSystemd {
        /// Why.
        why: String,
        /// The process that listens.
        process: Option<Process>,
    },
    /// A program that somebody has started.
    Program(Process),
    /// A container's, of this name.
    Container {
        /// `docker` or another engine's program.
        engine: String,
        /// Its name, where it is known.
        name: Option<String>,
    },
    /// Packets are sent on to another address by a rule; nothing listens here.
    SentOn(String),
    /// The kernel's own.
    Kernel,
    /// systemd holds the sockets, and no socket unit says that it listens there.
    Unknown,
    /// Several units hold its sockets.
    Several(Vec<String>),
    /// A unit of a user's own manager.
    UserUnit {
        /// The unit.
        unit: String,
        /// The user.
        user: String,
    },
    /// There is no such unit.
    NotFound(String),
    /// It is masked already.
    Masked(String),
    /// systemd does not let it be stopped by hand.
    Refuses(String),
    /// Other units start it whenever they start, and it can't be disabled.
    Static {
        /// The unit.
        unit: String,
        /// Those that start it.
        by: Vec<String>,
    },
    /// A generator makes it at every boot.
    Generated(String),
}

impl fmt::Display for Unstoppable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing listens there"),
            Self::Unseen => f.write_str("whose service it is can't be seen without root"),
            Self::NoSystemd { why, process: None } => f.write_str(why),
            Self::NoSystemd {
                why,
                process: Some(process),
            } => write!(f, "{why}; it is {process}"),
            Self::Program(process) => write!(f, "it is no service of systemd's but {process}"),
            Self::Container {
                engine,
                name: Some(name),
            } => write!(f, "it is the container {name} of {engine}"),
            Self::Container { engine, name: None } => write!(f, "it is a container of {engine}"),
            Self::SentOn(to) => write!(f, "nothing listens here: a rule sends the packets on to {to}"),
            Self::Kernel => f.write_str("the kernel itself listens there"),
            Self::Unknown => f.write_str("systemd itself listens there, and no socket unit is known for it"),
            Self::Several(units) => write!(f, "it is the work of several units: {}", units.join(", ")),
            Self::UserUnit { unit, user } => write!(f, "{unit} belongs to {user}'s own systemd"),
            Self::NotFound(unit) => write!(f, "there is no unit {unit}"),
            Self::Masked(unit) => write!(f, "{unit} is masked already"),
            Self::Refuses(unit) => write!(f, "systemd does not let {unit} be stopped by hand"),
            Self::Static { unit, by } if by.is_empty() => {
                write!(f, "{unit} is started by other units and can't be disabled by itself")
            }
            Self::Static { unit, by } => {
                write!(
                    f,
                    "{unit} is started by {} and can't be disabled by itself",
                    by.join(", ")
                )
            }
            Self::Generated(unit) => write!(f, "{unit} is made anew at every boot, so disabling it would not hold"),
        }
    }
}

impl Unstoppable {
    /// How to do it without fwtui: a whole sentence.
    pub fn how(&self) -> String {
        match self {
            Self::Nothing | Self::Unknown => "Name its unit: fwtui disable SERVICE --unit NAME.service".to_owned(),
            Self::Unseen => "Run it with sudo.".to_owned(),
            Self::NoSystemd {
                process: Some(process), ..
            } => format!(
                "Stop it by the means of this system (rc-service NAME stop, sv down NAME, or kill {}), and take it \
                 out of what boot starts.",
                process.pid
            ),
            Self::NoSystemd { process: None, .. } => {
                "Stop it by the means of this system (rc-service NAME stop, sv down NAME), and take it out of what \
                 boot starts."
                    .to_owned()
            }
            Self::Program(process) => {
                format!("End it where it was started, or with: kill {}", process.pid)
            }
            Self::Container { engine, name } => {
                let name = name.as_deref().unwrap_or("NAME");
                format!(
                    "Stop it with: {engine} stop {name} (and so that it stays off: {engine} update --restart=no {name})"
                )
            }
            Self::SentOn(_) => "Take the rule out where it was made.".to_owned(),
            Self::Kernel => {
                "It goes with what made it: a tunnel (ip link), the NFS server (systemctl disable --now nfs-server), \
                 a cluster file system."
                    .to_owned()
            }
            Self::Several(units) => {
                let named: Vec<String> = units.iter().map(|unit| format!("--unit {unit}")).collect();
                format!("Name those that are to go: fwtui disable SERVICE {}", named.join(" "))
            }
            Self::UserUnit { unit, user } => {
                format!("{user} stops it with: systemctl --user disable --now {unit}")
            }
            Self::NotFound(_) => "Look with: systemctl list-units --all".to_owned(),
            Self::Masked(unit) => format!("Nothing starts it. To have it back: systemctl unmask {unit}"),
            Self::Refuses(unit) => format!("Look what it is part of: systemctl list-dependencies --reverse {unit}"),
            Self::Static { unit, .. } | Self::Generated(unit) => {
                format!("Disable what starts it, or keep it from starting for good: systemctl mask --now {unit}")
            }
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the process {} ({}", self.pid, self.name)?;
        if let Some(user) = &self.user {
            write!(f, " of user {user}")?;
        }
        f.write_str(")")
    }
}

/// Where a control group says that a process belongs.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// systemd itself.
    Systemd,
    Unit(String),
    UserUnit {
        unit: String,
        uid: String,
    },
    Container(String),
    Nowhere,
}

/// What a service is the work of, by who holds its sockets.
///
/// # Errors
/// Where it is no unit of the system's.
pub fn candidate(service: &Service, processes: &[Process], is_root: bool) -> Result<Candidate, Unstoppable> {
    if let Some(published) = &service.published {
        let by = published.by;
        return Err(match matches!(by, Tool::Docker | Tool::Podman | Tool::Nerdctl) {
            true => Unstoppable::Container {
                engine: by.word().to_owned(),
                name: published.container.clone(),
            },
            false => Unstoppable::SentOn(published.to.to_string()),
        });
    }
    if service.listeners.is_empty() {
        return Err(Unstoppable::Nothing);
    }
    // What the sockets were made in, where that is more than systemd's own group.
    let made_in = service.unit.clone().filter(|unit| unit.ends_with(".socket"));
    if processes.is_empty() {
        return match (made_in, is_root) {
            (Some(unit), _) => Ok(Candidate::Unit(unit)),
            (None, false) => Err(Unstoppable::Unseen),
            (None, true) => Err(Unstoppable::Kernel),
        };
    }
    let mut units = BTreeSet::new();
    let mut is_held_by_systemd = false;
    for process in processes {
        // It runs in the engine's own unit, which is more than one container.
        if process.name == "docker-proxy" {
            let engine = Tool::Docker.word().to_owned();
            return Err(Unstoppable::Container { engine, name: None });
        }
        match process.cgroup.as_deref().map(place) {
            Some(Place::Systemd) => is_held_by_systemd = true,
            Some(Place::Unit(unit)) => {
                units.insert(unit);
            }
            Some(Place::UserUnit { unit, uid }) => {
                let user = process.user.clone().unwrap_or(uid);
                return Err(Unstoppable::UserUnit { unit, user });
            }
            Some(Place::Container(engine)) => return Err(Unstoppable::Container { engine, name: None }),
            Some(Place::Nowhere) => return Err(Unstoppable::Program(process.clone())),
            None if is_root => return Err(Unstoppable::Program(process.clone())),
            None => return Err(Unstoppable::Unseen),
        }
    }
    let mut units: Vec<String> = units.into_iter().collect();
    match (units.len(), made_in) {
        // The service that was started by its socket, and systemd, which goes on holding that.
        (1, _) => Ok(Candidate::Unit(units.remove(0))),
        (0, Some(unit)) => Ok(Candidate::Unit(unit)),
        (0, None) if is_held_by_systemd => Ok(Candidate::HeldBySystemd),
        (0, None) => Err(Unstoppable::Kernel),
        _ => Err(Unstoppable::Several(units)),
    }
}

/// Reads a control group's path: `/system.slice/ssh.service`,
/// `/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service`.
fn place(path: &str) -> Place {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.first() == Some(&"init.scope") {
        return Place::Systemd;
    }
    let engine = |part: &&str| {
        let stem = part.strip_suffix(".scope").unwrap_or(part);
        let known = [
            ("docker-", "docker"),
            ("libpod-", "podman"),
            ("nerdctl-", "nerdctl"),
            ("cri-containerd-", "crictl"),
            ("crio-", "crictl"),
            ("lxc.payload.", "lxc"),
        ];
        let found = known.into_iter().find(|(prefix, _)| stem.starts_with(prefix));
        found.map(|(_, engine)| engine.to_owned())
    };
    if let Some(engine) = parts.iter().find_map(engine) {
        return Place::Container(engine);
    }
    if parts.first() == Some(&"docker") {
        return Place::Container("docker".to_owned());
    }
    let manager = parts.iter().position(|part| part.starts_with("user@"));
    let is_service = |part: &&&str| part.ends_with(".service") || part.ends_with(".socket");
    let last = parts
        .iter()
        .rev()
        .find(|part| part.rsplit_once('.').is_some_and(|(_, kind)| kind != "slice"));
    match (manager.and_then(|at| parts.get(at)), last.filter(is_service)) {
        (Some(manager), Some(unit)) if unit != manager => Place::UserUnit {
            unit: (*unit).to_owned(),
            uid: manager
                .trim_start_matches("user@")
                .trim_end_matches(".service")
                .to_owned(),
        },
        (None, Some(unit)) => Place::Unit((*unit).to_owned()),
        _ => Place::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_group_says_whose_a_process_is() {
        let unit = |name: &str| Place::Unit(name.to_owned());
        for (path, expected) in [
            ("/system.slice/ssh.service", unit("ssh.service")),
            ("/system.slice/nginx.service/workers", unit("nginx.service")),
            (
                "/system.slice/system-postgresql.slice/postgresql@15-main.service",
                unit("postgresql@15-main.service"),
            ),
            ("/init.scope", Place::Systemd),
            ("/user.slice/user-1000.slice/session-3.scope", Place::Nowhere),
            ("/", Place::Nowhere),
            (
                "/user.slice/user-1000.slice/user@1000.service/init.scope",
                Place::Nowhere,
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
                Place::UserUnit {
                    unit: "foo.service".into(),
                    uid: "1000".into(),
                },
            ),
            ("/system.slice/docker-0123.scope", Place::Container("docker".into())),
            ("/docker/0123", Place::Container("docker".into())),
            (
                "/machine.slice/libpod-0123.scope/container",
                Place::Container("podman".into()),
            ),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
