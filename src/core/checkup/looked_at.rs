//! What there was to judge, in words: nothing found means little without it.

use super::Evidence;
use crate::core::listener::Family;

impl Evidence<'_> {
    /// What was looked at, each in a few words: `12 rules (IPv4 and IPv6)`, `9 services`.
    pub fn looked_at(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.netfilter.is_some() {
            let families = match self.families {
                [Family::Ipv4] => " (IPv4)",
                [Family::Ipv6] => " (IPv6)",
                _ => " (IPv4 and IPv6)",
            };
            words.push(format!("{}{families}", count(self.rules().count(), "rule")));
        }
        if self.world.is_some() {
            words.push(count(self.rows.len(), "service"));
        }
        if !self.sysctls.is_empty() {
            words.push(count(self.sysctls.len(), "kernel setting"));
        }
        words.extend(
            self.updates
                .map(|updates| format!("the updates of {}", updates.manager)),
        );
        words.extend(self.logs.map(|_| "the room for logs".to_owned()));
        words
    }
}

/// `1 rule`, `2 rules`.
fn count(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::checkup::{Sysctl, Updates};
    use crate::core::netfilter::Netfilter;

    #[test]
    fn only_what_was_there_to_see_is_named() {
        assert!(Evidence::default().looked_at().is_empty());
        let (netfilter, updates) = (
            Netfilter::default(),
            Updates {
                manager: "apt".into(),
                ..Updates::default()
            },
        );
        let sysctl = Sysctl {
            name: "net.ipv4.ip_forward".into(),
            value: "0".into(),
            default: None,
            source: None,
        };
        let evidence = Evidence {
            netfilter: Some(&netfilter),
            families: &[Family::Ipv6],
            sysctls: std::slice::from_ref(&sysctl),
            updates: Some(&updates),
            ..Evidence::default()
        };
        let words = ["0 rules (IPv6)", "1 kernel setting", "the updates of apt"];
        assert_eq!(evidence.looked_at(), words);
    }
}
