//! Who watches the guard: its twin always, and systemd where it can.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::stdio::{dup2_stdin, dup2_stdout};

use crate::core::trial::LONGEST_TIMEOUT;
use crate::guard::{Job, Report, channel};
use crate::store::paths::Paths;
use crate::sys::runner::{Call, Runner, SystemRunner, own_path};
use crate::sys::systemd::{self, Notifier, Transient, command_line};
use crate::sys::{clock, files};

/// How long systemd may take until the guard asks for its job.
const START_PATIENCE: Duration = Duration::from_secs(15);
/// How long the guard may take until it has tried: every program it runs has a limit of its own.
const REPORT_PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// A guard that is silent for so long is taken for dead, in seconds.
const WATCHDOG: u64 = 10;
/// How long a revert may take, with all its attempts, in seconds.
const REVERT: u64 = 60;
/// Longer than a trial can last; systemd ends what is still there then, in seconds.
const TOO_LONG: u64 = 2 * LONGEST_TIMEOUT.as_secs() + REVERT;

/// Who puts the old rules back when the guard is gone or stands still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supervisor {
    /// systemd, and the guard's twin.
    Systemd,
    /// The guard's twin alone.
    Twin {
        /// Why systemd does not.
        why_not_systemd: String,
    },
}

/// Who would watch a guard that is started now, or watches the one that runs.
pub fn supervisor(paths: &Paths) -> Supervisor {
    const LONGEST_REASON: u64 = 4096;
    let why_not = systemd::why_not().or_else(|| {
        // It was asked for the last guard, and did not do it.
        let why = files::read_limited(&paths.unsupervised(), LONGEST_REASON);
        why.ok().flatten()
    });
    match why_not {
        None => Supervisor::Systemd,
        Some(why_not_systemd) => Supervisor::Twin { why_not_systemd },
    }
}

/// Starts a guard as a service of systemd's, hands it the job, and waits for its report. The outer
/// error is the reason why systemd does not do it: then nothing has changed, and a guard that comes
/// late finds no job.
pub(super) fn start(job: &Job, text: &[u8]) -> Result<io::Result<Report>, String> {
    if let Some(why) = systemd::why_not() {
        return Err(why);
    }
    let paths = Paths::under(&job.root);
    let short_id = job.candidate.id.get(..8).unwrap_or(&job.candidate.id);
    let result = start_service(&paths, short_id, text);
    // Only `status` reads it.
    let _remembered = match &result {
        Ok(_) => files::remove_durably(&paths.unsupervised()),
        Err(why) => files::write_atomic(&paths.unsupervised(), why, 0o600),
    };
    result
}

fn start_service(paths: &Paths, short_id: &str, text: &[u8]) -> Result<io::Result<Report>, String> {
    let refused = |error: io::Error| format!("the guard's job can't be handed over: {error}");
    files::private_folder(&paths.run()).map_err(refused)?;
    let handover = Handover::open(paths.handover(short_id)).map_err(refused)?;
    let program = own_path().ok_or("fwtui's file is gone, replaced perhaps by an upgrade")?;
    let service = service(&program, paths.root(), short_id, &handover.path).ok_or("fwtui's path is too unusual")?;
    let unit = service.unit.clone();
    let (sender, ended) = mpsc::channel();
    // It may go on for longer than anybody is interested in.
    thread::spawn(move || sender.send(service.start(&SystemRunner::new())).is_ok());
    let stream = handover.taken(&ended)?;
    let report = talk(&stream, text);
    if report
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    {
        // It stands still, and must not go on unseen: SIGTERM means revert.
        let stop = Call::new("systemctl").args(["--no-block", "stop"]).arg(unit);
        let _asked = SystemRunner::new().run(&stop);
    }
    Ok(report)
}

/// The guard as a service.
fn service(program: &Path, root: &Path, short_id: &str, handover: &Path) -> Option<Transient> {
    let recover = [
        program.as_os_str(),
        "--root".as_ref(),
        root.as_os_str(),
        "guard".as_ref(),
        "--recover".as_ref(),
    ];
    let properties = [
        "Type=notify".to_owned(),
        "NotifyAccess=main".to_owned(),
        "Restart=no".to_owned(),
        // Stopped before them: some save what is in the kernel when the machine goes down, and boot
        // would bring back what nobody confirmed.
        "After=nftables.service netfilter-persistent.service iptables.service ip6tables.service".to_owned(),
        format!("TimeoutStartSec={REVERT}"),
        // A process that stands still, or is frozen with its cgroup, dies of SIGKILL only.
        format!("WatchdogSec={WATCHDOG}"),
        "WatchdogSignal=SIGKILL".to_owned(),
        // When the guard is told to stop, SIGTERM goes to it alone: it reverts and ends, and its twin
        // then ends by itself. When the guard was killed, systemd goes from `stop-sigterm` straight on
        // to `stop-sigkill` before it comes to ExecStopPost=: with `control-group` and `mixed` that
        // would kill the twin, and whatever it has started to load the old rules, in the middle of it.
        // With `process` both pass by, ExecStopPost= waits for the lock the twin holds, and finds the
        // work done; or does it, where the twin is dead as well.
        "KillMode=process".to_owned(),
        format!("TimeoutStopSec={REVERT}"),
        format!("ExecStopPost={}", command_line(recover)?),
        format!("RuntimeMaxSec={TOO_LONG}"),
        "OOMScoreAdjust=-1000".to_owned(),
        // A program of the guard's that runs out of memory is the guard's business.
        "OOMPolicy=continue".to_owned(),
        "LimitMEMLOCK=infinity".to_owned(),
        "StandardOutput=null".to_owned(),
        "StandardError=journal".to_owned(),
    ];
    Some(Transient {
        unit: format!("fwtui-guard-{short_id}.service"),
        description: "Firewall rules on trial: puts the old ones back unless they are confirmed".to_owned(),
        properties: properties.to_vec(),
        program: program.to_owned(),
        args: ["guard".into(), "--job-from".into(), OsString::from(handover)].to_vec(),
    })
}

/// A socket in root's own folder, at which a guard asks for its job. Nothing of the job is ever on
/// disk, and with the socket goes the job: a guard that is late does nothing.
#[derive(Debug)]
struct Handover {
    path: PathBuf,
    listener: UnixListener,
}

impl Handover {
    fn open(path: PathBuf) -> io::Result<Self> {
        let listener = channel::listen(&path)?;
        Ok(Self { path, listener })
    }

    /// Waits until the guard is there; `ended` is what became of starting it.
    fn taken(self, ended: &Receiver<Result<(), String>>) -> Result<UnixStream, String> {
        let deadline = clock::since_boot() + START_PATIENCE;
        loop {
            // In this order: a guard that came before the start failed is seen.
            let ended = ended.try_recv();
            if let Ok((stream, _)) = self.listener.accept()
                && channel::is_ours(&stream)
            {
                return Ok(stream);
            }
            match ended {
                Ok(Err(why)) => return Err(why),
                Ok(Ok(())) | Err(TryRecvError::Disconnected) => return Err("the guard asked for no job".to_owned()),
                Err(TryRecvError::Empty) if clock::since_boot() > deadline => {
                    return Err("systemd did not start the guard in time".to_owned());
                }
                Err(TryRecvError::Empty) => thread::sleep(PAUSE),
            }
        }
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        // The folder is root's own, and the next one has another name.
        let _gone = std::fs::remove_file(&self.path);
    }
}

fn talk(stream: &UnixStream, text: &[u8]) -> io::Result<Report> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(START_PATIENCE))?;
    stream.set_read_timeout(Some(REPORT_PATIENCE))?;
    io::Write::write_all(&mut &*stream, text)?;
    stream.shutdown(Shutdown::Write)?;
    channel::read(stream)
}

/// For a guard that systemd started: makes the socket its job is handed over at its standard input
/// and output, as if whoever applies had started it.
///
/// # Errors
/// Where nobody hands it over any more: then there is nothing to do.
pub fn take_job_from(path: &Path) -> io::Result<()> {
    let stream = UnixStream::connect(path);
    // Nobody else is to find it, and whoever made it may be dead.
    let _gone = std::fs::remove_file(path);
    let stream = stream?;
    if !channel::is_ours(&stream) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    dup2_stdin(&stream)?;
    dup2_stdout(&stream)?;
    Ok(())
}

static NOTIFIER: OnceLock<Notifier> = OnceLock::new();

/// Tells systemd from now on how this process is; `socket` is `NOTIFY_SOCKET`. One that can't be
/// used ends with systemd taking us for dead, which is safe.
pub fn answer_to(socket: &OsStr) {
    if let Ok(notifier) = Notifier::to(socket) {
        let _first = NOTIFIER.set(notifier);
    }
}

/// Says a word to systemd, where it listens.
pub(super) fn tell_systemd(word: &str) {
    // One that does not arrive is followed by the next.
    let _heard = NOTIFIER.get().map(|notifier| notifier.send(word));
}

/// As far as the system lets us: this process is the last one to be killed when memory runs out, and
/// needs no disk to run on.
pub(super) fn harden() {
    let _spared = std::fs::write("/proc/self/oom_score_adj", "-1000");
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    // Under a limit, a page that can't be locked would end us: then better none.
    if setrlimit(Resource::Memlock, unlimited).is_ok() {
        let _locked = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_and_path() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("start");
        (folder, path)
    }

    #[test]
    fn a_job_is_handed_over_and_a_report_comes_back() {
        let (_folder, path) = folder_and_path();
        let handover = Handover::open(path.clone()).unwrap();
        let (_sender, ended) = mpsc::channel();
        let guard = thread::spawn(move || {
            let mut stream = UnixStream::connect(path).unwrap();
            let mut job = String::new();
            io::Read::read_to_string(&mut stream, &mut job).unwrap();
            channel::write(&stream, &Report::Busy).unwrap();
            job
        });
        let stream = handover.taken(&ended).unwrap();
        let job = "x".repeat(1 << 20);
        assert_eq!(talk(&stream, job.as_bytes()).unwrap(), Report::Busy);
        assert_eq!(guard.join().unwrap(), job);
    }

    #[test]
    fn a_failed_start_is_told_and_leaves_nothing_to_take() {
        let (_folder, path) = folder_and_path();
        let handover = Handover::open(path.clone()).unwrap();
        let (sender, ended) = mpsc::channel();
        sender.send(Err("Unit is masked".to_owned())).unwrap();
        assert_eq!(handover.taken(&ended).unwrap_err(), "Unit is masked");
        assert!(UnixStream::connect(&path).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn a_guard_that_dies_without_a_word_is_noticed() {
        let (_folder, path) = folder_and_path();
        let handover = Handover::open(path.clone()).unwrap();
        let (_sender, ended) = mpsc::channel();
        let guard = thread::spawn(move || drop(UnixStream::connect(path).unwrap()));
        let stream = handover.taken(&ended).unwrap();
        guard.join().unwrap();
        talk(&stream, b"job").unwrap_err();
    }

    #[test]
    fn the_service_recovers_under_the_same_root() {
        let service = service(
            Path::new("/opt/my fwtui"),
            Path::new("/r"),
            "01234567",
            Path::new("/run/x"),
        )
        .unwrap();
        assert_eq!(service.unit, "fwtui-guard-01234567.service");
        let wanted = r#"ExecStopPost="/opt/my fwtui" --root /r guard --recover"#;
        assert!(
            service.properties.iter().any(|property| property == wanted),
            "{service:?}"
        );
        assert!(service_is_refused_for_a_path_with_a_line_end());
    }

    fn service_is_refused_for_a_path_with_a_line_end() -> bool {
        service(Path::new("/a\nb"), Path::new("/"), "0", Path::new("/x")).is_none()
    }
}
