//! The server on a real socket: binding, keep-alive, bounds and the end.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fresh;
use crate::http::serve::run;
use crate::http::{bind, router};

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: sloburn\r\n\r\n";

/// A running server, and how to end it.
struct Server {
    address: std::net::SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

async fn start() -> Server {
    start_with(router(fresh())).await
}

async fn start_with(app: Router) -> Server {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let server = Server {
        address: listener.local_addr().unwrap(),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    let serving = run(listener, app, server.stop.clone());
    server.tasks.spawn(async { serving.await.unwrap() });
    server.tasks.close();
    server
}

/// Reads until the server has said `end`, or has closed the connection.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 1024]);
    while !text.ends_with(end) || end.is_empty() {
        let count = stream.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    text
}

#[tokio::test]
async fn a_port_in_use_is_said_with_what_to_do() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = holder.local_addr().unwrap();
    let error = bind(address).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on {address}: the port is in use; stop what listens there or choose \
             another with `--listen`"
        )
    );
    assert!(std::error::Error::source(&error).is_some());
    // 203.0.113.0/24 is kept for documentation: no machine has it.
    let error = bind("203.0.113.1:9099".parse().unwrap()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot listen on 203.0.113.1:9099: this machine does not have the address; choose \
         another with `--listen`"
    );
    let error = crate::http::BindError {
        address: "127.0.0.1:80".parse().unwrap(),
        source: std::io::ErrorKind::PermissionDenied.into(),
    };
    assert_eq!(
        error.to_string(),
        "cannot listen on 127.0.0.1:80: this user may not use the port; choose one above 1023 \
         with `--listen`"
    );
}

#[tokio::test]
async fn stopping_does_not_wait_for_connections_that_are_kept_open() {
    let server = start().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..2 {
        idle.write_all(REQUEST).await.unwrap();
        let answer = read_until(&mut idle, "ok\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut half = TcpStream::connect(server.address).await.unwrap();
    half.write_all(b"GET /healthz HT").await.unwrap();
    server.stop.cancel();
    // Far more than the three seconds that a half request is given, less than its idle time.
    let ended = tokio::time::timeout(Duration::from_secs(20), server.tasks.wait()).await;
    assert!(ended.is_ok(), "the server waits for its clients");
    for stream in [&mut idle, &mut silent, &mut half] {
        assert_eq!(read_until(stream, "").await, "");
    }
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(200 * 1024));
    // The refusal may come before all is written.
    let written = stream.write_all(long.as_bytes()).await;
    let mut answer = Vec::new();
    let got = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.starts_with("HTTP/1.1 431 ") || written.is_err() || got.is_err(),
        "{answer}"
    );
    server.stop.cancel();
    server.tasks.wait().await;
}

/// Paused time jumps to the next timer as soon as nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_half_of_it_is_hung_up_on() {
    let server = start().await;
    for said in ["", "GET /healthz HT"] {
        let connected = Instant::now();
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut stream, "").await, "", "{said}");
        // In simulated time: well before the lifetime of a connection that is in use.
        assert!(connected.elapsed() < Duration::from_mins(1), "{said}");
    }
    server.stop.cancel();
    server.tasks.wait().await;
}

#[tokio::test]
async fn an_answer_under_way_is_given_and_an_endless_one_is_cut_off() {
    let slow = async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        "ok\n"
    };
    let endless = std::future::pending::<&'static str>;
    let app = Router::new()
        .route("/slow", get(slow))
        .route("/endless", get(endless));
    let server = start_with(app).await;
    let mut streams = Vec::new();
    for path in ["/slow", "/endless"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: sloburn\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    // Long enough for both requests to be read, and shorter than the slow answer.
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.cancel();
    let answer = read_until(&mut streams[0], "").await;
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let ended = tokio::time::timeout(Duration::from_secs(20), server.tasks.wait()).await;
    assert!(ended.is_ok(), "the server waits for ever");
    assert_eq!(read_until(&mut streams[1], "").await, "");
}
