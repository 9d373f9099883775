//! A daemon that answers as told, and what `status` makes of it.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::cli::tests::{Ran, run};

fn slo(id: &str, alert: &str, compliance: &str, outcome: &str) -> Value {
    let (service, name) = id.split_once('/').unwrap();
    let known = compliance != "unknown";
    let counted = |events: u32| if known { events } else { 0 };
    let good = matches!(outcome, "measured" | "noTraffic");
    json!({
        "uid": id, "id": id, "service": service, "name": name, "group": {}, "signal": "errors", "labels": {},
        "objective": 0.999, "objectivePercent": "99.9", "owner": null, "source": "default",
        "alert": alert, "measured": good, "compliance": compliance,
        "measurement": {
            "outcome": outcome, "at": "2026-03-01T12:00:00Z", "lastGoodAt": "2026-03-01T11:58:30Z",
            "reason": (outcome == "failed").then_some("HTTP 503 from Prometheus,\nbody: \u{1b}[31mno"), "approximate": false,
            "series": {"total": 12, "bad": 4}, "badSeriesEverSeen": true, "reconstructedShare": 0.0
        },
        "window": {
            "kind": "rolling", "length": "30d", "timeZone": null, "from": "2026-01-30T12:00:00Z", "to": "2026-03-01T12:00:00Z",
            "bad": 954, "total": 57_223, "ratio": known.then_some(0.016), "coverage": 0.9996
        },
        "budget": {
            "unit": "events", "allowed": 57.2, "spent": 0.3, "emptiedAt": null, "secondsToEmpty": null,
            "remaining": match compliance { "met" => json!(0.687), "breached" => json!(-0.004), _ => json!(null) }
        },
        "burn": {
            "5m": {"rate": known.then_some(200.04), "bad": counted(954), "total": counted(4_769), "coverage": 1.0},
            "1h": {"rate": known.then_some(16.68), "bad": counted(954), "total": counted(57_223), "coverage": 1.0},
            "6h": {"rate": known.then_some(6.3), "bad": counted(954), "total": counted(57_223), "coverage": 1.0}
        },
        "contributors": [],
        "tiers": [{
            "name": "fast", "severity": "page", "long": "1h", "short": "5m", "threshold": 14.4,
            "firing": alert == "page", "guard": {"seen": 2, "needed": 3}
        }],
        "incident": null, "links": {"page": null, "graph": null, "runbook": null}
    })
}

fn list(items: &[Value]) -> Value {
    json!({"at": "2026-03-01T12:00:00Z", "tickAgeSeconds": 17.4, "stale": false, "items": items, "next": null})
}

fn four() -> Value {
    list(&[
        slo("checkout/availability", "page", "breached", "measured"),
        slo("cart/latency", "ticket", "met", "failed"),
        slo("search/availability", "none", "unknown", "noData"),
        slo("checkout/latency", "none", "met", "noTraffic"),
    ])
}

#[tokio::test]
async fn a_reason_that_many_share_is_told_once() {
    let down = ["a/a", "a/b", "a/c", "a/d", "a/e"].map(|id| slo(id, "none", "met", "failed"));
    insta::assert_snapshot!(told(&list(&down), &[]).await, @r"
    out:
    As of 2026-03-01T12:00:00Z (17s ago): 5 objectives, 5 not measured

    SLO  OBJECTIVE  WINDOW  BUDGET LEFT  BURN               ALERT  COVERAGE  MEASURED
    a/a  99.9%      30d     68.7%        200× 5m, 16.7× 1h  -      99.9%     NO, failed (last at 2026-03-01T11:58:30Z)
    a/b  99.9%      30d     68.7%        200× 5m, 16.7× 1h  -      99.9%     NO, failed (last at 2026-03-01T11:58:30Z)
    a/c  99.9%      30d     68.7%        200× 5m, 16.7× 1h  -      99.9%     NO, failed (last at 2026-03-01T11:58:30Z)
    a/d  99.9%      30d     68.7%        200× 5m, 16.7× 1h  -      99.9%     NO, failed (last at 2026-03-01T11:58:30Z)
    a/e  99.9%      30d     68.7%        200× 5m, 16.7× 1h  -      99.9%     NO, failed (last at 2026-03-01T11:58:30Z)

    HTTP 503 from Prometheus,�body: �[31mno
      a/a, a/b, a/c, +2
    exit 1
    ");
}

/// Runs `status` with `arguments` against a server whose pages are `answers`, each naming the next.
async fn asked(answers: Vec<(StatusCode, String)>, arguments: &[&str]) -> Ran {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = move |uri: axum::http::Uri| {
        let cursor = uri.query().and_then(|query| query.split_once("cursor="));
        let page = cursor.map_or(0, |(_, page)| page.parse::<usize>().unwrap());
        let (status, body) = answers[page].clone();
        async move { (status, [(header::CONTENT_TYPE, "application/json")], body) }
    };
    let mut server = JoinSet::new();
    server.spawn(async move {
        axum::serve(listener, Router::new().route("/api/v1/slos", get(answer))).await
    });
    let ran = run(&[&["status", "--url", &url], arguments].concat(), &[]).await;
    Ran {
        out: ran.out.replace(&url, "URL"),
        err: ran.err.replace(&url, "URL"),
        ..ran
    }
}

async fn told(answer: &Value, arguments: &[&str]) -> Ran {
    asked(vec![(StatusCode::OK, answer.to_string())], arguments).await
}

#[tokio::test]
async fn a_table_says_how_each_objective_fares() {
    let ran = told(&four(), &[]).await;
    insta::assert_snapshot!(ran, @r"
    out:
    As of 2026-03-01T12:00:00Z (17s ago): 4 objectives, 1 paging, 1 with a ticket, 1 breached, 2 not measured

    SLO                    OBJECTIVE  WINDOW  BUDGET LEFT      BURN                    ALERT   COVERAGE  MEASURED
    checkout/availability  99.9%      30d     -0.40% BREACHED  200× 5m, 16.7× 1h       PAGE    99.9%     yes
    cart/latency           99.9%      30d     68.7%            200× 5m, 16.7× 1h       ticket  99.9%     NO, failed (last at 2026-03-01T11:58:30Z)
    search/availability    99.9%      30d     unknown          unknown 5m, unknown 1h  -       99.9%     NO, no data (last at 2026-03-01T11:58:30Z)
    checkout/latency       99.9%      30d     68.7%            200× 5m, 16.7× 1h       -       99.9%     yes, no traffic

    HTTP 503 from Prometheus,�body: �[31mno
      cart/latency
    exit 1
    ");
}

/// Whatever is bad of a promise of 100 % is too much, and no share of anything.
#[tokio::test]
async fn what_has_no_bound_is_not_unknown() {
    let mut strict = slo("checkout/strict", "page", "breached", "measured");
    strict["budget"]["remaining"] = Value::Null;
    for window in ["5m", "1h", "6h"] {
        strict["burn"][window]["rate"] = Value::Null;
    }
    strict["burn"]["5m"]["bad"] = json!(0);
    let ran = told(&list(&[strict]), &[]).await;
    let rows = ran.out.lines().skip(2).collect::<Vec<_>>();
    insta::assert_snapshot!(rows.join("\n"), @r"
    SLO              OBJECTIVE  WINDOW  BUDGET LEFT         BURN               ALERT  COVERAGE  MEASURED
    checkout/strict  99.9%      30d     overspent BREACHED  unknown 5m, ∞× 1h  PAGE   99.9%     yes
    ");
}

#[tokio::test]
async fn groups_are_instances_of_one_objective() {
    let slos = ["shop/errors{route=\"/a\"}", "shop/errors{route=\"/b\"}"].map(|id| {
        let mut slo = slo("shop/errors", "none", "met", "measured");
        slo["id"] = json!(id);
        slo
    });
    let ran = told(&list(&slos), &[]).await;
    let first = ran.out.lines().next().unwrap_or_default();
    insta::assert_snapshot!(first, @"As of 2026-03-01T12:00:00Z (17s ago): 1 objective, 2 instances");
}

#[tokio::test]
async fn one_service_or_objective_can_be_asked_for() {
    insta::assert_snapshot!(told(&four(), &["checkout"]).await, @r"
    out:
    As of 2026-03-01T12:00:00Z (17s ago): 2 objectives, 1 paging, 1 breached

    SLO                    OBJECTIVE  WINDOW  BUDGET LEFT      BURN               ALERT  COVERAGE  MEASURED
    checkout/availability  99.9%      30d     -0.40% BREACHED  200× 5m, 16.7× 1h  PAGE   99.9%     yes
    checkout/latency       99.9%      30d     68.7%            200× 5m, 16.7× 1h  -      99.9%     yes, no traffic
    exit 1
    ");
    insta::assert_snapshot!(told(&four(), &["checkout/latency"]).await, @r"
    out:
    As of 2026-03-01T12:00:00Z (17s ago): 1 objective

    SLO               OBJECTIVE  WINDOW  BUDGET LEFT  BURN               ALERT  COVERAGE  MEASURED
    checkout/latency  99.9%      30d     68.7%        200× 5m, 16.7× 1h  -      99.9%     yes, no traffic
    exit 0
    ");
    insta::assert_snapshot!(told(&four(), &["chekout"]).await, @r"
    err:
    error: no objective is named `chekout`; did you mean `checkout`?
    exit 2
    ");
    insta::assert_snapshot!(told(&list(&[]), &["checkout"]).await, @r"
    err:
    error: no objective is named `checkout`; none is defined
    exit 2
    ");
}

#[tokio::test]
async fn the_exit_code_is_good_only_when_everything_is_known_to_be() {
    let mut codes = Vec::new();
    for (alert, compliance, outcome) in [
        ("none", "met", "measured"),
        ("none", "met", "noTraffic"),
        ("ticket", "met", "measured"),
        ("page", "met", "measured"),
        ("none", "breached", "measured"),
        ("none", "unknown", "noTraffic"),
        ("none", "met", "failed"),
    ] {
        let ran = told(&list(&[slo("a/b", alert, compliance, outcome)]), &[]).await;
        codes.push(format!("{alert} {compliance} {outcome}: {}", ran.code));
    }
    insta::assert_snapshot!(codes.join("\n"), @r"
    none met measured: 0
    none met noTraffic: 0
    ticket met measured: 1
    page met measured: 1
    none breached measured: 1
    none unknown noTraffic: 1
    none met failed: 1
    ");
}

#[tokio::test]
async fn a_daemon_that_no_longer_evaluates_is_said_loudly() {
    let mut stale = list(&[slo("a/b", "none", "met", "measured")]);
    stale["stale"] = json!(true);
    stale["tickAgeSeconds"] = json!(754.2);
    insta::assert_snapshot!(told(&stale, &[]).await, @r"
    out:
    STALE: the newest tick is of 2026-03-01T12:00:00Z (12m 34s ago). The daemon no longer evaluates; what follows is old.
    1 objective

    SLO  OBJECTIVE  WINDOW  BUDGET LEFT  BURN               ALERT  COVERAGE  MEASURED
    a/b  99.9%      30d     68.7%        200× 5m, 16.7× 1h  -      99.9%     yes
    exit 1
    ");
    let never =
        json!({"at": null, "tickAgeSeconds": null, "stale": true, "items": [], "next": null});
    insta::assert_snapshot!(told(&never, &[]).await, @r"
    out:
    STALE: the daemon has not finished a tick yet, so nothing is known.
    exit 1
    ");
}

#[tokio::test]
async fn json_is_what_the_api_gives_on_all_its_pages() {
    let mut first = list(&[slo("a/one", "none", "met", "measured")]);
    first["next"] = json!("1");
    let second = list(&[slo("b/two", "none", "met", "measured")]);
    let answers = [first, second]
        .map(|page| (StatusCode::OK, page.to_string()))
        .to_vec();
    let ran = asked(answers, &["--format", "json"]).await;
    let expected = list(&[
        slo("a/one", "none", "met", "measured"),
        slo("b/two", "none", "met", "measured"),
    ]);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), expected);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[tokio::test]
async fn what_is_not_a_daemon_is_named_with_what_to_do() {
    let answers = |status, body: &str| vec![(status, body.to_owned())];
    insta::assert_snapshot!(asked(answers(StatusCode::NOT_FOUND, "no"), &[]).await, @r"
    err:
    error: URL answered 404 Not Found; is that Sloburn's address?
    exit 2
    ");
    insta::assert_snapshot!(asked(answers(StatusCode::OK, "<html>"), &[]).await, @r"
    err:
    error: URL answered something else than Sloburn does; is that its address, and of this version?
      caused by: expected value at line 1 column 1
    exit 2
    ");
    insta::assert_snapshot!(asked(answers(StatusCode::OK, "{}"), &[]).await, @r"
    err:
    error: URL answered something else than Sloburn does; is that its address, and of this version?
      caused by: missing field `stale`
    exit 2
    ");
    insta::assert_snapshot!(run(&["status", "--url", "http://:9099"], &[]).await, @r"
    err:
    error: `http://:9099` is not an address; write --url http://127.0.0.1:9099
    exit 2
    ");
    insta::assert_snapshot!(run(&["status", "--url", "ftp://a"], &[]).await, @r"
    err:
    error: `ftp://a` is not an address; write --url http://127.0.0.1:9099
    exit 2
    ");
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = run(&["status", "--url", &closed.to_string()], &[]).await;
    insta::assert_snapshot!(ran.to_string().replace(&closed.to_string(), "ADDRESS"), @r"
    err:
    error: cannot reach a daemon at ADDRESS; is `sloburn run` running, and does --url say where it listens?
      caused by: error sending request for url (http://ADDRESS/api/v1/slos?limit=1000)
      caused by: client error (Connect)
      caused by: tcp connect error
      caused by: Connection refused (os error 111)
    exit 2
    ");
}
