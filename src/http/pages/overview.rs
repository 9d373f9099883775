//! `/`: all objectives, the worst first, with search and filters that work as a plain form.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::status::address::{self, encode};
use crate::status::names::{Alert, Compliance, Measured, Named, SignalName};
use crate::status::query::{QueryError, SloQuery};
use crate::status::snapshot::{SloStatus, Snapshot};
use crate::status::view::slo::SloView;
use crate::status::view::tally::TallyView;

use super::super::error::ApiError;
use super::super::moment::{Moment, Pairs};
use super::super::{AppState, index};
use super::chart::Sparkline;
use super::sign::Sign;
use super::{Layout, figures, html, is_for_people};

/// How many label pairs are proposed for the filter.
const PROPOSED: usize = 200;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    layout: Layout,
    tally: Vec<Share>,
    filter: Filter,
    labels: BTreeSet<String>,
    rows: Vec<Row>,
    next: Option<String>,
    /// All that there are, whatever the filter.
    total: u64,
}

/// How many are in one state, and where they are listed.
struct Share {
    count: u64,
    word: &'static str,
    class: &'static str,
    href: &'static str,
}

/// The form as it was sent, and what its lists offer.
struct Filter {
    given: Vec<(String, String)>,
}

/// One objective.
struct Row {
    slo: SloView,
    sign: Sign,
    outcome: Sign,
    spark: Sparkline,
    href: String,
    group: String,
    left: String,
    /// How much time that is of, where it is little.
    over: Option<String>,
    burns: Vec<String>,
    coverage: String,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/", get(show))
}

/// The page for people; for programs, which addresses there are.
async fn show(
    State(state): State<AppState>,
    headers: HeaderMap,
    uri: Uri,
    moment: Moment,
    Pairs(pairs): Pairs,
) -> Result<Response, ApiError> {
    if !is_for_people(&headers) {
        let vary = [(header::VARY, HeaderValue::from_static("accept"))];
        return Ok((vary, index()).into_response());
    }
    let filter = Filter::new(pairs);
    let snapshot = &moment.read.snapshot;
    let list = SloQuery::read(filter.query()?)?.list(snapshot, moment.freshness);
    let row = |slo: SloView| {
        let status = snapshot.slos.iter().find(|status| status.id == slo.id)?;
        Some(Row::new(slo, status))
    };
    Ok(html(&OverviewPage {
        layout: Layout::of(&moment, &state.site, uri.path()).titled("Objectives"),
        tally: shares(snapshot),
        labels: labels(snapshot),
        next: list.next.map(|cursor| filter.with("cursor", &cursor)),
        rows: list.items.into_iter().filter_map(row).collect(),
        total: u64::try_from(snapshot.slos.len()).unwrap_or(u64::MAX),
        filter,
    }))
}

impl Filter {
    /// What a form leaves empty is not asked for.
    fn new(pairs: Vec<(String, String)>) -> Self {
        let filled = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        Self {
            given: filled.collect(),
        }
    }

    /// The API's parameters: a form has one field `label` for all labels.
    fn query(&self) -> Result<Vec<(String, String)>, QueryError> {
        let one = |(name, value): &(String, String)| {
            if name != "label" {
                return Ok((name.clone(), value.clone()));
            }
            let (label, value) = value
                .split_once('=')
                .ok_or_else(|| QueryError::Label(value.clone()))?;
            Ok((format!("label.{label}"), value.to_owned()))
        };
        self.given.iter().map(one).collect()
    }

    /// The value of a field; empty when it was not filled.
    fn value(&self, name: &str) -> &str {
        let mut given = self.given.iter();
        given
            .find(|(given, _)| given == name)
            .map_or("", |(_, value)| value)
    }

    fn is_given(&self) -> bool {
        self.given.iter().any(|(name, _)| name != "cursor")
    }

    /// The address with the same filter and another `name`.
    fn with(&self, name: &str, value: &str) -> String {
        let kept = self.given.iter().filter(|(given, _)| given != name);
        let pairs = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut query = url_query(pairs.chain([(name, value)]));
        query.insert_str(0, "/?");
        query
    }

    /// The choices of the lists: parameter, what it is called, and each value with its name.
    fn choices() -> [Choice; 5] {
        [
            Choice::of::<Alert>("alert", "Alert"),
            Choice::of::<Compliance>("compliance", "Compliance"),
            Choice::of::<Measured>("outcome", "Measured"),
            Choice::of::<SignalName>("signal", "Signal"),
            Choice {
                name: "sort",
                label: "Order",
                any: "worst first",
                values: vec!["budget", "name"],
            },
        ]
    }
}

/// A list to choose from.
struct Choice {
    name: &'static str,
    label: &'static str,
    any: &'static str,
    values: Vec<&'static str>,
}

impl Choice {
    fn of<T: Named>(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            any: "any",
            values: T::ALL.iter().map(|one| one.name()).collect(),
        }
    }
}

fn url_query<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let encoded = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    encoded.collect::<Vec<_>>().join("&")
}

/// How many are in which state; what nobody is in is left out.
fn shares(snapshot: &Snapshot) -> Vec<Share> {
    let tally = TallyView::of(snapshot.slos.iter().map(AsRef::as_ref));
    let share = |count, word, class, href| Share {
        count,
        word,
        class,
        href,
    };
    let outcome = tally.outcome;
    let mut shares = vec![
        share(tally.alert.page, "paging", "page", "/?alert=page"),
        share(tally.alert.ticket, "ticket", "ticket", "/?alert=ticket"),
        share(
            tally.compliance.breached,
            "breached",
            "breached",
            "/?compliance=breached",
        ),
        share(outcome.failed, "not read", "unknown", "/?outcome=failed"),
        share(outcome.no_data, "no data", "unknown", "/?outcome=noData"),
        share(
            outcome.partial,
            "partial data",
            "unknown",
            "/?outcome=partial",
        ),
        share(
            outcome.no_traffic,
            "no traffic",
            "quiet",
            "/?outcome=noTraffic",
        ),
    ];
    shares.retain(|share| share.count > 0);
    shares
}

/// Label pairs to filter by.
fn labels(snapshot: &Snapshot) -> BTreeSet<String> {
    let slos = snapshot.slos.iter();
    let pairs = slos.flat_map(|status| &status.slo.labels);
    let all: BTreeSet<String> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    all.into_iter().take(PROPOSED).collect()
}

impl Row {
    fn new(slo: SloView, status: &SloStatus) -> Self {
        Self {
            sign: Sign::of(&slo),
            outcome: Sign::of_outcome(slo.measurement.outcome),
            spark: Sparkline::of(status),
            href: address::of_instance(&status.slo),
            group: figures::group(&slo),
            left: figures::left(&slo),
            over: figures::counted_over(&slo),
            burns: figures::burns(&slo),
            coverage: figures::coverage(slo.window.coverage),
            slo,
        }
    }
}
