//! Who a process is: name, program, user, unit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, Uid, UpdateKind, Users};

use crate::core::listener::Owner;
use crate::core::text::{printable, printable_within};
use crate::sys::cgroups::unit_of;
use crate::sys::procfs::{Proc, read_file};

/// Longest path of a program shown.
const LONGEST_PATH: usize = 256;

/// The details of these processes and of no others; a process that ended is not in the map.
pub(super) fn owners(proc: &Proc, processes: &BTreeSet<u32>) -> BTreeMap<u32, Owner> {
    let Some(mut system) = System::new().ok().filter(|_| !processes.is_empty()) else {
        return BTreeMap::new();
    };
    let pids: Vec<Pid> = processes.iter().map(|process| Pid::from_u32(*process)).collect();
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&pids),
        true,
        ProcessRefreshKind::nothing()
            .with_exe(UpdateKind::Always)
            .with_user(UpdateKind::Always),
    );
    let names = UserNames::read();
    let owner = |pid: &u32| {
        let process = system.process(Pid::from_u32(*pid))?;
        Some(Owner {
            pid: *pid,
            name: printable(&process.name().to_string_lossy()),
            exe: process.exe().map(path),
            user: process.user_id().map(|user| names.of(user)),
            unit: proc.cgroup(*pid).as_deref().and_then(unit_of),
        })
    };
    processes.iter().filter_map(|pid| Some((*pid, owner(pid)?))).collect()
}

fn path(path: &Path) -> String {
    printable_within(&path.to_string_lossy(), LONGEST_PATH)
}

/// The names of users.
struct UserNames {
    users: Option<Users>,
    /// `/etc/passwd`: sysinfo leaves out the users of services whose shell is `/bin/false`.
    table: String,
}

impl UserNames {
    fn read() -> Self {
        let table = read_file(rustix::fs::CWD, "/etc/passwd").unwrap_or_default();
        Self {
            users: Users::new_with_refreshed_list().ok(),
            table: String::from_utf8_lossy(&table).into_owned(),
        }
    }

    fn of(&self, user: &Uid) -> String {
        let known = self.users.as_ref().and_then(|users| users.get_user_by_id(user));
        match known {
            Some(user) => printable(user.name()),
            None => name_in(&self.table, **user).map_or_else(|| user.to_string(), printable),
        }
    }
}

/// The name of a user in a table like `/etc/passwd` (`passwd(5)`).
fn name_in(table: &str, user: u32) -> Option<&str> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == user).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_services_have_names_too() {
        let table = "root:x:0:0:root:/root:/bin/sh\nbroken\n:x:5:5::/:\nmysql:x:112:118::/:/bin/false\n";
        assert_eq!(name_in(table, 112), Some("mysql"));
        assert_eq!(name_in(table, 5), None);
        assert_eq!(name_in(table, 7), None);
    }

    #[test]
    fn a_process_that_ended_is_skipped() {
        let proc = Proc::open().unwrap();
        let own = std::process::id();
        let owners = owners(&proc, &BTreeSet::from([own, u32::MAX / 2]));
        assert_eq!(owners.keys().copied().collect::<Vec<_>>(), [own]);
        let user = UserNames::read().of(&Uid::try_from(rustix::process::getuid().as_raw() as usize).unwrap());
        assert_eq!(owners[&own].user.as_deref(), Some(user.as_str()));
    }
}
