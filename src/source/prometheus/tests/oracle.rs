//! The streaming decoder against a slow one that keeps everything: what is JSON at all is left to `serde_json`.

use std::collections::BTreeMap;
use std::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::domain::time::{TimeRange, Timestamp};
use crate::source::error::Failure;

use super::super::decode::decode;
use super::super::histogram::Thresholds;

/// JSON as it is written: with the order of its keys, and with those that come twice.
#[derive(Clone, Debug, PartialEq)]
enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

struct JsonVisitor;

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "so does the decoder")]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "so does the decoder")]
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Json::Object(pairs))
    }
}

impl Json {
    /// The value of a key; `Err` when it comes twice or this is no object, for the whole is no answer then.
    fn key(&self, wanted: &str) -> Result<Option<&Self>, Other> {
        self.only(wanted, |_| true)
    }

    /// As [`key`](Self::key), where `null` is as good as nothing.
    fn some(&self, wanted: &str) -> Result<Option<&Self>, Other> {
        self.only(wanted, |value| *value != Self::Null)
    }

    fn only(&self, wanted: &str, is_there: fn(&Self) -> bool) -> Result<Option<&Self>, Other> {
        let Self::Object(pairs) = self else {
            return Err(Other);
        };
        let mut found = pairs
            .iter()
            .filter(|(name, value)| name == wanted && is_there(value));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Other),
            (first, None) => Ok(first.map(|(_, value)| value)),
        }
    }

    fn text(&self) -> Result<&str, Other> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(Other),
        }
    }

    fn list(&self) -> Result<&[Self], Other> {
        match self {
            Self::List(list) => Ok(list),
            _ => Err(Other),
        }
    }

    fn texts(&self) -> Result<Vec<String>, Other> {
        let texts = self.list()?.iter().map(|text| Ok(text.text()?.to_owned()));
        texts.collect()
    }
}

/// Some other JSON than an answer.
#[derive(Clone, Debug, PartialEq)]
struct Other;

type Samples = Vec<(i64, u64)>;

/// What comes of an answer.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Data {
        kind: &'static str,
        series: Vec<(BTreeMap<String, String>, Samples)>,
        histograms: usize,
        warnings: usize,
        infos: Vec<String>,
    },
    Refused,
    WrongShape,
    Other,
}

const RANGE: TimeRange = TimeRange {
    from: Timestamp::from_millis(1_000_000),
    to: Timestamp::from_millis(1_100_000),
};

fn point(json: &Json) -> Result<(i64, u64), Other> {
    let [Json::Number(seconds), Json::Text(value)] = json.list()? else {
        return Err(Other);
    };
    let value: f64 = value.parse().map_err(|_| Other)?;
    #[expect(clippy::cast_possible_truncation, reason = "so does the decoder")]
    let millis = (seconds * 1_000.0).round() as i64;
    Ok((
        millis,
        if value.is_nan() { f64::NAN } else { value }.to_bits(),
    ))
}

fn labels(metric: &Json) -> Result<BTreeMap<String, String>, Other> {
    let Json::Object(pairs) = metric else {
        return Err(Other);
    };
    let mut labels = BTreeMap::new();
    for (name, value) in pairs {
        labels.insert(name.clone(), value.text()?.to_owned());
    }
    labels.retain(|_, value| !value.is_empty());
    Ok(labels)
}

/// In range, sorted; of a time that comes twice the first value.
fn tidy(points: impl IntoIterator<Item = (i64, u64)>) -> Samples {
    let mut kept = BTreeMap::new();
    for (at, value) in points {
        if RANGE.contains(Timestamp::from_millis(at)) {
            kept.entry(at).or_insert(value);
        }
    }
    kept.into_iter().collect()
}

fn outcome(answer: &Json) -> Result<Outcome, Other> {
    let status = answer.key("status")?.ok_or(Other)?.text()?;
    for field in ["error", "errorType"] {
        answer.some(field)?.map(Json::text).transpose()?;
    }
    let list = |key| {
        Ok(answer
            .some(key)?
            .map(Json::texts)
            .transpose()?
            .unwrap_or_default())
    };
    let (warnings, infos) = (list("warnings")?, list("infos")?);
    let is_partial = match answer.key("isPartial")? {
        None => false,
        Some(Json::Bool(partial)) => *partial,
        Some(_) => return Err(Other),
    };
    let data = answer.some("data")?;
    let read = data.map(result).transpose()?;
    if status == "error" {
        return Ok(Outcome::Refused);
    }
    let (Some(data), "success") = (data, status) else {
        return Err(Other);
    };
    let kind = data.key("resultType")?.ok_or(Other)?.text()?;
    let (series, histograms, single) = read.unwrap_or_default();
    let kind = match (kind, single) {
        ("matrix", None) => "matrix",
        ("vector", None) => "vector",
        ("scalar", Some(Some(_))) => "scalar",
        ("string", Some(_)) => return Ok(Outcome::WrongShape),
        _ => return Err(Other),
    };
    let series = match single.flatten() {
        Some(point) => vec![(BTreeMap::new(), tidy([point]))],
        None => series,
    };
    Ok(Outcome::Data {
        kind,
        series: series
            .into_iter()
            .filter(|(_, samples)| !samples.is_empty())
            .collect(),
        histograms,
        warnings: warnings.len() + usize::from(is_partial),
        infos,
    })
}

type Read = (
    Vec<(BTreeMap<String, String>, Samples)>,
    usize,
    Option<Option<(i64, u64)>>,
);

/// The series, the number of histograms, and a single point or text where it is one.
fn result(data: &Json) -> Result<Read, Other> {
    data.key("resultType")?.ok_or(Other)?.text()?;
    let items = data.key("result")?.ok_or(Other)?.list()?;
    if let Some(Json::Number(_)) = items.first() {
        let [_, Json::Text(_)] = items else {
            return Err(Other);
        };
        let single = point(&Json::List(items.to_vec()));
        return Ok((Vec::new(), 0, Some(single.ok())));
    }
    let (mut series, mut histograms) = (Vec::new(), 0);
    for item in items {
        let labels = labels(item.key("metric")?.ok_or(Other)?)?;
        let Json::Object(pairs) = item else {
            return Err(Other);
        };
        let mut points = Vec::new();
        item.key("values")?;
        item.some("value")?;
        for (name, value) in pairs {
            match (name.as_str(), value) {
                ("values", list) => {
                    let list = list.list()?.iter().map(point);
                    points.extend(list.collect::<Result<Vec<_>, _>>()?);
                }
                ("value", Json::Null) => {}
                ("value", single) => points.push(point(single)?),
                _ => {}
            }
        }
        let is_histogram = |(name, value): &(String, Json)| {
            matches!(name.as_str(), "histogram" | "histograms") && *value != Json::Null
        };
        if pairs.iter().any(is_histogram) {
            histograms += 1;
        } else {
            series.push((labels, tidy(points)));
        }
    }
    Ok((series, histograms, None))
}

/// What the decoder made of the same bytes.
fn decoded(body: &[u8]) -> Result<Outcome, Failure> {
    match decode(body, RANGE, &Thresholds::NONE) {
        Ok(decoded) => {
            let series = decoded.batch.series().map(|series| {
                let labels = series.labels.iter();
                let samples = series.samples.iter().map(|sample| {
                    let value = if sample.value.is_nan() {
                        f64::NAN
                    } else {
                        sample.value
                    };
                    (sample.at.as_millis(), value.to_bits())
                });
                (
                    labels
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect(),
                    samples.collect(),
                )
            });
            Ok(Outcome::Data {
                kind: decoded.kind.name(),
                series: series.collect(),
                histograms: decoded.batch.histograms,
                warnings: decoded.batch.warnings.len(),
                infos: decoded.infos,
            })
        }
        Err(Failure::Refused { .. }) => Ok(Outcome::Refused),
        Err(Failure::Shape { .. }) => Ok(Outcome::WrongShape),
        Err(Failure::Protocol { reason }) if reason.starts_with("JSON") => Ok(Outcome::Other),
        Err(failure) => Err(failure),
    }
}

/// Both say the same of what is JSON, and neither finds an answer in what is none. Bytes that are no
/// text may stand where nobody reads: what is passed over is not looked into.
fn agree(body: &[u8]) {
    let shown = String::from_utf8_lossy(body);
    let outcome_here = decoded(body);
    let is_refused = matches!(outcome_here, Err(_) | Ok(Outcome::Other));
    if let Ok(json) = serde_json::from_str::<Json>(&shown) {
        let expected = outcome(&json).unwrap_or(Outcome::Other);
        let may_be_refused = std::str::from_utf8(body).is_err() && is_refused;
        assert!(
            may_be_refused || outcome_here.as_ref().is_ok_and(|here| *here == expected),
            "{shown}: {outcome_here:?}, not {expected:?}"
        );
    } else {
        assert!(is_refused, "{shown}: {outcome_here:?}");
    }
}

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

fn answer() -> impl Strategy<Value = String> {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_decoders_read_the_same(answer in answer()) {
        agree(answer.as_bytes());
    }

    #[test]
    fn both_decoders_agree_on_what_was_damaged(
        answer in answer(),
        at in any::<prop::sample::Index>(),
        damage in prop_oneof![
            Just(None),
            prop::sample::select(&b"\"\\{}[],:0e-.nx \x00\xff\xc3"[..]).prop_map(Some),
        ],
        insert in any::<bool>(),
    ) {
        let mut body = answer.into_bytes();
        let at = at.index(body.len());
        match damage {
            None => drop(body.remove(at)),
            Some(byte) if insert => body.insert(at, byte),
            Some(byte) => body[at] = byte,
        }
        agree(&body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn no_beginning_of_an_answer_is_an_answer(answer in answer()) {
        let body = answer.as_bytes();
        for end in 0..body.len() {
            agree(&body[..end]);
        }
    }
}
