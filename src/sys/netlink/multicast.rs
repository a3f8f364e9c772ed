//! What the kernel tells without being asked: multicast groups.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{Protocol, RecvFlags, SocketAddrAny, bind, recvfrom};

use super::{Message, Netlink, messages};

/// Room for a large change: the kernel doubles it and has a limit of its own (`rmem_max`).
const RECEIVE_BUFFER: usize = 1024 * 1024;
/// A flood is read in parts, so that a reader comes to an end.
const MOST_DATAGRAMS: u32 = 10_000;

impl Netlink {
    /// Opens a socket that hears a multicast group, by its number from 1 to 32.
    ///
    /// # Errors
    /// The kernel's own: [`io::ErrorKind::PermissionDenied`] where the group needs `CAP_NET_ADMIN`.
    pub fn listen(protocol: Option<Protocol>, group: u32) -> io::Result<Self> {
        let netlink = Self::open(protocol)?;
        // With less room more is lost, and what is lost is told.
        let _refused = rustix::net::sockopt::set_socket_recv_buffer_size(&netlink.socket, RECEIVE_BUFFER);
        let groups = 1_u32.checked_shl(group.wrapping_sub(1)).ok_or(Errno::INVAL)?;
        bind(&netlink.socket, &SocketAddrNetlink::new(0, groups))?;
        Ok(netlink)
    }

    /// Waits for messages, and reads all that are there; none where the patience ends first.
    ///
    /// # Errors
    /// The kernel's own: `ENOBUFS` where messages were lost; the next call goes on.
    pub fn hear(&mut self, patience: Duration, mut each: impl FnMut(&Message<'_>)) -> io::Result<()> {
        let timeout = Timespec::try_from(patience).map_err(|_too_long| Errno::INVAL)?;
        match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(()),
            polled => polled?,
        };
        for _ in 0..MOST_DATAGRAMS {
            let received = recvfrom(&self.socket, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT);
            let (length, sender) = match received {
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                received => {
                    let (_, length, sender) = received?;
                    (length, sender)
                }
            };
            if is_from_the_kernel(sender) {
                messages(self.buffer.get(..length).unwrap_or_default()).for_each(|message| each(&message));
            }
        }
        Ok(())
    }
}

/// Whether it is no other process that speaks: the kernel's port id is 0 (netlink(7)).
fn is_from_the_kernel(sender: Option<SocketAddrAny>) -> bool {
    let sender = sender.map(SocketAddrNetlink::try_from);
    matches!(sender, Some(Ok(sender)) if sender.pid() == 0)
}
