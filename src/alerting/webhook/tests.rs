//! The webhook against a server that writes down what it gets.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::alerting::sample;
use crate::domain::incident::{Change, CloseReason};
use crate::domain::policy::Severity;
use crate::domain::time::Span;

use super::*;

type Calls = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A server that answers everything with `status`.
async fn server(status: u16) -> (String, Calls, JoinSet<()>) {
    let calls = Calls::default();
    let log = Arc::clone(&calls);
    let answer = move |headers: HeaderMap, body: String| async move {
        log.lock().unwrap().push((headers, body));
        let location = [("location", "http://127.0.0.1:1/elsewhere")];
        (
            StatusCode::from_u16(status).unwrap(),
            location,
            "no\nthank you",
        )
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=canary", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let router = Router::new().route("/hook", post(answer));
        axum::serve(listener, router).await.unwrap();
    });
    (url, calls, tasks)
}

fn webhook(url: &str) -> Webhook {
    Webhook {
        http: Http::new().unwrap(),
        url: url.to_owned(),
        secret_file: None,
        zone: TimeZone::UTC,
    }
}

#[expect(clippy::too_many_lines, reason = "the whole body, as it is documented")]
#[tokio::test]
async fn facts_are_numbers_and_the_text_stands_beside_them() {
    let (url, calls, _tasks) = server(204).await;
    let notices = [sample::closed(), sample::unmeasured(Change::Opened)];
    for notice in notices {
        let row = sample::row(notice, "hook");
        let told = webhook(&url).call(&row, row.notice.at).await;
        assert_eq!(told, Ok(Accepted::DONE));
    }
    let bodies: Vec<Value> = calls
        .lock()
        .unwrap()
        .iter()
        .map(|(_, body)| serde_json::from_str(body).unwrap())
        .collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&bodies[0]).unwrap(), @r#"
    {
      "data": {
        "burn": {
          "bad": 954.0,
          "budget": {
            "allowed": 41200.0,
            "remaining": 0.627,
            "remainingBefore": 0.71,
            "secondsToEmpty": 8880.0
          },
          "costBad": 3433.0,
          "costTotal": 17167.0,
          "coverage": 1.0,
          "links": {
            "details": "https://slo.example.com/slos/checkout/availability",
            "graph": null,
            "runbook": "https://runbooks.example.com/checkout"
          },
          "name": "availability",
          "objective": 0.999,
          "objectivePercent": "99.9",
          "onset": "2026-11-23T01:31:00Z",
          "paged": "2026-11-23T01:36:00Z",
          "service": "checkout",
          "signal": "errors",
          "stopped": "2026-11-23T01:49:00Z",
          "threshold": null,
          "tiers": [
            {
              "badEvents": null,
              "firing": false,
              "long": {
                "bad": 954.0,
                "burn": 16.671618055676912,
                "seconds": 3600.0,
                "total": 57223.0
              },
              "name": "fast",
              "severity": "page",
              "short": {
                "bad": 2.0,
                "burn": 0.2999850007499625,
                "seconds": 300.0,
                "total": 6667.0
              },
              "threshold": 14.4
            },
            {
              "badEvents": null,
              "firing": false,
              "long": {
                "bad": 1000.0,
                "burn": 0.7281454426833033,
                "seconds": 86400.0,
                "total": 1373352.0
              },
              "name": "day",
              "severity": "ticket",
              "short": {
                "bad": 954.0,
                "burn": 8.335809027838456,
                "seconds": 7200.0,
                "total": 114446.0
              },
              "threshold": 3.0
            }
          ],
          "total": 4769.0,
          "uid": "checkout/availability",
          "unit": "events",
          "windowSeconds": 2592000.0
        },
        "closeReason": "recovered",
        "groups": null,
        "incident": "7f3a09c2d1e44b10",
        "labels": {
          "service": "checkout",
          "signal": "errors",
          "slo": "checkout/availability",
          "team": "payments"
        },
        "opened": "2026-11-23T01:36:00Z",
        "sequence": 2,
        "severity": "page",
        "severityBefore": null,
        "text": "✅ RESOLVED checkout/availability · errors stopped 01:49, closed 02:33 UTC after the hold\nLasted   01:31–01:49 (18 min) · paged 01:36\nCost     3,433 of 17,167 requests = 8.3 % of the 30 d budget\nNow      62.7 % left · 5m burn 0.3× · no tier firing\nDo       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability\ntick 2026-11-23T02:33:00Z · incident 7f3a09c2d1e44b10 · 2",
        "ticks": null,
        "title": "✅ RESOLVED checkout/availability · errors stopped 01:49, closed 02:33 UTC after the hold",
        "unmeasured": null
      },
      "id": "7f3a09c2d1e44b10/hook/2",
      "timestamp": "2026-11-23T02:33:00Z",
      "type": "incident.closed"
    }
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&bodies[1]["data"]["unmeasured"]).unwrap(), @r#"
    {
      "blind": [
        "checkout/slo-1",
        "checkout/slo-2",
        "checkout/slo-3",
        "checkout/slo-4",
        "checkout/slo-5",
        "checkout/slo-6",
        "checkout/slo-7"
      ],
      "failedReads": 24,
      "held": [
        {
          "burn": 16.67,
          "severity": "page",
          "slo": "checkout/availability"
        }
      ],
      "lastGoodAt": "2026-11-23T02:01:45Z",
      "reason": "HTTP 503",
      "source": "thanos-eu"
    }
    "#);
}

/// The documentation has a body of each type, as it is sent.
#[test]
fn the_documented_bodies_are_those_that_are_sent() {
    let notices = [
        sample::opened(),
        sample::next(Change::Rose {
            from: Severity::Ticket,
        }),
        sample::next(Change::Fell {
            from: Severity::Page,
        }),
        sample::next(Change::Reminded),
        sample::closed(),
        sample::unmeasured(Change::Opened),
        sample::unmeasured(Change::Closed(CloseReason::Recovered)),
        sample::refused(Change::Opened),
        sample::refused(Change::Closed(CloseReason::Recovered)),
        sample::passed_over(Change::Opened),
        sample::passed_over(Change::Closed(CloseReason::Recovered)),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/webhook");
    let (mut sent, mut old) = (BTreeSet::new(), Vec::new());
    for notice in notices {
        let row = sample::row(notice, "hook");
        let message = message(&row.notice, &TimeZone::UTC, row.notice.at);
        let id = id(&row.key);
        let envelope = envelope::envelope(&id, &row.notice, &message);
        let name = format!("{}.json", envelope.r#type);
        let body = serde_json::to_string_pretty(&envelope).unwrap() + "\n";
        let documented = folder.join(&name);
        if fs::read_to_string(&documented).ok().as_ref() != Some(&body) {
            let made = std::env::temp_dir().join(&name);
            fs::write(&made, body).unwrap();
            old.push(made.display().to_string());
        }
        sent.insert(name);
    }
    assert!(
        old.is_empty(),
        "bodies are old: cp {} {}",
        old.join(" "),
        folder.display()
    );
    let names = fs::read_dir(&folder).unwrap();
    let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), sent);
    let document = include_str!("../../../docs/webhook.md");
    for name in sent {
        assert!(document.contains(&format!("(webhook/{name})")), "{name}");
    }
}

#[tokio::test]
async fn groups_that_are_not_watched_are_told_with_their_numbers() {
    let (url, calls, _tasks) = server(204).await;
    let end = Change::Closed(CloseReason::Recovered);
    for change in [Change::Opened, end] {
        let row = sample::row(sample::refused(change), "hook");
        let told = webhook(&url).call(&row, row.notice.at).await;
        assert_eq!(told, Ok(Accepted::DONE));
    }
    let bodies = calls.lock().unwrap();
    let bodies = bodies.iter().map(|(_, body)| {
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["data"]["burn"].is_null() && body["data"]["unmeasured"].is_null());
        let groups = serde_json::to_string_pretty(&body["data"]["groups"]).unwrap();
        let (kind, reason) = (&body["type"], &body["data"]["closeReason"]);
        format!("{kind} {reason} {}\n{groups}", body["data"]["labels"])
    });
    insta::assert_snapshot!(bodies.collect::<Vec<_>>().join("\n"), @r#"
    "groups.opened" null {"service":"checkout","signal":"errors","slo":"checkout/availability","team":"payments"}
    {
      "details": "https://slo.example.com/slos/checkout/availability",
      "groupBy": [
        "route"
      ],
      "known": 200,
      "maxGroups": 200,
      "more": false,
      "name": "availability",
      "refused": 497,
      "service": "checkout",
      "some": [
        "{route=\"/a\"}",
        "{route=\"/b\"}",
        "{route=\"/c\"}",
        "{route=\"/d\"}",
        "{route=\"/e\"}"
      ],
      "uid": "checkout/availability"
    }
    "groups.closed" "recovered" {"service":"checkout","signal":"errors","slo":"checkout/availability","team":"payments"}
    {
      "details": "https://slo.example.com/slos/checkout/availability",
      "groupBy": [
        "route"
      ],
      "known": 200,
      "maxGroups": 200,
      "more": false,
      "name": "availability",
      "refused": 497,
      "service": "checkout",
      "some": [
        "{route=\"/a\"}",
        "{route=\"/b\"}",
        "{route=\"/c\"}",
        "{route=\"/d\"}",
        "{route=\"/e\"}"
      ],
      "uid": "checkout/availability"
    }
    "#);
}

#[tokio::test]
async fn every_copy_has_the_same_id_and_a_signature_of_its_own_time() {
    let (url, calls, _tasks) = server(200).await;
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    writeln!(secret, "whsec_c2xvYnVybiBzaWduaW5nIGtleQ==").unwrap();
    let mut webhook = webhook(&url);
    webhook.secret_file = Some(secret.path().to_owned());
    let row = sample::row(sample::opened(), "häppy.hook");
    for later in [0, 60] {
        let now = row.notice.at + Span::from_secs(later);
        webhook.call(&row, now).await.unwrap();
    }
    let mut seen = String::new();
    for (headers, _) in calls.lock().unwrap().iter() {
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            seen.push_str(headers[name].to_str().unwrap());
            seen.push('\n');
        }
    }
    insta::assert_snapshot!(seen, @r"
    7f3a09c2d1e44b10/h%C3%A4ppy%2Ehook/1
    1795397760
    v1,01QRpe/7w6DIJLDaYUrWimTRCxLalBKec5Fs5conDGk=
    7f3a09c2d1e44b10/h%C3%A4ppy%2Ehook/1
    1795397820
    v1,IAenpoT7wJSV+0Wii4hdWOQrRefUwl8odCiRuCsiz2I=
    ");
}

#[tokio::test]
async fn refusals_say_what_to_do_and_redirects_are_not_followed() {
    let mut seen = String::new();
    let row = sample::row(sample::opened(), "hook");
    for status in [302, 400, 404, 429, 503] {
        let (url, calls, _tasks) = server(status).await;
        let error = webhook(&url).call(&row, row.notice.at).await.unwrap_err();
        assert_eq!(calls.lock().unwrap().len(), 1);
        let sentence = error.to_string();
        assert!(!sentence.contains("canary"), "{sentence}");
        let host = http::host(&url).unwrap();
        seen.push_str(&sentence.replace(&host, "example.com"));
        seen.push('\n');
    }
    insta::assert_snapshot!(seen, @r"
    the webhook at `example.com` redirects elsewhere (HTTP 302), which is not followed: write down its final address
    the webhook at `example.com` refuses with HTTP 400 `no thank you`: check its address and what it accepts
    the webhook at `example.com` refuses with HTTP 404 `no thank you`: check its address and what it accepts
    the webhook at `example.com` asks for fewer messages (HTTP 429)
    the webhook at `example.com` answers HTTP 503 `no thank you`; it is tried again
    ");
}
