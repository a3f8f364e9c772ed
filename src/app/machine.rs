//! This machine, or the one under another root.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use crate::app::remedy::HOW_IT_STANDS;
use crate::app::{Cancel, Error, Kind};
use crate::backend::switch::Base;
use crate::backend::{Backend, BackendError, Observed, detect, iptables};
use crate::core::catalogue::Catalogue;
use crate::core::listener::Family;
use crate::core::policy::Policy;
use crate::core::ruleset::{Hook, Ruleset, docker_user_text, switch_text};
use crate::guard::{self, GuardError, recover};
use crate::store::paths::Paths;
use crate::store::{StoreError, catalogue, policy};
use crate::sys::files::{self, Lock};
use crate::sys::owners::Resolver;
use crate::sys::runner::SystemRunner;
use crate::sys::{clock, host};

/// An edit takes milliseconds; together these are two seconds.
const LOCK_ATTEMPTS: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// What the command line read from its arguments and environment.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Every path of fwtui is below this; `/` where none is given.
    pub root: Option<PathBuf>,
    /// `SSH_CONNECTION`, where there is one: sudo removes it, so it is the last resort only.
    pub ssh_connection: Option<String>,
    /// Who logged in, where that is known: sudo tells whom it works for.
    pub user: Option<String>,
    /// The user's config folder.
    pub config: Option<PathBuf>,
}

/// The machine fwtui works on.
#[derive(Debug)]
pub struct Machine {
    pub(super) paths: Paths,
    pub(super) ssh_connection: Option<String>,
    /// Owners of sockets seen before, so that a running TUI looks up new ones only.
    pub(super) owners: Resolver,
    pub(super) user: Option<String>,
    /// Why the kernel can't hold a trial's deadline by itself, once that was asked.
    pub(super) kernel_timer: OnceLock<Option<String>>,
    /// Why connections can't be labelled, once that was asked.
    pub(super) labels: OnceLock<Option<String>>,
    pub(super) config: Option<PathBuf>,
    /// The catalogue of services, once it was read, and what of its additions is left out.
    pub(super) catalogue: OnceLock<(Arc<Catalogue>, Vec<String>)>,
}

/// A backend with what to tell about the one that is not used.
pub(super) struct Opened {
    pub(super) backend: Box<dyn Backend>,
    pub(super) report: Option<String>,
}

impl Machine {
    /// The machine with these options. Nothing is read yet.
    pub fn new(options: Options) -> Self {
        Self {
            paths: Paths::under(options.root.unwrap_or_else(|| PathBuf::from("/"))),
            ssh_connection: options.ssh_connection,
            owners: Resolver::default(),
            user: options.user,
            kernel_timer: OnceLock::new(),
            labels: OnceLock::new(),
            config: options.config,
            catalogue: OnceLock::new(),
        }
    }

    /// The catalogue of services, and what of its additions is left out: one sentence each.
    pub fn catalogue(&self) -> &(Arc<Catalogue>, Vec<String>) {
        self.catalogue
            .get_or_init(|| catalogue::load(&self.paths, self.config.as_deref()))
    }

    /// The wanted policy; the default one where there is none.
    ///
    /// # Errors
    /// Where it can't be read or is wrong.
    pub fn policy(&self) -> Result<Policy, Error> {
        Ok(policy::load(&self.paths)?.unwrap_or_default())
    }

    /// Changes the wanted policy. Whether it changed is told; nothing is in force yet.
    ///
    /// # Errors
    /// Where the policy can't be read, the change makes no sense, or it can't be written; the old
    /// one is then as it was.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Policy) -> Result<T, Error>) -> Result<(T, bool), Error> {
        let stored = self.policy()?;
        let before = stored.current(clock::since_1970());
        let mut wanted = before.clone().into_owned();
        // What makes no sense is said before what is not permitted.
        let said = change(&mut wanted)?;
        if wanted == *before {
            return Ok((said, false));
        }
        self.save(&before, &wanted)?;
        Ok((said, true))
    }

    /// Writes the wanted policy over the one it was made from, without the blocks that are over.
    ///
    /// # Errors
    /// Where it can't be written, or another one is there by now and would be lost.
    pub fn save(&self, before: &Policy, wanted: &Policy) -> Result<(), Error> {
        require_root("change the policy")?;
        let now = clock::since_1970();
        let lock = self.policy_lock()?;
        if self.policy()?.current(now) != before.current(now) {
            return Err(Error::failed(
                "the policy was changed by another fwtui a moment ago; your change is not saved",
            )
            .hint("Look at it again, then repeat your change."));
        }
        policy::save(&self.paths, &wanted.current(now))?;
        drop(lock);
        // The edit is done; what can't be cleaned up refuses nobody and is in nobody's way.
        let _left_there = self.clean_blocks_that_are_over();
        Ok(())
    }

    /// Keeps other edits out, for the moment between reading and writing.
    pub(super) fn policy_lock(&self) -> Result<Lock, Error> {
        let failed = |error: std::io::Error| {
            let folder = self.paths.run();
            Error::failed(format!("the policy can't be locked in {}: {error}", folder.display()))
                .with_remedy("Try again in a moment.")
        };
        files::private_folder(&self.paths.run()).map_err(failed)?;
        for _ in 0..LOCK_ATTEMPTS {
            if let Some(lock) = Lock::try_take(&self.paths.policy_lock()).map_err(failed)? {
                return Ok(lock);
            }
            thread::sleep(LOCK_PAUSE);
        }
        Err(Error::failed("another fwtui is changing the policy").hint("Try again in a moment."))
    }

    /// The backend of this machine.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn open() -> Result<Opened, BackendError> {
        Self::open_unless(&Cancel::default())
    }

    /// The same for those who only look, and may no longer want to.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn open_unless(cancel: &Cancel) -> Result<Opened, BackendError> {
        let (backend, report) = iptables::open(SystemRunner::new().unless(cancel))?;
        Ok(Opened {
            backend: Box::new(backend),
            report,
        })
    }

    /// Closes the trial of a guard that died, if there is one: before anything else is done.
    ///
    /// # Errors
    /// Where that trial can't be closed.
    pub(super) fn recover(&self) -> Result<(), Error> {
        if !self.paths.journal().exists() {
            return Ok(());
        }
        let opened = Self::open()?;
        recover(
            &self.paths,
            opened.backend.as_ref(),
            &host::boot_id().unwrap_or_default(),
        )?;
        Ok(())
    }
}

/// Refuses what only root can do, with the way to do it.
pub(super) fn require_root(what: &str) -> Result<(), Error> {
    match host::is_root() {
        true => Ok(()),
        false => Err(Error::new(Kind::NotPermitted, format!("only root can {what}")).hint("Run it with sudo.")),
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::Io { source, .. } => {
                let kind = match source.kind() {
                    std::io::ErrorKind::PermissionDenied => Kind::NotPermitted,
                    _ => Kind::Failed,
                };
                let error = Self::new(kind, error.to_string()).with_remedy("Look at that file, and try again.");
                return match kind {
                    Kind::NotPermitted => error,
                    _ => error.hint("Nothing has been changed."),
                };
            }
            StoreError::Policy { .. } => "Mend that line; until then the policy is left as it is.".to_owned(),
            StoreError::Damaged { path, .. } => format!(
                "It is left as it is and not believed. Move it away to go on without it: mv {0} {0}.damaged",
                path.display()
            ),
        };
        Self::failed(error.to_string()).hint(hint)
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        let failed = Self::failed(error.to_string());
        match error {
            BackendError::NoIptables | BackendError::NoIp6tables => failed.hint(INSTALL_IPTABLES),
            BackendError::Unreadable { .. } => failed
                .hint("Nothing is changed while it can't be read. 'nft list ruleset' shows all of it.")
                .hint("Rules made with nft belong into a table of their own: then both can be read."),
            BackendError::ChangedMeanwhile => failed.hint("Look at the preview again, and apply again."),
            BackendError::NotAsLoaded { .. } => failed.hint(
                "It has been undone. Another program may be changing the same rules: try again, or see 'fwtui status'.",
            ),
            BackendError::Refused { .. } => {
                failed.hint("Other rules are untouched; the words are those of the program.")
            }
            _ => failed.with_remedy(HOW_IT_STANDS),
        }
    }
}

/// How to get iptables, by distribution.
pub(super) const INSTALL_IPTABLES: &str =
    "Install it: apt install iptables, dnf install iptables-nft, or pacman -S iptables-nft.";

impl From<GuardError> for Error {
    fn from(error: GuardError) -> Self {
        match error {
            GuardError::Store(error) => error.into(),
            GuardError::Backend(error) => error.into(),
            GuardError::Busy => Self::failed("a trial is running already")
                .hint("Keep it with 'fwtui confirm' or end it with 'fwtui revert' first."),
            GuardError::Died => Self::failed(error.to_string()).hint("Once they are back, apply again."),
            GuardError::Silent => Self::failed(error.to_string())
                .hint("Look in a while: sudo fwtui status. By hand: sudo sh /var/lib/fwtui/restore.sh."),
            GuardError::Gibberish => Self::failed(error.to_string())
                .hint("It may be of another version of fwtui. Without a word from you the old rules come back at the deadline."),
            GuardError::Io { .. } | GuardError::Failed(_) => Self::failed(error.to_string()).with_remedy(HOW_IT_STANDS),
        }
    }
}

/// The processes that outlive the one that started them.
impl Machine {
    /// Becomes a guard: reads a job from standard input, and holds it to its end.
    ///
    /// # Errors
    /// Where there was no trial to hold.
    pub fn be_guard() -> Result<(), Error> {
        require_root("hold a trial")?;
        Ok(guard::run(
            || Ok(Self::open()?.backend),
            &host::boot_id().unwrap_or_default(),
        )?)
    }

    /// Becomes the twin of the guard with this process id.
    ///
    /// # Errors
    /// Where it can't be watched, or its trial can't be closed.
    pub fn be_twin_of(&self, pid: i32) -> Result<(), Error> {
        require_root("hold a trial")?;
        Ok(guard::twin::watch(
            pid,
            &self.paths,
            || Ok(Self::open()?.backend),
            &host::boot_id().unwrap_or_default(),
        )?)
    }

    /// Closes the trial a guard may have left open when it ended; its twin is waited for.
    ///
    /// # Errors
    /// Where it can't be closed.
    pub fn finish_for_a_guard(&self) -> Result<(), Error> {
        require_root("hold a trial")?;
        Ok(guard::twin::finish(
            &self.paths,
            || Ok(Self::open()?.backend),
            &host::boot_id().unwrap_or_default(),
        )?)
    }

    /// The time since 1970 in UTC, in which the ends of blocks are given.
    pub fn since_1970(&self) -> Duration {
        clock::since_1970()
    }

    /// The time since boot, in which deadlines are given.
    pub fn since_boot(&self) -> Duration {
        clock::since_boot()
    }

    /// The text for `iptables-restore --noflush` or `ip6tables-restore --noflush` that puts a ruleset
    /// in force over what is there; as over nothing where that can't be read.
    ///
    /// # Errors
    /// Where the rules that are there make no sense.
    pub fn restore_text(&self, rules: &Ruleset, family: Family) -> Result<String, Error> {
        let now = match host::is_root() && !detect::is_pristine() {
            true => Self::open()?.backend.read()?,
            false => Observed::default(),
        };
        let want = Base::of(&now).successor(rules);
        let (now, want) = (now.family(family), want.family(family));
        let docker = docker_user_text(now, want.jumps.contains(&Hook::Forward));
        Ok(switch_text(now, want, None) + &docker)
    }
}
