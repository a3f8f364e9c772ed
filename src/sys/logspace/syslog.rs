//! The files that rsyslog and syslog-ng write the kernel's messages to.

use std::path::Path;

use super::{in_folder, text};

/// Their paths, in order.
pub(super) fn kernel_files(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let rsyslog = std::iter::once(root.join("etc/rsyslog.conf")).chain(in_folder(&root.join("etc/rsyslog.d"), "conf"));
    for path in rsyslog {
        files.extend(text(&path).unwrap_or_default().lines().filter_map(rsyslog_file));
    }
    let ng = root.join("etc/syslog-ng/syslog-ng.conf");
    let ng = std::iter::once(ng).chain(in_folder(&root.join("etc/syslog-ng/conf.d"), "conf"));
    for path in ng {
        files.extend(text(&path).unwrap_or_default().lines().filter_map(syslog_ng_file));
    }
    files.sort();
    files.dedup();
    files
}

/// The file of a line `SELECTOR ACTION` of rsyslog's, where the kernel's messages are among those
/// selected. Lines that ask for properties (`:msg, contains, "[UFW"`) are taken for such: that is what
/// firewalls have them for.
fn rsyslog_file(line: &str) -> Option<String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', '$', '&', '}']) {
        return None;
    }
    let (selector, action) = if line.starts_with(':') {
        (None, line.rsplit_once(char::is_whitespace)?.1)
    } else {
        let (selector, action) = line.split_once(char::is_whitespace)?;
        (Some(selector), action.trim())
    };
    if !selector.is_none_or(selects_kernel) {
        return None;
    }
    let path = match action.strip_prefix("action(") {
        Some(action) if action.contains("omfile") => quoted(action, "file=")?,
        Some(_) => return None,
        // A leading '-' means: not written through.
        None => action.trim_start_matches('-').split([';', ' ', '\t']).next()?,
    };
    path.starts_with("/var/").then(|| path.to_owned())
}

/// Whether `*.*;auth,authpriv.none` and the like select the facility kern: what comes last holds.
fn selects_kernel(selector: &str) -> bool {
    let mut is_selected = false;
    for part in selector.split(';') {
        let Some((facilities, priority)) = part.rsplit_once('.') else {
            return false;
        };
        if facilities.split(',').any(|facility| matches!(facility, "*" | "kern")) {
            is_selected = match priority {
                "none" => false,
                _ if priority.starts_with('!') => is_selected,
                _ => true,
            };
        }
    }
    is_selected
}

/// The file of a destination of syslog-ng's that is named for the kernel, for messages or for all.
fn syslog_ng_file(line: &str) -> Option<String> {
    let rest = line.trim().strip_prefix("destination")?.trim_start();
    let (name, rest) = rest.split_once(char::is_whitespace)?;
    let is_meant = ["kern", "messages", "syslog"].iter().any(|word| name.contains(word));
    let path = quoted(rest, "file(").filter(|_| is_meant)?;
    path.starts_with('/').then(|| path.to_owned())
}

/// What is in the quotation marks behind a word.
fn quoted<'a>(text: &'a str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(behind)?;
    rest.split('"').nth(1)
}
