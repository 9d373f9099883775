//! The demo's own pages: the game day and the inbox, in the frame of all pages, and without script.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::http::{Layout, NavEntry, Site, html};

use super::api::{self, Shared};
use super::catalog::TICK;
use super::gameday::Entry;
use super::inbox::Post;
use super::pace::{Pace, words};
use super::world::fault::{Kind, Service, percent};

/// What can be injected with one click: service, kind, intensity, and for how long.
const PRESETS: [(Service, Kind, &str, &str); 5] = [
    (Service::Checkout, Kind::Errors, "5%", "10s"),
    (Service::WebShop, Kind::Slowness, "50%", "10s"),
    (Service::OrderWorker, Kind::Traffic, "100%", "10s"),
    (Service::Postgres, Kind::Saturation, "95%", "10s"),
    (Service::WebShop, Kind::Down, "", "10s"),
];

/// How long after the click it begins, so that what is foreseen can be read first.
const LEAD: &str = "5s";

/// What the demo adds to the daemon's pages.
pub(super) fn site(shared: &Shared, live: Timestamp) -> Site {
    let times = shared.gameday.pace().times();
    let routes = Router::new()
        .route("/game-day", get(game_day))
        .route("/inbox", get(inbox));
    Site {
        routes: routes.merge(api::routes()).layer(Extension(shared.clone())),
        nav: vec![
            NavEntry {
                href: "/game-day",
                label: "Game day",
            },
            NavEntry {
                href: "/inbox",
                label: "Inbox",
            },
        ],
        banner: Some(format!(
            "Demo: every time here is the demo's clock, {times} × yours. The services are simulated, and so is all \
             history before {}.",
            live.to_jiff().strftime("%-d %b %H:%M UTC")
        )),
    }
}

#[derive(Template)]
#[template(path = "demo/game-day.html")]
struct GameDayPage {
    layout: Layout,
    times: u32,
    now: String,
    refused: Option<String>,
    presets: Vec<Preset>,
    services: [Service; 4],
    kinds: [Kind; 5],
    faults: Vec<FaultView>,
}

struct Preset {
    service: &'static str,
    kind: &'static str,
    intensity: &'static str,
    lasts: &'static str,
    label: String,
}

struct FaultView {
    id: u32,
    title: String,
    state: &'static str,
    is_over: bool,
    range: String,
    yours: String,
    foreseen: Vec<ForeseenView>,
    blind: Option<String>,
}

struct ForeseenView {
    slo: String,
    href: String,
    formula: String,
    fires: [String; 2],
    closes: [String; 2],
    spends: [String; 2],
}

#[derive(Debug, Default, Deserialize)]
struct Refused {
    refused: Option<String>,
}

async fn game_day(
    layout: Layout,
    Extension(shared): Extension<Shared>,
    Query(query): Query<Refused>,
) -> Response {
    let (pace, now) = (shared.gameday.pace(), Timestamp::from(shared.clock.now()));
    let faults = shared.gameday.entries();
    let preset =
        |(service, kind, intensity, lasts): (Service, Kind, &'static str, &'static str)| Preset {
            service: service.name(),
            kind: kind.name(),
            intensity,
            lasts,
            label: [service.name(), kind.name(), intensity]
                .join(" ")
                .trim_end()
                .to_owned(),
        };
    html(&GameDayPage {
        layout: layout.titled("Game day"),
        times: pace.times(),
        now: clock(now),
        refused: query.refused,
        presets: PRESETS.into_iter().map(preset).collect(),
        services: Service::ALL,
        kinds: Kind::ALL,
        faults: faults
            .iter()
            .rev()
            .map(|entry| view(entry, pace, now))
            .collect(),
    })
}

fn clock(at: Timestamp) -> String {
    at.to_jiff().strftime("%-d %b %H:%M").to_string()
}

fn view(entry: &Entry, pace: Pace, now: Timestamp) -> FaultView {
    let fault = entry.fault;
    let share = if fault.kind == Kind::Down {
        fault.kind.meaning().to_owned()
    } else {
        format!("{} {}", percent(fault.intensity), fault.kind.meaning())
    };
    let state = if now >= fault.to {
        "over"
    } else if now > fault.from {
        "acts"
    } else {
        "to come"
    };
    let after = |at: Option<Timestamp>| match at {
        None => "not".to_owned(),
        Some(at) => format!(
            "{}, {} after the start",
            clock(at),
            words(pace.waited(at.since(fault.from)))
        ),
    };
    let foreseen = entry.foreseen.iter().map(|foreseen| {
        let seen = entry.seen.get(&foreseen.slo).cloned().unwrap_or_default();
        // The last tick that it could have fired at is over.
        let is_past = now > fault.to + TICK + TICK;
        let is_quiet = is_past && foreseen.first.is_none() && seen.opened.is_none();
        let yet = |seen: Option<Timestamp>| match seen {
            Some(at) => after(Some(at)),
            None if is_quiet => "did not".to_owned(),
            None => "not yet".to_owned(),
        };
        let spent = seen
            .before
            .zip(seen.after)
            .map(|(before, after)| before - after);
        let share = |share: f64| format!("{:.1} %", share * 100.0);
        let loud = foreseen
            .first
            .as_ref()
            .map(|first| format!("{} (tier {}): ", first.severity, first.tier));
        ForeseenView {
            href: format!("/slos/{}", foreseen.slo),
            slo: foreseen.slo.to_string(),
            formula: foreseen.formula.clone(),
            fires: [
                format!(
                    "{}{}",
                    loud.unwrap_or_default(),
                    after(foreseen.first.as_ref().map(|first| first.at))
                ),
                yet(seen.opened.map(|(at, _)| at)),
            ],
            closes: [after(foreseen.closed), yet(seen.closed)],
            spends: [
                share(foreseen.spends),
                spent.map_or_else(|| "not yet".to_owned(), share),
            ],
        }
    });
    FaultView {
        id: fault.id,
        title: format!("{}: {share}", fault.service.name()),
        state,
        is_over: now >= fault.to,
        range: format!("{} to {}", clock(fault.from), clock(fault.to)),
        yours: words(pace.waited(fault.length())),
        foreseen: foreseen.collect(),
        blind: entry.blind.as_ref().map(|blind| {
            let told = blind.told.map_or_else(
                || "it is back before that is told".to_owned(),
                |told| format!("told {}", after(Some(told))),
            );
            format!(
                "{} objectives cannot be measured from {}; {told}. Nothing fires and nothing is resolved meanwhile: open incidents are held.",
                blind.slos.len(),
                after(Some(blind.from))
            )
        }),
    }
}

#[derive(Template)]
#[template(path = "demo/inbox.html")]
struct InboxPage {
    layout: Layout,
    posts: Vec<PostView>,
}

struct PostView {
    number: u64,
    at: String,
    edited: Option<String>,
    history: bool,
    title: String,
    lines: Vec<String>,
    thread: Vec<String>,
}

async fn inbox(layout: Layout, Extension(shared): Extension<Shared>) -> Response {
    let view = |post: &Post| {
        let mut lines = post.lines();
        let title = if lines.is_empty() {
            post.text.clone()
        } else {
            lines.remove(0)
        };
        PostView {
            number: post.number,
            at: clock(post.at),
            edited: post.edited.map(clock),
            history: post.history,
            title,
            lines,
            thread: post.thread.clone(),
        }
    };
    html(&InboxPage {
        layout: layout.titled("Inbox"),
        posts: shared.inbox.posts().iter().map(view).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::demo::gameday::Seen;
    use crate::demo::predict::Prediction;
    use crate::demo::world::fault::Fault;
    use crate::domain::policy::Severity;
    use crate::domain::slo::SloId;
    use crate::domain::time::Span;

    #[test]
    fn a_fault_that_was_to_fire_not_did_not_once_it_is_over() {
        let (from, slo) = (Timestamp::from_millis(1_900_000_000_000), SloId::new("a/b"));
        let fault = Fault {
            id: 1,
            service: Service::Checkout,
            kind: Kind::Errors,
            intensity: 1_000,
            from,
            to: from + Span::from_hours(2),
        };
        let seen = |after: Span, opened: Option<Timestamp>| {
            let seen = Seen {
                opened: opened.map(|at| (at, Severity::Page)),
                ..Seen::default()
            };
            let entry = Entry {
                fault,
                foreseen: vec![Prediction {
                    slo: slo.clone(),
                    first: None,
                    paged: None,
                    closed: None,
                    spends: 0.0,
                    formula: String::new(),
                }],
                blind: None,
                seen: BTreeMap::from([(slo.clone(), seen)]),
            };
            let shown = view(&entry, Pace::USUAL, fault.to + after)
                .foreseen
                .remove(0);
            format!("{}; {}", shown.fires[1], shown.closes[1])
        };
        assert_eq!(seen(Span::ZERO, None), "not yet; not yet");
        assert_eq!(seen(Span::from_hours(1), None), "did not; did not");
        let told = seen(Span::from_hours(1), Some(from));
        assert!(told.ends_with("; not yet"), "{told}");
    }
}
