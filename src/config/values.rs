//! What a setting's text means, or a sentence that says why it means nothing.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use humantime::format_duration;
use secrecy::SecretString;
use url::Url;

use crate::diagnostic::{did_you_mean, write_one_of};
use crate::domain::selector::Matcher;
use crate::domain::time::{Span, SpanError};
use crate::promql::parse_matchers;

use super::origin::{SECRET, VALUE};
use super::{Format, Level, Partial};

/// Why a text is no value: what is said after the key's name, and what to write instead.
pub(super) struct Wrong {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
}

fn wrong(message: impl Into<String>, help: impl Into<String>) -> Wrong {
    let (message, help) = (message.into(), help.into());
    Wrong {
        code: VALUE,
        message,
        help,
    }
}

const LONGEST: Duration = Duration::from_hours(24);
const LONGEST_HISTORY: Duration = Duration::from_hours(24 * 3_660);

/// A length of time of at most ten years, in whole milliseconds; may be zero.
pub(super) fn history(text: &str) -> Result<Duration, Wrong> {
    let parsed = length(text, "write it as 400d or 13months")?;
    if parsed > LONGEST_HISTORY {
        let message = format!("is {text}, which is longer than ten years");
        return Err(wrong(message, "use at most 3660d"));
    }
    Ok(parsed)
}

/// How late samples may come at most: until then all that is newer is read again each hour.
pub(super) const LATEST: Duration = Duration::from_hours(4);

/// How long after their time samples can be read; may be zero.
pub(super) fn lag(text: &str) -> Result<Duration, Wrong> {
    let parsed = duration(text)?;
    if parsed > LATEST {
        let message = format!(
            "is {text}, which is longer than {}",
            format_duration(LATEST)
        );
        return Err(wrong(
            message,
            "write how long after its time a sample can be read, as 15s",
        ));
    }
    Ok(parsed)
}

/// A length of time of at most a day, in whole milliseconds; may be zero.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let parsed = length(text, "write it as 30s, 1m30s or 500ms")?;
    if parsed > LONGEST {
        let message = format!("is {text}, which is longer than a day");
        return Err(wrong(message, "use at most 24h"));
    }
    Ok(parsed)
}

fn length(text: &str, example: &str) -> Result<Duration, Wrong> {
    if !text.is_empty() && text.chars().all(|char| char.is_ascii_digit()) && text != "0" {
        let help = format!("write {text}s if seconds are meant");
        return Err(wrong(format!("is {text}, without a unit"), help));
    }
    if SpanError::names_months(text) {
        let message = format!("is {text}, and a month has no fixed length");
        let help = format!(
            "write {} if minutes are meant, else days, as 30d",
            text.replace('M', "m")
        );
        return Err(wrong(message, help));
    }
    // What Prometheus reads too means the same here as in definitions: a year has 365 days.
    if let Ok(span) = text.parse::<Span>() {
        return Ok(span.to_std());
    }
    let parsed = humantime::parse_duration(text)
        .map_err(|_| wrong(format!("is not a length of time: {}", shown(text)), example))?;
    if parsed.subsec_nanos() % 1_000_000 != 0 {
        return Err(wrong(
            format!("is {text}, which is not whole milliseconds"),
            example,
        ));
    }
    Ok(parsed)
}

/// A length of time as [`duration`] reads it, but longer than zero.
pub(super) fn some_duration(text: &str) -> Result<Duration, Wrong> {
    let parsed = duration(text)?;
    if parsed.is_zero() {
        let message = format!("is {text}, but must be longer than zero");
        return Err(wrong(message, "write it as 30s"));
    }
    Ok(parsed)
}

/// An address of HTTP without anything that the address itself should not hold.
pub(super) fn url(text: &str) -> Result<Url, Wrong> {
    let Some((scheme, rest)) = text.split_once("://") else {
        let message = format!("is {}, without http:// or https://", shown(text));
        return Err(wrong(message, format!("write http://{text}")));
    };
    if rest
        .split('/')
        .next()
        .is_some_and(|authority| authority.contains('@'))
    {
        let wrong = wrong(
            "holds a user or a password",
            "leave them out; name a file with user:password by `basicAuthFile`, or one with a token by `bearerTokenFile`",
        );
        return Err(Wrong {
            code: SECRET,
            ..wrong
        });
    }
    if !matches!(scheme, "http" | "https") {
        let message = format!("is {}, which is neither http nor https", shown(text));
        return Err(wrong(message, format!("write http://{rest}")));
    }
    let url = Url::parse(text).map_err(|error| {
        let message = format!("is {}, which is no address: {error}", shown(text));
        wrong(message, "write it as http://localhost:9090")
    })?;
    if url.query().is_some() || url.fragment().is_some() {
        let message = format!("is {}, which goes on after the path", shown(text));
        return Err(wrong(message, "end it before `?` or `#`"));
    }
    Ok(url)
}

/// The address of a Prometheus: with what may stand before `/api/v1`, and nothing of what its pages and its API add.
pub(super) fn prometheus(text: &str) -> Result<Url, Wrong> {
    let url = url(text)?;
    let path = url.path().trim_end_matches('/');
    for added in ["/api/v1", "/graph", "/query"] {
        if path.ends_with(added) {
            let message = format!(
                "is {}, which goes on after Prometheus' own address",
                shown(text)
            );
            return Err(wrong(message, format!("leave out `{added}`")));
        }
    }
    Ok(url)
}

/// Conditions that are added to each selector.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, Wrong> {
    parse_matchers(text).map_err(|error| {
        let message = format!("is {}, which cannot be read: {error}", shown(text));
        wrong(message, "write them as env=\"prod\"")
    })
}

/// An address of pages about a query, in which `{query}` stands for the query.
pub(super) fn link(text: &str) -> Result<String, Wrong> {
    if !text.contains("{query}") {
        let message = format!("is {}, which has no place for the query", shown(text));
        return Err(wrong(message, "write {query} where it belongs"));
    }
    let known = text.starts_with("http://") || text.starts_with("https://");
    if known {
        return Ok(text.to_owned());
    }
    let message = format!("is {}, without http:// or https://", shown(text));
    Err(wrong(message, "begin it with https://"))
}

/// An address and a port to listen on.
pub(super) fn address(text: &str) -> Result<SocketAddr, Wrong> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_| {
        let help = match text.strip_prefix(':').unwrap_or(text).parse::<u16>() {
            Ok(port) => {
                format!("write 127.0.0.1:{port}, or 0.0.0.0:{port} to be reached from elsewhere")
            }
            Err(_) => "write numbers for both, as 127.0.0.1:9099".to_owned(),
        };
        wrong(
            format!("is {}, not an address and a port", shown(text)),
            help,
        )
    })
}

/// A whole number from 1 to `most`.
pub(super) fn count(text: &str, most: u64) -> Result<u64, Wrong> {
    let parsed = text
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    parsed.ok_or_else(|| {
        let message = format!("is {}, not a whole number from 1 to {most}", shown(text));
        let help = match text.parse::<i128>() {
            Ok(_) => format!("write 1 to {most}"),
            Err(_) => "write digits only".to_owned(),
        };
        wrong(message, help)
    })
}

/// A share of the time in percent, written as `50%`.
pub(super) fn percent(text: &str) -> Result<u32, Wrong> {
    let digits = text.strip_suffix('%').unwrap_or(text).trim_end();
    let parsed = digits.parse().ok().filter(|number| *number <= 100);
    parsed.ok_or_else(|| {
        let message = format!(
            "is {}, not a whole number of percent up to 100%",
            shown(text)
        );
        wrong(message, "write it as 50%")
    })
}

/// How much is logged.
pub(super) fn level(text: &str) -> Result<Level, Wrong> {
    one_of(text, &Level::ALL.map(|level| (level.as_str(), level)))
}

/// In which form it is logged.
pub(super) fn format(text: &str) -> Result<Format, Wrong> {
    one_of(text, &Format::ALL.map(|format| (format.as_str(), format)))
}

/// What becomes of answers that may lack a part.
pub(super) fn partial(text: &str) -> Result<Partial, Wrong> {
    one_of(
        text,
        &Partial::ALL.map(|partial| (partial.as_str(), partial)),
    )
}

/// Directives that say what is logged of which module.
pub(super) fn filter(text: &str) -> Result<String, Wrong> {
    match tracing_subscriber::EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(wrong(
            format!("is {}, which is no log filter", shown(text)),
            "write it as debug, or as sloburn::source=trace,warn",
        )),
    }
}

fn one_of<T: Copy>(text: &str, known: &[(&'static str, T)]) -> Result<T, Wrong> {
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names = || known.iter().map(|(name, _)| *name);
    let all = || write_one_of(&names().collect::<Vec<_>>());
    let help = did_you_mean(text, names(), all);
    Err(wrong(format!("is {}", shown(text)), help))
}

/// A header's value; neither it nor why it is refused is ever repeated, since it may be a secret.
pub(super) fn header(name: &str, text: &str) -> Result<SecretString, Wrong> {
    let refused = |what| wrong(format!("{what} of an HTTP header"), "use printable ASCII");
    name.parse::<HeaderName>()
        .map_err(|_| refused("is not the name"))?;
    HeaderValue::from_str(text).map_err(|_| refused("does not hold the value"))?;
    Ok(SecretString::from(text))
}

/// Whether what stands under `name` is probably a secret.
pub(super) fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 8] = [
        "auth",
        "token",
        "secret",
        "passw",
        "key",
        "cookie",
        "credential",
        "session",
    ];
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

fn shown(text: &str) -> String {
    if text.is_empty() {
        "empty".to_owned()
    } else {
        format!("`{}`", text.escape_debug())
    }
}
