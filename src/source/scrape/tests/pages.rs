//! What pages mean, and what is said of those that mean nothing.

use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::prelude::{prop_assert_eq, proptest};

use crate::domain::labels::{Labels, METRIC_NAME};

use super::super::name;
use super::super::page::{Format, lines};

/// Every sample as `labels value @time`, or the fault.
fn read(page: &str, format: Format) -> String {
    match lines(page, format) {
        Err(fault) => format!("{fault}"),
        Ok(lines) => lines
            .into_iter()
            .map(|line| {
                let labels = match name::labels(line.series) {
                    Ok(pairs) => pairs.into_iter().collect::<Labels>().to_string(),
                    Err(fault) => format!("({fault})"),
                };
                let at = line.at.map_or_else(String::new, |at| format!(" @{at}"));
                format!("{labels} {:?}{at}", line.value)
            })
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[test]
fn a_page_of_the_text_format() {
    let page = r#"
# HELP http_requests_total Requests, with a \n in the words.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400",} 3
  indented   {  a = "b" , }	  1.5e3  
# only a remark

escaped{path="C:\\DIR\\",error="Cannot find:\n\"x\" {},=",odd="\q"}1
no_labels 12.47
colon:name 0
something{a="\t# b"} -Inf
infinite +Inf
unknown NaN
{"http.status",code="200"} 5
{"quoted"} 6
mixed{"a.b"="c",d="é🔥"} 7
empty{a=""} 8
early 9 -3982045
"#;
    insta::assert_snapshot!(read(page, Format::Text), @r#"
    __name__="http_requests_total",code="200",method="post" 1027.0 @1395066363000
    __name__="http_requests_total",code="400",method="post" 3.0
    __name__="indented",a="b" 1500.0
    __name__="escaped",error="Cannot find:\n\"x\" {},=",odd="\\q",path="C:\\DIR\\" 1.0
    __name__="no_labels" 12.47
    __name__="colon:name" 0.0
    __name__="something",a="\\t# b" -inf
    __name__="infinite" inf
    __name__="unknown" NaN
    __name__="http.status",code="200" 5.0
    __name__="quoted" 6.0
    __name__="mixed",a.b="c",d="é🔥" 7.0
    __name__="empty" 8.0
    __name__="early" 9.0 @-3982045
    "#);
}

#[test]
fn a_page_of_openmetrics() {
    let page = r#"# TYPE foo counter
foo_total{a="b"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67
foo_total 18 # {trace_id="{}#"} 0.67 1520879607
foo_created 1520872607.123
# TYPE bar histogram
bar_bucket{le="+Inf"} 4 1e3
# EOF
"#;
    insta::assert_snapshot!(read(page, Format::OpenMetrics), @r#"
    __name__="foo_total",a="b" 17.0 @1520879607789
    __name__="foo_total" 18.0
    __name__="foo_created" 1520872607.123
    __name__="bar_bucket",le="+Inf" 4.0 @1000000
    "#);
}

#[test]
fn nothing_of_a_faulty_page_is_used_and_its_line_is_named() {
    let told = |format, pages: &[&str]| {
        let entry = |page: &&str| format!("{page:?}\n  {}", read(page, format));
        pages.iter().map(entry).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(told(Format::Text, &[
        "up",
        "up{a=\"b\"}",
        "good 1\nup one",
        "up 1_000",
        "up 0x1p3",
        "up 1 2 3",
        "up 1 1.5",
        "up{a=\"b\" 1",
        "up{a=\"b} 1",
        "up{a=\"b\"{} 1",
        "\"up\" 1",
        "<html>\n<body>Please log in</body>",
        "up 1 # {trace_id=\"x\"} 1",
    ]), @r##"
    "up"
      line 1: `up` has no value
    "up{a=\"b\"}"
      line 1: `up{a=\"b\"}` has no value
    "good 1\nup one"
      line 2: `one` is no number for a value
    "up 1_000"
      line 1: `1_000` is no number for a value
    "up 0x1p3"
      line 1: `0x1p3` is no number for a value
    "up 1 2 3"
      line 1: `3` follows after the sample
    "up 1 1.5"
      line 1: `1.5` is no time for a sample
    "up{a=\"b\" 1"
      line 1: `}` is missing
    "up{a=\"b} 1"
      line 1: a quoted text has no end
    "up{a=\"b\"{} 1"
      line 1: a second `{` where labels are due
    "\"up\" 1"
      line 1: a quoted name stands within braces, as {"my.metric"}
    "<html>\n<body>Please log in</body>"
      line 1: `<html>` has no value
    "up 1 # {trace_id=\"x\"} 1"
      line 1: `#` is no time for a sample
    "##);
    insta::assert_snapshot!(told(Format::OpenMetrics, &[
        "up 1\n",
        "up 1\n# EOF\nup 2\n",
        "up 1 1e300\n# EOF",
        "",
    ]), @r#"
    "up 1\n"
      line 1: the page ends without `# EOF`, so that a part of it may be missing
    "up 1\n# EOF\nup 2\n"
      line 3: something follows after `# EOF`
    "up 1 1e300\n# EOF"
      line 1: `1e300` is no time for a sample
    ""
      line 0: the page ends without `# EOF`, so that a part of it may be missing
    "#);
    insta::assert_snapshot!(told(Format::Text, &[
        "1up 1",
        "a-b 1",
        "up{1=\"a\"} 1",
        "up{a} 1",
        "up{a=b} 1",
        "up{a=\"b\" c=\"d\"} 1",
        "up{a=\"b\",a=\"c\"} 1",
        "{a=\"b\"} 1",
        "{} 1",
        "{\"a\",\"b\"} 1",
    ]), @r#"
    "1up 1"
      (`1up` is no name for a metric) 1.0
    "a-b 1"
      (`a-b` is no name for a metric) 1.0
    "up{1=\"a\"} 1"
      (`1=\"a\"` is no name for a label) 1.0
    "up{a} 1"
      (`=` is missing after the label `a`) 1.0
    "up{a=b} 1"
      (a quoted text is due before `b`) 1.0
    "up{a=\"b\" c=\"d\"} 1"
      (`,` is missing before `c=\"d\"`) 1.0
    "up{a=\"b\",a=\"c\"} 1"
      (the label `a` is there twice) 1.0
    "{a=\"b\"} 1"
      (`{a=\"b\"}` has no name) 1.0
    "{} 1"
      (`{}` has no name) 1.0
    "{\"a\",\"b\"} 1"
      (`=` is missing after the label `b`) 1.0
    "#);
}

#[test]
fn the_kind_of_a_page_is_told_by_its_content_type() {
    for (kind, format) in [
        (
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::OpenMetrics,
        ),
        ("Application/OpenMetrics-Text", Format::OpenMetrics),
        ("text/plain; version=0.0.4", Format::Text),
        ("", Format::Text),
    ] {
        assert_eq!(Format::of(kind), format, "{kind}");
    }
}

#[test]
fn a_series_has_as_many_labels_as_anybody_needs_and_no_more() {
    let series = |labels: u32| {
        let pairs: Vec<String> = (0..labels).map(|label| format!("l{label}=\"v\"")).collect();
        format!("up{{{}}}", pairs.join(","))
    };
    // The name is one of them.
    assert_eq!(name::labels(&series(127)).unwrap().len(), 128);
    insta::assert_snapshot!(name::labels(&series(128)).unwrap_err(), @"`up` has more than 128 labels");
}

/// A name and labels of any text, as a page writes them.
fn written((metric, labels): &(String, BTreeMap<String, String>)) -> String {
    let quoted = |text: &str| {
        let text = text.replace('\\', r"\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('\n', "\\n"))
    };
    let pair = |(name, value): (&String, &String)| format!("{}={}", quoted(name), quoted(value));
    let pairs = labels.iter().map(pair);
    let all: Vec<String> = std::iter::once(quoted(metric)).chain(pairs).collect();
    format!("{{{}}}", all.join(","))
}

/// Names and values with whatever means something on a page.
const NAME: &str = r#"[a-zé.{}=,"\\\n# ]{1,4}"#;
const VALUE: &str = r#"[a-zé.{}=,"\\\n# ]{0,6}"#;

proptest! {
    /// Whatever stands on a page, reading it ends and does not panic.
    #[test]
    fn any_text_is_read_or_refused(page in r#"([a-z{}"=,\\ #0-9é\n]|NaN|# EOF\n){0,60}"#) {
        for format in [Format::Text, Format::OpenMetrics] {
            for line in lines(&page, format).unwrap_or_default() {
                drop(name::labels(line.series));
            }
        }
    }

    #[test]
    fn a_series_is_read_as_it_was_written(series in (NAME, btree_map(NAME, VALUE, 0..4))) {
        let page = format!("{} 1\n", written(&series));
        let lines = lines(&page, Format::Text).unwrap();
        prop_assert_eq!(lines.len(), 1);
        let (metric, labels) = series;
        let pairs = std::iter::once((METRIC_NAME.to_owned(), metric)).chain(labels);
        prop_assert_eq!(name::labels(lines[0].series), Ok(pairs.collect()));
    }
}
