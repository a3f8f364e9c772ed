//! Policies nobody thought of: what the model promises is what the kernel does.

use fwtui::core::network::NetworkClass;
use fwtui::core::policy::{Decision, Entry, Refusal};

use crate::harness::in_sandbox;
use crate::promises::{Play, interface};

/// The same numbers in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Some of the ports and addresses are in several decisions at once.
fn decision(dice: &mut Dice) -> (String, Entry) {
    let port = 1000 + dice.below(40);
    let ports = match dice.below(4) {
        0 => format!("{port}-{}", port + dice.below(12)),
        _ => port.to_string(),
    };
    let address = dice.one(&[
        "",
        "",
        "",
        "10.0.0.1:",
        "172.17.0.1:",
        "[2001:db8:5::1]:",
        "[fe80::1%lan]:",
    ]);
    let id = format!("{address}{ports}/{}", dice.one(&["tcp", "tcp", "udp", "udplite"]));
    let decision = dice.one(&[Decision::Confine, Decision::Trusted, Decision::Open, Decision::Open]);
    let nets = [
        "10.0.0.0/25",
        "192.0.2.0/24",
        "2001:db8:5::/64",
        "2001:db8:7::/48",
        "0.0.0.0/0",
        "::/0",
    ];
    let from = match decision {
        Decision::Open if dice.below(2) == 0 => (0..=dice.below(2)).map(|_| dice.one(&nets).parse().unwrap()).collect(),
        _ => Vec::new(),
    };
    (id, Entry { decision, from })
}

fn kept(dice: &mut Dice) {
    let mut play = Play::of(&[]);
    play.interfaces = vec![
        interface("lan", &["10.0.0.1/24", "2001:db8:5::1/64", "fe80::1/64"]),
        interface("wan", &["203.0.113.9/24", "2001:db8:6::1/64"]),
        interface("docker0", &["172.17.0.1/16"]),
    ];
    for name in ["lan", "wan", "docker0"] {
        let class = dice.one(&NetworkClass::ALL);
        play.policy.networks.interfaces.insert(name.to_owned(), class);
    }
    play.policy.refusal = dice.one(&[Refusal::Reject, Refusal::Drop]);
    if dice.below(2) == 0 {
        play.policy.networks.trusted_sources = vec!["198.51.100.0/24".parse().unwrap()];
    }
    for _ in 0..dice.below(60) {
        let (id, entry) = decision(dice);
        // One that contradicts another is refused.
        let _contradicts = play.policy.decide(id.parse().unwrap(), entry);
    }
    play.policy.decide("22/tcp".parse().unwrap(), Entry::default()).unwrap();
    if play.policy.services.is_empty() {
        return;
    }
    println!("{}", play.policy.to_text());
    play.goes_well();
}

#[test]
fn promises_of_random_policies_are_kept() {
    in_sandbox(|_lab| {
        let mut dice = Dice(20_261_122);
        for _ in 0..20 {
            kept(&mut dice);
        }
    });
}

#[test]
fn promises_of_random_policies_are_kept_by_iptables_legacy() {
    in_sandbox(|lab| {
        lab.use_legacy();
        let mut dice = Dice(42);
        for _ in 0..20 {
            kept(&mut dice);
        }
    });
}
