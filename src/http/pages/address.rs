//! Where things are shown: addresses of pages.

use crate::domain::slo::Slo;

/// Where an instance is shown by itself: on its objective's page, or on one of its own where that has several.
pub(super) fn of_instance(slo: &Slo) -> String {
    let objective = format!("/slos/{}/{}", encode(&slo.service), encode(&slo.name));
    if slo.group.is_empty() && slo.target.is_none() {
        return objective;
    }
    format!("{objective}?id={}", encode(slo.id.as_str()))
}

/// Percent-encodes all but unreserved characters (RFC 3986).
pub(super) fn encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
