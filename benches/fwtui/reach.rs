//! Who can connect, through rules of every tool: single packets, and the whole list.

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fwtui::core::listener::{Family, Protocol};
use fwtui::core::netfilter::{Engine, Netfilter, json, save};
use fwtui::core::network::{Interface, InterfaceKind, Route, RouteKind, Switches, World};
use fwtui::core::overview::{Judged, Scene};
use fwtui::core::policy::{Decision, Entry, Policy};
use fwtui::core::reach::{Filter, Probe, Rules};
use fwtui::core::ruleset::{SavedTables, compile};
use fwtui::core::service::Service;

use crate::table::{Table, median, milliseconds};

const WALKS: u32 = 200_000;
const ROUNDS: usize = 9;
const MANY: u32 = 10_000;
const SERVICES: u16 = 200;
const AT_MOST: Duration = Duration::from_millis(50);

pub fn measure(table: &mut Table) {
    let world = machine();
    walks(table, &world);
    let hosts = many(|n| format!("-s 10.{}.{}.7/32 -j DROP", n / 250, n % 250));
    let hosts6 = many(|n| format!("-s 2001:db8:ffff:{n:x}::7/128 -j DROP"));
    rows(table, &world, "10000 sources dropped", &kernel(&hosts, &hosts6));
    let ports = many(|n| {
        let target = if n % 2 == 0 { "ACCEPT" } else { "DROP" };
        format!("-p tcp -m tcp --dport {} -j {target}", 1 + n)
    });
    rows(table, &world, "10000 ports decided", &kernel(&ports, &ports));
    let listed = listed();
    let taken = taken(|| {
        black_box(json::parse(&listed).unwrap());
    });
    table.figure("reach: parse nft -j, 10000 rules", milliseconds(taken));
}

fn walks(table: &mut Table, world: &World) {
    let netfilter = kernel(&mixture(), "");
    let rules = Rules::new(&netfilter, world);
    let to = IpAddr::from([192, 0, 2, 1]);
    let sources = [[198, 51, 100, 7], [192, 0, 2, 77], [10, 1, 3, 9]].map(IpAddr::from);
    let probes: Vec<Probe<'_>> = sources
        .into_iter()
        .flat_map(|from| [22, 80, 1031, 5432, 9999].map(|port| Probe::opening("eth0", from, to, Protocol::Tcp, port)))
        .collect();
    let taken = taken(|| {
        for probe in probes.iter().cycle().take(WALKS as usize) {
            black_box(rules.walk(black_box(probe), false));
        }
    });
    let a_second = f64::from(WALKS) / taken.as_secs_f64();
    table.single(
        "reach: packets through 100 rules",
        format!("{:.2} M/s", a_second / 1e6),
        ">= 1 M/s",
        a_second >= 1e6,
    );
}

fn rows(table: &mut Table, world: &World, what: &str, netfilter: &Netfilter) {
    let mut policy = Policy::default();
    let mut services = Vec::new();
    for n in 0..SERVICES {
        let id: fwtui::core::service::ServiceId = format!("{}/tcp", 20_000 + n * 7).parse().unwrap();
        let decision = [Decision::Open, Decision::Trusted, Decision::Confine][usize::from(n % 3)];
        let entry = Entry {
            decision,
            from: Vec::new(),
        };
        policy.decide(id.clone(), entry).unwrap();
        services.push(Arc::new(Service::absent(id)));
    }
    let filter = Filter::default();
    let candidate = compile(&policy, &world.interfaces);
    let scene = Scene {
        services: &services,
        interfaces: &world.interfaces,
        filter: Some(&filter),
        netfilter: Some(netfilter),
        world,
        confirmed: None,
        listened: None,
        counters: None,
    };
    let (mut copying, mut preparing, mut asking) = (Vec::new(), Vec::new(), Vec::new());
    let taken = taken(|| {
        let start = Instant::now();
        let judged = Judged::new(scene, &policy, &candidate);
        copying.push(start.elapsed());
        let start = Instant::now();
        let (now, after) = judged.judges();
        preparing.push(start.elapsed());
        let start = Instant::now();
        black_box(scene.rows_by(&policy, &now, &after));
        asking.push(start.elapsed());
    });
    table.single(
        &format!("reach: 200 services, {what}"),
        milliseconds(taken),
        format!("<= {}", milliseconds(AT_MOST)),
        taken <= AT_MOST,
    );
    table.figure("  the rules as they will be", milliseconds(median(copying)));
    table.figure("  judges, now and after", milliseconds(median(preparing)));
    table.figure("  rows", milliseconds(median(asking)));
}

fn taken(mut work: impl FnMut()) -> Duration {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    median((0..ROUNDS).map(once).collect())
}

/// Five interfaces beside loopback, with both families.
fn machine() -> World {
    let mut world = World::default();
    let mut add = |index: u32, name: &str, nets: [&str; 2]| {
        let nets = nets.map(|net| net.parse::<ipnet::IpNet>().unwrap());
        let kind = match index {
            1 => InterfaceKind::Loopback,
            _ => InterfaceKind::Ethernet,
        };
        let on_link: Vec<ipnet::IpNet> = match index {
            1 => Vec::new(),
            _ => nets.iter().map(ipnet::IpNet::trunc).collect(),
        };
        world.routes.extend(on_link.iter().map(|net| route(*net, index)));
        world.switches.insert(name.into(), Switches::default());
        world.interfaces.push(Interface {
            index,
            name: name.into(),
            kind,
            driver: None,
            addresses: nets.into(),
            on_link,
            changing: Vec::new(),
            is_up: true,
            has_default_route: index == 2,
            has_physical_port: index != 1,
        });
    };
    add(1, "lo", ["127.0.0.1/8", "::1/128"]);
    add(2, "eth0", ["192.0.2.1/24", "2001:db8::1/64"]);
    add(3, "eth1", ["10.1.0.1/16", "2001:db8:1::1/64"]);
    add(4, "eth2", ["10.2.0.1/16", "2001:db8:2::1/64"]);
    add(5, "eth3", ["172.16.0.1/24", "2001:db8:3::1/64"]);
    add(6, "eth4", ["172.17.0.1/24", "2001:db8:4::1/64"]);
    world.routes.push(route("0.0.0.0/0".parse().unwrap(), 2));
    world.routes.push(route("::/0".parse().unwrap(), 2));
    world
}

fn route(destination: ipnet::IpNet, interface: u32) -> Route {
    Route {
        destination,
        kind: RouteKind::Unicast,
        interface,
        metric: 0,
    }
}

pub fn kernel(ipv4: &str, ipv6: &str) -> Netfilter {
    let tables = |text: &str, family| save::tables(&SavedTables::parse(text).unwrap(), Engine::Nft, family, &[]);
    Netfilter {
        tables: [tables(ipv4, Family::Ipv4), tables(ipv6, Family::Ipv6)].concat(),
    }
}

pub fn many(rule: impl Fn(u32) -> String) -> String {
    let mut text = "*filter\n:INPUT ACCEPT [0:0]\n".to_owned();
    for n in 0..MANY {
        writeln!(text, "-A INPUT {}", rule(n)).unwrap();
    }
    text + "COMMIT\n"
}

/// A hundred rules as a server has them: states, sources, ports, chains of its own.
fn mixture() -> String {
    let mut text = "*filter\n:INPUT DROP [0:0]\n:early - [0:0]\n:user - [0:0]\n:late - [0:0]\n\
        -A INPUT -j early\n-A INPUT -j user\n-A INPUT -j late\n\
        -A early -i lo -j ACCEPT\n\
        -A early -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
        -A early -m conntrack --ctstate INVALID -j DROP\n\
        -A early -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT\n"
        .to_owned();
    for n in 0..30 {
        writeln!(text, "-A early -s 203.0.{n}.0/24 -j DROP").unwrap();
        writeln!(text, "-A user -p tcp -m tcp --dport {} -j ACCEPT", 1000 + n).unwrap();
        writeln!(text, "-A user -s 10.1.{n}.0/24 -p tcp -m tcp --dport 5432 -j ACCEPT").unwrap();
    }
    text + "-A user -p tcp -m multiport --dports 22,80,443 -j ACCEPT\n\
        -A late -m addrtype --dst-type BROADCAST -j DROP\n\
        -A late -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n"
}

fn listed() -> String {
    let mut text = r#"{"nftables":[{"metainfo":{"version":"1.0.9","json_schema_version":1}},{"table":{"family":"inet","name":"t","handle":1}},{"chain":{"family":"inet","table":"t","name":"in","handle":1,"type":"filter","hook":"input","prio":0,"policy":"accept"}}"#
        .to_owned();
    for n in 0..MANY {
        write!(
            text,
            r#",{{"rule":{{"family":"inet","table":"t","chain":"in","handle":{},"expr":[{{"match":{{"op":"==","left":{{"payload":{{"protocol":"tcp","field":"dport"}}}},"right":{}}}}},{{"counter":{{"packets":0,"bytes":0}}}},{{"drop":null}}]}}}}"#,
            n + 2,
            n + 1
        )
        .unwrap();
    }
    text + "]}"
}
