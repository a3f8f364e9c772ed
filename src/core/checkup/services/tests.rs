use std::sync::Arc;

use super::*;
use crate::core::catalogue::Catalogue;
use crate::core::listener::{Family, Listener, Owner};
use crate::core::netfilter::Netfilter;
use crate::core::service::Published;

/// A service on every address, held by a process of its name, which everyone reaches.
fn row(id: &str, process: &str, user: &str, uid: u32) -> Row {
    let mut service = Service::absent(id.parse().unwrap());
    service.listeners = vec![Listener {
        protocol: service.id.protocol,
        address: "0.0.0.0".parse().unwrap(),
        port: service.id.ports.first(),
        v6only: false,
        interface: None,
        inode: 1,
        uid,
        cgroup: None,
    }];
    service.name = process.into();
    service.owners = vec![Arc::new(Owner {
        pid: 1,
        name: process.into(),
        exe: None,
        user: Some(user.into()),
        unit: Some(format!("{process}.service")),
    })];
    Row {
        service: Arc::new(service),
        decision: Decision::Undecided,
        from: Vec::new(),
        reach_now: Reach::Everyone,
        reach_after: Reach::ThisMachine,
        is_new: true,
        is_changed: false,
        blocks: Vec::new(),
        disabled: None,
        since: None,
        tally: None,
        kept_out_by: None,
    }
}

fn with(mut row: Row, change: impl FnOnce(&mut Service)) -> Row {
    change(Arc::make_mut(&mut row.service));
    row
}

fn check(checked: Row, is_desktop: Option<bool>) -> Vec<Finding> {
    let (netfilter, catalogue) = (Netfilter::default(), Catalogue::embedded());
    findings(&Evidence {
        netfilter: Some(&netfilter),
        rows: &[checked, row("22/tcp", "sshd", "root", 0)],
        catalogue: Some(&catalogue),
        is_desktop,
        ..Evidence::default()
    })
}

/// What is found of a kind, by its id.
fn found(row: Row, id: &str) -> Option<Finding> {
    check(row, None).into_iter().find(|finding| finding.id == id)
}

#[test]
fn loopback_is_advised_where_others_have_no_use_for_it() {
    let postgres = || row("5432/tcp", "postgres", "postgres", 999);
    let finding = found(postgres(), "service-could-be-loopback").unwrap();
    assert_eq!(finding.severity, Severity::Info);
    assert_eq!(
        finding.what,
        "PostgreSQL listens on every address at 5432/tcp, though mostly programs of this machine alone have a use for it."
    );
    assert!(
        finding.advice.starts_with(
            "Set listen_addresses = 'localhost' in /etc/postgresql/*/main/postgresql.conf (Debian, Ubuntu) or "
        ),
        "{}",
        finding.advice
    );
    let confined = Row {
        decision: Decision::Confine,
        ..row("22/tcp", "sshd", "root", 0)
    };
    let finding = found(confined, "service-could-be-loopback").unwrap();
    assert_eq!(
        finding.advice,
        "Set ListenAddress 127.0.0.1 in /etc/ssh/sshd_config, and restart it."
    );
    let trusted = Row {
        decision: Decision::Trusted,
        ..postgres()
    };
    for near_miss in [
        trusted,
        with(postgres(), |service| service.bound_to = BoundTo::Loopback),
        with(postgres(), |service| {
            service.bound_to = BoundTo::Address("192.0.2.1".parse().unwrap());
        }),
        row("5432/tcp", "something", "root", 0),
        row("22/tcp", "sshd", "root", 0),
    ] {
        assert_eq!(
            found(near_miss.clone(), "service-could-be-loopback"),
            None,
            "{near_miss:?}"
        );
    }
    // The server of a smart home is for the network; on a desktop nothing asks chrony.
    let grafana = || row("3000/tcp", "grafana", "grafana", 998);
    let count = |is_desktop| {
        let findings = check(grafana(), is_desktop);
        findings
            .iter()
            .filter(|finding| finding.id == "service-could-be-loopback")
            .count()
    };
    assert_eq!((count(Some(true)), count(Some(false)), count(None)), (1, 0, 0));
}

#[test]
fn a_containers_port_is_published_for_this_machine() {
    let published = |by, decision| {
        let row = with(row("8080/tcp", "docker-proxy", "root", 0), |service| {
            service.published = Some(Published {
                to: "172.17.0.2:80".parse().unwrap(),
                by,
                container: None,
                families: vec![Family::Ipv4],
            });
        });
        Row { decision, ..row }
    };
    let finding = found(published(Tool::Docker, Decision::Confine), "service-could-be-loopback").unwrap();
    assert!(finding.advice.contains("-p 127.0.0.1:8080:80,"), "{}", finding.advice);
    for (by, decision) in [(Tool::Docker, Decision::Open), (Tool::Admin, Decision::Confine)] {
        assert_eq!(found(published(by, decision), "service-could-be-loopback"), None);
    }
}

#[test]
fn what_is_readable_on_the_way_has_a_replacement() {
    let telnet = |reach_now| Row {
        reach_now,
        ..row("23/tcp", "in.telnetd", "root", 0)
    };
    let finding = found(telnet(Reach::Everyone), "service-plaintext").unwrap();
    assert_eq!(finding.severity, Severity::Risky);
    assert_eq!(
        finding.what,
        "Telnet at 23/tcp encrypts nothing, and everyone can reach it."
    );
    assert!(
        finding.advice.starts_with("SSH does the same encrypted"),
        "{}",
        finding.advice
    );
    let finding = found(telnet(Reach::Trusted), "service-plaintext").unwrap();
    assert_eq!(finding.severity, Severity::Info);
    // Without root, going by the port.
    let unseen = with(telnet(Reach::Everyone), |service| service.owners = Vec::new());
    let finding = found(unseen, "service-plaintext").unwrap();
    assert!(
        finding
            .what
            .starts_with("What listens at 23/tcp (usually Telnet) encrypts"),
        "{}",
        finding.what
    );
    for near_miss in [
        telnet(Reach::ThisMachine),
        row("22/tcp", "sshd", "root", 0),
        // Whatever it is, it is not known to be telnet.
        row("23/tcp", "something", "root", 0),
        row("80/tcp", "nginx", "root", 0),
    ] {
        assert_eq!(found(near_miss.clone(), "service-plaintext"), None, "{near_miss:?}");
    }
}

#[test]
fn what_asks_nobody_is_harmful_where_everyone_reaches_it() {
    let look = |id: &str, process: &str, reach_now| {
        let row = Row {
            reach_now,
            ..row(id, process, "someone", 999)
        };
        found(row, "service-without-password").map(|finding| finding.severity)
    };
    assert_eq!(look("11434/tcp", "ollama", Reach::Everyone), Some(Severity::Harmful));
    assert_eq!(look("11434/tcp", "ollama", Reach::Trusted), Some(Severity::Risky));
    assert_eq!(look("11434/tcp", "ollama", Reach::ThisMachine), None);
    assert_eq!(look("11434/tcp", "ollama", Reach::Unknown), None);
    // Whether a password was set up can't be seen from outside.
    assert_eq!(look("6379/tcp", "redis-server", Reach::Everyone), Some(Severity::Risky));
    assert_eq!(look("6379/tcp", "redis-server", Reach::Trusted), None);
    for (id, process) in [
        ("22/tcp", "sshd"),
        ("80/tcp", "nginx"),
        ("5432/tcp", "postgres"),
        ("5353/udp", "avahi-daemon"),
        ("53/udp", "named"),
        ("111/tcp", "rpcbind"),
        ("11434/tcp", "something"),
        ("25565/tcp", "java"),
    ] {
        assert_eq!(look(id, process, Reach::Everyone), None, "{id} {process}");
    }
    let unseen = with(row("11434/tcp", "ollama", "ollama", 999), |service| {
        service.owners.clear();
    });
    let finding = found(unseen, "service-without-password").unwrap();
    assert_eq!(finding.severity, Severity::Risky, "only its port says so");
    assert!(finding.what.contains("(usually Ollama)"), "{}", finding.what);
}

#[test]
fn root_is_named_where_it_is_not_needed() {
    let finding = found(row("9100/tcp", "node_exporter", "root", 0), "service-root-owned").unwrap();
    assert_eq!(
        finding.what,
        "Node exporter at 9100/tcp runs as root, which it does not need to."
    );
    assert!(finding.advice.contains("node_exporter.service"), "{}", finding.advice);
    for near_miss in [
        row("9100/tcp", "node_exporter", "prometheus", 0),
        row("22/tcp", "sshd", "root", 0),
        row("80/tcp", "nginx", "root", 0),
        row("9100/tcp", "something", "root", 0),
        with(row("9100/tcp", "node_exporter", "root", 0), |service| {
            service.bound_to = BoundTo::Loopback;
        }),
    ] {
        assert_eq!(found(near_miss.clone(), "service-root-owned"), None, "{near_miss:?}");
    }
}

#[test]
fn a_users_program_that_everyone_reaches() {
    let node = || row("8080/tcp", "node", "ann", 1000);
    let finding = found(node(), "service-user-program-open").unwrap();
    assert_eq!(finding.severity, Severity::Risky);
    assert_eq!(
        finding.what,
        "node at 8080/tcp was started by the user ann, and everyone can reach it."
    );
    assert!(
        finding.advice.contains("fwtui set 8080/tcp confine"),
        "{}",
        finding.advice
    );
    let decided = Row {
        decision: Decision::Open,
        ..node()
    };
    let trusted = Row {
        reach_now: Reach::Trusted,
        ..node()
    };
    for near_miss in [
        decided,
        trusted,
        row("8080/tcp", "node", "app", 999),
        row("8080/tcp", "node", "container", 100_033),
        row("1024/tcp", "node", "ann", 1000),
        row("8080/udp", "node", "ann", 1000),
    ] {
        assert_eq!(
            found(near_miss.clone(), "service-user-program-open"),
            None,
            "{near_miss:?}"
        );
    }
}

#[test]
fn a_socket_of_nobody() {
    let nobodys = |id: &str| with(row(id, "", "", 0), |service| service.owners = Vec::new());
    let finding = found(nobodys("40222/udp"), "socket-without-owner").unwrap();
    assert_eq!(finding.severity, Severity::Info);
    // WireGuard's is the kernel's own; so is NFS'.
    for id in ["51820/udp", "2049/tcp"] {
        assert_eq!(found(nobodys(id), "socket-without-owner"), None, "{id}");
    }
    assert_eq!(
        found(row("40222/udp", "something", "root", 0), "socket-without-owner"),
        None
    );
    // Without root nobody's sockets are known, and where nothing listens nobody holds it.
    let (rows, catalogue) = ([nobodys("40222/udp")], Catalogue::embedded());
    let unseen = Evidence {
        rows: &rows,
        catalogue: Some(&catalogue),
        ..Evidence::default()
    };
    assert_eq!(findings(&unseen), []);
    let absent = with(nobodys("40222/udp"), |service| service.listeners.clear());
    assert_eq!(found(absent, "socket-without-owner"), None);
}

#[test]
fn nothing_is_said_of_what_is_as_it_should_be() {
    for (id, process) in [("22/tcp", "sshd"), ("443/tcp", "nginx"), ("51820/udp", "")] {
        let row = match process {
            "" => with(row(id, "", "", 0), |service| service.owners = Vec::new()),
            process => row(id, process, "root", 0),
        };
        assert_eq!(check(row, Some(false)), [], "{id}");
    }
}
