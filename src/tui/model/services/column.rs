//! The columns, and the order of the rows by each of them.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::service::BoundTo;

/// A column; rows can be sorted by every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Column {
    /// The name.
    Service,
    /// Port, protocol, address.
    #[default]
    Port,
    /// What the socket itself allows, the widest first.
    Bound,
    /// The user it runs as.
    User,
    /// Its systemd unit.
    Unit,
    /// Who can connect now, the widest first.
    Now,
    /// Who will, the widest first.
    After,
    /// What needs a decision first, then by decision.
    Decision,
    /// What its rules have counted, the most first.
    Packets,
}

impl Column {
    /// The head of the column.
    pub const fn head(self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Port => "PORT",
            Self::Bound => "BOUND TO",
            Self::User => "USER",
            Self::Unit => "UNIT",
            Self::Now => "REACH NOW",
            Self::After => "AFTER",
            Self::Decision => "DECISION",
            Self::Packets => "PACKETS",
        }
    }

    /// The words in a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Service => "name",
            Self::Port => "port",
            Self::Bound => "what it is bound to",
            Self::User => "user",
            Self::Unit => "unit",
            Self::Now => "reach now",
            Self::After => "reach after",
            Self::Decision => "decision",
            Self::Packets => "packets",
        }
    }

    /// Puts the rows at these indices in order. Rows come sorted by port, and that stays the order of
    /// those that are alike.
    pub(super) fn sort(self, rows: &[Row], indices: &mut [usize], is_reversed: bool) {
        match self {
            // They are by port.
            Self::Port if is_reversed => indices.reverse(),
            Self::Port => {}
            Self::Service => by_text(rows, indices, is_reversed, |row| Some(&row.service.name)),
            Self::User => by_text(rows, indices, is_reversed, user),
            Self::Unit => by_text(rows, indices, is_reversed, unit),
            Self::Bound => by(rows, indices, is_reversed, |row| {
                let bound = &row.service.bound_to;
                let width = match bound {
                    _ if !row.service.is_there() => 4,
                    BoundTo::All => 0,
                    BoundTo::Interface(_) => 1,
                    BoundTo::Address(_) => 2,
                    BoundTo::Loopback => 3,
                };
                (width, bound)
            }),
            Self::Now => by(rows, indices, is_reversed, |row| Reverse(row.reach_now)),
            Self::After => by(rows, indices, is_reversed, |row| Reverse(row.reach_after)),
            Self::Decision => by(rows, indices, is_reversed, |row| {
                let is_old = row.is_new && row.since.is_none();
                (!row.is_new, is_old, row.decision == Decision::Undecided, row.decision)
            }),
            Self::Packets => by(rows, indices, is_reversed, |row| {
                Reverse(row.tally.as_ref().map(|tally| tally.all().packets))
            }),
        }
    }
}

fn by<'r, K: Ord>(rows: &'r [Row], indices: &mut [usize], is_reversed: bool, key: impl Fn(&'r Row) -> K) {
    indices.sort_by_cached_key(|index| rows.get(*index).map(&key));
    if is_reversed {
        indices.reverse();
    }
}

/// Without regard to case; rows without a text come last, whichever way round.
fn by_text<'r>(
    rows: &'r [Row],
    indices: &mut [usize],
    is_reversed: bool,
    text: impl Fn(&'r Row) -> Option<&'r String>,
) {
    let key = |index: &usize| {
        let text = rows.get(*index).and_then(&text).filter(|text| !text.is_empty());
        // Of thousands of names most are in lower case already.
        text.map(|text| match text.chars().any(char::is_uppercase) {
            true => Cow::Owned(text.to_lowercase()),
            false => Cow::Borrowed(text.as_str()),
        })
    };
    indices.sort_by_cached_key(|index| {
        let key = key(index);
        (key.is_none(), key)
    });
    if is_reversed {
        let named = indices.partition_point(|index| key(index).is_some());
        if let Some(named) = indices.get_mut(..named) {
            named.reverse();
        }
    }
}

/// The user of its first process.
pub(in crate::tui) fn user(row: &Row) -> Option<&String> {
    row.service.owners.first()?.user.as_ref()
}

/// The unit of its first process, or its own.
pub(in crate::tui) fn unit(row: &Row) -> Option<&String> {
    let owner = row.service.owners.first().and_then(|owner| owner.unit.as_ref());
    owner.or(row.service.unit.as_ref())
}
