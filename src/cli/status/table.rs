//! Objectives as a table for a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::status::names::{Alert, Compliance, Measured};
use crate::status::view::list::ListView;
use crate::status::view::slo::{BurnView, SloView};

const HEADER: [&str; 8] = [
    "SLO",
    "OBJECTIVE",
    "WINDOW",
    "BUDGET LEFT",
    "BURN",
    "ALERT",
    "COVERAGE",
    "MEASURED",
];

/// When that was, how many there are of which kind, a line for each, and why what is not measured is not.
pub(super) fn render(list: &ListView<SloView>) -> String {
    let mut text = headline(list);
    text.push('\n');
    if list.items.is_empty() {
        return text;
    }
    text.push('\n');
    let rows: Vec<[String; 8]> = list.items.iter().map(row).collect();
    text + &aligned(HEADER, &rows) + &reasons(&list.items)
}

/// Rows under a header, each column as wide as its widest cell.
pub(in crate::cli) fn aligned<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let header = header.map(str::to_owned);
    let rows = || std::iter::once(&header).chain(rows);
    let width = |column: usize| {
        let cells = rows().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a string cannot fail.
            _ = write!(line, "{cell:width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn headline(list: &ListView<SloView>) -> String {
    let age = list
        .tick_age_seconds
        .map(|age| format!(" ({} ago)", ago(age.0)))
        .unwrap_or_default();
    match list.at {
        None => "STALE: the daemon has not finished a tick yet, so nothing is known.".to_owned(),
        Some(at) if list.stale => format!(
            "STALE: the newest tick is of {}{age}. The daemon no longer evaluates; what follows is old.\n{}",
            at.0,
            counts(&list.items)
        ),
        Some(at) => format!("As of {}{age}: {}", at.0, counts(&list.items)),
    }
}

/// `4 objectives, 70 instances, 1 paging, 1 not measured`
fn counts(slos: &[SloView]) -> String {
    let count = |is: fn(&SloView) -> bool| slos.iter().filter(|slo| is(slo)).count();
    let kinds = [
        (count(|slo| slo.alert == Alert::Page), "paging"),
        (count(|slo| slo.alert == Alert::Ticket), "with a ticket"),
        (
            count(|slo| slo.compliance == Compliance::Breached),
            "breached",
        ),
        (count(|slo| !slo.measured), "not measured"),
    ];
    let objectives: BTreeSet<&str> = slos.iter().map(|slo| slo.uid.as_str()).collect();
    let plural = if objectives.len() == 1 { "" } else { "s" };
    let kinds = kinds.iter().filter(|(number, _)| *number > 0);
    let kinds = kinds.map(|(number, what)| format!("{number} {what}"));
    let instances = if slos.len() == objectives.len() {
        String::new()
    } else {
        format!(", {} instances", slos.len())
    };
    let objectives = format!("{} objective{plural}{instances}", objectives.len());
    std::iter::once(objectives)
        .chain(kinds)
        .collect::<Vec<_>>()
        .join(", ")
}

fn row(slo: &SloView) -> [String; 8] {
    [
        printable(&slo.id),
        format!("{}%", slo.objective_percent),
        slo.window.length.clone(),
        left(slo),
        burn(slo),
        match slo.alert {
            Alert::None => "-".to_owned(),
            Alert::Ticket => "ticket".to_owned(),
            Alert::Page => "PAGE".to_owned(),
        },
        coverage(slo.window.coverage),
        measured(slo),
    ]
}

/// What is left of the budget.
pub(in crate::cli) fn left(slo: &SloView) -> String {
    let breached = if slo.compliance == Compliance::Breached {
        " BREACHED"
    } else {
        ""
    };
    match (slo.budget.remaining, slo.compliance) {
        (Some(share), _) => percent(share) + breached,
        // Where nothing may be bad, there is no share of it.
        (None, Compliance::Breached) => format!("overspent{breached}"),
        (None, Compliance::Met | Compliance::Unknown) => "unknown".to_owned(),
    }
}

/// The pace of the short and the long window of the tier that fires or, if none does, would fire first.
fn burn(slo: &SloView) -> String {
    let tier = slo
        .tiers
        .iter()
        .find(|tier| tier.firing)
        .or(slo.tiers.iter().min_by_key(|tier| tier.short));
    let lengths: Vec<_> = match tier {
        Some(tier) => vec![tier.short, tier.long],
        None => slo.burn.keys().copied().take(2).collect(),
    };
    let pace = |length| {
        let rate = slo
            .burn
            .get(length)
            .map_or_else(|| "unknown".to_owned(), rate);
        format!("{rate} {}", length.0)
    };
    if lengths.is_empty() {
        return "-".to_owned();
    }
    lengths.iter().map(pace).collect::<Vec<_>>().join(", ")
}

/// How fast a window spends the budget, which is without bound where nothing may be bad.
fn rate(window: &BurnView) -> String {
    match window.rate {
        Some(rate) => times(rate),
        None if window.bad.0 > 0.0 => "∞×".to_owned(),
        None => "unknown".to_owned(),
    }
}

/// Whether it is measured.
pub(in crate::cli) fn measured(slo: &SloView) -> String {
    let measurement = &slo.measurement;
    let outcome = match measurement.outcome {
        Measured::Measured if measurement.approximate => "yes, approximately",
        Measured::Measured => "yes",
        Measured::NoTraffic => "yes, no traffic",
        Measured::Partial => "NO, partial data",
        Measured::NoData => "NO, no data",
        Measured::Failed => "NO, failed",
    };
    let last_good = measurement.last_good_at.filter(|_| !slo.measured);
    match last_good {
        Some(at) => format!("{outcome} (last at {})", at.0),
        None => outcome.to_owned(),
    }
}

/// Why, each reason once: when a source is down, all that stand on it say the same.
pub(in crate::cli) fn reasons<'a>(slos: impl IntoIterator<Item = &'a SloView>) -> String {
    const NAMED: usize = 3;
    let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for slo in slos {
        if let Some(reason) = &slo.measurement.reason {
            ids.entry(reason).or_default().push(printable(&slo.id));
        }
    }
    let line = |(reason, mut ids): (&str, Vec<String>)| {
        let more = ids.len().saturating_sub(NAMED);
        ids.truncate(NAMED);
        if more > 0 {
            ids.push(format!("+{more}"));
        }
        format!("\n{}\n  {}\n", printable(reason), ids.join(", "))
    };
    ids.into_iter().map(line).collect::<Vec<_>>().concat()
}

/// Two digits where it matters: near nothing, where a tenth of a percent is much.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = if percent.abs() < 1.0 && percent != 0.0 {
        2
    } else {
        1
    };
    format!("{percent:.digits$}%")
}

/// Rounded down, so that what is shown as 100 % is complete, and never nothing when something was measured.
pub(in crate::cli) fn coverage(share: f64) -> String {
    let tenths = (share * 1000.0).floor();
    if share > 0.0 && tenths < 1.0 {
        return "<0.1%".to_owned();
    }
    format!("{}%", tenths / 10.0)
}

fn times(rate: f64) -> String {
    let digits = usize::from(rate < 100.0);
    format!("{rate:.digits$}×")
}

fn ago(seconds: f64) -> String {
    let whole = std::time::Duration::try_from_secs_f64(seconds.max(0.0).round());
    whole.map_or_else(
        |_| format!("{seconds} s"),
        |age| humantime::format_duration(age).to_string(),
    )
}

/// Names and reasons may come from elsewhere: nothing in them may move the cursor or begin a line.
pub(in crate::cli) fn printable(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_is_rounded_down_but_not_to_nothing() {
        let shown = [0.0, 0.000_03, 0.001, 0.999_99, 1.0].map(coverage);
        assert_eq!(shown, ["0%", "<0.1%", "0.1%", "99.9%", "100%"]);
    }
}
