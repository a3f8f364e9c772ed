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
interfaces included, is public until you say otherwise. Loopback is never refused.

`fwtui network eth0` tells who can be on a network, and who of them would reach which service if it had another \
class; in the screens, Enter does on the Networks screen. Of a WireGuard interface root is told the \
addresses that its peers may send from.",
    ),
];

/// The setup; what its choices mean follows, as the screens say it.
pub(super) const SETUP: &str = "`sudo fwtui setup` leads through everything there is to decide, with a recommendation and \
its reason for each: which networks are trusted, how to refuse, service by service who may connect, whether to log; then a \
summary, the preview, and the trial. It runs by itself where there is no policy yet and nothing was confirmed; `--screen NAME` \
opens that screen instead. It can be left at any time: nothing has changed then, the answers are kept, and the next setup goes on with them. \
What was decided elsewhere meanwhile (`fwtui set`, another session, a trial that was kept) is taken over where you had no answer of your own; \
where you had one, it holds, and both are told, on the page and in the summary. Starting again begins with what holds now. \
Where something is decided already it stays, and can be changed like the rest.

What your own session came in by (SSH, mosh, the outer port of a tunnel) is recommended to stay open, to everyone, because \
your address may change. For the rest the catalogue of services knows what is usual on a desktop and on a server (a machine \
with a graphical session installed counts as a desktop); where that can't be told the more careful advice is taken. What it does not know is confined until you know \
who needs it, and so is what is best not run at all. What is bound to loopback is not asked about, nor are clients that wait \
for answers. No network is ever recommended as trusted.";

/// What is to be said of a command beyond its help.
pub(super) const MORE: [(&str, &str); 11] = [
    (
        "setup",
        "What it asks, and what the answers mean, stands under SETUP. `--show` needs no root, but without it neither other \
users' programs nor what other firewalls do can be seen. `--take-all` decides only on what is not decided yet.",
    ),
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
from the policy: `this machine`, `trusted` (trusted networks, or the sources that a decision names), `everyone`, \
or `unknown`. An asterisk marks what would change. Sockets of clients that wait for answers on \
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
Without root the screens are read-only and say what they can't see.

`:` finds a command by its name and runs it as its key would; `?` shows the keys, those of a popup where one is open. \
Tabs, rows, the names of columns and the keys that are named can be clicked, and the wheel scrolls. Most terminals select text \
with shift held; `M` leaves the mouse to the terminal altogether, and takes it back.";

/// The user's own settings of the screens.
pub(super) const CONFIGURATION: &str = "The screens can be set up in `~/.config/fwtui/config.json` (in the configuration \
folder of the user that runs fwtui: with sudo usually root's). Every field may be missing. The file is for the screens: \
commands in scripts do the same whatever it holds. An option of the command line counts more than the environment, that more \
than the file. `fwtui config` shows every value and where it comes from. What is wrong in the file is named there with its line, \
and in the screens; it counts as not there, and the rest holds.

With `sudo --preserve-env=HOME fwtui` the settings are your own. The file, a theme or the whole folder may be a link, as those who \
keep dotfiles make them. What lies in the folders of another user is read with his rights, so that no link of his leads root to \
what he could not read himself; what others may write in a folder of root's is not read.";

/// A file with every field.
pub(super) const CONFIGURATION_EXAMPLE: &str = r#"{
  "theme": "light",
  "screen": "checkup",
  "mouse": "no",
  "refresh": 10,
  "ascii": "auto",
  "timeout": "2m",
  "keys": {
    "moving.down": ["down", "j"],
    "services.confine": ["f6", "c"],
    "screens.quit": ["ctrl-q"],
    "services.sort": []
  }
}"#;

/// Its fields.
pub(super) const CONFIGURATION_FIELDS: [(&str, &str); 7] = [
    (
        "theme",
        "The colours: one of fwtui's own themes, or a file of yours in `themes` beside this one. The default is `dark`. \
In the environment: FWTUI_THEME.",
    ),
    (
        "screen",
        "The screen that is shown first: `services` (the default), `networks`, `preview` or `checkup`. FWTUI_SCREEN.",
    ),
    (
        "mouse",
        "`yes` (the default), or `no` to leave it to the terminal. FWTUI_MOUSE.",
    ),
    (
        "refresh",
        "The seconds between two looks for new listeners, 1 to 60, or `off`; F5 looks at once. The default is 3. \
FWTUI_REFRESH.",
    ),
    (
        "ascii",
        "`yes` to draw with ASCII only, `no` never to, `auto` (the default) where the terminal shows no more. FWTUI_ASCII.",
    ),
    (
        "timeout",
        "How long a trial that is begun in the screens lasts, 20 seconds to 1 hour. The default is 90s. FWTUI_TIMEOUT.",
    ),
    (
        "keys",
        "For each command the keys it has instead of its own; an empty list leaves it to the palette.",
    ),
];

/// What can be said of keys.
pub(super) const CONFIGURATION_KEYS: &str = "`fwtui config --keys` prints the keys of all commands in the form that they have \
in the file. A key is a character, a letter with ctrl (`ctrl-l`), or one of `space`, `enter`, `esc`, `tab`, `shift-tab`, `backspace`, \
`delete`, `insert`, `home`, `end`, `pgup`, `pgdn`, `up`, `down`, `left`, `right`, `f1` to `f12`. A key that would mean two things in \
the same place is refused and both are named. `ctrl-c`, the first key that closes a popup, says yes or takes what was typed, and \
`k`, `r` and `m` while a trial runs stay what they are; other keys may stand beside them.";

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

/// Themes.
pub(super) const THEMES: &str = "`fwtui themes` shows fwtui's own themes and yours, on a terminal each with a sample, and `--theme` takes one; in the screens T tries the next. `high-contrast` and `high-contrast-light` have a contrast of seven to one or more everywhere, `colorblind` has colours that stay apart whichever the eye does not see. Nothing is told by colour alone: a sign stands beside each, and with `NO_COLOR` the signs, bold and reversed do.

A theme is a JSON file NAME.json in the folder themes of the config folder, ~/.config/fwtui. It gives every token its colours: `rgb` for terminals with 24 bits, or with 256 colours, of which the nearest that keeps the contrast is taken; `ansi`, one of the sixteen, for the others: default, black, red, green, yellow, blue, magenta, cyan, white, or one of the eight with bright- in front; and `modifiers`: bold, dim, italic, underlined, reversed. With `inherits` only what differs from one of fwtui's own themes is given. `about` describes it. Whatever is wrong is told with its line.";

/// A theme.
pub(super) const THEME_EXAMPLE: &str = r##"{
  "about": "Mine: dark, with a quieter banner",
  "inherits": "dark",
  "tokens": {
    "good": { "rgb": "#8fbcbb", "ansi": "cyan" },
    "trial-background": { "rgb": "#c9a227", "ansi": "yellow" },
    "key": { "modifiers": ["underlined"] }
  }
}"##;

/// What stands before the tokens.
pub(super) const THEME_TOKENS: &str = "Before you choose colours, `fwtui themes --json` tells the least contrast of each theme; below 4.5 text is hard to read. The tokens:";

/// JSON.
pub(super) const SCRIPTS: &str = "On a terminal, sentences and tables are broken to its width, and at 100 columns at most. In a pipe or \
a file every sentence stays in one line, but for the reports of `check` and `setup --show`, which have 100 columns there. Rules that \
`preview` prints are never broken. With `--ascii`, JSON has other letters as `\\u` and a number, and says the same.

`--json` prints one JSON object on one line. Its `schema` is 1; \
fields may be added, but none is renamed or taken away while it stays 1. Notes and complaints go to \
standard error.";

/// Its fields.
pub(super) const JSON: &[(&str, &str)] = &[
    (
        "setup --json",
        "machine (desktop, server, unknown), found (services, of these on_loopback and clients; networks), networks \
(interface, class, why, decided), trusted_sources (trusted by hand), refusal and logging (value, why, decided), services (id, name, known, what, advice: \
confine, trusted, open, disable; decision, from, why, carries_you, decided), ways_in, tools (as in `status`), conflicts \
(what to know of other firewalls, in words), resumable (whether answers of an earlier setup are kept; null where that can't be seen), elsewhere (what was decided since \
they were given: about, answered, now, decided, own: whether the answer is your own and holds, else what stands now is taken over).",
    ),
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
        "config --json",
        "path, exists, values (name, value), keys (command, keys: those that the file changes) and wrong (reason); each of the \
three with source (command-line, environment, file, default) and, where there is one, variable or line.",
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
        "themes --json",
        "in_use, themes (name, about, path: null for fwtui's own, least_contrast: null without colours, tokens: each with \
rgb, ansi, modifiers), unusable (files that can't be read, and why).",
    ),
    (
        "network --json",
        "networks: interface, kind, driver, addresses, up, default_route, class, chosen, who (can be there: one sentence \
each), services (id, name, decision, now, if_public, if_trusted, if_guests: nobody, neighbours, unknown, everyone); and \
trusted_sources. With an interface, only that one.",
    ),
    (
        "preview --json",
        "changes, services (id, name, action: disable or enable, units, needed_by, wanted_by, also, text), \
consequences (id, name, before, after, text, networks: interface, family, who, before, after), \
blocks (what begins or ends to be blocked, in words), ways_in, lockouts (service, text), warnings, \
running (service, connections, text), interrupted (protocol, port, peer, program), diff, and ruleset with ipv4 and ipv6. With --classic: ipv4 and ipv6, each a list of classic (null where the classic has \
nothing), own and why.",
    ),
    (
        "status --json",
        "state (off, confirmed, trial, drifted, unknown), backend, other_backend, trial (id, seconds_left, timeout, \
second_session, evidence, kernel_note: what the kernel's timer can't undo, decided_since: what is not on trial, in words), last (id, outcome, reason, why, began, at), \
blocks (of the policy: count, next_end), pending_changes (of the policy against what was confirmed), drift (why it is drifted, or \
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
        "~/.config/fwtui/config.json, ~/.config/fwtui/themes/",
        "How the screens are set up, and themes of your own.",
    ),
    (
        "/var/lib/fwtui/",
        "For root only: the rules that were confirmed (`confirmed.json`), those on trial (`candidate.json`), the \
journal of a running trial (`trial.json`), what listened when rules were last confirmed (`listened.json`), how the last \
one ended (`last.json`), and the answers of a setup that was left before its end (`setup.json`).",
    ),
    (
        "/var/lib/fwtui/restore.sh",
        "Puts rules back by hand, without fwtui: `sh /var/lib/fwtui/restore.sh`. During a trial they are those from before \
it, else those confirmed last.",
    ),
    ("/run/fwtui/", "The guard's lock and its socket, for root only."),
    (
        "~/.config/fwtui/themes/NAME.json",
        "A theme of your own, for `--theme NAME`; see THEMES.",
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
    (
        "FWTUI_THEME, FWTUI_SCREEN, FWTUI_MOUSE, FWTUI_REFRESH, FWTUI_ASCII, FWTUI_TIMEOUT",
        "Count more than the same field of config.json; see CONFIGURATION.",
    ),
    ("NO_COLOR", "If it is set and not empty, the screens have no colours."),
    (
        "COLORTERM, TERM",
        "Which colours the terminal has: truecolor or 24bit, 256, or sixteen. On the console (linux), on vt100 and its like, \
and on a dumb terminal only ASCII is drawn.",
    ),
    (
        "LC_ALL, LC_CTYPE, LANG",
        "The first that is set tells the character set. If it is not UTF-8, as with C or POSIX, only ASCII is drawn on a \
terminal, as `--ascii` does. If none is set, UTF-8 is taken for granted.",
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
as its command does. The screens, and `apply` during its trial, exit with 128 and the number of the signal that ended them: 130 after \
SIGINT, 143 after SIGTERM, 129 after SIGHUP or where the terminal is gone; a trial goes on without them, and where there is still a \
terminal it is told how. Ctrl-C reverts while `apply` waits for a word, and as long as nothing has changed it stops `apply` without a \
trace.";

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
    fn the_example_is_a_theme() {
        use crate::tui::theme::{Theme, Token};
        let mine = Theme::parse("mine", super::THEME_EXAMPLE).unwrap();
        assert!(mine.least_contrast().is_some_and(|least| least >= 4.5));
        assert_eq!(mine.look(Token::Good).rgb.as_deref(), Some("#8fbcbb"));
    }

    #[test]
    fn the_example_is_a_configuration() {
        use crate::core::config::{Config, Said};
        let said = Said {
            file: Some(super::CONFIGURATION_EXAMPLE.to_owned()),
            ..Said::default()
        };
        let config = Config::of(&said, |name| Ok(name.to_owned()), &["checkup"]);
        assert_eq!(config.wrong, []);
        let (_, complaints) = crate::tui::commands::Keymap::with(&config.keys);
        assert_eq!(complaints, []);
        for (field, _) in super::CONFIGURATION_FIELDS {
            assert!(
                super::CONFIGURATION_EXAMPLE.contains(&format!("\"{field}\": ")),
                "{field}"
            );
        }
    }

    #[test]
    fn the_example_is_a_policy() {
        let policy = crate::core::policy::Policy::parse(super::POLICY_EXAMPLE).unwrap();
        assert_eq!((policy.services.len(), policy.blocks.len()), (3, 2));
    }
}
