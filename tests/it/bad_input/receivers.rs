//! Receivers that refuse for good: each is named with what to mend, delays no other, and is told once it is mended.

use std::fs;

use serde_json::Value;

use crate::support::daemon::Daemon;
use crate::support::fake_slack::{FakeSlack, Options};
use crate::support::inbox::Inbox;
use crate::support::lying_prometheus::LyingPrometheus;
use crate::support::shop::{daemon, logged, pages, plain, slo, until, wait_for, webhook};

#[tokio::test]
async fn a_secret_that_is_missing_is_told_at_the_start() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let receiver = "apiVersion: sloburn.dev/v1\nkind: Receiver\nmetadata: {name: team}\nspec: {slack: {channel: '#alerts', tokenFile: secrets/token}}\n";
    let mut daemon = daemon(&prometheus, receiver, &[]);
    daemon.start().await;
    insta::assert_snapshot!(logged(&daemon, "WARN").join("\n"), @"TIME  WARN receiver `team` could not be told now: its secret cannot be read from `secrets/token` (No such file or directory); put it there receiver=team");
}

#[tokio::test]
async fn what_a_receiver_refuses_is_kept_shown_and_told_once_it_is_mended() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let slack = FakeSlack::start(Options::default())
        .await
        .expect("a free port");
    let (refusing, well) = (Inbox::start().await, Inbox::start().await);
    refusing.answer(400);
    let receivers = |channel: &str| {
        let slack = |name: &str, channel: &str, secret: &str| {
            format!(
                "apiVersion: sloburn.dev/v1\nkind: Receiver\nmetadata: {{name: {name}}}\nspec: {{slack: {{channel: '{channel}', tokenFile: secrets/{secret}, apiUrl: '{}'}}}}\n",
                slack.api_url()
            )
        };
        let all = [
            slack("wrong-token", "#alerts", "token"),
            slack("no-channel", channel, "good-token"),
            webhook("refusing", &refusing.url()),
            webhook("well", &well.url()),
            "apiVersion: sloburn.dev/v1\nkind: Routing\nmetadata: {name: main}\nspec: {default: [wrong-token, no-channel, refusing, well]}\n".to_owned(),
        ];
        all.join("---\n")
    };
    let secrets = [("token", "xoxb-revoked"), ("good-token", FakeSlack::TOKEN)];
    let mut daemon = daemon(&prometheus, &receivers("#gone"), &secrets);
    daemon.start().await;
    slo(&daemon, "a page", pages).await;
    wait_for("the page is told to the receiver that is well", || {
        !well.types().is_empty()
    })
    .await;
    let status = until(&daemon, "/api/v1/status", "three refusals", |status| {
        refusals(status).len() == 3
    })
    .await;
    let shown: Vec<String> = refusals(&status)
        .into_iter()
        .map(|line| plain(&line, &daemon))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
"no-channel": 1 waits: "Slack refuses with `channel_not_found`: there is no `#gone` that the app can see: check the name, or invite the app into the private channel"
"refusing": 1 waits: "the webhook at `127.0.0.1:PORT` refuses with HTTP 400 and nothing more: check its address and what it accepts"
"wrong-token": 1 waits: "Slack refuses with `invalid_auth`: put a valid bot token (xoxb-…) of an installed app into the token file"
"#);
    insta::assert_snapshot!(sorted(logged(&daemon, "was not told")).join("\n"), @r#"
TIME ERROR receiver `no-channel` was not told, and what waits for it is kept: Slack refuses with `channel_not_found`: there is no `#gone` that the app can see: check the name, or invite the app into the private channel receiver=no-channel
TIME ERROR receiver `refusing` was not told, and what waits for it is kept: the webhook at `127.0.0.1:PORT` refuses with HTTP 400 and nothing more: check its address and what it accepts receiver=refusing
TIME ERROR receiver `wrong-token` was not told, and what waits for it is kept: Slack refuses with `invalid_auth`: put a valid bot token (xoxb-…) of an installed app into the token file receiver=wrong-token
"#);
    assert_eq!(slack.accepted().len(), 0);

    fs::write(daemon.folder().join("secrets/token"), FakeSlack::TOKEN)
        .expect("a file can be written");
    let alerts = fs::read_to_string(daemon.folder().join("alerts.yaml")).expect("what was written");
    let mended = alerts.replace("#gone", "#tickets");
    fs::write(daemon.folder().join("alerts.yaml"), mended).expect("a file can be written");
    refusing.answer(200);
    restart(&mut daemon).await;
    wait_for("all are told", || {
        slack.accepted().len() >= 2 && !refusing.types().is_empty()
    })
    .await;
    until(&daemon, "/api/v1/status", "nothing that waits", |status| {
        status["delivery"]["receivers"] == Value::Array(Vec::new())
    })
    .await;
    let mut channels: Vec<String> = slack
        .accepted()
        .into_iter()
        .map(|told| told.channel)
        .collect();
    channels.sort();
    assert_eq!(channels, ["C0ALERTS", "C0TICKETS"], "each once");
    assert_eq!(refusing.types(), ["incident.opened"]);
    assert_eq!(well.types(), ["incident.opened"], "it is not told again");
}

async fn restart(daemon: &mut Daemon) {
    assert!(daemon.terminate().await.success(), "{}", daemon.log());
    daemon.start().await;
}

/// What the status says of receivers that will refuse until something is mended.
fn refusals(status: &Value) -> Vec<String> {
    let receivers = status["delivery"]["receivers"].as_array();
    let permanent = receivers
        .into_iter()
        .flatten()
        .filter(|it| it["permanent"] == true);
    permanent
        .map(|it| {
            format!(
                "{}: {} waits: {}",
                it["receiver"], it["waiting"], it["error"]
            )
        })
        .collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
