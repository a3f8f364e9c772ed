//! What a key costs with 5,000 services: the change of the model, the frame, and the bytes for the
//! terminal, without what the terminal does with them.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use fwtui::app::{Observation, State, Status};
use fwtui::core::catalogue::Catalogue;
use fwtui::core::listener::{Listener, Owner, Protocol};
use fwtui::core::netfilter::Netfilter;
use fwtui::core::network::{Interface, InterfaceKind, World};
use fwtui::core::policy::{Decision, Entry, Policy};
use fwtui::core::reach::Filter;
use fwtui::core::ruleset::{Own, Slot, compile};
use fwtui::core::service::{Ownership, Ports, group};
use fwtui::tui::{Depth, Effect, Model, Msg, Settings, update, view};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use rustix::time::{ClockId, clock_gettime};

use crate::table::{Table, median, milliseconds};

pub const SERVICES: u16 = 5000;
/// Each of these is a key; words stand for those without a character.
const KEYS: [(&str, &[&str]); 7] = [
    ("down", &["down"]),
    ("page down", &["pgdn"]),
    ("end, home", &["end", "home"]),
    (
        "a letter of a filter",
        &["/", "w", "o", "r", "k", "e", "r", "-", "3", "backspace", "esc"],
    ),
    ("another order", &["s"]),
    ("the order reversed", &["S"]),
    ("mark", &["space"]),
];

pub fn measure(table: &mut Table) {
    let mut screen = Open::on(crowd(SERVICES, &Netfilter::default()));
    for (what, keys) in KEYS {
        let mut times = Vec::new();
        while times.len() < 100 {
            times.extend(keys.iter().map(|name| screen.press(name)));
        }
        let worst = times.iter().max().copied().unwrap_or_default();
        let half = median(times);
        table.single(
            &format!("screens: {SERVICES} services, {what}"),
            milliseconds(half),
            "< 5 ms",
            half < Duration::from_millis(5),
        );
        table.single(
            &format!("screens: {SERVICES} services, {what}: worst"),
            milliseconds(worst),
            "< 5 ms",
            worst < Duration::from_millis(5),
        );
    }
    screen.press("esc");
    let times: Vec<Duration> = (0..20)
        .flat_map(|_| ["c", "o", "t", "-", "u"].map(|key| screen.press(key)))
        .collect();
    let half = median(times);
    table.single(
        &format!("screens: {SERVICES} services, a decision on one"),
        milliseconds(half),
        "< 50 ms",
        half < Duration::from_millis(50),
    );
}

/// The screens, without a thread beside them.
pub struct Open {
    model: Model,
    terminal: Terminal<CrosstermBackend<std::io::Sink>>,
}

impl Open {
    pub fn on(observation: Observation) -> Self {
        let size = (120, 40);
        let viewport = Viewport::Fixed(Rect::new(0, 0, size.0, size.1));
        let backend = CrosstermBackend::new(std::io::sink());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        let mut model = Model::new(Settings::default(), size, Duration::from_secs(5000));
        update(&mut model, Msg::Seen(Depth::Complete, Box::new(observation)));
        Self { model, terminal }
    }

    /// How long it takes until the frame is written.
    pub fn press(&mut self, name: &str) -> Duration {
        let code = match name {
            "down" => KeyCode::Down,
            "pgdn" => KeyCode::PageDown,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "esc" => KeyCode::Esc,
            "enter" => KeyCode::Enter,
            "space" => KeyCode::Char(' '),
            "backspace" => KeyCode::Backspace,
            one => KeyCode::Char(one.chars().next().unwrap()),
        };

        self.take(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    /// The same for any message.
    pub fn take(&mut self, msg: Msg) -> Duration {
        let (mut taken, effects) = self.once(msg);
        // What a worker works out is taken in, too.
        for answer in effects.iter().filter(|effect| matches!(effect, Effect::WorkOut(_))) {
            let (adopted, _) = self.once(answer.answer().unwrap());
            taken = taken.max(adopted);
        }
        // What was asked for is answered by a worker, beside the screens.
        self.model.saves_under_way = 0;
        taken
    }

    fn once(&mut self, msg: Msg) -> (Duration, Vec<Effect>) {
        let start = thread_time();
        let effects = update(&mut self.model, msg);
        let model = &self.model;
        self.terminal.draw(|frame| view(model, frame)).unwrap();
        (thread_time().saturating_sub(start), effects)
    }
}

/// How long this thread has been at work: what others do meanwhile does not count.
fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

/// A machine on which so many services listen, every tenth of them decided, among the rules of others.
pub fn crowd(services: u16, others: &Netfilter) -> Observation {
    let ports = 1000..1000 + services;
    let listeners: Vec<Listener> = ports
        .clone()
        .map(|port| Listener {
            protocol: if port % 4 == 0 { Protocol::Udp } else { Protocol::Tcp },
            address: if port % 7 == 0 { "127.0.0.1" } else { "0.0.0.0" }.parse().unwrap(),
            port,
            v6only: false,
            interface: None,
            inode: u32::from(port),
            uid: 0,
            cgroup: None,
        })
        .collect();
    let owner = |port: u16| Owner {
        pid: u32::from(port),
        name: format!("worker-{port}"),
        exe: Some(format!("/usr/lib/workers/worker-{port}")),
        user: Some("app".into()),
        unit: Some(format!("worker@{port}.service")),
    };
    let ownership = Ownership {
        by_inode: ports
            .map(|port| (u32::from(port), vec![Arc::new(owner(port))]))
            .collect(),
        ..Ownership::default()
    };
    let mut policy = Policy::default();
    for listener in listeners.iter().step_by(10) {
        let decision = match listener.port % 3 {
            0 => Decision::Confine,
            1 => Decision::Trusted,
            _ => Decision::Open,
        };
        let entry = Entry {
            decision,
            from: Vec::new(),
        };
        let id = format!("{}/{}", listener.port, listener.protocol);
        policy.decide(id.parse().unwrap(), entry).unwrap();
    }
    let interfaces = vec![Interface {
        index: 2,
        name: "eth0".into(),
        kind: InterfaceKind::Ethernet,
        driver: None,
        addresses: vec!["192.0.2.10/24".parse().unwrap(), "2001:db8::10/64".parse().unwrap()],
        on_link: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/64".parse().unwrap()],
        changing: Vec::new(),
        is_up: true,
        has_default_route: true,
        has_physical_port: true,
    }];
    let rules = compile(&policy, &interfaces);
    let netfilter = others.with_own(&rules);
    Observation {
        host: "lumen".into(),
        is_root: true,
        services: group(&listeners, &ownership, Ports::new(32768, 60999).unwrap(), &|_| false),
        has_owners: true,
        world: World {
            interfaces: interfaces.clone(),
            ..World::default()
        },
        interfaces,
        policy: policy.clone(),
        filter: Some(Filter::default().with_own([Own::wanted(Slot::A, rules.ipv4), Own::wanted(Slot::A, rules.ipv6)])),
        netfilter: Some(Arc::new(netfilter)),
        confirmed: Some(policy),
        catalogue: Catalogue::embedded(),
        status: Status {
            state: State::Confirmed,
            backend: Some("iptables-nft".into()),
            ..Status::default()
        },
        ..Observation::default()
    }
}
