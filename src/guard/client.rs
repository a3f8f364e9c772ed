//! Starting a guard, and talking to it.

use std::io;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use crate::guard::channel;
use crate::guard::hold::Switched;
use crate::guard::{Answer, GuardError, Job, Message, Report};
use crate::store::paths::Paths;
use crate::sys::runner::{SelfCall, Stdin, spawn_self};

/// How long an answer may take: a revert that has to be tried again takes its time.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often a guard that hangs up is asked.
const ATTEMPTS: u32 = 3;

/// Starts a guard with a job and waits until it has tried.
///
/// # Errors
/// Where no guard could be started or it could not apply; nothing has changed then, or it has been
/// undone.
pub fn start(job: &Job) -> Result<Switched, GuardError> {
    let text = serde_json::to_vec(job)
        .map_err(io::Error::other)
        .map_err(GuardError::io("the job can't be written"))?;
    let call = SelfCall {
        stdin: Stdin::Bytes(text),
        reads_back: true,
        ..SelfCall::new(["guard"])
    };
    let mut child = spawn_self(&call).map_err(GuardError::io("the guard can't be started"))?;
    let report = child.stdout.take().map(channel::read::<Report>);
    // It outlives us or we outlive it; in the second case it must not stay a zombie.
    thread::spawn(move || child.wait());
    match report {
        Some(Ok(Report::Applied { deadline, switched_in })) => Ok(Switched {
            deadline,
            took: switched_in,
        }),
        Some(Ok(Report::Failed(why))) => Err(GuardError::Failed(why)),
        Some(Ok(Report::Busy)) => Err(GuardError::Busy),
        Some(Err(_)) | None => Err(GuardError::Died),
    }
}

/// Asks the running guard; none where no guard runs.
///
/// # Errors
/// Where the socket can't be used, nobody answers, or the answer makes no sense.
pub fn ask(paths: &Paths, message: &Message) -> Result<Option<Answer>, GuardError> {
    for _ in 0..ATTEMPTS {
        let stream = match UnixStream::connect(paths.socket()) {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(GuardError::io("the guard's socket can't be used")(error)),
        };
        match talk(&stream, message) {
            Ok(answer) => return Ok(Some(answer)),
            // It hung up: because it had decided and left, or because we were too slow for it.
            // Knocking again tells which.
            Err(error) if is_hung_up(&error) => {}
            Err(error) if error.kind() == io::ErrorKind::Other => return Err(GuardError::Gibberish),
            Err(error) => return Err(GuardError::io("the guard does not answer")(error)),
        }
    }
    Err(GuardError::Silent)
}

fn talk(stream: &UnixStream, message: &Message) -> io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    channel::write(stream, message)?;
    channel::read(stream)
}

fn is_hung_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | BrokenPipe | ConnectionReset)
}
