//! Who is where, and under which addresses.

/// A namespace: its name (none for the machine's), the interface its packets come in by, its addresses,
/// and those that only rulesets of real tools speak of.
#[derive(Debug)]
pub struct Place {
    pub name: &'static str,
    pub interface: &'static str,
    pub addresses: &'static [&'static str],
    pub more: &'static [&'static str],
}

/// Senders to whom there is another way back: what refuses them does not come to them.
pub const ELSEWHERE: [&str; 4] = ["192.168.7.77", "fd07::77", "100.64.0.9", "100.115.92.9"];

impl Place {
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.addresses.iter().chain(self.more).copied()
    }
}

pub const MACHINE: usize = 0;
pub const PLACES: [Place; 7] = [
    Place {
        name: "",
        interface: "lo",
        addresses: &[
            "127.0.0.1",
            "::1",
            "203.0.113.10",
            "2001:db8:1::10",
            "192.168.7.10",
            "fd07::10",
            "172.17.0.1",
            "fd17::1",
        ],
        more: &[
            "10.88.0.1",
            "fd00:d0c::1",
            "172.30.0.1",
            "10.90.0.1",
            "fd00:90::1",
            "192.168.122.1",
            "10.80.0.1",
            "fd00:80::1",
            "100.101.102.103",
            "fd7a:115c:a1e0::6701:6667",
            "10.9.0.1",
        ],
    },
    Place {
        name: "public",
        interface: "eth0",
        addresses: &[
            "203.0.113.1",
            "203.0.113.66",
            "198.51.100.7",
            "2001:db8:1::1",
            "2001:db8:1::66",
            "2001:db8:99::7",
            // Somebody else's, for whom there is another way back.
            "192.168.7.77",
            "fd07::77",
        ],
        more: &[
            "192.0.2.9",
            "203.0.113.5",
            "203.0.113.6",
            "203.0.113.7",
            "203.0.113.8",
            "203.0.113.9",
            "2001:db8:bad::5",
            "2001:db8:bad::6",
            "2001:db8:bad::8",
            "100.64.0.9",
            "100.115.92.9",
        ],
    },
    Place {
        name: "trusted",
        interface: "eth1",
        addresses: &["192.168.7.1", "fd07::1"],
        more: &["10.9.0.5"],
    },
    Place {
        name: "far",
        interface: "eth1",
        addresses: &["198.18.5.5", "fd05::5"],
        more: &[],
    },
    Place {
        name: "container",
        interface: "docker0",
        addresses: &["172.17.0.2", "fd17::2"],
        more: &["10.88.0.2", "10.88.0.5", "fd00:d0c::242:ac11:2"],
    },
    Place {
        name: "other",
        interface: "docker0",
        addresses: &["172.17.0.3", "fd17::3"],
        more: &[
            "172.17.0.4",
            "10.88.0.3",
            "10.88.0.4",
            "10.88.0.6",
            "10.88.0.7",
            "fd00:d0c::3",
        ],
    },
    // A bridge of whoever needs a second one.
    Place {
        name: "backend",
        interface: "br0",
        addresses: &["172.30.0.2", "fd00:90::2"],
        more: &[
            "172.30.0.3",
            "10.90.0.2",
            "10.90.0.3",
            "fd00:90::3",
            "192.168.122.5",
            "10.80.0.5",
            "fd00:80::5",
            "100.64.1.1",
            "fd7a:115c:a1e0::9",
        ],
    },
];
