//! The screens on a terminal of their own: the first frame, memory, and what they cost while
//! nothing happens.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::FWTUI;
use crate::crowd::{Crowd, count};
use crate::table::{Table, median, milliseconds};

const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(80).unwrap();
/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(5);

pub fn measure(table: &mut Table) {
    let mut crowd = Crowd::default();
    for port in 20_000..20_020 {
        crowd.add(port..port + 1);
    }
    let mut times = Vec::new();
    for _ in 0..15 {
        let mut screen = Screen::open();
        times.push(screen.first_frame());
        screen.quit();
    }
    let time = median(times);
    let what = format!("screens: first frame, {} processes", count());
    table.single(&what, milliseconds(time), "< 50 ms", time < Duration::from_millis(50));

    let mut screen = Screen::open();
    screen.first_frame();
    // Owners and rules come after the first frame.
    screen.drain(Duration::from_secs(2));
    let (before, start) = (screen.cpu(), Instant::now());
    let idle_bytes = screen.drain(IDLE);
    let used = screen.cpu().saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    table.single(
        "screens: CPU while idle, 5 s",
        format!("{used:.2} %"),
        "< 1 %",
        used < 1.0,
    );
    table.single(
        "screens: bytes while idle, 5 s",
        idle_bytes.to_string(),
        "0",
        idle_bytes == 0,
    );
    bytes_for_keys(&mut screen, table);
    let peak = screen.peak();
    table.single(
        "screens: peak memory (VmHWM)",
        format!("{:.1} MB", peak as f64 / 1024.0),
        "< 20 MB",
        peak < 20 * 1024,
    );
    screen.quit();
}

/// What keys cost on a slow link: each with all that comes of it.
fn bytes_for_keys(screen: &mut Screen, table: &mut Table) {
    let mut worst = Vec::new();
    for (group, keys) in [
        (
            "moving, filtering",
            ["\x1b[B", "\x1b[6~", "/", "2", "\x1b", "\x1b[F"].as_slice(),
        ),
        ("another screen, help", &["2", "3", "1", "?", "\x1b"]),
    ] {
        let costs = keys.iter().map(|key| {
            screen.terminal.write_all(key.as_bytes()).unwrap();
            screen.drain(Duration::from_millis(500))
        });
        worst.push((group, costs.max().unwrap_or_default()));
    }
    for (group, bytes) in worst {
        let what = format!("screens: bytes for a key, {group}: worst");
        table.single(&what, bytes.to_string(), "< 2048", bytes < 2048);
    }
}

#[derive(Debug)]
struct Screen {
    child: Child,
    terminal: File,
    started: Instant,
}

impl Screen {
    fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let terminal: OwnedFd = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: ROWS.get(),
            ws_col: COLUMNS.get(),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).unwrap();
        let started = Instant::now();
        let child = Command::new(FWTUI)
            .args(["--screen", "services"])
            .env("TERM", "xterm-256color")
            .stdin(terminal.try_clone().unwrap())
            .stdout(terminal.try_clone().unwrap())
            .stderr(terminal)
            .spawn()
            .unwrap();
        Self {
            child,
            terminal: File::from(master),
            started,
        }
    }

    /// Reads until the frame of the first screen is there.
    fn first_frame(&mut self) -> Duration {
        let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
        let mut buffer = [0; 8192];
        loop {
            let count = self.terminal.read(&mut buffer).unwrap();
            parser.process(&buffer[..count]);
            let text = parser.screen().contents();
            if text.contains("SERVICE") && text.contains("20000/tcp") {
                return self.started.elapsed();
            }
            assert!(self.started.elapsed() < Duration::from_secs(10), "no frame: {text}");
        }
    }

    /// Reads for so long; how many bytes came.
    fn drain(&mut self, time: Duration) -> usize {
        let end = Instant::now() + time;
        let mut count = 0;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let mut descriptors = [PollFd::new(&self.terminal, PollFlags::IN)];
            if left.is_zero() || poll(&mut descriptors, Some(&left.try_into().unwrap())) == Ok(0) {
                return count;
            }
            count += self.terminal.read(&mut [0; 8192]).unwrap();
        }
    }

    /// Time on a CPU of all its threads.
    fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of = |task: fs::DirEntry| {
            let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        Duration::from_nanos(tasks.map(|task| of(task.unwrap())).sum())
    }

    /// In kilobytes.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn quit(mut self) {
        // It must not wait for somebody to read what it says at the end.
        let mut reader = self.terminal.try_clone().unwrap();
        let drain = std::thread::spawn(move || while matches!(reader.read(&mut [0; 4096]), Ok(1..)) {});
        self.terminal.write_all(b"q").unwrap();
        assert!(self.child.wait().unwrap().success());
        drop(self.terminal);
        let _drained = drain.join();
    }
}
