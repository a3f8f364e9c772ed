use super::*;

fn fixtures(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/containers")
        .join(engine)
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

type Port = (Protocol, u16, Option<IpAddr>);

fn named<'a>(found: &'a [Container], name: &str) -> (Vec<String>, &'a [Port]) {
    let container = found.iter().find(|container| container.name == name).unwrap();
    let addresses = container.addresses.iter().map(ToString::to_string).collect();
    (addresses, &container.published)
}

#[test]
fn docker_tells_names_addresses_and_ports() {
    let found = containers(&fixtures("docker"));
    assert_eq!(found.len(), 5);
    assert!(
        found
            .iter()
            .all(|container| container.engine == Tool::Docker && container.id.len() == 64)
    );
    let on = |address: &str| Some(address.parse::<IpAddr>().unwrap());
    let expected: [(&str, &str, &[Port]); 5] = [
        ("web", "172.17.0.2", &[(Protocol::Tcp, 8080, None)]),
        ("local", "172.17.0.3", &[(Protocol::Tcp, 8081, on("127.0.0.1"))]),
        ("dns", "172.17.0.4", &[(Protocol::Udp, 8082, on("192.168.7.10"))]),
        ("db", "172.30.0.2", &[(Protocol::Tcp, 5432, None)]),
        ("quiet", "172.30.0.3", &[]),
    ];
    for (name, address, ports) in expected {
        assert_eq!(named(&found, name), (vec![address.to_owned()], ports), "{name}");
    }
}

#[test]
fn docker_may_keep_its_data_elsewhere_and_its_ports_in_the_other_file() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/docker/daemon.json", r#"{"data-root": "/srv/docker"}"#);
    let folder = "srv/docker/containers/abc";
    write(
        root.path(),
        &format!("{folder}/config.v2.json"),
        r#"{"Name": "/a\u001b[2J", "State": {"Running": true}}"#,
    );
    let bindings =
        r#"{"PortBindings": {"53/udp": [{"HostIp": "::1", "HostPort": "5353"}], "1/sctp": [{}], "2/tcp": null}}"#;
    write(root.path(), &format!("{folder}/hostconfig.json"), bindings);
    let found = containers(root.path());
    let here = Some("::1".parse().unwrap());
    assert_eq!(
        named(&found, "a?[2J"),
        (Vec::new(), [(Protocol::Udp, 5353, here)].as_slice())
    );
}

#[test]
fn a_container_that_does_not_run_publishes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let config = r#"{"Name": "/old", "State": {"Running": false}, "NetworkSettings": {"Ports": {}}}"#;
    write(root.path(), "var/lib/docker/containers/abc/config.v2.json", config);
    assert_eq!(containers(root.path()), []);
}

#[test]
fn podman_tells_names_and_addresses() {
    let found = containers(&fixtures("podman"));
    assert!(
        found
            .iter()
            .all(|container| container.engine == Tool::Podman && container.published.is_empty())
    );
    assert_eq!(named(&found, "web").0, ["10.88.0.2"]);
    assert_eq!(named(&found, "dns").0, ["10.88.0.4"]);
    assert_eq!(named(&found, "db").0.first().unwrap(), "10.90.0.2");
    assert_eq!(found.len(), 4);
}

#[test]
fn nerdctl_tells_what_its_stores_hold() {
    let root = tempfile::tempdir().unwrap();
    let store = "var/lib/nerdctl/1935db59";
    write(root.path(), &format!("{store}/names/default/web"), "abc123\n");
    let meta = r#"{"ID": "abc123", "Networks": {"bridge": {"ips": [{"address": "10.4.0.2/24"}]}}}"#;
    write(root.path(), &format!("{store}/etchosts/default/abc123/meta.json"), meta);
    let config =
        r#"{"portMappings": [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": "0.0.0.0"}]}"#;
    write(
        root.path(),
        &format!("{store}/containers/default/abc123/network-config.json"),
        config,
    );
    let found = containers(root.path());
    assert_eq!(
        named(&found, "web"),
        (vec!["10.4.0.2".to_owned()], [(Protocol::Tcp, 8080, None)].as_slice())
    );
}

#[test]
fn what_is_spoilt_is_left_out_and_links_are_not_followed() {
    let root = tempfile::tempdir().unwrap();
    let containers_folder = "var/lib/docker/containers";
    for (id, text) in [
        ("a", "{"),
        ("b", "[1]"),
        ("c", "{\"Name\": 7}"),
        ("d", "\0"),
        ("e", "{}"),
    ] {
        write(root.path(), &format!("{containers_folder}/{id}/config.v2.json"), text);
    }
    write(
        root.path(),
        "elsewhere/config.v2.json",
        r#"{"Name": "/x", "State": {"Running": true}}"#,
    );
    std::os::unix::fs::symlink(
        root.path().join("elsewhere"),
        root.path().join(containers_folder).join("f"),
    )
    .unwrap();
    assert_eq!(containers(root.path()), []);
    assert_eq!(containers(Path::new("/nowhere")), []);
}

#[test]
fn no_more_is_read_than_allowed() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..20 {
        let config = format!(r#"{{"Name": "/c{number}", "State": {{"Running": true}}}}"#);
        write(
            root.path(),
            &format!("var/lib/docker/containers/c{number}/config.v2.json"),
            &config,
        );
    }
    let found = |most| docker::containers(&mut Files::new(root.path(), most)).len();
    assert_eq!((found(0), found(1_000)), (0, 20));
    assert!((1..20).contains(&found(30)), "{}", found(30));
}
