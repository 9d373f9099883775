//! Asking a daemon to explain a number.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::status::{StatusError, address, client, unreachable};
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
    let mut words = wanted.promise.splitn(3, '/');
    let (Some(service), Some(name)) = (words.next(), words.next()) else {
        return Err(NotExplained::Name(wanted.promise.clone()).into());
    };
    let place = format!("slos/{service}/{name}");
    let listed: ListView<SloView> = answered(url, address(url, &place)?).await?;
    let id = wanted.instance(&listed.items)?;
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
    answered(url, place).await
}

/// The answer of the daemon at `url` to what `place` asks for.
async fn answered<T: DeserializeOwned>(url: &str, place: Url) -> anyhow::Result<T> {
    let asked = client(url)?.get(place).timeout(TIMEOUT).send().await;
    let response = asked.map_err(|source| unreachable(url, source))?;
    let status = response.status();
    let body = response.bytes().await;
    let body = body.map_err(|source| unreachable(url, source))?;
    let strange = |source| StatusError::Strange {
        url: url.to_owned(),
        source,
    };
    if !status.is_success() {
        let refusal: Refusal = serde_json::from_slice(&body).map_err(strange)?;
        let (url, sentence) = (url.to_owned(), refusal.error);
        let refused = NotExplained::Refused {
            url,
            status,
            sentence,
        };
        return Err(refused.into());
    }
    Ok(serde_json::from_slice(&body).map_err(strange)?)
}
