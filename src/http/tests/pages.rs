//! Pages for people: what they show, what they may do, and what a site adds to them.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::{Answer, ask, fresh, state};
use crate::domain::time::Span;
use crate::http::{AppState, Layout, NavEntry, Site, html};
use crate::status::board::Board;
use crate::status::fixture;

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
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    answer
}

/// The text of a page as it is read: without markup, blanks put together.
pub(super) fn text(html: &str) -> String {
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
        "▲ Page, ◆ Ticket, ✕ Overspent, ? No data, ◐ Partial data, ✓ OK, ! Not read, ○ No traffic, ✓ OK"
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
