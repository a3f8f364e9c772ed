use super::*;

fn disk(manager: Manager, at_boot: Option<bool>) -> OnDisk {
    OnDisk {
        manager,
        at_boot,
        how: String::new(),
        file: None,
        has_rules: true,
        flushes: false,
    }
}

fn flushing(manager: Manager) -> OnDisk {
    OnDisk {
        flushes: true,
        ..disk(manager, Some(true))
    }
}

#[test]
fn chains_tell_who_is_in_the_kernel() {
    let chains = [
        ("filter", "INPUT"),
        ("filter", "DOCKER-USER"),
        ("filter", "ufw-before-input"),
        ("firewalld", "filter_INPUT"),
        ("mine", "input"),
    ];
    assert_eq!(in_kernel(chains), [Tool::Docker, Tool::Firewalld].into());
    assert_eq!(in_kernel([("filter", "ufw-user-input")]), [Tool::Ufw].into());
}

#[test]
fn who_is_neither_in_the_kernel_nor_at_boot_is_not_there() {
    let on_disk = [disk(Manager::Ufw, Some(false)), disk(Manager::Docker, Some(true))];
    let there = present(&on_disk, Some(&BTreeSet::new()));
    assert_eq!(
        there.iter().map(|one| one.manager).collect::<Vec<_>>(),
        [Manager::Docker]
    );
    let there = present(&on_disk, Some(&[Tool::Ufw].into()));
    let words: Vec<String> = there.iter().map(Presence::words).collect();
    assert_eq!(words, ["ufw (active, not at boot)", "docker (at boot after fwtui)"]);
    assert!(there.first().unwrap().boot.contains("gone after a reboot"));
    let blind = present(&[disk(Manager::Ufw, Some(true))], None);
    assert_eq!(blind.first().unwrap().in_kernel, None);
    assert_eq!(blind.first().unwrap().words(), "ufw (at boot before fwtui)");
}

#[test]
fn what_has_no_name_in_the_kernel_is_active_if_it_loads_rules() {
    let empty = OnDisk {
        has_rules: false,
        ..disk(Manager::Nftables, Some(true))
    };
    let is_active = |disk: OnDisk| present(&[disk], Some(&BTreeSet::new())).first().unwrap().is_active();
    assert!(!is_active(empty));
    assert!(is_active(disk(Manager::Nftables, Some(true))));
}

#[test]
fn those_that_undo_one_another_are_told() {
    let told = |on_disk: &[OnDisk]| conflicts(&present(on_disk, Some(&BTreeSet::new())));
    let ufw = || disk(Manager::Ufw, Some(true));
    assert_eq!(told(&[ufw(), disk(Manager::Docker, Some(true))]), Vec::<String>::new());
    assert_eq!(
        told(&[ufw(), disk(Manager::Nftables, Some(true))]),
        Vec::<String>::new()
    );
    for (pair, words) in [
        ([flushing(Manager::Nftables), ufw()], "takes the rules of ufw with it"),
        (
            [disk(Manager::Firewalld, Some(true)), ufw()],
            "firewalld deletes ufw's chains",
        ),
        (
            [flushing(Manager::NetfilterPersistent), ufw()],
            "netfilter-persistent.service and ufw",
        ),
        (
            [flushing(Manager::Iptables), disk(Manager::Firewalld, Some(true))],
            "iptables.service and firewalld",
        ),
    ] {
        let told = told(&pair);
        assert!(
            told.len() == 1 && told.iter().all(|said| said.contains(words)),
            "{told:?}"
        );
    }
}

#[test]
fn every_sentence_is_one() {
    for manager in Manager::ALL {
        for at_boot in [None, Some(false), Some(true)] {
            for flushes in [false, true] {
                let said = words::boot(
                    manager,
                    Some(&OnDisk {
                        flushes,
                        ..disk(manager, at_boot)
                    }),
                );
                assert!(
                    said.len() > 20 && !said.ends_with('.') && !said.contains("  "),
                    "{said}"
                );
            }
        }
    }
}
