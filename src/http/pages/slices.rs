//! When slices of time are bad, in words.

use crate::domain::slices::{BadWhen, Breach, Judge, MissingData, Sliced, WithinSlice};
use crate::domain::time::Span;
use crate::status::words;

use super::figures;

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
                WithinSlice::Last => "",
                WithinSlice::Max => "at the highest ",
                WithinSlice::Min => "at the lowest ",
                WithinSlice::Avg => "on average ",
            };
            let groups = groups(*bad_when, level.by.as_deref());
            format!(
                "when {groups} {} {value}{side} {threshold}",
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
        BadWhen::Count(least) => format!("{least} or more of {group}"),
        BadWhen::Share(least) => format!(
            "{} or more of {group}",
            figures::written_percent(least.to_f64())
        ),
    }
}

const fn verb(bad_when: BadWhen, one: &'static str, many: &'static str) -> &'static str {
    match bad_when {
        BadWhen::Count(1) => one,
        BadWhen::Count(_) | BadWhen::Share(_) => many,
    }
}
