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
    let (over, elsewhere) = answers.over(&proposals);
    assert_eq!(elsewhere, [], "nobody decided anything");
    assert_eq!(over.services[&"80/tcp".parse().unwrap()], Decision::Trusted);
    let ids: BTreeSet<&ServiceId> = proposals.services.iter().map(|one| &one.id).collect();
    assert_eq!(over.services.keys().collect::<BTreeSet<_>>(), ids);
    assert!(!over.networks.contains_key("wlan0"));
    assert_eq!((over.step, over.logging), (Step::Services, Logging::Kernel));
}

/// The answers of a draft that was left, with what the user changed.
fn left(machine: &Machine, own: &[(&str, Decision)]) -> Answers {
    let mut answers = Answers::from_proposals(&machine.propose());
    for (id, decision) in own {
        answers.services.insert(id.parse().unwrap(), *decision);
    }
    // As it comes from the disk.
    Answers::parse(&answers.to_text()).unwrap()
}

#[test]
fn what_was_decided_elsewhere_is_taken_over_where_no_answer_is_the_users_own() {
    let machine = server();
    let answers = left(&machine, &[("80/tcp", Decision::Trusted), ("5432/tcp", Decision::Open)]);
    let now = machine
        .decided("9999/tcp", Decision::Open, &["192.0.2.0/24"])
        .decided("80/tcp", Decision::Confine, &[])
        .decided("5432/tcp", Decision::Open, &[]);
    let (over, elsewhere) = answers.over(&now.propose());
    let told: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "80/tcp: you answered trusted; confine was decided elsewhere since",
            "9999/tcp: now open to 192.0.2.0/24, as decided elsewhere since; here it was confine",
        ]
    );
    let policy = over.policy(&now.policy).unwrap();
    let entry = |id: &str| policy.services[&id.parse().unwrap()].clone();
    assert_eq!(entry("9999/tcp").from, ["192.0.2.0/24".parse().unwrap()]);
    assert_eq!(entry("80/tcp").decision, Decision::Trusted);
    assert_eq!(entry("5432/tcp").decision, Decision::Open);
    // What was taken over is told once; where the user's own answer holds, until both agree.
    let (again, told) = Answers::parse(&over.to_text()).unwrap().over(&now.propose());
    assert_eq!(again, over);
    assert_eq!(told.iter().map(|one| one.is_own).collect::<Vec<_>>(), [true]);
    let mut agreed = again;
    agreed.services.insert("80/tcp".parse().unwrap(), Decision::Confine);
    assert_eq!(agreed.over(&now.propose()).1, []);
}

#[test]
fn what_was_taken_back_elsewhere_is_told() {
    let decided = server()
        .decided("80/tcp", Decision::Trusted, &[])
        .decided("5432/tcp", Decision::Trusted, &[]);
    let answers = left(&decided, &[("5432/tcp", Decision::Open)]);
    let (over, elsewhere) = answers.over(&server().propose());
    let told: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "5432/tcp: you answered open; what was decided before was taken back elsewhere since",
            "80/tcp: now open, as recommended; trusted was taken back elsewhere since",
        ]
    );
    assert_eq!(over.services[&"5432/tcp".parse().unwrap()], Decision::Open);
}

#[test]
fn networks_refusal_and_logging_are_told_too() {
    let mut machine = server();
    let mut answers = left(&machine, &[]);
    answers.refusal = Refusal::Drop;
    machine.policy.logging = Logging::Kernel;
    machine
        .policy
        .networks
        .interfaces
        .insert("eth0".into(), NetworkClass::Trusted);
    let (over, elsewhere) = answers.over(&machine.propose());
    let told: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "eth0: now trusted, as decided elsewhere since; here it was public",
            "logging: now kernel, as decided elsewhere since; here it was off",
        ]
    );
    assert_eq!((over.refusal, over.logging), (Refusal::Drop, Logging::Kernel));
    assert_eq!(over.networks["eth0"], NetworkClass::Trusted);
}

#[test]
fn without_what_stood_then_every_answer_is_the_users_own() {
    let machine = server().decided("80/tcp", Decision::Confine, &[]);
    let mut answers = left(&server(), &[("80/tcp", Decision::Open)]);
    answers.against = None;
    let (over, elsewhere) = answers.over(&machine.propose());
    assert_eq!(over.services[&"80/tcp".parse().unwrap()], Decision::Open);
    let [only] = elsewhere.as_slice() else {
        panic!("{elsewhere:?}")
    };
    assert!(only.is_own && only.now == "confine", "{only}");
    // It is told again the next time as well.
    assert_eq!(over.over(&machine.propose()).1, elsewhere);
}

#[test]
fn own_answers_on_what_is_gone_are_gone_on_with() {
    let machine = server();
    let mut answers = left(&machine, &[("80/tcp", Decision::Trusted)]);
    answers.networks.insert("wlan0".into(), NetworkClass::Trusted);
    let mut smaller = server();
    smaller
        .services
        .retain(|one| !["80/tcp", "5432/tcp"].contains(&one.id.to_string().as_str()));
    let (proposals, absent) = smaller.propose().with_absent(&answers, &smaller.policy);
    assert_eq!(
        absent,
        ["80/tcp".parse().unwrap()],
        "nobody answered anything on 5432/tcp"
    );
    let (over, elsewhere) = answers.over(&proposals);
    assert_eq!(elsewhere, []);
    assert_eq!(over.networks["wlan0"], NetworkClass::Trusted);
    let policy = over.policy(&smaller.policy).unwrap();
    assert_eq!(policy.decision_for(&"80/tcp".parse().unwrap()), Decision::Trusted);
    assert_eq!(policy.decision_for(&"5432/tcp".parse().unwrap()), Decision::Undecided);
    // What was decided elsewhere on what is gone is told like everything else.
    let decided = smaller.decided("80/tcp", Decision::Confine, &[]);
    let (proposals, _) = decided.propose().with_absent(&answers, &decided.policy);
    let (_, elsewhere) = answers.over(&proposals);
    let told: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["80/tcp: you answered trusted; confine was decided elsewhere since"]
    );
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
        (
            "\"version\": 1",
            "\"version\": 2",
            "line 2: a newer fwtui wrote it (version 2,",
        ),
        ("\"version\": 1", "\"version\": 0", "line 2: version 0 is not known"),
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
            against: is_drop
                .then(|| Answers::from_proposals(&server().propose()).against)
                .flatten(),
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
