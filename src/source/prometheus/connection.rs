//! The connection to one Prometheus: headers, authorities and our own certificate, renewed when their files change.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use prometheus_http_query::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Identity, Url};
use sha2::{Digest as _, Sha256};

use crate::client;
use crate::source::error::Failure;

use super::credentials::read;

/// Files in PEM for TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authorities that are trusted, in place of the system's.
    pub authorities: Option<PathBuf>,
    /// The certificate that says who asks, and those between it and its authority.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key.
    pub key: Option<PathBuf>,
}

/// Makes clients, new ones whenever a file has changed.
pub(super) struct Connection {
    url: Url,
    headers: HeaderMap,
    files: TlsFiles,
    current: Mutex<Current>,
}

/// The same connections, for the wrapper and for what that does not know.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) wrapped: Client,
    pub(super) plain: reqwest::Client,
}

#[derive(Default)]
struct Current {
    clients: Option<(Clients, Revision)>,
    /// What was wrong with changed files, so that it is logged once.
    trouble: Option<Failure>,
}

/// The hash of all files, which is kept in place of a key.
type Revision = [u8; 32];

/// What the files hold.
#[derive(Default)]
struct Texts {
    authorities: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Connection {
    /// Checks the settings; connects to nothing, and reads no file yet.
    pub(super) fn new(
        url: &Url,
        headers: &[(String, String)],
        files: TlsFiles,
    ) -> Result<Self, Failure> {
        let connection = Self {
            url: url.clone(),
            headers: checked(headers)?,
            files,
            current: Mutex::default(),
        };
        if connection.files == TlsFiles::default() {
            let texts = Texts::default();
            let clients = connection.clients_from(&texts)?;
            connection.keep(clients, texts.revision());
        }
        Ok(connection)
    }

    /// The clients for the files as they are now. Files that cannot be used leave those that there were: they may be
    /// on their way.
    pub(super) async fn clients(&self) -> Result<Clients, Failure> {
        if self.files == TlsFiles::default() {
            return self.kept(None).ok_or_else(unusable);
        }
        match self.renewed().await {
            Ok(clients) => Ok(clients),
            Err(failure) => {
                self.complain(&failure);
                self.kept(None).ok_or(failure)
            }
        }
    }

    async fn renewed(&self) -> Result<Clients, Failure> {
        let files = &self.files;
        let texts = Texts {
            authorities: text(files.authorities.as_deref(), AUTHORITIES).await?,
            certificate: text(files.certificate.as_deref(), CERTIFICATE).await?,
            key: text(files.key.as_deref(), KEY).await?,
        };
        let revision = texts.revision();
        if let Some(clients) = self.kept(Some(revision)) {
            return Ok(clients);
        }
        let clients = self.clients_from(&texts)?;
        self.keep(clients.clone(), revision);
        Ok(clients)
    }

    fn clients_from(&self, texts: &Texts) -> Result<Clients, Failure> {
        let mut builder = client::builder_for([&self.url])
            .default_headers(self.headers.clone())
            // Only what is configured is asked; a proxy of the environment is meant for the way out.
            .no_proxy();
        if let Some(pem) = &texts.authorities {
            let found = Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default();
            if found.is_empty() {
                return Err(self.fault(AUTHORITIES, "it holds no certificate in PEM"));
            }
            builder = builder.tls_certs_only(found);
        }
        if let (Some(certificate), Some(key)) = (&texts.certificate, &texts.key) {
            let both = format!("{certificate}\n{key}");
            let identity = Identity::from_pem(both.as_bytes());
            let identity = identity.map_err(|_| {
                self.fault(CERTIFICATE, "it and its key are not a pair of files in PEM")
            })?;
            builder = builder.identity(identity);
        }
        let plain = builder.build().map_err(|error| {
            tracing::debug!(%error, "no HTTP client");
            match texts.certificate {
                Some(_) => self.fault(CERTIFICATE, "it and its key do not belong together"),
                None => unusable(),
            }
        })?;
        let wrapped = Client::from(plain.clone(), self.url.as_str());
        let wrapped = wrapped.map_err(|error| Failure::Settings {
            key: "url",
            reason: error.to_string(),
        })?;
        Ok(Clients { wrapped, plain })
    }

    fn fault(&self, (what, key): Named, reason: &str) -> Failure {
        let path = match key {
            "tls.caFile" => &self.files.authorities,
            "tls.certFile" => &self.files.certificate,
            _ => &self.files.key,
        };
        Failure::Credentials {
            what,
            key,
            path: path.clone().unwrap_or_default(),
            reason: reason.to_owned(),
        }
    }

    /// The clients that there are; with a revision, only if they are of that one.
    fn kept(&self, revision: Option<Revision>) -> Option<Clients> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (clients, of) = current.clients.as_ref()?;
        let is_it = revision.is_none_or(|wanted| wanted == *of);
        is_it.then(|| clients.clone())
    }

    fn keep(&self, clients: Clients, revision: Revision) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Current {
            clients: Some((clients, revision)),
            trouble: None,
        };
    }

    fn complain(&self, failure: &Failure) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.clients.is_some() && current.trouble.as_ref() != Some(failure) {
            if let Failure::Credentials { path, reason, .. } = failure {
                let path = path.display();
                tracing::warn!(
                    "the files for TLS were changed and cannot be used, so the old ones stay in use: `{path}`: {reason}"
                );
            }
            current.trouble = Some(failure.clone());
        }
    }
}

/// What a file holds, in a word, and the setting that names it.
type Named = (&'static str, &'static str);
const AUTHORITIES: Named = ("authorities", "tls.caFile");
const CERTIFICATE: Named = ("certificate", "tls.certFile");
const KEY: Named = ("key", "tls.keyFile");

impl Texts {
    fn revision(&self) -> Revision {
        let mut hash = Sha256::new();
        for text in [&self.authorities, &self.certificate, &self.key] {
            let text = text.as_deref().unwrap_or_default();
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }
}

async fn text(path: Option<&Path>, (what, key): Named) -> Result<Option<String>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let text = read(path).await.map_err(|reason| Failure::Credentials {
        what,
        key,
        path: path.to_owned(),
        reason,
    })?;
    Ok(Some(text))
}

fn unusable() -> Failure {
    Failure::Settings {
        key: "url",
        reason: "the certificate authorities of this machine cannot be read".to_owned(),
    }
}

fn checked(settings: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in settings {
        let fault = |what| Failure::Settings {
            key: "headers",
            reason: format!("`{name}` {what}"),
        };
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| fault("has a value that no header may have"))?;
        value.set_sensitive(true);
        let name = HeaderName::try_from(name).map_err(|_| fault("is not the name of a header"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}
