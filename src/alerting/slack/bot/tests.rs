//! The bot against a Slack that refuses what Slack refuses.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::alerting::fake_slack::{FakeSlack, Options, Refuse};
use crate::alerting::sample;
use crate::domain::notice::Notice;
use crate::domain::policy::Severity;

use super::*;

struct Scene {
    fake: FakeSlack,
    bot: SlackBot,
    _token: tempfile::NamedTempFile,
    memory: Option<String>,
}

impl Scene {
    async fn new() -> Self {
        let fake = FakeSlack::start(Options::default()).await.unwrap();
        let mut token = tempfile::NamedTempFile::new().unwrap();
        writeln!(token, "{}", FakeSlack::TOKEN).unwrap();
        let bot = SlackBot {
            http: Http::new().unwrap(),
            channel: "#alerts".into(),
            token_file: token.path().to_owned(),
            mention: Some("<!subteam^S0123>".into()),
            api_url: fake.api_url(),
            zone: TimeZone::UTC,
        };
        Self {
            fake,
            bot,
            _token: token,
            memory: None,
        }
    }

    /// Makes all calls of a notice as the delivery loop does.
    async fn tell(&mut self, notice: Notice) -> Result<(), NotifyError> {
        let mut row = sample::row(notice, "bot");
        loop {
            row.memory.clone_from(&self.memory);
            self.fake.forget_pace();
            let accepted = self.bot.call(&row, row.notice.at).await?;
            self.memory = accepted.memory.or(self.memory.take());
            row.step += 1;
            if accepted.done {
                return Ok(());
            }
        }
    }

    /// One line for each accepted call.
    fn log(&self) -> String {
        let mut log = String::new();
        for told in self.fake.accepted() {
            let (method, ts, thread) = (&told.method, &told.ts, told.thread.as_deref());
            let thread = thread.map_or_else(String::new, |thread| format!(" in {thread}"));
            let text = told.text.lines().next().unwrap_or_default();
            writeln!(
                log,
                "{method} {ts}{thread} {} blocks: {text}",
                told.blocks.len()
            )
            .unwrap();
        }
        log
    }
}

const ROSE: Change = Change::Rose {
    from: Severity::Ticket,
};

#[tokio::test]
async fn a_rise_rings_again_and_the_first_post_shows_the_present() {
    let mut scene = Scene::new().await;
    let mut ticket = sample::opened();
    ticket.severity = Severity::Ticket;
    scene.tell(ticket).await.unwrap();
    scene.tell(sample::next(ROSE)).await.unwrap();
    scene.tell(sample::closed()).await.unwrap();
    insta::assert_snapshot!(scene.log(), @r"
    chat.postMessage 1700000000.000001 3 blocks: 🟡 TICKET checkout/availability: 20.0 % of requests fail (0.1 % allowed)
    chat.postMessage 1700000000.000002 3 blocks: 🔴 ESCALATED ticket → PAGE checkout/availability  <!subteam^S0123>
    chat.update 1700000000.000001 3 blocks: 🔴 ESCALATED ticket → PAGE checkout/availability
    chat.postMessage 1700000000.000004 in 1700000000.000001 0 blocks: 01:36 UTC ticket → PAGE: 20.0 % of requests fail (0.1 % allowed) · 5m 200× · 1h 16.7×
    chat.update 1700000000.000001 3 blocks: ✅ RESOLVED checkout/availability · errors stopped 01:49, closed 02:33 UTC after the hold
    chat.postMessage 1700000000.000006 in 1700000000.000001 0 blocks: 02:33 UTC closed: errors stopped 01:49 · 3,433 of 17,167 requests = 8.3 % of the 30 d budget
    ");
    let payloads: Vec<String> = scene
        .fake
        .accepted()
        .iter()
        .map(|told| told.metadata["event_payload"].to_string())
        .collect();
    insta::assert_snapshot!(payloads.join("\n"), @r#"
    {"incident":"7f3a09c2d1e44b10","sequence":1,"step":0,"tick":"2026-11-23T01:36:00Z"}
    {"incident":"7f3a09c2d1e44b10","sequence":2,"step":0,"tick":"2026-11-23T01:36:00Z"}
    {"incident":"7f3a09c2d1e44b10","sequence":2,"step":1,"tick":"2026-11-23T01:36:00Z"}
    {"incident":"7f3a09c2d1e44b10","sequence":2,"step":2,"tick":"2026-11-23T01:36:00Z"}
    {"incident":"7f3a09c2d1e44b10","sequence":2,"step":0,"tick":"2026-11-23T02:33:00Z"}
    {"incident":"7f3a09c2d1e44b10","sequence":2,"step":1,"tick":"2026-11-23T02:33:00Z"}
    "#);
}

#[tokio::test]
async fn whoever_joins_later_gets_a_post_of_their_own_first() {
    let mut scene = Scene::new().await;
    scene.tell(sample::next(ROSE)).await.unwrap();
    scene.tell(sample::closed()).await.unwrap();
    insta::assert_snapshot!(scene.log(), @r"
    chat.postMessage 1700000000.000001 3 blocks: 🔴 ESCALATED ticket → PAGE checkout/availability  <!subteam^S0123>
    chat.update 1700000000.000001 3 blocks: ✅ RESOLVED checkout/availability · errors stopped 01:49, closed 02:33 UTC after the hold
    chat.postMessage 1700000000.000003 in 1700000000.000001 0 blocks: 02:33 UTC closed: errors stopped 01:49 · 3,433 of 17,167 requests = 8.3 % of the 30 d budget
    ");
}

#[tokio::test]
async fn a_deleted_first_post_is_replaced() {
    let mut scene = Scene::new().await;
    scene.tell(sample::opened()).await.unwrap();
    scene.fake.delete_messages();
    scene.tell(sample::closed()).await.unwrap();
    insta::assert_snapshot!(scene.log(), @r"
    chat.postMessage 1700000000.000001 3 blocks: 🔴 PAGE checkout/availability: 20.0 % of requests fail (0.1 % allowed)  <!subteam^S0123>
    chat.postMessage 1700000000.000002 3 blocks: ✅ RESOLVED checkout/availability · errors stopped 01:49, closed 02:33 UTC after the hold
    chat.postMessage 1700000000.000003 in 1700000000.000002 0 blocks: 02:33 UTC closed: errors stopped 01:49 · 3,433 of 17,167 requests = 8.3 % of the 30 d budget
    ");
}

#[tokio::test]
async fn blocks_that_are_refused_become_plain_text() {
    let mut scene = Scene::new().await;
    scene.fake.refuse(Refuse::Blocks);
    scene.tell(sample::opened()).await.unwrap();
    let told = scene.fake.accepted();
    assert!(told[0].blocks.is_empty());
    insta::assert_snapshot!(told[0].text, @r"
    🔴 PAGE checkout/availability: 20.0 % of requests fail (0.1 % allowed)  <!subteam^S0123>
    Promise  Card payments succeed · 99.9 % over 30 d · owner payments
    Speed    5m: 954 of 4,769 = 200× · 1h: 954 of 57,223 = 16.7× (pages above 14.4×)
    Budget   68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace
    Since    01:31 UTC, rising ▁▂▆▇ · coverage 100 %
    Where    code=503 94 % · route=/pay 81 % · pods even (12)
    Do       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T01:36:00Z · incident 7f3a09c2d1e44b10 · 1
    ");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let mut seen = String::new();
    for case in [
        "token", "no token", "channel", "429", "500", "reset", "page", "redirect", "archived",
    ] {
        let mut scene = Scene::new().await;
        let refuse = match case {
            "429" => Refuse::Busy(7),
            "500" => Refuse::Status(500),
            "redirect" => Refuse::Status(302),
            "reset" => Refuse::Reset,
            "page" => Refuse::Page,
            "archived" => Refuse::Code("is_archived"),
            _ => Refuse::Nothing,
        };
        scene.fake.refuse(refuse);
        match case {
            "token" => std::fs::write(&scene.bot.token_file, "xoxb-canary").unwrap(),
            "no token" => scene.bot.token_file = "/nowhere/token".into(),
            "channel" => scene.bot.channel = "#nowhere".into(),
            _ => {}
        }
        let error = scene.tell(sample::opened()).await.unwrap_err();
        assert!(!format!("{error:?}").contains("canary"));
        let kind = match &error {
            NotifyError::Transient { retry_after, .. } => format!("later {retry_after:?}"),
            NotifyError::Permanent { .. } => "never".to_owned(),
        };
        let port = scene
            .fake
            .api_url()
            .replace("http://", "")
            .replace("/api", "");
        let sentence = error.to_string().replace(&port, "slack.com");
        writeln!(seen, "{case}: {kind}: {sentence}").unwrap();
    }
    insta::assert_snapshot!(seen, @r"
    token: never: Slack refuses with `invalid_auth`: put a valid bot token (xoxb-…) of an installed app into the token file
    no token: never: cannot read the Slack bot token from `/nowhere/token` (No such file or directory (os error 2)): put it there, readable for sloburn
    channel: never: Slack refuses with `channel_not_found`: there is no `#nowhere` that the app can see: check the name, or invite the app into the private channel
    429: later Some(7s): Slack at `slack.com` asks for fewer messages (HTTP 429)
    500: later None: Slack at `slack.com` answers HTTP 500 and nothing more; it is tried again
    reset: later None: Slack at `slack.com` broke off the call (connection closed before message completed); it is tried again
    page: later None: Slack at `slack.com` answers `<h1>Please log in</h1>`, which is not Slack's API: check apiUrl, and proxies on the way
    redirect: never: Slack at `slack.com` redirects elsewhere (HTTP 302), which is not followed: write down its final address
    archived: never: Slack refuses with `is_archived`: `#alerts` is archived: take it out of the archive, or name another
    ");
}
