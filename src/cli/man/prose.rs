//! What no table knows: the sections in words. Backquotes make bold.

/// Sections before the commands.
pub(super) const BEFORE: [(&str, &str); 4] = [
    (
        "DESCRIPTION",
        "`fwtui` lists what listens on this machine, lets you decide service by service who may \
connect, shows exactly what would be loaded and what that means, and applies it on trial: without \
a confirmation the old rules are back at the deadline. `sudo fwtui` opens the screens; every one \
of their actions is also a command.

It takes sides. A service that is not needed is best disabled, one that is needed here only is \
best bound to 127.0.0.1; the firewall is for the rest. What is refused gets an answer, a TCP reset \
or an ICMP error, because silence hides nothing and makes a mistyped port look like a dead \
machine; `fwtui set refusal drop` refuses silently. Only TCP, UDP and UDP-Lite are ever \
refused, never ICMP: path MTU discovery, neighbour discovery and DHCP depend on it. Outgoing packets are left \
alone, and so is sysctl. There are no rules against packets with odd flags; of TCP only the first \
packet of a connection is ever refused, so no running connection is cut, whatever the \
kernel's connection tracking knows of it.

fwtui only restricts. What it lets through goes on to the rules of other tools, which it neither \
changes nor judges. Who can connect is worked out through all rules in the kernel, whoever made them, of \
iptables in both kinds and of nft; `fwtui explain` says which one decides, and whose it is. What it does not \
understand makes the answer unknown, never a guess.

A port that a container publishes is a service like any other: it is listed, and what is decided on it \
holds in FORWARD, by the address and port it was sent to. What goes between containers, from them to the \
world, or through this machine to others' addresses is left alone.",
    ),
    (
        "DECISIONS",
        "A service is the sockets that belong together: same protocol, port and owner. Its id is \
`5432/tcp`, or `192.0.2.1:53/udp` where owners differ by address, or `60000-61000/udp` for a \
range. A decision may name a port where nothing listens yet.

`confine` lets only this machine connect. `trusted` adds neighbours on trusted networks, and \
guests. `open` lets everyone connect, or with `--from` only the sources named. `undecided` is what \
every new service is: it is refused, and shown as needing a decision. Where decisions overlap, the \
narrowest holds; ranges may nest but not cross.

Decisions change the policy file only. Nothing is in force before `fwtui apply`.",
    ),
    (
        "QUICK BLOCKS",
        "For an attack in the news: `fwtui block 445/tcp --for 7d --note CVE-2026-0001` refuses a service \
whatever is decided on it, in both families and at published ports too: to trusted networks, guests and \
sources named in a decision as well. With `--from` only these sources are refused; with sources of one family \
the other one has no rule. It refuses as the policy does, by reject or drop. This machine itself is never refused, running TCP \
connections go on (`apply --end-connections` ends them), and answers to what this machine asked still come, those \
of a DHCP server included.

Like a decision a block changes the policy only and waits for `fwtui apply`, and the same service and sources are blocked \
once: what is said last replaces it. The screens show it beside its service, or in a row of its own where nothing listens.

A block with an end is over at that second, in UTC, by the kernel's own clock, whether fwtui is there or not; a \
clock that is set wrong moves it. A day stands for its first second: `--until 2026-12-24` holds to the end of the 23rd. \
The rule that is left then refuses nobody, and counts neither as drift nor as a change; it goes with \
what is loaded next, by apply, at boot, or by the next edit as root, which loads what was confirmed again without it, \
except while a trial runs. An end needs the kernel's time match (xt_time).",
    ),
    (
        "NETWORKS",
        "Each interface is `public`, `trusted`, or `guests`. A trusted interface is trusted for its \
neighbours: packets from the networks its own addresses are in, not everything that is routed in \
through it. Networks behind a router or a tunnel are trusted by address: `fwtui network \
198.51.100.0/24 trusted`. The addresses are taken when the rules are applied and when they are \
loaded at boot; when they change later, neighbours on new addresses are refused, and `fwtui \
status` says so.

`guests` are the virtual machines and containers of this machine, on its bridges: they reach what \
trusted networks reach, and always the DHCP and DNS that their host gives them. Bridges with the \
names that Docker, libvirt, LXD and Incus use are proposed as guests; everything else, unknown \
interfaces included, is public until you say otherwise. Loopback is never refused.",
    ),
];

/// What is to be said of a command beyond its help.
pub(super) const MORE: [(&str, &str); 10] = [
    (
        "disable",
        "The units are those whose processes listen there, with the sockets, paths and timers that start them, and what \
a generator made them part of. A program that somebody started, a container, a unit of a user's own systemd, the kernel's \
own ports, several units' work, and a system without systemd are told apart, with the way to stop each by hand. It is an edit like \
any other: it waits for `apply`. The trial begins with stopping the units, which must be done within the trial's time and 45 \
seconds, and masks them until the next boot, where their files are not the administrator's own in /etc/systemd/system. \
Then the rules change. A revert puts the rules back first, and then starts \
what ran before, with all that was stopped because it needs it; a reboot starts it because it is enabled still. The kernel's own timer can do \
none of this, so where every process of fwtui is killed, it takes the next start of fwtui as root. Keeping the trial disables the units. \
They are not masked for good: what wants them, and the administrator, may start them, which is said before. \
The decision on the service stays, and holds for whatever listens there. `enable` takes it back, and starts and enables what ran and was enabled \
before. `off` takes rules out, and starts nothing.",
    ),
    (
        "list",
        "REACH NOW follows from what the socket is bound to and from the rules in the kernel; AFTER \
from the policy. An asterisk marks what would change. Sockets of clients that wait for answers on \
ephemeral UDP ports are one row for each owner. Without root, processes of other users and the \
rules can't be seen.",
    ),
    (
        "explain",
        "Answers for the first packet of a new connection: raw, mangle and nat before routing, the routing \
decision, then INPUT or FORWARD, in every table of iptables and nft, in the order of hooks and priorities, and what \
the kernel refuses by itself. Limits count as not used up. The address it goes to is that of the interface, \
unless the service names one. A sentence names the rule that decides, its number in its chain, and whose it is; \
below stand the rules it met. Of the owners, `admin` is whoever administers the machine, `kernel` is the kernel's own default, \
and `unknown` a program without a word here.",
    ),
    (
        "check",
        "Reads and judges, and changes nothing. With a file nothing of this machine is looked at, and no root is needed: what \
`iptables-save` or `ip6tables-save` printed, one family or both, or a shell script. A script is read and never run: its \
iptables, ip6tables, iptables-restore and sysctl commands are followed up, with variables, loops over words, functions, \
branches and texts for the standard input. Conditions are not evaluated; of several branches the one with the most \
rules is read. What can't be known from the text (`$(...)`, a variable that is set elsewhere) counts as unknown, and \
is told with its line. Files of more than 8 MiB are refused. The kinds of findings are listed under FINDINGS. The exit code \
is 3 where something harmful is found that is not marked as intended, whatever `--severity` shows, and 1 where the file \
can't be read.

What is known and intended can be marked, with a note: `--mark`, with the finding's id, and where it is found more \
than once with what it is about: the rule, service, sysctl, chain or file, as `check` prints it. The mark is kept in \
the policy as `known`, and changes no rule, so nothing has to be applied. What is marked is neither counted nor shown without \
`--known`; as JSON it is there, with its note. The same rule in the other family is marked with it. A mark of a finding \
that this version does not know is left alone, and said.",
    ),
    (
        "apply",
        "Asks first, unless told not to. With `--yes` it returns as soon as the trial runs. It refuses \
where your own way in (the SSH connection it was started from, and what carries it) would no longer \
be let in as a new connection, by fwtui's rules or by others', or where that can't be told; open that service, \
or name it with `--accept-lockout`.

Connections that run go on: only new ones are refused. With `--end-connections` those that the \
kept rules refuse as new ones are ended once the trial is kept, never before, and never your own way \
in. The preview says how many there are.

Before anything changes it is rehearsed: the new rules are loaded in a network namespace of their own, \
and taken out again; in between, through interfaces with the names and addresses of this machine's, \
neighbours and strangers try every service with real packets (200 at most, the decided ones first). \
Where the kernel refuses the rules, or somebody is let in or kept out otherwise than the preview says, \
nothing is applied, and the difference is told. Other tools' rules take no part. Where no rehearsal \
can be held, it says so, and applies. `--no-rehearsal` leaves it out.

While a trial runs, another one is refused. With `--replace` it takes the place of the first: the new \
rules are loaded, the deadline begins anew, and without a confirmation the rules from before the first \
trial come back. Who waits for the first is told that it was replaced.",
    ),
    (
        "unblock",
        "Without `--from` it takes back every block of exactly this service. Where nothing was blocked, nothing is \
changed, and that is no error; where it is blocked, but not from these sources, it is.",
    ),
    (
        "confirm",
        "Refused within two seconds of the switch: nobody has tried anything by then.",
    ),
    ("extend", "A trial never lasts longer than an hour."),
    (
        "status",
        "It is off, confirmed, on trial, drifted, or unknown. Drifted means that the kernel \
no longer holds what was confirmed: `fwtui restore` loads it again. Unknown means that nobody can tell: \
without root, or where the kernel's rules or what fwtui wrote down of those confirmed can't be read, or \
where a trial can't be closed; then it says why. 'Also decides' names other firewalls and engines whose rules are in \
the kernel or will be after the next boot; `status --json` says what each does at boot.",
    ),
    (
        "sandbox",
        "Opens the screens, or runs a command, in namespaces of its own: two networks with neighbours, \
services that look like real ones, and the kernel's real packet filter. It ends with the command, \
and leaves nothing behind.",
    ),
];

/// Findings of Checkup.
pub(super) const FINDINGS: &str = "What `fwtui check` tells. A harmful one breaks something, or leaves open what looks \
closed; a risky one may, under circumstances that it says; without a redundant one nothing would change; a missing one is \
about something that ought to be there; info is a fact, or a matter of taste. Here stands how bad each kind is in \
general; a finding says how bad it is there. What a tool such as ufw makes by itself is info, with the tool's name. \
fwtui's own rules are never among them.";

/// The screens.
pub(super) const SCREENS: &str = "Services shows what listens and who can connect; Networks shows \
the interfaces and who is trusted; Preview shows what applying would change, in words and as rules; Checkup shows what of the rules, \
settings and services is harmful, redundant or missing, and what to do. \
While a trial runs, every screen shows its countdown. Leaving the screens does not end a trial. \
Without root the screens are read-only and say what they can't see.";

/// Sections after the keys.
pub(super) const AFTER: [(&str, &str); 1] = [(
    "THE TRIAL",
    "`fwtui apply` starts the guard, a process of its own with no terminal, which hangs on to nothing \
of the session that started it: a service of its own (fwtui-guard-ID.service) where systemd runs. The guard writes down what it is about to do, loads the new rules \
beside the old ones and switches over to them, in one step for each family, and reads back what the \
kernel holds then. After that it waits for a word. `fwtui confirm`, from any session, keeps the new rules and makes them those that are \
loaded at boot. `fwtui revert`, a TERM signal, a failure, or the deadline puts the old rules back.

The deadline counts the time since boot, so that neither a new date nor a suspend moves it. A \
closed terminal, a lost connection or a killed screen changes nothing. A second process waits for \
the guard's death and then puts the old rules back at once; where systemd runs, it kills a guard that \
stands still, and sees to the same. If every process of fwtui is killed, the kernel goes back to the old \
rules by itself at the deadline, and the next start of fwtui as root closes the trial, even \
`fwtui status`. That needs the kernel's time match; where it is missing, `apply` and `status` say so (protection \
2 of 3), and the new rules stay until that next start or the reboot. \
After a reboot only confirmed rules are loaded.

An SSH connection that survives proves nothing, since running connections are never cut. Open a \
second one before you confirm.",
)];

/// The policy.
pub(super) const POLICY: &str = "`/etc/fwtui/policy.json` is what you want. It is JSON, checked \
strictly: unknown fields, doubled entries and impossible ports are refused with their line, and \
while there is a mistake in it fwtui neither applies nor overwrites it.";

/// A policy.
pub(super) const POLICY_EXAMPLE: &str = r#"{
  "version": 1,
  "refusal": "reject",
  "logging": "off",
  "networks": {
    "interfaces": { "eth1": "trusted" },
    "trusted_sources": [ "198.51.100.0/24" ]
  },
  "services": {
    "22/tcp": { "decision": "open" },
    "5432/tcp": { "decision": "confine" },
    "9100/tcp": { "decision": "open", "from": [ "192.0.2.0/24" ] }
  },
  "disabled": {
    "631/tcp": { "units": [ "cups.socket", "cups.service" ] }
  },
  "blocks": [
    { "service": "445/tcp", "until": "2026-12-24T00:00:00Z", "note": "CVE-2026-0001" },
    { "service": "53/udp", "from": [ "198.51.100.7/32" ] }
  ]
}"#;

/// What may be in it.
pub(super) const POLICY_RULES: &str = "`refusal` is reject or drop. `logging` is off, kernel (the \
kernel's log, with the prefix fwtui) or nflog (group 7); five lines a second are logged at most. \
`disabled` names the systemd units of the services that are to be off. \
`blocks` lists what is refused whatever is decided: `service`, and if wanted `from`, `until` (UTC, whole seconds, \
before 2038-01-19) and `note` (a line of 200 characters at most). \
`known` lists the findings of `fwtui check` that are intended: finding, at (what it is about) and \
note; it changes no rule. Everything but `version` may be left out.";

/// JSON.
pub(super) const SCRIPTS: &str = "`--json` prints one JSON object on one line. Its `schema` is 1; \
fields may be added, but none is renamed or taken away while it stays 1. Notes and complaints go to \
standard error.";

/// Its fields.
pub(super) const JSON: &[(&str, &str)] = &[
    (
        "list --json",
        "services: id, protocol, port, name, bound_to (all, loopback, address, interface), unit, listeners (address, \
family, v6only, interface, inode, uid), owners (pid, name, exe, user, unit), folded, decision, from, \
disabled (units, where the service is to be off), blocks (service, from, until, note), and \
reach with now and after (this-machine, trusted, everyone, unknown) and by_network (interface, class, family, \
who: this-machine, neighbours, strangers; now and after: accepted, refused, dropped, unknown; decided_by, \
decided_by_after: owner, table, chain, rule, number); where there is something to tell also counters (what fwtui's rules for it have counted since they were loaded: let_in, refused \
and by_network, each packets and bytes; by_network are those to a service for trusted networks, which no rule tells apart; \
shared where one rule serves other ports as well), since_confirmed (change: appeared, bound or owner, and before: what is new \
about it since rules were last confirmed), kept_out_by (as decided_by: what \
keeps out those whom the decision lets in), published (to, by, container) and catalogue: id, name, known_by (process or \
unit; port where it may be something else), what, recommended (desktop and server, each with decision and why), loopback (a \
list of file, lines, on), authenticates and encrypts (is, with), alternative, source.",
    ),
    (
        "explain --json",
        "verdict (accepted, refused, dropped, unknown), decided_by (owner, table, chain, rule, number), interface, from, to, \
port, protocol, walk (hook, table, chain, rule, number, effect), and notes on what could not be seen. owner: fwtui, docker, podman, \
ufw, firewalld, fail2ban, libvirt, lxd, tailscale, admin, kernel, unknown.",
    ),
    (
        "block --json",
        "blocks: service, from, until, note, in_force (null where the kernel's rules can't be seen).",
    ),
    (
        "check --json",
        "findings (id, severity: harmful, risky, redundant, missing, info; place: file, line, chain, rule, service, sysctl, \
as far as they apply; what, why, do: one sentence each; known, where it is marked: the note), and notes on what could not be \
seen or read.",
    ),
    (
        "network --json",
        "networks: interface, kind, driver, addresses, up, default_route, class, chosen; and trusted_sources.",
    ),
    (
        "preview --json",
        "changes, services (id, name, action: disable or enable, units, needed_by, wanted_by, also, text), \
consequences (id, name, before, after, text, networks: interface, family, who, before, after), \
blocks (what begins or ends to be blocked, in words), ways_in, lockouts (service, text), warnings, \
running (service, connections, text), interrupted (protocol, port, peer, program), diff, and ruleset with ipv4 and ipv6.",
    ),
    (
        "status --json",
        "state (off, confirmed, trial, drifted, unknown), backend, other_backend, trial (id, seconds_left, timeout, \
second_session, evidence, kernel_note: what the kernel's timer can't undo), last (id, outcome, reason, why, began, at), \
blocks (of the policy: count, next_end), pending_changes, drift (why it is drifted, or \
unknown), protection (line, holds, why), tools (tool, in_kernel, at_boot, how, boot: one sentence), conflicts (one \
sentence each). evidence: family, port, peer, new_connections, seconds_ago; second_session is \
the command that opens a new connection and confirms there. outcome: confirmed, reverted, revert-failed; reason: \
deadline, asked, guard-died, apply-failed, reboot, signal. line: guard, kernel, boot. What can't be seen is null; \
protection is empty then.",
    ),
];

/// Files.
pub(super) const FILES: &[(&str, &str)] = &[
    ("/etc/fwtui/policy.json", "What is wanted."),
    (
        "/etc/fwtui/services.json, ~/.config/fwtui/services.json",
        "Additions to the catalogue of services: `{\"version\": 1, \"services\": [...]}`, with entries like those in \
         fwtui's own assets/services.json. A new id adds a service; of a known one the fields given are changed. What is \
         wrong in it is left out and named with its line.",
    ),
    (
        "/var/lib/fwtui/",
        "For root only: the rules that were confirmed (`confirmed.json`), those on trial (`candidate.json`), the \
journal of a running trial (`trial.json`), what listened when rules were last confirmed (`listened.json`), and how the last one ended (`last.json`).",
    ),
    (
        "/var/lib/fwtui/restore.sh",
        "Puts rules back by hand, without fwtui: `sh /var/lib/fwtui/restore.sh`. During a trial they are those from before \
it, else those confirmed last.",
    ),
    ("/run/fwtui/", "The guard's lock and its socket, for root only."),
    (
        "~/.config/fwtui/themes/NAME.json",
        "A theme of your own, for `--theme NAME`.",
    ),
    (
        "fwtui.service",
        "The systemd unit that loads confirmed rules at boot: `systemctl enable fwtui.service`.",
    ),
];

/// The environment.
pub(super) const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "FWTUI_ROOT",
        "A folder that stands for / in every path of fwtui, as `--root` does. It does not stand for the kernel: rules \
that are applied are those of this machine.",
    ),
    ("NO_COLOR", "If it is set and not empty, the screens have no colours."),
    (
        "COLORTERM, TERM",
        "Which colours the terminal has: truecolor or 24bit, 256, or sixteen.",
    ),
    (
        "SSH_CONNECTION",
        "The last resort in finding out which connection you came in by.",
    ),
    (
        "XDG_CONFIG_HOME",
        "Where the folder with themes and services.json is, if not in ~/.config.",
    ),
];

/// What comes after the codes.
pub(super) const EXIT_STATUS: &str = "`preview` tells of changes only with `--exit-code`. `apply` and \
`off` exit with 2 where nobody can be asked and neither `--yes` nor `--wait` is given. `sandbox` exits \
as its command does.";

/// Examples.
pub(super) const EXAMPLES: [(&str, &str); 3] = [
    (
        "A server, from the first look to rules that stay:",
        "fwtui list
sudo fwtui set 22/tcp open
sudo fwtui set 443/tcp open
sudo fwtui set 5432/tcp open --from 192.0.2.0/24
fwtui preview
sudo fwtui apply
sudo fwtui confirm        # from a second session",
    ),
    (
        "From a script, which waits for somebody to confirm elsewhere:",
        "fwtui apply --wait --timeout 5m || echo 'not kept'",
    ),
    (
        "The whole of it without touching this machine:",
        "fwtui sandbox -- sh -c 'fwtui set 22/tcp open; fwtui apply --yes; fwtui knock'",
    ),
];

/// Other pages.
pub(super) const SEE_ALSO: &str =
    "`conntrack`(8), `ip6tables`(8), `iptables`(8), `iptables-restore`(8), `nft`(8), `ss`(8), `systemd.unit`(5)";

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_is_a_policy() {
        let policy = crate::core::policy::Policy::parse(super::POLICY_EXAMPLE).unwrap();
        assert_eq!((policy.services.len(), policy.blocks.len()), (3, 2));
    }
}
