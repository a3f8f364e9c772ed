//! Looking at the machine.

use std::io;
use std::sync::Arc;
use std::thread;

use crate::app::machine::{INSTALL_IPTABLES, Opened};
use crate::app::published::add_published;
use crate::app::{Cancel, Machine, Observation};
use crate::backend::everything::{self, Everything};
use crate::backend::{BackendError, Observed, detect};
use crate::core::counters::Counters;
use crate::core::listener::{Family, Listener};
use crate::core::netfilter::Netfilter;
use crate::core::network::{Interface, World};
use crate::core::reach::{FamilyFilter, Filter};
use crate::core::ruleset::{Own, SavedFamily, Telling};
use crate::core::service::{Ownership, ServiceId, group};
use crate::store::policy;
use crate::sys::runner::SystemRunner;
use crate::sys::{cgroups, clock, connections, host, interfaces, owners, routing, session, sock_diag};

/// How far a look goes. Each depth includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Sockets, interfaces and the policy: what the first paint needs, in milliseconds.
    Sockets,
    /// Also who owns the sockets.
    Owners,
    /// Also the kernel's rules and the status: what a list shows.
    Reach,
    /// Also the ways in, the running connections, the catalogue and the other firewalls: what a plan needs.
    Plan,
    /// Also every process that shares a socket with its owner, outside its cgroup too.
    Complete,
}

/// The kernel's rules as read, or why they are not known.
#[derive(Default)]
pub(super) struct Kernel {
    pub(super) filter: Option<Filter>,
    /// The rules of every tool.
    pub(super) netfilter: Option<Arc<Netfilter>>,
    /// What fwtui's rules have counted; none where nothing shows it.
    pub(super) counters: Option<Arc<Counters>>,
    /// The name of the backend; none where no rules were there to ask one for.
    pub(super) backend: Option<String>,
    pub(super) report: Option<String>,
    pub(super) unseen: Option<String>,
    /// Whether the reading was stopped.
    pub(super) is_stopped: bool,
    /// What of the rules of others can't be read: one sentence each.
    pub(super) notes: Vec<String>,
}

/// What stops the two parts of a look that may take long, each by itself.
#[derive(Debug, Clone, Default)]
pub struct Stops {
    /// The search for the owners of sockets.
    pub owners: Cancel,
    /// The reading of the kernel's rules.
    pub rules: Cancel,
}

impl Stops {
    /// Both are stopped together.
    pub fn both(cancel: &Cancel) -> Self {
        Self {
            owners: cancel.clone(),
            rules: cancel.clone(),
        }
    }
}

impl Machine {
    /// Looks at the machine. What can't be seen is said in the observation; nothing here fails.
    pub fn look(&self, depth: Depth) -> Observation {
        self.look_unless(depth, &Stops::default())
    }

    /// The same, unless a part of it is no longer wanted: that part is then as if it had not been looked
    /// at, and the observation says so.
    pub fn look_unless(&self, depth: Depth, stops: &Stops) -> Observation {
        let is_root = host::is_root();
        let mut unseen = Vec::new();
        if depth >= Depth::Reach
            && let Some(why) = self.unclosed()
        {
            unseen.push(format!("Beware: {why}."));
        }
        let interfaces = interfaces::interfaces().unwrap_or_else(|error| {
            unseen.push(format!("The interfaces can't be read: {error}."));
            Vec::new()
        });
        let name = |index| {
            interfaces
                .iter()
                .find(|have| have.index == index)
                .map(|have| have.name.clone())
        };
        let listeners = sock_diag::listeners(&name).unwrap_or_else(|error| {
            unseen.push(format!("The sockets can't be listed: {error}."));
            Vec::new()
        });
        let (policy, policy_error) = match policy::load(&self.paths) {
            Ok(policy) => (policy.unwrap_or_default(), None),
            // Decisions that can't be read must not look like decisions nobody has taken.
            Err(error) => (self.last_confirmed(), Some(error.to_string())),
        };
        let ephemeral = owners::ephemeral_ports();
        let ((services, ways_in), kernel, world) = self.read_beside(depth, &interfaces, &stops.rules, || {
            let ownership = self.ownership(&listeners, depth, &stops.owners);
            let is_decided = |id: &ServiceId| policy.entry_for(id).is_some();
            let services = group(&listeners, &ownership, ephemeral, &is_decided);
            let ssh = self.ssh_connection.as_deref();
            let ways_in = (depth >= Depth::Plan).then(|| session::ways_in(&listeners, &ownership, &interfaces, ssh));
            (services, ways_in.unwrap_or_default())
        });
        let world = match world {
            Some(world) => world.unwrap_or_else(|error| {
                unseen.push(format!("The routes can't be read: {error}."));
                blind_world(&interfaces)
            }),
            None => World {
                now: clock::since_1970(),
                ..World::default()
            },
        };
        let mut observation = Observation {
            host: host::name().unwrap_or_default(),
            is_root,
            has_owners: depth >= Depth::Owners && !services.iter().any(|service| service.is_unsought),
            services,
            ephemeral: Some(ephemeral),
            is_stopped: kernel.is_stopped,
            interfaces,
            policy,
            policy_error,
            world,
            ways_in,
            unseen,
            ..Observation::default()
        };
        if depth >= Depth::Plan {
            let (catalogue, left_out) = self.catalogue();
            observation.catalogue = Arc::clone(catalogue);
            observation.unseen.extend(left_out.iter().cloned());
            look_at_connections(&mut observation, &listeners, &stops.owners);
        }
        // Whoever did not want to wait for the rules does not want to wait for other programs either.
        let asks_more = depth >= Depth::Plan && !kernel.is_stopped;
        if depth >= Depth::Reach {
            if !is_root {
                observation.unseen.push(
                    "Without root, processes of other users and the rules in the kernel can't be seen: sudo fwtui shows them."
                        .to_owned(),
                );
            }
            observation.unseen.extend(kernel.unseen.clone());
            observation.unseen.extend(kernel.notes.iter().cloned());
            observation.netfilter.clone_from(&kernel.netfilter);
            if let Some(netfilter) = &observation.netfilter {
                let services = std::mem::take(&mut observation.services);
                observation.services = add_published(services, netfilter, &observation.world);
            }
            self.judge(&mut observation, kernel);
            if depth >= Depth::Plan {
                self.add_tools(&mut observation.status, observation.netfilter.as_deref());
            }
            observation.telling = self.telling(observation.filter.as_ref(), depth);
        }
        if asks_more {
            observation.look_at_units();
        }
        if asks_more && is_root && observation.status.protection.is_empty() {
            observation.status.protection = self.protection(None);
        }
        observation
    }

    /// Reads the rules, which other programs do, and what else can be read beside the search for the
    /// owners.
    fn read_beside<T>(
        &self,
        depth: Depth,
        interfaces: &[Interface],
        stop: &Cancel,
        search: impl FnOnce() -> T,
    ) -> (T, Kernel, Option<io::Result<World>>) {
        let goes_so_far = depth >= Depth::Reach;
        thread::scope(|scope| {
            let kernel = goes_so_far.then(|| scope.spawn(|| Self::kernel_and_everything(host::is_root(), stop)));
            let world = goes_so_far.then(|| scope.spawn(|| routing::world(interfaces)));
            if depth >= Depth::Plan {
                // It is long, and read once.
                scope.spawn(|| self.catalogue());
            }
            let found = search();
            let blind = || Kernel::unseen("The rules could not be read.");
            let lost = || Err(io::Error::other("the thread for it ended"));
            (
                found,
                kernel.map_or_else(blind, |thread| thread.join().unwrap_or_else(|_| blind())),
                world.map(|thread| thread.join().unwrap_or_else(|_| lost())),
            )
        })
    }

    /// How the rules of a plan tell what was sent to this machine. The kernel is asked for a plan only,
    /// and where nothing in force shows it.
    fn telling(&self, filter: Option<&Filter>, depth: Depth) -> Telling {
        match filter.map(Filter::telling) {
            None | Some(Some(Telling::ByLabel)) => Telling::ByLabel,
            Some(_) if depth >= Depth::Plan && self.no_labels().is_none() => Telling::ByLabel,
            Some(_) if depth >= Depth::Plan => Telling::ByAddress,
            Some(in_force) => in_force.unwrap_or_default(),
        }
    }

    /// What is known of the owners, after looking for them as far as asked.
    fn ownership(&self, listeners: &[Listener], depth: Depth, cancel: &Cancel) -> Arc<Ownership> {
        match depth {
            Depth::Complete => self.owners.complete(listeners, cancel),
            Depth::Owners => self.owners.refresh(listeners, cancel),
            // Asked once by a verb that ends afterwards: nothing to remember it for.
            Depth::Reach | Depth::Plan => Arc::new(owners::owners_quick(listeners, cancel)),
            // What is known already costs nothing; units are found without looking at processes.
            Depth::Sockets => {
                let known = self.owners.known();
                match *known == Ownership::default() {
                    false => known,
                    true => Arc::new(Ownership {
                        units: cgroups::units(listeners),
                        ..Ownership::default()
                    }),
                }
            }
        }
    }

    /// Reads fwtui's rules in the kernel, and what of others' stands in their way.
    pub(super) fn kernel(is_root: bool) -> Kernel {
        Self::read(is_root, false, &Cancel::default())
    }

    /// The same with the rules of every tool.
    fn kernel_and_everything(is_root: bool, cancel: &Cancel) -> Kernel {
        let kernel = Self::read(is_root, true, cancel);
        if !is_root || !cancel.is_cancelled() {
            return kernel;
        }
        // What was read before that is not all of it.
        Kernel {
            is_stopped: true,
            ..Kernel::default()
        }
    }

    fn read(is_root: bool, is_everything: bool, cancel: &Cancel) -> Kernel {
        if !is_root {
            return Kernel::default();
        }
        // Without any rules there is nothing to start other programs for.
        let is_pristine = detect::is_pristine();
        let read = Self::open_unless(cancel).and_then(|Opened { backend, report }| {
            let observed = match is_pristine {
                true if backend.families().contains(&Family::Ipv6) => Observed::default(),
                true => Observed {
                    ipv6: SavedFamily::absent(),
                    ..Observed::default()
                },
                false => backend.read()?,
            };
            let everything = match is_everything && !is_pristine {
                true => everything::read(&SystemRunner::new().unless(cancel), &observed),
                false => Everything::default(),
            };
            Ok(Kernel {
                counters: counters_of(&observed),
                filter: Some(filter_of(observed)),
                netfilter: is_everything.then(|| Arc::new(everything.netfilter)),
                backend: Some(backend.name().to_owned()),
                report,
                notes: everything.notes,
                ..Kernel::default()
            })
        });
        read.unwrap_or_else(|error| match error {
            BackendError::NoIptables | BackendError::NoIp6tables if is_pristine => Kernel {
                filter: Some(Filter::default()),
                netfilter: is_everything.then(Arc::default),
                ..Kernel::default()
            },
            BackendError::NoIptables | BackendError::NoIp6tables => {
                Kernel::unseen(&format!("The rules can't be read: {error}. {INSTALL_IPTABLES}"))
            }
            error => Kernel::unseen(&format!("The rules can't be read: {error}.")),
        })
    }
}

/// A machine whose routes are not known: only its own addresses are.
fn blind_world(interfaces: &[Interface]) -> World {
    World {
        interfaces: interfaces.to_vec(),
        has_policy_routing: true,
        now: clock::since_1970(),
        ..World::default()
    }
}

fn look_at_connections(observation: &mut Observation, listeners: &[Listener], cancel: &Cancel) {
    let interfaces = &observation.interfaces;
    match connections::from_outside(listeners, interfaces) {
        Ok(running) => observation.running = running,
        Err(error) => observation
            .unseen
            .push(format!("The running connections can't be listed: {error}.")),
    }
    match connections::untracked_flows(interfaces, cancel) {
        Ok(flows) => observation.untracked = flows,
        Err(error) => observation
            .unseen
            .push(format!("The connected UDP sockets can't be listed: {error}.")),
    }
}

/// What the rules in force have counted.
fn counters_of(observed: &Observed) -> Option<Arc<Counters>> {
    let mut counters = Counters::default();
    let mut is_any = false;
    for save in &observed.saves {
        if let Some(slot) = observed.family(save.family).own.slot {
            save.tables.count(slot, &mut counters);
            is_any = true;
        }
    }
    is_any.then(|| Arc::new(counters))
}

impl Kernel {
    fn unseen(why: &str) -> Self {
        Self {
            unseen: Some(why.to_owned()),
            ..Self::default()
        }
    }
}

/// What was read, as what stands between peers and sockets. Rules whose time is over are left out: no
/// packet meets them, so that they are there is neither a drift nor a difference to what is to be applied.
pub(super) fn filter_of(observed: Observed) -> Filter {
    let now = clock::since_1970();
    let family = |saved: SavedFamily| FamilyFilter {
        own: Own {
            rules: saved.own.rules.current(now),
            ..saved.own
        },
        foreign: saved.foreign,
        is_absent: saved.is_absent,
    };
    Filter {
        ipv4: family(observed.ipv4),
        ipv6: family(observed.ipv6),
    }
}
