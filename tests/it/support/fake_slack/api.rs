//! What Slack takes and what it refuses, as its two ways in.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{FakeSlack, Refuse, Shared};

/// `POST /api/{method}`.
pub(super) async fn web_api(
    State(shared): State<Arc<Shared>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refuse = *shared.refuse.borrow();
    if let Some(answer) = refused(refuse) {
        return closing(answer);
    }
    let answer = judge(&shared, &method, &headers, &body, refuse);
    if let Ok(answer) = &answer {
        debug_assert_eq!(answer["ok"], true);
        shared.wait_until_released().await;
    }
    closing(match answer {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(Fault::Code(code)) => axum::Json(json!({"ok": false, "error": code})).into_response(),
        Err(Fault::TooFast(seconds)) => (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, seconds.to_string())],
            axum::Json(json!({"ok": false, "error": "ratelimited"})),
        )
            .into_response(),
    })
}

enum Fault {
    Code(&'static str),
    TooFast(u64),
}

fn judge(
    shared: &Shared,
    method: &str,
    headers: &HeaderMap,
    body: &Bytes,
    refuse: Refuse,
) -> Result<Value, Fault> {
    let fault = |code| Err(Fault::Code(code));
    let header = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    match header(header::AUTHORIZATION).strip_prefix("Bearer ") {
        None => return fault("not_authed"),
        Some(token) if token != FakeSlack::TOKEN => return fault("invalid_auth"),
        Some(_) => {}
    }
    let kind = header(header::CONTENT_TYPE)
        .split(';')
        .next()
        .unwrap_or_default();
    match kind {
        "application/json" => {}
        // The fake reads no forms, so that every form is a faulty one.
        "application/x-www-form-urlencoded" | "multipart/form-data" => {
            return fault("invalid_form_data");
        }
        _ => return fault("invalid_post_type"),
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return fault("invalid_json");
    };
    let named = text_of(&body, "channel");
    let (method, channel) = match (method, shared.channel(&named)) {
        ("chat.postMessage", Some(id)) => ("chat.postMessage", id),
        // Edits take the id only.
        ("chat.update", Some(id)) if id == named => ("chat.update", id),
        ("chat.postMessage" | "chat.update", _) => return fault("channel_not_found"),
        _ => return fault("unknown_method"),
    };
    if let Some(code) = faulty_content(&body, refuse) {
        return fault(code);
    }
    if method == "chat.update" && !shared.knows(channel, &text_of(&body, "ts")) {
        return fault("message_not_found");
    }
    let thread = text_of(&body, "thread_ts");
    if !thread.is_empty() && !shared.knows(channel, &thread) {
        return fault("thread_not_found");
    }
    if method == "chat.postMessage" {
        shared.admit(channel).map_err(Fault::TooFast)?;
    }
    let ts = shared.take(method, channel, &body);
    Ok(json!({"ok": true, "channel": channel, "ts": ts, "message": {"text": body["text"]}}))
}

/// `POST /services/…`.
pub(super) async fn webhook(
    State(shared): State<Arc<Shared>>,
    Path((team, hook, secret)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let refuse = *shared.refuse.borrow();
    if let Some(answer) = refused(refuse) {
        return closing(answer);
    }
    let mut known = FakeSlack::WEBHOOK
        .trim_start_matches("/services/")
        .split('/');
    let known_hook = known.next() == Some(&team) && known.next() == Some(&hook);
    if !known_hook {
        return closing((StatusCode::NOT_FOUND, "no_service").into_response());
    }
    if known.next() != Some(&secret) {
        return closing((StatusCode::FORBIDDEN, "invalid_token").into_response());
    }
    let Some(body) = serde_json::from_slice::<Value>(&body)
        .ok()
        .filter(Value::is_object)
    else {
        return closing((StatusCode::BAD_REQUEST, "invalid_payload").into_response());
    };
    if let Some(code) = faulty_content(&body, refuse) {
        return closing((StatusCode::BAD_REQUEST, code).into_response());
    }
    if let Err(seconds) = shared.admit("webhook") {
        let wait = [(header::RETRY_AFTER, seconds.to_string())];
        return closing((StatusCode::TOO_MANY_REQUESTS, wait, "rate_limited").into_response());
    }
    shared.take("webhook", "", &body);
    shared.wait_until_released().await;
    closing("ok".into_response())
}

/// The answer to everything while everything is refused.
fn refused(refuse: Refuse) -> Option<Response> {
    match refuse {
        // A connection that was let in before is closed too, since none is kept alive.
        Refuse::Nothing | Refuse::Blocks => None,
        Refuse::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            Some(status.into_response())
        }
        Refuse::Reset => Some(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Refuse::Busy(seconds) => {
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            Some((StatusCode::TOO_MANY_REQUESTS, wait).into_response())
        }
        Refuse::Page => Some(axum::response::Html("<h1>Please log in</h1>").into_response()),
        Refuse::Code(code) => Some(axum::Json(json!({"ok": false, "error": code})).into_response()),
    }
}

/// What Slack has against the content, if anything.
fn faulty_content(body: &Value, refuse: Refuse) -> Option<&'static str> {
    let none = Vec::new();
    let blocks = body["blocks"].as_array().unwrap_or(&none);
    if text_of(body, "text").is_empty() && blocks.is_empty() {
        return Some("no_text");
    }
    if text_of(body, "text").chars().count() > 40_000 {
        return Some("msg_too_long");
    }
    let length = |block: &Value| text_of(&block["text"], "text").chars().count();
    let too_long = |block: &Value| match block["type"].as_str() {
        Some("section") => length(block) > 3_000 || length(block) == 0,
        Some("header") => length(block) > 150 || length(block) == 0,
        Some("context") => block["elements"]
            .as_array()
            .is_none_or(|it| it.is_empty() || it.len() > 10),
        Some("divider") => false,
        _ => true,
    };
    if blocks.len() > 50 || blocks.iter().any(too_long) {
        return Some("invalid_blocks");
    }
    if blocks.iter().map(length).sum::<usize>() > 13_200 {
        return Some("msg_blocks_too_long");
    }
    (refuse == Refuse::Blocks && !blocks.is_empty()).then_some("invalid_blocks")
}

/// Every answer ends its connection, so that a refused connection is a new one.
fn closing(mut response: Response) -> Response {
    let close = axum::http::HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

pub(super) fn text_of(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_default().to_owned()
}
