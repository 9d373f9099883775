//! A Slack for tests that refuses what Slack refuses, with its status, body and error code, and logs what it takes.
//!
//! It knows the two methods of the Web API that are used here and incoming webhooks. It can be told to refuse
//! everything, or to take a call and hold its answer back.

mod api;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use axum::serve::Listener;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A running fake; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct FakeSlack {
    address: SocketAddr,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

/// What a fake knows and how patient it is.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Channels by name; the second is the id.
    pub(crate) channels: Vec<(&'static str, &'static str)>,
    /// How many messages a channel takes at once before it takes one a second.
    pub(crate) burst: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            channels: vec![("#alerts", "C0ALERTS"), ("#tickets", "C0TICKETS")],
            burst: 1,
        }
    }
}

/// What everything is answered with, until it is switched back to `Nothing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refuse {
    /// Calls are judged as Slack judges them.
    Nothing,
    /// This status, with an empty page.
    Status(u16),
    /// 429 with so many seconds to wait.
    Busy(u32),
    /// The connection is closed without an answer.
    Reset,
    /// Somebody else's page with status 200.
    Page,
    /// This error code of the Web API.
    Code(&'static str),
    /// Whatever has blocks, with `invalid_blocks`.
    Blocks,
}

/// A call that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// When, since the fake was started.
    pub(crate) after: Duration,
    /// `chat.postMessage`, `chat.update` or `webhook`.
    pub(crate) method: &'static str,
    /// The channel's id; empty for webhooks.
    pub(crate) channel: String,
    /// The message's own name.
    pub(crate) ts: String,
    /// The message whose thread it stands in.
    pub(crate) thread: Option<String>,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
    /// As it was sent; `null` without.
    pub(crate) metadata: Value,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    started: Instant,
    held: watch::Sender<bool>,
    refuse: watch::Sender<Refuse>,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    told: Vec<Told>,
    /// Names of messages that can be edited, by channel.
    messages: Vec<(String, String)>,
    /// By channel: what is left of the burst, and when it was counted.
    pace: BTreeMap<String, (f64, Instant)>,
    /// How often a call was answered with 429.
    throttled: u32,
}

impl FakeSlack {
    /// The token that it knows.
    pub(crate) const TOKEN: &'static str = "xoxb-fake-token";
    /// The path of the webhook that it knows.
    pub(crate) const WEBHOOK: &'static str = "/services/T0FAKE/B0FAKE/fake-secret";

    /// Starts a fake on a free port.
    pub(crate) async fn start(options: Options) -> io::Result<Self> {
        Self::listen(TcpListener::bind("127.0.0.1:0").await?, options)
    }

    /// Starts a fake on a port of the caller's.
    pub(crate) fn listen(listener: TcpListener, options: Options) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            options,
            started: Instant::now(),
            held: watch::Sender::new(false),
            refuse: watch::Sender::new(Refuse::Nothing),
            log: Mutex::default(),
        });
        let router = Router::new()
            .route("/api/{method}", post(api::web_api))
            .route("/services/{team}/{hook}/{secret}", post(api::webhook))
            .with_state(Arc::clone(&shared));
        let door = Door {
            listener,
            shared: Arc::clone(&shared),
        };
        let mut server = JoinSet::new();
        server.spawn(async move {
            if let Err(error) = axum::serve(door, router).await {
                panic!("the fake Slack stopped: {error}");
            }
        });
        Ok(Self {
            address,
            shared,
            _server: server,
        })
    }

    /// What `apiUrl` is to be.
    pub(crate) fn api_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// The URL of the webhook that it knows.
    pub(crate) fn webhook_url(&self) -> String {
        format!("http://{}{}", self.address, Self::WEBHOOK)
    }

    /// Everything that was taken so far, answered or not.
    pub(crate) fn accepted(&self) -> Vec<Told> {
        self.shared.log().told.clone()
    }

    /// How many calls were answered with 429 because they came too fast.
    pub(crate) fn throttled(&self) -> u32 {
        self.shared.log().throttled
    }

    /// Refuses everything from now on in this way, or nothing.
    pub(crate) fn refuse(&self, refuse: Refuse) {
        self.shared.refuse.send_replace(refuse);
    }

    /// Takes calls from now on but does not answer them until `release`.
    pub(crate) fn hold_back(&self) {
        self.shared.held.send_replace(true);
    }

    /// Answers what was held back, and everything from now on.
    pub(crate) fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// Forgets how much was posted lately.
    pub(crate) fn forget_pace(&self) {
        self.shared.log().pace.clear();
    }

    /// Forgets all messages, as if somebody had deleted them; the log stays.
    pub(crate) fn delete_messages(&self) {
        self.shared.log().messages.clear();
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `channel` takes a message now; otherwise the seconds to wait.
    fn admit(&self, channel: &str) -> Result<(), u64> {
        let (now, burst) = (Instant::now(), f64::from(self.options.burst));
        let mut log = self.log();
        let (left, counted) = log.pace.get(channel).copied().unwrap_or((burst, now));
        let left = (left + now.duration_since(counted).as_secs_f64()).min(burst);
        let admitted = left >= 1.0;
        let rest = if admitted { left - 1.0 } else { left };
        log.pace.insert(channel.to_owned(), (rest, now));
        if admitted {
            Ok(())
        } else {
            log.throttled += 1;
            Err(1)
        }
    }

    /// Writes down a call that is taken. An edit is one of the message named in the body; a post gets a new name.
    fn take(&self, method: &'static str, channel: &str, body: &Value) -> String {
        let mut log = self.log();
        let number = log.told.len() + 1;
        let ts = match method {
            "chat.update" => api::text_of(body, "ts"),
            _ => format!("1700000000.{number:06}"),
        };
        log.told.push(Told {
            after: self.started.elapsed(),
            method,
            channel: channel.to_owned(),
            ts: ts.clone(),
            thread: body["thread_ts"].as_str().map(str::to_owned),
            text: api::text_of(body, "text"),
            blocks: body["blocks"].as_array().cloned().unwrap_or_default(),
            metadata: body["metadata"].clone(),
        });
        log.messages.push((channel.to_owned(), ts.clone()));
        ts
    }

    fn knows(&self, channel: &str, ts: &str) -> bool {
        let message = (channel.to_owned(), ts.to_owned());
        self.log().messages.contains(&message)
    }

    /// The id of a channel that is named by name or id.
    fn channel(&self, named: &str) -> Option<&'static str> {
        let mut channels = self.options.channels.iter();
        let found = channels.find(|(name, id)| {
            *name == named || *id == named || name.trim_start_matches('#') == named
        });
        found.map(|(_, id)| *id)
    }

    /// Returns once nothing is held back.
    async fn wait_until_released(&self) {
        let released = self.held.subscribe().wait_for(|held| !held).await.is_ok();
        debug_assert!(released, "the sender lives as long as the fake");
    }
}

/// Lets connections in, except when they are to be reset.
struct Door {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if *self.shared.refuse.borrow() != Refuse::Reset {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        TcpListener::local_addr(&self.listener)
    }
}

#[cfg(test)]
mod tests;
