use std::os::unix::fs::symlink;

use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn enable(root: &Path, target: &str, unit: &str) {
    let folder = root.join("etc/systemd/system").join(format!("{target}.wants"));
    fs::create_dir_all(&folder).unwrap();
    symlink(Path::new("/lib/systemd/system").join(unit), folder.join(unit)).unwrap();
}

fn of(root: &Path, manager: Manager) -> OnDisk {
    on_disk(root).into_iter().find(|disk| disk.manager == manager).unwrap()
}

#[test]
fn where_nothing_says_what_boots_nothing_is_claimed() {
    let root = tempfile::tempdir().unwrap();
    let all = on_disk(root.path());
    assert_eq!(all.len(), Manager::ALL.len());
    assert!(
        all.iter().all(|disk| disk.at_boot.is_none() && disk.how.is_empty()),
        "{all:?}"
    );
}

#[test]
fn ufw_is_on_by_its_own_switch() {
    let root = tempfile::tempdir().unwrap();
    enable(root.path(), "multi-user.target", "ufw.service");
    write(root.path(), "etc/ufw/ufw.conf", "# ENABLED=yes\nENABLED=no\n");
    assert_eq!(of(root.path(), Manager::Ufw).at_boot, Some(false));
    write(root.path(), "etc/ufw/ufw.conf", "ENABLED=no\nENABLED=\"yes\"\n");
    let ufw = of(root.path(), Manager::Ufw);
    assert_eq!(ufw.at_boot, Some(true));
    assert_eq!(ufw.how, "/etc/systemd/system/multi-user.target.wants/ufw.service");
    assert_eq!(of(root.path(), Manager::Docker).at_boot, Some(false));
}

#[test]
fn a_masked_unit_is_not_started() {
    let root = tempfile::tempdir().unwrap();
    enable(root.path(), "multi-user.target", "firewalld.service");
    assert_eq!(of(root.path(), Manager::Firewalld).at_boot, Some(true));
    symlink("/dev/null", root.path().join("etc/systemd/system/firewalld.service")).unwrap();
    assert_eq!(of(root.path(), Manager::Firewalld).at_boot, Some(false));
}

#[test]
fn openrc_starts_what_is_in_a_runlevel() {
    let root = tempfile::tempdir().unwrap();
    let level = root.path().join("etc/runlevels/default");
    fs::create_dir_all(&level).unwrap();
    symlink("/etc/init.d/docker", level.join("docker")).unwrap();
    assert_eq!(of(root.path(), Manager::Docker).at_boot, Some(true));
    assert_eq!(of(root.path(), Manager::Docker).how, "/etc/runlevels/default/docker");
    assert_eq!(of(root.path(), Manager::Lxd).at_boot, Some(false));
}

#[test]
fn a_file_of_nft_flushes_and_holds_rules_or_not() {
    let root = tempfile::tempdir().unwrap();
    enable(root.path(), "sysinit.target", "nftables.service");
    let told = |text: &str| {
        write(root.path(), "etc/nftables.conf", text);
        let disk = of(root.path(), Manager::Nftables);
        assert_eq!(disk.file.as_deref(), Some("/etc/nftables.conf"));
        (disk.flushes, disk.has_rules)
    };
    // What Debian installs.
    let debian = "#!/usr/sbin/nft -f\n\nflush ruleset\n\ntable inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter;\n\t}\n}\n";
    assert_eq!(told(debian), (true, false));
    assert_eq!(
        told("# flush ruleset\ntable inet f { chain i { policy accept; } }\n"),
        (false, false)
    );
    assert_eq!(told("flush ruleset; include \"/etc/more.nft\"\n"), (true, true));
    assert_eq!(
        told("table inet f { chain i { type filter hook input priority 0; policy drop; } }\n"),
        (false, true)
    );
}

#[test]
fn saved_rules_replace_what_is_there_unless_they_must_not() {
    let root = tempfile::tempdir().unwrap();
    enable(root.path(), "multi-user.target", "netfilter-persistent.service");
    write(
        root.path(),
        "etc/iptables/rules.v4",
        "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
    );
    let told = || {
        let disk = of(root.path(), Manager::NetfilterPersistent);
        (disk.at_boot, disk.flushes, disk.has_rules)
    };
    assert_eq!(told(), (Some(true), true, false));
    write(
        root.path(),
        "etc/iptables/rules.v6",
        "*filter\n:INPUT DROP [0:0]\nCOMMIT\n",
    );
    write(
        root.path(),
        "etc/default/netfilter-persistent",
        "IPTABLES_RESTORE_NOFLUSH=yes\n",
    );
    assert_eq!(told(), (Some(true), false, true));
}

#[test]
fn files_of_arch_and_fedora_are_found() {
    for file in ["etc/iptables/iptables.rules", "etc/sysconfig/iptables"] {
        let root = tempfile::tempdir().unwrap();
        enable(root.path(), "basic.target", "iptables.service");
        write(root.path(), file, "*filter\n-A INPUT -j DROP\nCOMMIT\n");
        let disk = of(root.path(), Manager::Iptables);
        assert_eq!((disk.at_boot, disk.flushes, disk.has_rules), (Some(true), true, true));
        assert_eq!(disk.file, Some(format!("/{file}")));
    }
}

#[test]
fn what_is_no_file_does_no_harm() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("etc/nftables.conf")).unwrap();
    write(root.path(), "etc/systemd/system/x.wants", "not a folder");
    write(root.path(), "etc/iptables/rules.v4", "\0\0-A\n");
    assert_eq!(of(root.path(), Manager::Nftables).file, None);
    assert!(!of(root.path(), Manager::NetfilterPersistent).has_rules);
}
