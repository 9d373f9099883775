//! Slices judged again: the events or gauges of each, and what it counts as.

use serde_json::Value;

use super::{document, seconds};

/// The series of the parts with this role: labels, and samples as time and value.
fn series<'d>(document: &'d Value, role: &str) -> Vec<(&'d Value, Vec<(f64, f64)>)> {
    let parts = document["parts"].as_array().unwrap().iter();
    let own = parts.filter(|part| part["role"] == role);
    let own = own.flat_map(|part| part["series"].as_array().unwrap());
    let sample = |it: &Value| (it[0].as_f64().unwrap(), it[1].as_f64().unwrap());
    own.map(|series| {
        let samples = series["samples"].as_array().unwrap().iter();
        (&series["labels"], samples.map(sample).collect())
    })
    .collect()
}

/// No more than 2.5 scrapes.
const VALID: f64 = 37.5;

/// What counters grew by in a slice: a first value counts where its target was scraped before.
fn grown(document: &Value, role: &str, (from, to): (f64, f64)) -> Option<f64> {
    let all = series(document, "total");
    let (mut events, mut is_known) = (0.0, false);
    for (labels, samples) in series(document, role) {
        let scraped = |before: f64| {
            let its = all
                .iter()
                .filter(|it| it.0["instance"] == labels["instance"]);
            its.flat_map(|it| &it.1).any(|it| it.0 < before)
        };
        for (place, (at, value)) in samples.iter().enumerate() {
            if *at <= from || *at > to {
                continue;
            }
            events += match place.checked_sub(1).map(|before| samples[before]) {
                Some((before, _)) if at - before > VALID => continue,
                Some((_, before)) if before <= *value => value - before,
                Some(_) => *value,
                None if scraped(*at) => *value,
                None => 0.0,
            };
            is_known = true;
        }
    }
    is_known.then_some(events)
}

/// The value of each group at a time, as long as it is valid.
fn last(document: &Value, role: &str, at: f64) -> Vec<(String, f64)> {
    let value = |(labels, samples): (&Value, Vec<(f64, f64)>)| {
        let last = samples.iter().rfind(|sample| sample.0 <= at)?;
        let is_valid = at - last.0 <= VALID;
        is_valid.then(|| (labels["instance"].to_string(), last.1))
    };
    series(document, role)
        .into_iter()
        .filter_map(value)
        .collect()
}

/// A slice by the printed samples alone.
#[derive(Debug)]
struct Again {
    /// What counts of each group, and of what it is a part; one without a name of events.
    values: Vec<(String, f64, f64)>,
    is_bad: bool,
}

/// Judges a slice again; nothing of one of which too little is known.
fn judged_again(document: &Value, (from, end): (f64, f64)) -> Option<Again> {
    let judged = &document["judged"];
    let at_most = judged["atMost"].as_f64().unwrap();
    let least = judged["badWhen"].as_str();
    let least: usize = least.map_or(1, |least| least.parse().unwrap());
    let events = |bad: f64, all: f64| Again {
        values: vec![("null".to_owned(), bad, all)],
        is_bad: bad / all > at_most,
    };
    match judged["by"].as_str().unwrap() {
        "events" => {
            let bad = grown(document, "bad", (from, end)).unwrap_or_default();
            Some(events(bad, grown(document, "total", (from, end))?))
        }
        "samples" => {
            let probers = series(document, "probe").into_iter();
            let samples: Vec<f64> = probers
                .flat_map(|(_, samples)| samples)
                .filter_map(|(at, value)| (at > from && at <= end).then_some(value))
                .collect();
            let bad = samples.iter().filter(|value| **value < 1.0);
            Some(events(number(bad.count()), number(samples.len())))
        }
        "votes" => {
            let is_bad = |at: &f64| {
                let votes = last(document, "probe", *at);
                votes.iter().filter(|it| it.1 < 1.0).count() >= least
            };
            let slots = [end - 30.0, end];
            let bad = slots.iter().filter(|at| is_bad(at)).count();
            Some(events(number(bad), number(slots.len())))
        }
        "share" => {
            let limits = last(document, "limit", end).into_iter();
            let used = last(document, "used", end).into_iter();
            let values: Vec<_> = used
                .zip(limits)
                .map(|((group, used), (_, limit))| (group, used, limit))
                .collect();
            let over = values.iter().filter(|it| it.1 / it.2 > at_most).count();
            let is_bad = over >= least;
            Some(Again { values, is_bad })
        }
        other => panic!("{other}"),
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Holds a slice against the samples. Says what it is.
fn verdict(document: &Value, slice: &Value) -> &'static str {
    let of = |value: &Value, name: &str| value[name].as_f64().unwrap();
    let again = judged_again(document, (seconds(&slice["from"]), seconds(&slice["end"])));
    let verdict = if slice["missing"] == true {
        assert!(again.is_none(), "{slice} {again:?}");
        "missing"
    } else {
        let again = again.unwrap();
        let told = slice["values"].as_array().unwrap().iter();
        let told = told.map(|it| {
            let group = it["group"]["instance"].to_string();
            (group, of(it, "part"), of(it, "whole"))
        });
        assert_eq!(told.collect::<Vec<_>>(), again.values, "{slice}");
        match (again.values[0].2 > 0.0, again.is_bad) {
            (false, _) => "noEvents",
            (true, true) => "bad",
            (true, false) => "good",
        }
    };
    let counted = match verdict {
        "noEvents" => ("noEvents", 0.0, 0.0),
        "good" => ("good", 0.0, 1.0),
        _ => ("bad", 1.0, 1.0),
    };
    let told = slice["verdict"].as_str().unwrap();
    assert_eq!(
        (told, of(slice, "bad"), of(slice, "total")),
        counted,
        "{slice}"
    );
    verdict
}

#[tokio::test]
async fn each_slice_can_be_judged_again_from_the_printed_samples() {
    for (slo, window, minutes, kinds) in [
        ("answered", "1h", 60, "bad good"),
        ("calls", "30m", 30, "bad good noEvents"),
        ("calls-owed", "30m", 30, "bad good missing noEvents"),
        ("probed", "20m", 20, "bad good"),
        ("voted", "20m", 20, "bad good"),
        ("memory", "1h", 60, "bad good"),
        ("memories", "1h", 60, "good"),
    ] {
        let document = document(&format!("shop/{slo}"), window).await;
        let slices = document["judged"]["slices"].as_array().unwrap();
        let times = slices
            .windows(2)
            .map(|pair| (&pair[0]["end"], &pair[1]["from"]));
        for (end, from) in times {
            assert!(seconds(end) <= seconds(from), "{slo} {end} {from}");
        }
        let verdicts: Vec<_> = slices
            .iter()
            .map(|slice| verdict(&document, slice))
            .collect();
        let count = |of: &[&str]| number(verdicts.iter().filter(|it| of.contains(it)).count());
        let bad = count(&["bad", "missing"]);
        let answer = (document["bad"].as_f64(), document["total"].as_f64());
        assert_eq!(answer, (Some(bad), Some(bad + count(&["good"]))), "{slo}");
        let mut seen = verdicts.clone();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.join(" "), kinds, "{slo}");
        let unknown = document["judged"]["unknown"].as_u64().unwrap();
        assert_eq!(
            u64::try_from(slices.len()).unwrap() + unknown,
            minutes,
            "{slo}"
        );
    }
}
