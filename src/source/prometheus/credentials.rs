//! Who asks: a token or a password from a file, as the `Authorization` header.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;

use crate::source::error::Failure;

use super::PrometheusSettings;

/// What is sent with each request, and which file holds it.
pub(super) enum Credentials {
    None,
    /// A token.
    Bearer(PathBuf),
    /// `user:password` (RFC 7617).
    Basic(PathBuf),
}

impl Credentials {
    pub(super) fn of(settings: &PrometheusSettings) -> Self {
        match (&settings.bearer_token_file, &settings.basic_auth_file) {
            (Some(path), _) => Self::Bearer(path.clone()),
            (None, Some(path)) => Self::Basic(path.clone()),
            (None, None) => Self::None,
        }
    }

    /// The header, from the file as it is now: tokens that Kubernetes mounts change every hour.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, Failure> {
        let (what, key, path) = match self {
            Self::None => return Ok(None),
            Self::Bearer(path) => ("token", "bearerTokenFile", path),
            Self::Basic(path) => ("password", "basicAuthFile", path),
        };
        let fault = |reason: String| Failure::Credentials {
            what,
            key,
            path: path.clone(),
            reason,
        };
        let text = read(path).await.map_err(fault)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(fault("it is empty".to_owned()));
        }
        let value = match self {
            Self::Basic(_) if !text.contains(':') => {
                return Err(fault("it does not hold user:password".to_owned()));
            }
            Self::Basic(_) => format!("Basic {}", STANDARD.encode(text)),
            _ => format!("Bearer {text}"),
        };
        let is_one_line = text.lines().count() == 1;
        let header = HeaderValue::try_from(value).ok().filter(|_| is_one_line);
        let mut header =
            header.ok_or_else(|| fault(format!("it holds more than a {what} on one line")))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

pub(super) async fn read(path: &Path) -> Result<String, String> {
    let text = tokio::fs::read_to_string(path).await;
    text.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        kind => kind.to_string(),
    })
}
