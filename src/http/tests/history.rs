//! The course of an objective: rows that add up to what its status says, as JSON and as CSV.

use serde_json::Value;

use super::{ask, fresh, get};
use crate::http::error::ApiError;
use crate::store::StoreError;

const COURSE: &str = "/api/v1/slos/checkout/latency/history";

async fn json(uri: &str) -> Value {
    serde_json::from_str(&get(uri).await.body).unwrap()
}

fn sum(rows: &[Value], field: &str) -> f64 {
    rows.iter().map(|row| row[field].as_f64().unwrap()).sum()
}

#[tokio::test(start_paused = true)]
async fn the_rows_add_up_to_the_window_and_end_at_the_budget_that_is_left() {
    for name in [
        "checkout/latency",
        "checkout/availability",
        "cart/availability",
    ] {
        let slo = json(&format!("/api/v1/slos/{name}")).await["items"][0].clone();
        for step in ["", "?step=1h", "?step=7h", "?step=90000"] {
            let course = json(&format!("/api/v1/slos/{name}/history{step}")).await;
            let rows = course["items"].as_array().unwrap();
            for field in ["bad", "total"] {
                let window = slo["window"][field].as_f64().unwrap();
                let rows = sum(rows, field);
                assert!(
                    (rows - window).abs() < 1e-6 * window,
                    "{name}{step} {field}: {rows}"
                );
            }
            let last = rows.last().unwrap();
            assert_eq!(last["at"], slo["window"]["to"]);
            let left = slo["budget"]["remaining"].as_f64().unwrap();
            let last = last["budgetRemaining"].as_f64().unwrap();
            assert!(
                (last - left).abs() < 1e-9,
                "{name}{step}: {last} is not {left}"
            );
            let burn = slo["burn"]["1h"]["rate"].as_f64().unwrap();
            let last = rows.last().unwrap()["burn1h"].as_f64().unwrap();
            assert!(
                (last - burn).abs() < 1e-9,
                "{name}{step}: {last} is not {burn}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_of_it_is_given_as_csv_and_what_is_unknown_is_empty() {
    let part = "?from=2025-12-16T10:00:00Z&to=1765886400000&step=1h";
    let csv = ask(
        &fresh(),
        "GET",
        &format!("{COURSE}{part}"),
        &[("accept", "text/csv")],
    )
    .await;
    assert_eq!(
        csv.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        get(&format!("{COURSE}{part}&format=csv")).await.body,
        csv.body
    );
    insta::assert_snapshot!(csv.body.replace("\r\n", "\n"), @r"
    at,bad,total,ratio,budgetRemaining,burn1h,coverage
    2025-12-16T11:00:00Z,0,0,,,,0
    2025-12-16T12:00:00Z,0,0,,,,0
    ");
    let first = "?from=2025-12-16T12:00:00Z&to=2025-12-16T14:00:00Z&step=1h";
    let rows = json(&format!("{COURSE}{first}")).await;
    insta::assert_snapshot!(rows["items"][0], @r#"{"at":"2025-12-16T13:00:00Z","bad":0,"budgetRemaining":1.0,"burn1h":0.0,"coverage":1.0,"ratio":0.0,"total":5721.950980392156}"#);
}

#[test]
fn a_store_that_cannot_be_read_is_told_without_its_place() {
    let error = ApiError::from(StoreError {
        sentence: "cannot read `/var/lib/sloburn.db`".to_owned(),
        source: None,
    });
    insta::assert_snapshot!(error, @"what is kept of the past cannot be read now, and the log says why; ask for less of it, or again later");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_given_is_refused_with_what_can() {
    let mut sentences = Vec::new();
    for query in [
        "from=yesterday",
        "to=99999999999999999",
        "from=2026-01-15T12:00:00Z",
        "step=0",
        "step=1M",
        "step=1s",
        "from=0&step=5m",
        "format=xml",
        "id=other",
        "id=checkout/latency%7Broute=%22/gone%22%7D",
        "limit=5",
    ] {
        sentences.push(get(&format!("{COURSE}?{query}")).await.refusal());
    }
    sentences.push(get("/api/v1/slos/checkout/nothing/history").await.refusal());
    insta::assert_snapshot!(sentences.join("\n"), @r#"
    400 `from=yesterday` is not a time; write it as 2026-01-15T12:00:00Z, or in milliseconds since 1970
    400 `to=99999999999999999` is not a time; write it as 2026-01-15T12:00:00Z, or in milliseconds since 1970
    400 `from` is not before `to`; without them the objective's window is given
    400 `step=0` is not a length of time; write it as 5m, or in seconds
    400 `step=1M` is not a length of time; write it as 5m, or in seconds
    400 `step=1s` is shorter than 5m, the slots in which events are counted; ask for at least that
    400 that is more than 11,000 rows; ask for a longer `step` or less time
    400 `format=xml` is not known; allowed are `json`, `csv`
    400 `id=other` is no instance of `checkout/latency`; /api/v1/slos/checkout/latency gives them
    404 no `checkout/latency{route="/gone"}` is known: it is gone, was never found, or is beyond `maxGroups`; what is known is at /api/v1/slos/checkout/latency
    400 unknown parameter `limit`; allowed are `from`, `to`, `step`, `id`, `format`
    404 no objective `checkout/nothing`; see /api/v1/slos
    "#);
}
