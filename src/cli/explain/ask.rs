//! Asking a daemon to explain a number.

use std::time::Duration;

use serde::Deserialize;

use crate::cli::status::{StatusError, address, client, unreachable};
use crate::domain::time::Timestamp;
use crate::status::explanation::AskedWindow;
use crate::status::view::explain::ExplanationView;

use super::NotExplained;

/// A daemon takes ten seconds at most, and the answer may be long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a daemon says instead.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// What the daemon at `url` explains of `slo`.
pub(super) async fn explanation(
    url: &str,
    slo: &str,
    at: Option<Timestamp>,
    window: Option<AskedWindow>,
) -> anyhow::Result<ExplanationView> {
    let Some((service, name)) = slo.split_once('/').filter(|(_, name)| !name.contains('/')) else {
        return Err(NotExplained::Name(slo.to_owned()).into());
    };
    let mut place = address(url, &format!("slos/{service}/{name}/explain"))?;
    let mut pairs = place.query_pairs_mut();
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
