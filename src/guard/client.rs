//! Starting a guard, and talking to it.

use std::io;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use crate::guard::channel;
use crate::guard::{Answer, GuardError, Job, Message, Report};
use crate::store::paths::Paths;
use crate::sys::runner::{SelfCall, Stdin, spawn_self};

/// How long an answer may take: a revert that has to be tried again takes its time.
const PATIENCE: Duration = Duration::from_secs(40);

/// Starts a guard with a job and waits until it has tried. Returns the deadline since boot.
///
/// # Errors
/// Where no guard could be started or it could not apply; nothing has changed then, or it has been
/// undone.
pub fn start(job: &Job) -> Result<Duration, GuardError> {
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
        Some(Ok(Report::Applied(deadline))) => Ok(deadline),
        Some(Ok(Report::Failed(why))) => Err(GuardError::Failed(why)),
        Some(Ok(Report::Busy)) => Err(GuardError::Busy),
        Some(Err(_)) | None => Err(GuardError::Died),
    }
}

/// Asks the running guard; none where no guard runs.
///
/// # Errors
/// Where the socket can't be used or the answer makes no sense.
pub fn ask(paths: &Paths, message: &Message) -> Result<Option<Answer>, GuardError> {
    let stream = match UnixStream::connect(paths.socket()) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(GuardError::io("the guard's socket can't be used")(error)),
    };
    let talk = || -> io::Result<Answer> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        channel::write(&stream, message)?;
        channel::read(&stream)
    };
    match talk() {
        Ok(answer) => Ok(Some(answer)),
        // It decided and left between our knocking and its answering: the state folder tells.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            ) =>
        {
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::Other => Err(GuardError::Gibberish),
        Err(error) => Err(GuardError::io("the guard does not answer")(error)),
    }
}
