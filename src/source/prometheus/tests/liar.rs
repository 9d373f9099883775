//! A server for tests that answers as its script says, true or not, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use reqwest::Url;

/// How one request is answered.
#[derive(Clone)]
pub(super) enum Lie {
    /// A whole HTTP response.
    Response {
        status: u16,
        headers: String,
        body: Vec<u8>,
    },
    /// These bytes, and then the connection ends.
    Bytes(Vec<u8>),
    /// Nothing, for as long as the other side waits.
    Silence,
    /// Does something before the rest.
    After(Arc<dyn Fn() + Send + Sync>, Box<Lie>),
}

impl Lie {
    pub(super) fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Response {
            status,
            headers: String::new(),
            body: body.into(),
        }
    }

    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// The same with a header more.
    pub(super) fn with(self, header: &str) -> Self {
        match self {
            Self::Response {
                status,
                headers,
                body,
            } => Self::Response {
                status,
                headers: format!("{headers}{header}\r\n"),
                body,
            },
            other => other,
        }
    }
}

/// One request that came.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) form: BTreeMap<String, String>,
}

/// The server; ends with the test's process.
pub(super) struct Liar {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    script: Vec<Lie>,
    asked: Mutex<Vec<Asked>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Liar {
    /// Answers whoever connects without listening.
    pub(super) fn greeting() -> Self {
        Self::running([], |_, mut connection| {
            connection
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .ok();
        })
    }

    /// Tells one lie per request, and the last one again and again.
    pub(super) fn telling(script: impl IntoIterator<Item = Lie>) -> Self {
        Self::running(script, Shared::serve)
    }

    fn running(script: impl IntoIterator<Item = Lie>, serve: fn(&Shared, TcpStream)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        let shared = Arc::new(Shared {
            script: script.into_iter().collect(),
            asked: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let kept = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(&shared, connection));
            }
        });
        Self { port, shared: kept }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.shared.asked.lock().expect("nobody panicked with it")
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// One request per connection.
    fn serve(&self, mut connection: TcpStream) {
        let Some(request) = request(&mut connection) else {
            return;
        };
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let lie = {
            let mut asked = self.asked.lock().expect("nobody panicked with it");
            asked.push(request);
            let turn = (asked.len() - 1).min(self.script.len() - 1);
            self.script[turn].clone()
        };
        let bytes = said(lie, &mut connection);
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        // The other side may have hung up: that is its business.
        connection.write_all(&bytes).ok();
    }
}

fn said(lie: Lie, connection: &mut TcpStream) -> Vec<u8> {
    match lie {
        Lie::Response {
            status,
            headers,
            body,
        } => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
            );
            [head.into_bytes(), body].concat()
        }
        Lie::Bytes(bytes) => bytes,
        Lie::Silence => {
            let mut rest = Vec::new();
            connection.read_to_end(&mut rest).ok();
            rest
        }
        Lie::After(act, lie) => {
            act();
            said(*lie, connection)
        }
    }
}

fn request(connection: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        receive(connection, &mut bytes)?;
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.lines();
    let mut asked = Asked {
        line: lines.next()?.to_owned(),
        ..Asked::default()
    };
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        asked.headers.insert(name.to_owned(), value.to_owned());
    }
    let length: usize = match asked.headers.get("content-length") {
        Some(length) => length.parse().ok()?,
        None => 0,
    };
    while bytes.len() < head + length {
        receive(connection, &mut bytes)?;
    }
    // What is asked by remote read is no text.
    let form = String::from_utf8_lossy(&bytes[head..]);
    let url = Url::parse(&format!("http://form/?{form}")).ok()?;
    asked.form = url.query_pairs().into_owned().collect();
    Some(asked)
}

fn receive(connection: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut part = [0; 4096];
    let count = connection.read(&mut part).ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&part[..count]);
    Some(())
}
