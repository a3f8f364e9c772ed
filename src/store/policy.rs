//! The wanted policy, /etc/fwtui/policy.json.

use crate::core::policy::Policy;
use crate::store::StoreError;
use crate::store::paths::Paths;
use crate::sys::files;

/// A policy of 10,000 decisions is a tenth of it.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Reads the wanted policy; none where there is no file.
///
/// # Errors
/// Where it can't be read, or is wrong: with the line.
pub fn load(paths: &Paths) -> Result<Option<Policy>, StoreError> {
    let path = paths.policy();
    files::refuse_others(&path).map_err(StoreError::io(&path, "trusted"))?;
    let text = files::read_limited(&path, LARGEST).map_err(StoreError::io(&path, "read"))?;
    text.map(|text| Policy::parse(&text))
        .transpose()
        .map_err(|error| StoreError::Policy { path, error })
}

/// Writes the wanted policy. Everyone may read it: it holds no secret, and `list` without root
/// shows the decisions.
///
/// # Errors
/// Where it can't be written; the old one is then as it was.
pub fn save(paths: &Paths, policy: &Policy) -> Result<(), StoreError> {
    let path = paths.policy();
    let write = || {
        if let Some(folder) = path.parent() {
            files::make_folder(folder, 0o755)?;
        }
        files::write_atomic(&path, &policy.to_text(), 0o644)
    };
    write().map_err(StoreError::io(&path, "written"))
}
