//! All that a Prometheus may answer, the truth among it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use sloburn::domain::time::Span;
use tokio::time::sleep;

use super::truth::{CODES, Question, value};
use super::{Shared, lock, now};

/// How every query is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// As Prometheus would.
    Truth,
    /// Nobody listens.
    Refused,
    /// 401.
    Unauthorized,
    /// 429 with so many seconds to wait.
    Busy(u32),
    /// Somebody else's page with status 200.
    Page,
    /// The first half of the answer.
    Cut,
    /// Without the series of failures, and with a warning that says so.
    Warning,
    /// This status with this text.
    Status(u16, &'static str),
    /// 302 to somewhere else.
    Elsewhere,
    /// Nothing, for as long as somebody waits.
    Silence,
    /// This, with status 200.
    Says(&'static str),
    /// So many MiB of blanks, packed.
    Bomb(usize),
    /// No series at all.
    Nothing,
    /// Without the series of failures.
    Healthy,
    /// Every value of a counter is this.
    Value(&'static str),
    /// Every expression of failures gives this from behind this second on.
    Gives(&'static str, i64),
    /// Nobody has asked the service for anything since this second.
    Idle(i64),
    /// The service's process began anew right after it was scraped at the second before this one.
    Restart(i64),
    /// Nothing ever failed but one request, right before this second.
    Born(i64),
    /// Without what was scraped in the last seconds, so many.
    Late(i64),
    /// Samples are there so many seconds after their time.
    Behind(i64),
    /// Without what was scraped between these seconds since the service began.
    Gap(i64, i64),
    /// The truth, after so many milliseconds.
    Slow(u64),
    /// Its clock is so many seconds ahead; what it has not lived through yet is not there.
    Clock(i64),
    /// Every series twice.
    Twice,
    /// So many routes, each of which answers a tenth of what the service does.
    Routes(i64),
}

pub(super) async fn told(shared: &Shared, question: &Question, lie: Lie) -> Response {
    let whole = || shared.truth(question, &CODES);
    let counting = |counter: &dyn Fn(&str, i64) -> Option<f64>| {
        shared.told(question, &CODES, counter).into_response()
    };
    let those =
        |there: &dyn Fn(i64) -> bool| counting(&|_, second| there(second).then(|| value(second)));
    match lie {
        Lie::Truth | Lie::Refused => whole().into_response(),
        Lie::Unauthorized => (StatusCode::UNAUTHORIZED, "who are you?").into_response(),
        Lie::Busy(seconds) => {
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, wait).into_response()
        }
        Lie::Page => Html("<!DOCTYPE html><title>Sign in</title>").into_response(),
        Lie::Cut => {
            let whole = whole();
            let half = whole.chars().take(whole.len() / 2);
            half.collect::<String>().into_response()
        }
        Lie::Warning => {
            let warning = r#"{"warnings":["store gateway-2 did not answer"],"#;
            let part = shared.truth(question, &["200"]);
            part.replacen('{', warning, 1).into_response()
        }
        Lie::Status(status, text) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, text).into_response()
        }
        Lie::Elsewhere => Redirect::to("http://127.0.0.1:9/login").into_response(),
        Lie::Silence => std::future::pending().await,
        Lie::Says(text) => text.into_response(),
        Lie::Bomb(mib) => bomb(mib),
        Lie::Nothing => shared.truth(question, &[]).into_response(),
        Lie::Healthy => shared.truth(question, &["200"]).into_response(),
        Lie::Value(text) => counting(&|_, _| Some(number(text))),
        Lie::Gives(text, since) => {
            let lies = question.is_of_failures().then(|| (number(text), since));
            shared.evaluated(question, lies).into_response()
        }
        Lie::Idle(since) => counting(&|_, second| Some(value(second.min(since)))),
        Lie::Restart(at) => counting(&|_, second| {
            let began = if second < at { 0 } else { at - 1 };
            Some(value(second - began))
        }),
        Lie::Born(at) => counting(&|code, second| match code {
            "500" => (second >= at).then_some(1.0),
            _ => Some(value(second)),
        }),
        Lie::Late(seconds) => those(&|at| at <= question.second() - seconds),
        Lie::Gap(from, to) => those(&|at| at <= from || at > to),
        Lie::Slow(millis) => {
            sleep(Duration::from_millis(millis)).await;
            whole().into_response()
        }
        Lie::Behind(seconds) => {
            let there = now().since(shared.born) - Span::from_secs(seconds);
            those(&|at| at * 1_000 <= there.as_millis())
        }
        Lie::Clock(ahead) => {
            let lived = (now() + Span::from_secs(ahead)).since(shared.born);
            those(&|at| at <= lived.as_millis() / 1_000)
        }
        Lie::Twice => shared
            .truth(question, &["200", "500", "200", "500"])
            .into_response(),
        Lie::Routes(routes) => shared.routes(question, routes).into_response(),
    }
}

/// A number as Prometheus writes it.
fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

/// Blanks, packed to next to nothing; once, since packing them takes a busy machine longer than anybody waits.
fn bomb(mib: usize) -> Response {
    static PACKED: Mutex<BTreeMap<usize, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut packed = lock(&PACKED);
    let packed = packed.entry(mib).or_insert_with(|| {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer
            .write_all(&vec![b' '; mib << 20])
            .expect("memory takes it");
        packer.finish().expect("memory takes it")
    });
    ([(header::CONTENT_ENCODING, "gzip")], packed.clone()).into_response()
}
