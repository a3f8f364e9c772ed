//! Where packets go: routes, and what the kernel itself refuses on their way.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::Interface;

/// What a route does (`RTN_*` in linux/rtnetlink.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteKind {
    /// Forwards through an interface.
    Unicast,
    /// Delivers to this machine.
    Local,
    /// Delivers as a broadcast.
    Broadcast,
    /// Refuses: blackhole, unreachable, prohibit.
    None,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Where to.
    pub destination: IpNet,
    /// What it does.
    pub kind: RouteKind,
    /// The interface's index; 0 for none.
    pub interface: u32,
    /// Of several to the same destination the lowest wins.
    pub metric: u32,
}

/// The switches of one interface that decide over packets coming in by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Switches {
    /// `net.ipv4.conf.IF.forwarding`.
    pub forwards_ipv4: bool,
    /// `net.ipv6.conf.all.forwarding`.
    pub forwards_ipv6: bool,
    /// `net.ipv4.conf.{all,IF}.route_localnet`, either.
    pub routes_localnet: bool,
    /// `net.ipv4.conf.{all,IF}.rp_filter`, the greater: 0 off, 1 strict, 2 loose.
    pub reverse_path: u8,
}

/// The peers of a tunnel, as the kernel holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers {
    /// How many there are.
    pub count: usize,
    /// The networks they may send from, in order.
    pub networks: Vec<IpNet>,
    /// Whether there are more than were read.
    pub has_more: bool,
}

/// What of this machine decides over a packet besides its rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// The interfaces.
    pub interfaces: Vec<Interface>,
    /// The routes of the tables `local` and `main`.
    pub routes: Vec<Route>,
    /// The routers that default routes go through, by the interface's index.
    pub routers: BTreeMap<u32, Vec<IpAddr>>,
    /// Who is behind tunnels, by the interface's index, where the kernel tells.
    pub peers: BTreeMap<u32, Peers>,
    /// Whether other tables may decide (`ip rule`): then only local addresses are certain.
    pub has_policy_routing: bool,
    /// The switches, by the interface's name.
    pub switches: BTreeMap<String, Switches>,
    /// The time since 1970.
    pub now: Duration,
}

impl World {
    /// The interface of a name.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// The routers behind an interface.
    pub fn routers(&self, interface: &Interface) -> &[IpAddr] {
        self.routers.get(&interface.index).map_or(&[], Vec::as_slice)
    }

    /// The peers behind an interface; none where the kernel does not tell.
    pub fn peers(&self, interface: &Interface) -> Option<&Peers> {
        self.peers.get(&interface.index)
    }

    /// The interface of an index.
    pub fn interface_at(&self, index: u32) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.index == index)
    }

    /// The route of the longest prefix that holds an address.
    pub fn route(&self, to: IpAddr) -> Option<&Route> {
        self.routes
            .iter()
            .filter(|route| route.destination.contains(&to))
            .max_by_key(|route| (route.destination.prefix_len(), std::cmp::Reverse(route.metric)))
    }

    /// Whether an address is this machine's own.
    pub fn is_local(&self, address: IpAddr) -> bool {
        let is_own = |interface: &Interface| interface.addresses.iter().any(|net| net.addr() == address);
        address.is_loopback() || self.interfaces.iter().any(is_own)
    }
}
