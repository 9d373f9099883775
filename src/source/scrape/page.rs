//! Pages of metrics: the text format of Prometheus and OpenMetrics, line by line, as tolerant as Prometheus is.

use super::name;

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `text/plain`: times in milliseconds, no end mark.
    Text,
    /// `application/openmetrics-text`: times in seconds, exemplars, and `# EOF` at the end.
    OpenMetrics,
}

impl Format {
    /// What a page is by its `Content-Type`; text when nothing says otherwise.
    pub(super) fn of(content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }
}

/// One sample of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line<'a> {
    /// Name and labels as they are written; [`name::labels`] reads them.
    pub(super) series: &'a str,
    /// Its value; may be NaN or infinite.
    pub(super) value: f64,
    /// Its own time in milliseconds, when the page gives one.
    pub(super) at: Option<i64>,
}

/// Why a page cannot be used: nothing of it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(super) struct PageError {
    /// Counts from 1.
    pub(super) line: usize,
    /// For people.
    pub(super) reason: String,
}

/// All samples of a page, in its order.
pub(super) fn lines(page: &str, format: Format) -> Result<Vec<Line<'_>>, PageError> {
    let mut found = Vec::new();
    let (mut ended, mut number) = (false, 0);
    for text in page.lines() {
        number += 1;
        let fault = |reason: String| PageError {
            line: number,
            reason,
        };
        let text = text.trim_matches(BLANKS);
        if text.is_empty() {
            continue;
        }
        if ended {
            return Err(fault("something follows after `# EOF`".to_owned()));
        }
        if text.starts_with('#') {
            ended = format == Format::OpenMetrics && text == "# EOF";
            continue;
        }
        found.push(line(text, format).map_err(fault)?);
    }
    if format == Format::OpenMetrics && !ended {
        return Err(PageError {
            line: number,
            reason: "the page ends without `# EOF`, so that a part of it may be missing".to_owned(),
        });
    }
    Ok(found)
}

const BLANKS: [char; 2] = [' ', '\t'];

fn line(text: &str, format: Format) -> Result<Line<'_>, String> {
    let (series, rest) = name::split(text)?;
    let mut words = rest.split(BLANKS).filter(|word| !word.is_empty());
    let value = words
        .next()
        .ok_or_else(|| format!("`{}` has no value", shown(series)))?;
    let value =
        number(value).ok_or_else(|| format!("`{}` is no number for a value", shown(value)))?;
    let at = match words.next() {
        None => None,
        Some("#") if format == Format::OpenMetrics => {
            return Ok(Line {
                series,
                value,
                at: None,
            });
        }
        Some(word) => Some(time(word, format)?),
    };
    match words.next() {
        None => {}
        // What follows is an exemplar, which counts nothing.
        Some("#") if format == Format::OpenMetrics => {}
        Some(word) => return Err(format!("`{}` follows after the sample", shown(word))),
    }
    Ok(Line { series, value, at })
}

/// A number as Go and OpenMetrics write it; none of ours has an underscore or is hexadecimal.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn time(text: &str, format: Format) -> Result<i64, String> {
    let fault = || format!("`{}` is no time for a sample", shown(text));
    match format {
        Format::Text => text.parse().map_err(|_| fault()),
        Format::OpenMetrics => {
            let millis = number(text).ok_or_else(fault)? * 1_000.0;
            if !millis.is_finite() || millis.abs() > 9e15 {
                return Err(fault());
            }
            #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
            Ok(millis.round() as i64)
        }
    }
}

/// The beginning of what somebody else wrote, fit for a log.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut short: String = text
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}
