//! `/api/v1/events`: tells at once when a tick has run, an incident has changed, notices wait or went
//! out, or other definitions came. Events say that there is news; what it is stands at the other addresses.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::domain::incident::IncidentId;
use crate::status::board::{Board, DefinitionsStatus, DeliveryStatus, Reading};
use crate::status::view::incident::TransitionView;
use crate::status::view::scalar::Time;

use super::AppState;
use super::error::ApiError;

/// How many may follow at once: a quarter of all connections, so that the rest stays for questions.
pub(super) const MOST: usize = 200;

/// How long one is followed; who comes back goes on. Shorter than the life of a connection, so that
/// the end is one between events.
const LIFETIME: Duration = Duration::from_mins(9);

/// How often something is said when nothing happens, so that nobody in between hangs up.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a client that was cut off waits before it comes back.
const RETRY: Duration = Duration::from_secs(2);

/// When the server ends, so that nobody who follows holds it up.
#[derive(Clone, Debug)]
pub(super) struct Stop(pub(super) CancellationToken);

pub(super) fn routes() -> Router<AppState> {
    let places = Arc::new(Semaphore::new(MOST));
    let handler = async move |State(state): State<AppState>, stop: Option<Extension<Stop>>| {
        let stop = stop.map(|Extension(Stop(stop))| stop);
        follow(&state.board, &places, stop.unwrap_or_default())
    };
    Router::new().route("/events", get(handler))
}

fn follow(
    board: &Arc<Board>,
    places: &Arc<Semaphore>,
    stop: CancellationToken,
) -> Result<Response, ApiError> {
    let place = Arc::clone(places).try_acquire_owned();
    let place = place.map_err(|_| ApiError::Full)?;
    let changes = board.subscribe();
    let follower = Follower {
        seen: Seen::of(&board.read()),
        board: Arc::clone(board),
        changes,
        waiting: VecDeque::from([Event::default().retry(RETRY).comment("Sloburn")]),
        ends: Instant::now() + LIFETIME,
        stop,
        _place: place,
    };
    let events = stream::unfold(follower, |mut follower| async {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("no news");
    let mut response = Sse::new(events).keep_alive(heartbeat).into_response();
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    Ok(response)
}

/// One client, and what it was told.
#[derive(Debug)]
struct Follower {
    board: Arc<Board>,
    changes: watch::Receiver<()>,
    seen: Seen,
    waiting: VecDeque<Event>,
    ends: Instant,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// What tells news from what is known.
#[derive(Debug)]
struct Seen {
    at: Option<Time>,
    /// How long the history of each incident was.
    incidents: BTreeMap<IncidentId, usize>,
    delivery: Option<Arc<DeliveryStatus>>,
    definitions: Option<Arc<DefinitionsStatus>>,
}

/// That a tick has run.
#[derive(Debug, Serialize)]
struct TickEvent {
    at: Time,
}

/// What happened to an incident.
#[derive(Debug, Serialize)]
struct IncidentEvent<'a> {
    id: &'a str,
    slo: &'a str,
    #[serde(flatten)]
    transition: TransitionView,
}

/// How many notices wait.
#[derive(Debug, Serialize)]
struct NoticeEvent {
    waiting: u64,
}

impl Seen {
    fn of(read: &Reading) -> Self {
        let incidents = read.snapshot.incidents.iter();
        Self {
            at: read.snapshot.at.map(Time),
            incidents: incidents
                .map(|it| (it.id.clone(), it.history.len()))
                .collect(),
            delivery: read.delivery.clone(),
            definitions: read.definitions.clone(),
        }
    }

    /// What `read` says that this does not.
    fn news(&self, read: &Reading) -> Vec<Event> {
        let mut news = Vec::new();
        let mut tell = |kind: &str, event: Result<Event, axum::Error>| {
            // Plain numbers and texts can always be written.
            news.extend(event.ok().map(|event| event.event(kind)));
        };
        let at = read.snapshot.at.map(Time).filter(|at| Some(*at) != self.at);
        for incident in read.snapshot.incidents.iter().rev() {
            let known = self.incidents.get(&incident.id).copied().unwrap_or(0);
            for line in incident.history.iter().skip(known) {
                let event = IncidentEvent {
                    id: incident.id.as_str(),
                    slo: incident.slo.as_str(),
                    transition: TransitionView::of(line),
                };
                tell("incident", Event::default().json_data(event));
            }
        }
        if self.delivery != read.delivery {
            let receivers = read.delivery.iter().flat_map(|it| &it.receivers);
            let waiting = receivers.map(|receiver| receiver.waiting).sum();
            tell(
                "notice",
                Event::default().json_data(NoticeEvent { waiting }),
            );
        }
        if self.definitions != read.definitions {
            let revision = read.definitions.as_ref().map(|it| it.revision.clone());
            tell("configuration", Event::default().json_data(revision));
        }
        // The tick last: who looks then finds all that came with it.
        if let Some(at) = at {
            tell("tick", Event::default().json_data(TickEvent { at }));
        }
        news
    }
}

impl Follower {
    /// The next event, when there is one; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                () = sleep_until(self.ends) => return None,
                () = self.stop.cancelled() => return None,
            }
            let read = self.board.read();
            self.waiting.extend(self.seen.news(&read));
            self.seen = Seen::of(&read);
        }
    }
}
