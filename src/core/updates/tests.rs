use std::cmp::Ordering;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/updates");
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn apt_tells_security_by_the_suite() {
    let debian = apt(&fixture("apt")).unwrap();
    assert_eq!(
        debian.all,
        [
            "apt",
            "base-files",
            "bash",
            "libssl3",
            "linux-libc-dev",
            "openssl",
            "tzdata"
        ]
    );
    assert_eq!(
        debian.security,
        ["apt", "libssl3", "linux-libc-dev", "openssl", "tzdata"]
    );
    let ubuntu = apt(&fixture("apt-ubuntu")).unwrap();
    // Two architectures are one package.
    assert_eq!(ubuntu.all, ["google-chrome-stable", "imagemagick", "libc6", "snapd"]);
    assert_eq!(ubuntu.security, ["imagemagick", "libc6"]);
    assert_eq!(apt("Listing...\n").unwrap(), Pending::default());
}

#[test]
fn apt_in_another_format_is_not_taken_for_none() {
    let said = apt("libc6 2.36 amd64 [upgradable from: 2.35]\n").unwrap_err();
    assert!(said.contains("can't be read"), "{said}");
}

#[test]
fn dnf_of_both_kinds_is_read() {
    assert_eq!(
        dnf(&fixture("dnf")),
        [
            "NetworkManager",
            "kernel",
            "python3-a-very-long-name-of-a-package-that-is-wrapped",
            "vim-minimal"
        ]
    );
    assert_eq!(dnf(&fixture("dnf5")), ["openssl-libs", "tzdata"]);
    assert_eq!(
        dnf("Last metadata expiration check: 0:12:01 ago on Mon.\n"),
        Vec::<String>::new()
    );
}

#[test]
fn the_others_are_read() {
    // What is held back is no update that waits.
    assert_eq!(pacman(&fixture("pacman")), ["curl", "linux"]);
    assert_eq!(zypper_updates(&fixture("zypper-updates")), ["curl", "libcurl4"]);
    assert_eq!(zypper_updates("No updates found.\n"), Vec::<String>::new());
    assert_eq!(
        zypper_security(&fixture("zypper-patches")),
        ["openSUSE-SLE-15.5-2024-1"]
    );
    assert_eq!(apk(&fixture("apk")), ["busybox", "libcrypto3", "ssl_client"]);
}

#[test]
fn versions_are_in_order() {
    // Each is older than the next.
    for ordered in [
        ["1.0~rc1", "1.0", "1.0a", "1.0.1", "1.0.1.a"],
        ["6.1.0-9-amd64", "6.1.0-10-amd64", "6.1.0-18-amd64", "6.6-1", "6.10-1"],
        [
            "5.14.0-70.el9.x86_64",
            "5.14.0-284.el9.x86_64",
            "5.14.0-284.11.1.el9.x86_64",
            "5.15",
            "5.15.0-1",
        ],
        [
            "6.9.7-arch1-1",
            "6.9.8-arch1-1",
            "6.9.10-arch1-1",
            "6.10.1-arch1-1",
            "6.10.1-arch1-2",
        ],
    ] {
        for pair in ordered.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
    }
    for (a, b) in [("1.0", "1.0"), ("1.007", "1.7"), ("1-0", "1.0"), ("", "")] {
        assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
    }
}

#[test]
fn a_kernel_is_newer_within_its_flavour_only() {
    let told = |running: &str, installed: &[&str]| -> Option<String> {
        let installed: Vec<String> = installed.iter().map(|release| (*release).to_owned()).collect();
        newer_kernel(running, &installed).map(str::to_owned)
    };
    let some = |release: &str| Some(release.to_owned());
    assert_eq!(
        told("6.1.0-18-amd64", &["6.1.0-9-amd64", "6.1.0-18-amd64", "6.1.0-21-amd64"]),
        some("6.1.0-21-amd64")
    );
    assert_eq!(told("6.1.0-18-amd64", &["6.1.0-18-amd64", "6.1.0-9-amd64"]), None);
    // Others on purpose.
    assert_eq!(
        told("6.1.0-18-amd64", &["6.1.0-21-cloud-amd64", "6.6.2-rt-amd64"]),
        None
    );
    assert_eq!(
        told("6.6.30-1-lts", &["6.9.1-arch1-1", "6.6.31-1-lts"]),
        some("6.6.31-1-lts")
    );
    assert_eq!(
        told(
            "6.5.6-300.fc39.x86_64",
            &["6.5.6-300.fc39.x86_64", "6.6.2-201.fc39.x86_64"]
        ),
        some("6.6.2-201.fc39.x86_64")
    );
    assert_eq!(told("6.18.44-fc-v445", &[]), None);
}

proptest! {
    #[test]
    fn comparing_is_an_order(a in "[0-9a-z.~+-]{0,9}", b in "[0-9a-z.~+-]{0,9}", c in "[0-9a-z.~+-]{0,9}") {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        if compare(&a, &b) != Ordering::Greater && compare(&b, &c) != Ordering::Greater {
            prop_assert!(compare(&a, &c) != Ordering::Greater);
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "[ -~\n|<>]{0,200}") {
        drop((apt(&text), dnf(&text), pacman(&text), zypper_updates(&text), zypper_security(&text), apk(&text)));
    }
}
