use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[test]
fn answers_are_gone_on_with_on_a_machine_that_changed() {
    let machine = server();
    let proposals = machine.propose();
    let mut answers = Answers::from_proposals(&proposals);
    answers.step = Step::Services;
    answers.services.insert("80/tcp".parse().unwrap(), Decision::Trusted);
    answers.services.insert("81/tcp".parse().unwrap(), Decision::Open);
    answers.networks.insert("wlan0".into(), NetworkClass::Trusted);
    answers.logging = Logging::Kernel;
    let over = answers.over(&proposals);
    assert_eq!(over.services[&"80/tcp".parse().unwrap()], Decision::Trusted);
    let ids: BTreeSet<&ServiceId> = proposals.services.iter().map(|one| &one.id).collect();
    assert_eq!(over.services.keys().collect::<BTreeSet<_>>(), ids);
    assert!(!over.networks.contains_key("wlan0"));
    assert_eq!((over.step, over.logging), (Step::Services, Logging::Kernel));
}

#[test]
fn steps_have_an_order() {
    assert_eq!(Step::Welcome.previous(), None);
    assert_eq!(Step::Preview.next(), None);
    for pair in Step::ALL.windows(2) {
        let [one, other] = pair else { panic!("{pair:?}") };
        assert_eq!((one.next(), other.previous()), (Some(*other), Some(*one)));
    }
}

#[test]
fn a_damaged_document_says_what_is_wrong() {
    let text = Answers::from_proposals(&server().propose()).to_text();
    for (find, replace, why) in [
        ("\"version\": 1", "\"version\": 2", "line 2: version 2 is not known"),
        ("\"step\"", "\"stage\"", "line 3: unknown field `stage`"),
        (
            "\"reject\"",
            "\"eject\"",
            "line 4: unknown variant 'eject': did you mean 'reject'?",
        ),
        ("\"eth0\"", "\"eth/0\"", "is no interface name"),
        ("22/tcp", "0/tcp", "1 to 65535"),
        ("\"confine\"", "\"close\"", "unknown variant `close`"),
    ] {
        let damaged = text.replacen(find, replace, 1);
        assert_ne!(damaged, text, "{find}");
        let error = Answers::parse(&damaged).unwrap_err();
        assert!(error.contains(why), "{replace}: {error}");
    }
    assert!(Answers::parse("[1]").unwrap_err().contains("a list"));
    assert!(Answers::parse("").unwrap_err().starts_with("line 1:"));
    let large = " ".repeat(usize::try_from(LARGEST).unwrap() + 1);
    assert!(Answers::parse(&large).unwrap_err().contains("larger than"));
}

fn any_decision() -> impl Strategy<Value = Decision> {
    proptest::sample::select(Decision::ALL.to_vec())
}

fn any_id() -> impl Strategy<Value = ServiceId> {
    let ids = [
        "22/tcp",
        "80-90/tcp",
        "85-95/tcp",
        "1-1024/tcp",
        "192.0.2.10:22/tcp",
        "[fe80::1%eth0]:53/udp",
        "60001/udp",
        "51820/udp",
        "65535/udplite",
    ];
    proptest::sample::select(ids.map(|id| id.parse().unwrap()).to_vec())
}

fn any_answers() -> impl Strategy<Value = Answers> {
    (
        proptest::sample::select(Step::ALL.to_vec()),
        proptest::collection::btree_map("[a-z]{1,8}", proptest::sample::select(NetworkClass::ALL.to_vec()), 0..4),
        any::<bool>(),
        proptest::collection::btree_map(any_id(), any_decision(), 0..9),
        proptest::collection::btree_map(any_id(), Just(vec!["192.0.2.0/24".parse().unwrap()]), 0..3),
    )
        .prop_map(|(step, networks, is_drop, services, from)| Answers {
            step,
            networks,
            refusal: if is_drop { Refusal::Drop } else { Refusal::Reject },
            logging: if is_drop { Logging::Nflog } else { Logging::Off },
            services,
            from,
        })
}

proptest! {
    #[test]
    fn answers_read_back_as_written(answers in any_answers()) {
        prop_assert_eq!(Answers::parse(&answers.to_text()).unwrap(), answers);
    }

    #[test]
    fn no_text_does_harm(text in ".{0,200}") {
        drop(Answers::parse(&text));
    }

    /// Whatever was decided before, and whatever carries the user: taking all keeps him in, and trusts
    /// no network that was not trusted.
    #[test]
    fn taking_all_never_shuts_the_user_out(
        decided in proptest::collection::vec((any_id(), any_decision(), any::<bool>()), 0..6),
        ports in proptest::collection::vec((1_u16..=65535, 0_usize..3, any::<bool>()), 0..4),
        is_desktop in any::<Option<bool>>(),
    ) {
        let mut machine = Machine { is_desktop, ..server() };
        for (id, decision, is_limited) in decided {
            let from = match is_limited && decision == Decision::Open {
                true => vec!["203.0.113.0/24".parse().unwrap()],
                false => Vec::new(),
            };
            drop(machine.policy.decide(id, Entry { decision, from }));
        }
        for (port, carrier, is_known) in ports {
            let carriers = [Carrier::Ssh, Carrier::Mosh, Carrier::Tunnel("wg0".into())];
            let protocol = if carrier == 0 { Protocol::Tcp } else { Protocol::Udp };
            let peer = is_known.then_some("198.51.100.7");
            machine = machine.reached(way_in(carriers[carrier].clone(), protocol, port, peer));
        }
        machine.keeps_its_user();
        let taken = machine.taken();
        for interface in &machine.interfaces {
            prop_assert_eq!(taken.networks.interfaces[&interface.name], interface.proposed_class());
        }
    }
}
