//! What the charts of an objective's page say: where they begin, which heights have a name, and their sentences.

use std::sync::Arc;

use super::super::{fresh, state};
use super::{page_of, text};
use crate::domain::budget::ErrorBudget;
use crate::http::AppState;
use crate::status::board::Board;
use crate::status::fixture;
use crate::status::snapshot::SloStatus;

const PAGE: &str = "/slos/checkout/availability";

/// A board on which only the last four hours of `checkout/availability` were measured: 48,000 events, of which as many
/// as are given were bad, all of them in the last hour. 48 may be.
fn young(bad: f64) -> AppState {
    young_of("99.9%", bad)
}

/// The same for another objective.
fn young_of(objective: &str, bad: f64) -> AppState {
    let mut snapshot = fixture::snapshot();
    let is_it = |it: &&mut Arc<SloStatus>| it.id == "checkout/availability";
    let status = Arc::make_mut(snapshot.slos.iter_mut().find(is_it).unwrap());
    let ledger = fixture::young(bad);
    let counts = ledger.sum(status.window.range).counts;
    status.window.counts = counts;
    status.window.coverage = 4.0 / 720.0;
    Arc::make_mut(&mut status.slo).objective = objective.parse().unwrap();
    status.budget = ErrorBudget::of(counts, status.slo.objective);
    status.ledger = ledger;
    let board = Board::new(fixture::AT);
    board.publish(snapshot);
    state(board, fixture::NOW)
}

/// The names on the heights of the first chart, from the top.
fn names(html: &str) -> Vec<String> {
    let chart = html.split("</figure>").next().unwrap();
    let names = chart.split(r#"<text class="name""#).skip(1);
    let name = |it: &str| {
        let (_, name) = it.split("</text>").next().unwrap().split_once('>').unwrap();
        name.to_owned()
    };
    names.map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn the_charts_of_a_young_objective_begin_with_what_was_measured_and_say_so() {
    let page = page_of(&young(192.0), PAGE).await.body;
    let read = text(&page);
    for sentence in [
        "Budget overspent by 300 %, counted over 4 h of 30d",
        "Measured since 15 Jan 08:00 UTC, 0.5 % of the window. In what was measured the budget went from 100 % to −300 %.",
    ] {
        assert!(read.contains(sentence), "{sentence}: {read}");
    }
    assert!(
        !page.contains(r#"class="gap""#),
        "nothing is left out of it"
    );
    let path = page.split(r#"<path class="line" d=""#).nth(1).unwrap();
    let path = path.split('"').next().unwrap();
    assert!(
        path.starts_with("M0.0 0.0L") && path.ends_with("L1000.0 100.0"),
        "{path}"
    );
    let list = text(
        &page_of(&young(192.0), "/?search=checkout/availability")
            .await
            .body,
    );
    assert!(list.contains("−300 % of 4 h"), "{list}");
    // Whoever was watched for long needs to be told nothing of it.
    let whole = text(&page_of(&fresh(), PAGE).await.body);
    assert!(
        whole.contains("Over 30 d the budget went from 100 % to 70.8 %."),
        "{whole}"
    );
    assert!(
        !whole.contains("counted over") && !whole.contains("Measured since"),
        "{whole}"
    );
}

#[tokio::test(start_paused = true)]
async fn no_name_is_written_over_that_of_none_left() {
    for (bad, names_shown) in [
        (12.0, "100 %, 75 %, 50 %, 25 %, 0 %"),
        (48.4, "100 %, 0 %"),
        (96.0, "100 %, 0 %, −100 %"),
        (384.0, "0 %, −700 %"),
    ] {
        let page = page_of(&young(bad), PAGE).await.body;
        assert_eq!(names(&page).join(", "), names_shown, "{bad} bad");
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_without_bound_is_drawn_and_told() {
    let page = page_of(&young_of("100%", 1.0), PAGE).await.body;
    assert_eq!(names(&page).join(", "), "100 %, overspent");
    let sentence = "In what was measured the budget went from 100 % to overspent without bound.";
    assert!(text(&page).contains(sentence), "{page}");
    let path = page.split(r#"<path class="line" d=""#).nth(1).unwrap();
    let path = path.split('"').next().unwrap();
    assert!(
        path.starts_with("M0.0 0.0L") && path.ends_with("L1000.0 100.0"),
        "{path}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_worst_share_is_told_from_the_allowed_one_and_only_it_names_the_top() {
    // Of the thousand events of a step as many were bad as are given.
    for (bad, sentence, top) in [
        (
            1.004,
            "At worst 0.1004 % was bad; 0.1 % is allowed on the whole.",
            None,
        ),
        (
            8.0,
            "At worst 0.8 % was bad; 0.1 % is allowed on the whole.",
            Some("0.8 %"),
        ),
    ] {
        let page = page_of(&young(bad), PAGE).await.body;
        assert!(text(&page).contains(sentence), "{bad}: {page}");
        let figure = page.split("</figure>").nth(1).unwrap();
        assert_eq!(
            names(figure)
                .first()
                .map(String::as_str)
                .filter(|it| !it.starts_with("allowed")),
            top
        );
    }
}
