//! Starting a guard, and talking to it.

use std::io;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use crate::guard::channel;
use crate::guard::hold::Switched;
use crate::guard::{Answer, GuardError, Job, Message, Report, Request, supervise};
use crate::store::paths::Paths;
use crate::sys::clock;
use crate::sys::runner::{SelfCall, Stdin, spawn_self};

/// Between two attempts to be heard.
const PAUSE: Duration = Duration::from_millis(20);
/// How long an answer may take: a revert that has to be tried again takes its time, and so does
/// systemd with the services of a trial, each of whose answers is waited for up to 25 s.
const PATIENCE: Duration = Duration::from_secs(130);
/// How long one may take that changes nothing.
const SHORT_PATIENCE: Duration = Duration::from_secs(8);

/// Starts a guard with a job and waits until it has tried: as a service of systemd's where that can
/// be had, else as a process of its own.
///
/// # Errors
/// Where no guard could be started or it could not apply; nothing has changed then, or it has been
/// undone.
pub fn start(job: &Job) -> Result<Switched, GuardError> {
    let text = serde_json::to_vec(job)
        .map_err(io::Error::other)
        .map_err(GuardError::io("the job can't be written"))?;
    let report = match supervise::start(job, &text) {
        Ok(report) => Some(report),
        Err(_why_not_systemd) => start_detached(text)?,
    };
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

fn start_detached(text: Vec<u8>) -> Result<Option<io::Result<Report>>, GuardError> {
    let call = SelfCall {
        stdin: Stdin::Bytes(text),
        reads_back: true,
        ..SelfCall::new(["guard"])
    };
    let mut child = spawn_self(&call).map_err(GuardError::io("the guard can't be started"))?;
    let report = child.stdout.take().map(channel::read::<Report>);
    // It outlives us or we outlive it; in the second case it must not stay a zombie.
    thread::spawn(move || child.wait());
    Ok(report)
}

/// Asks the running guard; none where no guard runs.
///
/// # Errors
/// Where the socket can't be used or the answer makes no sense.
pub fn ask(paths: &Paths, message: &Message) -> Result<Option<Answer>, GuardError> {
    let patience = match message.request {
        Request::Status => SHORT_PATIENCE,
        _ => PATIENCE,
    };
    let deadline = clock::since_boot() + patience;
    loop {
        let stream = match UnixStream::connect(paths.socket()) {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(GuardError::io("the guard's socket can't be used")(error)),
        };
        match talk(&stream, message, patience) {
            Ok(answer) => return Ok(Some(answer)),
            // It decided and left between our knocking and its answering, and then nobody opens the
            // next time. Or we were too slow for it (it waits for nobody long), and then it does.
            Err(error) if has_hung_up(&error) && clock::since_boot() < deadline => thread::sleep(PAUSE),
            Err(error) if error.kind() == io::ErrorKind::Other => return Err(GuardError::Gibberish),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(GuardError::Silent);
            }
            Err(error) => return Err(GuardError::io("the guard does not answer")(error)),
        }
    }
}

fn talk(stream: &UnixStream, message: &Message, patience: Duration) -> io::Result<Answer> {
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    channel::write(stream, message)?;
    channel::read(stream)
}

fn has_hung_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    const STATUS: Message = Message {
        request: Request::Status,
        id: None,
    };

    #[test]
    fn one_that_was_too_slow_asks_again() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        std::fs::create_dir_all(paths.run()).unwrap();
        let listener = UnixListener::bind(paths.socket()).unwrap();
        let guard = thread::spawn(move || {
            drop(listener.accept().unwrap());
            let (stream, _) = listener.accept().unwrap();
            let asked: Message = channel::read(&stream).unwrap();
            channel::write(&stream, &Answer::Confirmed { trouble: None }).unwrap();
            asked
        });
        assert_eq!(ask(&paths, &STATUS).unwrap(), Some(Answer::Confirmed { trouble: None }));
        assert_eq!(guard.join().unwrap(), STATUS);
    }

    #[test]
    fn where_nobody_opens_there_is_no_guard() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        assert_eq!(ask(&paths, &STATUS).unwrap(), None);
        std::fs::create_dir_all(paths.run()).unwrap();
        let listener = UnixListener::bind(paths.socket()).unwrap();
        // It hangs up, and is gone: its socket stays behind, as a killed guard's does.
        let guard = thread::spawn(move || drop(listener.accept().unwrap()));
        assert_eq!(ask(&paths, &STATUS).unwrap(), None);
        guard.join().unwrap();
    }
}
