//! The course of one objective: from when to when, in which steps, and in which form.

use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::status::history::step_of;
use crate::status::snapshot::SloStatus;
use crate::status::view::history::HistoryRow;

use super::parameters::{Parameters, QueryError};

/// How many rows an answer has at most: as many points as Prometheus gives of a series.
const MOST: i64 = 11_000;

/// How many rows an answer has about when nobody asks for a step.
const USUAL: i64 = 240;

/// Which part of the course of an objective.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    step: Option<Span>,
    id: Option<String>,
    format: Option<Format>,
}

/// In which form rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A list, as all of the API.
    Json,
    /// Comma-separated, with a line of names.
    Csv,
}

impl HistoryQuery {
    /// Reads the parameters of a request.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self, QueryError> {
        let mut given = Parameters::read(pairs, &["from", "to", "step", "id", "format"])?;
        let mut take = |name| given.0.remove(name);
        Ok(Self {
            from: take("from").map(|text| time("from", text)).transpose()?,
            to: take("to").map(|text| time("to", text)).transpose()?,
            step: take("step").map(step).transpose()?,
            id: take("id"),
            format: take("format").map(format).transpose()?,
        })
    }

    /// Where the rows are to begin, if that was said.
    pub const fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// The form that was asked for, if any.
    pub const fn format(&self) -> Option<Format> {
        self.format
    }

    /// Which instance is meant, if that was said.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether `status` is meant: all instances, or the one that was named.
    pub fn wants(&self, status: &SloStatus) -> bool {
        self.id.as_ref().is_none_or(|id| *id == status.id)
    }

    /// The rows for `status`, oldest first; its whole window without `from` and `to`.
    pub fn rows(&self, status: &SloStatus) -> Result<Vec<HistoryRow>, QueryError> {
        let (window, slot) = (status.window.range, status.ledger.slot());
        let range = TimeRange {
            from: self.from.unwrap_or(window.from),
            to: self.to.unwrap_or(window.to),
        };
        if range.from >= range.to {
            return Err(QueryError::Backwards);
        }
        let step = self
            .step
            .unwrap_or_else(|| step_of(range.length(), USUAL, status.ledger.width(range.from)));
        if step < slot {
            return Err(QueryError::Fine { step, slot });
        }
        if range.length().as_millis() / step.as_millis() > MOST {
            return Err(QueryError::Rows);
        }
        Ok(HistoryRow::all(status, range, step))
    }
}

/// RFC 3339, or milliseconds since 1970.
pub(super) fn time(name: &'static str, text: String) -> Result<Timestamp, QueryError> {
    let millis = text.parse().map(Timestamp::from_millis).ok();
    let written = text.parse::<jiff::Timestamp>().map(Timestamp::from).ok();
    // What jiff cannot hold no sample reaches, and adding to it would overflow.
    let range = |time: &Timestamp| Timestamp::from(time.to_jiff()) == *time;
    let time = millis.or(written).filter(range);
    time.ok_or(QueryError::Time { name, text })
}

/// As in Prometheus: `5m`, or seconds.
fn step(text: String) -> Result<Span, QueryError> {
    let seconds = text
        .parse()
        .ok()
        .filter(|it| (1..=1_000_000_000).contains(it));
    let step = seconds.map(Span::from_secs).or_else(|| text.parse().ok());
    step.ok_or(QueryError::Step(text))
}

fn format(text: String) -> Result<Format, QueryError> {
    match text.as_str() {
        "json" => Ok(Format::Json),
        "csv" => Ok(Format::Csv),
        _ => Err(QueryError::Value {
            name: "format",
            value: text,
            allowed: "`json`, `csv`".to_owned(),
        }),
    }
}
