//! Pages for people: what they show, what they may do, and what a site adds to them.

mod charts;
mod groups;
mod hostile;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::{Answer, ask, fresh, state};
use crate::domain::budget::ErrorBudget;
use crate::domain::group::Group;
use crate::domain::notice::Facts;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::slot::Counts;
use crate::domain::time::Span;
use crate::http::{AppState, Layout, NavEntry, Site, html};
use crate::status::board::Board;
use crate::status::fixture;
use crate::status::snapshot::{GroupCount, SloStatus};

const BROWSER: (&str, &str) = (
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
);

/// What a browser gets from `state`.
pub(super) async fn page_of(state: &AppState, uri: &str) -> Answer {
    let answer = ask(state, "GET", uri, &[BROWSER]).await;
    assert_eq!(
        answer.header("content-type"),
        "text/html; charset=utf-8",
        "{uri}"
    );
    assert_eq!(answer.header("vary"), "accept", "{uri}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'"));
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    answer
}

/// The text of a page as it is read: without markup but that code stands between backticks, blanks put together.
pub(super) fn text(html: &str) -> String {
    let html = html.replace("<code>", "`").replace("</code>", "`");
    let mut text = String::new();
    for (index, part) in html.split('<').enumerate() {
        let shown = match part.split_once('>') {
            Some((_, shown)) if index > 0 => shown,
            _ => part,
        };
        text.push_str(shown);
        text.push(' ');
    }
    let text = text.replace("&#34;", "\"").replace("&#39;", "'");
    let text = text
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn the_overview_lists_the_worst_first_and_filters_without_script() {
    let page = page_of(&fresh(), "/?search=&label=team%3Dpayments&alert=&sort=").await;
    let table = page.body.split("<tbody>").nth(1).unwrap();
    let table = table.split("</tbody>").next().unwrap();
    let rows: Vec<_> = table.split("<tr>").skip(1).map(text).collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    ▲ Page checkout / latency 99 % over 30d · latency · payments@example.com 51.5 % Budget over 30d, now 51.5 % 20.0× 5m 20.0× 1h ● Measured 99.8 %
    ✓ OK checkout / availability 99.9 % over 30d · errors · payments@example.com 70.8 % Budget over 30d, now 70.8 % 0× 5m 0× 1h ● Measured 99.8 %
    ");
    assert!(
        page.body.contains(r#"value="team=payments""#),
        "the form keeps what was filled in"
    );
    for (query, sentence) in [
        (
            "label=payments",
            "`label=payments` is not a label and its value; write it as `label=team=payments`",
        ),
        (
            "alert=loud",
            "`alert=loud` is not known; allowed are `none`, `ticket`, `page`",
        ),
        ("search=nobody", "No objective is like that."),
    ] {
        let page = page_of(&fresh(), &format!("/?{query}")).await;
        assert!(
            text(&page.body).contains(sentence),
            "{query}: {}",
            page.body
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_to_be_well_is_never_green() {
    let signs = async |state: &AppState| {
        let page = page_of(state, "/").await;
        let cells = page.body.split(r#"<td class="state">"#).skip(1);
        let sign = |cell: &str| text(cell.split("</td>").next().unwrap());
        let signs: Vec<_> = cells.map(sign).collect();
        (signs.join(", "), page.body)
    };
    let (all, body) = signs(&fresh()).await;
    assert_eq!(
        all,
        "▲ Page, ◆ Ticket, ✕ Breached, ? No data, ◐ Partial data, ✓ OK, ! Not read, ○ No traffic, ✓ OK"
    );
    assert!(!body.contains(r#"class="stale""#) && !body.contains("class=\"alarm\""));
    let late = state(fixture::board(), fixture::NOW + Span::from_mins(5));
    let (_, body) = signs(&late).await;
    assert!(body.contains(r#"<main id="main" tabindex="-1" data-live class="stale">"#));
    assert!(
        text(&body).contains(
            "Stale. No tick since 12:00:00 UTC, 5 min 20 s ago; one is due every 30s. What you see \
             is old, and nothing is known to be well."
        ),
        "{body}"
    );
    let (none, body) = signs(&state(Board::new(fixture::NOW), fixture::NOW)).await;
    assert_eq!(none, "");
    assert!(text(&body).contains("Waiting for the first tick."));
}

#[tokio::test(start_paused = true)]
async fn assets_are_kept_for_ever_under_the_address_that_pages_name() {
    let page = page_of(&fresh(), "/").await;
    let mut found = 0;
    for part in page
        .body
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
    {
        let asset = ask(&fresh(), "GET", part, &[]).await;
        assert_eq!(asset.status, 200);
        assert_eq!(
            asset.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        let (_, name) = part.rsplit_once('/').unwrap();
        let old = ask(&fresh(), "GET", &format!("/assets/0/{name}"), &[]).await;
        assert_eq!(old.header("cache-control"), "no-cache", "another program's");
        assert_eq!(old.body, asset.body);
        found += 1;
    }
    assert_eq!(found, 3);
    assert_eq!(
        ask(&fresh(), "GET", "/assets/0/other.js", &[]).await.status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_are_pages_for_people_and_json_for_programs() {
    for (uri, status, sentence) in [
        ("/nothing", 404, "nothing is at `/nothing`;"),
        ("/?alert=<b>", 400, "`alert=<b>` is not known;"),
    ] {
        let page = page_of(&fresh(), &uri.replace('<', "%3C").replace('>', "%3E")).await;
        assert_eq!(page.status, status);
        assert!(text(&page.body).contains(sentence), "{}", page.body);
    }
    for uri in ["/api/v1/slos/no/such", "/metrics/no", "/api/v2"] {
        let answer = ask(&fresh(), "GET", uri, &[BROWSER]).await;
        assert!(answer.refusal().starts_with("404 "), "{uri}");
    }
}

#[derive(Template)]
#[template(
    source = r#"{% extends "layout.html" %}{% block content %}<h1>{{ layout.title }}</h1>{% endblock %}"#,
    ext = "html"
)]
struct OwnPage {
    layout: Layout,
}

async fn own(layout: Layout) -> Response {
    let layout = layout.titled("Game day");
    html(&OwnPage { layout })
}

#[tokio::test(start_paused = true)]
async fn a_site_adds_pages_navigation_and_a_banner() {
    let mut state = fresh();
    state.site = Arc::new(Site {
        routes: Router::new().route("/demo", get(own)),
        nav: vec![NavEntry {
            href: "/demo",
            label: "Game day",
        }],
        banner: Some("Demo clock: 720 × yours".into()),
    });
    for (uri, here) in [("/demo", true), ("/", false)] {
        let page = page_of(&state, uri).await;
        assert!(
            page.body
                .contains(r#"<p class="banner">Demo clock: 720 × yours</p>"#)
        );
        let entry = r#"<a href="/demo" aria-current="page">Game day</a>"#;
        assert_eq!(page.body.contains(entry), here, "{uri}");
        assert!(page.body.contains("Game day</a>"));
    }
}

/// The part of `html` between two texts.
fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = html
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start}"));
    rest.split_once(end).unwrap().0
}

#[tokio::test(start_paused = true)]
async fn an_objective_tells_its_arithmetic_and_its_tiers() {
    let mut told = Vec::new();
    for name in [
        "checkout/availability",
        "cart/availability",
        "mail/delivery",
        "search/availability",
    ] {
        let page = page_of(&fresh(), &format!("/slos/{name}")).await;
        told.push(name.to_owned());
        for sentence in between(&page.body, r#"<ul class="sum">"#, "</ul>")
            .split("<li>")
            .skip(1)
        {
            told.push(format!("  {}", text(sentence)));
        }
        let tiers = between(&page.body, r#"class="list tiers""#, "</table>");
        let rows = tiers.split("<tbody>").nth(1).unwrap();
        told.push(format!("  {}", text(rows)));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    checkout/availability
      1,204 bad of 4,120,033 events = 0.029 %.
      0.1 % of them may be bad: 4,120,033 × 0.1 % = 4,120.
      29.2 % of the budget is spent, 70.8 % is left.
      99.8 % of the window was measured.
      fast Page 14.4× 0× in 1h: 0 of 5,760 0× in 5m: 0 of 480 quiet takes 15 failures in 1h to rule out chance
    cart/availability
      1,500 bad of 1,000,000 events = 0.15 %.
      0.1 % of them may be bad: 1,000,000 × 0.1 % = 1,000.
      150 % of the budget is spent: 50.0 % more than there is.
      It was used up at 02:00 UTC.
      99.8 % of the window was measured.
      fast Page 14.4× 4.2× in 1h: 12 of 2,880 4.2× in 5m: 1 of 240 quiet
    mail/delivery
      1 bad of 4,000 events = 0.025 %.
      Nothing may be bad, so that the budget is overspent without bound.
      99.8 % of the window was measured.
      fast Page 14.4× ∞× in 1h: 12 of 240 ∞× in 5m: 1 of 20 quiet
    search/availability
      Nothing was counted over 30d, so that nothing is known of the budget.
      fast Page 14.4× unknown in 1h: 0 of 0 unknown in 5m: 0 of 0 not known
    ");
}

#[tokio::test(start_paused = true)]
async fn an_objective_tells_where_bad_events_came_from() {
    let page = page_of(&fresh(), "/slos/checkout/latency").await;
    let rows = between(&page.body, "Where bad events came from</h2>", "</table>");
    let rows = text(rows.split("<tbody>").nth(1).unwrap());
    assert_eq!(
        rows,
        "route=/pay 5m 75.0 % 72 route=/list 5m 25.0 % 24 pod=a 5m 50.0 % 48 pod=b 5m 50.0 % 48"
    );
    let quiet = page_of(&fresh(), "/slos/checkout/availability").await;
    assert!(!quiet.body.contains("Where bad events came from"));
}

#[tokio::test(start_paused = true)]
async fn the_chart_of_a_budget_ends_where_the_api_says_that_it_is() {
    for name in ["checkout/latency", "cart/availability", "mail/queue"] {
        let page = page_of(&fresh(), &format!("/slos/{name}")).await;
        let slo = ask(&fresh(), "GET", &format!("/api/v1/slos/{name}"), &[]).await;
        let slo: serde_json::Value = serde_json::from_str(&slo.body).unwrap();
        let left = slo["items"][0]["budget"]["remaining"].as_f64().unwrap();
        let path = between(&page.body, r#"<path class="line" d=""#, "\"");
        let (_, last) = path.rsplit_once(['L', 'M']).unwrap();
        let (x, y) = last.split_once(' ').unwrap();
        let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
        // From 100 % at the top to none, or to what is overspent, at the bottom.
        let lowest = left.min(0.0);
        let expected = 100.0 * (1.0 - left) / (1.0 - lowest);
        assert!(
            (x - 1_000.0).abs() < 0.1 && (y - expected).abs() < 0.1,
            "{name}: {last}"
        );
        let zero = between(&page.body, r#"<line class="none" x2="100%" y1=""#, "%");
        let zero: f64 = zero.parse().unwrap();
        assert!(
            (zero - 100.0 / (1.0 - lowest)).abs() < 0.01,
            "{name}: {zero}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn incidents_tell_how_they_came_and_went() {
    let list = page_of(&fresh(), "/incidents?state=closed").await;
    let rows = text(between(&list.body, "<tbody>", "</tbody>"));
    assert_eq!(
        rows,
        "– Closed gone/availability ticket 07:00 UTC 1 h 40 min 08:40 UTC , no longer watched"
    );
    assert!(!list.body.contains("h-others"));
    let list = page_of(&fresh(), "/incidents").await;
    let others = between(&list.body, r#"<h2 id="h-others">"#, "</section>");
    insta::assert_snapshot!(text(others), @"Not about a budget ◆ Ticket mail/availability : at least 1,000 groups not watched; 1 watched, maxGroups 1 · since 11:40 UTC · for payments ◆ Ticket Source thanos-eu : 1 objective cannot be measured: HTTP 503 · since 11:30 UTC · for payments ◆ Ticket sloburn : 11 of 80 ticks passed over; 11 ticks while an earlier one took too long: the last took 42 s, and there is one every 30 s · since 11:20 UTC · for payments");
    let id = between(&list.body, r#"href="/incidents/"#, "\"");
    let page = page_of(&fresh(), &format!("/incidents/{id}")).await;
    insta::assert_snapshot!(text(between(&page.body, "<h1>", "<figure")), @r"checkout/latency ▲ Page Open for 30 min. At worst a page. The objective, its budget and burn Timeline 11:28:00 UTC The errors began, as far as the counts tell. 11:30:00 UTC ◆ Ticket Opened as a ticket. 11:48:00 UTC ▲ Page Rose from ticket to page. Cost From when the errors began until now: 672 bad of 3,360 = 1.6 % of the budget over 30d.");
    let page = page_of(&fresh(), "/incidents/none").await;
    assert_eq!(page.status, 404);
    assert!(text(&page.body).contains("no incident `none` is known"));
    let before = state(Board::new(fixture::NOW), fixture::NOW);
    for uri in ["/incidents/none", "/slos/cart/availability"] {
        let page = page_of(&before, uri).await;
        assert_eq!(page.status, 503, "{uri}");
        assert!(text(&page.body).contains("no tick has run yet"), "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn sources_and_deliveries_are_told_with_their_reasons() {
    let page = page_of(&fresh(), "/sources").await;
    insta::assert_snapshot!(text(between(&page.body, "<h1>", "</main>")), @"Sources State Source Last read well Series Queries Failed Samples ✓ Read default Prometheus at http://default:9090 12:00:00 UTC 240 1,440 0 691,200 ! Not read thanos-eu Prometheus at http://thanos-eu:9090 cannot read `thanos-eu`: HTTP 503 its clock is 1 min 4 s behind ours: set the one that is wrong its samples come later than its offset allows: ticks wait 45 s longer, and alerts with them 11:46:00 UTC 240 1,440 28 691,200 Notices Receiver Waiting Since Last attempt payments 2 11:48:00 UTC Slack refused it: channel_not_found; it will fail again until that is mended Engine Ticks 720 since the start, one every 30s; 2 left out because newer ones could be read already Last tick took 0.042 s Store cannot commit to `sloburn.db`: the disk is full First values left out 5: of new series, where nothing shows when their events happened");
}

#[tokio::test(start_paused = true)]
async fn objectives_that_count_twice_are_told_of_on_every_page() {
    let mut snapshot = fixture::snapshot();
    let doubled = snapshot.doubled[0].clone();
    for (times, told) in [
        (
            1,
            "<p class=\"notice\">web/availability counts events twice: ",
        ),
        (5, "2 more objectives"),
    ] {
        snapshot.doubled = vec![doubled.clone(); times];
        let board = Board::new(fixture::NOW);
        board.publish(snapshot.clone());
        let shown = state(board, fixture::NOW);
        for uri in ["/", "/incidents", "/sources", "/slos/web/availability"] {
            let page = page_of(&shown, uri).await;
            assert!(page.body.contains(told), "{uri} {}", page.body);
        }
    }
}
