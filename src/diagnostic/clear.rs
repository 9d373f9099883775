//! Whether a secret would be sent in the clear.

use url::{Host, Url};

/// Whether others can read on its way what is sent to `url`: plain HTTP to another machine.
pub fn is_in_the_clear(url: &Url) -> bool {
    let stays_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    url.scheme() == "http" && !stays_here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_to_another_machine_is_in_the_clear() {
        for (url, expected) in [
            ("http://prom:9090", true),
            ("http://10.0.0.1", true),
            ("http://[2001:db8::1]:9090", true),
            ("http://localhost.example.com", true),
            ("https://prom:9090", false),
            ("http://localhost:9090", false),
            ("http://prom.localhost", false),
            ("http://127.0.0.2", false),
            ("http://[::1]:9090", false),
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!(is_in_the_clear(&parsed), expected, "{url}");
        }
    }
}
