//! An incident from its first error to its close, on a real Prometheus: what is told, at which ticks, and to whom.
//!
//! Ticks are compared with what the traffic alone says; how long messages take is printed and never judged.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::status::names::Alert;
use tokio::time::{Instant, sleep, sleep_until};

use super::expected::Tier;
use super::world::{RATE, World};
use crate::support::exporter::Change;
use crate::support::fake_slack::Told;
use crate::support::print;

const HOLD: Span = Span::from_secs(10);

/// Scrape, offset and tick: how much later than the traffic itself a tick may decide.
const LATEST: Span = Span::from_secs(1 + 2 + 1);

const PATIENCE: Duration = Duration::from_secs(30);

/// Of the two tiers, by what is bad of all: burn × (1 − objective).
fn tier(limit: f64) -> Tier {
    Tier {
        long: Span::from_mins(1),
        short: Span::from_secs(10),
        limit,
    }
}

#[tokio::test]
async fn an_incident_is_told_at_the_ticks_that_its_traffic_says() {
    let Some(world) = World::start().await else {
        return;
    };
    let phase = |share| {
        world.exporter.traffic(RATE, share);
        Instant::now()
    };
    sleep(Duration::from_secs(90)).await;
    world.all_is_quiet().await;

    let began = phase(0.01);
    sleep_until(began + Duration::from_secs(50)).await;
    world.one_alert("ticket", 1).await;
    world.status(Alert::Ticket).await;
    sleep_until(began + Duration::from_mins(1)).await;

    let began = phase(0.2);
    sleep_until(began + Duration::from_secs(50)).await;
    world.one_alert("page", 2).await;
    world.status(Alert::Page).await;
    sleep_until(began + Duration::from_secs(59)).await;
    // Page and ticket clear 0.57 s apart. So long after a scrape, and a tick lies between.
    let scrape = world.exporter.last_scrape(Span::from_secs(1));
    let end = scrape + Span::from_millis(2_435);
    world.exporter.traffic_at(end, RATE, 0.0);

    world.hook.until(4, PATIENCE).await;
    world.no_alert().await;
    world.status(Alert::None).await;
    world.ticks_are_as_expected();
    world.slack_was_told_the_same().await;
}

impl World {
    async fn all_is_quiet(&self) {
        self.status(Alert::None).await;
        assert_eq!(self.hook.taken(), [], "{}", self.daemon.log());
        assert_eq!(self.active().await, [] as [Value; 0]);
    }

    /// Alertmanager has one alert, of the incident's present severity, which began at the tick of the last message.
    async fn one_alert(&self, severity: &str, messages: usize) {
        let taken = self.hook.taken();
        assert_eq!(taken.len(), messages, "{taken:#?}\n{}", self.daemon.log());
        let active = self.active().await;
        let [alert] = &active[..] else {
            panic!("not one alert: {active:#?}")
        };
        let labels = BTreeMap::from([
            ("alertname", "SloBurn"),
            ("service", "shop"),
            ("severity", severity),
            ("signal", "errors"),
            ("slo", "shop/availability"),
            ("team", "payments"),
        ]);
        assert_eq!(alert["labels"], serde_json::json!(labels));
        assert_eq!(alert["status"]["state"], "active");
        assert_eq!(time(&alert["startsAt"]), tick(&taken[messages - 1].1));
        print(&format!(
            "Alertmanager: {severity} since {}",
            alert["startsAt"]
        ));
    }

    async fn no_alert(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.active().await.is_empty() {
            assert!(
                Instant::now() < deadline,
                "still active: {:#?}",
                self.active().await
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Every tick lies within scrape, offset and tick of what the exporter's own log of its traffic says.
    fn ticks_are_as_expected(&self) {
        let changes = self.exporter.changes();
        let [_, one_percent, twenty, none] = changes[..] else {
            panic!("four phases: {changes:?}")
        };
        let taken = self.hook.taken();
        let expected = expected(&changes, [one_percent, twenty, none]);
        let told: Vec<_> = taken.iter().map(|(_, message)| kind(message)).collect();
        let wanted: Vec<_> = expected.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(told, wanted, "{}", self.daemon.log());
        for ((arrived, message), (kind, t)) in taken.iter().zip(expected) {
            let at = tick(message);
            print(&format!(
                "{} {}: t {t}, tick {at} ({} s later), arrived {} s after the tick",
                kind.0,
                kind.1,
                at.since(t).as_secs_f64(),
                arrived.since(at).as_secs_f64()
            ));
            assert!(
                at >= t && at <= t + LATEST,
                "{kind:?} at {at}, but t is {t}"
            );
            assert_eq!(message["data"]["burn"]["uid"], "shop/availability");
        }
    }

    /// Every call carries its tick, and it is that of the webhook's message.
    async fn slack_was_told_the_same(&self) {
        let ticks: BTreeMap<u64, String> = self
            .hook
            .taken()
            .iter()
            .filter_map(|(_, message)| {
                let sequence = message["data"]["sequence"].as_u64()?;
                Some((sequence, message["timestamp"].as_str()?.to_owned()))
            })
            .collect();
        // A post; a post, an edit and a line in the thread; an edit and a line; an edit and a line.
        let deadline = Instant::now() + PATIENCE;
        while self.slack.accepted().len() < 8 && Instant::now() < deadline {
            sleep(Duration::from_millis(50)).await;
        }
        let mut told = Vec::new();
        for call in self.slack.accepted() {
            let payload = &call.metadata["event_payload"];
            let sequence = payload["sequence"].as_u64().expect("a number");
            assert_eq!(payload["tick"], ticks[&sequence].as_str(), "{call:?}");
            if let Some(footer) = footer(&call) {
                let tick = format!("tick {} ", ticks[&sequence]);
                assert!(footer.starts_with(&tick), "{footer}");
            }
            told.push((sequence, call.method, call.thread.is_some()));
        }
        let (post, edit) = ("chat.postMessage", "chat.update");
        let line = |sequence| (sequence, post, true);
        assert_eq!(
            told,
            [
                (1, post, false),
                (2, post, false),
                (2, edit, false),
                line(2),
                (3, edit, false),
                line(3),
                (4, edit, false),
                line(4),
            ]
        );
    }
}

type Kind = (&'static str, &'static str);

/// What is to be told, and when the traffic says so.
fn expected(
    changes: &[Change],
    [one_percent, twenty, none]: [Change; 3],
) -> [(Kind, Timestamp); 4] {
    let (page, ticket) = (tier(0.0144), tier(0.003));
    [
        (
            ("incident.opened", "ticket"),
            ticket.fires(changes, one_percent.at),
        ),
        (("incident.rose", "page"), page.fires(changes, twenty.at)),
        (
            ("incident.fell", "ticket"),
            page.clears(changes, none.at) + HOLD,
        ),
        (
            ("incident.closed", "ticket"),
            ticket.clears(changes, none.at) + HOLD,
        ),
    ]
}

fn kind(message: &Value) -> (&str, &str) {
    (
        message["type"].as_str().unwrap_or_default(),
        message["data"]["severity"].as_str().unwrap_or_default(),
    )
}

fn tick(message: &Value) -> Timestamp {
    time(&message["timestamp"])
}

fn time(text: &Value) -> Timestamp {
    let time = text.as_str().and_then(|text| text.parse().ok());
    let time: jiff::Timestamp = time.unwrap_or_else(|| panic!("{text} is a time"));
    time.into()
}

/// The last block's text: tick, incident and sequence.
fn footer(call: &Told) -> Option<&str> {
    call.blocks.last()?["elements"][0]["text"].as_str()
}
