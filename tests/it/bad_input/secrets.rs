//! Secrets are sent to whom they are for, and shown to nobody, whatever goes wrong and however much is logged.

use crate::support::daemon::{Daemon, Files};
use crate::support::inbox::Inbox;
use crate::support::lying_prometheus::{Lie, LyingPrometheus};
use crate::support::shop::{DEFINITIONS, POLICY, slo, until, webhook};

#[tokio::test]
async fn no_secret_comes_to_light() {
    let mut prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let config = format!(
        "tick: 1s\nlog: {{level: trace}}\nsources: {{default: {{prometheus: {{url: '{}', offset: 0s, settle: 10s, scrapeInterval: 1s, \
         bearerTokenFile: secrets/token, headers: {{X-Api-Key: canary-header}}, params: {{token: canary-param}}}}}}}}\n",
        prometheus.url()
    );
    let mut daemon = Daemon::prepare(&Files {
        config: &config,
        definitions: DEFINITIONS,
        alerts: &format!("{POLICY}---\n{}", webhook("hook", &inbox.url())),
        secrets: &[("token", "canary-token\n")],
    });
    daemon.start().await;
    let mut shown = String::new();
    for lie in [
        Lie::Truth,
        Lie::Unauthorized,
        Lie::Page,
        Lie::Cut,
        Lie::Status(500, "boom"),
        Lie::Refused,
    ] {
        let is_good = lie == Lie::Truth;
        prometheus.tell(lie).await;
        let wanted = format!("{lie:?}");
        slo(&daemon, &wanted, |slo| {
            (slo["measurement"]["outcome"] == "measured") == is_good
        })
        .await;
        for path in [
            "/api/v1/status",
            "/api/v1/slos",
            "/api/v1/configuration",
            "/metrics",
            "/",
        ] {
            shown.push_str(&daemon.text(path).await);
        }
    }
    until(&daemon, "/api/v1/status", "a failing source", |all| {
        all["sources"][0]["healthy"] == false
    })
    .await;
    shown.push_str(&daemon.log());
    shown.push_str(
        &inbox
            .taken()
            .iter()
            .map(ToString::to_string)
            .collect::<String>(),
    );
    shown.push_str(&daemon.print_config());
    assert!(shown.contains("bearerTokenFile") && shown.len() > 10_000);
    let found = shown.lines().find(|line| line.contains("canary-"));
    assert_eq!(found, None);
}
