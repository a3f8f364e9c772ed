//! Real packets from a neighbour, and what comes back.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::links::Neighbour;
use crate::app::error::Error;
use crate::core::listener::{Family, Protocol};
use crate::sys::knock::{Attempt, Door, wait};
use crate::sys::{clock, netns};

pub use crate::sys::knock::Knock;

/// Knocks once, from a neighbour's namespace.
///
/// # Errors
///
/// Where the namespace cannot be entered, or the neighbour has no socket to knock with.
pub fn knock(from: Neighbour, target: SocketAddr, protocol: Protocol, timeout: Duration) -> Result<Knock, Error> {
    Ok(knock_all(from, &[(target, protocol)], timeout)?
        .first()
        .copied()
        .unwrap_or(Knock::Silent))
}

/// Knocks at all targets at once; the answers are in the order of the targets.
///
/// # Errors
///
/// As for [`knock`].
pub fn knock_all(from: Neighbour, targets: &[(SocketAddr, Protocol)], timeout: Duration) -> Result<Vec<Knock>, Error> {
    // The public router and the stranger share a namespace, and the kernel would choose for both.
    let is_shared = from.namespace() == Neighbour::Stranger.namespace();
    let door = |(to, protocol): (SocketAddr, Protocol)| {
        let own = from.addresses().of(Family::of(to.ip()));
        let from = is_shared.then(|| SocketAddr::new(own, 0));
        Door { from, to, protocol }
    };
    netns::enter(from.namespace(), || {
        let mut attempts = (0..)
            .zip(targets)
            .map(|(number, target)| Attempt::start(&door(*target), number))
            .collect::<io::Result<Vec<_>>>()?;
        wait(&mut attempts, &[], clock::since_boot() + timeout)?;
        Ok(attempts.iter().map(Attempt::knock).collect())
    })?
    .map_err(|error: io::Error| Error::failed(format!("{} could not knock: {error}", from.name())))
}
