use std::collections::BTreeMap;

use super::*;
use crate::core::listener::{Listener, Protocol};
use crate::core::service::{BoundTo, Service, ServiceId};

/// As systemd 252 prints it for Debian's cups.
const CUPS: &str = "Id=cups.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
FragmentPath=/lib/systemd/system/cups.service
SourcePath=
ControlGroup=/system.slice/cups.service
CanStop=yes
RefuseManualStop=no
Triggers=
TriggeredBy=cups.path cups.socket
PartOf=
ConsistsOf=cups.socket cups.path
RequiredBy=
RequisiteOf=
BoundBy=
WantedBy=printer.target multi-user.target cups-browsed.service
UpheldBy=

Id=cups.socket
LoadState=loaded
ActiveState=active
UnitFileState=enabled
FragmentPath=/lib/systemd/system/cups.socket
SourcePath=
ControlGroup=/system.slice/cups.socket
CanStop=yes
RefuseManualStop=no
Accept=no
Listen=/run/cups/cups.sock (Stream)
Listen=[::]:631 (Stream)
Triggers=cups.service
TriggeredBy=
PartOf=cups.service
ConsistsOf=
RequiredBy=
WantedBy=cups.service sockets.target

Id=cups.path
LoadState=loaded
ActiveState=active
UnitFileState=disabled
FragmentPath=/lib/systemd/system/cups.path
CanStop=yes
RefuseManualStop=no
Triggers=cups.service
PartOf=cups.service
WantedBy=multi-user.target
";

pub(super) fn known(text: &str) -> BTreeMap<String, Unit> {
    parse(text).into_iter().map(|unit| (unit.name.clone(), unit)).collect()
}

fn unit(name: &str, file: &str) -> String {
    format!("Id={name}\nLoadState=loaded\nActiveState=active\nUnitFileState={file}\nCanStop=yes\nRefuseManualStop=no\n")
}

#[test]
fn what_systemctl_prints_is_read() {
    let units = parse(CUPS);
    let names: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(names, ["cups.service", "cups.socket", "cups.path"]);
    let cups = &units[0];
    assert!(cups.is_running() && cups.is_enabled() && cups.can_stop && !cups.has_job);
    assert_eq!(
        cups.wanted_by,
        ["cups-browsed.service"],
        "targets are no units that need it"
    );
    assert_eq!(units[1].listens, ["/run/cups/cups.sock (Stream)", "[::]:631 (Stream)"]);
    assert_eq!(parse(""), []);
    assert_eq!(parse("Failed to connect to bus"), []);
}

#[test]
fn a_service_goes_with_its_socket_and_its_path() {
    let known = known(CUPS);
    let units = choose("cups.service", &known).unwrap();
    assert_eq!(units, ["cups.path", "cups.socket", "cups.service"]);
    assert_eq!(choose("cups.socket", &known).unwrap(), units, "from its socket as well");
    let proposal = Proposal::new("631/tcp".parse().unwrap(), "cupsd".into(), units, &known);
    assert_eq!(proposal.needed_by, [""; 0]);
    assert_eq!(
        proposal.sentences(),
        [
            "stopped when you apply, and disabled for good once you keep it: cups.path, cups.socket and cups.service",
            "no other unit needs them",
            "wanted by cups-browsed.service, which starts them again when it starts",
        ]
    );
}

#[test]
fn an_idle_socket_is_left_alone() {
    // Debian's ssh.service, whose socket is there and not used.
    let text = unit("ssh.service", "enabled")
        + "TriggeredBy=ssh.socket\n\n"
        + &unit("ssh.socket", "disabled").replace("=active", "=inactive");
    assert_eq!(choose("ssh.service", &known(&text)).unwrap(), ["ssh.service"]);
}

#[test]
fn a_socket_with_a_process_for_each_connection_is_stopped_alone() {
    let text =
        unit("in.socket", "enabled") + "Accept=yes\nTriggers=in@1-2.service\n\n" + &unit("in@1-2.service", "static");
    assert_eq!(choose("in.socket", &known(&text)).unwrap(), ["in.socket"]);
}

#[test]
fn an_instance_made_by_a_generator_goes_with_what_it_is_part_of() {
    let main = "postgresql@15-main.service";
    let text = unit(main, "enabled-runtime")
        + "PartOf=postgresql.service\n\n"
        + &unit("postgresql.service", "enabled")
        + "ConsistsOf=postgresql@15-main.service postgresql@15-old.service\n\n"
        + &unit("postgresql@15-old.service", "enabled-runtime");
    let known = known(&text);
    let units = choose(main, &known).unwrap();
    assert_eq!(units, ["postgresql.service", main]);
    let proposal = Proposal::new("5432/tcp".parse().unwrap(), String::new(), units, &known);
    assert_eq!(proposal.needed_by, ["postgresql@15-old.service"]);
    let alone = known.get(main).cloned().map(|unit| Unit {
        part_of: vec![],
        ..unit
    });
    let alone = BTreeMap::from([(main.to_owned(), alone.unwrap())]);
    assert_eq!(choose(main, &alone), Err(Unstoppable::Generated(main.into())));
}

#[test]
fn what_would_not_hold_is_refused() {
    let refused = |text: &str| choose("a.service", &known(text)).unwrap_err();
    let statik = unit("a.service", "static") + "RequiredBy=b.service\n";
    assert!(matches!(refused(&statik), Unstoppable::Static { by, .. } if by == ["b.service"]));
    let masked = unit("a.service", "masked").replace("loaded", "masked");
    assert!(matches!(refused(&masked), Unstoppable::Masked(_)));
    let unwilling = unit("a.service", "enabled").replace("ManualStop=no", "ManualStop=yes");
    assert!(matches!(refused(&unwilling), Unstoppable::Refuses(_)));
    assert!(matches!(refused(""), Unstoppable::NotFound(_)));
    let generated = unit("a.service", "generated");
    assert!(matches!(refused(&generated), Unstoppable::Generated(_)));
    let init_d = generated + "SourcePath=/etc/init.d/a\n";
    assert_eq!(choose("a.service", &known(&init_d)).unwrap(), ["a.service"]);
    // A service that is only started by its socket is static, and its socket is enabled.
    let activated = unit("a.service", "static") + "TriggeredBy=a.socket\n\n" + &unit("a.socket", "enabled");
    assert_eq!(
        choose("a.service", &known(&activated)).unwrap(),
        ["a.socket", "a.service"]
    );
}

#[test]
fn names_are_names_and_no_patterns_or_options() {
    for name in ["ssh.service", "a@b.socket", "systemd\\x2dx.path", "x.timer"] {
        assert!(is_unit_name(name), "{name}");
    }
    let long = format!("{}.service", "x".repeat(300));
    for name in [
        "ssh",
        "*.service",
        "-a.service",
        "a b.service",
        ".service",
        "a.scope",
        "a/b.service",
        "",
        &long,
    ] {
        assert!(!is_unit_name(name), "{name}");
    }
}

#[test]
fn a_socket_is_found_by_where_it_listens() {
    let sockets = parse(CUPS);
    let found = |id: &str| socket_for(&id.parse().unwrap(), &sockets);
    assert_eq!(found("631/tcp").as_deref(), Some("cups.socket"));
    assert_eq!(found("192.0.2.1:631/tcp").as_deref(), Some("cups.socket"));
    assert_eq!(found("631/udp"), None);
    assert_eq!(found("63/tcp"), None);
}

fn service(listens: bool, made_in: Option<&str>) -> Service {
    let id: ServiceId = "80/tcp".parse().unwrap();
    let listener = Listener {
        protocol: Protocol::Tcp,
        address: "::".parse().unwrap(),
        port: 80,
        v6only: false,
        interface: None,
        inode: 1,
        uid: 0,
        cgroup: None,
    };
    Service {
        listeners: if listens { vec![listener] } else { vec![] },
        unit: made_in.map(str::to_owned),
        bound_to: BoundTo::All,
        owners: vec![],
        ..Service::absent(id)
    }
}

fn process(name: &str, cgroup: &str) -> Process {
    Process {
        pid: 7,
        name: name.into(),
        user: Some("ada".into()),
        cgroup: Some(cgroup.into()),
    }
}

#[test]
fn whose_work_it_is_is_told_or_why_not() {
    let there = service(true, None);
    let ssh = process("sshd", "/system.slice/ssh.service");
    let unit = |name: &str| Ok(Candidate::Unit(name.into()));
    assert_eq!(candidate(&there, std::slice::from_ref(&ssh), true), unit("ssh.service"));
    let systemd = process("systemd", "/init.scope");
    assert_eq!(
        candidate(&there, &[systemd.clone(), ssh.clone()], true),
        unit("ssh.service")
    );
    assert_eq!(
        candidate(&there, std::slice::from_ref(&systemd), true),
        Ok(Candidate::HeldBySystemd)
    );
    let made_in = service(true, Some("cups.socket"));
    assert_eq!(candidate(&made_in, &[systemd], true), unit("cups.socket"));
    for (service, processes, is_root, words, how) in [
        (&there, vec![], true, "the kernel itself", "nfs-server"),
        (&there, vec![], false, "without root", "sudo"),
        (&service(false, None), vec![], true, "nothing listens", "--unit"),
        (
            &there,
            vec![process("python3", "/user.slice/user-1000.slice/session-3.scope")],
            true,
            "the process 7 (python3 of user ada)",
            "kill 7",
        ),
        (
            &there,
            vec![process(
                "foo",
                "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
            )],
            true,
            "ada's own systemd",
            "systemctl --user disable --now foo.service",
        ),
        (
            &there,
            vec![process("docker-proxy", "/system.slice/docker.service")],
            true,
            "a container of docker",
            "docker stop NAME",
        ),
        (
            &there,
            vec![ssh, process("x", "/system.slice/x.service")],
            true,
            "several units: ssh.service, x.service",
            "--unit ssh.service --unit x.service",
        ),
    ] {
        let why = candidate(service, &processes, is_root).unwrap_err();
        assert!(why.to_string().contains(words), "{why}");
        assert!(why.how().contains(how), "{}", why.how());
    }
}

#[test]
fn what_is_put_back_is_what_was_there() {
    let before = |unit: &str, is_active, with: Option<&str>| UnitBefore {
        unit: unit.into(),
        is_active,
        is_enabled: true,
        with: with.map(str::to_owned),
    };
    let work = UnitWork {
        stop: vec!["a.service".into(), "a.socket".into(), "idle.service".into()],
        mask: vec![],
        start: vec![before("b.service", true, None)],
        before: vec![
            before("a.service", true, None),
            before("a.socket", true, None),
            before("idle.service", false, None),
            before("web.service", true, Some("a.service")),
            before("b.service", false, None),
        ],
    };
    assert_eq!(work.to_start_again(), ["a.socket", "a.service", "web.service"]);
    assert_eq!(work.to_stop_again(), ["b.service"]);
    assert_eq!(work.to_enable(), ["b.service"]);
    let note = work.kernel_note().unwrap();
    assert!(
        note.contains("can't start a.service, a.socket and idle.service and stop b.service again"),
        "{note}"
    );
    assert_eq!(UnitWork::default().kernel_note(), None);
}
