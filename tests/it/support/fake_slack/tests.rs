//! The fake refuses what Slack refuses: a table of calls and what is answered.

use std::fmt::Write as _;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const KNOWN: &str = "Bearer xoxb-fake-token";
const JSON: &str = "application/json; charset=utf-8";

/// Posts to the fake and returns status, `Retry-After` and body.
async fn call(fake: &FakeSlack, path: &str, token: &str, kind: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(fake.address).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    let wait = head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "));
    let wait = wait.map_or_else(String::new, |seconds| format!(" after {seconds} s"));
    format!("{status}{wait} {body}")
}

async fn fake() -> FakeSlack {
    FakeSlack::start(Options::default()).await.unwrap()
}

fn section(characters: usize) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(characters)}})
}

fn header(characters: usize) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": "x".repeat(characters)}})
}

/// One line: what is answered to a call after a first message, and how many calls were taken.
async fn answer(name: &str, method: &str, token: &str, kind: &str, body: &str) -> String {
    let (fake, first) = (fake().await, r##"{"channel": "#alerts", "text": "first"}"##);
    call(&fake, "/api/chat.postMessage", KNOWN, JSON, first).await;
    fake.forget_pace();
    let answer = call(&fake, &format!("/api/{method}"), token, kind, body).await;
    format!("{name}: {answer} ({} taken)\n", fake.accepted().len() - 1)
}

#[tokio::test]
async fn who_calls_and_how_is_looked_at_first() {
    const FINE: &str = r##"{"channel": "#alerts", "text": "hello"}"##;
    let mut seen = String::new();
    for (name, token, kind, body) in [
        ("fine", KNOWN, JSON, FINE),
        ("no token", "", JSON, FINE),
        ("wrong token", "Bearer x", JSON, FINE),
        ("no JSON", KNOWN, JSON, "{"),
        ("a form", KNOWN, "application/x-www-form-urlencoded", "a=b"),
        ("XML", KNOWN, "text/xml", FINE),
    ] {
        seen.push_str(&answer(name, "chat.postMessage", token, kind, body).await);
    }
    insta::assert_snapshot!(seen, @r#"
    fine: 200 {"channel":"C0ALERTS","message":{"text":"hello"},"ok":true,"ts":"1700000000.000002"} (1 taken)
    no token: 200 {"error":"not_authed","ok":false} (0 taken)
    wrong token: 200 {"error":"invalid_auth","ok":false} (0 taken)
    no JSON: 200 {"error":"invalid_json","ok":false} (0 taken)
    a form: 200 {"error":"invalid_form_data","ok":false} (0 taken)
    XML: 200 {"error":"invalid_post_type","ok":false} (0 taken)
    "#);
}

#[tokio::test]
async fn what_is_posted_is_looked_at_as_slack_does() {
    let blocks = |blocks: Vec<Value>| json!({"blocks": blocks});
    let mut seen = String::new();
    for (name, more) in [
        ("by id", json!({"channel": "C0ALERTS"})),
        ("unknown channel", json!({"channel": "#nowhere"})),
        ("no text", json!({"text": ""})),
        ("50 blocks", blocks(vec![section(1); 50])),
        ("51 blocks", blocks(vec![section(1); 51])),
        ("section of 3,000", blocks(vec![section(3_000)])),
        ("section of 3,001", blocks(vec![section(3_001)])),
        ("header of 150", blocks(vec![header(150)])),
        ("header of 151", blocks(vec![header(151)])),
        ("too much", blocks(vec![section(3_000); 5])),
        ("unknown thread", json!({"thread_ts": "1.2"})),
    ] {
        let mut body = json!({"channel": "#alerts", "text": "hello"});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let method = "chat.postMessage";
        seen.push_str(&answer(name, method, KNOWN, JSON, &body.to_string()).await);
    }
    insta::assert_snapshot!(seen, @r#"
    by id: 200 {"channel":"C0ALERTS","message":{"text":"hello"},"ok":true,"ts":"1700000000.000002"} (1 taken)
    unknown channel: 200 {"error":"channel_not_found","ok":false} (0 taken)
    no text: 200 {"error":"no_text","ok":false} (0 taken)
    50 blocks: 200 {"channel":"C0ALERTS","message":{"text":"hello"},"ok":true,"ts":"1700000000.000002"} (1 taken)
    51 blocks: 200 {"error":"invalid_blocks","ok":false} (0 taken)
    section of 3,000: 200 {"channel":"C0ALERTS","message":{"text":"hello"},"ok":true,"ts":"1700000000.000002"} (1 taken)
    section of 3,001: 200 {"error":"invalid_blocks","ok":false} (0 taken)
    header of 150: 200 {"channel":"C0ALERTS","message":{"text":"hello"},"ok":true,"ts":"1700000000.000002"} (1 taken)
    header of 151: 200 {"error":"invalid_blocks","ok":false} (0 taken)
    too much: 200 {"error":"msg_blocks_too_long","ok":false} (0 taken)
    unknown thread: 200 {"error":"thread_not_found","ok":false} (0 taken)
    "#);
}

#[tokio::test]
async fn edits_need_an_id_and_a_message() {
    let mut seen = String::new();
    for (name, method, channel, ts) in [
        ("fine", "chat.update", "C0ALERTS", "1700000000.000001"),
        ("by name", "chat.update", "#alerts", "1700000000.000001"),
        ("of nothing", "chat.update", "C0ALERTS", "1.2"),
        ("elsewhere", "chat.update", "C0TICKETS", "1700000000.000001"),
        ("unknown method", "chat.shout", "C0ALERTS", ""),
    ] {
        let body = json!({"channel": channel, "text": "hello", "ts": ts}).to_string();
        seen.push_str(&answer(name, method, KNOWN, JSON, &body).await);
    }
    insta::assert_snapshot!(seen, @r#"
    fine: 200 {"channel":"C0ALERTS","message":{"text":"hello"},"ok":true,"ts":"1700000000.000001"} (1 taken)
    by name: 200 {"error":"channel_not_found","ok":false} (0 taken)
    of nothing: 200 {"error":"message_not_found","ok":false} (0 taken)
    elsewhere: 200 {"error":"message_not_found","ok":false} (0 taken)
    unknown method: 200 {"error":"unknown_method","ok":false} (0 taken)
    "#);
}

#[tokio::test]
async fn incoming_webhooks_answer_as_slacks_do() {
    let mut seen = String::new();
    for (path, body) in [
        (FakeSlack::WEBHOOK, r#"{"text": "hello"}"#),
        (FakeSlack::WEBHOOK, "hello"),
        (FakeSlack::WEBHOOK, "{}"),
        (
            "/services/T0OTHER/B0FAKE/fake-secret",
            r#"{"text": "hello"}"#,
        ),
        ("/services/T0FAKE/B0FAKE/wrong", r#"{"text": "hello"}"#),
    ] {
        let answer = call(&fake().await, path, "", JSON, body).await;
        writeln!(seen, "{path} {body}: {answer}").unwrap();
    }
    insta::assert_snapshot!(seen, @r#"
    /services/T0FAKE/B0FAKE/fake-secret {"text": "hello"}: 200 ok
    /services/T0FAKE/B0FAKE/fake-secret hello: 400 invalid_payload
    /services/T0FAKE/B0FAKE/fake-secret {}: 400 no_text
    /services/T0OTHER/B0FAKE/fake-secret {"text": "hello"}: 404 no_service
    /services/T0FAKE/B0FAKE/wrong {"text": "hello"}: 403 invalid_token
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_channel_takes_a_short_burst_and_then_a_message_a_second() {
    let options = Options {
        burst: 2,
        ..Options::default()
    };
    let fake = FakeSlack::start(options).await.unwrap();
    let mut seen = String::new();
    for channel in ["#alerts", "#alerts", "#alerts", "#tickets"] {
        let body = json!({"channel": channel, "text": "hello"}).to_string();
        let answer = call(&fake, "/api/chat.postMessage", KNOWN, JSON, &body).await;
        let start: String = answer.chars().take(24).collect();
        writeln!(seen, "{channel} {start}").unwrap();
    }
    insta::assert_snapshot!(seen, @r#"
    #alerts 200 {"channel":"C0ALERTS
    #alerts 200 {"channel":"C0ALERTS
    #alerts 429 after 1 s {"error":"
    #tickets 200 {"channel":"C0TICKET
    "#);
    assert_eq!(fake.throttled(), 1);
}

#[tokio::test]
async fn what_is_held_back_is_taken_but_not_answered() {
    let fake = fake().await;
    fake.hold_back();
    let body = json!({"channel": "#alerts", "text": "hello"}).to_string();
    let held = call(&fake, "/api/chat.postMessage", KNOWN, JSON, &body);
    tokio::pin!(held);
    while fake.accepted().is_empty() {
        let early = tokio::time::timeout(Duration::from_millis(10), &mut held).await;
        assert!(early.is_err(), "answered though held back");
    }
    fake.release();
    assert!(held.await.starts_with("200 "));
}
