//! Where everything is.

use std::path::{Path, PathBuf};

/// The folders fwtui uses, all under one root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    root: PathBuf,
}

impl Paths {
    /// All folders under `root`; `/` on a real machine.
    pub fn under(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The wanted policy.
    pub fn policy(&self) -> PathBuf {
        self.root.join("etc/fwtui/policy.json")
    }

    /// This machine's additions to the catalogue of services.
    pub fn services(&self) -> PathBuf {
        self.root.join("etc/fwtui").join(super::catalogue::FILE)
    }

    /// The state folder, root's only.
    pub fn state(&self) -> PathBuf {
        self.root.join("var/lib/fwtui")
    }

    /// What was last confirmed, and what boot restores.
    pub fn confirmed(&self) -> PathBuf {
        self.state().join("confirmed.json")
    }

    /// What is on trial; becomes the confirmed one by a rename.
    pub fn candidate(&self) -> PathBuf {
        self.state().join("candidate.json")
    }

    /// What listened when it was confirmed.
    pub fn listened(&self) -> PathBuf {
        self.state().join("listened.json")
    }

    /// The journal of the trial under way.
    pub fn journal(&self) -> PathBuf {
        self.state().join("trial.json")
    }

    /// How the last trial ended.
    pub fn last(&self) -> PathBuf {
        self.state().join("last.json")
    }

    /// The answers of a setup that was left before its end.
    pub fn setup(&self) -> PathBuf {
        self.state().join("setup.json")
    }

    /// What was in their place and was no such document.
    pub fn damaged_setup(&self) -> PathBuf {
        self.state().join("setup.json.damaged")
    }

    /// Which trial's end the user was told of last.
    pub fn told(&self) -> PathBuf {
        self.state().join("told")
    }

    /// What puts the old rules back by hand: `sh restore.sh`, without fwtui.
    pub fn script(&self) -> PathBuf {
        self.state().join("restore.sh")
    }

    /// The run folder, root's only.
    pub fn run(&self) -> PathBuf {
        self.root.join("run/fwtui")
    }

    /// The lock the guard holds while it lives.
    pub fn lock(&self) -> PathBuf {
        self.run().join("lock")
    }

    /// The lock of an edit of the policy.
    pub fn policy_lock(&self) -> PathBuf {
        self.run().join("policy.lock")
    }

    /// What the xtables tools lock in a rehearsal, where nobody else's lock matters.
    pub fn rehearsal_lock(&self) -> PathBuf {
        self.run().join("rehearsal.lock")
    }

    /// The guard's socket.
    pub fn socket(&self) -> PathBuf {
        self.run().join("guard.sock")
    }

    /// Where a guard that systemd starts asks for its job.
    pub fn handover(&self, short_id: &str) -> PathBuf {
        self.run().join(format!("start-{short_id}.sock"))
    }

    /// Why systemd does not watch the guard, where it was asked to and did not.
    pub fn unsupervised(&self) -> PathBuf {
        self.run().join("unsupervised")
    }
}
