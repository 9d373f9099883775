//! Whether what `explain` prints can be counted again, with nothing but the printed samples.

mod slices;

use serde_json::Value;

use super::explained;

async fn document(slo: &str, window: &str) -> Value {
    let ran = explained(slo, &["--window", window, "--format", "json"]).await;
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran}"))
}

fn seconds(time: &Value) -> f64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.as_duration().as_secs_f64()
}

/// Counts a document again with nothing but its samples, its notes on first values, and the rules
/// that anybody knows: what a counter rises by, and all of it after a fall.
fn recounted(document: &Value) -> (f64, f64) {
    let (from, to) = (seconds(&document["from"]), seconds(&document["to"]));
    let notes = document["notes"].as_array().unwrap();
    let (mut bad, mut total) = (0.0, 0.0);
    for part in document["parts"].as_array().unwrap() {
        let weight = |of: &str| part["weight"][of].as_f64().unwrap();
        for series in part["series"].as_array().unwrap() {
            let samples = series["samples"].as_array().unwrap().iter();
            let mut events = 0.0;
            let mut before: Option<f64> = None;
            for sample in samples {
                let (at, value) = (sample[0].as_f64().unwrap(), sample[1].as_f64().unwrap());
                let first = notes.iter().find(|note| {
                    let kind = note["kind"].as_str().unwrap();
                    let is_its = note["series"] == series["labels"];
                    is_its && kind.starts_with("birth") && (seconds(&note["to"]) - at).abs() < 1e-6
                });
                let base = match (first, before) {
                    (Some(note), _) if note["kind"] == "birthIgnored" => value,
                    (Some(note), _) => note["before"].as_f64().unwrap(),
                    (None, Some(before)) if before <= value => before,
                    (None, Some(_)) => 0.0,
                    (None, None) => value,
                };
                if at > from && at <= to {
                    events += value - base;
                }
                before = Some(value);
            }
            assert_eq!(
                series["events"].as_f64(),
                Some(events),
                "{}",
                series["labels"]
            );
            bad += weight("bad") * events;
            total += weight("total") * events;
        }
    }
    (bad, total)
}

#[tokio::test]
async fn a_budget_can_be_counted_again_from_the_printed_samples() {
    for (slo, window) in [
        ("shop/availability", "1h"),
        ("shop/found", "1h"),
        ("shop/found", "20m"),
        ("shop/latency", "3h"),
        ("shop/availability", "9h"),
    ] {
        let document = document(slo, window).await;
        let told = |name: &str| document[name].as_f64().unwrap();
        let (bad, total) = recounted(&document);
        assert_eq!((told("bad"), told("total")), (bad, total), "{slo} {window}");
        assert!(bad > 0.0, "{slo} {window}");
        let step = |name: &str| {
            let steps = document["steps"].as_array().unwrap();
            let step = steps.iter().find(|step| step["name"] == name).unwrap();
            step["result"].as_f64().unwrap()
        };
        let allowance = 1.0 - told("objective");
        let burn = bad / total / allowance;
        assert!((step("burn") - burn).abs() < 1e-9 * burn, "{slo} {window}");
        let slots = document["slots"].as_array().unwrap();
        let sum = |of: &str| {
            slots
                .iter()
                .map(|slot| slot[of].as_f64().unwrap())
                .sum::<f64>()
        };
        assert_eq!((sum("bad"), sum("total")), (bad, total), "{slo} {window}");
    }
}
