//! Selectors as a real Prometheus understands them: regular expressions and UTF-8 names mean the same to both.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sloburn::domain::labels::{Labels, METRIC_NAME};
use sloburn::domain::selector::{MatchOp, Matcher, Selector};
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::promql::{CompiledMatchers, parse_selector};
use sloburn::series::batch::Fetch;
use sloburn::source::Source as _;
use sloburn::source::error::Failure;
use sloburn::source::prometheus::PrometheusSource;

use crate::support::past::Past;
use crate::support::remote_write::Written;

const AT: Timestamp = Timestamp::from_millis(1_772_323_200_000);

/// What a label may hold; nothing is a label that is missing.
const VALUES: &[&str] = &[
    "",
    "a",
    "b",
    "A",
    "aa",
    "aaa",
    "ab",
    "abc",
    "ba",
    "a.b",
    "a.b*",
    "axb",
    "a1",
    "1",
    "42",
    "500",
    "5\n0",
    "\n",
    "\r",
    "\t",
    " ",
    "\u{b}",
    "\u{c}",
    "a b",
    "a\nb",
    "é",
    "aé",
    "éé",
    "ß",
    "α",
    "Σ",
    "ς",
    "٤",
    "٤٢",
    "😀",
    "\u{a0}",
    "k",
    "K",
    "\u{212a}",
    "s",
    "\u{17f}",
    "_",
    "a_1",
    "-",
    "+",
    ",",
    ".",
    "&",
    "&&",
    "~",
    "[",
    "]",
    "^",
    "$",
    "{",
    "}",
    "a{2}",
    "a{,2}",
    "a{b}",
    "|",
    "a|b",
    "\\",
    "\"",
    "'",
    "/",
    "/api/v1/x",
    "x",
    "xy",
    "y",
    "z",
    "x1y",
    "\0",
    "\u{7f}",
    "\u{2028}",
];

const ATOMS: &[&str] = &[
    "a",
    ".",
    r"\d",
    r"\D",
    r"\w",
    r"\W",
    r"\s",
    r"\S",
    "[a-c]",
    "[^a]",
    "[[:alpha:]]",
    "[[:^digit:]]",
    "[[:word:]_]",
    r"\pL",
    r"\p{Greek}",
    r"\P{L}",
    r"\p{^L}",
    r"\b",
    r"\B",
    "é",
    "k",
    "s",
    "σ",
    r"\x41",
    r"\x{e9}",
    r"\101",
    r"\0",
    r"\n",
    r"\Qa.b\E",
    "(?i:A)",
    "(?s:.)",
    "(?-s:.)",
    "[a&&b]",
    "[a~~b]",
    "[a--]",
    "[+--]",
    "[]a]",
    "[^]a]",
    r"[\d-z]",
    r"[\pL\d]",
    r"[^\s\w]",
    r"[\x00-\x{10FFFF}]",
    "{",
    "}",
    "]",
    "a{2}",
    "a{,2}",
    "a{b}",
    "a{02}",
    r"\.",
    r"\/",
    r"\-",
    r"\_",
    "^",
    "$",
    r"\A",
    r"\z",
    "(?m:^)",
    "(?m:$)",
    "(?:)",
    "()",
    "(a|b)",
    "a|b",
    "(?P<n>a)",
    "(?<n>a)",
    "[",
    ")",
    "(",
    "*",
    "a**",
    r"\Z",
    r"\C",
    r"\1",
    r"\u00e9",
    r"\p{Nonsense}",
    "(?=a)",
    "(?x)a",
    r"\Qa",
    "[z-a]",
    "[[:nope:]]",
    "a{1001}",
    "a{3,2}",
    r"\",
];

const FORMS: [&str; 9] = [
    "@", "@*", "@+", "(@)?", "x?@y?", ".*@.*", "(?i)@", "(?U)@+?", "@{2}",
];

/// What Prometheus reads and Sloburn refuses, each with its reason.
const REFUSED_ONLY_HERE: &[&str] = &[
    // Left open, it would quote the anchor that Prometheus itself adds.
    r"\Q",
];

fn labels(metric: &str, value: &str) -> Labels {
    [(METRIC_NAME, metric), ("v", value)].into_iter().collect()
}

async fn filled(series: &[Written]) -> Option<(Past, PrometheusSource)> {
    let past = Past::of(series).await?;
    let source = past.source();
    Some((past, source))
}

/// What Prometheus finds, or that it refuses.
async fn found(source: &PrometheusSource, selector: Selector) -> Option<BTreeSet<Labels>> {
    let range = TimeRange {
        from: AT - Span::from_secs(1),
        to: AT,
    };
    match source.read(&Fetch::Samples(selector), range).await {
        Ok(batch) => Some(
            batch
                .series()
                .map(|series| series.labels.to_labels())
                .collect(),
        ),
        Err(error) if matches!(error.failure, Failure::Refused { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn regular_expressions_match_what_they_match_in_prometheus() {
    let all: Vec<Labels> = VALUES.iter().map(|value| labels("re2", value)).collect();
    let written: Vec<Written> = all
        .iter()
        .map(|labels| (labels.clone(), vec![(AT.as_millis(), 1.0)]))
        .collect();
    let Some((_server, source)) = filled(&written).await else {
        return;
    };
    let patterns: BTreeSet<String> = ATOMS
        .iter()
        .flat_map(|atom| FORMS.map(|form| form.replace('@', atom)))
        .collect();
    let (mut compared, mut refused, mut wrong) = (0, 0, String::new());
    for pattern in patterns {
        for op in [MatchOp::Matches, MatchOp::NotMatches] {
            let matcher = Matcher {
                label: "v".to_owned(),
                op,
                value: pattern.clone(),
            };
            let ours = CompiledMatchers::new(std::slice::from_ref(&matcher));
            let theirs = found(&source, Selector::new("re2", vec![matcher])).await;
            match (ours, theirs) {
                (Ok(ours), Some(theirs)) => {
                    compared += 1;
                    let ours: BTreeSet<Labels> = all
                        .iter()
                        .filter(|labels| ours.matches(*labels))
                        .cloned()
                        .collect();
                    let differ: Vec<&str> = ours
                        .symmetric_difference(&theirs)
                        .map(|labels| labels.get("v"))
                        .collect();
                    if !differ.is_empty() {
                        writeln!(wrong, "{pattern:?}: {differ:?}").unwrap();
                    }
                }
                (Err(_), None) => refused += 1,
                (Err(_), Some(_))
                    if REFUSED_ONLY_HERE
                        .iter()
                        .any(|known| pattern.contains(known)) =>
                {
                    refused += 1;
                }
                (Err(error), Some(_)) => writeln!(wrong, "only refused here: {error}").unwrap(),
                (Ok(_), None) => {
                    writeln!(wrong, "{pattern:?} is refused by Prometheus only").unwrap();
                }
            }
        }
    }
    assert_eq!(wrong, "");
    assert!(
        compared > 800 && refused > 200,
        "{compared} compared, {refused} refused"
    );
}

#[tokio::test]
async fn names_may_be_of_any_characters() {
    let pairs = |pairs: &[(&str, &str)]| -> Labels { pairs.iter().copied().collect() };
    let series = [
        pairs(&[
            (METRIC_NAME, "http.server-requests ü"),
            ("label.x", "y"),
            ("wörld", "a\"b\\c\n"),
        ]),
        pairs(&[(METRIC_NAME, "http.server-requests ü"), ("label.x", "z")]),
        pairs(&[(METRIC_NAME, "inf"), ("label.x", "y")]),
    ];
    let written: Vec<Written> = series
        .iter()
        .map(|labels| (labels.clone(), vec![(AT.as_millis(), 1.0)]))
        .collect();
    let Some((_server, source)) = filled(&written).await else {
        return;
    };
    for (text, expected) in [
        (r#"{"http.server-requests ü"}"#, &[0, 1][..]),
        (r#"{"http.server-requests ü","label.x"="y"}"#, &[0]),
        (r#"{"http.server-requests ü","label.x"!~"y|x"}"#, &[1]),
        (r#"{"http.server-requests ü","wörld"="a\"b\\c\n"}"#, &[0]),
        (r#"{"http.server-requests ü","wörld"=""}"#, &[1]),
        (r#"{__name__="inf","label.x"="y"}"#, &[2]),
    ] {
        let selector = parse_selector(text).unwrap();
        let matchers = CompiledMatchers::of_selector(&selector).unwrap();
        let ours: BTreeSet<Labels> = series
            .iter()
            .filter(|labels| matchers.matches(*labels))
            .cloned()
            .collect();
        let expected: BTreeSet<Labels> = expected
            .iter()
            .map(|position: &usize| series[*position].clone())
            .collect();
        assert_eq!(
            found(&source, selector).await.as_ref(),
            Some(&expected),
            "{text}"
        );
        assert_eq!(ours, expected, "{text}");
    }
}
