//! Which daemon is asked.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context as _;

use crate::config::{Config, Flags, URL_VARIABLE};

/// Where a daemon is.
#[derive(Debug, clap::Args)]
pub(super) struct Daemon {
    /// Where the daemon serves its API [default: SLOBURN_URL, else where the configuration says that it listens]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Daemon {
    /// The address that was given, else that of a daemon with the configuration that is here.
    pub(super) fn url(&self, environment: &BTreeMap<String, String>) -> anyhow::Result<String> {
        let variable = environment.get(URL_VARIABLE);
        let variable = variable.filter(|text| !text.is_empty());
        if let Some(url) = self.url.as_ref().or(variable) {
            return Ok(url.clone());
        }
        let config = Config::load(&Flags::default(), environment).context(
            "where the daemon listens is not known; say it by --url http://127.0.0.1:9099",
        )?;
        Ok(format!("http://{}", reached(config.listen)))
    }
}

/// Where to reach from here who listens at `address`: who listens everywhere listens here, too.
fn reached(address: SocketAddr) -> SocketAddr {
    let here: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(here, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_is_given_or_configured() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let sound = file("sound.yaml", "listen: 127.0.0.1:19099\n");
        let faulty = file("faulty.yaml", "listen: 19099\n");
        let url = Some("http://slo.example.com");
        let told = [
            (None, vec![]),
            (None, vec![("SLOBURN_CONFIG", &*sound)]),
            (
                None,
                vec![("SLOBURN_CONFIG", &sound), ("SLOBURN_LISTEN", "0.0.0.0:80")],
            ),
            (None, vec![("SLOBURN_LISTEN", "[::]:80")]),
            (
                None,
                vec![("SLOBURN_CONFIG", &sound), ("SLOBURN_URL", "slo:80")],
            ),
            (None, vec![("SLOBURN_CONFIG", &faulty), ("SLOBURN_URL", "")]),
            (
                url,
                vec![("SLOBURN_CONFIG", &faulty), ("SLOBURN_URL", "slo:80")],
            ),
        ]
        .map(|(url, environment)| {
            let url = url.map(str::to_owned);
            let environment = environment.into_iter();
            let environment = environment.map(|(name, text)| (name.to_owned(), text.to_owned()));
            match (Daemon { url }).url(&environment.collect()) {
                Ok(url) => url,
                Err(error) => format!("{error:#}").replace(&*folder.path().to_string_lossy(), "…"),
            }
        });
        insta::assert_snapshot!(told.join("\n"), @r"
        http://127.0.0.1:9099
        http://127.0.0.1:19099
        http://127.0.0.1:80
        http://[::1]:80
        slo:80
        where the daemon listens is not known; say it by --url http://127.0.0.1:9099: the configuration has 1 error
        …/faulty.yaml:1:9: error[SB0806]: `listen` is `19099`, not an address and a port; write 127.0.0.1:19099, or 0.0.0.0:19099 to be reached from elsewhere
        http://slo.example.com
        ");
    }
}
