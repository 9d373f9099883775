//! The parameters of a request, read strictly.

use std::collections::BTreeMap;

use crate::domain::time::Span;
use crate::status::names::Named;
use crate::status::page::{MAX_LIMIT, Paging, parse_cursor};

/// Why a list cannot be given as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A parameter that the list does not have.
    #[error("unknown parameter `{name}`; allowed are {allowed}")]
    Parameter {
        /// As given.
        name: String,
        /// All that there are.
        allowed: String,
    },
    /// A parameter where none are taken.
    #[error("unknown parameter `{0}`; this address takes none")]
    None(String),
    /// A label that is not written as it has to be.
    #[error("`label={0}` is not a label and its value; write it as `label=team=payments`")]
    Label(String),
    /// A parameter more than once.
    #[error("`{0}` is given twice; give it once")]
    Twice(String),
    /// A value that is none of the names.
    #[error("`{name}={value}` is not known; allowed are {allowed}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// As given.
        value: String,
        /// All that there are.
        allowed: String,
    },
    /// Not a point in time.
    #[error(
        "`{name}={text}` is not a time; write it as 2026-01-15T12:00:00Z, or in milliseconds since 1970"
    )]
    Time {
        /// The parameter.
        name: &'static str,
        /// As given.
        text: String,
    },
    /// Not a length of time.
    #[error(
        "`window={0}` is not a length of time; write it as 1h, or `budget` for the objective's own"
    )]
    Window(String),
    /// Not a length of time.
    #[error("`step={0}` is not a length of time; write it as 5m, or in seconds")]
    Step(String),
    /// A range that ends before it begins.
    #[error("`from` is not before `to`; without them the objective's window is given")]
    Backwards,
    /// Steps that are shorter than what is counted at once.
    #[error(
        "`step={step}` is shorter than {slot}, the slots in which events are counted; ask for at least that"
    )]
    Fine {
        /// As given.
        step: Span,
        /// The least.
        slot: Span,
    },
    /// More rows than an answer may have.
    #[error("that is more than 11,000 rows; ask for a longer `step` or less time")]
    Rows,
    /// Not a usable number of items.
    #[error("`limit={0}` is not a whole number from 1 to {MAX_LIMIT}")]
    Limit(String),
    /// A cursor of another list, another order, or of nobody.
    #[error(
        "`cursor` is not the `next` of a page of this list in this order; leave it out to begin anew"
    )]
    Cursor,
}

/// The parameters of a request, each once.
pub(super) struct Parameters(pub(super) BTreeMap<String, String>);

/// Parameters of this form filter by a label: `label.team=payments`.
pub(super) const LABEL: &str = "label.";

impl Parameters {
    /// Reads `pairs`, of which only those in `allowed` may come; `label.NAME` stands for any label.
    pub(super) fn read(pairs: Vec<(String, String)>, allowed: &[&str]) -> Result<Self, QueryError> {
        let mut found = BTreeMap::new();
        for (name, value) in pairs {
            let of_label = name
                .strip_prefix(LABEL)
                .is_some_and(|label| !label.is_empty());
            let as_label = of_label && allowed.contains(&"label.NAME");
            if !as_label && !allowed.contains(&name.as_str()) {
                return Err(QueryError::Parameter {
                    name,
                    allowed: quoted(allowed.iter().copied()),
                });
            }
            if found.insert(name.clone(), value).is_some() {
                return Err(QueryError::Twice(name));
            }
        }
        Ok(Self(found))
    }

    pub(super) fn one_of<T: Named>(&mut self, name: &'static str) -> Result<Option<T>, QueryError> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        match T::from_name(&value) {
            Some(found) => Ok(Some(found)),
            None => Err(QueryError::Value {
                name,
                value,
                allowed: quoted(T::ALL.iter().map(|one| one.name())),
            }),
        }
    }

    pub(super) fn paging(&mut self, order: &str) -> Result<Paging, QueryError> {
        let mut paging = Paging::default();
        if let Some(text) = self.0.remove("limit") {
            let limit = text.parse().ok();
            let within = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
            paging.limit = within.ok_or(QueryError::Limit(text))?;
        }
        if let Some(text) = self.0.remove("cursor") {
            paging.after = Some(parse_cursor(order, &text).ok_or(QueryError::Cursor)?);
        }
        Ok(paging)
    }
}

/// Refuses every parameter.
pub fn none(pairs: Vec<(String, String)>) -> Result<(), QueryError> {
    match pairs.into_iter().next() {
        Some((name, _)) => Err(QueryError::None(name)),
        None => Ok(()),
    }
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::status::fixture::pairs;
    use crate::status::query::{IncidentQuery, ServiceQuery, SloQuery};

    #[test]
    fn what_is_unknown_is_refused_with_what_is_allowed() {
        let slos = |query| SloQuery::read(pairs(query)).map(|_| ());
        let incidents = |query| IncidentQuery::read(pairs(query)).map(|_| ());
        let services = |query| ServiceQuery::read(pairs(query)).map(|_| ());
        let sentences = [
            slos("team=payments"),
            slos("label.=x"),
            slos("alert=loud"),
            slos("signal="),
            slos("outcome=ok"),
            slos("compliance=good"),
            slos("sort=best"),
            slos("limit=0"),
            slos("limit=1001"),
            slos("limit=ten"),
            slos("alert=page&alert=ticket"),
            slos("cursor=x"),
            incidents("state=new"),
            incidents("label.team=payments"),
            services("service=cart"),
        ]
        .map(|result| result.unwrap_err().to_string())
        .join("\n");
        insta::assert_snapshot!(sentences, @r"
        unknown parameter `team`; allowed are `service`, `signal`, `alert`, `compliance`, `outcome`, `search`, `label.NAME`, `sort`, `limit`, `cursor`
        unknown parameter `label.`; allowed are `service`, `signal`, `alert`, `compliance`, `outcome`, `search`, `label.NAME`, `sort`, `limit`, `cursor`
        `alert=loud` is not known; allowed are `none`, `ticket`, `page`
        `signal=` is not known; allowed are `latency`, `traffic`, `errors`, `saturation`
        `outcome=ok` is not known; allowed are `measured`, `noTraffic`, `partial`, `noData`, `failed`
        `compliance=good` is not known; allowed are `met`, `unknown`, `breached`
        `sort=best` is not known; allowed are `worst`, `name`, `budget`
        `limit=0` is not a whole number from 1 to 1000
        `limit=1001` is not a whole number from 1 to 1000
        `limit=ten` is not a whole number from 1 to 1000
        `alert` is given twice; give it once
        `cursor` is not the `next` of a page of this list in this order; leave it out to begin anew
        `state=new` is not known; allowed are `open`, `closed`, `all`
        unknown parameter `label.team`; allowed are `state`, `service`, `limit`, `cursor`
        unknown parameter `service`; allowed are `limit`, `cursor`
        ");
    }
}
