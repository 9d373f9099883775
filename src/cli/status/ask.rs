//! Asking a daemon's API for all of its objectives.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why the status is not known.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum StatusError {
    #[error("`{0}` is not an address; write --url http://127.0.0.1:9099")]
    Address(String),
    #[error(
        "cannot reach a daemon at {url}; is `sloburn run` running, and does --url say where it listens?"
    )]
    Unreachable { url: String, source: reqwest::Error },
    #[error("{url} answered {status}; is that Sloburn's address?")]
    Refused { url: String, status: StatusCode },
    #[error(
        "{url} answered something else than Sloburn's status; is that its address, and of this version?"
    )]
    Strange {
        url: String,
        source: serde_json::Error,
    },
    #[error("no objective is named `{only}`; {known}")]
    NoSuch { only: String, known: String },
}

const TIMEOUT: Duration = Duration::from_secs(10);
/// As many as the API gives at once.
const PAGE: &str = "1000";

/// The list of all objectives, as one page.
pub(super) async fn list(url: &str) -> Result<Value, StatusError> {
    let unreachable = |source| StatusError::Unreachable {
        url: url.to_owned(),
        source,
    };
    let client = Client::builder()
        .timeout(TIMEOUT)
        .build()
        .map_err(unreachable)?;
    let mut all: Option<Value> = None;
    let mut cursor: Option<String> = None;
    loop {
        let response = client
            .get(page(url, cursor.as_deref())?)
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(StatusError::Refused {
                url: url.to_owned(),
                status,
            });
        }
        let body = response.bytes().await.map_err(unreachable)?;
        let strange = |source| StatusError::Strange {
            url: url.to_owned(),
            source,
        };
        let mut answer: Value = serde_json::from_slice(&body).map_err(strange)?;
        cursor = answer
            .get("next")
            .and_then(Value::as_str)
            .map(str::to_owned);
        all = Some(match all {
            None => answer,
            Some(mut all) => {
                if let (Some(items), Some(more)) = (items(&mut all), items(&mut answer)) {
                    items.append(more);
                }
                all
            }
        });
        if let (Some(all), None) = (&mut all, &cursor) {
            if let Some(next) = all.get_mut("next") {
                *next = Value::Null;
            }
            return Ok(all.take());
        }
    }
}

fn items(answer: &mut Value) -> Option<&mut Vec<Value>> {
    answer.get_mut("items")?.as_array_mut()
}

fn page(url: &str, cursor: Option<&str>) -> Result<Url, StatusError> {
    let wrong = || StatusError::Address(url.to_owned());
    let address = if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    };
    let mut page = Url::parse(&address).map_err(|_| wrong())?;
    if !matches!(page.scheme(), "http" | "https") {
        return Err(wrong());
    }
    page.path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .extend(["api", "v1", "slos"]);
    page.query_pairs_mut().append_pair("limit", PAGE);
    if let Some(cursor) = cursor {
        page.query_pairs_mut().append_pair("cursor", cursor);
    }
    Ok(page)
}

/// What `answer`, which `url` gave, means.
pub(super) fn understood<T: DeserializeOwned>(url: &str, answer: &Value) -> Result<T, StatusError> {
    T::deserialize(answer).map_err(|source| StatusError::Strange {
        url: url.to_owned(),
        source,
    })
}

/// A few of the names that there are, for someone who mistyped one.
pub(super) fn some_of(mut names: Vec<String>) -> String {
    const SHOWN: usize = 10;
    names.sort();
    names.dedup();
    match names.len() {
        0 => "none is defined".to_owned(),
        all if all <= SHOWN => format!("there are {}", names.join(", ")),
        all => format!(
            "there are {} and {} more",
            names[..SHOWN].join(", "),
            all - SHOWN
        ),
    }
}
