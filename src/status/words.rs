//! Numbers and lengths as people read them, in messages and on pages: few digits, thousands apart, units in words.

use crate::domain::notice::PassedOverFacts;
use crate::domain::punctuality::PassedOver;
use crate::domain::time::Span;

/// A count with its thousands apart; a fraction keeps one digit.
pub fn count(value: f64) -> String {
    // The sum of nothing is −0.
    let value = value + 0.0;
    if value.fract() == 0.0 {
        grouped(&format!("{value:.0}"))
    } else {
        figure(value)
    }
}

/// A measured number: whole from 100 on, one decimal from 1 on, two significant digits below.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "∞".to_owned()
    } else if size >= 99.95 {
        grouped(&format!("{value:.0}"))
    } else if size >= 0.995 {
        format!("{value:.1}")
    } else if size < 1e-6 {
        "0".to_owned()
    } else {
        let decimals = (2..9_u8)
            .find(|decimals| size * 10_f64.powi(i32::from(*decimals)) >= 9.95)
            .unwrap_or(9);
        trimmed(&format!("{value:.*}", usize::from(decimals)))
    }
}

/// A measured share (0..1) in percent.
pub fn percent(share: f64) -> String {
    format!("{} %", figure(share * 100.0))
}

/// A measured burn rate.
pub fn burn(rate: f64) -> String {
    format!("{}×", figure(rate))
}

/// A threshold, which somebody wrote: no digits that they did not write.
pub fn limit(rate: f64) -> String {
    format!("{}×", trimmed(&format!("{rate:.3}")))
}

/// A measured burn rate beside the threshold that it exceeds: with as many digits as it takes to see that.
pub fn burn_beside(rate: f64, limit: f64) -> String {
    format!("{}×", beside(rate, limit))
}

/// A measured share (0..1) in percent beside one that somebody wrote: with as many digits as it takes to tell them apart.
pub fn percent_beside(share: f64, limit: f64) -> String {
    // Without the noise of binary floats.
    let limit = (limit * 1e11).round() / 1e9;
    format!("{} %", beside(share * 100.0, limit))
}

fn beside(rate: f64, limit: f64) -> String {
    let mut text = figure(rate);
    let differs = rate.is_finite() && rate.total_cmp(&limit).is_ne();
    for decimals in 2..6 {
        let shown: Option<f64> = text.parse().ok();
        if !differs || shown.is_none_or(|shown| shown.total_cmp(&limit).is_ne()) {
            break;
        }
        text = format!("{rate:.decimals$}");
    }
    text
}

/// A length of time in its two largest units.
pub fn words(span: Span) -> String {
    const UNITS: [(&str, i64); 4] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("min", 60_000),
        ("s", 1_000),
    ];
    let mut rest = span.as_millis().max(0);
    let largest = UNITS.iter().position(|(_, millis)| rest >= *millis);
    let Some(largest) = largest else {
        return "0 s".to_owned();
    };
    let mut parts = Vec::new();
    for (unit, millis) in UNITS.iter().skip(largest).take(2) {
        if rest >= *millis {
            parts.push(format!("{} {unit}", rest / millis));
        }
        rest %= millis;
    }
    parts.join(" ")
}

/// `12 of 61 ticks`
pub fn passed_over(facts: &PassedOverFacts) -> String {
    format!("{} of {}", whole(facts.ticks.all()), ticks(facts.due))
}

/// Why ticks were passed over, a part for each reason.
pub fn why_passed_over(facts: &PassedOverFacts) -> Vec<String> {
    let PassedOver { slow, asleep } = facts.ticks;
    let took = facts.took.map(|took| {
        let tick = words(facts.tick);
        format!(
            ": the last took {}, and there is one every {tick}",
            words(took)
        )
    });
    let slow = (slow > 0).then(|| {
        let took = took.unwrap_or_default();
        format!("{} while an earlier one took too long{took}", ticks(slow))
    });
    let asleep = (asleep > 0).then(|| {
        format!(
            "{} while its process did not run, or since a clock was set",
            ticks(asleep)
        )
    });
    slow.into_iter().chain(asleep).collect()
}

fn ticks(number: u64) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} tick{plural}", whole(number))
}

/// A whole number with its thousands apart.
#[expect(clippy::cast_precision_loss, reason = "a count for people")]
pub fn whole(number: u64) -> String {
    count(number as f64)
}

/// A window's length as policies write it: `5m`, `24h`.
pub fn window(length: Span) -> String {
    let hour = Span::from_hours(1).as_millis();
    let hours = length.as_millis() / hour;
    if length.as_millis() % hour == 0 && (1..=72).contains(&hours) {
        format!("{hours}h")
    } else {
        length.to_string()
    }
}

/// A threshold as it was written, with a space before its percent sign.
pub fn spaced(threshold: &str) -> String {
    match threshold.strip_suffix('%') {
        Some(number) => format!("{} %", number.trim_end()),
        None => threshold.to_owned(),
    }
}

/// The course of a number as bars from zero to its highest; `-` where it is unknown.
pub fn sparkline(trend: &[Option<f64>]) -> String {
    const BARS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];
    const WIDEST: usize = 24;
    let highest = trend.iter().flatten().copied().fold(0.0, f64::max);
    let bar = |value: f64| {
        let level = BARS
            .iter()
            .zip(1_u8..)
            .find(|(_, level)| value * 7.0 <= highest * f64::from(*level) || *level == 7);
        level.map_or('▇', |(bar, _)| *bar)
    };
    // A long course is told by the worst of each part.
    let part = trend.len().div_ceil(WIDEST).max(1);
    trend
        .chunks(part)
        .map(|part| {
            part.iter()
                .flatten()
                .copied()
                .reduce(f64::max)
                .map_or('-', bar)
        })
        .collect()
}

/// Where a number goes: its newer half beside its older half.
pub fn direction(trend: &[Option<f64>]) -> Option<&'static str> {
    let known: Vec<f64> = trend.iter().flatten().copied().collect();
    let (older, newer) = known.split_at(known.len() / 2);
    let (older, newer) = (mean(older)?, mean(newer)?);
    Some(if newer > older * 1.25 {
        "rising"
    } else if newer < older * 0.8 {
        "falling"
    } else {
        "steady"
    })
}

#[expect(clippy::cast_precision_loss, reason = "a handful of points")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn trimmed(number: &str) -> String {
    if number.contains('.') {
        number
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    } else {
        number.to_owned()
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_numbers_have_three_significant_digits_at_most() {
        for (value, text) in [
            (0.0, "0"),
            (0.031_4, "0.031"),
            (0.3, "0.3"),
            (0.997, "1.0"),
            (6.300_02, "6.3"),
            (20.004, "20.0"),
            (99.94, "99.9"),
            (99.96, "100"),
            (200.04, "200"),
            (12_345.6, "12,346"),
            (-3.21, "-3.2"),
            (f64::INFINITY, "∞"),
        ] {
            assert_eq!(figure(value), text);
        }
        assert_eq!(count(57_223.0), "57,223");
        assert_eq!(count(1_234_567.0), "1,234,567");
        assert_eq!(count(14.4), "14.4");
        assert_eq!(count([0.0; 0].iter().sum()), "0");
    }

    #[test]
    fn what_exceeds_a_threshold_is_seen_to_exceed_it() {
        for (rate, threshold, text) in [
            (16.67, 14.4, "16.7×"),
            (14.42, 14.4, "14.42×"),
            (6.000_4, 6.0, "6.0004×"),
            (14.4, 14.4, "14.4×"),
            (f64::INFINITY, 14.4, "∞×"),
        ] {
            assert_eq!(burn_beside(rate, threshold), text);
        }
        for (share, allowed, text) in [
            (0.005_04, 0.005, "0.504 %"),
            (0.005, 0.005, "0.5 %"),
            (0.001, 0.001, "0.1 %"),
            (0.079, 0.01, "7.9 %"),
        ] {
            assert_eq!(percent_beside(share, allowed), text);
        }
        assert_eq!(limit(6.0), "6×");
        assert_eq!(limit(3.36), "3.36×");
    }

    #[test]
    fn lengths_of_time_are_told_in_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (45, "45 s"),
            (600, "10 min"),
            (8_880, "2 h 28 min"),
            (3_600, "1 h"),
            (3_601, "1 h"),
            (30 * 86_400, "30 d"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(words(Span::from_secs(seconds)), text);
        }
        assert_eq!(window(Span::from_hours(24)), "24h");
        assert_eq!(window(Span::from_days(30)), "30d");
        assert_eq!(window(Span::from_mins(90)), "1h30m");
    }

    #[test]
    fn a_course_is_drawn_from_zero_to_its_highest() {
        let course = |values: &[f64]| values.iter().map(|v| Some(*v)).collect::<Vec<_>>();
        assert_eq!(sparkline(&course(&[0.0, 0.2, 0.7, 1.0])), "▁▂▅▇");
        assert_eq!(sparkline(&course(&[0.0, 0.0])), "▁▁");
        assert_eq!(sparkline(&[Some(1.0), None, Some(0.5)]), "▇-▄");
        assert_eq!(sparkline(&vec![Some(1.0); 100]).chars().count(), 20);
        assert_eq!(direction(&course(&[0.0, 0.2, 0.7, 1.0])), Some("rising"));
        assert_eq!(direction(&course(&[1.0, 0.2])), Some("falling"));
        assert_eq!(direction(&course(&[1.0, 1.1])), Some("steady"));
        assert_eq!(direction(&[Some(1.0), None]), None);
    }
}
