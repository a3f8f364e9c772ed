//! While rules are switched to and fro, nobody is refused whom both let in, and nobody let in whom
//! both refuse.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::backend::switch::{self, Base, Fallback};
use fwtui::backend::{Backend, iptables};
use fwtui::core::listener::Family;
use fwtui::core::ruleset::{Stamp, compile};
use fwtui::sys::interfaces::interfaces;
use fwtui::sys::runner::SystemRunner;
use fwtui::sys::{clock, netns};
use rustix::net::sockopt::set_socket_linger;

use crate::harness::{Lab, PATIENCE, in_sandbox};
use crate::machine::policy;

const OPEN: u16 = 8080;
const CONFINED: u16 = 8081;
/// What is open in every ruleset here, and what is refused in every one.
const ALWAYS: [(&str, &str); 2] = [("8080/tcp", "open"), ("8081/tcp", "confine")];

/// Takes connections and lets them go.
fn listen(port: u16) {
    for address in ["0.0.0.0", "[::]"] {
        let address: SocketAddr = format!("{address}:{port}").parse().unwrap();
        // The one for IPv6 only where the other has IPv4.
        let socket = rustix::net::socket(
            if address.is_ipv4() {
                rustix::net::AddressFamily::INET
            } else {
                rustix::net::AddressFamily::INET6
            },
            rustix::net::SocketType::STREAM,
            None,
        )
        .unwrap();
        if address.is_ipv6() {
            rustix::net::sockopt::set_ipv6_v6only(&socket, true).unwrap();
        }
        rustix::net::bind(&socket, &address).unwrap();
        rustix::net::listen(&socket, 1024).unwrap();
        let listener = TcpListener::from(socket);
        thread::spawn(move || listener.incoming().for_each(drop));
    }
}

/// Whether a connection fares as it always must.
fn fares_well(target: SocketAddr, is_open: bool) -> Result<(), String> {
    let tried = TcpStream::connect_timeout(&target, PATIENCE);
    if let Ok(connection) = &tried {
        // Reset, so that its port is free at once.
        set_socket_linger(connection, Some(Duration::ZERO)).unwrap();
    }
    match (tried, is_open) {
        (Ok(_), true) => Ok(()),
        (Err(error), false) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        (Ok(_), false) => Err(format!("{target} was let in")),
        (Err(error), _) => Err(format!("{target}: {error}")),
    }
}

/// Connects over and over while `work` goes on; each must fare as always.
fn connecting(work: impl FnOnce()) {
    let (is_over, tries) = (AtomicBool::new(false), AtomicU32::new(0));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for (family, port) in Family::ALL
            .into_iter()
            .flat_map(|family| [(family, OPEN), (family, CONFINED)])
        {
            let (is_over, tries, wrong) = (&is_over, &tries, &wrong);
            scope.spawn(move || {
                let target = SocketAddr::new(Neighbour::Public.machine().of(family), port);
                netns::enter(Neighbour::Public.namespace(), || {
                    while !is_over.load(Ordering::Relaxed) {
                        tries.fetch_add(1, Ordering::Relaxed);
                        if let Err(error) = fares_well(target, port == OPEN) {
                            wrong.lock().unwrap().push(error);
                        }
                        // Four of these at full speed leave the switching no processor.
                        thread::sleep(Duration::from_micros(300));
                    }
                })
                .unwrap();
            });
        }
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        is_over.store(true, Ordering::Relaxed);
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
    let (tries, wrong) = (tries.into_inner(), wrong.into_inner().unwrap());
    println!("{tries} connections");
    assert!(tries > 400, "only {tries} were tried");
    assert!(wrong.is_empty(), "{} of {tries}: {:?}", wrong.len(), wrong.first());
}

/// Puts other rules in force and takes them back, every other time with the kernel's timer on them.
fn to_and_fro(lab: &Lab, times: u32) {
    listen(OPEN);
    listen(CONFINED);
    lab.keep(&policy(&ALWAYS));
    let base = lab.base();
    let (backend, _) = iptables::open(SystemRunner::new()).unwrap();
    let others = [("8082/tcp", "open"), ("8083/tcp", "trusted")]
        .map(|other| compile(&policy(&[&ALWAYS[..], &[other]].concat()), &interfaces().unwrap()));
    let others = [&others[0], &others[0], &others[1], &others[1]];
    connecting(|| {
        for (time, rules) in (0..times).zip(others.into_iter().cycle()) {
            let now = backend.read().unwrap();
            assert_eq!(Base::of(&now), base);
            let from = Stamp::at_or_after(clock::since_1970() + Duration::from_secs(600)).unwrap();
            let fallback = (time % 2 == 0).then_some(Fallback { from, base: &base });
            switch::put(&backend, &now, &base.successor(rules), fallback).unwrap();
            switch::revert(&backend, &base).unwrap();
            if time % 8 == 7 {
                switch::clean(&backend, &base).unwrap();
            }
        }
    });
}

#[test]
fn no_connection_meets_a_gap_while_rules_are_switched() {
    in_sandbox(|lab| to_and_fro(lab, 100));
}

#[test]
fn no_connection_meets_a_gap_while_rules_are_switched_legacy() {
    in_sandbox(|lab| {
        lab.use_legacy();
        to_and_fro(lab, 100);
    });
}

#[test]
fn no_connection_meets_a_gap_in_whole_trials() {
    in_sandbox(|lab| {
        listen(OPEN);
        listen(CONFINED);
        lab.keep(&policy(&ALWAYS));
        connecting(|| {
            for time in 0..10 {
                lab.does(&["set", &format!("{}/tcp", 8082 + time), "open"]);
                lab.does(&["apply", "--yes"]);
                if time % 3 == 0 {
                    lab.confirm();
                } else {
                    lab.does(&["revert"]);
                    lab.settled();
                }
            }
        });
    });
}
