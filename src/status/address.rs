//! Where things are shown: addresses of pages, below the daemon's own.

use std::fmt::Write as _;

use crate::domain::slo::Slo;

/// Where an instance is shown by itself: on its objective's page, or on one of its own where that has several.
pub fn of_instance(slo: &Slo) -> String {
    let objective = format!("/slos/{}/{}", encode(&slo.service), encode(&slo.name));
    if slo.group.is_empty() && slo.target.is_none() {
        return objective;
    }
    format!("{objective}?id={}", encode(slo.id.as_str()))
}

/// Percent-encodes all but unreserved characters (RFC 3986).
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            // Writing to a string does not fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_stand_in_links_letter_by_letter() {
        assert_eq!(encode("up{job=\"a b\"}"), "up%7Bjob%3D%22a%20b%22%7D");
    }
}
