//! `/incidents` and `/incidents/{id}`: what is and what was wrong, and how each came and went.

use askama::Template;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;

use crate::domain::incident::{Change, CloseReason, Incident, Transition};
use crate::domain::policy::Severity;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::status::address;
use crate::status::board::DeliveryStatus;
use crate::status::names::{Alert, EpisodeKind};
use crate::status::query::{self, IncidentQuery};
use crate::status::snapshot::{SloStatus, Snapshot};
use crate::status::view::episode::EpisodeView;
use crate::status::words;

use super::super::AppState;
use super::super::error::ApiError;
use super::super::moment::{Moment, Pairs};
use super::chart::{Frame, RatioChart};
use super::sign::Sign;
use super::when::When;
use super::{Layout, Prose, html};

#[derive(Template)]
#[template(path = "incidents.html")]
struct IncidentsPage {
    layout: Layout,
    /// Which are shown: `open`, `closed` or all.
    state: String,
    incidents: Vec<IncidentRow>,
    /// What is open beside them, unless only closed ones are shown.
    others: Vec<OtherRow>,
    next: Option<String>,
}

/// An open alert that is not about a budget.
struct OtherRow {
    sign: Sign,
    subject: String,
    reason: Prose,
    since: When,
    /// The receivers that it is for.
    receivers: String,
}

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    layout: Layout,
    row: IncidentRow,
    /// Where the objective is shown, while it is defined.
    page: Option<String>,
    timeline: Vec<Moved>,
    cost: Option<String>,
    chart: Option<RatioChart>,
    /// The receivers that it is for, and what waits for them.
    receivers: Vec<Addressee>,
}

/// A receiver that an incident is for.
struct Addressee {
    name: String,
    /// What still waits for it, of all incidents.
    waiting: Option<Prose>,
}

/// One incident in a list.
pub(super) struct IncidentRow {
    pub(super) id: String,
    pub(super) slo: String,
    pub(super) sign: Sign,
    pub(super) peak: &'static str,
    pub(super) opened: When,
    pub(super) closed: Option<When>,
    pub(super) lasted: String,
    pub(super) reason: &'static str,
}

/// One line of an incident's history.
struct Moved {
    at: When,
    words: String,
    sign: Option<Sign>,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/incidents", get(list))
        .route("/incidents/{id}", get(show))
}

async fn list(
    State(state): State<AppState>,
    uri: Uri,
    moment: Moment,
    Pairs(pairs): Pairs,
) -> Result<Response, ApiError> {
    let given = pairs.iter().find(|(name, _)| name == "state");
    let shown = given.map_or_else(String::new, |(_, value)| value.clone());
    let snapshot = &moment.read.snapshot;
    let list = IncidentQuery::read(pairs)?.list(snapshot, moment.freshness);
    let row = |id: &str| Some(IncidentRow::new(find(snapshot, id)?, snapshot));
    let incidents = list.items.iter().filter_map(|it| row(&it.id)).collect();
    let now = snapshot.at.unwrap_or_default();
    let others = snapshot.episodes.iter().filter(|_| shown != "closed");
    let others = others.filter_map(|it| Some(OtherRow::new(&EpisodeView::of(it)?, now)));
    let others = others.collect();
    let narrowed = match shown.as_str() {
        "" => String::new(),
        state => format!("&state={state}"),
    };
    Ok(html(&IncidentsPage {
        layout: Layout::of(&moment, &state.site, uri.path()).titled("Incidents"),
        state: shown,
        incidents,
        others,
        next: list
            .next
            .map(|cursor| format!("/incidents?cursor={cursor}{narrowed}")),
    }))
}

async fn show(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    moment: Moment,
    Pairs(pairs): Pairs,
) -> Result<Response, ApiError> {
    let Path(id) = path.map_err(|_| ApiError::Path)?;
    query::none(pairs)?;
    let snapshot = &moment.read.snapshot;
    let Some(incident) = find(snapshot, &id) else {
        return Err(match moment.freshness.at {
            None => ApiError::NotYet,
            Some(_) => ApiError::NoSuchIncident { id },
        });
    };
    let now = snapshot.at.unwrap_or(incident.opened);
    let mut of = snapshot.slos.iter();
    let status = of.find(|status| status.slo.id == incident.slo);
    let open = TimeRange {
        from: incident.onset,
        to: incident.closed.unwrap_or(now),
    };
    let delivery = moment.read.delivery.as_deref();
    let receivers = incident.told.iter();
    let receivers = receivers.map(|name| Addressee::new(name, delivery, now));
    let page = status.map(|status| address::of_instance(&status.slo));
    let title = format!("Incident of {}", incident.slo);
    Ok(html(&IncidentPage {
        layout: Layout::of(&moment, &state.site, uri.path()).titled(title),
        row: IncidentRow::new(incident, snapshot),
        page,
        timeline: timeline(incident, now),
        cost: status.and_then(|status| cost(status, open)),
        chart: status.map(|status| chart(status, incident, open, now)),
        receivers: receivers.collect(),
    }))
}

fn find<'a>(snapshot: &'a Snapshot, id: &str) -> Option<&'a Incident> {
    let mut all = snapshot.incidents.iter();
    all.find(|it| it.id.as_str() == id).map(AsRef::as_ref)
}

impl OtherRow {
    fn new(episode: &EpisodeView, now: Timestamp) -> Self {
        let whose = match episode.kind {
            EpisodeKind::Unmeasured => "Source ",
            EpisodeKind::GroupsRefused | EpisodeKind::TicksPassedOver => "",
        };
        Self {
            sign: Sign::of_alert(episode.severity),
            subject: format!("{whose}{}", episode.subject),
            reason: Prose::of(&*episode.reason),
            since: When::short(episode.since.0, now),
            receivers: episode.told.join(", "),
        }
    }
}

impl Addressee {
    fn new(name: &str, delivery: Option<&DeliveryStatus>, now: Timestamp) -> Self {
        let mut all = delivery.into_iter().flat_map(|it| &it.receivers);
        let waiting = all.find(|it| it.receiver == name).map(|it| {
            let since = When::exact(it.oldest, now);
            let why = it.error.as_deref().unwrap_or("not tried yet");
            let notices = if it.waiting == 1 {
                "1 notice waits".to_owned()
            } else {
                format!("{} notices wait", it.waiting)
            };
            Prose::of(format!("{notices} since {}: {why}", since.text()))
        });
        Self {
            name: name.to_owned(),
            waiting,
        }
    }
}

impl IncidentRow {
    pub(super) fn new(incident: &Incident, snapshot: &Snapshot) -> Self {
        let now = snapshot.at.unwrap_or(incident.opened);
        let reason = incident.history.last().map(|last| last.change);
        Self {
            id: incident.id.to_string(),
            slo: incident.slo.to_string(),
            sign: match incident.closed {
                None => Sign::of_alert(Alert::from(incident.severity)),
                Some(_) => Sign::CLOSED,
            },
            peak: severity(incident.peak),
            opened: When::short(incident.opened, now),
            closed: incident.closed.map(|at| When::short(at, now)),
            lasted: words::words(incident.closed.unwrap_or(now).since(incident.opened)),
            reason: match reason {
                Some(Change::Closed(reason)) => why(reason),
                _ => "",
            },
        }
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Ticket => "ticket",
        Severity::Page => "page",
    }
}

const fn why(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Recovered => "recovered",
        CloseReason::NoTraffic => "no traffic is left",
        CloseReason::Removed => "no longer watched",
    }
}

/// What happened, oldest first.
fn timeline(incident: &Incident, now: Timestamp) -> Vec<Moved> {
    let began = Moved {
        at: When::exact(incident.onset, now),
        words: "The errors began, as far as the counts tell.".to_owned(),
        sign: None,
    };
    let moved = incident.history.iter().map(|line| Moved {
        at: When::exact(line.at, now),
        words: sentence(line),
        sign: Some(match line.change {
            Change::Closed(_) => Sign::CLOSED,
            _ => Sign::of_alert(Alert::from(line.severity)),
        }),
    });
    [began].into_iter().chain(moved).collect()
}

fn sentence(line: &Transition) -> String {
    let now = severity(line.severity);
    match line.change {
        Change::Opened => format!("Opened as a {now}."),
        Change::Rose { from } => format!("Rose from {} to {now}.", severity(from)),
        Change::Fell { from } => format!("Fell from {} to {now}.", severity(from)),
        Change::Reminded => format!("Told again: it is still a {now}."),
        Change::Closed(reason) => format!("Closed: {}.", why(reason)),
    }
}

/// What it took of the budget; unknown where the counts are no longer kept.
fn cost(status: &SloStatus, open: TimeRange) -> Option<String> {
    let window = status.window.range;
    if open.from < window.from {
        return None;
    }
    let counts = status.ledger.sum(open).counts;
    let budget = status.budget.filter(|it| it.allowed > 0.0)?;
    Some(format!(
        "{} bad of {} = {} of the budget over {}.",
        words::count(counts.bad),
        words::count(counts.total),
        words::percent(counts.bad / budget.allowed),
        status.slo.window
    ))
}

/// The bad shares around the incident, with a fifth of its length before it.
fn chart(status: &SloStatus, incident: &Incident, open: TimeRange, now: Timestamp) -> RatioChart {
    let slot = status.ledger.width(open.from);
    let fifth = Span::from_millis(open.length().as_millis() / 5).max(slot);
    let range = TimeRange {
        from: (open.from - fifth).floor_to(slot),
        to: (open.to + fifth).ceil_to(slot).min(now),
    };
    let frame = Frame::of(status, range, [incident]);
    let allowance = status.slo.objective.allowance().to_f64();
    RatioChart::new(frame, "ratio".to_owned(), allowance)
}
