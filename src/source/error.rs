//! Why a source could not be read, as a sentence for people that says what to do next.

use std::fmt;
use std::path::PathBuf;

use crate::domain::slo::SourceName;
use crate::domain::time::Span;

/// A read that gave nothing. Its text becomes the reason in status and messages: it holds no secret, and no
/// number that would differ between two reads that fail in the same way, since reasons are grouped by their text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Sentence(.name, .url, .failure))]
pub struct SourceError {
    /// Which source.
    pub name: SourceName,
    /// Where it is: without user, password and query.
    pub url: Box<str>,
    /// What went wrong.
    pub failure: Failure,
}

/// What went wrong with a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Its settings cannot be used at all.
    Settings {
        /// The setting, below `sources.NAME.prometheus`.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The settings of a source that scrapes cannot be used.
    Scrape {
        /// The setting, below `sources.NAME.scrape`.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An expression was asked of a source that only holds samples.
    NeedsPrometheus,
    /// No connection, or one that was lost before an answer came.
    Unreachable {
        /// Why, in a few words.
        reason: String,
    },
    /// The connection could not be secured.
    Tls {
        /// Why, in a few words.
        reason: String,
    },
    /// No whole answer in time, or the server gave up on the query.
    TimedOut {
        /// The time that a read has.
        limit: Span,
    },
    /// The file that says who asks could not be used.
    Credentials {
        /// What it holds, in a word.
        what: &'static str,
        /// The setting that names it.
        key: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// Why, in a few words.
        reason: String,
    },
    /// Our credentials are not accepted (401) or not enough (403).
    Unauthorized {
        /// The HTTP status.
        status: u16,
    },
    /// The server wants fewer requests.
    RateLimited {
        /// How long nothing is asked, when the server said so.
        pause: Option<Span>,
    },
    /// The query itself is at fault; asking again will not help.
    Refused {
        /// Prometheus' word for the kind of error, such as `bad_data`.
        error_type: String,
        /// What the server says.
        message: String,
    },
    /// The server, or a proxy before it, fails.
    Server {
        /// The HTTP status.
        status: u16,
        /// What the server says, if it does.
        message: Option<String>,
    },
    /// What answers is no Prometheus.
    Protocol {
        /// What came instead.
        reason: String,
    },
    /// The answer ended too early; nothing of it was used.
    Truncated,
    /// The answer is larger than a read may be.
    TooLarge {
        /// The limit, in bytes after decompression.
        limit: usize,
    },
    /// A well-formed answer of a kind that holds no series of numbers.
    Shape {
        /// What came: `vector`, `scalar`, `string`.
        found: &'static str,
    },
}

/// What servers say when a query asks for more than they give: Prometheus and Thanos, Mimir and Cortex, and
/// VictoriaMetrics, whose flags all begin alike.
const LIMITS: [&str; 5] = [
    "too many samples",
    "err-mimir-max-",
    "the query hit the max number of",
    "exceeded the maximum number of",
    "-search.max",
];

impl Failure {
    /// Whether a read of less may well succeed: it was too much, or took too long.
    pub const fn is_too_much(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. } | Self::TimedOut { .. } | Self::Refused { .. }
        )
    }

    /// Whether what was asked for is more than may come at once: of bytes for us, or of samples for the server.
    pub fn is_too_large(&self) -> bool {
        match self {
            Self::TooLarge { .. } => true,
            Self::Refused { message, .. }
            | Self::Server {
                message: Some(message),
                ..
            } => LIMITS.iter().any(|limit| message.contains(limit)),
            _ => false,
        }
    }

    /// Whether the same read may well succeed a moment later.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Server {
                    status: 502..=504,
                    ..
                }
        )
    }
}

impl Failure {
    /// Whether any other read would have failed in the same way: it says nothing about what was asked. A read that
    /// takes too long does, since it may ask for too much.
    pub const fn is_of_the_source(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Tls { .. }
                | Self::Unauthorized { status: 401 }
                | Self::Server {
                    status: 502 | 503,
                    ..
                }
        )
    }

    /// Whether the source was heard at all.
    pub const fn is_an_answer(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. }
                | Self::Tls { .. }
                | Self::TimedOut { .. }
                | Self::Credentials { .. }
                | Self::Settings { .. }
        )
    }
}

/// Puts place and failure into words.
struct Sentence<'a>(&'a SourceName, &'a str, &'a Failure);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(source, url, failure) = self;
        let server = format_args!("the Prometheus of source `{source}` at {url}");
        let keys = format_args!("sources.{source}.prometheus");
        match failure {
            Failure::Settings { key, reason } => write!(f, "cannot use `{keys}.{key}`: {reason}"),
            Failure::Scrape { key, reason } => {
                write!(f, "cannot use `sources.{source}.scrape.{key}`: {reason}")
            }
            Failure::NeedsPrometheus => write!(
                f,
                "source `{source}` scrapes pages, and only a Prometheus can evaluate PromQL; give objectives with `query` a source of the kind `prometheus`"
            ),
            Failure::Unreachable { reason } => write!(
                f,
                "cannot reach {server}: {reason}; check `{keys}.url` and that it is running"
            ),
            Failure::Tls { reason } => write!(
                f,
                "cannot connect securely to {server}: {reason}; check `{keys}.url` and the server's certificate"
            ),
            Failure::TimedOut { limit } => write!(
                f,
                "{server} gave no whole answer within {limit}; look at its load, or raise `{keys}.timeout`"
            ),
            Failure::Credentials {
                what,
                key,
                path,
                reason,
            } => write!(
                f,
                "cannot use the {what} file `{}` of source `{source}`: {reason}; check `{keys}.{key}` and who may read it",
                path.display()
            ),
            Failure::Unauthorized { status: 403 } => write!(
                f,
                "{server} does not let us query it (HTTP 403); check what our token may do, and `{keys}.headers`"
            ),
            Failure::Unauthorized { status } => write!(
                f,
                "{server} does not accept our credentials (HTTP {status}); check `bearerTokenFile` or `basicAuthFile` under `{keys}`"
            ),
            Failure::RateLimited { pause: Some(pause) } => write!(
                f,
                "{server} is asked too often (HTTP 429), and nothing is asked for {pause}; raise its limit, or make `tick` longer"
            ),
            Failure::RateLimited { pause: None } => write!(
                f,
                "{server} is asked too often (HTTP 429); raise its limit, or make `tick` longer"
            ),
            Failure::Refused {
                error_type,
                message,
            } => write!(
                f,
                "{server} refuses the query ({error_type}): {message}; correct or narrow what is asked"
            ),
            Failure::Server {
                status,
                message: Some(message),
            } => write!(
                f,
                "{server} fails (HTTP {status}): {message}; look at its log, or that of a proxy before it"
            ),
            Failure::Server {
                status,
                message: None,
            } => write!(
                f,
                "{server} fails (HTTP {status}); look at its log, or that of a proxy before it"
            ),
            Failure::Protocol { reason } => write!(
                f,
                "what answers for source `{source}` at {url} is not the API of a Prometheus: {reason}; check `{keys}.url`, and for a proxy or login page before it"
            ),
            Failure::Truncated => write!(
                f,
                "the answer of {server} broke off, and nothing of it was used; look for restarts of it or of a proxy before it"
            ),
            Failure::TooLarge { limit } => write!(
                f,
                "the answer of {server} is larger than {} MiB; narrow the selectors of its objectives",
                limit.div_ceil(1 << 20)
            ),
            Failure::Shape { found } => write!(
                f,
                "{server} answered with a {found} where series of numbers over time are due; correct the expression"
            ),
        }
    }
}
