//! What keeps the main thread of the screens from the next key, on machines that are large in one way
//! or another: the longest of each.

use std::sync::Arc;
use std::time::Duration;

use fwtui::app::{Observation, Outlook};
use fwtui::core::netfilter::Netfilter;
use fwtui::core::policy::{Block, Decision, Entry, Policy};
use fwtui::core::reach::Filter;
use fwtui::core::ruleset::{Own, Slot, compile};
use fwtui::tui::{Depth, Msg};

use crate::keystroke::{Open, SERVICES, crowd};
use crate::reach::{kernel, many};
use crate::table::{Table, milliseconds};

/// A frame of a terminal that draws sixty a second.
const FRAME: Duration = Duration::from_millis(16);
const ROUNDS: usize = 2;
/// Each of these is done in this order; words stand for keys without a character.
const STEPS: [(&str, &[&str]); 13] = [
    ("a key that only moves", &["down", "up", "end", "home"]),
    ("a letter of a filter", &["/", "w", "o", "backspace", "esc"]),
    ("a letter in the palette", &[":", "p", "r", "e", "esc"]),
    ("a decision", &["c", "o", "u", "u"]),
    ("a decision on all", &["A", "c", "u", "esc"]),
    ("the class of a network", &["2", "c", "c", "c", "1"]),
    ("the preview", &["p", "1"]),
    ("its views", &["p", "v", "v", "v", "v", "v"]),
    ("moving in it", &["down", "pgdn", "end", "home"]),
    ("a letter of a search", &["/", "a", "c", "c", "enter", "n", "n", "esc"]),
    ("reject, drop", &["x", "x", "1"]),
    ("the question before an apply", &["a", "down", "esc"]),
    ("the question before taking all out", &["p", "O", "down", "esc", "1"]),
];

pub fn measure(table: &mut Table) {
    let hosts = || {
        let ipv4 = many(|n| format!("-s 10.{}.{}.7/32 -j DROP", n / 250, n % 250));
        let ipv6 = many(|n| format!("-s 2001:db8:ffff:{n:x}::7/128 -j DROP"));
        kernel(&ipv4, &ipv6)
    };
    measure_one(table, "20 services", &crowd(20, &Netfilter::default()));
    measure_one(table, "10000 rules of others", &crowd(20, &hosts()));
    measure_one(table, "5000 services", &crowd(SERVICES, &Netfilter::default()));
    measure_one(table, "both", &crowd(SERVICES, &hosts()));
    measure_one(table, "1000 blocks", &blocked(1000));
    let undone = undone();
    let lines = fwtui::app::plan(&undone, &undone.policy, false).diff.len();
    measure_one(table, &format!("a diff of {lines} lines"), &undone);
}

fn measure_one(table: &mut Table, what: &str, observation: &Observation) {
    let mut screen = Open::on(observation.clone());
    let mut looks = Vec::new();
    for _ in 0..ROUNDS {
        let outlook = Outlook::of(observation, &observation.policy, None);
        let seen = Msg::SeenWith(Depth::Complete, Box::new(observation.clone()), Box::new(outlook));
        looks.push(screen.take(seen));
    }
    row(table, what, "a look", &looks);
    for (step, keys) in STEPS {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            times.extend(keys.iter().map(|key| screen.press(key)));
        }
        row(table, what, step, &times);
    }
}

fn row(table: &mut Table, what: &str, step: &str, times: &[Duration]) {
    let longest = times.iter().max().copied().unwrap_or_default();
    table.single(
        &format!("{what}: {step}"),
        milliseconds(longest),
        format!("<= {}", milliseconds(FRAME)),
        longest <= FRAME,
    );
}

/// With so many blocks.
fn blocked(count: u16) -> Observation {
    let mut observation = crowd(20, &Netfilter::default());
    for port in 0..count {
        let id = format!("{}/tcp", 20_000 + port);
        observation.policy.blocks.push(Block::on(id.parse().unwrap()));
    }
    observation
}

/// Of what is in force nothing is wanted any more, and as much else is.
fn undone() -> Observation {
    let mut observation = crowd(20, &Netfilter::default());
    let opened = |first: u16| {
        let mut policy = Policy::default();
        for port in first..first + 1000 {
            let entry = Entry {
                decision: Decision::Open,
                from: vec![
                    format!("203.0.{}.{}/32", port / 250 % 250, port % 250).parse().unwrap(),
                    format!("2001:db8:9::{port:x}/128").parse().unwrap(),
                ],
            };
            policy.decide(format!("{port}/tcp").parse().unwrap(), entry).unwrap();
        }
        policy
    };
    let (confirmed, wanted) = (opened(20_000), opened(30_000));
    let rules = compile(&confirmed, &observation.interfaces);
    observation.netfilter = Some(Arc::new(Netfilter::default().with_own(&rules)));
    let own = [Own::wanted(Slot::A, rules.ipv4), Own::wanted(Slot::A, rules.ipv6)];
    observation.filter = Some(Filter::default().with_own(own));
    observation.confirmed = Some(confirmed);
    observation.policy = wanted;
    observation
}
