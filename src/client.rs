//! HTTP clients for whoever calls others: what holds for each of them is said here.

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};
use rustls::crypto::{CryptoProvider, ring};

/// Who calls.
const USER_AGENT: &str = concat!("sloburn/", env!("CARGO_PKG_VERSION"));

/// For calls to anywhere. No redirect is followed: it would carry what is secret, and us, to wherever it points.
pub fn builder() -> ClientBuilder {
    provide_cryptography();
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
}

/// For calls to these addresses alone. The system's authorities are read only if one of them is secured: small images
/// have none at all.
pub fn builder_for<'u>(urls: impl IntoIterator<Item = &'u Url>) -> ClientBuilder {
    if urls.into_iter().any(|url| url.scheme() == "https") {
        builder()
    } else {
        builder().tls_certs_only([])
    }
}

/// rustls leaves it to the program which cryptography it uses, and a client needs one even where nothing is secured.
fn provide_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Whoever else is first installs the same.
        ring::default_provider().install_default().ok();
    }
}
