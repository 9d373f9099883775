//! The JSON of the API: every shape, and what is `null`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Answer, get};
use crate::status::names::Named as _;
use crate::status::view::configuration::ConfigurationView;
use crate::status::view::incident::IncidentView;
use crate::status::view::list::ListView;
use crate::status::view::service::ServiceView;
use crate::status::view::slo::SloView;
use crate::status::view::summary::StatusView;

/// Reads an answer as `T`, which loses nothing of it.
pub(super) fn read<T: Serialize + DeserializeOwned>(answer: &Answer) -> T {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    let view: T = serde_json::from_str(&answer.body).unwrap();
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(serde_json::to_value(&view).unwrap(), body);
    view
}

/// The JSON as it came, with a line for everything down to a depth of `levels`.
fn folded(json: &str, levels: usize) -> String {
    let (mut text, mut depth, mut quoted, mut escaped) = (String::new(), 0_usize, false, false);
    for sign in json.chars() {
        let structural = !quoted;
        if structural && "]}".contains(sign) {
            depth -= 1;
            if depth < levels && !text.ends_with(['[', '{']) {
                text.push('\n');
                text.extend(std::iter::repeat_n("  ", depth));
            }
        }
        text.push(sign);
        depth += usize::from(structural && "[{".contains(sign));
        if structural && "[{,".contains(sign) {
            if depth <= levels {
                text.push('\n');
                text.extend(std::iter::repeat_n("  ", depth));
            } else if sign == ',' {
                text.push(' ');
            }
        }
        quoted ^= sign == '"' && !escaped;
        escaped = sign == '\\' && !escaped;
    }
    text
}

#[tokio::test(start_paused = true)]
async fn one_objective_is_a_list_with_every_numbers_inputs() {
    let answer = get("/api/v1/slos/checkout/latency").await;
    read::<ListView<SloView>>(&answer);
    insta::assert_snapshot!(folded(&answer.body, 3), @r#"
    {
      "at":"2026-01-15T12:00:00Z",
      "tickAgeSeconds":20,
      "stale":false,
      "items":[
        {
          "uid":"checkout/latency",
          "id":"checkout/latency",
          "service":"checkout",
          "name":"latency",
          "target":null,
          "group":{},
          "signal":"latency",
          "labels":{"criticality":"1", "signal":"latency", "team":"payments"},
          "objective":0.99,
          "objectivePercent":"99",
          "owner":"payments@example.com",
          "source":"default",
          "selectors":[{"role":"histogram", "query":"http_request_duration_seconds_bucket", "atMost":"0.3"}],
          "alert":"page",
          "measured":true,
          "compliance":"met",
          "measurement":{"outcome":"measured", "at":"2026-01-15T12:00:00Z", "lastGoodAt":"2026-01-15T12:00:00Z", "reason":null, "approximate":false, "series":{"total":12, "bad":4}, "badSeriesEverSeen":true, "reconstructedShare":0.0},
          "window":{"kind":"rolling", "length":"30d", "timeZone":null, "from":"2025-12-16T12:00:00Z", "to":"2026-01-15T12:00:00Z", "bad":20000, "total":4120033, "ratio":0.004854330050269015, "coverage":0.998},
          "budget":{"unit":"events", "allowed":41200.33, "spent":0.48543300502690145, "remaining":0.5145669949730985, "emptiedAt":null, "secondsToEmpty":62400},
          "burn":{"5m":{"rate":20.0, "bad":96, "total":480, "coverage":1.0}, "1h":{"rate":20.0, "bad":1152, "total":5760, "coverage":1.0}, "6h":{"rate":20.0, "bad":6912, "total":34560, "coverage":1.0}},
          "tiers":[{"name":"fast", "severity":"page", "long":"1h", "short":"5m", "threshold":14.4, "bad":null, "firing":true, "guard":{"seen":1152, "needed":83}, "heldBack":null}],
          "contributors":[{"window":"5m", "label":"route", "value":"/pay", "bad":72, "share":0.75}, {"window":"5m", "label":"route", "value":"/list", "bad":24, "share":0.25}, {"window":"5m", "label":"pod", "value":"a", "bad":48, "share":0.5}, {"window":"5m", "label":"pod", "value":"b", "bad":48, "share":0.5}],
          "incident":{"id":"758a304eec8dcba6", "slo":"checkout/latency", "service":"checkout", "severity":"page", "peak":"page", "opened":"2026-01-15T11:30:00Z", "onset":"2026-01-15T11:28:00Z", "paged":"2026-01-15T11:48:00Z", "closed":null, "closeReason":null, "history":[{"sequence":1, "at":"2026-01-15T11:30:00Z", "change":"opened", "severity":"ticket"}, {"sequence":2, "at":"2026-01-15T11:48:00Z", "change":"rose", "severity":"page"}]},
          "links":{"page":null, "graph":null, "runbook":"https://runbooks.example.com/checkout"}
        }
      ],
      "next":null
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn unknown_and_unbounded_numbers_are_null_and_five_outcomes_are_five_things() {
    let list: ListView<SloView> = read(&get("/api/v1/slos?sort=name").await);
    let lines = list.items.iter().map(|slo| {
        let short = slo.burn.values().next().unwrap();
        let number =
            |known: Option<f64>| known.map_or("null".into(), |known| format!("{known:.4}"));
        format!(
            "{:<46} {:<7} {:<9} {:<10} {:<6} ratio {:<7} remaining {:<7} burn {:<8} {}",
            slo.id,
            slo.alert.name(),
            slo.compliance.name(),
            slo.measurement.outcome.name(),
            slo.measured,
            number(slo.window.ratio),
            number(slo.budget.remaining),
            number(short.rate),
            slo.measurement.reason.as_deref().unwrap_or("-"),
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    cart/availability                              ticket  breached  measured   true   ratio 0.0015  remaining -0.5000 burn 4.1667   -
    cart/throughput                                none    met       noTraffic  true   ratio 0.0001  remaining 0.9302  burn null     -
    checkout/availability                          none    met       measured   true   ratio 0.0003  remaining 0.7078  burn 0.0000   -
    checkout/latency                               page    met       measured   true   ratio 0.0049  remaining 0.5146  burn 20.0000  -
    mail/availability{note="a\nb",route="/pay"}    none    met       measured   true   ratio 0.0000  remaining 1.0000  burn 0.0000   -
    mail/delivery                                  none    breached  measured   true   ratio 0.0003  remaining null    burn null     -
    mail/queue                                     none    met       partial    false  ratio 0.0004  remaining 0.6000  burn 0.0000   the source warned: some shards did not answer
    search/availability                            none    unknown   noData     false  ratio null    remaining null    burn null     no series matches http_requests_total{code="500"}
    search/latency                                 none    met       failed     false  ratio 0.0001  remaining 0.9000  burn null     cannot read `thanos-eu`: HTTP 503
    "#);
    let grouped = &list.items[4];
    assert_eq!(grouped.uid, "mail/availability");
    assert_eq!(grouped.group["note"], "a\nb");
    assert!(list.items[6].measurement.approximate);
}

#[tokio::test(start_paused = true)]
async fn services_tell_the_worst_of_their_objectives() {
    let list: ListView<ServiceView> = read(&get("/api/v1/services").await);
    let lines = list.items.iter().map(|it| {
        format!(
            "{} {:?} {:?} of {}, lowest {:?}",
            it.service, it.alert, it.compliance, it.slos.total, it.lowest_budget
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    cart Ticket Breached of 2, lowest Some(LowestBudgetView { id: "cart/availability", remaining: Some(-0.5) })
    checkout Page Met of 2, lowest Some(LowestBudgetView { id: "checkout/latency", remaining: Some(0.5145669949730985) })
    mail None Breached of 3, lowest Some(LowestBudgetView { id: "mail/delivery", remaining: None })
    search None Unknown of 2, lowest Some(LowestBudgetView { id: "search/latency", remaining: Some(0.9) })
    "#);
    insta::assert_snapshot!(folded(&serde_json::to_string(&list.items[1]).unwrap(), 1), @r#"
    {
      "service":"checkout",
      "labels":{"criticality":"1", "team":"payments"},
      "alert":"page",
      "compliance":"met",
      "slos":{"total":2, "alert":{"page":1, "ticket":0, "none":1}, "compliance":{"breached":0, "met":2, "unknown":0}, "outcome":{"measured":2, "noTraffic":0, "noData":0, "partial":0, "failed":0}},
      "lowestBudget":{"id":"checkout/latency", "remaining":0.5145669949730985}
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn incidents_are_listed_newest_first_with_their_history() {
    let answer = get("/api/v1/incidents?state=all").await;
    read::<ListView<IncidentView>>(&answer);
    insta::assert_snapshot!(folded(&answer.body, 3), @r#"
    {
      "at":"2026-01-15T12:00:00Z",
      "tickAgeSeconds":20,
      "stale":false,
      "items":[
        {
          "id":"758a304eec8dcba6",
          "slo":"checkout/latency",
          "service":"checkout",
          "severity":"page",
          "peak":"page",
          "opened":"2026-01-15T11:30:00Z",
          "onset":"2026-01-15T11:28:00Z",
          "paged":"2026-01-15T11:48:00Z",
          "closed":null,
          "closeReason":null,
          "history":[{"sequence":1, "at":"2026-01-15T11:30:00Z", "change":"opened", "severity":"ticket"}, {"sequence":2, "at":"2026-01-15T11:48:00Z", "change":"rose", "severity":"page"}]
        },
        {
          "id":"8cc26948dc6aa4c4",
          "slo":"cart/availability",
          "service":"cart",
          "severity":"ticket",
          "peak":"ticket",
          "opened":"2026-01-15T10:30:00Z",
          "onset":"2026-01-15T10:28:00Z",
          "paged":null,
          "closed":null,
          "closeReason":null,
          "history":[{"sequence":1, "at":"2026-01-15T10:30:00Z", "change":"opened", "severity":"ticket"}]
        },
        {
          "id":"f135e81e8c5fa5e5",
          "slo":"gone/availability",
          "service":null,
          "severity":"ticket",
          "peak":"ticket",
          "opened":"2026-01-15T07:00:00Z",
          "onset":"2026-01-15T06:58:00Z",
          "paged":null,
          "closed":"2026-01-15T08:40:00Z",
          "closeReason":"removed",
          "history":[{"sequence":1, "at":"2026-01-15T07:00:00Z", "change":"opened", "severity":"ticket"}, {"sequence":2, "at":"2026-01-15T08:40:00Z", "change":"closed", "severity":"ticket"}]
        }
      ],
      "next":null
    }
    "#);
    let ids = |list: ListView<IncidentView>| {
        let slos = list.items.into_iter().map(|it| it.slo);
        slos.collect::<Vec<_>>().join(" ")
    };
    for (query, slos) in [
        ("", "checkout/latency cart/availability gone/availability"),
        ("?state=open", "checkout/latency cart/availability"),
        ("?state=closed", "gone/availability"),
        ("?service=cart", "cart/availability"),
        ("?service=gone", ""),
        ("?limit=2", "checkout/latency cart/availability"),
    ] {
        let answer = get(&format!("/api/v1/incidents{query}")).await;
        assert_eq!(ids(read(&answer)), slos, "{query}");
    }
}

#[expect(clippy::too_many_lines, reason = "one snapshot of everything")]
#[tokio::test(start_paused = true)]
async fn the_status_holds_everything_in_one_answer() {
    let answer = get("/api/v1/status").await;
    read::<StatusView>(&answer);
    insta::assert_snapshot!(folded(&answer.body, 3), @r#"
    {
      "at":"2026-01-15T12:00:00Z",
      "tickAgeSeconds":20,
      "stale":false,
      "tick":"30s",
      "offset":"15s",
      "version":"0.1.0",
      "slos":{
        "total":9,
        "alert":{
          "page":1,
          "ticket":1,
          "none":7
        },
        "compliance":{
          "breached":2,
          "met":6,
          "unknown":1
        },
        "outcome":{
          "measured":5,
          "noTraffic":1,
          "noData":1,
          "partial":1,
          "failed":1
        }
      },
      "openIncidents":2,
      "otherAlerts":[
        {
          "id":"0f02ceecec984749",
          "kind":"groupsRefused",
          "subject":"mail/availability",
          "severity":"ticket",
          "since":"2026-01-15T11:40:00Z",
          "toldAt":"2026-01-15T11:50:00Z",
          "told":["payments"],
          "reason":"at least 1,000 groups not watched; 1 watched, maxGroups 1"
        },
        {
          "id":"acdc35ecb4303e98",
          "kind":"unmeasured",
          "subject":"thanos-eu",
          "severity":"ticket",
          "since":"2026-01-15T11:30:00Z",
          "toldAt":"2026-01-15T11:40:00Z",
          "told":["payments"],
          "reason":"1 objective cannot be measured: HTTP 503"
        },
        {
          "id":"71c16aec93259996",
          "kind":"ticksPassedOver",
          "subject":"sloburn",
          "severity":"ticket",
          "since":"2026-01-15T11:20:00Z",
          "toldAt":"2026-01-15T11:30:00Z",
          "told":["payments"],
          "reason":"11 of 80 ticks passed over; 11 ticks while an earlier one took too long: the last took 42 s, and there is one every 30 s"
        }
      ],
      "sources":[
        {
          "name":"default",
          "kind":"prometheus",
          "addresses":["http://default:9090"],
          "healthy":true,
          "lastGoodAt":"2026-01-15T12:00:00Z",
          "error":null,
          "queries":1440,
          "failures":0,
          "samples":691200,
          "series":240,
          "summed":[],
          "suspectedReplicaLabel":null,
          "clockSkew":{"seconds":0, "matters":false},
          "lagSeconds":0,
          "backfill":null,
          "birthsIgnored":{"count":5, "newest":[{"series":"{__name__=\"jobs_total\",pod=\"b-1\"}", "value":4711, "at":"2026-01-15T11:53:00Z"}]}
        },
        {
          "name":"thanos-eu",
          "kind":"prometheus",
          "addresses":["http://thanos-eu:9090"],
          "healthy":false,
          "lastGoodAt":"2026-01-15T11:46:00Z",
          "error":"cannot read `thanos-eu`: HTTP 503",
          "queries":1440,
          "failures":28,
          "samples":691200,
          "series":240,
          "summed":[],
          "suspectedReplicaLabel":null,
          "clockSkew":{"seconds":64, "matters":true},
          "lagSeconds":45,
          "backfill":null,
          "birthsIgnored":{"count":0, "newest":[]}
        }
      ],
      "countedTwice":[
        {
          "slo":"web/availability",
          "selectors":["hits_total", "hits_total{code=~\"5..\"}"],
          "series":"hits_total{code=\"500\"}"
        }
      ],
      "definitions":{
        "revision":"0123456789abcdef",
        "since":"2026-01-15T07:00:00Z",
        "error":"the changed definitions have 1 error"
      },
      "delivery":{
        "receivers":[
          {"receiver":"payments", "waiting":2, "oldest":"2026-01-15T11:48:00Z", "error":"Slack refused it: channel_not_found", "permanent":true}
        ],
        "error":null
      },
      "store":{
        "open":true,
        "notice":"`sloburn.db` was corrupt and is now `sloburn.db.corrupt`",
        "error":"cannot commit to `sloburn.db`: the disk is full"
      },
      "engine":{
        "ticks":720,
        "skipped":2,
        "phaseSeconds":1.94,
        "lastTickSeconds":0.042,
        "birthsIgnored":5,
        "clockSteps":1
      }
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn refused_definitions_are_told_with_the_place_of_each_fault() {
    let answer = get("/api/v1/configuration").await;
    read::<ConfigurationView>(&answer);
    insta::assert_snapshot!(folded(&answer.body, 2), @r#"
    {
      "revision":"0123456789abcdef",
      "since":"2026-01-15T07:00:00Z",
      "objectives":6,
      "warnings":[
        {"code":"SB0003", "column":null, "end":null, "file":null, "help":null, "label":null, "line":null, "message":"the folder `old` has no definitions", "related":null, "severity":"warning", "start":null}
      ],
      "reloads":2,
      "reloadFailures":1,
      "refused":{
        "revision":"fedcba9876543210",
        "at":"2026-01-15T11:55:00Z",
        "reason":"the changed definitions have 1 error",
        "faults":[{"code":"SB0201", "column":16, "end":29, "file":"shop.yaml", "help":null, "label":null, "line":2, "message":"an objective of 0% promises nothing", "related":null, "severity":"error", "start":27}]
      }
    }
    "#);
}
