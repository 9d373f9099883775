//! Row 9: certificates, whom they are trusted by, and files of them that change.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sloburn::domain::measurement::Outcome;
use sloburn::source::prometheus::{PrometheusSettings, TlsFiles};

use super::{Scene, Setup, TICKS, WARM_UP};
use crate::support::lying_prometheus::LyingPrometheus;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for `name` and its key.
fn issued(
    by: &Authority,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, by).unwrap(), key)
}

/// A server with a certificate; with `clients`, one that wants to see one of theirs.
fn server(
    (certificate, key): &(rcgen::Certificate, KeyPair),
    clients: Option<&Authority>,
) -> Arc<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.as_ref().der().clone()).unwrap();
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![certificate.der().clone()];
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

/// A daemon that reads from such a server, trusting `ca.pem` in `folder` and showing `cert.pem` if that is there.
async fn scene(config: Arc<ServerConfig>, folder: &Path) -> Scene {
    let prometheus = LyingPrometheus::secured(config).await.unwrap();
    let url = prometheus
        .url()
        .replace("http://127.0.0.1", "https://localhost");
    let file = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
    let tls = TlsFiles {
        authorities: file("ca.pem"),
        certificate: file("cert.pem"),
        key: file("key.pem"),
    };
    let setup = Setup::with(move |settings| PrometheusSettings {
        tls: tls.clone(),
        ..settings
    });
    Scene::over(prometheus, &url, setup).await
}

async fn reason(scene: &mut Scene) -> String {
    let status = scene.ticks(TICKS).await;
    let reason = status.measurement.reason.clone().unwrap_or_default();
    let told = scene.titles().await.join("; ");
    assert!(told.contains("CANNOT MEASURE"), "{told}");
    let url = scene
        .prometheus
        .url()
        .replace("http://127.0.0.1", "https://localhost");
    reason.replace(&url, "https://prom:9090")
}

#[tokio::test]
async fn row_09_a_certificate_that_is_not_trusted_says_why() {
    let (ours, folder) = (authority("ours"), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("ca.pem"), ours.as_ref().pem()).unwrap();
    let mut reasons = Vec::new();
    let expired = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    for certificate in [
        issued(&authority("another"), "localhost", |_| {}),
        issued(&ours, "elsewhere.example", |_| {}),
        issued(&ours, "localhost", expired),
    ] {
        let mut scene = scene(server(&certificate, None), folder.path()).await;
        reasons.push(reason(&mut scene).await);
        assert!(scene.prometheus.asked(super::Lie::Truth).is_empty());
    }
    let wanted = server(&issued(&ours, "localhost", |_| {}), Some(&ours));
    reasons.push(reason(&mut scene(wanted, folder.path()).await).await);
    fs::write(folder.path().join("ca.pem"), "nothing of the kind").unwrap();
    let fine = server(&issued(&ours, "localhost", |_| {}), None);
    let told = reason(&mut scene(fine, folder.path()).await).await;
    reasons.push(told.replace(&folder.path().display().to_string(), "…"));
    insta::assert_snapshot!(reasons.join("\n"), @r"
    cannot connect securely to the Prometheus of source `default` at https://prom:9090: no authority that we trust has issued its certificate (`tls.caFile` names others); check `sources.default.prometheus.url` and the server's certificate
    cannot connect securely to the Prometheus of source `default` at https://prom:9090: its certificate is for another name; check `sources.default.prometheus.url` and the server's certificate
    cannot connect securely to the Prometheus of source `default` at https://prom:9090: its certificate has expired; check `sources.default.prometheus.url` and the server's certificate
    cannot connect securely to the Prometheus of source `default` at https://prom:9090: it wants to see a certificate of ours (`tls.certFile`); check `sources.default.prometheus.url` and the server's certificate
    cannot use the authorities file `…/ca.pem` of source `default`: it holds no certificate in PEM; check `sources.default.prometheus.tls.caFile` and who may read it
    ");
}

#[tokio::test]
async fn row_09_authorities_and_certificates_of_our_own_are_read_again_when_they_change() {
    let (ours, folder) = (authority("ours"), tempfile::tempdir().unwrap());
    let write = |name: &str, pem: &str| fs::write(folder.path().join(name), pem).unwrap();
    let show = |by: &Authority| {
        let (certificate, key) = issued(by, "sloburn", |_| {});
        write("cert.pem", &certificate.pem());
        write("key.pem", &key.serialize_pem());
    };
    write("ca.pem", &authority("another").as_ref().pem());
    show(&authority("a third"));
    let config = server(&issued(&ours, "localhost", |_| {}), Some(&ours));
    let mut scene = scene(config, folder.path()).await;
    let status = scene.ticks(TICKS).await;
    assert_eq!(status.measurement.outcome, Outcome::Failed);
    // Mended one after the other: neither is enough.
    write("ca.pem", &ours.as_ref().pem());
    show(&ours);
    let status = scene.until_measured().await;
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    // Files that are no good leave the connection that there is.
    write("key.pem", "half of it");
    let status = scene.ticks(WARM_UP).await;
    assert_eq!(status.measurement.outcome, Outcome::Measured);
}
