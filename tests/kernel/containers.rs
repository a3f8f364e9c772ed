//! Published ports over time: docker starts anew, comes and goes, trials end, addresses and labels change.

use std::time::Duration;

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};
use fwtui::core::trial::Reason;
use fwtui::sys::clock;

use crate::docker::{
    Docker, EVERYONE, NOBODY, ON_ONE, PUBLISHED, both, containers, expect_answers, listen_in_the_world,
    passing_traffic_fares_as_without_fwtui,
};
use crate::harness::{Lab, PATIENCE, eventually, in_sandbox};
use crate::machine::policy;
use crate::timer::kill_all;
use crate::trial::{back_at, closed};

fn a_restart_of_docker_opens_nothing(lab: &Lab, variant: &'static str) {
    let docker = Docker::started(lab, variant);
    lab.keep(&both(ON_ONE, "open"));
    docker.restart();
    let forward = docker.forward();
    assert!(
        forward.find("-A FORWARD -j DOCKER-USER\n") < forward.find("-A FORWARD -j FWTUI-FORWARD\n"),
        "{forward}"
    );
    expect_answers(PUBLISHED, &NOBODY);
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("confirmed"), 0), "{status}");
    // A trial over that, and its revert.
    let base = lab.base();
    lab.does(&["set", "8090/tcp", "open"]);
    lab.does(&["apply", "--yes"]);
    lab.does(&["revert"]);
    lab.settled();
    assert_eq!(lab.base(), base);
    expect_answers(PUBLISHED, &NOBODY);
    // Where somebody empties docker's chain as well, it is seen and mended.
    docker.tables(Family::Ipv4, "-F DOCKER-USER");
    docker.restart();
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("drifted"), 3), "{status}");
    lab.does(&["restore"]);
    expect_answers(PUBLISHED, &NOBODY);
    assert_eq!(lab.status().1, 0);
    docker.restart();
    expect_answers(PUBLISHED, &NOBODY);
    assert_eq!(lab.status().1, 0);
}

#[test]
fn a_restart_of_docker_opens_nothing_and_is_no_drift() {
    in_sandbox(|lab| a_restart_of_docker_opens_nothing(lab, "nft"));
}

#[test]
fn a_restart_of_docker_opens_nothing_and_is_no_drift_with_legacy() {
    in_sandbox(|lab| a_restart_of_docker_opens_nothing(lab, "legacy"));
}

#[test]
fn docker_that_is_installed_later_is_seen_and_put_right() {
    in_sandbox(|lab| {
        containers(lab);
        lab.keep(&policy(&[]));
        let docker = Docker { lab, variant: "nft" };
        docker.start();
        let (status, code) = lab.status();
        assert_eq!((status["state"].as_str(), code), (Some("drifted"), 3), "{status}");
        assert!(
            status["drift"]
                .as_str()
                .unwrap()
                .contains("comes before fwtui's own rules"),
            "{status}"
        );
        lab.does(&["restore"]);
        assert_eq!(lab.status().1, 0);
        expect_answers(PUBLISHED, &NOBODY);
        docker.restart();
        expect_answers(PUBLISHED, &NOBODY);
        assert_eq!(lab.status().1, 0);
    });
}

/// Docker's chain goes: nothing of fwtui's fails for that.
fn remove_docker(docker: &Docker<'_>) {
    for family in Family::ALL {
        for arguments in ["-D FORWARD -j DOCKER-USER", "-F DOCKER-USER", "-X DOCKER-USER"] {
            docker.tables(family, arguments);
        }
    }
}

#[test]
fn docker_that_is_removed_keeps_nothing_from_being_reverted_applied_or_taken_out() {
    in_sandbox(|lab| {
        let docker = Docker::started(lab, "nft");
        let guard = lab.hold(&policy(&[]), Duration::from_millis(1500));
        expect_answers(PUBLISHED, &NOBODY);
        remove_docker(&docker);
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        expect_answers(PUBLISHED, &EVERYONE);
        assert!(!lab.line("iptables-save").contains("FWTUI"));
        lab.keep(&policy(&[]));
        expect_answers(PUBLISHED, &NOBODY);
        lab.does(&["off", "--yes"]);
        lab.confirm();
        assert!(!lab.line("iptables-save").contains("FWTUI"));
        assert!(!lab.line("ip6tables-save").contains("FWTUI"));
    });
}

fn a_trial_that_runs_out_opens_again(lab: &Lab, variant: &'static str, is_killed: bool) {
    let docker = Docker::started(lab, variant);
    let (base, foreign) = (lab.base(), lab.foreign());
    let mut guard = lab.hold(&policy(&[]), Duration::from_millis(2500));
    expect_answers(PUBLISHED, &NOBODY);
    docker.restart();
    expect_answers(PUBLISHED, &NOBODY);
    let deadline = guard.deadline;
    let reason = match is_killed {
        true => {
            kill_all(&mut guard);
            Reason::GuardDied
        }
        false => Reason::NotConfirmed,
    };
    back_at(deadline, || lab.answers(Neighbour::Public, PUBLISHED));
    assert!(clock::since_boot() < deadline + PATIENCE);
    if is_killed {
        lab.fwtui(&["status"]);
    }
    closed(lab, &reason);
    expect_answers(PUBLISHED, &EVERYONE);
    assert_eq!((lab.base(), lab.foreign()), (base, foreign));
    assert!(!docker.forward().contains("FWTUI"));
}

#[test]
fn a_trial_that_runs_out_opens_published_ports_again() {
    in_sandbox(|lab| a_trial_that_runs_out_opens_again(lab, "nft", false));
}

#[test]
fn with_everything_dead_the_kernel_opens_published_ports_again() {
    in_sandbox(|lab| a_trial_that_runs_out_opens_again(lab, "nft", true));
}

#[test]
fn with_everything_dead_the_kernel_opens_published_ports_again_legacy() {
    in_sandbox(|lab| a_trial_that_runs_out_opens_again(lab, "legacy", true));
}

/// Machines get other addresses: a laptop in a café.
fn a_new_address_opens_nothing(lab: &Lab, variant: &'static str) {
    let docker = Docker::started(lab, variant);
    // By legacy, where docker's rules are, not by the other one's emptiness.
    lab.keep(&policy(&[]));
    assert_eq!(lab.status().0["backend"], format!("iptables-{variant}"));
    lab.line("ip address add 203.0.113.99/24 dev eth0");
    lab.line("ip address add 2001:db8:1::99/64 dev eth0 nodad");
    let knocks = || {
        let doors = ["203.0.113.99", "[2001:db8:1::99]"].map(|address| format!("{address}:{PUBLISHED}"));
        let each = doors
            .iter()
            .flat_map(|door| [Protocol::Tcp, Protocol::Udp].map(|protocol| (door, protocol)));
        each.map(|(door, protocol)| lab.knock_at(Neighbour::Public, door.parse().unwrap(), protocol))
            .collect::<Vec<_>>()
    };
    // The neighbour may have to ask more than once who has an address that is so new.
    let refused = eventually(|| {
        let seen = knocks();
        assert!(!seen.contains(&Knock::Answered), "{seen:?}");
        seen.iter().all(|knock| knock.is_refused()).then_some(())
    });
    refused.expect("it is refused at the new address");
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("confirmed"), 0), "{status}");
    assert!(lab.does(&["apply", "--yes"]).contains("Nothing to change"));
    passing_traffic_fares_as_without_fwtui_from_the_world(lab);
    lab.keep(&both(PUBLISHED, "open"));
    let seen = knocks();
    assert!(seen.iter().all(|knock| *knock == Knock::Answered), "{seen:?}");
    lab.does(&["off", "--yes"]);
    lab.confirm();
    assert!(knocks().iter().all(|knock| *knock == Knock::Answered));
    assert!(!docker.forward().contains("FWTUI"));
    for family in Family::ALL {
        let save = docker.program(family, "-save");
        assert!(!lab.run(&[&save]).contains("FWTUI"), "{save}");
    }
}

/// What others rewrite that was never for this machine.
fn passing_traffic_fares_as_without_fwtui_from_the_world(lab: &Lab) {
    listen_in_the_world(lab);
    passing_traffic_fares_as_without_fwtui();
}

#[test]
fn a_new_address_opens_no_published_port() {
    in_sandbox(|lab| a_new_address_opens_nothing(lab, "nft"));
}

#[test]
fn a_new_address_opens_no_published_port_with_legacy() {
    in_sandbox(|lab| a_new_address_opens_nothing(lab, "legacy"));
}

fn labels_that_are_gone_are_drift(lab: &Lab, variant: &'static str) {
    let docker = Docker::started(lab, variant);
    lab.keep(&policy(&[]));
    let base = lab.base();
    for what in ["-F PREROUTING", "-F FWTUI-PREROUTING", "-F"] {
        for family in Family::ALL {
            docker.tables(family, &format!("-t mangle {what}"));
        }
        // So it is without labels, and therefore said.
        let door = format!("203.0.113.10:{PUBLISHED}").parse().unwrap();
        let knock = lab.knock_at(Neighbour::Public, door, Protocol::Tcp);
        assert_eq!(knock, Knock::Answered, "{what}");
        let (status, code) = lab.status();
        assert_eq!(
            (status["state"].as_str(), code),
            (Some("drifted"), 3),
            "{what}: {status}"
        );
        lab.does(&["restore"]);
        assert_eq!(lab.status().1, 0, "{what}");
        expect_answers(PUBLISHED, &NOBODY);
    }
    let rules = |base: &fwtui::backend::switch::Base| [base.ipv4.rules.clone(), base.ipv6.rules.clone()];
    assert_eq!(rules(&lab.base()), rules(&base));
}

#[test]
fn labels_that_somebody_took_away_are_drift_and_come_back() {
    in_sandbox(|lab| labels_that_are_gone_are_drift(lab, "nft"));
}

#[test]
fn labels_that_somebody_took_away_are_drift_and_come_back_with_legacy() {
    in_sandbox(|lab| labels_that_are_gone_are_drift(lab, "legacy"));
}

/// The extension of iptables that knows labels is not there, in this mount namespace only.
struct NoLabels(std::path::PathBuf);

impl NoLabels {
    fn here() -> Self {
        let folders = [
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib",
            "/usr/lib64",
        ];
        let files = folders.map(|folder| std::path::Path::new(folder).join("xtables/libxt_connlabel.so"));
        let file = files.into_iter().find(|file| file.exists()).expect("iptables has it");
        std::fs::write("/run/no-extension", "").unwrap();
        rustix::mount::mount_bind("/run/no-extension", &file).unwrap();
        Self(file)
    }
}

impl Drop for NoLabels {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

#[test]
fn without_labels_published_ports_are_told_by_address_and_that_is_said() {
    in_sandbox(|lab| {
        const SAID: &str = "open at it until the next apply";
        let _docker = Docker::started(lab, "nft");
        let without = NoLabels::here();
        assert_eq!(lab.does(&["preview"]).matches(SAID).count(), 1);
        assert_eq!(lab.does(&["apply", "--yes"]).matches(SAID).count(), 1);
        lab.confirm();
        expect_answers(PUBLISHED, &NOBODY);
        let own = lab.base().ipv4.rules;
        assert!(own.mangle.is_empty() && own.to_text().contains("--ctorigdst 203.0.113.10 "));
        assert_eq!(lab.status().1, 0);
        assert!(lab.does(&["apply", "--yes"]).contains("Nothing to change"));
        // A restore is in the same kind.
        lab.line("iptables -F FWTUI-INPUT");
        lab.does(&["restore"]);
        assert_eq!((lab.base().ipv4.rules, lab.status().1), (own, 0));
        // What is warned of, and what labels are for.
        lab.line("ip address add 203.0.113.99/24 dev eth0");
        let door = format!("203.0.113.99:{PUBLISHED}").parse().unwrap();
        let knock = || lab.knock_at(Neighbour::Public, door, Protocol::Tcp);
        assert_eq!(knock(), Knock::Answered);
        // With labels the next apply goes by them.
        drop(without);
        assert!(!lab.does(&["preview"]).contains(SAID));
        lab.keep(&policy(&[]));
        let own = lab.base().ipv4.rules;
        assert!(!own.mangle.is_empty() && !own.to_text().contains("--ctorigdst "));
        assert!(knock().is_refused());
        expect_answers(PUBLISHED, &NOBODY);
    });
}
