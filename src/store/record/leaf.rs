//! The smallest parts of records: numbers, times, names, and collections of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::calendar::Period;
use crate::domain::evidence::Evidence;
use crate::domain::group::Group;
use crate::domain::incident::{CloseReason, IncidentId};
use crate::domain::indicator::Signal;
use crate::domain::labels::Labels;
use crate::domain::measurement::Outcome;
use crate::domain::objective::Objective;
use crate::domain::policy::Severity;
use crate::domain::quantity::Breach;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};

use super::{Record, Unreadable, object};

object!(Counts as CountsJson {
    bad: f64,
    total: f64,
});

/// A float: a number, or the name of what JSON has no number for.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::store) enum Float {
    Number(f64),
    Name(String),
}

impl Record for f64 {
    type Json = Float;

    fn to_json(&self) -> Float {
        if self.is_finite() {
            Float::Number(*self)
        } else {
            Float::Name(self.to_string())
        }
    }

    fn from_json(json: Float) -> Result<Self, Unreadable> {
        match json {
            Float::Number(number) => Ok(number),
            Float::Name(name) => match name.as_str() {
                "inf" => Ok(Self::INFINITY),
                "-inf" => Ok(Self::NEG_INFINITY),
                "NaN" => Ok(Self::NAN),
                _ => Err(Unreadable::Value(name)),
            },
        }
    }
}

/// Kinds that are their own JSON.
macro_rules! plain {
    ($($kind:ty)*) => {$(
        impl Record for $kind {
            type Json = Self;

            fn to_json(&self) -> Self {
                self.clone()
            }

            fn from_json(json: Self) -> Result<Self, Unreadable> {
                Ok(json)
            }
        }
    )*};
}
plain!(bool u16 u32 u64 String BTreeMap<String, String> BTreeSet<String>);

/// Kinds that are kept as one simpler value.
macro_rules! simple {
    ($($kind:ty as $json:ty: $to:expr, $from:expr;)*) => {$(
        impl Record for $kind {
            type Json = $json;

            fn to_json(&self) -> $json {
                let to: fn(&Self) -> $json = $to;
                to(self)
            }

            fn from_json(json: $json) -> Result<Self, Unreadable> {
                let from: fn($json) -> Option<Self> = $from;
                from(json.clone()).ok_or_else(|| Unreadable::Value(json.to_string()))
            }
        }
    )*};
}
simple! {
    Timestamp as i64: |it| it.as_millis(), |json| Some(Self::from_millis(json));
    Span as i64: |it| it.as_millis(), |json| Some(Self::from_millis(json));
    IncidentId as String: |it| it.to_string(), |json| Some(Self::from_text(json));
    SloId as String: |it| it.to_string(), |json| Some(Self::new(json));
    SourceName as String: |it| it.to_string(), |json| Some(Self::new(json));
    Objective as String: |it| it.to_string(), |json| json.parse().ok();
    Severity as String: |it| it.name().to_owned(), |json| {
        [Self::Ticket, Self::Page].into_iter().find(|it| it.name() == json)
    };
    CloseReason as String: |it| it.name().to_owned(), |json| {
        [Self::Recovered, Self::NoTraffic, Self::Removed].into_iter().find(|it| it.name() == json)
    };
    Outcome as String: |it| outcome(*it).to_owned(), |json| {
        use Outcome::{Failed, Measured, NoData, NoTraffic, Partial};
        [Measured, NoTraffic, NoData, Partial, Failed].into_iter().find(|it| outcome(*it) == json)
    };
    Evidence as String: |it| it.name().to_owned(), |json| {
        Self::ALL.into_iter().find(|it| it.name() == json)
    };
    Period as String: |it| it.name().to_owned(), |json| {
        Self::ALL.into_iter().find(|it| it.name() == json)
    };
    Breach as String: |it| it.name().to_owned(), |json| {
        Self::ALL.into_iter().find(|it| it.name() == json)
    };
    Signal as String: |it| it.name().to_owned(), |json| {
        [Self::Latency, Self::Traffic, Self::Errors, Self::Saturation]
            .into_iter()
            .find(|it| it.name() == json)
    };
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Measured => "measured",
        Outcome::NoTraffic => "noTraffic",
        Outcome::NoData => "noData",
        Outcome::Partial => "partial",
        Outcome::Failed => "failed",
    }
}

impl Record for Group {
    type Json = BTreeMap<String, String>;

    fn to_json(&self) -> Self::Json {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.iter().map(pair).collect()
    }

    fn from_json(json: Self::Json) -> Result<Self, Unreadable> {
        Ok(json.into_iter().collect())
    }
}

impl Record for Labels {
    type Json = Vec<(String, String)>;

    fn to_json(&self) -> Self::Json {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.iter().map(pair).collect()
    }

    fn from_json(json: Self::Json) -> Result<Self, Unreadable> {
        Ok(json.into_iter().collect())
    }
}

impl<T: Record> Record for Option<T> {
    type Json = Option<T::Json>;

    fn to_json(&self) -> Self::Json {
        self.as_ref().map(T::to_json)
    }

    fn from_json(json: Self::Json) -> Result<Self, Unreadable> {
        json.map(T::from_json).transpose()
    }
}

impl<T: Record> Record for Vec<T> {
    type Json = Vec<T::Json>;

    fn to_json(&self) -> Self::Json {
        self.iter().map(T::to_json).collect()
    }

    fn from_json(json: Self::Json) -> Result<Self, Unreadable> {
        json.into_iter().map(T::from_json).collect()
    }
}

impl<A: Record, B: Record> Record for (A, B) {
    type Json = (A::Json, B::Json);

    fn to_json(&self) -> Self::Json {
        (self.0.to_json(), self.1.to_json())
    }

    fn from_json((a, b): Self::Json) -> Result<Self, Unreadable> {
        Ok((A::from_json(a)?, B::from_json(b)?))
    }
}

impl<A: Record, B: Record, C: Record> Record for (A, B, C) {
    type Json = (A::Json, B::Json, C::Json);

    fn to_json(&self) -> Self::Json {
        (self.0.to_json(), self.1.to_json(), self.2.to_json())
    }

    fn from_json((a, b, c): Self::Json) -> Result<Self, Unreadable> {
        Ok((A::from_json(a)?, B::from_json(b)?, C::from_json(c)?))
    }
}
