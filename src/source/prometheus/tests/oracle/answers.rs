//! Answers as a server may write them, and some that none would.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A text in JSON, each character plain or escaped.
fn text(chars: &'static str) -> impl Strategy<Value = String> {
    let written = |(char, escaped): (char, bool)| match (char, escaped) {
        ('"', _) => "\\\"".to_owned(),
        ('\\', _) => "\\\\".to_owned(),
        ('\n', _) => "\\n".to_owned(),
        (char, true) => {
            let mut units = [0; 2];
            let units = char.encode_utf16(&mut units).iter();
            let units: Vec<String> = units.map(|unit| format!("\\u{unit:04x}")).collect();
            units.concat()
        }
        (char, false) => char.to_string(),
    };
    let chars: Vec<char> = chars.chars().collect();
    vec(
        (prop::sample::select(chars), prop::bool::weighted(0.1)),
        0..4,
    )
    .prop_map(move |parts| format!("\"{}\"", parts.into_iter().map(written).collect::<String>()))
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

fn object(pairs: impl Strategy<Value = Vec<(String, String)>>) -> impl Strategy<Value = String> {
    pairs.prop_shuffle().prop_map(|pairs| {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        format!("{{{}}}", pairs.join(","))
    })
}

fn points() -> impl Strategy<Value = String> {
    let time = one_of(&[
        "1000",
        "1000.001",
        "1001",
        "1.0025e3",
        "1050.0",
        "1099.9995",
        "1100",
        "1101",
        "-1",
        "1e300",
    ]);
    let value = one_of(&[
        "0",
        "12",
        "-0",
        "0.1",
        "1e6",
        "1E-3",
        "NaN",
        "+Inf",
        "-Inf",
        "9007199254740993",
        "1e400",
        "one",
        "",
    ]);
    vec((time, value), 0..4).prop_map(|points| {
        let points: Vec<String> = points
            .iter()
            .map(|(time, value)| format!("[{time},\"{value}\"]"))
            .collect();
        points.join(",")
    })
}

fn series() -> impl Strategy<Value = String> {
    let pair = (text("ab_é"), text("xy\"\\\n😀é"));
    let metric = vec(pair, 0..4).prop_map(|pairs| {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        format!("{{{}}}", pairs.join(", "))
    });
    let more = one_of(&[
        "histogram:null",
        "histogram:[1001,{}]",
        "histograms:[]",
        "value:[1001,\"5\"]",
        "value:null",
        "values:[]",
        "metric:{}",
        "more:{\"a\":[1,null]}",
    ]);
    let pairs =
        (metric, points(), option::weighted(0.2, more)).prop_map(|(metric, points, more)| {
            let more = more.as_ref().and_then(|more| more.split_once(':'));
            let mut pairs = vec![
                ("\"metric\"".to_owned(), metric),
                ("\"values\"".to_owned(), format!("[{points}]")),
            ];
            pairs.extend(more.map(|(name, value)| (format!("\"{name}\""), value.to_owned())));
            pairs
        });
    object(pairs)
}

pub(super) fn answer() -> impl Strategy<Value = String> {
    let matrix = vec(series(), 0..4).prop_map(|series| format!("[{}]", series.join(",")));
    let result = prop_oneof![8 => matrix, 1 => one_of(&["[1001,\"7\"]", "[1001.5,\"x\"]", "[-1,\"2\"]", "null", "[1001]", "[{}]"])];
    let kind = prop_oneof![6 => Just("matrix".to_owned()), 1 => one_of(&["vector", "scalar", "string", "streams"])];
    let data = (kind, result).prop_map(|(kind, result)| {
        vec![
            ("\"resultType\"".to_owned(), format!("\"{kind}\"")),
            ("\"result\"".to_owned(), result),
        ]
    });
    let status = prop_oneof![8 => Just("\"success\"".to_owned()), 1 => one_of(&["\"error\"", "\"fine\"", "1"])];
    let more = one_of(&[
        "warnings:[\"w\"]",
        "warnings:null",
        "infos:[\"i\",\"j\"]",
        "isPartial:true",
        "error:\"e\"",
        "errorType:null",
        "status:\"success\"",
        "stats:{\"n\":[1.5]}",
        "data:null",
        "warnings:[1]",
    ]);
    let pairs = (status, object(data), vec(more, 0..3)).prop_map(|(status, data, more)| {
        let mut pairs = vec![
            ("\"status\"".to_owned(), status),
            ("\"data\"".to_owned(), data),
        ];
        pairs.extend(more.iter().filter_map(|more| {
            let (name, value) = more.split_once(':')?;
            Some((format!("\"{name}\""), value.to_owned()))
        }));
        pairs
    });
    object(pairs)
}
