//! What goes wrong with a request: our own words go to the client, the cause goes to the log.

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;

use crate::causes;
use crate::engine::explain::ExplainError;
use crate::status::query::QueryError;
use crate::store::StoreError;

use super::{ADDRESSES, PATIENCE, events};

/// Why a request is not answered as it was meant.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// It asks for something that a list cannot do.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The parameters cannot be taken apart.
    #[error(
        "the parameters cannot be read; write them as `name=value&name=value`, percent-encoded"
    )]
    Parameters,
    /// The address is not text.
    #[error("the address cannot be read; write service and name in UTF-8, percent-encoded")]
    Path,
    /// No such objective is defined.
    #[error("no objective `{service}/{name}`; {hint}")]
    NoSuchSlo {
        /// As asked for.
        service: String,
        /// As asked for.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// An objective has no such group or target, or has it no more.
    #[error(
        "no `{id}` is known: it is gone, was never found, or is beyond `maxGroups`; what is known is at /api/v1/slos/{service}/{name}"
    )]
    NoSuchInstance {
        /// As asked for.
        id: String,
        /// As asked for.
        service: String,
        /// As asked for.
        name: String,
    },
    /// An objective has several instances.
    #[error(
        "`{service}/{name}` has several instances; add `id=`, as /api/v1/slos/{service}/{name} gives them"
    )]
    WhichInstance {
        /// As asked for.
        service: String,
        /// As asked for.
        name: String,
    },
    /// No instance of the objective could have the given id.
    #[error(
        "`id={id}` is no instance of `{service}/{name}`; /api/v1/slos/{service}/{name} gives them"
    )]
    NoInstance {
        /// As asked for.
        id: String,
        /// As asked for.
        service: String,
        /// As asked for.
        name: String,
    },
    /// A number cannot be explained.
    #[error("{}", causes::chain(.0))]
    Explain(#[from] ExplainError),
    /// Nothing can be explained here.
    #[error("nothing is explained here, since no samples can be read again")]
    CannotExplain,
    /// No such incident is known.
    #[error("no incident `{id}` is known; the newest are at /api/v1/incidents")]
    NoSuchIncident {
        /// As asked for.
        id: String,
    },
    /// Nothing can be said before the first tick.
    #[error(
        "no tick has run yet, so nothing is known of any objective; /readyz says what is missing"
    )]
    NotYet,
    /// Not ready to be relied on.
    #[error("not ready: {0}")]
    NotReady(String),
    /// Nothing is answered there.
    #[error("nothing is at `{path}`; {hint}")]
    NoSuchAddress {
        /// As asked for.
        path: String,
        /// What may have been meant.
        hint: String,
    },
    /// Everything here is read only.
    #[error("`{path}` answers GET and HEAD, not {method}")]
    Method {
        /// As asked for.
        method: Method,
        /// As asked for.
        path: String,
    },
    /// What is kept cannot be read.
    #[error(
        "what is kept of the past cannot be read now, and the log says why; ask for less of it, or again later"
    )]
    Store(#[from] StoreError),
    /// As many follow as may.
    #[error(
        "{} clients follow already, which is the most; ask `/api/v1/status` now and then",
        events::MOST
    )]
    Full,
    /// The answer was not there in time.
    #[error("the answer took longer than {} s; ask again later", PATIENCE.as_secs())]
    Overdue,
    /// A fault of ours.
    #[error("the answer could not be made, which is a fault of Sloburn; its log says more")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a refusal says; it travels with the response, for whoever shows it in another form.
#[derive(Clone, Debug)]
pub(super) struct Sentence(pub(super) String);

/// The body of every refusal.
#[derive(Debug, Serialize)]
struct ErrorView {
    error: String,
}

impl ApiError {
    /// That nothing is at `path`, and what may have been meant.
    pub(super) fn no_such_address(path: &str) -> Self {
        let service = path.strip_prefix("/api/v1/slos/");
        // Objectives have addresses; a service is a condition on them.
        let hint = match service.filter(|it| !it.is_empty() && !it.contains('/')) {
            Some(service) => format!("did you mean /api/v1/slos?service={service}?"),
            None => format!("there are {}", ADDRESSES.join(", ")),
        };
        let path = path.to_owned();
        Self::NoSuchAddress { path, hint }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Query(_)
            | Self::WhichInstance { .. }
            | Self::NoInstance { .. }
            | Self::Parameters
            | Self::Path
            | Self::Explain(
                ExplainError::TooLong { .. }
                | ExplainError::TooMuch { .. }
                | ExplainError::Divided { .. }
                | ExplainError::Future { .. },
            ) => StatusCode::BAD_REQUEST,
            Self::CannotExplain
            | Self::NoSuchSlo { .. }
            | Self::NoSuchInstance { .. }
            | Self::NoSuchIncident { .. }
            | Self::NoSuchAddress { .. }
            | Self::Explain(
                ExplainError::Undefined(_)
                | ExplainError::NoSuchGroup { .. }
                | ExplainError::NothingThen { .. },
            ) => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotYet
            | Self::NotReady(_)
            | Self::Store(_)
            | Self::Full
            | Self::Overdue
            | Self::Explain(ExplainError::Plan(_) | ExplainError::Unread(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(cause) => tracing::error!(%cause, "a request could not be answered"),
            Self::Store(error) => {
                tracing::error!(
                    cause = causes::chain(error),
                    "a request for the past could not be answered"
                );
            }
            _ => {}
        }
        let error = self.to_string();
        let sentence = Extension(Sentence(error.clone()));
        (self.status(), sentence, Json(ErrorView { error })).into_response()
    }
}
