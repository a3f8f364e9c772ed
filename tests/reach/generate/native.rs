//! Rules of nft.

use crate::case::{Case, Line, Spot};
use crate::dice::Dice;

use super::{HOSTS_V4, HOSTS_V6, NETS_V4, NETS_V6, port};

const BASES: [(&str, &str, &str); 12] = [
    ("pre", "prerouting", "filter"),
    ("early", "prerouting", "filter"),
    ("in", "input", "filter"),
    ("in2", "input", "filter"),
    ("through", "forward", "filter"),
    ("through2", "forward", "filter"),
    ("out", "output", "filter"),
    ("post", "postrouting", "filter"),
    ("dnat_in", "prerouting", "nat"),
    ("dnat_out", "output", "nat"),
    ("snat_out", "postrouting", "nat"),
    ("again", "output", "route"),
];

pub fn tables(dice: &mut Dice, case: &mut Case) {
    let mut used = Vec::new();
    for number in 0..1 + dice.below(3) {
        let family = dice.one(&["inet", "inet", "ip", "ip6"]);
        let name = format!("{family} t{number}");
        let mut text = format!("table {name} {{\n");
        if family != "ip6" {
            text.push_str(
                "set a4 { type ipv4_addr; flags interval; elements = { 203.0.113.64/27, 198.18.0.0/15, 172.17.0.3 } }\n\
                 set c4 { type ipv4_addr . inet_service; elements = { 203.0.113.66 . 80, 192.168.7.1 . 22 } }\n\
                 map d4 { type inet_service : ipv4_addr; elements = { 80 : 172.17.0.2, 8080 : 192.168.7.10 } }\n",
            );
        }
        if family != "ip" {
            text.push_str(
                "set a6 { type ipv6_addr; flags interval; elements = { 2001:db8:1::/65, fd05::/64, fd17::3 } }\n\
                 set c6 { type ipv6_addr . inet_service; flags interval; elements = { fd00::/8 . 80-443, 2001:db8:1::66 . 22 } }\n",
            );
        }
        text.push_str(
            "set ports { type inet_service; flags interval; elements = { 22, 80-443, 9000 } }\n\
             map vm { type inet_service : verdict; elements = { 22 : jump v1, 80 : accept, 9001 : drop, 443 : goto v2 } }\n\
             chain v0 { }\nchain v1 { }\nchain v2 { }\nchain d0 { }\n",
        );
        let mut chains: Vec<(&str, &str, &str)> = vec![
            ("v0", "", "filter"),
            ("v1", "", "filter"),
            ("v2", "", "filter"),
            ("d0", "", "nat"),
        ];
        for (chain, hook, kind) in BASES {
            if !dice.once_in(3) {
                continue;
            }
            // Of equal priorities which comes first is another matter.
            let priority = loop {
                let priority = match kind {
                    "nat" => dice.below(40) as i32 + if hook == "postrouting" { 90 } else { -130 },
                    _ => {
                        dice.one(&[-400, -310, -199, -160, -110, -99, -50, -10, 0, 10, 60, 200]) + dice.below(9) as i32
                    }
                };
                if !used.contains(&(hook, priority)) && priority != 0 && priority % 50 != 0 {
                    break priority;
                }
            };
            used.push((hook, priority));
            let may_drop = kind == "filter" && !matches!(hook, "output" | "postrouting" | "prerouting");
            let policy = if may_drop && dice.once_in(4) { "drop" } else { "accept" };
            text.push_str(&format!(
                "chain {chain} {{ type {kind} hook {hook} priority {priority}; policy {policy}; }}\n"
            ));
            chains.push((chain, hook, kind));
        }
        text.push_str("}\n");
        case.native.push(text);
        let spot = Spot::Native(case.native.len() - 1);
        for (chain, hook, kind) in chains {
            for _ in 0..super::length(dice, &spot) {
                let mut rule = Rule {
                    has_unknown: case.has_unknown,
                    dice,
                    family,
                    chain,
                    hook,
                    kind,
                };
                let text = format!("add rule {name} {chain} {}", rule.text());
                case.lines.push(Line {
                    spot: spot.clone(),
                    text,
                });
            }
        }
    }
}

struct Rule<'a> {
    has_unknown: bool,
    dice: &'a mut Dice,
    family: &'a str,
    chain: &'a str,
    hook: &'a str,
    kind: &'a str,
}

impl Rule<'_> {
    fn text(&mut self) -> String {
        let mut words = Vec::new();
        let protocol = self.dice.one(&["tcp", "tcp", "udp", "", "th"]);
        let is_v6 = match self.family {
            "ip" => false,
            "ip6" => true,
            _ => self.dice.once_in(2),
        };
        if self.kind == "nat" {
            return self.nat(is_v6);
        }
        match protocol {
            "" => {
                if self.dice.once_in(3) {
                    words.push(
                        self.dice
                            .one(&["meta l4proto tcp", "meta l4proto { tcp, udp }", "meta l4proto != udp"])
                            .to_owned(),
                    );
                }
            }
            "th" => {
                words.push("meta l4proto { tcp, udp }".to_owned());
                words.push(self.ports("th"));
            }
            protocol => words.push(self.ports(protocol)),
        }
        if self.dice.once_in(3) {
            words.push(self.interface());
        }
        if self.dice.once_in(3) {
            words.push(self.address(is_v6));
        }
        for _ in 0..2 {
            if self.dice.once_in(3) {
                words.push(self.other(is_v6));
            }
        }
        if self.dice.once_in(6) {
            words.push("counter".to_owned());
        }
        words.push(self.statement());
        // Of these two nft lists only the second, whatever the kernel holds.
        if words.iter().any(|word| word.contains("reject with tcp reset")) {
            words.retain(|word| !word.contains("nfproto"));
        }
        words.retain(|word| !word.is_empty());
        let mut text = words.join(" ");
        if text.is_empty() {
            "counter".clone_into(&mut text);
        }
        text
    }

    fn ports(&mut self, protocol: &str) -> String {
        let (one, other) = (port(self.dice), port(self.dice));
        let (low, high) = (one.min(other), one.max(other));
        match self.dice.below(9) {
            0 => format!("{protocol} dport != {one}"),
            1 if low < high => format!("{protocol} dport {low}-{high}"),
            2 if low < high => format!("{protocol} dport {{ {low}, {high} }}"),
            3 => format!("{protocol} dport != {{ 22, 1000-9000 }}"),
            4 => format!("{protocol} dport @ports"),
            5 => format!("{protocol} sport 20000-40000"),
            6 => format!("{protocol} dport < {one}"),
            7 if protocol == "tcp" => self
                .dice
                .one(&[
                    "tcp flags syn",
                    "tcp flags & (fin|syn|rst|ack) == syn",
                    "tcp flags != ack",
                    "tcp flags syn / syn,ack",
                ])
                .to_owned(),
            _ => format!("{protocol} dport {one}"),
        }
    }

    fn interface(&mut self) -> String {
        let way = match self.hook {
            "prerouting" | "input" => "iifname",
            "output" | "postrouting" => "oifname",
            _ => self.dice.one(&["iifname", "iifname", "oifname"]),
        };
        let not = if self.dice.once_in(4) { "!= " } else { "" };
        match self.dice.below(6) {
            0 => format!("{way} {not}\"eth*\""),
            1 => format!("{way} {not}{{ \"eth0\", \"lo\" }}"),
            2 => format!("{} {not}\"docker0\"", &way[..3]),
            _ => format!("{way} {not}\"{}\"", self.dice.one(&["eth0", "eth1", "docker0", "lo"])),
        }
    }

    fn address(&mut self, is_v6: bool) -> String {
        let (word, host, net, range, set, key) = match is_v6 {
            false => (
                "ip",
                self.dice.one(&HOSTS_V4),
                self.dice.one(&NETS_V4),
                "198.0.0.1-203.0.113.20",
                "a4",
                "c4",
            ),
            true => (
                "ip6",
                self.dice.one(&HOSTS_V6),
                self.dice.one(&NETS_V6),
                "2001:db8:1::1-2001:db8:1::50",
                "a6",
                "c6",
            ),
        };
        let not = if self.dice.once_in(4) { "!= " } else { "" };
        match self.dice.below(9) {
            0 | 1 => format!("{word} saddr {not}{host}"),
            2 => format!("{word} saddr {not}{net}"),
            3 => format!("{word} daddr {not}{host}"),
            4 => format!("{word} saddr {not}{range}"),
            5 => format!("{word} saddr {not}@{set}"),
            6 => format!("{word} saddr {not}{{ {host}, {net} }}")
                .replace(&format!("{{ {host}, {net} }}"), &format!("{{ {net} }}")),
            7 => format!("{word} saddr . tcp dport {not}@{key}"),
            _ => format!("{word} daddr {not}{net}"),
        }
    }

    fn other(&mut self, is_v6: bool) -> String {
        let not = if self.dice.once_in(4) { "!= " } else { "" };
        let number = port(self.dice);
        let (word, host) = match is_v6 {
            false => ("ip", self.dice.one(&HOSTS_V4)),
            true => ("ip6", self.dice.one(&HOSTS_V6)),
        };
        let may_fib_in = matches!(self.hook, "prerouting" | "input" | "forward");
        match self.dice.below(18) {
            0 | 1 => format!(
                "ct state {not}{}",
                self.dice.one(&[
                    "new",
                    "established,related",
                    "invalid",
                    "{ new, untracked }",
                    "untracked"
                ])
            ),
            2 => self
                .dice
                .one(&["ct status dnat", "ct status & dnat == dnat", "ct status & dnat == 0"])
                .to_owned(),
            3 => format!("ct direction {}", self.dice.one(&["original", "reply"])),
            4 => format!("meta l4proto tcp ct original proto-dst {not}{number}"),
            5 => format!("ct original {word} daddr {not}{host}"),
            6 => format!(
                "meta mark {}",
                self.dice.one(&["1", "& 0xff == 1", "!= 0", "& 0x2 == 0"])
            ),
            7 => format!("ct mark {}", self.dice.one(&["1", "& 0xff == 1", "!= 0"])),
            8 if !self.hook.is_empty() || self.dice.once_in(2) => format!(
                "fib daddr type {not}{}",
                self.dice.one(&["local", "local", "unicast", "{ local, broadcast }"])
            ),
            9 => format!("fib saddr type {not}{}", self.dice.one(&["local", "unicast"])),
            10 if may_fib_in => format!("fib saddr . iif oif {}", self.dice.one(&["missing", "exists"])),
            11 if may_fib_in && self.hook != "forward" => format!("fib daddr . iif type {not}local"),
            12 => self
                .dice
                .one(&[
                    "limit rate 1000/second burst 10000 packets",
                    "limit rate over 1000/second burst 10000 packets",
                ])
                .to_owned(),
            13 if self.family == "inet" => format!("meta nfproto {not}{}", self.dice.one(&["ipv4", "ipv6"])),
            14 => format!(
                "meta pkttype {}",
                self.dice.one(&["host", "!= host", "{ host, broadcast }"])
            ),
            15 if self.has_unknown => self
                .dice
                .one(&["meta length < 1000", "numgen random mod 2 0", "meta length > 1000"])
                .to_owned(),
            16 => "ct count over 3000".to_owned(),
            _ => String::new(),
        }
    }

    /// The end of a rule: where it leads.
    fn statement(&mut self) -> String {
        let users: &[&str] = match self.chain {
            "v0" => &["v1", "v2"],
            "v1" => &["v2"],
            "v2" => &[],
            _ if matches!(self.hook, "output" | "postrouting") => &[],
            _ => &["v0", "v1", "v2"],
        };
        if !users.is_empty() && self.dice.once_in(4) {
            let way = self.dice.one(&["jump", "jump", "goto"]);
            return format!("{way} {}", self.dice.one(users));
        }
        // What leaves the machine are also its refusals and answers: let them be.
        let is_out = matches!(self.hook, "output" | "postrouting");
        match self.dice.below(14) {
            0..4 => "accept".to_owned(),
            4 if self.hook == "output" => "oifname \"lo\" drop".to_owned(),
            _ if is_out => self
                .dice
                .one(&["accept", "meta mark set 1", "ct mark set 1"])
                .to_owned(),
            4 | 5 => "drop".to_owned(),
            6 | 7 if matches!(self.hook, "input" | "forward" | "prerouting") => {
                let prohibited = self.prohibited();
                self.dice
                    .one(&["reject", "meta l4proto tcp reject with tcp reset", prohibited])
                    .to_owned()
            }
            8 => "return".to_owned(),
            9 => "continue".to_owned(),
            10 => self
                .dice
                .one(&[
                    "meta mark set 1",
                    "meta mark set mark or 0x2",
                    "ct mark set 1",
                    "ct mark set mark",
                    "meta mark set ct mark",
                ])
                .to_owned(),
            11 if self.chain == "early" || self.chain == "pre" => "notrack".to_owned(),
            12 if !matches!(self.chain, "v1" | "v2") => self
                .dice
                .one(&[
                    "tcp dport vmap @vm",
                    "tcp dport vmap { 22 : accept, 443 : drop, 8080 : return }",
                    "iifname vmap { \"eth0\" : jump v2, \"lo\" : accept }",
                    "ct state vmap { new : jump v1, established : accept, invalid : drop }",
                    "meta l4proto . th dport vmap { tcp . 80 : accept, udp . 53 : drop }",
                ])
                .to_owned(),
            _ => String::new(),
        }
    }

    /// A refusal by ICMP, as the family's tables have it.
    fn prohibited(&self) -> &'static str {
        match self.family {
            "ip" => "reject with icmp admin-prohibited",
            "ip6" => "reject with icmpv6 admin-prohibited",
            _ => "reject with icmpx admin-prohibited",
        }
    }

    fn nat(&mut self, is_v6: bool) -> String {
        let number = port(self.dice);
        let target = port(self.dice);
        let (container, to) = match is_v6 {
            false => ("172.17.0.2", "ip"),
            true => ("fd17::2", "ip6"),
        };
        let to = if self.family == "inet" {
            format!("dnat {to} to")
        } else {
            "dnat to".to_owned()
        };
        let shown = if is_v6 {
            format!("[{container}]")
        } else {
            container.to_owned()
        };
        let protocol = self.dice.one(&["tcp", "tcp", "udp"]);
        let mut text = match self.dice.below(3) {
            0 => self.interface() + " ",
            1 => self.address(is_v6) + " ",
            _ => String::new(),
        };
        text.push_str(&match (self.hook, self.dice.below(7)) {
            ("postrouting", 0) => "masquerade".to_owned(),
            ("postrouting", _) => self
                .dice
                .one(&["oifname \"eth0\" masquerade", "accept", "return"])
                .to_owned(),
            (_, 0 | 1) => format!("{protocol} dport {number} {to} {shown}:{target}"),
            (_, 2) => format!("{protocol} dport {number} {to} {container}"),
            (_, 3) => format!("{protocol} dport {number} redirect to :{target}"),
            (_, 4) if !is_v6 => format!("{to} tcp dport map @d4"),
            ("", _) => format!("{protocol} dport {number} return"),
            (_, 5) => format!("{protocol} dport {number} jump d0"),
            _ => format!("{protocol} dport {number} accept"),
        });
        text
    }
}
