//! The history is what its seed says, the ledger holds what the closed form counted, and pages say what the API says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client;
use crate::domain::slot::{Counts, Slot};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::chunk::Chunk;
use crate::store::Store as _;

use super::pace::Pace;
use super::start::{Demo, Options};

type Chunks = BTreeMap<String, Vec<Arc<Chunk>>>;

/// A demo whose history of a day was played, and the chunks of its ledgers by objective.
async fn played(seed: u64) -> (Demo, Chunks) {
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        seed,
        pace: Pace::USUAL,
        history: Span::from_hours(12),
        now: Timestamp::from_millis(1_900_000_000_000),
    };
    let mut demo = Demo::start(&options).await.unwrap();
    demo.driver.history(|_| Ok(())).await.unwrap();
    let mut chunks = Chunks::new();
    for ((key, _), chunk) in demo
        .driver
        .store
        .recover(Timestamp::EARLIEST)
        .await
        .unwrap()
        .chunks
    {
        chunks
            .entry(format!("{} {}", key.meter.slo, key.lane))
            .or_default()
            .push(chunk);
    }
    (demo, chunks)
}

#[tokio::test]
async fn the_history_recomputes_from_its_seed_and_is_the_closed_form() {
    let ((demo, one), (_, same), (_, other)) = tokio::join!(played(7), played(7), played(8));
    assert_eq!(one, same, "the same seed makes another history");
    assert_ne!(one, other, "the seed makes no difference");

    let seer = demo.driver.gameday.seer();
    let mut compared = 0;
    for slo in [
        "checkout/availability",
        "web-shop/latency",
        "order-worker/refunds",
    ] {
        let snapshot = demo.shared.board.read().snapshot;
        let status = snapshot.slos.iter().find(|status| status.id == slo);
        let slo = Arc::clone(&status.unwrap().slo);
        let own = one.iter();
        let own = own.filter(|(key, _)| key.starts_with(slo.uid.as_str()));
        let lanes: Vec<Vec<(Timestamp, Slot)>> = own
            .map(|(_, chunks)| chunks.iter().flat_map(|chunk| chunk.slots()).collect())
            .collect();
        // Metrics settle one after the other: the newest block may be there of one only.
        let newest = lanes
            .iter()
            .map(|lane| lane.iter().map(|(end, _)| *end).max());
        let newest = newest.min().flatten().unwrap();
        let mut slots: BTreeMap<Timestamp, Counts> = BTreeMap::new();
        for (end, slot) in lanes
            .into_iter()
            .flatten()
            .filter(|(end, _)| *end <= newest)
        {
            let sum = slots.entry(end).or_default();
            *sum = sum.plus(slot.counts);
        }
        let ends: Vec<Timestamp> = slots.keys().copied().collect();
        for pair in ends.windows(2) {
            let own = seer.own_count(&slo.uid, (pair[0], pair[1])).unwrap();
            assert_eq!(slots[&pair[1]], own, "{} up to {}", slo.uid, pair[1]);
            compared += 1;
        }
    }
    assert!(compared > 1_000, "only {compared} slots were compared");
}

/// Asks a running demo: the status, and the body as text.
struct Asker {
    client: Client,
    url: String,
}

impl Asker {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, String) {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    async fn page(&self, path: &str) -> String {
        let (status, page) = self
            .ask(Method::GET, path, &[("accept", "text/html")], "")
            .await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page.replace("&#39;", "'")
            .replace("&#62;", ">")
            .replace("&#60;", "<")
            .replace("&#38;", "&")
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.ask(Method::GET, path, &[], "").await.1).unwrap()
    }

    async fn inject(&self, body: &Value) -> (StatusCode, Value) {
        let kind = [("content-type", "application/json")];
        let (status, text) = self
            .ask(Method::POST, "/demo/faults", &kind, &body.to_string())
            .await;
        (status, serde_json::from_str(&text).unwrap())
    }
}

#[tokio::test]
async fn faults_are_taken_from_the_page_and_the_api_and_both_tell_the_same() {
    let (demo, _) = played(7).await;
    let asker = Asker {
        client: client::builder().build().unwrap(),
        url: format!("http://{}", demo.address),
    };
    let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
    let stopped = stop.clone();
    running.spawn(async move { demo.run(None, &stopped).await.map(drop) });

    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "text/html"),
    ];
    let order = "service=checkout&kind=errors&intensity=50%25&after=2s&for=1m";
    let (status, _) = asker.ask(Method::POST, "/demo/faults", &form, order).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let faults = asker.json("/demo/faults").await;
    let foreseen = &faults["faults"][0]["objectives"][0];
    let page = asker.page("/game-day").await;
    assert!(
        page.contains("720 × yours") && page.contains("checkout: 50% of the requests fail"),
        "{page}"
    );
    assert!(
        page.contains(foreseen["formula"].as_str().unwrap()),
        "{page}"
    );
    let fires = foreseen["foreseen"]["fires"]["yours"].as_str().unwrap();
    assert!(page.contains(&format!("{fires} after the start")), "{page}");

    for (body, status, said) in [
        (
            json!({"service": "checkout", "kind": "errors", "intensity": "5%"}),
            409,
            "overlaps with fault 1",
        ),
        (
            json!({"service": "checkout", "kind": "errors"}),
            400,
            "`errors` needs a share",
        ),
        (json!({"service": "checkout"}), 400, "missing field `kind`"),
        (
            json!({"service": "checkout", "kind": "x".repeat(20_000)}),
            400,
            "length limit exceeded",
        ),
    ] {
        let (got, answer) = asker.inject(&body).await;
        assert_eq!(got.as_u16(), status, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(said), "{answer}");
    }
    let elsewhere = [form[0], ("origin", "http://elsewhere.example")];
    let (status, _) = asker
        .ask(Method::POST, "/demo/faults", &elsewhere, order)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);

    // What came of it: the message, on the page as in the API.
    let paged = async {
        loop {
            let inbox = asker.json("/demo/inbox").await;
            let messages = inbox["messages"].as_array().unwrap().clone();
            if let Some(message) = messages
                .into_iter()
                .find(|message| message["history"] == false)
            {
                return message;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let message = tokio::time::timeout(Duration::from_mins(5), paged)
        .await
        .unwrap();
    let text = message["text"].as_str().unwrap();
    assert!(text.contains("PAGE checkout/availability"), "{text}");
    let title = text
        .split_once("  <!here>")
        .map_or(text, |(title, _)| title);
    let page = asker.page("/inbox").await;
    assert!(page.contains(title), "{title}\n{page}");

    let (status, stopped_at) = asker.ask(Method::DELETE, "/demo/faults/1", &[], "").await;
    assert_eq!(status, StatusCode::OK);
    let ended: Value = serde_json::from_str(&stopped_at).unwrap();
    assert_ne!(
        ended["to"], faults["faults"][0]["to"],
        "it was ended before its time"
    );
    assert_eq!(
        asker.ask(Method::DELETE, "/demo/faults/9", &[], "").await.0,
        StatusCode::NOT_FOUND
    );

    stop.cancel();
    running.join_next().await.unwrap().unwrap().unwrap();
}
