//! This machine and what this process may do on it.

use crate::core::text::printable;
use crate::sys::procfs::read_file;

/// The name of this machine, where it has one.
pub fn name() -> Option<String> {
    sysinfo::System::host_name()
        .ok()
        .filter(|name| !name.is_empty())
        .map(|name| printable(&name))
}

/// An id that is new at every boot (`proc_sys_kernel(5)`, `random/boot_id`); none where procfs
/// does not have it.
pub fn boot_id() -> Option<String> {
    let text = read_file(rustix::fs::CWD, "/proc/sys/kernel/random/boot_id").ok()?;
    let id = String::from_utf8_lossy(&text).trim_end().to_owned();
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_id.then_some(id)
}

/// An id nobody can guess: 16 hexadecimal digits.
pub fn new_id() -> String {
    let mut bytes = [0u8; 8];
    // It can only be interrupted or refused on kernels too old for this program; whatever it leaves
    // unfilled only makes the id easier to guess, which root alone could use.
    let _filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    format!("{:016x}", u64::from_ne_bytes(bytes))
}

/// Whether this process acts as root: its effective user id is 0.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_has_an_id_that_stays() {
        let id = boot_id().unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!(boot_id().unwrap(), id);
    }

    #[test]
    fn the_name_is_the_kernels() {
        let uname = rustix::system::uname();
        assert_eq!(name().as_deref(), uname.nodename().to_str().ok());
    }
}
