//! Asking a daemon's API for all of its objectives.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client;
use crate::domain::time::Timestamp;
use crate::status::view::list::ListView;
use crate::status::view::slo::SloView;
use crate::status::view::summary::StatusView;

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
        "{url} answered something else than Sloburn does; is that its address, and of this version?"
    )]
    Strange {
        url: String,
        source: serde_json::Error,
    },
    #[error("the objectives could not be evaluated")]
    Unread(#[source] anyhow::Error),
    #[error(
        "the sources have no samples of these objectives at {at}: they do not keep them that long, or the selectors match nothing (`sloburn check --live` shows what they match now)"
    )]
    NothingThen { at: Timestamp },
}

const TIMEOUT: Duration = Duration::from_secs(10);
/// As many as the API gives at once.
const PAGE: &str = "1000";

/// The state of everything.
pub(in crate::cli) async fn state(url: &str) -> Result<StatusView, StatusError> {
    let answer = answer(&client(url)?, url, address(url, "status")?).await?;
    understood(url, &answer)
}

/// All objectives.
pub(in crate::cli) async fn all(url: &str) -> Result<ListView<SloView>, StatusError> {
    understood(url, &list(url).await?)
}

/// The list of all objectives, as one page.
pub(super) async fn list(url: &str) -> Result<Value, StatusError> {
    let client = client(url)?;
    let mut all: Option<Value> = None;
    let mut cursor: Option<String> = None;
    loop {
        let mut answer = answer(&client, url, page(url, cursor.as_deref())?).await?;
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

pub(in crate::cli) fn client(url: &str) -> Result<Client, StatusError> {
    let client = client::builder_for([&address(url, "status")?]).timeout(TIMEOUT);
    client.build().map_err(|source| unreachable(url, source))
}

pub(in crate::cli) fn unreachable(url: &str, source: reqwest::Error) -> StatusError {
    let url = url.to_owned();
    StatusError::Unreachable { url, source }
}

/// The JSON at `address` of the daemon at `url`.
async fn answer(client: &Client, url: &str, address: Url) -> Result<Value, StatusError> {
    let asked = client.get(address).send().await;
    let response = asked.map_err(|source| unreachable(url, source))?;
    let status = response.status();
    if !status.is_success() {
        let url = url.to_owned();
        return Err(StatusError::Refused { url, status });
    }
    let body = response.bytes().await;
    let body = body.map_err(|source| unreachable(url, source))?;
    serde_json::from_slice(&body).map_err(|source| StatusError::Strange {
        url: url.to_owned(),
        source,
    })
}

fn items(answer: &mut Value) -> Option<&mut Vec<Value>> {
    answer.get_mut("items")?.as_array_mut()
}

fn page(url: &str, cursor: Option<&str>) -> Result<Url, StatusError> {
    let mut page = address(url, "slos")?;
    page.query_pairs_mut().append_pair("limit", PAGE);
    if let Some(cursor) = cursor {
        page.query_pairs_mut().append_pair("cursor", cursor);
    }
    Ok(page)
}

/// Where the daemon at `url` has `resource` of its API.
pub(in crate::cli) fn address(url: &str, resource: &str) -> Result<Url, StatusError> {
    let wrong = || StatusError::Address(url.to_owned());
    let address = if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    };
    let mut address = Url::parse(&address).map_err(|_| wrong())?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err(wrong());
    }
    address
        .path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .extend(["api", "v1"].into_iter().chain(resource.split('/')));
    Ok(address)
}

/// What `answer`, which `url` gave, means.
pub(super) fn understood<T: DeserializeOwned>(url: &str, answer: &Value) -> Result<T, StatusError> {
    T::deserialize(answer).map_err(|source| StatusError::Strange {
        url: url.to_owned(),
        source,
    })
}
