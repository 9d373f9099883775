//! Asking a daemon to explain a number.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::status::{StatusError, address, all, client, unreachable};
use crate::domain::time::Timestamp;
use crate::status::explanation::AskedWindow;
use crate::status::view::explain::ExplanationView;
use crate::status::view::list::ListView;
use crate::status::view::slo::SloView;

use super::NotExplained;
use super::wanted::Wanted;

/// A daemon takes ten seconds at most, and the answer may be long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a daemon says instead.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// What the daemon at `url` explains of `wanted`.
pub(super) async fn explanation(
    url: &str,
    wanted: &Wanted,
    at: Option<Timestamp>,
    window: Option<AskedWindow>,
) -> anyhow::Result<ExplanationView> {
    let instances = instances(url, wanted).await?;
    let id = wanted.instance(&instances)?;
    let place = instances.first().map(place).unwrap_or_default();
    let mut place = address(url, &format!("{place}/explain"))?;
    let mut pairs = place.query_pairs_mut();
    if let Some(id) = id {
        pairs.append_pair("id", &id);
    }
    if let Some(at) = at {
        pairs.append_pair("at", &at.to_string());
    }
    match window {
        Some(AskedWindow::Length(length)) => {
            pairs.append_pair("window", &length.to_string());
        }
        Some(AskedWindow::Budget) => {
            pairs.append_pair("window", "budget");
        }
        Some(AskedWindow::Usual) | None => {}
    }
    drop(pairs);
    let (status, body) = fetched(url, place).await?;
    understood(url, status, &body)
}

/// The instances of the objective that is meant: found by its name, or else among all that there are.
async fn instances(url: &str, wanted: &Wanted) -> anyhow::Result<Vec<SloView>> {
    let mut words = wanted.promise.splitn(3, '/');
    if let (Some(service), Some(name)) = (words.next(), words.next()) {
        let place = format!("slos/{service}/{name}");
        let (status, body) = fetched(url, address(url, &place)?).await?;
        if status != StatusCode::NOT_FOUND {
            let listed: ListView<SloView> = understood(url, status, &body)?;
            return Ok(listed.items);
        }
    }
    Ok(wanted.of_objective(all(url).await?.items)?)
}

/// Where the API has an objective.
fn place(slo: &SloView) -> String {
    format!("slos/{}/{}", slo.service, slo.name)
}

/// What the daemon at `url` answers to what `place` asks for.
async fn fetched(url: &str, place: Url) -> Result<(StatusCode, Vec<u8>), StatusError> {
    let asked = client(url)?.get(place).timeout(TIMEOUT).send().await;
    let response = asked.map_err(|source| unreachable(url, source))?;
    let status = response.status();
    let body = response.bytes().await;
    let body = body.map_err(|source| unreachable(url, source))?;
    Ok((status, body.to_vec()))
}

/// What an answer of the daemon at `url` means.
fn understood<T: DeserializeOwned>(
    url: &str,
    status: StatusCode,
    body: &[u8],
) -> anyhow::Result<T> {
    let strange = |source| StatusError::Strange {
        url: url.to_owned(),
        source,
    };
    if !status.is_success() {
        let refusal: Refusal = serde_json::from_slice(body).map_err(strange)?;
        let (url, sentence) = (url.to_owned(), refusal.error);
        return Err(NotExplained::Refused { url, sentence }.into());
    }
    Ok(serde_json::from_slice(body).map_err(strange)?)
}
