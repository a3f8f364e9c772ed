//! What the setup's choices mean, in words: for the screens and the man page.

use super::MachineKind;
use crate::core::network::NetworkClass;
use crate::core::policy::{Logging, Refusal};
use crate::core::text::capitalised;
use crate::core::tools::{Manager, Presence};

/// What a class lets in.
pub const fn class_meaning(class: NetworkClass) -> &'static str {
    match class {
        NetworkClass::Trusted => {
            "Trusted: its neighbours, the machines on the same network, may use what you decide 'trusted' on. \
             Whoever comes from farther away counts as a stranger all the same."
        }
        NetworkClass::Public => "Public: nobody there is trusted. Only what you decide 'open' on can be reached.",
        NetworkClass::Guests => {
            "Guests: this machine's own VMs and containers. They reach what trusted networks reach, and the \
             addresses and names (DHCP, DNS) that this machine gives them."
        }
    }
}

/// What trusted and public mean for a machine at home.
pub const AT_HOME: &str = "At home, behind your own router, the neighbours are your own machines: trusted lets the \
                           television find your music and the laptop print. Choose public where visitors, or things \
                           you do not maintain, share the network.";

/// What trusted and public mean for a machine in a DMZ.
pub const IN_A_DMZ: &str = "In a DMZ, a data centre or a shared office the neighbours are other people's machines, or \
                            servers that an attacker reaches first: choose public, and open each service to those \
                            who need it.";

/// What each way to refuse does to a friend who mistypes a port.
pub const fn refusal_meaning(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Reject => {
            "Reject: a friend who mistypes a port is told at once ('connection refused'), and looks at what he typed."
        }
        Refusal::Drop => {
            "Drop: a friend who mistypes a port hears nothing, and waits for his time-out: about two minutes with \
             TCP. It hides nothing: a scanner sees by the silence that something is there."
        }
    }
}

/// Why a way to refuse is proposed.
pub const fn why_refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Reject => "Reject is polite, and hides no less than drop does.",
        Refusal::Drop => "You decided so.",
    }
}

/// What each place for the log is good for.
pub const fn logging_meaning(logging: Logging) -> &'static str {
    match logging {
        Logging::Off => "Off: what is refused is refused, and nothing is written.",
        Logging::Kernel => {
            "Kernel: into the kernel's log (journalctl -k), each line with 'fwtui' in front and at a limited rate."
        }
        Logging::Nflog => "NFLOG: to group 7, where ulogd or tcpdump -i nflog:7 reads it, at a limited rate.",
    }
}

/// Why a place for the log is proposed.
pub const fn why_logging(logging: Logging, machine: MachineKind) -> &'static str {
    match (logging, machine) {
        (Logging::Kernel | Logging::Nflog, _) => "You decided so.",
        (Logging::Off, MachineKind::Desktop) => {
            "On a desktop nobody reads it, and strangers' scans would only fill the disk."
        }
        (Logging::Off, MachineKind::Server | MachineKind::Unknown) => {
            "Off unless somebody reads it; for troubleshooting, or a SIEM that collects it, choose kernel or nflog."
        }
    }
}

/// What to know of the other tools that decide over connections: one sentence each, with what to do.
pub fn beside(tools: &[Presence]) -> Vec<String> {
    let firewalls = tools.iter().filter(|tool| tool.is_active()).filter_map(|tool| {
        let off = switched_off_by(tool.manager)?;
        let name = capitalised(tool.manager.word());
        let reload = match tool.manager == Manager::Firewalld {
            true => " Each reload of its deletes fwtui's chains: 'sudo fwtui restore' loads them again.",
            false => "",
        };
        Some(format!(
            "{name} is active and stays so: what either of you refuses is refused. To have one firewall only, switch it \
             off yourself once you keep these rules: {off}.{reload}"
        ))
    });
    let engines = tools.iter().map(|tool| tool.manager);
    let engines: Vec<&str> = engines.filter(|engine| is_engine(*engine)).map(Manager::word).collect();
    let engines = (!engines.is_empty()).then(|| {
        format!(
            "Rules of {} stay; the ports published there are listed like services, and what you decide holds for them too.",
            engines.join(", ")
        )
    });
    let others = [
        (Manager::Fail2ban, "Whom fail2ban bans stays refused."),
        (
            Manager::Tailscale,
            "Tailscale may let in what comes by its own interface before fwtui is asked.",
        ),
    ];
    let others = others
        .into_iter()
        .filter(|(manager, _)| tools.iter().any(|tool| tool.manager == *manager));
    firewalls
        .chain(engines)
        .chain(others.map(|(_, said)| said.to_owned()))
        .collect()
}

/// Whether it makes rules for its own guests.
const fn is_engine(manager: Manager) -> bool {
    matches!(
        manager,
        Manager::Docker | Manager::Podman | Manager::Libvirt | Manager::Lxd
    )
}

/// The command that switches a firewall off.
const fn switched_off_by(manager: Manager) -> Option<&'static str> {
    Some(match manager {
        Manager::Ufw => "sudo ufw disable",
        Manager::Firewalld => "sudo systemctl disable --now firewalld",
        Manager::Nftables => "sudo systemctl disable nftables",
        Manager::NetfilterPersistent => "sudo systemctl disable netfilter-persistent",
        Manager::Iptables => "sudo systemctl disable iptables ip6tables",
        Manager::Docker
        | Manager::Podman
        | Manager::Libvirt
        | Manager::Lxd
        | Manager::Fail2ban
        | Manager::Tailscale => return None,
    })
}
