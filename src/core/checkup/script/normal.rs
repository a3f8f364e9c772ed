//! A rule as somebody typed it, as iptables-save would print it: short options, the match that belongs
//! to each option, numbers for names, a negation in front of its option.

use std::net::IpAddr;

use super::{icmp, services};
use crate::core::listener::Family;
use crate::core::netfilter::save::takes_any_text;

/// An option, or a match or target with its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// By what it is sorted: the order of iptables-save.
    place: u8,
    words: Vec<String>,
}

/// Where a match stands, and where the target.
const MATCH: u8 = 6;
const TARGET: u8 = 7;
/// A list of so many sources or destinations makes as many rules; more are not made.
const MOST_RULES: usize = 256;

/// A rule's words in iptables-save's form: several rules where it lists several addresses.
///
/// # Errors
/// What makes no sense in it.
pub(super) fn rules(words: &[String], family: Family) -> Result<Vec<Vec<String>>, String> {
    let mut parts = Parts {
        family,
        found: Vec::new(),
        current: None,
        protocol: None,
        negated: false,
    };
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        if word == "!" {
            parts.negated = true;
        } else if word.starts_with('-') && word.len() > 1 {
            rest = parts.option(word, rest)?;
        } else {
            return Err(format!("'{word}' belongs to no option"));
        }
    }
    if parts.negated {
        return Err("a '!' stands before nothing".to_owned());
    }
    let mut parts = parts.found;
    parts.sort_by_key(|part| part.place);
    let mut made: Vec<Vec<String>> = vec![Vec::new()];
    for part in parts {
        let several = several(&part);
        if made.len() * several.len() > MOST_RULES {
            return Err(format!("it makes more than {MOST_RULES} rules"));
        }
        made = several
            .iter()
            .flat_map(|words| made.iter().map(move |before| [before.as_slice(), words].concat()))
            .collect();
    }
    Ok(made)
}

/// `-s a,b` is one rule for each.
fn several(part: &Part) -> Vec<Vec<String>> {
    match part.words.as_slice() {
        [option, list] if matches!(option.as_str(), "-s" | "-d") && list.contains(',') => {
            let each = |one: &str| vec![option.clone(), network(one)];
            list.split(',').filter(|one| !one.is_empty()).map(each).collect()
        }
        words => vec![words.to_vec()],
    }
}

struct Parts {
    family: Family,
    found: Vec<Part>,
    /// The match or target that options belong to.
    current: Option<usize>,
    protocol: Option<String>,
    negated: bool,
}

impl Parts {
    /// Takes an option and its values; what is left behind them.
    fn option<'w>(&mut self, word: &str, rest: &'w [String]) -> Result<&'w [String], String> {
        let (name, attached) = split(word);
        let name = canonical(name);
        let short = ["-s", "-d", "-i", "-o", "-p", "-j", "-g", "-m"];
        if short.contains(&name) {
            let (value, rest) = match attached {
                Some(value) => (value.to_owned(), rest),
                None => self.value(name, rest)?,
            };
            self.generic(name, value);
            return Ok(rest);
        }
        match name {
            "-f" => {
                self.push(5, &["-f"]);
                Ok(rest)
            }
            "-4" | "-6" => Ok(rest),
            // Counters: two numbers.
            "-c" | "--set-counters" => Ok(rest.get(2..).unwrap_or_default()),
            _ if !name.starts_with("--") => Err(format!("the option '{word}' is not known")),
            _ => {
                let (mut values, mut left) = (Vec::new(), rest);
                values.extend(attached.map(str::to_owned));
                if attached.is_none() {
                    (values, left) = self.values(name, rest);
                }
                self.extension(name, values);
                Ok(left)
            }
        }
    }

    /// The one value of an option; a '!' may stand before it.
    fn value<'w>(&mut self, name: &str, rest: &'w [String]) -> Result<(String, &'w [String]), String> {
        match rest {
            [not, value, rest @ ..] if not == "!" => {
                self.negated = true;
                Ok((value.clone(), rest))
            }
            [value, rest @ ..] => Ok((value.clone(), rest)),
            [] => Err(format!("'{name}' lacks its value")),
        }
    }

    /// The values of an option of a match or target: all up to the next option.
    fn values<'w>(&mut self, name: &str, rest: &'w [String]) -> (Vec<String>, &'w [String]) {
        if takes_any_text(name) {
            return match rest {
                [value, rest @ ..] => (vec![value.clone()], rest),
                [] => (Vec::new(), rest),
            };
        }
        let mut rest = rest;
        if let [not, value, ..] = rest
            && not == "!"
            && !value.starts_with('-')
        {
            self.negated = true;
            rest = rest.get(1..).unwrap_or_default();
        }
        let is_option = |word: &String| word == "!" || (word.starts_with('-') && word.len() > 1);
        let end = rest.iter().position(is_option).unwrap_or(rest.len());
        let (values, rest) = rest.split_at(end);
        (values.to_vec(), rest)
    }

    /// One that iptables itself knows.
    fn generic(&mut self, name: &str, value: String) {
        let (value, is_inverted) = match value.strip_prefix('!') {
            Some(rest) if !rest.is_empty() => (rest.to_owned(), true),
            _ => (value, false),
        };
        self.negated |= is_inverted;
        match name {
            "-m" => {
                self.negated = false;
                self.push(MATCH, &["-m", &value]);
                self.current = self.found.len().checked_sub(1);
            }
            "-j" | "-g" => {
                self.negated = false;
                self.push(TARGET, &[name, &value]);
                self.current = self.found.len().checked_sub(1);
            }
            // What it is called can't be known: no name may be taken for it.
            "-i" | "-o" if value.contains(['$', '`']) => {
                let long = if name == "-i" {
                    "--in-interface"
                } else {
                    "--out-interface"
                };
                self.negated = false;
                self.push(MATCH, &["-m", "unknown", long, &value]);
            }
            "-p" => {
                let value = value.to_ascii_lowercase();
                self.protocol = Some(value.clone());
                self.push(4, &["-p", &value]);
            }
            _ => {
                let (place, value) = match name {
                    "-s" => (0, network(&value)),
                    "-d" => (1, network(&value)),
                    "-i" => (2, value),
                    _ => (3, value),
                };
                self.push(place, &[name, &value]);
            }
        }
    }

    /// One of a match or target, put where it belongs.
    fn extension(&mut self, name: &str, mut values: Vec<String>) {
        let is_port = matches!(name, "--dport" | "--sport");
        let is_list = is_port && values.iter().any(|value| value.contains(','));
        let mut name = name.to_owned();
        let mut owner = match name.as_str() {
            "--dport" | "--sport" if is_list && self.find("multiport").is_some() => {
                name.push('s');
                self.find("multiport")
            }
            "--dport" | "--sport" => self.protocol_match(),
            "--dports" | "--sports" | "--ports" => self.find("multiport").or(self.current),
            "--syn" | "--tcp-flags" | "--tcp-option" => Some(self.find_or_make("tcp")),
            "--icmp-type" => Some(self.find_or_make("icmp")),
            "--icmpv6-type" => Some(self.find_or_make("icmp6")),
            "--to" | "--to-port" => {
                name = self.full_name(&name);
                self.target()
            }
            "--reject-with" | "--log-prefix" | "--log-level" | "--to-destination" | "--to-source" | "--to-ports" => {
                self.target()
            }
            _ => None,
        };
        owner = owner.or(self.current);
        match name.as_str() {
            "--dport" | "--sport" | "--dports" | "--sports" | "--ports" => {
                values = values.iter().map(|value| services::ports(value)).collect();
            }
            "--icmp-type" | "--icmpv6-type" => {
                values = values.iter().map(|value| icmp::number(value, self.family)).collect();
            }
            _ => {}
        }
        let is_negated = std::mem::take(&mut self.negated);
        // `--dport !22`
        let is_inverted = (is_port && !is_negated)
            .then(|| values.first_mut()?.strip_prefix('!').map(str::to_owned))
            .flatten();
        let mut words: Vec<String> = Vec::new();
        words.extend((is_negated || is_inverted.is_some()).then(|| "!".to_owned()));
        if let (Some(value), Some(first)) = (is_inverted, values.first_mut()) {
            *first = value;
        }
        words.push(name);
        words.append(&mut values);
        match owner.and_then(|at| self.found.get_mut(at)) {
            Some(part) => part.words.extend(words),
            None => self.found.push(Part { place: MATCH, words }),
        }
    }

    /// `--to` of a translation is short for its option.
    fn full_name(&self, name: &str) -> String {
        let target = self.target().and_then(|at| self.found.get(at)?.words.get(1));
        match target.map(String::as_str) {
            Some("DNAT") => "--to-destination",
            Some("SNAT") => "--to-source",
            Some("REDIRECT" | "MASQUERADE") => "--to-ports",
            _ => name,
        }
        .to_owned()
    }

    fn push(&mut self, place: u8, words: &[&str]) {
        let not = std::mem::take(&mut self.negated).then_some("!");
        let words = not.iter().chain(words).map(|word| (*word).to_owned()).collect();
        self.found.push(Part { place, words });
    }

    fn target(&self) -> Option<usize> {
        self.found.iter().position(|part| part.place == TARGET)
    }

    /// The match of a name.
    fn find(&self, name: &str) -> Option<usize> {
        let is_it = |part: &Part| matches!(part.words.as_slice(), [m, of, ..] if m == "-m" && of == name);
        self.found.iter().position(is_it)
    }

    fn find_or_make(&mut self, name: &str) -> usize {
        self.find(name).unwrap_or_else(|| {
            self.found.push(Part {
                place: MATCH,
                words: vec!["-m".to_owned(), name.to_owned()],
            });
            self.found.len() - 1
        })
    }

    /// The match that ports belong to.
    fn protocol_match(&mut self) -> Option<usize> {
        let name = match self.protocol.as_deref()? {
            "6" => "tcp",
            "17" => "udp",
            name @ ("tcp" | "udp" | "udplite" | "sctp" | "dccp") => name,
            _ => return None,
        };
        let name = name.to_owned();
        Some(self.find_or_make(&name))
    }
}

/// `--dport=22` and `-ptcp` as option and value.
fn split(word: &str) -> (&str, Option<&str>) {
    if word.starts_with("--") {
        return word
            .split_once('=')
            .map_or((word, None), |(name, value)| (name, Some(value)));
    }
    match word.split_at_checked(2) {
        Some((name, value)) if !value.is_empty() && "sdiopjgm".contains(&name.replace('-', "")) => (name, Some(value)),
        _ => (word, None),
    }
}

/// The option that iptables-save prints.
fn canonical(name: &str) -> &str {
    match name {
        "--source" | "--src" => "-s",
        "--destination" | "--dst" => "-d",
        "--in-interface" => "-i",
        "--out-interface" => "-o",
        "--protocol" | "--proto" => "-p",
        "--jump" => "-j",
        "--goto" => "-g",
        "--match" => "-m",
        "--fragment" => "-f",
        "--ipv4" => "-4",
        "--ipv6" => "-6",
        "--destination-port" => "--dport",
        "--source-port" => "--sport",
        "--destination-ports" => "--dports",
        "--source-ports" => "--sports",
        other => other,
    }
}

/// `10.0.0.1` as `10.0.0.1/32`, `/255.0.0.0` as `/8`.
fn network(word: &str) -> String {
    let (address, mask) = word.split_once('/').unwrap_or((word, ""));
    let Ok(parsed) = address.parse::<IpAddr>() else {
        return word.to_owned();
    };
    let full = if parsed.is_ipv4() { 32 } else { 128 };
    let length = match mask {
        "" => Some(full),
        mask => mask
            .parse::<u32>()
            .ok()
            .or_else(|| match mask.parse::<std::net::Ipv4Addr>() {
                Ok(mask) if mask.to_bits().leading_ones() == mask.to_bits().count_ones() => {
                    Some(mask.to_bits().count_ones())
                }
                _ => None,
            }),
    };
    match length {
        Some(length) => format!("{address}/{length}"),
        None => word.to_owned(),
    }
}

/// The words as one would type them.
pub(super) fn text(chain: &str, words: &[String]) -> String {
    let mut text = format!("-A {}", quoted(chain));
    for word in words {
        text.push(' ');
        text.push_str(&quoted(word));
    }
    text
}

fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && !word.contains([' ', '\t', '\n', '"', '\\', '\'']);
    match is_plain {
        true => word.to_owned(),
        false => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}
