//! The daemon's pages, tick by tick.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::webdriver::{Browser, pictures};
use crate::support::daemon::{Daemon, Files};
use crate::support::exporter::Exporter;

/// How often a page and the API may be asked until both tell of one tick.
const TRIES: usize = 100;

/// Whatever somebody else may write into a definition.
const HOSTILE: &str = r#""'><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"#;

fn definitions() -> String {
    let long = "a-name-that-is-as-long-as-names-may-be-and-has-nowhere-to-break-1";
    let hostile = HOSTILE.replace('\'', "''");
    let many: Vec<String> = (0..200)
        .map(|number| {
            format!("    - {{name: many-{number:03}, objective: 99%, errors: {{total: http_requests_total, badWhere: 'code=~\"5..\"'}}}}\n")
        })
        .collect();
    format!(
        r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {{name: shop, labels: {{team: payments, note: '{hostile}'}}}}
spec:
  window: 30d
  alertPolicy: test
  objectives:
    - {{name: availability, description: '{hostile}', objective: 99.9%, errors: {{total: http_requests_total, badWhere: 'code=~"5.."'}}}}
    - {{name: {long}, objective: 99%, latency: {{histogram: http_request_duration_seconds, atMost: 300ms}}}}
    - {{name: throughput, objective: 99%, slice: 5s, traffic: {{total: http_requests_total, atLeast: 1/s}}}}
    - {{name: unmeasured, objective: 99%, errors: {{total: nothing_total, bad: nothing_bad_total}}}}
---
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {{name: crowd}}
spec:
  window: 30d
  alertPolicy: none
  objectives:
{}"#,
        many.concat()
    )
}

const POLICY: &str = "
apiVersion: sloburn.dev/v1
kind: AlertPolicy
metadata: {name: test}
spec:
  tiers: [{name: fast, severity: page, long: 60s, short: 10s, burn: 14.4}]
  lowTraffic: off
";

async fn start(exporter: &Exporter) -> Daemon {
    let config = format!(
        "tick: 1s\nsources: {{default: {{scrape: {{interval: 1s, timeout: 1s, offset: 1s, settle: 10s, targets: [{{url: 'http://{}/metrics'}}]}}}}}}\n",
        exporter.address()
    );
    let mut daemon = Daemon::prepare(&Files {
        config: &config,
        definitions: &definitions(),
        alerts: POLICY,
        ..Files::default()
    });
    daemon.start().await;
    daemon
}

/// A script that says of which tick a page tells.
const TICK: &str = "return document.querySelector('#foot time').dateTime";

#[tokio::test]
async fn the_daemons_pages_follow_and_say_what_the_api_says() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let exporter = Exporter::start().await.expect("loopback has a free port");
    exporter.traffic(500.0, 0.0);
    let daemon = start(&exporter).await;
    let url = daemon.url();

    browser.open(&format!("{url}/?search=shop")).await;
    browser
        .eval("window.same = true; document.getElementById('search').value = 'typed'")
        .await;
    follows(&browser).await;
    let typed = browser
        .eval("return document.getElementById('search').value")
        .await;
    assert_eq!(typed, "typed", "what was typed stays");

    exporter.traffic(500.0, 0.2);
    let paging = "return document.querySelector('.sign.page') !== null && window.same";
    assert_eq!(
        browser.until("a page", paging).await,
        true,
        "the page was loaded anew"
    );

    let folder = pictures();
    for (path, name) in [
        ("/?search=shop", "overview"),
        ("/", "overview-crowd"),
        ("/?search=nobody", "overview-empty"),
        ("/slos/shop/availability", "objective-burning"),
        ("/slos/shop/unmeasured", "objective-unmeasured"),
        ("/incidents", "incidents"),
        ("/sources", "sources"),
        ("/nothing", "refusal"),
    ] {
        browser.open(&format!("{url}{path}")).await;
        browser.picture(&folder, name).await;
    }
    browser.open(&format!("{url}/incidents")).await;
    browser.click("table.incidents a").await;
    browser.picture(&folder, "incident").await;

    let hacked = browser.eval("return window.hacked === undefined").await;
    assert_eq!(hacked, true);
    let complaints = browser.complaints().await;
    let refused = |line: &String| line.contains("/nothing") && line.contains("404");
    let others: Vec<_> = complaints.iter().filter(|line| !refused(line)).collect();
    assert!(others.is_empty(), "{others:?}");

    browser.allow_scripts(false).await;
    same_without_scripts(&browser, &daemon).await;
}

/// Waits for another tick than the one that is shown, in the same page.
async fn follows(browser: &Browser) {
    let shown = browser.eval(TICK).await;
    let another = format!("{TICK} !== {shown} && window.same");
    browser.until("another tick", &another).await;
}

/// Compares what an overview without scripts shows with what the API gives of the same tick.
async fn same_without_scripts(browser: &Browser, daemon: &Daemon) {
    for _ in 0..TRIES {
        browser
            .open(&format!("{}/?search=shop&sort=name", daemon.url()))
            .await;
        let list = daemon.json("/api/v1/slos?search=shop&sort=name").await;
        // Scripts of the page are off; reading it is not its own script. Below the budget of a window of which little
        // was measured stands of how much it is.
        browser.allow_scripts(true).await;
        let shown = browser.eval(TICK).await;
        let rows = browser.eval(
            "return [...document.querySelectorAll('tbody tr')].map((row) => [row.querySelector('th a').innerText, row.querySelector('.left').innerText.split('\\n')[0]])",
        ).await;
        browser.allow_scripts(false).await;
        if shown == list["at"] {
            assert_eq!(rows, expected(&list));
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("no page and no answer of the API were ever of the same tick");
}

/// Names and shares as a person reads them.
fn expected(list: &Value) -> Value {
    let row = |slo: &Value| {
        let name = format!(
            "{}/{}",
            slo["service"].as_str().unwrap(),
            slo["name"].as_str().unwrap()
        );
        let left = slo["budget"]["remaining"].as_f64();
        let left = left.map_or_else(|| "unknown".to_owned(), sloburn::status::words::percent);
        Value::from(vec![name, left.replace('-', "−")])
    };
    list["items"].as_array().unwrap().iter().map(row).collect()
}
