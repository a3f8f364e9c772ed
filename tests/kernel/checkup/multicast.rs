//! Who listens to which group, as switches learn it.

use std::net::Ipv6Addr;
use std::time::Duration;

use fwtui::app::sandbox::Knock;
use fwtui::core::checkup::Severity;
use fwtui::core::listener::{Family, Protocol};
use fwtui::sys::knock::Door;
use fwtui::sys::netns;

use super::{LISTENERS, OPEN, Rules, finds, finds_no, follow, harmful};
use crate::docker::knock_by;
use crate::harness::{Lab, addresses, eventually, in_sandbox};

/// The machine by its third interface.
const MACHINE: Ipv6Addr = Ipv6Addr::new(0xfd22, 0, 0, 0, 0, 0, 0, 0x10);

/// A bridge that sends to a group only where it heard of listeners, asks for them every second, and
/// forgets them after two: switches do so in minutes. Behind it somebody named `asker`.
fn bridge(lab: &Lab) {
    for name in ["switch", "asker"] {
        netns::add(name, || {
            netns::links::set(&netns::links::PROMPT).unwrap();
            lab.line("ip link set lo up");
        })
        .unwrap();
    }
    lab.line("ip link add eth2 index 40 type veth peer name port1 index 41 netns switch");
    netns::enter("switch", || {
        lab.line("ip link add port2 index 42 type veth peer name eth0 index 43 netns asker");
        // In hundredths of a second. A bridge that begins to ask floods until its first question would
        // have been answered: so that comes first.
        lab.line(
            "ip link add br0 type bridge mcast_snooping 1 mcast_startup_query_interval 100 \
             mcast_query_interval 100 mcast_query_response_interval 20 mcast_membership_interval 200",
        );
        lab.line("ip link set br0 type bridge mcast_querier 1");
        for port in ["port1", "port2"] {
            lab.line(&format!("ip link set {port} master br0 up"));
        }
        lab.line("ip link set br0 up");
    })
    .unwrap();
    netns::enter("asker", || {
        lab.line("sysctl -qw net.ipv6.neigh.eth0.retrans_time_ms=50");
        lab.line("ip address add fd22::1/64 dev eth0 nodad");
        lab.line("ip link set eth0 up");
        // A link that is not ready has no link-local address, and sends no question.
        eventually(|| {
            addresses("eth0")
                .iter()
                .any(Ipv6Addr::is_unicast_link_local)
                .then_some(())
        })
        .unwrap();
    })
    .unwrap();
    lab.line(&format!("ip address add {MACHINE}/64 dev eth2 nodad"));
    lab.line("ip link set eth2 up");
}

/// Whether the machine is found by who has forgotten it.
fn is_found(lab: &Lab) -> bool {
    netns::enter("asker", || lab.line("ip -6 neigh flush dev eth0")).unwrap();
    let door = Door {
        from: None,
        to: (MACHINE, OPEN).into(),
        protocol: Protocol::Tcp,
    };
    knock_by("asker", &door) == Knock::Answered
}

#[test]
fn a_snooping_switch_forgets_who_may_not_hear_it() {
    in_sandbox(|lab| {
        const ID: &str = "ipv6-multicast-listener-refused";
        lab.listen_everywhere(OPEN);
        bridge(lab);
        eventually(|| is_found(lab).then_some(())).expect("found without rules");
        Rules::good().without(Family::Ipv6, LISTENERS).load(lab);
        eventually(|| (!is_found(lab)).then_some(())).expect("lost without an answer to the switch");
        harmful(lab, &[]);
        finds(lab, ID, Severity::Risky);
        follow(lab, ID);
        eventually(|| is_found(lab).then_some(())).expect("found again");
        // And it stays so, for longer than the switch remembers.
        let until = std::time::Instant::now() + Duration::from_millis(2500);
        while std::time::Instant::now() < until {
            assert!(is_found(lab));
        }
        finds_no(lab, ID);
    });
}
