//! What nft lists, put together with what `iptables-save` shows of the same tables.

use crate::core::netfilter::merge::merge;
use crate::core::netfilter::{Table, json};

/// Both views as one; an error says why nft's can't be used.
pub(super) fn merged(text: &str, ipv4: &[Table], ipv6: &[Table]) -> Result<Vec<Table>, String> {
    let listed = json::parse(text).map_err(|error| error.to_string())?;
    let saved = |tables: &[Table]| (!tables.is_empty()).then(|| tables.to_vec());
    Ok(merge(listed, saved(ipv4), saved(ipv6)).tables)
}
