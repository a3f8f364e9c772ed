//! Sentences about the others.

use super::{Manager, OnDisk, Presence};

/// What it does at boot, beside fwtui.
pub(super) fn boot(manager: Manager, disk: Option<&OnDisk>) -> String {
    if disk.and_then(|disk| disk.at_boot) != Some(true) {
        return match disk.and_then(|disk| disk.at_boot) {
            Some(false) => {
                format!("{manager} is not started at boot: its rules are gone after a reboot, fwtui's are not")
            }
            _ => format!("whether {manager} is started at boot can't be told"),
        };
    }
    let file = disk.and_then(|disk| disk.file.as_deref()).unwrap_or("its file");
    let flushes = disk.is_some_and(|disk| disk.flushes);
    match (manager, flushes) {
        (Manager::Ufw, _) => "ufw loads its rules before fwtui; neither touches the other's".to_owned(),
        (Manager::Firewalld, _) => "firewalld starts before fwtui; each start and each 'firewall-cmd --reload' deletes \
             iptables chains of others, fwtui's too: after a reload run 'sudo fwtui restore'"
            .to_owned(),
        (Manager::Nftables, true) => format!(
            "nftables.service empties all of nf_tables and loads {file} before fwtui; when it is started or reloaded \
             later, fwtui.service follows it"
        ),
        (Manager::Nftables, false) => format!("nftables.service adds {file} before fwtui, and keeps what is there"),
        (Manager::NetfilterPersistent | Manager::Iptables, true) => {
            format!("{manager}.service replaces all rules of iptables by {file} before fwtui loads its own")
        }
        (Manager::NetfilterPersistent | Manager::Iptables, false) => {
            format!("{manager}.service adds {file} before fwtui, and keeps what is there")
        }
        (Manager::Docker, _) => "Docker starts after fwtui, and puts its rules at the head of FORWARD".to_owned(),
        (Manager::Podman, _) => "Podman adds rules as its containers start, after fwtui".to_owned(),
        (Manager::Libvirt, _) => {
            "libvirt adds rules as its networks start, after fwtui, at the head of INPUT and FORWARD or in a table of its own"
                .to_owned()
        }
        (Manager::Lxd, _) => "LXD adds a table of its own as it starts, after fwtui".to_owned(),
        (Manager::Fail2ban, _) => "fail2ban starts after fwtui, and puts its bans at the head of INPUT".to_owned(),
        (Manager::Tailscale, _) => {
            "Tailscale starts after fwtui, and puts its rules at the head of INPUT: what comes by its interface is \
             accepted there"
                .to_owned()
        }
    }
}

/// Which of these undo one another, and what to do: one sentence each, without a full stop.
pub fn conflicts(present: &[Presence]) -> Vec<String> {
    let at_boot = |manager: Manager| {
        present
            .iter()
            .find(|one| one.manager == manager && one.at_boot == Some(true))
    };
    let mut found = Vec::new();
    if at_boot(Manager::Nftables).is_some_and(|nftables| nftables.flushes) {
        let others = present
            .iter()
            .filter(|one| one.manager != Manager::Nftables && one.is_active());
        let names: Vec<&str> = others.map(|one| one.manager.word()).collect();
        if !names.is_empty() {
            found.push(format!(
                "nftables.service empties all of nf_tables when it starts or reloads, and takes the rules of {} with it; \
                 take 'flush ruleset' out of its file, or disable it: sudo systemctl disable nftables",
                names.join(", ")
            ));
        }
    }
    if at_boot(Manager::Firewalld).is_some() && at_boot(Manager::Ufw).is_some() {
        found.push(
            "firewalld deletes ufw's chains when it starts or reloads; disable one of them: sudo ufw disable"
                .to_owned(),
        );
    }
    for saved in [Manager::NetfilterPersistent, Manager::Iptables] {
        let replaces = at_boot(saved).is_some_and(|saved| saved.flushes && saved.has_rules);
        for other in [Manager::Ufw, Manager::Firewalld] {
            if replaces && at_boot(other).is_some() {
                found.push(format!(
                    "{saved}.service and {other} both load rules at boot, in no fixed order, and one throws out the \
                     other's; disable one of them: sudo systemctl disable {saved}"
                ));
            }
        }
    }
    found
}

impl Manager {
    /// What to do about a firewall beside fwtui's.
    pub const fn next_step(self) -> &'static str {
        match self {
            Self::Ufw => {
                "open there what should be reachable (sudo ufw allow PORT), or switch it off (sudo ufw disable)"
            }
            Self::Firewalld => {
                "open there what should be reachable (sudo firewall-cmd --add-port=PORT/tcp), or switch it off \
                 (sudo systemctl disable --now firewalld)"
            }
            Self::Nftables => "see its file (/etc/nftables.conf), or disable it (sudo systemctl disable nftables)",
            Self::NetfilterPersistent => {
                "see its files (/etc/iptables), or disable it (sudo systemctl disable netfilter-persistent)"
            }
            Self::Iptables => "see its file, or disable it (sudo systemctl disable iptables)",
            Self::Docker | Self::Podman | Self::Libvirt | Self::Lxd | Self::Fail2ban | Self::Tailscale => {
                "see its own documentation"
            }
        }
    }
}
