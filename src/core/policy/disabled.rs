//! Services that are switched off themselves: no rule, but no process either.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::core::policy::Policy;
use crate::core::service::ServiceId;
use crate::core::unit::{is_unit_name, sorted};

/// The units of a service that is to be off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disabled {
    /// The systemd units: the service, and what would start it. Never empty.
    #[serde(deserialize_with = "units")]
    pub units: Vec<String>,
}

fn units<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let units = Vec::<String>::deserialize(deserializer)?;
    check(&units).map_err(de::Error::custom)?;
    Ok(units)
}

fn check(units: &[String]) -> Result<(), String> {
    if units.is_empty() {
        return Err("a disabled service has at least one unit".to_owned());
    }
    match units.iter().find(|unit| !is_unit_name(unit)) {
        Some(wrong) => Err(format!(
            "{wrong:?} is no unit that can be disabled: write it like postgresql.service or cups.socket"
        )),
        None => Ok(()),
    }
}

impl Policy {
    /// Wants a service off, with these units. What is decided on it stays: it holds once the service
    /// is enabled again, and for whatever else listens there.
    ///
    /// # Errors
    /// Where one of them is no unit; the policy is then unchanged.
    pub fn disable(&mut self, id: ServiceId, units: &[String]) -> Result<(), String> {
        check(units)?;
        let units = sorted(units.iter().cloned());
        self.disabled.insert(id, Disabled { units });
        Ok(())
    }

    /// Wants it on again; whether it was to be off.
    pub fn enable(&mut self, id: &ServiceId) -> bool {
        self.disabled.remove(id).is_some()
    }

    /// Every unit that is to be off.
    pub fn disabled_units(&self) -> BTreeSet<&str> {
        units_of(&self.disabled)
    }
}

/// Every unit of these services.
pub(super) fn units_of(disabled: &BTreeMap<ServiceId, Disabled>) -> BTreeSet<&str> {
    let units = disabled.values().flat_map(|disabled| &disabled.units);
    units.map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ServiceId {
        "5432/tcp".parse().unwrap()
    }

    #[test]
    fn a_disabled_service_reads_back_and_can_be_enabled() {
        let mut policy = Policy::default();
        let units = ["postgresql.service".to_owned(), "postgresql.socket".to_owned()];
        policy.disable(id(), &units).unwrap();
        let text = policy.to_text();
        assert!(text.contains("\"disabled\""), "{text}");
        assert_eq!(Policy::parse(&text).unwrap(), policy);
        assert_eq!(
            policy.disabled_units().into_iter().collect::<Vec<_>>(),
            ["postgresql.service", "postgresql.socket"]
        );
        assert!(policy.enable(&id()) && !policy.enable(&id()));
        assert_eq!(policy, Policy::default());
        // As it was written before there was such a thing.
        assert!(!policy.to_text().contains("disabled"));
    }

    #[test]
    fn what_is_no_unit_is_refused_with_its_line() {
        for units in [&["postgresql"][..], &["*.service"], &[]] {
            let units: Vec<String> = units.iter().map(|unit| (*unit).to_owned()).collect();
            assert!(Policy::default().disable(id(), &units).is_err(), "{units:?}");
            let text = format!("{{\"version\": 1,\n\"disabled\": {{\"5432/tcp\":\n{{\"units\": {units:?}}}}}}}");
            assert_eq!(Policy::parse(&text).unwrap_err().line, 3, "{text}");
        }
        let twice = "{\"version\": 1, \"disabled\": {\"1/tcp\": {\"units\": [\"a.service\"]},\n\"1/tcp\": 1}}";
        let error = Policy::parse(twice).unwrap_err();
        assert!(
            error.reason.contains("1/tcp is there twice") && error.line == 2,
            "{error}"
        );
    }
}
