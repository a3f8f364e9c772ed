//! fwtui's own rules among the others: how it will be once they are loaded.

use super::{
    Base, Chain, ChainType, Condition, Engine, Hook, Netfilter, Rule, Statement, Table, TableFamily, Verdict, save,
};
use crate::core::listener::Family;
use crate::core::ruleset::{self, DOCKER_USER, FamilyRules, PREFIX, Ruleset, SavedTables, Slot};

impl Netfilter {
    /// A kernel of which nothing can be seen: there may be rules, and they may do anything but send
    /// packets elsewhere.
    pub fn unseen(why: &str) -> Self {
        let rule = Rule {
            statements: vec![Statement::Unknown(why.to_owned())],
            text: why.to_owned(),
            comment: None,
        };
        let base = Base {
            hook: Hook::Prerouting,
            kind: ChainType::Filter,
            priority: i32::MIN,
            drops: false,
            devices: Vec::new(),
        };
        let chain = Chain {
            name: String::new(),
            base: Some(base),
            rules: vec![rule],
        };
        Self {
            tables: vec![Table {
                engine: Engine::Nft,
                family: TableFamily::Inet,
                name: String::new(),
                is_dormant: false,
                chains: vec![chain],
                sets: Vec::new(),
            }],
        }
    }

    /// The same with other rules of fwtui's in force: these, as loading them would place them.
    #[must_use]
    pub fn with_own(&self, rules: &Ruleset) -> Self {
        let mut after = self.clone();
        let is_own = |table: &Table| table.chains.iter().any(|chain| chain.name.starts_with(PREFIX));
        let engine = self.tables.iter().find(|table| is_own(table)).map(|table| table.engine);
        let is_legacy = !self.tables.is_empty() && self.tables.iter().all(|table| table.engine == Engine::Legacy);
        let engine = engine.unwrap_or(if is_legacy { Engine::Legacy } else { Engine::Nft });
        for family in Family::ALL {
            for table in ruleset::Table::ALL {
                after.put(engine, family, table, rules.family(family));
            }
        }
        after
    }

    fn put(&mut self, engine: Engine, family: Family, name: ruleset::Table, rules: &FamilyRules) {
        let of = match family {
            Family::Ipv4 => TableFamily::Ip,
            Family::Ipv6 => TableFamily::Ip6,
        };
        let is_it = |table: &&mut Table| (table.engine, table.family, table.name.as_str()) == (engine, of, name.name());
        let hooks: Vec<ruleset::Hook> = rules.hooks().into_iter().filter(|hook| hook.table() == name).collect();
        let at = match self.tables.iter_mut().position(|mut table| is_it(&mut table)) {
            Some(at) => at,
            None if hooks.is_empty() => return,
            None => {
                self.tables.push(Table {
                    engine,
                    family: of,
                    name: name.name().to_owned(),
                    is_dormant: false,
                    chains: Vec::new(),
                    sets: Vec::new(),
                });
                self.tables.len() - 1
            }
        };
        let Some(table) = self.tables.get_mut(at) else {
            return;
        };
        table.chains.retain(|chain| !chain.name.starts_with(PREFIX));
        for hook in ruleset::Hook::ALL.into_iter().filter(|hook| hook.table() == name) {
            let is_wanted = hooks.contains(&hook);
            table.jump(hook.chain(), &hook.entry(), is_wanted, family);
            if hook == ruleset::Hook::Forward && table.chain(DOCKER_USER).is_some() {
                table.jump(DOCKER_USER, &hook.entry(), is_wanted, family);
            }
            if is_wanted {
                let goto = format!("-A {} -g {}", hook.entry(), Slot::A.main(hook));
                table.chains.push(Chain {
                    name: hook.entry(),
                    base: None,
                    rules: vec![save::rule(&goto, family)],
                });
            }
        }
        // What is printed reads back: there is one way from text to rules.
        let saved = SavedTables::parse(&rules.to_text()).unwrap_or_default();
        let own = save::tables(&saved, engine, family, &[]).into_iter();
        let own = own.filter(|own| own.name == table.name).flat_map(|own| own.chains);
        table.chains.extend(own.filter(|chain| chain.name.starts_with(PREFIX)));
    }
}

impl Table {
    /// Takes the jumps to a chain out of another one, and where it is wanted puts one back: where it
    /// stood if nothing before it may accept, else first.
    fn jump(&mut self, from: &str, to: &str, is_wanted: bool, family: Family) {
        let jumps =
            |rule: &Rule| matches!(rule.statements.as_slice(), [Statement::End(Verdict::Jump(name))] if name == to);
        let at = match self.chains.iter().position(|chain| chain.name == from) {
            Some(at) => at,
            None if !is_wanted => return,
            None => {
                self.chains.push(Chain {
                    name: from.to_owned(),
                    base: save::base(&self.name, from, "ACCEPT"),
                    rules: Vec::new(),
                });
                self.chains.len() - 1
            }
        };
        let Some(chain) = self.chains.get_mut(at) else {
            return;
        };
        let stood = chain.rules.iter().position(jumps);
        chain.rules.retain(|rule| !jumps(rule));
        if is_wanted {
            let stood = stood
                .filter(|at| chain.rules.iter().take(*at).all(only_refuses))
                .unwrap_or(0);
            chain
                .rules
                .insert(stood, save::rule(&format!("-A {from} -j {to}"), family));
        }
    }
}

/// Whether a rule refuses what it matches, or does nothing.
fn only_refuses(rule: &Rule) -> bool {
    rule.statements.iter().all(|statement| match statement {
        Statement::If(condition) => !matches!(condition, Condition::Unknown(_)),
        Statement::End(verdict) => matches!(verdict, Verdict::Drop | Verdict::Reject(_)),
        Statement::Choose { .. }
        | Statement::Nat(_)
        | Statement::Mark(_)
        | Statement::SetLabel(_)
        | Statement::NoTrack
        | Statement::Unknown(_) => false,
    })
}
