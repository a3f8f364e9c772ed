//! Changes of `nf_tables`, told by the kernel as they are made, with the program that made them.
//!
//! Every transaction ends with a `NFT_MSG_NEWGEN` (`nf_tables_gen_notify` in
//! `net/netfilter/nf_tables_api.c`). iptables-nft and nft are both told of; iptables-legacy is not.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::NETFILTER;

use super::{NFGENMSG, SUBSYSTEM, is_absent, word};
use crate::sys::netlink::{self, Message, Netlink};

/// In linux/netfilter/nfnetlink.h.
const NFNLGRP_NFTABLES: u32 = 7;

// linux/netfilter/nf_tables.h
const NEWGEN: u16 = SUBSYSTEM | 15;
const GETGEN: u16 = SUBSYSTEM | 16;
const NFTA_GEN_ID: u16 = 1;
const NFTA_GEN_PROC_PID: u16 = 2;
const NFTA_GEN_PROC_NAME: u16 = 3;

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The number of the ruleset's generation after it; none where the kernel's message was lost.
    pub generation: Option<u32>,
    /// The process that made it, as the machine's own pid namespace counts.
    pub pid: Option<u32>,
    /// The name of its thread, made printable: at most 15 bytes, and whatever it calls itself.
    pub program: Option<String>,
}

/// The changes of this network namespace from now on.
#[derive(Debug)]
pub struct Changes(Netlink);

impl Changes {
    /// Subscribes; none where the kernel has no `nf_tables`.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] without `CAP_NET_ADMIN`.
    pub fn subscribe() -> io::Result<Option<Self>> {
        let mut netlink = match Netlink::open(Some(NETFILTER)) {
            Err(error) if is_absent(&error) => return Ok(None),
            netlink => netlink?,
        };
        // Any group can be joined, whether somebody speaks there or not.
        match netlink.ask(GETGEN, &[0; NFGENMSG], change) {
            Err(error) if is_absent(&error) => return Ok(None),
            generation => generation?,
        };
        Netlink::listen(Some(NETFILTER), NFNLGRP_NFTABLES).map(|netlink| Some(Self(netlink)))
    }

    /// Waits for changes, and gives all there are; none where the patience ends first.
    ///
    /// # Errors
    /// The kernel's own, after which nothing more is to be expected.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Vec<Change>> {
        let mut changes = Vec::new();
        match self.0.hear(patience, |message| changes.extend(change(message))) {
            Err(error) if error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => changes.push(Change {
                generation: None,
                pid: None,
                program: None,
            }),
            heard => heard?,
        }
        Ok(changes)
    }
}

/// The change a message tells of; none for the parts of a change that come before.
fn change(message: &Message<'_>) -> Option<Change> {
    if message.kind != NEWGEN {
        return None;
    }
    let (mut generation, mut pid, mut program) = (None, None, None);
    for (kind, value) in netlink::attributes_after(message.body, NFGENMSG) {
        match kind {
            NFTA_GEN_ID => generation = netlink::big_u32(value, 0),
            NFTA_GEN_PROC_PID => pid = netlink::big_u32(value, 0),
            NFTA_GEN_PROC_NAME => program = Some(word(value)).filter(|name| !name.trim().is_empty()),
            _ => {}
        }
    }
    generation.map(|generation| Change {
        generation: Some(generation),
        pid,
        program,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, body: &[u8]) -> Message<'_> {
        Message {
            kind,
            flags: 0,
            sequence: 0,
            body,
        }
    }

    fn told() -> Vec<u8> {
        let mut body = vec![0; NFGENMSG];
        netlink::push_attribute(&mut body, NFTA_GEN_ID, &7_u32.to_be_bytes());
        netlink::push_attribute(&mut body, NFTA_GEN_PROC_PID, &4711_u32.to_be_bytes());
        netlink::push_attribute(&mut body, NFTA_GEN_PROC_NAME, b"n\x1b[2Jft\0");
        body
    }

    #[test]
    fn the_generation_and_who_made_it_are_read() {
        let expected = Change {
            generation: Some(7),
            pid: Some(4711),
            program: Some("n?[2Jft".into()),
        };
        assert_eq!(change(&message(NEWGEN, &told())), Some(expected));
        assert_eq!(
            change(&message(SUBSYSTEM | 6, &told())),
            None,
            "a rule is not yet a change"
        );
    }

    #[test]
    fn truncated_messages_do_no_harm() {
        let body = told();
        for length in 0..body.len() {
            drop(change(&message(NEWGEN, &body[..length])));
        }
    }

    #[test]
    fn the_kernel_lets_us_hear_or_says_that_we_may_not() {
        if let Err(error) = Changes::subscribe() {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..128)) {
            drop(change(&message(NEWGEN, &body)));
        }
    }
}
