//! Alertmanager against servers that write down what they get.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::alerting::sample;
use crate::domain::incident::{CloseReason, IncidentId};
use crate::domain::notice::Notice;
use crate::domain::policy::Severity;

use super::*;

#[derive(Default)]
struct Scene {
    urls: Vec<String>,
    bodies: Arc<Mutex<Vec<Value>>>,
    servers: JoinSet<()>,
}

impl Scene {
    /// One member for each status, which it answers with.
    async fn new(statuses: &[u16]) -> Self {
        let mut scene = Self::default();
        for status in statuses {
            let status = StatusCode::from_u16(*status).unwrap();
            let bodies = Arc::clone(&scene.bodies);
            let answer = move |body: String| async move {
                bodies
                    .lock()
                    .unwrap()
                    .push(serde_json::from_str(&body).unwrap());
                (status, "bad alert")
            };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            scene
                .urls
                .push(format!("http://{}/", listener.local_addr().unwrap()));
            let router = Router::new().route("/api/v2/alerts", post(answer));
            scene
                .servers
                .spawn(async move { axum::serve(listener, router).await.unwrap() });
        }
        scene
    }

    fn receiver(&self) -> Alertmanager {
        Alertmanager {
            http: Http::new().unwrap(),
            urls: self.urls.clone(),
            zone: TimeZone::UTC,
            lifetime: Alertmanager::lifetime(Span::from_secs(30)),
            faults: Mutex::default(),
        }
    }

    /// One line for each alert that was told since the last time.
    fn log(&self) -> String {
        let mut log = String::new();
        for body in self.bodies.lock().unwrap().drain(..) {
            for alert in body.as_array().unwrap() {
                let text = |of: &Value| of.as_str().unwrap().replace("2026-11-23T", "");
                let (labels, annotations) = (&alert["labels"], &alert["annotations"]);
                let (starts, ends) = (text(&alert["startsAt"]), text(&alert["endsAt"]));
                let (severity, tick) = (text(&labels["severity"]), text(&annotations["tick"]));
                writeln!(log, "{severity}: {starts} to {ends}, tick {tick}").unwrap();
            }
        }
        log
    }
}

/// The row as it is kept once it was told.
async fn told(receiver: &Alertmanager, notice: Notice, memory: Option<String>) -> OutboxRow {
    let mut row = sample::row(notice, "am");
    row.memory = memory;
    let now = row.notice.at + Span::from_secs(16);
    let accepted = receiver.call(&row, now).await.unwrap();
    assert!(accepted.done);
    row.memory = accepted.memory;
    row.delivered = Some(now);
    row
}

#[tokio::test]
async fn each_severity_is_an_alert_of_its_own() {
    let scene = Scene::new(&[200]).await;
    let receiver = scene.receiver();
    let mut ticket = sample::opened();
    ticket.severity = Severity::Ticket;
    let mut rose = sample::next(Change::Rose {
        from: Severity::Ticket,
    });
    rose.opened = ticket.opened;
    rose.at = sample::at("2026-11-23T01:40:00Z");
    let row = told(&receiver, ticket, None).await;
    let row = told(&receiver, rose, row.memory).await;
    let row = told(&receiver, sample::next(Change::Reminded), row.memory).await;
    told(&receiver, sample::closed(), row.memory).await;
    insta::assert_snapshot!(scene.log(), @r"
    ticket: 01:36:00Z to 01:40:16Z, tick 01:36:00Z
    page: 01:40:00Z to 01:44:16Z, tick 01:40:00Z
    ticket: 2026-11-22T20:10:00Z to 01:40:00Z, tick 01:40:00Z
    page: 01:40:00Z to 02:37:16Z, tick 02:33:00Z
    page: 01:40:00Z to 02:33:00Z, tick 02:33:00Z
    ");
}

#[tokio::test]
async fn an_alert_as_it_is_sent() {
    let scene = Scene::new(&[200]).await;
    let mut notice = sample::opened();
    notice.labels.insert("k8s.io/part-of".into(), "shop".into());
    notice.labels.insert("empty".into(), String::new());
    told(&scene.receiver(), notice, None).await;
    let bodies = scene.bodies.lock().unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&bodies[0]).unwrap(), @r#"
    [
      {
        "annotations": {
          "description": "Promise  Card payments succeed · 99.9 % over 30 d · owner payments\nSpeed    5m: 954 of 4,769 = 200× · 1h: 954 of 57,223 = 16.7× (pages above 14.4×)\nBudget   68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace\nSince    01:31 UTC, rising ▁▂▆▇ · coverage 100 %\nWhere    code=503 94 % · route=/pay 81 % · pods even (12)\nDo       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability",
          "incident": "7f3a09c2d1e44b10",
          "runbook_url": "https://runbooks.example.com/checkout",
          "summary": "🔴 PAGE checkout/availability: 20.0 % of requests fail (0.1 % allowed)",
          "tick": "2026-11-23T01:36:00Z"
        },
        "endsAt": "2026-11-23T01:40:16Z",
        "generatorURL": "https://slo.example.com/slos/checkout/availability",
        "labels": {
          "alertname": "SloBurn",
          "k8s_io_part_of": "shop",
          "service": "checkout",
          "severity": "page",
          "signal": "errors",
          "slo": "checkout/availability",
          "team": "payments"
        },
        "startsAt": "2026-11-23T01:36:00Z"
      }
    ]
    "#);
}

#[tokio::test]
async fn an_end_told_again_does_not_end_what_began_since() {
    let scene = Scene::new(&[200]).await;
    let receiver = scene.receiver();
    let closed = told(&receiver, sample::closed(), None).await;
    let mut again = sample::opened();
    again.opened = sample::at("2026-11-23T02:40:00Z");
    again.at = again.opened;
    let opened = told(&receiver, again, None).await;
    scene.log();
    let at = sample::at("2026-11-23T02:41:00Z");
    receiver
        .reassert(std::slice::from_ref(&closed), at)
        .await
        .unwrap();
    receiver
        .reassert(&[opened, closed.clone()], at)
        .await
        .unwrap();
    let later = at + Span::from_mins(8);
    receiver.reassert(&[closed], later).await.unwrap();
    insta::assert_snapshot!(scene.log(), @r"
    page: 01:36:00Z to 02:33:00Z, tick 02:33:00Z
    page: 02:40:00Z to 02:45:00Z, tick 02:40:00Z
    ");
}

#[tokio::test]
async fn an_objective_that_is_gone_ends_the_alert_that_it_began() {
    let scene = Scene::new(&[200]).await;
    let receiver = scene.receiver();
    let opened = told(&receiver, sample::opened(), None).await;
    told(&receiver, sample::removed(), opened.memory).await;
    let bodies = scene.bodies.lock().unwrap();
    assert_eq!(bodies[0][0]["labels"], bodies[1][0]["labels"]);
    assert_eq!(bodies[1][0]["endsAt"], "2026-11-23T02:33:00Z");
}

#[tokio::test]
async fn one_member_that_takes_it_is_enough() {
    let row = sample::row(sample::next(Change::Closed(CloseReason::Removed)), "am");
    let mut seen = String::new();
    for statuses in [&[200, 500][..], &[500, 200], &[400], &[503], &[]] {
        let scene = Scene::new(statuses).await;
        let receiver = scene.receiver();
        let told = match receiver.call(&row, row.notice.at).await {
            Ok(_) => "told".to_owned(),
            Err(error) => error.to_string(),
        };
        let hosts = scene.urls.iter().filter_map(|url| http::host(url));
        let told = hosts.fold(told, |told, host| told.replace(&host, "am:9093"));
        writeln!(
            seen,
            "{statuses:?} {told}, {} ill",
            receiver.faults.lock().unwrap().len()
        )
        .unwrap();
    }
    insta::assert_snapshot!(seen, @r"
    [200, 500] told, 1 ill
    [500, 200] told, 1 ill
    [400] the Alertmanager at `am:9093` refuses with HTTP 400 `bad alert`: check its address and what it accepts, 0 ill
    [503] the Alertmanager at `am:9093` answers HTTP 503 `bad alert`; it is tried again, 0 ill
    [] no Alertmanager is named: write down the URLs of all members, 0 ill
    ");
}

#[tokio::test]
async fn groups_that_are_not_watched_are_an_alert_that_ends_as_it_began() {
    let scene = Scene::new(&[200]).await;
    let receiver = scene.receiver();
    let row = told(&receiver, sample::refused(Change::Opened), None).await;
    let mut over = sample::refused(Change::Closed(CloseReason::Recovered));
    over.at = sample::at("2026-11-23T03:10:00Z");
    over.labels.insert("team".into(), "nobody".into());
    told(&receiver, over, row.memory).await;
    let bodies = scene.bodies.lock().unwrap();
    let alerts = bodies.iter().flat_map(|body| body.as_array().unwrap());
    let shown = alerts.map(|alert| serde_json::to_string_pretty(alert).unwrap());
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    {
      "annotations": {
        "description": "Cause    grouped by route · 200 watched · maxGroups 200\nRefused  {route=\"/a\"}, {route=\"/b\"}, {route=\"/c\"}, {route=\"/d\"}, {route=\"/e\"}, +492\nBlind    no alert can fire for them; they count towards the whole\nHeld     groups that are watched, their budgets and their alerts\nNext     raise maxGroups, narrow the selector, or group by a label with fewer values · Details https://slo.example.com/slos/checkout/availability",
        "incident": "0c20bded00000200",
        "summary": "🟠 NOT WATCHED 497 groups of checkout/availability since 02:02 UTC; not known to be failing",
        "tick": "2026-11-23T02:12:00Z"
      },
      "endsAt": "2026-11-23T02:16:16Z",
      "generatorURL": "https://slo.example.com/slos/checkout/availability",
      "labels": {
        "alertname": "SloGroupsRefused",
        "service": "checkout",
        "severity": "ticket",
        "signal": "errors",
        "slo": "checkout/availability",
        "team": "payments"
      },
      "startsAt": "2026-11-23T02:12:00Z"
    }
    {
      "annotations": {
        "description": "Lasted   02:02–03:10 (1 h 8 min)\nRefused  497 groups when it was told · {route=\"/a\"}, {route=\"/b\"}, {route=\"/c\"}, {route=\"/d\"}, {route=\"/e\"}, +492\nGroups   200 watched · maxGroups 200",
        "incident": "0c20bded00000200",
        "summary": "🟢 WATCHING ALL groups of checkout/availability · since 03:10 UTC",
        "tick": "2026-11-23T03:10:00Z"
      },
      "endsAt": "2026-11-23T03:10:00Z",
      "generatorURL": "https://slo.example.com/slos/checkout/availability",
      "labels": {
        "alertname": "SloGroupsRefused",
        "service": "checkout",
        "severity": "ticket",
        "signal": "errors",
        "slo": "checkout/availability",
        "team": "payments"
      },
      "startsAt": "2026-11-23T02:12:00Z"
    }
    "#);
}

#[test]
fn episodes_of_one_source_are_alerts_of_their_own() {
    let (one, mut other) = (
        sample::unmeasured(Change::Opened),
        sample::unmeasured(Change::Opened),
    );
    other.incident = IncidentId::from_text("0c20bded00000200");
    let labels = |notice: &Notice| alert::labels(notice, notice.severity);
    assert_ne!(
        labels(&one),
        labels(&other),
        "else the end of one ends both"
    );
    let over = sample::unmeasured(Change::Closed(CloseReason::Recovered));
    assert_eq!(labels(&one), labels(&over));
}

#[tokio::test]
async fn ticks_that_were_passed_over_are_an_alert_of_the_daemon_that_passes_over_them() {
    let scene = Scene::new(&[200]).await;
    let receiver = scene.receiver();
    let row = told(&receiver, sample::passed_over(Change::Opened), None).await;
    let over = sample::passed_over(Change::Closed(CloseReason::Recovered));
    told(&receiver, over, row.memory).await;
    let bodies = scene.bodies.lock().unwrap();
    let alerts = bodies.iter().flat_map(|body| body.as_array().unwrap());
    let shown = alerts.map(|alert| format!("{} until {}", alert["labels"], alert["endsAt"]));
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    {"alertname":"SloTicksPassedOver","episode":"1a7e00001a7e0000","severity":"ticket"} until "2026-11-23T02:16:16Z"
    {"alertname":"SloTicksPassedOver","episode":"1a7e00001a7e0000","severity":"ticket"} until "2026-11-23T02:12:00.001Z"
    "#);
}
