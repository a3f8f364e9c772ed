//! Rules of iptables.

use fwtui::core::listener::Family;

use crate::case::{Case, Line, Spot, TABLES, built_in};
use crate::dice::Dice;

use super::{container, hosts, length, nets, port};

pub fn ipsets(case: &mut Case) {
    case.ipsets = "create s4 hash:ip family inet\nadd s4 203.0.113.66\nadd s4 172.17.0.3\n\
        create n4 hash:net family inet\nadd n4 198.18.0.0/15\nadd n4 203.0.113.0/24\nadd n4 203.0.113.64/27 nomatch\n\
        create p4 hash:ip,port family inet\nadd p4 203.0.113.66,tcp:80\nadd p4 192.168.7.1,udp:53\n\
        create b4 bitmap:port range 0-1024\nadd b4 22\nadd b4 80-100\n\
        create s6 hash:ip family inet6\nadd s6 2001:db8:1::66\nadd s6 fd17::3\n\
        create n6 hash:net family inet6\nadd n6 fd00::/8\nadd n6 fd05::/64 nomatch\n\
        create p6 hash:ip,port family inet6\nadd p6 fd07::1,tcp:80\nadd p6 fd07::1,udp:53\n"
        .to_owned();
}

pub fn tables(dice: &mut Dice, case: &mut Case, is_legacy: bool, family: Family) {
    for table in TABLES {
        let often = match table {
            "filter" => 1,
            "nat" => 2,
            _ => 4,
        };
        if !dice.once_in(often) {
            continue;
        }
        let spot = Spot::Saved {
            is_legacy,
            family,
            table,
        };
        let mut declared = Vec::new();
        for chain in built_in(table) {
            let may_drop = table == "filter" && *chain != "OUTPUT";
            let policy = if may_drop && dice.once_in(4) { "DROP" } else { "ACCEPT" };
            declared.push(format!(":{chain} {policy}"));
        }
        // User chains only lead on to later ones; those of nat know where they are reached from.
        let users: &[&str] = match table {
            "nat" => &["D0", "D1", "S0"],
            _ => &["U0", "U1", "U2"],
        };
        declared.extend(users.iter().map(|user| format!(":{user} -")));
        for chain in built_in(table).iter().chain(users) {
            for _ in 0..length(dice, &spot) {
                let rule = Rule {
                    case,
                    dice,
                    family,
                    table,
                    chain,
                };
                if let Some(text) = rule.text() {
                    case.lines.push(Line {
                        spot: spot.clone(),
                        text,
                    });
                }
            }
        }
        case.saved.insert(spot, declared);
    }
}

struct Rule<'a> {
    case: &'a Case,
    dice: &'a mut Dice,
    family: Family,
    table: &'a str,
    chain: &'a str,
}

impl Rule<'_> {
    fn text(mut self) -> Option<String> {
        let protocol = self.dice.one(&[
            "", "", "-p tcp", "-p tcp", "-p tcp", "-p udp", "-p udp", "! -p udp", "-p 6",
        ]);
        let target = self.target(protocol)?;
        let mut words = vec![format!("-A {}", self.chain)];
        let has_ports = matches!(protocol, "-p tcp" | "-p udp");
        let protocol = match protocol {
            "" if target.1 => self.dice.one(&["-p tcp", "-p udp"]),
            protocol => protocol,
        };
        words.push(protocol.to_owned());
        if has_ports && self.dice.below(4) > 0 {
            words.push(self.ports());
        }
        if protocol == "-p tcp" && self.dice.once_in(8) {
            words.push(
                self.dice
                    .one(&[
                        "--syn",
                        "! --syn",
                        "--tcp-flags SYN,ACK SYN",
                        "--tcp-flags ALL NONE",
                        "! --tcp-flags FIN,SYN SYN",
                    ])
                    .to_owned(),
            );
        }
        if self.dice.once_in(3) {
            words.push(self.interface());
        }
        if self.dice.once_in(3) {
            words.push(self.address());
        }
        for _ in 0..2 {
            if self.dice.once_in(3) {
                words.push(self.other());
            }
        }
        words.push(target.0);
        words.retain(|word| !word.is_empty());
        Some(words.join(" "))
    }

    fn ports(&mut self) -> String {
        let (one, other) = (port(self.dice), port(self.dice));
        let not = if self.dice.once_in(5) { "! " } else { "" };
        let (low, high) = (one.min(other), one.max(other));
        match self.dice.below(8) {
            0 => format!("{not}--dport {low}:{high}"),
            1 => format!("-m multiport {not}--dports {one},{other},1000:9000"),
            2 => format!("{not}--sport {low}:40000"),
            3 => format!("-m multiport {not}--ports {one},{other}"),
            4 => format!("-m multiport {not}--sports 20000:30000,{one}"),
            _ => format!("{not}--dport {one}"),
        }
    }

    fn interface(&mut self) -> String {
        let (may_in, may_out) = match self.chain {
            "PREROUTING" | "INPUT" => (true, false),
            "OUTPUT" | "POSTROUTING" => (false, true),
            "FORWARD" | "U0" | "U1" | "U2" => (true, true),
            _ => (false, false),
        };
        let name = self.dice.one(&["eth0", "eth1", "docker0", "eth+", "lo", "+"]);
        let not = if self.dice.once_in(4) && name != "+" { "! " } else { "" };
        match (may_in, may_out) {
            (true, true) if self.dice.once_in(3) => format!("{not}-o {name}"),
            (true, _) => format!("{not}-i {name}"),
            (false, true) => format!("{not}-o {name}"),
            (false, false) => String::new(),
        }
    }

    fn address(&mut self) -> String {
        let not = if self.dice.once_in(4) { "! " } else { "" };
        let (host, net) = (self.dice.one(hosts(self.family)), self.dice.one(nets(self.family)));
        let range = match self.family {
            Family::Ipv4 => "198.0.0.1-203.0.113.20",
            Family::Ipv6 => "2001:db8:1::1-2001:db8:1::50",
        };
        match self.dice.below(8) {
            0..3 => format!("{not}-s {host}"),
            3 | 4 => format!("{not}-s {net}"),
            5 => format!("{not}-d {host}"),
            6 => format!("{not}-d {net}"),
            _ if self.dice.once_in(2) => format!("-m iprange {not}--src-range {range}"),
            _ => format!("-m iprange {not}--dst-range {range}"),
        }
    }

    /// Any other match.
    fn other(&mut self) -> String {
        let not = if self.dice.once_in(4) { "! " } else { "" };
        let is_v4 = self.family == Family::Ipv4;
        let host = self.dice.one(hosts(self.family));
        let number = port(self.dice);
        let family = if is_v4 { "4" } else { "6" };
        match self.dice.below(17) {
            0 => format!("-m conntrack {not}--ctstate {}", self.state()),
            1 => format!("-m state {not}--state {}", self.dice.one(&["NEW", "INVALID,UNTRACKED", "RELATED,ESTABLISHED"])),
            2 => format!("-m conntrack --ctorigdst {host}"),
            3 => format!("-m conntrack --ctproto {} {not}--ctorigdstport {number}", self.dice.one(&["tcp", "udp"])),
            4 => format!("-m conntrack --ctdir {}", self.dice.one(&["ORIGINAL", "REPLY"])),
            5 => format!("-m conntrack {not}--ctstatus {}", self.dice.one(&["NONE", "CONFIRMED", "ASSURED", "SEEN_REPLY"])),
            6 => {
                let end = self.dice.one(&["dst", "src"]);
                let kind = match self.dice.one(&["LOCAL", "LOCAL", "UNICAST", "UNICAST,LOCAL"]) {
                    // For IPv6 the two together mean something else.
                    "UNICAST,LOCAL" if !is_v4 => "UNICAST",
                    kind => kind,
                };
                let limit = match (self.chain, end) {
                    ("PREROUTING" | "INPUT", _) if self.dice.once_in(5) => " --limit-iface-in",
                    _ => "",
                };
                format!("-m addrtype {not}--{end}-type {kind}{limit}")
            }
            7 => format!("-m mark {not}--mark {}", self.dice.one(&["0x1", "0x1/0xff", "0x0/0x2", "0x3/0x3"])),
            8 => format!("-m connmark {not}--mark {}", self.dice.one(&["0x1", "0x1/0xff", "0x0/0x2"])),
            9 => "-m limit --limit 1000/sec --limit-burst 10000".to_owned(),
            10 => match self.dice.below(2) {
                0 => "-m hashlimit --hashlimit-upto 1000/sec --hashlimit-burst 10000 --hashlimit-mode srcip --hashlimit-name up"
                    .to_owned(),
                _ => "-m hashlimit --hashlimit-above 1000/sec --hashlimit-burst 10000 --hashlimit-mode srcip --hashlimit-name over"
                    .to_owned(),
            },
            11 => self
                .dice
                .one(&[
                    "-m recent --set --name met",
                    "-m recent --rcheck --name nobody",
                    "-m recent --update --seconds 60 --name nobody",
                    "-m recent ! --rcheck --name nobody",
                ])
                .to_owned(),
            12 => {
                let mask = if is_v4 { 32 } else { 128 };
                let way = self.dice.one(&["above", "upto"]);
                format!("-m connlimit --connlimit-{way} 3000 --connlimit-mask {mask}")
            }
            13 => "-m comment --comment \"a -j DROP in words\"".to_owned(),
            14 if !self.case.ipsets.is_empty() => match self.dice.below(4) {
                0 => format!("-m set {not}--match-set s{family} src"),
                1 => format!("-m set {not}--match-set n{family} src"),
                2 => format!("-m set {not}--match-set p{family} src,dst"),
                _ if is_v4 => format!("-m set {not}--match-set b4 dst"),
                _ => format!("-m set {not}--match-set s6 dst"),
            },
            15 if self.case.has_unknown => self
                .dice
                .one(&[
                    "-m length --length 0:1000",
                    "-m statistic --mode random --probability 0.5",
                    "-m tos --tos 0x00/0x3f",
                ])
                .to_owned(),
            16 if matches!((self.table, self.chain), ("raw" | "mangle", "PREROUTING")) => self
                .dice
                .one(&["-m rpfilter", "-m rpfilter --invert", "-m rpfilter --loose"])
                .to_owned(),
            _ => self.dice.one(&["-m pkttype --pkt-type unicast", "-m pkttype ! --pkt-type broadcast"]).to_owned(),
        }
    }

    fn state(&mut self) -> &'static str {
        self.dice.one(&[
            "NEW",
            "NEW",
            "RELATED,ESTABLISHED",
            "INVALID",
            "UNTRACKED",
            "DNAT",
            "SNAT",
            "NEW,DNAT",
            "INVALID,NEW",
        ])
    }

    /// Where it leads; and whether it needs a protocol with ports.
    fn target(&mut self, protocol: &str) -> Option<(String, bool)> {
        let users: &[&str] = match (self.table, self.chain) {
            ("nat", "PREROUTING" | "OUTPUT") => &["D0", "D1"],
            ("nat", "D0") => &["D1"],
            ("nat", "POSTROUTING") => &["S0"],
            ("nat", _) => &[],
            (_, "U0") => &["U1", "U2"],
            (_, "U1") => &["U2"],
            (_, "U2" | "OUTPUT" | "POSTROUTING") => &[],
            _ => &["U0", "U1", "U2"],
        };
        if !users.is_empty() && self.dice.once_in(4) {
            let way = self.dice.one(&["-j", "-j", "-g"]);
            return Some((format!("{way} {}", self.dice.one(users)), false));
        }
        // What leaves the machine are also its refusals and answers: let them be.
        let is_out = matches!(self.chain, "OUTPUT" | "POSTROUTING");
        let text = match self.table {
            "filter" => match self.dice.below(10) {
                0..4 => "-j ACCEPT".to_owned(),
                4 | 5 if self.chain == "OUTPUT" => "-m addrtype --dst-type LOCAL -j DROP".to_owned(),
                _ if is_out => "-j ACCEPT".to_owned(),
                4 | 5 => "-j DROP".to_owned(),
                6 | 7 => self.reject(protocol),
                8 => "-j RETURN".to_owned(),
                _ => String::new(),
            },
            "nat" => return self.nat(),
            "raw" => match self.dice.below(5) {
                0 => "-j ACCEPT".to_owned(),
                1 if !is_out && !self.chain.starts_with('U') => "-j DROP".to_owned(),
                2 if !is_out => "-j CT --notrack".to_owned(),
                3 => "-j RETURN".to_owned(),
                _ => String::new(),
            },
            "mangle" => match self.dice.below(9) {
                0 => "-j ACCEPT".to_owned(),
                1 if !is_out && !self.chain.starts_with('U') => "-j DROP".to_owned(),
                2 => "-j RETURN".to_owned(),
                3 => format!(
                    "-j MARK {}",
                    self.dice.one(&[
                        "--set-mark 1",
                        "--set-xmark 0x3/0x2",
                        "--or-mark 2",
                        "--and-mark 1",
                        "--xor-mark 1"
                    ])
                ),
                4 => format!(
                    "-j CONNMARK {}",
                    self.dice.one(&["--set-mark 1", "--set-xmark 0x2/0xff"])
                ),
                5 => "-j CONNMARK --save-mark".to_owned(),
                6 => "-j CONNMARK --restore-mark".to_owned(),
                7 => "-j MARK --set-mark 1".to_owned(),
                _ => String::new(),
            },
            _ => match self.dice.below(3) {
                0 => "-j ACCEPT".to_owned(),
                1 => "-j RETURN".to_owned(),
                _ => String::new(),
            },
        };
        Some((text, false))
    }

    fn reject(&mut self, protocol: &str) -> String {
        if matches!(protocol, "-p tcp" | "-p 6") && self.dice.once_in(3) {
            return "-j REJECT --reject-with tcp-reset".to_owned();
        }
        let with = match self.family {
            Family::Ipv4 => self.dice.one(&[
                "",
                " --reject-with icmp-admin-prohibited",
                " --reject-with icmp-host-unreachable",
            ]),
            Family::Ipv6 => self.dice.one(&[
                "",
                " --reject-with icmp6-adm-prohibited",
                " --reject-with icmp6-addr-unreachable",
            ]),
        };
        format!("-j REJECT{with}")
    }

    fn nat(&mut self) -> Option<(String, bool)> {
        let target = port(self.dice);
        let container = match self.family {
            Family::Ipv4 => container(self.family).to_owned(),
            Family::Ipv6 => format!("[{}]", container(self.family)),
        };
        let text = match self.chain {
            "INPUT" => return None,
            "POSTROUTING" | "S0" => match self.dice.below(3) {
                0 => return Some(("-j MASQUERADE".to_owned(), false)),
                1 => "-j ACCEPT",
                _ => "-j RETURN",
            },
            _ => match self.dice.below(7) {
                0 | 1 => return Some((format!("-j DNAT --to-destination {container}:{target}"), true)),
                2 => {
                    return Some((
                        format!("-j DNAT --to-destination {}", super::container(self.family)),
                        false,
                    ));
                }
                3 => return Some((format!("-j DNAT --to-destination :{target}"), true)),
                4 => return Some((format!("-j REDIRECT --to-ports {target}"), true)),
                5 => "-j ACCEPT",
                _ => "-j RETURN",
            },
        };
        Some((text.to_owned(), false))
    }
}
