use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// `VALUE by FILE:LINE`
fn source(root: &Path, name: &str) -> Option<String> {
    let all = assigned(root);
    let found = all.iter().rfind(|assigned| assigned.sets(name))?;
    Some(format!("{} by {}:{}", found.value, found.file, found.line))
}

fn value(root: &Path, name: &str) -> Option<String> {
    Some(source(root, name)?.split_once(' ')?.0.to_owned())
}

const NAME: &str = "net.ipv4.tcp_syncookies";

#[test]
fn the_file_that_wins_is_told() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    assert_eq!(assigned(root), []);
    write(
        root,
        "usr/lib/sysctl.d/50-default.conf",
        "# a comment\nnet.ipv4.tcp_syncookies=1\n",
    );
    assert_eq!(
        source(root, NAME),
        Some("1 by /usr/lib/sysctl.d/50-default.conf:2".to_owned())
    );
    // By the name of the file, whatever its folder.
    write(root, "run/sysctl.d/10-early.conf", "net.ipv4.tcp_syncookies=2\n");
    assert_eq!(value(root, NAME).as_deref(), Some("1"));
    // The same name in a stronger folder hides the weaker one.
    write(root, "etc/sysctl.d/50-default.conf", "; nothing\n");
    assert_eq!(
        source(root, NAME),
        Some("2 by /run/sysctl.d/10-early.conf:1".to_owned())
    );
    write(root, "etc/sysctl.conf", "net/ipv4/tcp_syncookies = 0\n");
    assert_eq!(source(root, NAME), Some("0 by /etc/sysctl.conf:1".to_owned()));
    write(root, "etc/ufw/sysctl.conf", "\n\n  net.ipv4.tcp_syncookies =   3  \n");
    assert_eq!(source(root, NAME), Some("3 by /etc/ufw/sysctl.conf:3".to_owned()));
    // Not a name that ends so.
    write(root, "etc/sysctl.d/99.txt", "net.ipv4.tcp_syncookies=4\n");
    assert_eq!(value(root, NAME).as_deref(), Some("3"));
}

#[test]
fn patterns_lose_against_names_and_may_be_left_out() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/sysctl.d/10.conf", "net.ipv4.conf.eth0.rp_filter = 1\n");
    write(
        root,
        "usr/lib/sysctl.d/50-default.conf",
        "net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n-net.ipv4.conf.all.log_martians = 1\n",
    );
    assert_eq!(value(root, "net.ipv4.conf.default.rp_filter").as_deref(), Some("2"));
    assert_eq!(value(root, "net.ipv4.conf.all.rp_filter"), None);
    assert_eq!(value(root, "net.ipv4.conf.eth0.rp_filter").as_deref(), Some("1"));
    // An interface with a dot in its name.
    assert_eq!(value(root, "net.ipv4.conf.eth0/7.rp_filter").as_deref(), Some("2"));
    // A marked line with a value sets it.
    assert_eq!(value(root, "net.ipv4.conf.all.log_martians").as_deref(), Some("1"));
    assert_eq!(value(root, "net.ipv6.conf.all.rp_filter"), None);
}

#[test]
fn both_ways_of_writing_a_name_are_read() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "etc/sysctl.conf",
        "net/ipv4/conf/eth0.7/forwarding = 1\nnet.ipv4.conf.eth0/8.forwarding = 1\nnet.ipv4.conf.eth[0-2x].forwarding=1\n\
         net.ipv4.conf.wlan?.forwarding=1\nnet.ipv4.conf.[!a-z]*.forwarding=1\n",
    );
    for (name, is_set) in [
        ("net.ipv4.conf.eth0/7.forwarding", true),
        ("net.ipv4.conf.eth0/8.forwarding", true),
        ("net.ipv4.conf.eth0/9.forwarding", false),
        ("net.ipv4.conf.eth1.forwarding", true),
        ("net.ipv4.conf.ethx.forwarding", true),
        ("net.ipv4.conf.eth3.forwarding", false),
        ("net.ipv4.conf.wlan0.forwarding", true),
        ("net.ipv4.conf.wlan.forwarding", false),
        ("net.ipv4.conf.0abc.forwarding", true),
    ] {
        assert_eq!(source(root.path(), name).is_some(), is_set, "{name}");
    }
}

#[test]
fn hostile_files_are_made_printable_and_take_no_time() {
    let root = tempfile::tempdir().unwrap();
    let pattern = format!("net.ipv4.{}x = 1\n", "*a".repeat(50_000));
    write(root.path(), "etc/sysctl.d/\u{1b}[2J.conf", &pattern);
    write(
        root.path(),
        "etc/sysctl.conf",
        "=\n-\n[\nnet.ipv4.[ = 1\nnet.ipv4.tcp_sack = 0\u{1b}[31m\n",
    );
    let name = format!("net.ipv4.{}", "a".repeat(100));
    assert_eq!(source(root.path(), &name), None);
    assert_eq!(assigned(root.path()).first().unwrap().file, "/etc/sysctl.d/?[2J.conf");
}

#[test]
fn of_interfaces_only_what_differs_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let proc = root.path().join("proc");
    for (path, value) in [
        ("net/ipv4/tcp_mem", "1\t2\t3\n"),
        ("net/ipv4/tcp_syncookies", "0\n"),
        ("net/ipv4/ip_local_port_range", "32768\t60999\n"),
        ("net/ipv4/conf/all/rp_filter", "0\n"),
        ("net/ipv4/conf/default/rp_filter", "2\n"),
        ("net/ipv4/conf/eth0/rp_filter", "2\n"),
        ("net/ipv4/conf/eth1.7/rp_filter", "1\n"),
        ("net/ipv4/conf/lo/rp_filter", "1\n"),
        ("net/ipv4/conf/eth0/medium_id", "7\n"),
        ("net/ipv4/neigh/eth0/gc_stale_time", "7\n"),
    ] {
        write(&proc, path, value);
    }
    write(
        root.path(),
        "etc/sysctl.conf",
        "net.ipv4.tcp_syncookies=0\nnet.ipv4.conf.default.rp_filter=1\n",
    );
    let sysctls = compared(
        &read(&proc),
        &BTreeMap::new(),
        inheritance(&proc),
        &assigned(root.path()),
    );
    let seen: Vec<(&str, &str, Option<&str>, bool)> = sysctls
        .iter()
        .map(|sysctl| {
            let default = sysctl.default.as_deref();
            (
                sysctl.name.as_str(),
                sysctl.value.as_str(),
                default,
                sysctl.source.is_some(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("net.ipv4.conf.all.rp_filter", "0", Some("0"), false),
            // The file says something else: it is not where the value is from.
            ("net.ipv4.conf.default.rp_filter", "2", Some("0"), false),
            ("net.ipv4.conf.eth1/7.rp_filter", "1", Some("0"), false),
            (
                "net.ipv4.ip_local_port_range",
                "32768 60999",
                Some("32768 60999"),
                false
            ),
            ("net.ipv4.tcp_syncookies", "0", Some("1"), true),
        ]
    );
}

#[test]
fn where_there_are_none_that_is_said() {
    let root = tempfile::tempdir().unwrap();
    let (sysctls, unseen) = sysctls(root.path(), root.path());
    assert_eq!(sysctls, []);
    assert!(unseen.iter().any(|said| said.contains("can't be read")), "{unseen:?}");
}

#[test]
fn a_new_namespace_tells_defaults_but_for_what_it_inherits() {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let values = map(&[
        ("net.ipv4.conf.all.rp_filter", "1"),
        ("net.ipv4.tcp_congestion_control", "bbr"),
        ("net.ipv4.tcp_new_thing", "5"),
        ("net.ipv6.conf.all.accept_ra", "2"),
    ]);
    let fresh = map(&[
        ("net.ipv4.conf.all.rp_filter", "1"),
        ("net.ipv4.tcp_congestion_control", "bbr"),
        ("net.ipv4.tcp_new_thing", "3"),
        ("net.ipv6.conf.all.accept_ra", "2"),
    ]);
    let told = |how: Option<&str>| -> Vec<Option<String>> {
        let proc = tempfile::tempdir().unwrap();
        if let Some(how) = how {
            write(proc.path(), "net/core/devconf_inherit_init_net", how);
        }
        let all = compared(&values, &fresh, inheritance(proc.path()), &[]);
        all.into_iter().map(|sysctl| sysctl.default).collect()
    };
    let some = |value: &str| Some(value.to_owned());
    // IPv4's conf is inherited, IPv6's is not.
    for how in [None, Some("0\n")] {
        assert_eq!(told(how), [some("0"), None, some("3"), some("2")]);
    }
    assert_eq!(told(Some("1\n")), [some("0"), None, some("3"), some("1")]);
    assert_eq!(told(Some("2\n")), [some("1"), None, some("3"), some("2")]);
    assert_eq!(told(Some("3\n")), [some("0"), None, some("3"), some("1")]);
}

/// This very kernel: its own defaults, read in a new namespace, are what is compiled in.
#[test]
fn the_table_is_this_kernels() {
    let proc = Path::new("/proc/sys");
    let inherits = Inheritance {
        ipv4: true,
        ipv6: false,
    };
    let fresh = Scratch::new().and_then(|scratch| scratch.run(|| read(proc)));
    let fresh = fresh.unwrap_or_default();
    let differing: Vec<(&String, &String, &str)> = fresh
        .iter()
        .filter(|(name, _)| inherits.tells(name))
        .filter_map(|(name, value)| Some((name, value, compiled_default(name)?)))
        .filter(|(_, value, compiled)| value != compiled)
        .collect();
    assert_eq!(differing, []);
    assert!(read(proc).contains_key("net.ipv4.tcp_syncookies"));
}
