//! From an HTTP response to the bytes of an answer, or to what went wrong.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use rustls::{AlertDescription, CertificateError};

use crate::domain::time::Span;
use crate::source::error::Failure;

use super::decode::reported;
use super::words::cleaned;

/// How much of an error's body is read.
const ERROR_BYTES: usize = 64 << 10;

/// A response that is not an answer.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What it means for the read.
    pub(super) failure: Failure,
    /// How long the server wants to be left alone.
    pub(super) pause: Option<Duration>,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            pause: None,
        }
    }
}

/// The body of a good response, up to `limit` bytes after decompression.
pub(super) async fn body(response: Response, limit: usize, time: Span) -> Result<Vec<u8>, Refusal> {
    let status = response.status();
    if !status.is_success() {
        return Err(refusal(response, time).await);
    }
    let (body, end) = collect(response, limit).await;
    match end {
        End::Whole => Ok(body),
        End::Over => Err(Failure::TooLarge { limit }.into()),
        End::Broken => Err(Failure::Truncated.into()),
    }
}

enum End {
    Whole,
    Over,
    Broken,
}

/// Counts decoded bytes, so that a small body cannot unpack to a huge one.
async fn collect(mut response: Response, limit: usize) -> (Vec<u8>, End) {
    let announced = response.content_length().unwrap_or(0);
    let mut body = match usize::try_from(announced) {
        Ok(length) if length <= limit => Vec::with_capacity(length),
        _ => return (Vec::new(), End::Over),
    };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() > limit - body.len() => return (body, End::Over),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return (body, End::Whole),
            Err(_) => return (body, End::Broken),
        }
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

async fn refusal(response: Response, time: Span) -> Refusal {
    let status = response.status();
    let pause = pause(response.headers());
    let page = is_page(response.headers());
    let (body, _) = collect(response, ERROR_BYTES).await;
    let failure = match (status, reported(&body)) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Failure::Unauthorized {
            status: status.as_u16(),
        },
        (StatusCode::TOO_MANY_REQUESTS, _) => {
            return Refusal {
                failure: Failure::RateLimited { pause: None },
                pause,
            };
        }
        (_, Some((error_type, _))) if error_type == "timeout" => Failure::TimedOut { limit: time },
        (
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY,
            Some((error_type, message)),
        ) => Failure::Refused {
            error_type,
            message,
        },
        // A query's fault is explained in the envelope; this is somebody else's.
        (StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY, None) => Failure::Protocol {
            reason: match plain(&body, page) {
                Some(said) => format!("it says `{said}` (HTTP {})", status.as_u16()),
                None => format!("it gives no reason (HTTP {})", status.as_u16()),
            },
        },
        (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, None) => Failure::Protocol {
            reason: format!(
                "it does not know `/api/v1/query` (HTTP {})",
                status.as_u16()
            ),
        },
        _ if status.is_redirection() => Failure::Protocol {
            reason: format!(
                "it redirects elsewhere (HTTP {}), which is not followed",
                status.as_u16()
            ),
        },
        (_, said) => Failure::Server {
            status: status.as_u16(),
            message: said
                .map(|(_, message)| message)
                .or_else(|| plain(&body, page)),
        },
    };
    failure.into()
}

/// A proxy's own words, unless they are a page.
fn plain(body: &[u8], page: bool) -> Option<String> {
    let said = cleaned(&String::from_utf8_lossy(body));
    (!page && !said.is_empty() && !said.starts_with('<')).then_some(said)
}

/// `Retry-After` in seconds or as a date, which is compared with the server's own `Date`: our clock need not agree.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, &RETRY_AFTER)?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(asked).ok()?.timestamp();
    let now = jiff::fmt::rfc2822::parse(text(headers, &DATE)?)
        .ok()?
        .timestamp();
    Duration::try_from(until.duration_since(now)).ok()
}

/// Why no response came at all.
pub(super) fn unanswered(error: &(dyn Error + 'static)) -> Failure {
    let mut reason = "the connection was lost before an answer came".to_owned();
    let mut next = Some(error);
    while let Some(cause) = next {
        next = inner(cause);
        if let Some(tls) = cause.downcast_ref() {
            return Failure::Tls {
                reason: tls_reason(tls),
            };
        }
        match (
            cause.downcast_ref::<reqwest::Error>(),
            cause.downcast_ref::<io::Error>(),
        ) {
            (Some(error), _) if error.is_dns() => {
                return Failure::Unreachable {
                    reason: "its name cannot be resolved".to_owned(),
                };
            }
            (_, Some(error)) if error.raw_os_error().is_some() => reason = error.kind().to_string(),
            _ => {}
        }
    }
    Failure::Unreachable { reason }
}

/// The cause of a cause. What an `io::Error` wraps is not among its sources.
fn inner<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}

/// rustls' own words carry the current time for some of these.
fn tls_reason(error: &rustls::Error) -> String {
    use CertificateError as C;
    let known = match error {
        rustls::Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "its certificate has expired"
        }
        rustls::Error::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "its certificate is not valid yet"
        }
        rustls::Error::InvalidCertificate(C::UnknownIssuer) => {
            "no authority that we trust has issued its certificate (`tls.caFile` names others)"
        }
        rustls::Error::InvalidCertificate(
            C::NotValidForName | C::NotValidForNameContext { .. },
        ) => "its certificate is for another name",
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "it wants to see a certificate of ours (`tls.certFile`)"
        }
        rustls::Error::InvalidMessage(_) => {
            "it does not speak TLS; try http:// in place of https://"
        }
        other => return cleaned(&other.to_string()),
    };
    known.to_owned()
}
