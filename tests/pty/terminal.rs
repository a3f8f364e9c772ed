//! A terminal with a program in it.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};
use vt100::{MouseProtocolEncoding, MouseProtocolMode, Parser, Screen};

/// How long anything may take that should happen at once; machines that run tests are busy.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Nothing for so long is nothing more.
const QUIET: Duration = Duration::from_millis(300);
/// What was on the screen before.
const BEFORE: &str = "$ the line before";

/// A program at a terminal, as the leader of that terminal's session.
pub struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    emulator: Parser,
    /// Everything the program wrote.
    written: Vec<u8>,
    /// The terminal's settings before the program started.
    settings: String,
    /// What was there before does not survive that in the emulator.
    was_resized: bool,
    child: Child,
}

impl Terminal {
    /// Starts fwtui with these arguments in a terminal of so many columns and rows.
    pub fn start(size: (u16, u16), args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
        command.args(args);
        Self::with(size, &command)
    }

    /// Starts a command; its standard streams are the terminal.
    pub fn with(size: (u16, u16), command: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        fcntl_setfl(&master, OFlags::NONBLOCK | OFlags::RDWR).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave: OwnedFd = OpenOptions::new().read(true).write(true).open(name).unwrap().into();
        set_size(&master, size);
        let mut emulator = Parser::new(size.1.try_into().unwrap(), size.0.try_into().unwrap(), 0);
        emulator.process(format!("{BEFORE}\r\n").as_bytes());
        let settings = settings(&slave);
        // util-linux: a new session with its standard input as the controlling terminal.
        let mut session = Command::new("setsid");
        session
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args())
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8");
        for variable in ["NO_COLOR", "COLORTERM", "SSH_CONNECTION"] {
            session.env_remove(variable);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        let child = session
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave.try_clone().unwrap())
            .spawn()
            .unwrap();
        Self {
            master,
            slave,
            emulator,
            written: Vec::new(),
            settings,
            was_resized: false,
            child,
        }
    }

    /// What is on the screen, without the blanks at the ends of lines: some are written, some erased.
    pub fn text(&self) -> String {
        let contents = self.emulator.screen().contents();
        let lines: Vec<&str> = contents.split('\n').map(str::trim_end).collect();
        lines.join("\n")
    }

    /// What is on the screen, with its colours.
    pub fn screen(&self) -> &Screen {
        self.emulator.screen()
    }

    /// Reads on until the program has nothing more to say for a while.
    pub fn settles(&mut self) {
        while self.read(Instant::now() + Duration::from_millis(300)) {}
    }

    /// Everything that was written so far.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// The line of the screen that has these words.
    pub fn line(&self, words: &str) -> String {
        let text = self.text();
        let line = text.lines().find(|line| line.contains(words));
        line.unwrap_or_else(|| panic!("'{words}' in:\n{text}")).to_owned()
    }

    /// Waits until all these words are on the screen.
    #[track_caller]
    pub fn sees(&mut self, words: &[&str]) {
        self.until(&format!("{words:?}"), |text| {
            words.iter().all(|words| text.contains(words))
        });
    }

    /// Waits until these words are gone from the screen.
    #[track_caller]
    pub fn loses(&mut self, words: &str) {
        self.until(&format!("no '{words}'"), |text| !text.contains(words));
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn until(&mut self, what: &str, is_there: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_there(&self.text()) {
            assert!(
                self.read(deadline),
                "waited for {what} (ended: {:?}); the screen:\n{}",
                self.child.try_wait(),
                self.text()
            );
        }
    }

    /// Types, as fast as the terminal takes it.
    pub fn types(&mut self, keys: &str) {
        let mut rest = keys.as_bytes();
        while !rest.is_empty() {
            match rustix::io::write(&self.master, rest) {
                Ok(count) => rest = &rest[count..],
                // Full: the program has something to draw meanwhile.
                Err(Errno::AGAIN) => drop(self.read(Instant::now() + Duration::from_millis(20))),
                Err(error) => panic!("typing: {error}"),
            }
        }
    }

    /// Types, and waits for what comes of it.
    #[track_caller]
    pub fn answers(&mut self, keys: &str, words: &[&str]) {
        self.types(keys);
        self.sees(words);
    }

    /// Gives the terminal other columns and rows.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.emulator
            .set_size(size.1.try_into().unwrap(), size.0.try_into().unwrap());
        self.was_resized = true;
        set_size(&self.master, size);
    }

    /// The terminal forgets its size.
    pub fn says_no_size(&self) {
        set_size(&self.master, (0, 0));
    }

    /// Reads what is there.
    pub fn reads(&mut self) {
        self.read(Instant::now() + Duration::from_millis(1));
    }

    /// Somebody else writes to the terminal.
    pub fn is_written_over(&mut self, text: &str) {
        self.emulator.process(format!("\u{1b}[5;1H{text}\r\n").as_bytes());
        assert!(self.text().contains(text));
    }

    /// A shell takes the terminal, as it does when its job is stopped.
    pub fn is_taken_by_a_shell(&mut self) {
        let mut settings = tcgetattr(&self.slave).unwrap();
        settings.local_modes |= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        tcsetattr(&self.slave, OptionalActions::Now, &settings).unwrap();
        self.emulator.process(b"\x1b[?1049l\x1b[?25h\x1b[?1000l");
        self.is_written_over("$ the shell's prompt");
    }

    /// Stops the program, and reads what it had written until then.
    #[track_caller]
    pub fn is_stopped(&mut self) {
        self.signal(Signal::STOP);
        let stat = format!("/proc/{}/stat", self.child.id());
        let deadline = Instant::now() + PATIENCE;
        // proc_pid_stat(5): the state follows the name in brackets.
        while !std::fs::read_to_string(&stat).unwrap().contains(") T ") {
            assert!(Instant::now() < deadline, "it does not stop");
        }
        while self.read(Instant::now() + Duration::from_millis(2)) {}
    }

    /// Keeps the program drawing and reads nothing, until the terminal takes no more.
    pub fn stands_still(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let is_blocked = |pid: u32| {
            let path = format!("/proc/{pid}/task/{pid}/wchan");
            let place = std::fs::read_to_string(path).unwrap();
            let system_call = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/syscall")).unwrap_or_default();
            // The main thread is in write (1 on x86-64, 64 on arm64), and sleeps there.
            place.contains("tty_write") || system_call.starts_with("1 0x1 ") || system_call.starts_with("64 0x1 ")
        };
        while !is_blocked(self.child.id()) {
            // Ctrl-L draws every cell anew.
            let _full = rustix::io::write(&self.master, b"\x0c2\x0c1");
            std::thread::yield_now();
            assert!(Instant::now() < deadline, "the terminal takes everything");
        }
    }

    /// The process in it.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// How the program ended, if it has; nothing is read.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// The settings are those from before; of the screen nothing can be said.
    #[track_caller]
    pub fn has_its_settings(&self) {
        assert_eq!(settings(&self.slave), self.settings, "the terminal's settings");
    }

    /// Waits until more than so many bytes were written.
    #[track_caller]
    pub fn changes(&mut self, written: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.written.len() <= written {
            assert!(self.read(deadline), "nothing comes; the screen:\n{}", self.text());
        }
    }

    /// Reads until nothing comes for a while.
    pub fn is_quiet(&mut self) {
        while self.read(Instant::now() + QUIET) {}
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the program's end, and reads its last words.
    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // The end first: whatever was written before it can then be read.
            let status = self.child.try_wait().unwrap();
            while self.read(Instant::now() + Duration::from_millis(2)) {}
            if let Some(status) = status {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end; the screen:\n{}",
                self.text()
            );
        }
    }

    /// Waits for the program's end, and finds the terminal as it was.
    #[track_caller]
    pub fn ends_well(&mut self, code: i32) {
        let status = self.ends();
        assert_eq!(status.code(), Some(code), "{status}; the screen:\n{}", self.text());
        self.is_as_before();
    }

    /// The terminal is as it was before the program started.
    #[track_caller]
    pub fn is_as_before(&self) {
        let screen = self.emulator.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None);
        assert_eq!(screen.mouse_protocol_encoding(), MouseProtocolEncoding::Default);
        assert_eq!(screen.fgcolor(), vt100::Color::Default);
        assert_eq!(screen.bgcolor(), vt100::Color::Default);
        assert!(
            self.was_resized || self.text().starts_with(BEFORE),
            "what was there before:\n{}",
            self.text()
        );
        assert_eq!(settings(&self.slave), self.settings, "the terminal's settings");
    }

    /// Whether the program has the terminal to itself.
    pub fn is_taken(&self) -> bool {
        self.emulator.screen().alternate_screen() && settings(&self.slave) != self.settings
    }

    /// Closes the terminal under the program.
    pub fn close(self) -> Child {
        let Self {
            master, slave, child, ..
        } = self;
        drop((master, slave));
        child
    }

    /// Reads what the program writes until the deadline; whether there was anything.
    fn read(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut descriptors = [PollFd::new(&self.master, PollFlags::IN)];
        if poll(&mut descriptors, Some(&left.try_into().unwrap())) == Ok(0) {
            return false;
        }
        let mut buffer = vec![0; 64 * 1024];
        match rustix::io::read(&self.master, &mut buffer) {
            Ok(0) | Err(Errno::IO) => false,
            Ok(count) => {
                self.written.extend(&buffer[..count]);
                self.emulator.process(&buffer[..count]);
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Err(error) => panic!("reading the terminal: {error}"),
        }
    }
}

fn set_size(master: &OwnedFd, (columns, rows): (u16, u16)) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(master, size).unwrap();
}

fn settings(slave: &impl AsFd) -> String {
    format!("{:?}", tcgetattr(slave).unwrap())
}
