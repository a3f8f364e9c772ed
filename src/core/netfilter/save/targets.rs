//! Targets of iptables-extensions(8), as statements.

use super::options::{Choice, choices};
use super::spec::Context;
use super::values;
use crate::core::listener::Family;
use crate::core::netfilter::{Nat, NatKind, SetMark, Statement, To, Verdict};

/// What a target does. A chain of the table comes before a target of the same name.
pub(super) fn statements(is_goto: bool, name: &str, words: &[String], context: &Context<'_>) -> Vec<Statement> {
    let unknown = || {
        let option = if is_goto { "-g" } else { "-j" };
        let words: Vec<&str> = [option, name]
            .into_iter()
            .chain(words.iter().map(String::as_str))
            .collect();
        vec![Statement::Unknown(words.join(" "))]
    };
    let is_chain = context.chains.is_some_and(|chains| chains.contains(name));
    let has_words = !words.is_empty();
    if is_goto && !has_words && (is_chain || context.chains.is_none()) {
        return vec![Statement::End(Verdict::Goto(name.to_owned()))];
    }
    if is_chain && !has_words && !is_goto {
        return vec![Statement::End(Verdict::Jump(name.to_owned()))];
    }
    if is_goto {
        return unknown();
    }
    match choices(words).and_then(|choices| known(name, &choices, context.family)) {
        Some(statements) => statements,
        // A rule by itself does not tell which chains there are; a target that needs no options is known.
        None if context.chains.is_none() && !has_words && !is_extension(name) => {
            vec![Statement::End(Verdict::Jump(name.to_owned()))]
        }
        None => unknown(),
    }
}

/// Targets that decide in ways that are not modelled.
fn is_extension(name: &str) -> bool {
    matches!(
        name,
        "?" | "NETMAP" | "SYNPROXY" | "CLUSTERIP" | "MIRROR" | "SNPT" | "DNPT" | "HMARK" | "ACCOUNT" | "DNETMAP"
    )
}

fn known(name: &str, choices: &[Choice<'_>], family: Family) -> Option<Vec<Statement>> {
    let end = |verdict| Some(vec![Statement::End(verdict)]);
    match name {
        "ACCEPT" if choices.is_empty() => end(Verdict::Accept),
        "DROP" if choices.is_empty() => end(Verdict::Drop),
        "RETURN" if choices.is_empty() => end(Verdict::Return),
        "REJECT" => end(Verdict::Reject(reject(choices, family)?)),
        "QUEUE" | "NFQUEUE" => end(Verdict::Queue),
        // They write down or mark what others decide by, and the packet goes on.
        "LOG" | "NFLOG" | "ULOG" | "AUDIT" | "TRACE" | "TCPMSS" | "TCPOPTSTRIP" | "CLASSIFY" | "TOS" | "DSCP"
        | "ECN" | "TTL" | "HL" | "CHECKSUM" | "TEE" | "IDLETIMER" | "LED" | "RATEEST" | "SECMARK" | "CONNSECMARK" => {
            Some(Vec::new())
        }
        "SET" if choices.iter().all(|choice| choice.name != "--map-set") => Some(Vec::new()),
        "NOTRACK" => Some(vec![Statement::NoTrack]),
        "CT" => connection_tracking(choices),
        "MARK" => mark(choices),
        "CONNMARK" => connection_mark(choices),
        "DNAT" => Some(translation(NatKind::Destination, "--to-destination", choices, family)),
        "SNAT" => Some(translation(NatKind::Source, "--to-source", choices, family)),
        "REDIRECT" => Some(translation(NatKind::Redirect, "--to-ports", choices, family)),
        "MASQUERADE" => Some(translation(NatKind::Masquerade, "--to-ports", choices, family)),
        "TPROXY" => proxy(choices, family),
        _ => None,
    }
}

/// The word for what the sender is told, as nft(8) writes it.
fn reject(choices: &[Choice<'_>], family: Family) -> Option<String> {
    match choices {
        [] => Some(
            match family {
                Family::Ipv4 => "icmp-port-unreachable",
                Family::Ipv6 => "icmp6-port-unreachable",
            }
            .to_owned(),
        ),
        [choice] if choice.name == "--reject-with" => choice.value().map(str::to_owned),
        _ => None,
    }
}

fn connection_tracking(choices: &[Choice<'_>]) -> Option<Vec<Statement>> {
    let mut statements = Vec::new();
    for choice in choices {
        match choice.name {
            "--notrack" => statements.push(Statement::NoTrack),
            // They change what is followed up later, not this packet.
            "--helper" | "--timeout" | "--ctevents" | "--expevents" => {}
            _ => return None,
        }
    }
    Some(statements)
}

fn mark(choices: &[Choice<'_>]) -> Option<Vec<Statement>> {
    match choices {
        [choice] => Some(vec![Statement::Mark(set_mark(choice, false)?)]),
        _ => None,
    }
}

/// The options that set a mark by itself (`xt_mark.c`, `xt_connmark.c`: `(mark & ~m) ^ v`).
fn set_mark(choice: &Choice<'_>, of_connection: bool) -> Option<SetMark> {
    let word = choice.value()?;
    let (clear, flip) = match choice.name {
        "--set-xmark" => {
            let (value, mask) = values::masked(word)?;
            (mask, value)
        }
        // The bits of the value are set too, where the mask does not name them.
        "--set-mark" => {
            let (value, mask) = values::masked(word)?;
            (mask | value, value)
        }
        "--and-mark" => (!values::integer(word)?, 0),
        "--or-mark" => {
            let value = values::integer(word)?;
            (value, value)
        }
        "--xor-mark" => (0, values::integer(word)?),
        _ => return None,
    };
    Some(SetMark {
        of_connection,
        from_connection: of_connection,
        clear,
        flip,
        is_unknown: false,
    })
}

fn connection_mark(choices: &[Choice<'_>]) -> Option<Vec<Statement>> {
    let (mut save, mut restore) = (false, false);
    let (mut of_packet, mut of_connection) = (u32::MAX, u32::MAX);
    let mut set = None;
    let mut is_shifted = false;
    for choice in choices {
        match (choice.name, choice.value()) {
            ("--save-mark", None) => save = true,
            ("--restore-mark", None) => restore = true,
            ("--nfmask", Some(mask)) => of_packet = values::integer(mask)?,
            ("--ctmask", Some(mask)) => of_connection = values::integer(mask)?,
            ("--mask", Some(mask)) => {
                let mask = values::integer(mask)?;
                (of_packet, of_connection) = (mask, mask);
            }
            ("--left-shift-mark" | "--right-shift-mark", _) => is_shifted = true,
            _ => set = Some(set_mark(choice, true)?),
        }
    }
    let copied = |from_connection: bool, taken: u32, cleared: u32| SetMark {
        of_connection: !from_connection,
        from_connection,
        clear: !taken,
        flip: 0,
        // Where bits of the old value stay, the new one comes from both.
        is_unknown: is_shifted || cleared != u32::MAX,
    };
    let mark = match (save, restore, set) {
        (true, false, None) => copied(false, of_packet, of_connection),
        (false, true, None) => copied(true, of_connection, of_packet),
        (false, false, Some(set)) if !is_shifted => set,
        (false, false, Some(set)) => SetMark {
            is_unknown: true,
            ..set
        },
        _ => return None,
    };
    Some(vec![Statement::Mark(mark)])
}

/// A target that rewrites addresses; where to can be unknown, that it does so is not.
fn translation(kind: NatKind, option: &str, choices: &[Choice<'_>], family: Family) -> Vec<Statement> {
    let mut to = To::Fixed {
        addresses: None,
        ports: None,
    };
    let mut is_known = true;
    let mut places = 0;
    for choice in choices {
        match choice.name {
            name if name == option => {
                places += 1;
                let found = choice.value().and_then(|value| match kind {
                    NatKind::Redirect | NatKind::Masquerade => Some((None, Some(values::nat_ports(value)?))),
                    NatKind::Destination | NatKind::Source | NatKind::Proxy => values::endpoint(value, family),
                });
                match found {
                    Some((addresses, ports)) => to = To::Fixed { addresses, ports },
                    None => is_known = false,
                }
            }
            "--random" | "--random-fully" | "--persistent" => {}
            _ => is_known = false,
        }
    }
    if !is_known || places > 1 {
        let words: Vec<String> = choices.iter().map(Choice::text).collect();
        to = To::Unknown(words.join(" "));
    }
    vec![Statement::Nat(Nat { kind, to })]
}

/// TPROXY marks the packet and gives it to a local socket.
fn proxy(choices: &[Choice<'_>], family: Family) -> Option<Vec<Statement>> {
    let (mut addresses, mut ports) = (None, None);
    let mut statements = Vec::new();
    for choice in choices {
        let value = choice.value()?;
        match choice.name {
            "--on-port" => {
                let port: u16 = value.parse().ok()?;
                ports = (port != 0).then_some((port, port));
            }
            "--on-ip" => {
                let address = values::address(value, family)?;
                addresses = (!address.is_unspecified()).then_some((address, address));
            }
            "--tproxy-mark" => {
                let (flip, clear) = values::masked(value)?;
                statements.push(Statement::Mark(SetMark {
                    of_connection: false,
                    from_connection: false,
                    clear,
                    flip,
                    is_unknown: false,
                }));
            }
            _ => return None,
        }
    }
    statements.push(Statement::Nat(Nat {
        kind: NatKind::Proxy,
        to: To::Fixed { addresses, ports },
    }));
    Some(statements)
}
