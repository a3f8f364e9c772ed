//! What others put into the kernel is theirs: the same before, during and after, and it has its say.

use std::process::{Child, Command, Stdio};

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};

use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::policy;

/// What fail2ban, docker, ufw and an admin with taste leave in a filter table; BANNED is a
/// network of the family's.
const FILTER: &str = r#"*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:f2b-sshd - [0:0]
:ufw-before-input - [0:0]
:ufw-user-input - [0:0]
-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
-A INPUT -j ufw-before-input
-A INPUT -m recent --update --seconds 60 --hitcount 4 --name SSH --rsource -j DROP
-A INPUT -m u32 --u32 "0x0>>0x16&0x3c@0x4=0x29" -j DROP
-A INPUT -p tcp -m string --string "it's \"quoted\" \\ here" --algo bm --to 65535 -j DROP
-A INPUT -p tcp --dport 9 -m comment --comment "it's an \"admin's\" rule -j FWTUI-INPUT" -j DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER
-A DOCKER-USER -j RETURN
-A f2b-sshd -s BANNED -j REJECT
-A f2b-sshd -j RETURN
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-user-input -p tcp -m tcp --dport 8080 -j ACCEPT
COMMIT
"#;

/// Docker's for a published port.
const NAT: &str = "*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8090 -j DNAT --to-destination 172.17.0.2:80
COMMIT
";

/// Native rules beside them.
const NATIVE: &str = "table inet theirs {
    set banned { type ipv4_addr; flags interval; elements = { 192.0.2.0/25, 198.51.100.7 } }
    set slow { type ipv4_addr; flags timeout; timeout 1h; elements = { 192.0.2.200 expires 50m } }
    map ports { type inet_service : verdict; elements = { 25 : drop, 26 : accept } }
    counter refused { packets 0 bytes 0 }
    chain input { type filter hook input priority 10; policy accept;
        ip saddr @banned drop
        tcp dport vmap @ports
        ct state invalid counter name refused drop
    }
}
table netdev early {
    chain in { type filter hook ingress device eth0 priority 0; policy accept; }
}
";

/// The owner of a native table, alive as long as this.
struct Owner(Child);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn settle_in(lab: &Lab, suffix: &str) -> Owner {
    for (stem, network) in [("iptables", "192.0.2.66/32"), ("ip6tables", "2001:db8::66/128")] {
        let restore = format!("{stem}{suffix}-restore");
        lab.feed(&[&restore], &FILTER.replace("BANNED", network));
    }
    lab.feed(&[&format!("iptables{suffix}-restore"), "--noflush"], NAT);
    lab.feed(&["nft", "-f", "-"], NATIVE);
    let mut nft = Command::new("nft");
    let mut owner = nft
        .arg("-i")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let table = b"add table inet owned { flags owner; }\nadd chain inet owned c\nadd rule inet owned c drop\n";
    std::io::Write::write_all(owner.stdin.as_mut().unwrap(), table).unwrap();
    // It loads one line after the other.
    let is_loaded = || {
        let ruleset = lab.line("nft list ruleset");
        let (_, rest) = ruleset.split_once("table inet owned")?;
        rest.contains("drop").then_some(())
    };
    eventually(is_loaded).unwrap();
    Owner(owner)
}

/// Everything that is not fwtui's, from every tool.
fn everything(lab: &Lab) -> String {
    let native = ["inet theirs", "netdev early", "inet owned"].map(|table| {
        lab.line(&format!("nft -s list table {table}"))
            .replace(|c: char| c.is_ascii_digit(), "#")
    });
    lab.foreign() + &native.concat()
}

/// The whole life of fwtui beside them.
fn nothing_of_theirs_changes(lab: &Lab) {
    let before = everything(lab);
    assert!(before.contains("f2b-sshd") && before.contains("@banned") && before.contains("admin"));
    let same = |when: &str| assert_eq!(everything(lab), before, "{when}");
    lab.does(&["network", "eth1", "trusted"]);
    lab.does(&["set", "8080/tcp", "open"]);
    lab.does(&["apply", "--yes"]);
    same("during the first trial");
    lab.does(&["revert"]);
    lab.settled();
    same("after the revert");
    lab.does(&["apply", "--yes"]);
    lab.confirm();
    same("after the confirmation");
    lab.does(&["set", "8080/tcp", "confine"]);
    lab.does(&["apply", "--yes"]);
    same("during the second trial");
    lab.does(&["revert"]);
    lab.settled();
    same("after its revert");
    lab.does(&["restore"]);
    same("after restoring");
    lab.does(&["off", "--yes"]);
    same("while off is on trial");
    lab.confirm();
    same("after all");
    assert!(!lab.line("nft list ruleset").contains("FWTUI"));
}

#[test]
fn others_rules_are_the_same_before_during_and_after() {
    in_sandbox(|lab| {
        let _owner = settle_in(lab, "-nft");
        nothing_of_theirs_changes(lab);
    });
}

#[test]
fn with_iptables_legacy_others_rules_are_the_same_before_during_and_after() {
    in_sandbox(|lab| {
        let _owner = settle_in(lab, "-legacy");
        nothing_of_theirs_changes(lab);
    });
}

#[test]
fn bans_made_and_lifted_during_a_trial_outlive_its_revert() {
    in_sandbox(|lab| {
        let _owner = settle_in(lab, "-nft");
        lab.does(&["apply", "--yes"]);
        lab.line("iptables -I f2b-sshd 1 -s 198.51.100.1 -j REJECT");
        lab.line("iptables -D f2b-sshd -s 192.0.2.66 -j REJECT");
        lab.line("nft add element inet theirs banned { 203.0.113.200 }");
        // As fail2ban does when it starts: in front of everything.
        lab.line("iptables -N f2b-web");
        lab.line("iptables -I INPUT -p tcp --dport 80 -j f2b-web");
        let during = everything(lab);
        lab.does(&["revert"]);
        lab.settled();
        assert_eq!(everything(lab), during);
        let saved = lab.line("iptables-save");
        assert!(
            saved.contains("-s 198.51.100.1/32") && !saved.contains("-s 192.0.2.66/32"),
            "{saved}"
        );
        assert!(saved.contains("--dport 80 -j f2b-web"), "{saved}");
        assert!(lab.line("nft list set inet theirs banned").contains("203.0.113.200"));
    });
}

#[test]
fn a_ban_behind_our_rules_holds_for_what_we_open() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for (program, banned) in [("iptables", "203.0.113.66"), ("ip6tables", "2001:db8:1::66")] {
            lab.line(&format!("{program} -N f2b-web"));
            lab.line(&format!("{program} -A f2b-web -s {banned} -j DROP"));
            lab.line(&format!("{program} -A INPUT -p tcp --dport 8080 -j f2b-web"));
        }
        lab.does(&["set", "8080/tcp", "open"]);
        lab.does(&["apply", "--yes"]);
        for family in Family::ALL {
            let knock = |from| lab.knock(from, family, Protocol::Tcp, 8080);
            assert_eq!(knock(Neighbour::Stranger), Knock::Silent, "{family}: still banned");
            assert_eq!(knock(Neighbour::Public), Knock::Answered, "{family}");
        }
    });
}

/// Who can reach a service, now and after, as `list` tells.
fn reach(lab: &Lab, id: &str) -> (String, String) {
    let list = lab.json(&["list", "--json"]);
    let service = list["services"]
        .as_array()
        .unwrap()
        .iter()
        .find(|service| service["id"] == id)
        .unwrap_or_else(|| panic!("{id} in {list}"));
    let word = |when: &str| service["reach"][when].as_str().unwrap().to_owned();
    (word("now"), word("after"))
}

fn words(now: &str, after: &str) -> (String, String) {
    (now.to_owned(), after.to_owned())
}

#[test]
fn reach_is_what_everyones_rules_make_of_it() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(8081);
        lab.does(&["set", "8080/tcp", "open"]);
        assert_eq!(reach(lab, "8080/tcp"), words("everyone", "everyone"));
        assert_eq!(reach(lab, "8081/tcp"), words("everyone", "this-machine"));
        let both = |line: &str| {
            lab.line(line);
            lab.line(&line.replace("iptables", "ip6tables"));
        };
        for (foreign, undo, now) in [
            ("iptables -P INPUT DROP", "iptables -P INPUT ACCEPT", "this-machine"),
            (
                "iptables -A INPUT -p tcp --dport 1 -j DROP",
                "iptables -F INPUT",
                "everyone",
            ),
            (
                "iptables -t mangle -A PREROUTING -p tcp --dport 8080:8081 -j DROP",
                "iptables -t mangle -F",
                "this-machine",
            ),
            (
                "iptables -A INPUT -m mac --mac-source 02:00:00:00:00:01 -j DROP",
                "iptables -F INPUT",
                "unknown",
            ),
        ] {
            both(foreign);
            assert_eq!(reach(lab, "8080/tcp"), words(now, now), "{foreign}");
            assert_eq!(reach(lab, "8081/tcp"), words(now, "this-machine"), "{foreign}");
            // The other family is a way in for everyone all the same.
            lab.line(undo);
            assert_eq!(reach(lab, "8080/tcp"), words("everyone", "everyone"), "{undo}");
            both(undo);
        }
        let native = "table inet n {\n chain c { type filter hook input priority 5; policy drop; }\n}\n";
        lab.feed(&["nft", "-f", "-"], native);
        assert_eq!(reach(lab, "8080/tcp"), words("this-machine", "this-machine"));
        assert_eq!(reach(lab, "8081/tcp"), words("this-machine", "this-machine"));
        lab.line("nft delete table inet n");
        lab.line("iptables -A OUTPUT -s 192.0.2.1 -j DROP");
        assert_eq!(
            reach(lab, "8080/tcp"),
            words("everyone", "everyone"),
            "not on the way in"
        );
        lab.does(&["apply", "--yes"]);
        assert_eq!(reach(lab, "8081/tcp"), words("this-machine", "this-machine"));
        both("iptables -P INPUT DROP");
        assert_eq!(reach(lab, "8080/tcp"), words("this-machine", "this-machine"));
        assert_eq!(reach(lab, "8081/tcp"), words("this-machine", "this-machine"));
        lab.line("ip6tables -P INPUT ACCEPT");
        let knock = |family| lab.knock(Neighbour::Public, family, Protocol::Tcp, 8080);
        assert_eq!(knock(Family::Ipv4), Knock::Silent, "the others' policy holds");
        assert_eq!(knock(Family::Ipv6), Knock::Answered);
        assert!(lab.refuses(Neighbour::Public, 8081), "and so does ours");
    });
}

#[test]
fn both_kinds_of_iptables_in_use_are_reported() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.line("iptables-nft -A OUTPUT -p tcp --dport 9 -j ACCEPT");
        lab.line("iptables-legacy -A INPUT -p tcp --dport 8080 -s 203.0.113.66 -j DROP");
        lab.line("ip6tables-legacy -A INPUT -p tcp --dport 8080 -s 2001:db8:1::66 -j DROP");
        lab.does(&["set", "8080/tcp", "open"]);
        let said = lab.does(&["status"]);
        assert!(
            said.contains("iptables-nft is used, and iptables-legacy has rules as well"),
            "{said}"
        );
        let preview = lab.json(&["preview", "--json"]);
        assert!(preview["warnings"].to_string().contains("iptables-legacy"), "{preview}");
        assert_eq!(reach(lab, "8080/tcp").1, "everyone", "all but one");
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let knock = |from| lab.knock(from, Family::Ipv4, Protocol::Tcp, 8080);
        assert_eq!(
            (knock(Neighbour::Public), knock(Neighbour::Stranger)),
            (Knock::Answered, Knock::Silent)
        );
        assert!(lab.line("iptables-nft-save").contains("FWTUI-INPUT"));
        assert!(!lab.line("iptables-legacy-save -t filter").contains("FWTUI"));
    });
}

#[test]
fn a_line_break_in_others_comment_stops_nothing() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for program in ["iptables", "ip6tables"] {
            let comment = "two\nlines\n\u{1b}[2J";
            let rule = [program, "-A", "INPUT", "-m", "comment", "--comment", comment];
            lab.run(&[&rule[..], &["-p", "tcp", "--dport", "9", "-j", "DROP"]].concat());
        }
        lab.does(&["set", "8080/tcp", "confine"]);
        assert_eq!(reach(lab, "8080/tcp"), words("everyone", "this-machine"));
        let explained = lab.does(&["explain", "9/tcp", "--from", "203.0.113.1"]);
        assert!(
            explained.contains("two?lines?") && !explained.contains("\u{1b}[2J"),
            "{explained}"
        );
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8080));
        lab.does(&["revert"]);
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn what_is_led_past_our_rules_is_published_and_refused_in_forward() {
    in_sandbox(|lab| {
        lab.listen("tcp/0.0.0.0:8080");
        lab.listen("tcp/127.0.0.1:8082");
        lab.does(&["set", "8080/tcp", "confine"]);
        for (others, undo) in [
            (
                "iptables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 192.168.7.99",
                "iptables -t nat -F PREROUTING",
            ),
            (
                "nft add rule ip n c tcp dport 8080 dnat to 192.168.7.99",
                "nft delete table ip n",
            ),
        ] {
            lab.line("nft add table ip n");
            lab.line("nft add chain ip n c { type nat hook prerouting priority -100 ; }");
            lab.line(others);
            // It goes to another machine, and this one does not forward.
            assert_eq!(
                reach(lab, "8080/tcp"),
                words("this-machine", "this-machine"),
                "{others}"
            );
            lab.line("sysctl -qw net.ipv4.ip_forward=1");
            assert_eq!(reach(lab, "8080/tcp"), words("everyone", "this-machine"), "{others}");
            lab.line("sysctl -qw net.ipv4.ip_forward=0");
            assert_eq!(reach(lab, "8082/tcp").1, "this-machine", "{others}");
            lab.line(undo);
        }
    });
}
