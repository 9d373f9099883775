//! Text of others made fit for our sentences and logs.

/// How much of what a server says goes into a sentence, in characters.
const LONGEST: usize = 300;

/// How much of an answer goes to the log, in bytes.
const BEGINNING: usize = 200;

/// One line without control characters, cut when long.
pub(super) fn cleaned(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|char: char| char.is_whitespace() || char.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    let mut cut: String = line.chars().take(LONGEST).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// The beginning of an answer that could not be read, escaped.
pub(super) fn beginning(body: &[u8]) -> String {
    let body = body.get(..BEGINNING).unwrap_or(body);
    body.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_becomes_one_short_line() {
        for (said, cleaned_text) in [
            ("parse error\n\tat 1:5", "parse error at 1:5".to_owned()),
            ("\u{1b}[31mred\0", "[31mred".to_owned()),
            (" ", String::new()),
            (&"é".repeat(400), format!("{}…", "é".repeat(300))),
        ] {
            assert_eq!(cleaned(said), cleaned_text);
        }
        assert_eq!(beginning(b"<p>\x1b\xff\n"), r"<p>\x1b\xff\n");
        assert_eq!(beginning(&[b'x'; 300]).len(), 200);
    }
}
