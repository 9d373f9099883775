//! The text of a file that a person saved: UTF-8, with or without the mark that some editors put before it.

const MARK: char = '\u{feff}';

/// Why the bytes of a file are no text that can be read. Said after the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUtf8 {
    /// As Windows calls "Unicode", and as `>` of its PowerShell writes.
    #[error("is UTF-16")]
    Utf16,
    /// Another encoding, such as Latin-1, or no text at all.
    #[error("is not UTF-8: see line {line}")]
    Other {
        /// The first line with such bytes; counts from 1.
        line: usize,
    },
}

impl NotUtf8 {
    /// What to do about either.
    pub const HELP: &str = "save it as UTF-8";
}

/// The text that `bytes` are, without a byte order mark.
///
/// # Errors
/// When they are not UTF-8, or are UTF-16 that looks like it: every other byte is zero then.
pub fn utf8(bytes: Vec<u8>) -> Result<String, NotUtf8> {
    let is_marked = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if is_marked || matches!(bytes.as_slice(), [0, _, 0, ..] | [_, 0, _, 0, ..]) {
        return Err(NotUtf8::Utf16);
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to());
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        NotUtf8::Other { line }
    })?;
    Ok(match text.strip_prefix(MARK) {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_editors_save_it() {
        let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| {
            text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
        };
        let other = |line| Err(NotUtf8::Other { line });
        let ok = |text: &str| Ok(text.to_owned());
        for (bytes, read) in [
            (b"tick: 30s".to_vec(), ok("tick: 30s")),
            ("\u{feff}tick: é".into(), ok("tick: é")),
            (
                wide("\u{feff}tick: é", u16::to_le_bytes),
                Err(NotUtf8::Utf16),
            ),
            (
                wide("\u{feff}tick: é", u16::to_be_bytes),
                Err(NotUtf8::Utf16),
            ),
            (wide("tick: é", u16::to_le_bytes), Err(NotUtf8::Utf16)),
            (wide("tick: é", u16::to_be_bytes), Err(NotUtf8::Utf16)),
            (b"a: 1\nb: \xe9\n".to_vec(), other(2)),
            (Vec::new(), ok("")),
            (b"\0".to_vec(), ok("\0")),
        ] {
            assert_eq!(utf8(bytes.clone()), read, "{bytes:?}");
        }
    }
}
