//! Definitions that change under a running daemon, soundly and not.

use std::fs;

use crate::support::inbox::Inbox;
use crate::support::lying_prometheus::LyingPrometheus;
use crate::support::shop::{
    DEFINITIONS, assert_nothing_is_lost, daemon, logged, pages, slo, until, wait_for, webhook,
};

const OTHER: &str = "    - {name: other, objective: 95%, errors: {total: 'http_requests_total{job=\"shop\"}', badWhere: 'code=\"503\"'}}\n";

#[tokio::test]
async fn definitions_are_followed_and_a_fault_in_them_changes_nothing() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    daemon.start().await;
    let before = slo(&daemon, "a page", pages).await;
    let file = daemon.folder().join("definitions.yaml");
    let write = |text: String| fs::write(&file, text).expect("the definitions can be written");
    let configuration = "/api/v1/configuration";

    // A sound part and a fault: none of it is taken.
    write(format!("{DEFINITIONS}{OTHER}").replace("99%", "0%"));
    let refused = until(&daemon, configuration, "a refusal", |all| {
        !all["refused"].is_null()
    })
    .await;
    let fault = &refused["refused"]["faults"][0];
    let place = [
        &fault["file"],
        &fault["line"],
        &fault["column"],
        &fault["message"],
    ];
    insta::assert_snapshot!(
        serde_json::to_string(&place).expect("JSON"),
        @r#"["definitions.yaml",8,18,"an objective of 0% promises nothing; write one over 0% and up to 100%"]"#
    );
    assert_eq!(refused["reloads"], 0, "{refused:#}");
    assert!(
        daemon
            .text("/metrics")
            .await
            .contains("\nsloburn_config_last_reload_successful 0")
    );
    let during = slo(&daemon, "a page", pages).await;
    assert_eq!(during["incident"]["id"], before["incident"]["id"]);
    assert_eq!(
        daemon.json("/api/v1/slos").await["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );

    // Another name under the same uid, and another objective beside it.
    let renamed = "name: uptime\n      uid: shop/availability";
    write(format!("{DEFINITIONS}{OTHER}").replace("name: availability", renamed));
    // The daemon's own settings are read at its start.
    let settings = daemon.folder().join("sloburn.yaml");
    let text = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, format!("{text}\n# later\n")).expect("the settings can be written");
    daemon.hang_up();
    let path = "/api/v1/slos/shop/other";
    until(&daemon, "/api/v1/slos", "two objectives", |list| {
        list["items"]
            .as_array()
            .is_some_and(|items| items.len() == 2)
    })
    .await;
    until(&daemon, path, "a measurement", |list| {
        list["items"][0]["measurement"]["outcome"] == "measured"
    })
    .await;
    let mut list = until(&daemon, "/api/v1/slos/shop/uptime", "a page", |list| {
        pages(&list["items"][0])
    })
    .await;
    let after = list["items"][0].take();
    assert_eq!(
        after["incident"]["id"], before["incident"]["id"],
        "{after:#}"
    );
    assert_nothing_is_lost("renamed", &after, &prometheus);
    let accepted = daemon.json(configuration).await;
    assert!(
        accepted["refused"].is_null() && accepted["reloads"] == 1,
        "{accepted:#}"
    );
    assert_eq!(inbox.types(), ["incident.opened"]);

    // Gone, and said so.
    write(DEFINITIONS.replace("name: availability", "name: new"));
    wait_for("that its incident is closed is told", || {
        inbox.types().len() > 1
    })
    .await;
    let lines = logged(&daemon, "definitions");
    let told = lines
        .iter()
        .filter_map(|line| line.split(" revision=").next());
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
    TIME ERROR the changed definitions have 1 error and are not used: what was in force since TIME stays in force; mend them, `sloburn check` shows what is wrong
    TIME ERROR definitions.yaml:8:18: error[SB0201]: an objective of 0% promises nothing; write one over 0% and up to 100%
    TIME  INFO looking at the definitions: told to by SIGHUP
    TIME  INFO changed definitions are in force from the next tick on: 2 objectives; added shop/other; changed shop/availability
    TIME  INFO changed definitions are in force from the next tick on: 1 objective; added shop/new; removed shop/availability, shop/other
    ");
    let changed = logged(&daemon, "sloburn.yaml");
    insta::assert_snapshot!(changed.last().expect("a warning"), @"TIME  WARN `sloburn.yaml` has changed since the start, and what it says is not in force; restart to use it");
    let closed = logged(&daemon, "incident of shop/availability closed");
    assert!(
        closed.len() == 1 && closed[0].contains("closed: removed"),
        "{closed:?}"
    );
}
