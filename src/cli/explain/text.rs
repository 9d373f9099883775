//! An explanation for a person at a terminal: the answer first, then where it comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::domain::group::Group;
use crate::domain::labels::METRIC_NAME;
use crate::domain::time::Timestamp;
use crate::status::view::explain::{
    ComparedView, ExplanationView, JudgedView, NoteView, PartView, QueryView, ReadView,
    SampleValue, SeriesView, SlotView, StepView, TierStepsView,
};
use crate::status::view::names::{Alert, Named};
use crate::status::view::scalar::Time;
use crate::status::view::slo::BudgetUnit;
use crate::status::words;

/// So many of each list are shown.
const SERIES: usize = 8;
const NOTES: usize = 12;
const ROWS: usize = 12;
const READS: usize = 6;

/// The whole text.
pub(super) fn render(it: &ExplanationView) -> String {
    let mut text = headline(it);
    text += &section("Arithmetic", &lines_of(&it.steps));
    text += &section("Tiers", &tiers(it));
    for part in &it.parts {
        text += &part_text(it, part);
    }
    text += &section("Of note", &notes(it));
    if let Some(judged) = &it.judged {
        text += &judged_text(it, judged);
    }
    text += &section(&slots_title(it), &slots(it));
    text += &section("Asked of the source", &reads(it));
    printable(&text)
}

fn section(title: &str, lines: &[String]) -> String {
    let mut text = String::new();
    if !lines.is_empty() {
        // Writing to a string cannot fail.
        _ = writeln!(text, "\n{title}");
        for line in lines {
            _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn headline(it: &ExplanationView) -> String {
    let unit = match it.unit {
        BudgetUnit::Events => "events",
        BudgetUnit::Slices => "slices",
    };
    let mut text = format!(
        "{}: {}% over {} ({}, source {})\n",
        subject(it),
        it.objective_percent,
        it.promised_over,
        it.signal.name(),
        it.source
    );
    let window = it.asked.map_or_else(
        || format!("The window of {}", it.promised_over),
        |length| format!("The {} window", words::window(length.0)),
    );
    _ = writeln!(text, "{window} that ended at {}:\n", it.at.0);
    let answer = match it.ratio {
        Some(ratio) => format!(
            "{} of {} {unit} bad = {}",
            number(it.bad.0),
            number(it.total.0),
            percent(ratio)
        ),
        None => format!("no {unit} were counted"),
    };
    _ = writeln!(
        text,
        "  {answer}{}",
        if it.approximate { ", estimated" } else { "" }
    );
    _ = writeln!(
        text,
        "  from {} to {}, {} of it measured",
        it.from.0,
        it.to.0,
        percent(it.coverage)
    );
    if let Some(reason) = &it.reason {
        _ = writeln!(text, "  not measured at its end: {reason}");
    }
    text
}

/// What is explained, as people call it.
fn subject(it: &ExplanationView) -> String {
    let target = it.target.iter().map(|target| format!("/{target}"));
    let group: Group = it.group.iter().collect();
    let group = Some(group).filter(|group| !group.is_empty());
    let group = group.map(|group| format!("{{{group}}}"));
    let rest: String = target.chain(group).collect();
    format!("{}/{}{rest}", it.service, it.name)
}

/// `burn = ratio / allowance = 0.0167 / 0.001 = 16.7`, in columns.
fn lines_of(steps: &[StepView]) -> Vec<String> {
    let widest = |cell: fn(&StepView) -> usize| steps.iter().map(cell).max().unwrap_or(0);
    let names = widest(|step| step.name.chars().count());
    let formulas = widest(|step| step.formula.chars().count());
    let line = |step: &StepView| {
        let (filled, result) = (filled(step), result(step));
        let filled = if filled == step.formula || filled == result {
            String::new()
        } else {
            format!("= {filled} ")
        };
        format!(
            "{:names$} = {:formulas$} {filled}= {result}",
            step.name, step.formula,
        )
    };
    steps.iter().map(line).collect()
}

/// The formula with its numbers in place of their names.
fn filled(step: &StepView) -> String {
    let number = |word: &str| match step.numbers.get(word) {
        Some(value) => quantity(word, value.0),
        None => word.to_owned(),
    };
    step.formula
        .split(' ')
        .map(|word| match word.strip_prefix('−') {
            Some(word) if !word.is_empty() => format!("−{}", number(word)),
            _ => number(word),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn result(step: &StepView) -> String {
    match step.result {
        None => "∞".to_owned(),
        Some(result) if matches!(&*step.name, "burn" | "threshold") => {
            format!("{}×", number(result.0))
        }
        Some(result) => quantity(&step.name, result.0),
    }
}

/// A number as its kind is written.
fn quantity(name: &str, value: f64) -> String {
    match name {
        "window" | "period" | "long" => words::window(seconds(value)),
        "ratio" | "objective" | "limit" | "spent" | "remaining" | "budgetSpent" => percent(value),
        _ if name.starts_with("allowance") => percent(value),
        _ => number(value),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "lengths of windows, which were whole milliseconds"
)]
fn seconds(value: f64) -> crate::domain::time::Span {
    crate::domain::time::Span::from_millis((value * 1_000.0).round() as i64)
}

fn tiers(it: &ExplanationView) -> Vec<String> {
    let mut lines: Vec<String> = it.tiers.iter().flat_map(tier).collect();
    if !it.longer_tiers.is_empty() {
        let names = it.longer_tiers.iter();
        let names: Vec<String> = names
            .map(|(name, long)| format!("{name} ({})", words::window(long.0)))
            .collect();
        lines.push(format!(
            "not looked at, since their windows are longer: {}",
            names.join(", ")
        ));
    }
    lines
}

fn tier(tier: &TierStepsView) -> Vec<String> {
    let severity = match tier.severity {
        Alert::Page => "page",
        Alert::Ticket => "ticket",
        Alert::None => "silent",
    };
    let verdict = if tier.burns { "BURNS" } else { "quiet" };
    let mut lines = vec![format!(
        "{} ({severity}) {verdict}: {}",
        tier.name,
        condition(tier)
    )];
    lines.extend(lines_of(&tier.steps).iter().map(|line| format!("  {line}")));
    for window in [&tier.long, &tier.short] {
        lines.push(format!("  {}", compared(window, tier.limit)));
    }
    if let Some(guard) = tier.guard {
        lines.push(format!(
            "  low traffic: {} bad seen, {} needed to rule out chance: {}",
            number(guard.seen.0),
            number_of(guard.needed),
            if tier.guard_passed {
                "enough"
            } else {
                "too few"
            }
        ));
    }
    lines
}

/// When it fires.
fn condition(tier: &TierStepsView) -> String {
    let long = words::window(tier.long.length.0);
    let short = words::window(tier.short.length.0);
    if let Some(bad) = tier.bad {
        return format!("from {bad} bad in {long}, some of them in {short}");
    }
    let limit = words::limit(tier.threshold.unwrap_or(f64::INFINITY));
    format!("above {limit} in {long} and in {short}")
}

fn compared(window: &ComparedView, limit: Option<f64>) -> String {
    let length = words::window(window.length.0);
    let Some(limit) = limit else {
        let enough = if window.exceeds { "enough" } else { "too few" };
        return format!("{length:>4}: {} bad, {enough}", number(window.bad.0));
    };
    let Some(ratio) = window.ratio else {
        return format!("{length:>4}: nothing was counted, so nothing is exceeded");
    };
    let (sign, is) = if window.exceeds {
        (">", "above")
    } else {
        ("≤", "not above")
    };
    format!(
        "{length:>4}: {} / {} = {} {sign} {}, {is} ({})",
        number(window.bad.0),
        number(window.total.0),
        percent_beside(ratio, limit),
        percent(limit),
        window.burn.map_or_else(|| "∞×".to_owned(), words::burn)
    )
}

fn part_text(it: &ExplanationView, part: &PartView) -> String {
    let title = match (&part.symbol, part.events) {
        (Some(symbol), Some(events)) => {
            format!("{symbol} = {} events of {}", number(events.0), series(part))
        }
        _ => format!("{}: {}", capital(part.role.name()), series(part)),
    };
    let mut lines = vec![part.selector.clone()];
    if let Some(weight) = part.weight {
        lines.push(format!(
            "each event adds {}",
            adds(weight.total.0, weight.bad.0)
        ));
    }
    if let Some(query) = &part.query {
        lines.push(asked(query));
    }
    let common = common(&part.series);
    let shown = part.series.iter().take(SERIES);
    lines.extend(shown.map(|series| series_text(it, series, &common)));
    let rest = part.series.get(SERIES..).unwrap_or_default();
    if !rest.is_empty() {
        let events = rest.iter().filter_map(|series| series.events);
        let events = match part.symbol {
            Some(_) => format!(
                " with {} events",
                number(events.map(|events| events.0).sum())
            ),
            None => String::new(),
        };
        lines.push(format!("… and {} more series{events}", rest.len()));
    }
    section(&title, &lines)
}

fn series(part: &PartView) -> String {
    match part.series.len() {
        0 => "no series".to_owned(),
        1 => "1 series".to_owned(),
        more => format!("{more} series"),
    }
}

fn adds(total: f64, bad: f64) -> String {
    let one = |count: f64, what: &str| {
        let sign = if count < 0.0 { "−" } else { "" };
        (count != 0.0).then(|| format!("{sign}{} to {what}", number(count.abs())))
    };
    let parts: Vec<String> = [one(total, "total"), one(bad, "bad")]
        .into_iter()
        .flatten()
        .collect();
    parts.join(" and ")
}

/// The labels that all series share: they stand in the selector or tell nothing.
fn common(series: &[SeriesView]) -> BTreeSet<String> {
    let Some((first, rest)) = series.split_first() else {
        return BTreeSet::new();
    };
    let is_common = |(name, value): &(&String, &String)| {
        rest.iter()
            .all(|other| other.labels.get(*name) == Some(*value))
    };
    let labels = first.labels.iter();
    let shared = labels.filter(|pair| !rest.is_empty() && is_common(pair));
    shared
        .map(|(name, _)| name.clone())
        .chain([METRIC_NAME.to_owned()])
        .collect()
}

fn series_text(it: &ExplanationView, series: &SeriesView, common: &BTreeSet<String>) -> String {
    let events = series
        .events
        .map(|events| format!("{:>10}  ", number(events.0)))
        .unwrap_or_default();
    let ends = match (series.samples.first(), series.samples.last()) {
        (Some(first), Some(last)) => format!(
            "{} {} → {} {}",
            clock_of(it, first.0),
            value(&first.1),
            clock_of(it, last.0),
            value(&last.1)
        ),
        _ => String::new(),
    };
    format!(
        "{events}{}  {} samples, {ends}",
        labels(&series.labels, common),
        number_of(u64::try_from(series.samples.len()).unwrap_or(u64::MAX)),
    )
}

fn labels(all: &BTreeMap<String, String>, hidden: &BTreeSet<String>) -> String {
    let shown = all.iter().filter(|(name, _)| !hidden.contains(*name));
    let pairs: Vec<String> = shown
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

fn notes(it: &ExplanationView) -> Vec<String> {
    let name = BTreeSet::from([METRIC_NAME.to_owned()]);
    let shown = it.notes.iter().take(NOTES);
    let mut lines: Vec<String> = shown.flat_map(|note| note_text(it, note, &name)).collect();
    if it.notes.len() > NOTES {
        lines.push(format!("… and {} more", it.notes.len() - NOTES));
    }
    lines
}

fn note_text(it: &ExplanationView, note: &NoteView, hidden: &BTreeSet<String>) -> [String; 2] {
    let (from, to) = (clock(it, note.from), clock(it, note.to));
    let after = number(note.after.0);
    let events = number(note.events.0);
    let before = note.before.map_or_else(String::new, |it| number(it.0));
    let what = match note.kind.as_str() {
        "reset" => format!("{to}  reset from {before} to {after}: {events} counted"),
        "gap" => format!(
            "{from} – {to}  gap: {events} events over {} slots",
            note.slots
        ),
        "birthCounted" => format!("{to}  first value {after}: {events} counted from {before}"),
        _ => format!("{to}  first value {after}: not counted"),
    };
    [
        format!("{what}  {}", labels(&note.series, hidden)),
        format!("    {}", note.why),
    ]
}

/// The slices with a value on the wrong side, the newest first.
fn judged_text(it: &ExplanationView, judged: &JudgedView) -> String {
    let (rule, sign) = match (judged.at_most, judged.at_least) {
        (Some(most), _) => (format!("bad above {}", number(most)), ">"),
        (_, Some(least)) => (format!("bad below {}", number(least)), "<"),
        (None, None) => ("by the share that is bad".to_owned(), ">"),
    };
    let limit = judged.at_most.or(judged.at_least).unwrap_or_default();
    let bad: Vec<String> = judged
        .slices
        .iter()
        .rev()
        .flat_map(|slice| slice.values.iter().map(move |value| (slice.end, value)))
        .filter(|(_, value)| value.bad)
        .map(|(end, value)| {
            let group = if value.group.is_empty() {
                String::new()
            } else {
                format!("  {}", labels(&value.group, &BTreeSet::new()))
            };
            let value = value.value.map_or_else(|| "∞".to_owned(), number);
            format!(
                "to {}  {value} {sign} {}{group}",
                clock(it, end),
                number(limit)
            )
        })
        .collect();
    let slices = number_of(u64::try_from(judged.slices.len()).unwrap_or(u64::MAX));
    let title = format!(
        "{slices} slices of {}, {rule}; on the wrong side, the newest first",
        words::window(judged.slice.0)
    );
    let mut lines: Vec<String> = bad.iter().take(ROWS).cloned().collect();
    if bad.len() > ROWS {
        lines.push(format!("… and {} more", bad.len() - ROWS));
    }
    if bad.is_empty() {
        lines.push("none".to_owned());
    }
    section(&title, &lines)
}

fn slots_title(it: &ExplanationView) -> String {
    let plural = if it.slots.len() == 1 { "" } else { "s" };
    format!(
        "{} slot{plural}",
        number_of(u64::try_from(it.slots.len()).unwrap_or(u64::MAX))
    )
}

/// At most so many rows, each of some slots: when it was, and how much of it was bad.
fn slots(it: &ExplanationView) -> Vec<String> {
    let each = it.slots.len().div_ceil(ROWS).max(1);
    let rows: Vec<(Timestamp, f64, f64, bool)> = it.slots.chunks(each).filter_map(row).collect();
    let most = rows.iter().map(|row| row.1).fold(0.0, f64::max);
    let line = |(end, bad, total, reconstructed): &(Timestamp, f64, f64, bool)| {
        let bar = if most > 0.0 { bad / most * 20.0 } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 20"
        )]
        let bar = "█".repeat(bar.ceil() as usize);
        let spread = if *reconstructed {
            "  partly spread over a gap"
        } else {
            ""
        };
        format!(
            "to {}  {:>8} of {:>10} bad  {bar}{spread}",
            clock(it, Time(*end)),
            number(*bad),
            number(*total)
        )
        .trim_end()
        .to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(slots: &[SlotView]) -> Option<(Timestamp, f64, f64, bool)> {
    let sum = |of: fn(&SlotView) -> f64| slots.iter().map(of).sum::<f64>();
    Some((
        slots.last()?.end.0,
        sum(|slot| slot.bad.0),
        sum(|slot| slot.total.0),
        slots.iter().any(|slot| slot.reconstructed),
    ))
}

fn reads(it: &ExplanationView) -> Vec<String> {
    let mut newest: Vec<&ReadView> = it.reads.iter().collect();
    newest.sort_by_key(|read| std::cmp::Reverse(read.to));
    let shown = newest.iter().take(READS);
    let mut lines: Vec<String> = shown.map(|it| read(it)).collect();
    if it.reads.len() > READS {
        lines.push(format!("… and {} older ones", it.reads.len() - READS));
    }
    lines
}

fn read(read: &ReadView) -> String {
    let what = match &read.query {
        Some(query) => asked(query),
        None => format!("{} from {} to {}", read.family, read.from.0, read.to.0),
    };
    format!(
        "{what}: {} series, {} samples",
        number_of(read.series),
        number_of(read.samples)
    )
}

/// A query and when it is evaluated.
fn asked(query: &QueryView) -> String {
    match (query.start, query.step) {
        (Some(start), Some(step)) => format!(
            "{} from {} to {} every {}",
            query.text, start.0, query.at.0, step.0
        ),
        _ => format!("{} at {}", query.text, query.at.0),
    }
}

/// A time, without its date where that is the day of the window's end.
fn clock(it: &ExplanationView, time: Time) -> String {
    let (text, end) = (time.0.to_string(), it.at.0.to_string());
    let day = end.split('T').next().unwrap_or_default();
    match text.split_once('T') {
        Some((date, clock)) if date == day => clock.trim_end_matches('Z').to_owned(),
        _ => text,
    }
}

fn clock_of(it: &ExplanationView, at: f64) -> String {
    let time = Timestamp::from_millis(0) + seconds(at);
    clock(it, Time(time))
}

fn value(value: &SampleValue) -> String {
    match value {
        SampleValue::Number(count) => number(count.0),
        SampleValue::Name(name) => name.clone(),
    }
}

/// Whole numbers with their thousands apart; others with six significant digits at most.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return words::count(value);
    }
    let digits = if value.abs() >= 1.0 {
        let whole = format!("{:.0}", value.abs()).len();
        6_usize.saturating_sub(whole)
    } else {
        let zeros = (0..12_i32)
            .find(|power| value.abs() * 10_f64.powi(*power) >= 1.0)
            .unwrap_or(12);
        usize::try_from(zeros).unwrap_or(12) + 4
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of lists")]
fn number_of(count: u64) -> String {
    words::count(count as f64)
}

fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// With as many digits as it takes to see on which side of the limit it is.
fn percent_beside(share: f64, limit: f64) -> String {
    let (short, limit_text) = (percent(share), percent(limit));
    if short == limit_text && share.total_cmp(&limit).is_ne() {
        format!("{} %", share * 100.0)
    } else {
        short
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// What a source's labels and messages hold must not reach the terminal as commands.
fn printable(text: &str) -> String {
    let safe = |letter: char| {
        if letter.is_control() && letter != '\n' {
            '\u{fffd}'
        } else {
            letter
        }
    };
    text.chars().map(safe).collect()
}
