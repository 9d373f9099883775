//! When slices of time are bad, in words.

use crate::domain::quantity::Breach;
use crate::domain::slices::{BadWhen, Judge, MissingData, Sliced, WithinSlice};
use crate::domain::time::Span;
use crate::status::words;

use super::figures;
use super::promise::meaning_of_events;

/// When a slice is bad, and what becomes of one of which nothing is there.
pub(super) fn meaning(sliced: &Sliced) -> String {
    let Sliced {
        judge,
        slice,
        missing,
    } = sliced;
    let threshold = judge.threshold().map(|it| words::spaced(&it.to_string()));
    let threshold = threshold.unwrap_or_default();
    let side = match judge.breach() {
        Some(Breach::Below) => "below",
        _ => "above",
    };
    let is_bad = match judge {
        Judge::Rate { .. } => format!("when the rate was {side} {threshold}"),
        Judge::Drop { compared_to, .. } => {
            let ago: Vec<String> = compared_to.iter().map(Span::to_string).collect();
            format!(
                "when the rate was more than {threshold} below the median of what it was {} before",
                ago.join(", ")
            )
        }
        Judge::Events { events, good, .. } => format!(
            "when fewer than {} of its events were good. {}",
            figures::written_percent(good.to_f64()),
            meaning_of_events(events).trim_end_matches('.')
        ),
        Judge::Share { by, bad_when, .. } => format!(
            "when {} {} more than {threshold} of its limit",
            groups(*bad_when, Some(by)),
            verb(*bad_when, "uses", "use")
        ),
        Judge::Level {
            level,
            within,
            bad_when,
            ..
        } => {
            let value = match within {
                WithinSlice::Last => "at its end",
                WithinSlice::Max => "at the highest",
                WithinSlice::Min => "at the lowest",
                WithinSlice::Avg => "on average",
            };
            let groups = groups(*bad_when, level.by.as_deref());
            format!(
                "when {groups} {} {side} {threshold} {value}",
                verb(*bad_when, "was", "were")
            )
        }
        Judge::Quantile { bad_when, .. } => format!(
            "when {} took longer than {threshold} at its end",
            groups(*bad_when, None)
        ),
        Judge::Age {
            timestamp,
            bad_when,
            ..
        } => format!(
            "when {} {} older than {threshold} at its end",
            groups(*bad_when, timestamp.by.as_deref()),
            verb(*bad_when, "was", "were")
        ),
        Judge::Value {
            query,
            window,
            bad_when,
            ..
        } => format!(
            "when {} of the query{} was {side} {threshold} at its end",
            match bad_when {
                BadWhen::Count(1) => "any value".to_owned(),
                BadWhen::Count(_) | BadWhen::Share(_) => groups(*bad_when, None),
            },
            over(query, *window)
        ),
        Judge::Ratio { query, window } => {
            return format!(
                "A slice of {slice} is as bad as the query's error ratio{} says at its end: a mean over time, in which each slice weighs the same however much happened in it.{}",
                over(query, *window),
                missing_meaning(*missing)
            );
        }
    };
    format!(
        "A slice of {slice} is bad {is_bad}.{}",
        missing_meaning(*missing)
    )
}

/// The time that a query looks at, where it says so by `$window`.
fn over(query: &str, window: Span) -> String {
    if query.contains("$window") {
        format!(" over {window}")
    } else {
        String::new()
    }
}

const fn missing_meaning(missing: MissingData) -> &'static str {
    match missing {
        MissingData::Hold => "",
        MissingData::Good => " A slice without data is good.",
        MissingData::Bad => " A slice without data is bad.",
    }
}

/// Which groups make a slice bad.
fn groups(bad_when: BadWhen, by: Option<&[String]>) -> String {
    let group = match by {
        None => "series".to_owned(),
        Some([]) => return "it".to_owned(),
        Some(by) => by.join(", "),
    };
    match bad_when {
        BadWhen::Count(1) => format!("any {group}"),
        BadWhen::Count(least) => match by {
            None => format!("{least} or more series"),
            Some(_) => format!("{least} or more groups of {group}"),
        },
        BadWhen::Share(least) => format!(
            "{} or more of all {}",
            figures::written_percent(least.to_f64()),
            if by.is_none() { "series" } else { "groups" }
        ),
    }
}

const fn verb(bad_when: BadWhen, one: &'static str, many: &'static str) -> &'static str {
    match bad_when {
        BadWhen::Count(1) => one,
        BadWhen::Count(_) | BadWhen::Share(_) => many,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decimal::Fraction;
    use crate::domain::indicator::Aggregate;
    use crate::domain::quantity::{Bound, Quantity, TimeUnit, Unit};
    use crate::domain::selector::Selector;
    use crate::domain::slices::{Gauge, Grouped};

    #[test]
    fn every_judge_has_a_sentence() {
        let selector = || Selector::new("m", Vec::new());
        let gauge = || Gauge {
            series: selector(),
            aggregate: Aggregate::Max,
        };
        let grouped = |by: Option<&str>| Grouped {
            gauge: gauge(),
            by: by.map(|by| vec![by.to_owned()]),
        };
        let bound = |value, unit| Quantity {
            value: Fraction::new(value, 1),
            unit,
        };
        let judges = [
            Judge::Rate {
                total: selector(),
                bound: Bound::AtLeast(bound(5, Unit::PerSecond)),
            },
            Judge::Drop {
                total: selector(),
                at_most: Fraction::new(4, 10),
                compared_to: vec![Span::from_days(7), Span::from_days(14)],
            },
            Judge::Share {
                used: gauge(),
                limit: gauge(),
                by: vec!["pod".into(), "container".into()],
                at_most: Fraction::new(9, 10),
                bad_when: BadWhen::ANY,
            },
            Judge::Level {
                level: grouped(Some("node")),
                bound: Bound::AtLeast(bound(2 << 30, Unit::Bytes)),
                within: WithinSlice::Min,
                bad_when: BadWhen::Count(2),
            },
            Judge::Quantile {
                quantile: selector(),
                at_most: "0.3".parse().unwrap(),
                unit: TimeUnit::Seconds,
                bad_when: BadWhen::Share(Fraction::new(1, 10)),
            },
            Judge::Age {
                timestamp: grouped(None),
                unit: TimeUnit::Seconds,
                at_most: "3600".parse().unwrap(),
                bad_when: BadWhen::ANY,
            },
            Judge::Value {
                query: "max(lag)".into(),
                window: Span::from_mins(5),
                bound: Bound::AtMost(bound(10, Unit::Plain)),
                bad_when: BadWhen::ANY,
            },
            Judge::Ratio {
                query: "1 - avg_over_time(up[$window])".into(),
                window: Span::from_mins(5),
            },
        ];
        let sentence = |judge| {
            meaning(&Sliced {
                judge,
                slice: Span::from_mins(1),
                missing: MissingData::Hold,
            })
        };
        let sentences: Vec<String> = judges.into_iter().map(sentence).collect();
        insta::assert_snapshot!(sentences.join("\n"), @"
        A slice of 1m is bad when the rate was below 5/s.
        A slice of 1m is bad when the rate was more than 40 % below the median of what it was 1w, 2w before.
        A slice of 1m is bad when any pod, container uses more than 90 % of its limit.
        A slice of 1m is bad when 2 or more groups of node were below 2GiB at the lowest.
        A slice of 1m is bad when 10 % or more of all series took longer than 300ms at its end.
        A slice of 1m is bad when any series was older than 1h at its end.
        A slice of 1m is bad when any value of the query was above 10 at its end.
        A slice of 1m is as bad as the query's error ratio over 5m says at its end: a mean over time, in which each slice weighs the same however much happened in it.
        ");
        assert!(missing_meaning(MissingData::Bad).contains("bad"));
    }
}
