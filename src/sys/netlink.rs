//! Netlink (netlink(7)): a request to the kernel, and a careful reading of what it answers.

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

mod multicast;

/// `NLMSG_HDRLEN`.
const HEADER: usize = 16;
/// `NLA_HDRLEN`.
const ATTRIBUTE_HEADER: usize = 4;
/// Messages and attributes start at multiples of this (`NLMSG_ALIGNTO`, `NLA_ALIGNTO`).
const ALIGNMENT: usize = 4;
/// The kernel fills at most 32 KiB a read (`netlink_recvmsg` in `net/netlink/af_netlink.c`), unless
/// a single message is larger.
const BUFFER: usize = 64 * 1024;
/// How often a dump that changed underneath is started again.
const ATTEMPTS: u32 = 10;

// linux/netlink.h
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;
/// Without the flags `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
const NLA_TYPE_MASK: u16 = 0x3fff;

/// A netlink socket, and the buffer it reads into.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
    buffer: Vec<u8>,
    sequence: u32,
}

impl Netlink {
    /// Opens a socket; no protocol means rtnetlink (`NETLINK_ROUTE` is 0).
    pub fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        Ok(Self {
            socket,
            buffer: vec![0; BUFFER],
            sequence: 0,
        })
    }

    /// Asks for a table and gives back what `parse` makes of its entries.
    ///
    /// Where the kernel says that the table changed meanwhile, so that entries may be missing, all
    /// of it is read again.
    ///
    /// # Errors
    /// The kernel's own, and [`io::ErrorKind::ResourceBusy`] for a table that never held still.
    pub fn dump<T>(&mut self, kind: u16, body: &[u8], parse: impl Fn(&Message<'_>) -> Option<T>) -> io::Result<Vec<T>> {
        let mut items = Vec::new();
        for _ in 0..ATTEMPTS {
            items.clear();
            if !self.exchange(kind, NLM_F_DUMP, body, |message| items.extend(parse(message)))? {
                return Ok(items);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the kernel's table kept changing while it was read",
        ))
    }

    /// The same, but no more than so many entries; whether there were more. The rest of a long table
    /// is left unread, and the socket closed.
    ///
    /// # Errors
    /// As for [`Self::dump`].
    pub fn dump_at_most<T>(
        mut self,
        most: usize,
        kind: u16,
        body: &[u8],
        parse: impl Fn(&Message<'_>) -> Option<T>,
    ) -> io::Result<(Vec<T>, bool)> {
        for _ in 0..ATTEMPTS {
            let mut items = Vec::new();
            let count = Cell::new(0);
            let each = |message: &Message<'_>| {
                items.extend(parse(message));
                count.set(items.len());
            };
            let is_interrupted = self.exchange_until(|| count.get() > most, kind, NLM_F_DUMP, body, each)?;
            let has_more = items.len() > most;
            if has_more || !is_interrupted {
                items.truncate(most);
                return Ok((items, has_more));
            }
        }
        Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the kernel's table kept changing while it was read",
        ))
    }

    /// Asks for one thing and gives back the first answer `parse` understands.
    pub fn ask<T>(
        &mut self,
        kind: u16,
        body: &[u8],
        parse: impl Fn(&Message<'_>) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let mut answer = None;
        // The acknowledgement tells the end of the answer, also where there is none.
        self.exchange(kind, NLM_F_ACK, body, |message| {
            if answer.is_none() {
                answer = parse(message);
            }
        })?;
        Ok(answer)
    }

    /// Sends a request and reads its answers; whether the dump was interrupted.
    fn exchange(&mut self, kind: u16, flags: u16, body: &[u8], each: impl FnMut(&Message<'_>)) -> io::Result<bool> {
        self.exchange_until(|| false, kind, flags, body, each)
    }

    /// The same, but no further than is enough.
    fn exchange_until(
        &mut self,
        is_enough: impl Fn() -> bool,
        kind: u16,
        flags: u16,
        body: &[u8],
        mut each: impl FnMut(&Message<'_>),
    ) -> io::Result<bool> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = request(kind, flags | NLM_F_REQUEST, self.sequence, body);
        retry_on_intr(|| rustix::net::send(&self.socket, &request, SendFlags::empty()))?;
        let mut is_interrupted = false;
        loop {
            let (_, length) =
                retry_on_intr(|| rustix::net::recv(&self.socket, self.buffer.as_mut_slice(), RecvFlags::TRUNC))?;
            let datagram = self.buffer.get(..length).ok_or_else(|| malformed("too long"))?;
            if length == 0 {
                return Err(malformed("empty"));
            }
            if digest(datagram, self.sequence, &mut is_interrupted, &mut each)? || is_enough() {
                return Ok(is_interrupted);
            }
        }
    }
}

fn malformed(how: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("an answer of the kernel was {how} (netlink)"),
    )
}

/// Hands on the messages of one datagram; whether the answer is complete.
fn digest(
    datagram: &[u8],
    sequence: u32,
    is_interrupted: &mut bool,
    each: &mut impl FnMut(&Message<'_>),
) -> io::Result<bool> {
    for message in messages(datagram).filter(|message| message.sequence == sequence) {
        *is_interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
        match message.kind {
            NLMSG_NOOP => {}
            NLMSG_OVERRUN => return Err(malformed("cut short")),
            // Both carry a negative errno; an error of zero acknowledges.
            NLMSG_ERROR | NLMSG_DONE => {
                let code = native_u32(message.body, 0).map_or(0, u32::cast_signed);
                return match code.checked_neg() {
                    Some(errno) if errno > 0 => Err(io::Error::from_raw_os_error(errno)),
                    _ => Ok(true),
                };
            }
            _ => each(&message),
        }
    }
    Ok(false)
}

/// `struct nlmsghdr` and what follows it.
fn request(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&flags.to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    // The sender's port id: the kernel fills it in.
    bytes.extend_from_slice(&0_u32.to_ne_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// Adds an attribute to a request's body.
pub fn push_attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(ATTRIBUTE_HEADER + value.len()).unwrap_or(u16::MAX);
    body.extend_from_slice(&length.to_ne_bytes());
    body.extend_from_slice(&kind.to_ne_bytes());
    body.extend_from_slice(value);
    body.resize(body.len().next_multiple_of(ALIGNMENT), 0);
}

/// One message of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub sequence: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

/// The messages of a datagram, up to the first that makes no sense.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::try_from(native_u32(rest, 0)?).ok()?;
        let message = Message {
            kind: native_u16(rest, 4)?,
            flags: native_u16(rest, 6)?,
            sequence: native_u32(rest, 8)?,
            body: rest.get(HEADER..length)?,
        };
        rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some(message)
    })
}

/// The attributes in `bytes`, up to the first that makes no sense: their type without flags, and
/// their value.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(native_u16(rest, 0)?);
        let kind = native_u16(rest, 2)? & NLA_TYPE_MASK;
        let value = rest.get(ATTRIBUTE_HEADER..length)?;
        rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The attributes that follow a message's fixed part of `offset` bytes.
pub fn attributes_after(body: &[u8], offset: usize) -> impl Iterator<Item = (u16, &[u8])> {
    attributes(body.get(offset..).unwrap_or_default())
}

/// The `N` bytes at an offset; none past the end.
pub fn bytes_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// A number in the machine's byte order.
pub fn native_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes_at(bytes, offset).map(u16::from_ne_bytes)
}

/// A number in the machine's byte order.
pub fn native_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes_at(bytes, offset).map(u32::from_ne_bytes)
}

/// A number in the machine's byte order.
pub fn native_u64(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes_at(bytes, offset).map(u64::from_ne_bytes)
}

/// A number in network byte order.
pub fn big_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes_at(bytes, offset).map(u16::from_be_bytes)
}

/// A number in network byte order.
pub fn big_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes_at(bytes, offset).map(u32::from_be_bytes)
}

/// The text of a string attribute, up to its NUL; what is no UTF-8 is replaced.
pub fn text(value: &[u8]) -> String {
    let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// Whether an error says that the kernel does not have what was asked for, as opposed to a failure.
pub fn is_unsupported(error: &io::Error) -> bool {
    [
        Errno::NOENT,
        Errno::OPNOTSUPP,
        Errno::PROTONOSUPPORT,
        Errno::AFNOSUPPORT,
    ]
    .iter()
    .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = request(kind, flags, sequence, body);
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes
    }

    fn digested(datagram: &[u8]) -> io::Result<(bool, bool, usize)> {
        let mut is_interrupted = false;
        let mut count = 0;
        let is_done = digest(datagram, 7, &mut is_interrupted, &mut |_| count += 1)?;
        Ok((is_done, is_interrupted, count))
    }

    #[test]
    fn messages_end_with_done() {
        let mut datagram = answer(20, 2, 7, b"abcd");
        datagram.extend(answer(20, 2, 7, b"abcde"));
        assert_eq!(digested(&datagram).unwrap(), (false, false, 2));
        datagram.extend(answer(NLMSG_DONE, 2, 7, &0_u32.to_ne_bytes()));
        assert_eq!(digested(&datagram).unwrap(), (true, false, 2));
    }

    #[test]
    fn answers_to_older_requests_are_passed_over() {
        let mut datagram = answer(20, 2, 6, b"");
        datagram.extend(answer(NLMSG_DONE, 2, 6, b""));
        assert_eq!(digested(&datagram).unwrap(), (false, false, 0));
    }

    #[test]
    fn an_interrupted_dump_is_noticed() {
        let datagram = answer(NLMSG_DONE, NLM_F_DUMP_INTR, 7, &0_u32.to_ne_bytes());
        assert_eq!(digested(&datagram).unwrap(), (true, true, 0));
    }

    #[test]
    fn errors_carry_the_kernels_number() {
        for kind in [NLMSG_ERROR, NLMSG_DONE] {
            let datagram = answer(kind, 0, 7, &(-1_i32).to_ne_bytes());
            assert_eq!(digested(&datagram).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
        let hostile = answer(NLMSG_ERROR, 0, 7, &i32::MIN.to_ne_bytes());
        assert!(digested(&hostile).unwrap().0);
    }

    #[test]
    fn attributes_read_back_as_written() {
        let mut body = Vec::new();
        push_attribute(&mut body, 3, b"eth0\0");
        push_attribute(&mut body, 0x8000 | 5, &[]);
        let read: Vec<_> = attributes(&body).collect();
        assert_eq!(read, [(3, &b"eth0\0"[..]), (5, &[][..])]);
        assert_eq!(text(b"eth0\0\0"), "eth0");
    }

    #[test]
    fn lengths_that_lie_end_the_reading() {
        for length in [0_u16, 3, 9, u16::MAX] {
            let mut body = length.to_ne_bytes().to_vec();
            body.extend([1, 0, 1, 2, 3, 4]);
            assert_eq!(attributes(&body).count(), 0, "{length}");
        }
        for length in [0_u32, 15, 21, u32::MAX] {
            let mut datagram = answer(20, 0, 7, b"abcd");
            datagram[..4].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(messages(&datagram).count(), 0, "{length}");
        }
    }

    #[test]
    fn the_kernel_answers_a_dump_and_refuses_nonsense() {
        let mut netlink = Netlink::open(None).unwrap();
        // RTM_GETLINK with an empty ifinfomsg.
        let links = netlink.dump(18, &[0; 16], |message| Some(message.kind)).unwrap();
        assert!(links.contains(&16));
        assert!(netlink.dump(0xfff0, &[0; 16], |_| Some(())).is_err());
        // The socket still works after an error.
        assert!(!netlink.dump(18, &[0; 16], |_| Some(())).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            for message in messages(&bytes) {
                attributes(message.body).for_each(drop);
            }
            attributes(&bytes).for_each(drop);
            drop(digested(&bytes));
        }

        #[test]
        fn no_cut_makes_the_reader_panic(cut in 0_usize..64, length in any::<u16>()) {
            let mut body = Vec::new();
            push_attribute(&mut body, 3, b"eth0\0");
            push_attribute(&mut body, 21, &7_u64.to_ne_bytes());
            body[..2].copy_from_slice(&length.to_ne_bytes());
            let datagram = answer(20, 2, 7, &body);
            let cut = datagram.get(..cut).unwrap_or(&datagram);
            drop(digested(cut));
            messages(cut).for_each(|message| attributes(message.body).for_each(drop));
        }
    }
}
