use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn where_nothing_logs_there_is_nothing_to_say() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(log_space(root.path()), None);
}

#[test]
fn the_journals_bound_follows_the_order_of_its_files() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    assert_eq!(journal(root), None);
    fs::create_dir_all(root.join("run/systemd/journal")).unwrap();
    let bound = || journal(root).unwrap();
    assert_eq!(bound(), "in memory, 10 % of /run by default");
    fs::create_dir_all(root.join("var/log/journal")).unwrap();
    assert_eq!(bound(), "10 % of the disk by default, and no more than 4 GB");
    write(root, "usr/lib/systemd/journald.conf", "[Journal]\nSystemMaxUse=1G\n");
    assert_eq!(bound(), "SystemMaxUse=1G");
    write(
        root,
        "etc/systemd/journald.conf",
        "[Journal]\n#SystemMaxUse=\n[Other]\nSystemMaxUse=9G\n",
    );
    assert_eq!(bound(), "10 % of the disk by default, and no more than 4 GB");
    write(
        root,
        "usr/lib/systemd/journald.conf.d/10-small.conf",
        "[Journal]\nSystemMaxUse = 100M\n",
    );
    assert_eq!(bound(), "SystemMaxUse=100M");
    write(
        root,
        "etc/systemd/journald.conf.d/10-small.conf",
        "[Journal]\nSystemMaxUse=200M\n",
    );
    assert_eq!(bound(), "SystemMaxUse=200M");
    write(
        root,
        "run/systemd/journald.conf.d/20-volatile.conf",
        "[Journal]\nStorage=volatile\n",
    );
    assert_eq!(bound(), "in memory, 10 % of /run by default");
    write(
        root,
        "etc/systemd/journald.conf.d/30-none.conf",
        "[Journal]\nStorage=none\n",
    );
    assert!(bound().contains("nowhere"));
}

/// Debian's rsyslog.conf and logrotate.d/rsyslog, shortened.
const RSYSLOG: &str = "$FileCreateMode 0640\n# comment\n*.*;auth,authpriv.none\t\t-/var/log/syslog\nkern.*\t\t\t\t/var/log/kern.log\n\
    mail.*\t\t-/var/log/mail.log\nauth,authpriv.*  /var/log/auth.log\n*.emerg  :omusrmsg:*\n& stop\n";
const ROTATE: &str = "/var/log/syslog\n/var/log/kern.log\n{\n\trotate 4\n\tweekly\n\tpostrotate\n\t\t/usr/lib/rsyslog/rsyslog-rotate\n\tendscript\n}\n";

#[test]
fn files_of_syslog_are_matched_with_their_rotation() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/rsyslog.conf", RSYSLOG);
    write(
        root,
        "etc/rsyslog.d/20-ufw.conf",
        ":msg,contains,\"[UFW \" /var/log/ufw.log\n",
    );
    let files = || log_space(root).map(|logs| logs.syslog).unwrap_or_default();
    // They are set up, and not there.
    assert_eq!(files(), []);
    for name in ["syslog", "kern.log", "mail.log", "auth.log", "ufw.log"] {
        write(root, &format!("var/log/{name}"), "x");
    }
    let entry = |name: &str, is_rotated: bool, is_by_size: bool| (format!("/var/log/{name}"), is_rotated, is_by_size);
    write(root, "etc/logrotate.d/rsyslog", ROTATE);
    // Nothing reads that without the program.
    assert_eq!(
        files(),
        [
            entry("kern.log", false, false),
            entry("syslog", false, false),
            entry("ufw.log", false, false)
        ]
    );
    write(root, "usr/sbin/logrotate", "");
    write(
        root,
        "etc/logrotate.d/ufw",
        "/var/log/ufw*.log {\n  weekly\n  maxsize 50M\n}\n",
    );
    assert_eq!(
        files(),
        [
            entry("kern.log", true, false),
            entry("syslog", true, false),
            entry("ufw.log", true, true)
        ]
    );
    // For all that come behind.
    write(
        root,
        "etc/logrotate.conf",
        "weekly\nmaxsize 1G\ninclude /etc/logrotate.d\n",
    );
    assert_eq!(files().first(), Some(&entry("kern.log", true, true)));
    assert!(log_space(root).unwrap().free.is_some());
}

#[test]
fn selectors_are_read_as_rsyslog_does() {
    for (line, file) in [
        ("*.* /var/log/all", Some("/var/log/all")),
        ("*.*;kern.none /var/log/all", None),
        ("kern.none;*.info /var/log/all", Some("/var/log/all")),
        (
            "kern,user.=crit -/var/log/crit;RSYSLOG_FileFormat",
            Some("/var/log/crit"),
        ),
        ("daemon.* /var/log/daemon", None),
        ("kern.* @loghost", None),
        (
            "kern.* action(type=\"omfile\" file=\"/var/log/kern\")",
            Some("/var/log/kern"),
        ),
        ("kern.* /dev/console", None),
        ("module(load=\"imklog\")", None),
        ("if $programname == 'x' then /var/log/x", None),
        ("", None),
    ] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "etc/rsyslog.conf", line);
        assert_eq!(
            syslog::kernel_files(root.path()),
            Vec::from_iter(file.map(str::to_owned)),
            "{line}"
        );
    }
}

#[test]
fn syslog_ng_tells_by_the_names_of_its_destinations() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "etc/syslog-ng/syslog-ng.conf",
        "destination d_kern { file(\"/var/log/kern.log\"); };\ndestination d_mail { file(\"/var/log/mail.log\"); };\n",
    );
    assert_eq!(syslog::kernel_files(root.path()), ["/var/log/kern.log"]);
}
