//! Whether what is confirmed will be there after a reboot, and making it so.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app::machine::require_root;
use crate::app::{Error, Machine};
use crate::sys::files;
use crate::sys::runner::{Call, Runner, SystemRunner, own_path};

const UNIT: &str = include_str!("../../assets/fwtui.service");
const SCRIPT: &str = include_str!("../../assets/fwtui.openrc");
/// The program in both, as `make install` puts it there without a prefix of its own.
const PROGRAM: &str = "/usr/local/bin/fwtui";

/// Where an administrator's units are; they go before those that a package brings.
const OWN_UNITS: &str = "etc/systemd/system";
/// Where units are looked for, in systemd's order.
const UNITS: [&str; 5] = [
    OWN_UNITS,
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];
const NAME: &str = "fwtui.service";
const OPENRC_SCRIPT: &str = "etc/init.d/fwtui";
/// How long a service manager may take.
const PATIENCE: Duration = Duration::from_secs(90);
const RUNLEVELS: &str = "etc/runlevels";

/// What starts services on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// systemd.
    Systemd,
    /// `OpenRC`.
    OpenRc,
    /// Something else.
    Other,
}

/// What installing the boot service came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// For which of them; nothing was done for [`Init::Other`].
    pub init: Init,
    /// The program boot will run.
    pub program: PathBuf,
    /// Why that program may not be there, or not be itself, when it is needed.
    pub doubts: Vec<String>,
}

impl Machine {
    /// Whether boot loads what is confirmed, and how, or why not and what to do about it.
    pub fn boot(&self) -> (bool, String) {
        match self.init() {
            Init::Systemd => self.systemd_boot(),
            Init::OpenRc => self.openrc_boot(),
            Init::Other => (
                false,
                "neither systemd nor OpenRC is here; 'fwtui install-service' says what boot must run".to_owned(),
            ),
        }
    }

    fn systemd_boot(&self) -> (bool, String) {
        let Some((path, unit)) = self.unit() else {
            return (
                false,
                format!("{NAME} is not installed; run 'sudo fwtui install-service'"),
            );
        };
        let path = path.display();
        if unit.is_empty() {
            return (false, format!("{NAME} is masked; run 'sudo systemctl unmask {NAME}'"));
        }
        let mut commands = unit.lines().filter_map(|line| line.strip_prefix("ExecStart="));
        let program = commands.next().and_then(|line| line.split_whitespace().next());
        match program {
            Some(program) if self.below(program).exists() => {}
            _ => {
                let what = program.unwrap_or("nothing");
                let why = format!("{path} runs {what}, which is not there; run 'sudo fwtui install-service'");
                return (false, why);
            }
        }
        let wanted = UNITS.iter().any(|folder| is_wanted_in(&self.below(folder)));
        match wanted {
            true => (true, format!("{NAME} loads them")),
            false => (
                false,
                format!("{NAME} is not enabled; run 'sudo systemctl enable {NAME}'"),
            ),
        }
    }

    fn openrc_boot(&self) -> (bool, String) {
        if !self.below(OPENRC_SCRIPT).exists() {
            let why = "there is no /etc/init.d/fwtui; run 'sudo fwtui install-service'";
            return (false, why.to_owned());
        }
        match entries(&self.below(RUNLEVELS))
            .iter()
            .any(|level| is_there(&level.join("fwtui")))
        {
            true => (true, "/etc/init.d/fwtui loads them".to_owned()),
            false => (
                false,
                "/etc/init.d/fwtui is in no runlevel; run 'sudo rc-update add fwtui boot'".to_owned(),
            ),
        }
    }

    /// The unit systemd would take, with its text; empty where it is masked.
    fn unit(&self) -> Option<(PathBuf, String)> {
        UNITS.iter().find_map(|folder| {
            let path = self.below(folder).join(NAME);
            let is_masked = fs::read_link(&path).is_ok_and(|target| target == Path::new("/dev/null"));
            match is_masked {
                true => Some((path, String::new())),
                false => fs::read_to_string(&path).ok().map(|text| (path, text)),
            }
        })
    }

    /// Has boot load what is confirmed, by this very program.
    ///
    /// # Errors
    /// Where that can't be written or switched on, or the program is one that others can replace.
    pub fn install_service(&self) -> Result<Installed, Error> {
        require_root("install a service")?;
        let program = own_path().ok_or_else(|| {
            Error::failed("fwtui's file is gone, replaced perhaps by an upgrade").hint("Run the new one.")
        })?;
        let doubts = doubts(&program);
        // As root, at every boot.
        if let (true, Some(doubt)) = (self.is_live(), doubts.iter().find(|doubt| doubt.is_serious)) {
            return Err(
                Error::failed(format!("boot would run {}, but {}", program.display(), doubt.words))
                    .hint("Install fwtui first, with 'make install' for example, and run the installed one."),
            );
        }
        let init = self.init();
        match init {
            Init::Systemd => self.install_unit(&program)?,
            Init::OpenRc => self.install_script(&program)?,
            Init::Other => {}
        }
        let doubts = doubts.into_iter().map(|doubt| doubt.words).collect();
        Ok(Installed { init, program, doubts })
    }

    fn install_unit(&self, program: &Path) -> Result<(), Error> {
        let text = with_program(UNIT, program)?;
        let own = self.below(OWN_UNITS).join(NAME);
        if let Some((path, _)) = self.unit().filter(|(_, text)| text.is_empty()) {
            return Err(Error::failed(format!("{} is masked", path.display())).hint(format!(
                "Somebody wanted it so; to have it: sudo systemctl unmask {NAME}."
            )));
        }
        // One that a package brought, and that says the same, goes on being the package's.
        let others = UNITS.iter().filter(|folder| **folder != OWN_UNITS);
        let shipped = others.filter_map(|folder| fs::read_to_string(self.below(folder).join(NAME)).ok());
        match shipped.take(1).any(|shipped| shipped == text) {
            true => remove(&own)?,
            false => write(&own, &text, 0o644)?,
        }
        if !self.is_live() {
            let link = self.below(OWN_UNITS).join("sysinit.target.wants").join(NAME);
            let target = self.unit().map_or(own, |(path, _)| path);
            return place_link(&link, &self.seen_inside(&target));
        }
        run(&["systemctl", "daemon-reload"])?;
        run(&["systemctl", "--quiet", "enable", NAME])?;
        // So that it follows others from now on. A trial is not to be disturbed.
        match self.paths.journal().exists() {
            true => Ok(()),
            false => run(&["systemctl", "start", NAME]),
        }
    }

    fn install_script(&self, program: &Path) -> Result<(), Error> {
        let script = self.below(OPENRC_SCRIPT);
        write(&script, &with_program(SCRIPT, program)?, 0o755)?;
        if self.is_live() {
            return run(&["rc-update", "add", "fwtui", "boot"]);
        }
        let link = self.below(RUNLEVELS).join("boot/fwtui");
        place_link(&link, &self.seen_inside(&script))
    }

    /// Has boot load nothing of fwtui's any more. Rules in force stay as they are.
    ///
    /// # Errors
    /// Where it can't be taken away.
    pub fn uninstall_service(&self) -> Result<Init, Error> {
        require_root("remove a service")?;
        let init = self.init();
        match init {
            Init::Systemd => {
                if self.is_live() && self.unit().is_some() {
                    run(&["systemctl", "--quiet", "disable", NAME])?;
                }
                let folder = self.below(OWN_UNITS);
                let links = entries(&folder).into_iter().map(|wants| wants.join(NAME));
                for path in links.chain([folder.join(NAME)]) {
                    remove(&path)?;
                }
                if self.is_live() {
                    run(&["systemctl", "daemon-reload"])?;
                }
            }
            Init::OpenRc => {
                for level in entries(&self.below(RUNLEVELS)) {
                    remove(&level.join("fwtui"))?;
                }
                remove(&self.below(OPENRC_SCRIPT))?;
            }
            Init::Other => {}
        }
        Ok(init)
    }

    /// What starts services here; under another root, what would.
    pub fn init(&self) -> Init {
        let has = |path: &&str| self.below(path).exists();
        let is_systemd = match self.is_live() {
            true => has(&"run/systemd/system"),
            false => ["etc/systemd/system", "usr/lib/systemd/systemd", "lib/systemd/systemd"]
                .iter()
                .any(&has),
        };
        match ["sbin/openrc-run", "usr/bin/openrc-run"].iter().any(has) {
            _ if is_systemd => Init::Systemd,
            true => Init::OpenRc,
            false => Init::Other,
        }
    }

    /// Whether it is about the machine that runs, not about a tree of files.
    fn is_live(&self) -> bool {
        self.paths.root() == Path::new("/")
    }

    fn below(&self, path: &str) -> PathBuf {
        self.paths.root().join(path.trim_start_matches('/'))
    }

    /// A path as the machine under our root will see it.
    fn seen_inside(&self, path: &Path) -> PathBuf {
        Path::new("/").join(path.strip_prefix(self.paths.root()).unwrap_or(path))
    }
}

/// Why a program may not be there at boot, or be another one.
struct Doubt {
    words: String,
    is_serious: bool,
}

fn doubts(program: &Path) -> Vec<Doubt> {
    let mut found = Vec::new();
    for place in program.ancestors() {
        let Ok(metadata) = fs::symlink_metadata(place) else {
            continue;
        };
        if metadata.uid() != 0 || metadata.mode() & 0o022 != 0 {
            found.push(Doubt {
                words: format!("{} can be written by others than root", place.display()),
                is_serious: true,
            });
        }
    }
    let is_in = |names: &[&str]| program.iter().any(|part| names.iter().any(|name| part == *name));
    if is_in(&["target"]) {
        found.push(Doubt {
            words: format!("{} is where builds go, and the next one replaces it", program.display()),
            is_serious: false,
        });
    }
    if is_in(&["home", "root", "tmp"]) {
        found.push(Doubt {
            words: format!(
                "{} may not be there yet when it is needed, or not for long",
                program.display()
            ),
            is_serious: false,
        });
    }
    found
}

fn with_program(text: &str, program: &Path) -> Result<String, Error> {
    let path = program.to_str().filter(|path| {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+".contains(letter);
        path.chars().all(is_plain)
    });
    let path = path.ok_or_else(|| {
        Error::failed(format!("{} is too unusual a path for a boot script", program.display()))
            .hint("Install fwtui where the path has letters, digits, dots and dashes only.")
    })?;
    Ok(text.replace(PROGRAM, path))
}

fn is_wanted_in(folder: &Path) -> bool {
    let is_wants = |path: &PathBuf| {
        path.extension()
            .is_some_and(|kind| kind == "wants" || kind == "requires")
    };
    let is_boot = |path: &PathBuf| {
        path.file_stem()
            .is_some_and(|name| Path::new(name).extension() == Some("target".as_ref()))
    };
    entries(folder)
        .iter()
        .filter(|path| is_wants(path) && is_boot(path))
        .any(|wants| is_there(&wants.join(NAME)))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// A link counts wherever it leads: from under another root it can't be followed.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::failed(format!("{}: {error}", path.display())).hint("Nothing else has been changed.")
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(failed(folder))?;
    files::write_atomic(path, text, mode).map_err(failed(path))
}

fn place_link(link: &Path, target: &Path) -> Result<(), Error> {
    let folder = link.parent().unwrap_or(link);
    fs::create_dir_all(folder).map_err(failed(folder))?;
    remove(link)?;
    symlink(target, link).map_err(failed(link))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error)
            if !matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Err(failed(path)(error))
        }
        _ => Ok(()),
    }
}

fn run(command: &[&str]) -> Result<(), Error> {
    let (program, args) = command.split_first().unwrap_or((&"", &[]));
    // Starting waits for the rules to be loaded, on a machine that may have more to do.
    let call = Call::new(*program).args(args).timeout(PATIENCE);
    let output = SystemRunner::new()
        .run(&call)
        .map_err(|error| Error::failed(error.to_string()))?;
    match output.is_success() {
        true => Ok(()),
        false => Err(Error::failed(format!("'{call}' failed: {}", output.stderr.trim()))),
    }
}
