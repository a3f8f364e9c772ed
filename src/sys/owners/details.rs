//! Who a process is: name, program, user, unit.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use sysinfo::{Uid, Users};

use crate::core::listener::Owner;
use crate::core::text::{printable, printable_within};
use crate::sys::cgroups::unit_of;
use crate::sys::procfs::{Proc, read_file};

/// Longest path of a program shown.
const LONGEST_PATH: usize = 256;

/// The details of these processes and of no others; a process that ended is not in the map.
///
/// sysinfo knows them too, but reads `status` and `stat` of each process for it: 30 us a process
/// instead of 7 (measured), which is more than finding the process takes.
pub(super) fn owners(proc: &Proc, processes: &BTreeSet<u32>) -> BTreeMap<u32, Arc<Owner>> {
    if processes.is_empty() {
        return BTreeMap::new();
    }
    let mut names = UserNames::read();
    let mut owner = |process: u32| {
        Some(Arc::new(Owner {
            pid: process,
            name: printable(&proc.name(process)?),
            exe: proc.program(process).map(|path| printable_within(&path, LONGEST_PATH)),
            user: proc.user(process).map(|user| names.of(user)),
            unit: proc.cgroup(process).as_deref().and_then(unit_of),
        }))
    };
    processes
        .iter()
        .filter_map(|process| Some((*process, owner(*process)?)))
        .collect()
}

/// The name of a user, or the number where there is none.
pub fn user_name(user: u32) -> String {
    UserNames::read().of(user)
}

/// The names of users.
struct UserNames {
    users: Option<Users>,
    /// `/etc/passwd`, once it is needed: sysinfo leaves out the users of services whose shell is
    /// `/bin/false`.
    table: Option<String>,
}

impl UserNames {
    fn read() -> Self {
        Self {
            users: Users::new_with_refreshed_list().ok(),
            table: None,
        }
    }

    /// The name of a user, or the number where there is none.
    fn of(&mut self, user: u32) -> String {
        let known = Uid::try_from(usize::try_from(user).unwrap_or(usize::MAX)).ok();
        if let Some(known) = known.and_then(|user| self.users.as_ref()?.get_user_by_id(&user)) {
            return printable(known.name());
        }
        let table = self.table.get_or_insert_with(|| {
            let table = read_file(rustix::fs::CWD, "/etc/passwd").unwrap_or_default();
            String::from_utf8_lossy(&table).into_owned()
        });
        name_in(table, user).map_or_else(|| user.to_string(), printable)
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
    fn a_user_without_name_is_a_number() {
        assert_eq!(UserNames::read().of(0), "root");
        assert_eq!(UserNames::read().of(4_000_000_000), "4000000000");
    }

    #[test]
    fn a_process_that_ended_is_skipped() {
        let proc = Proc::open().unwrap();
        let own = std::process::id();
        let owners = owners(&proc, &BTreeSet::from([own, u32::MAX / 2]));
        assert_eq!(owners.keys().copied().collect::<Vec<_>>(), [own]);
        let user = UserNames::read().of(rustix::process::geteuid().as_raw());
        assert_eq!(owners[&own].user.as_deref(), Some(user.as_str()));
    }
}
