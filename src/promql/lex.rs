//! Words, strings and signs of PromQL with the bytes they came from.

use std::ops::Range;

use super::MAX_LENGTH;
use super::error::PromqlError;

/// One token of PromQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a keyword or a number.
    Word(String),
    /// A quoted text, without quotes and escapes.
    Text(String),
    /// An operator or a bracket.
    Sign(String),
}

/// A token and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) range: Range<usize>,
}

impl Lexeme {
    /// Whether this is the sign `sign`.
    pub(super) fn is(&self, sign: &str) -> bool {
        matches!(&self.token, Token::Sign(found) if found == sign)
    }
}

/// All tokens of `text`; comments and white space are left out.
pub(super) fn lexemes(text: &str) -> Result<Vec<Lexeme>, PromqlError> {
    if text.len() > MAX_LENGTH {
        return Err(PromqlError::new(format!(
            "{} bytes of PromQL are too many; at most {MAX_LENGTH} are read",
            text.len()
        )));
    }
    let mut scanner = Scanner {
        chars: text.char_indices().collect(),
        at: 0,
        length: text.len(),
    };
    let mut found = Vec::new();
    while let Some(first) = scanner.peek() {
        let start = scanner.offset();
        let token = match first {
            '#' => {
                scanner.take_while(|char| char != '\n');
                continue;
            }
            '"' | '\'' | '`' => Token::Text(scanner.text(first)?),
            _ if first.is_whitespace() => {
                scanner.at += 1;
                continue;
            }
            _ if is_curly(first) => {
                let sentence = format!(
                    "{first} is a typographic quote, which PromQL does not know: write \" or '"
                );
                return Err(PromqlError::new(sentence).at(start..start + first.len_utf8()));
            }
            _ if is_word(first) => Token::Word(scanner.take_while(is_word)),
            _ => Token::Sign(scanner.sign(first)),
        };
        found.push(Lexeme {
            token,
            range: start..scanner.offset(),
        });
    }
    Ok(found)
}

/// What word processors and chats make of quotes.
const fn is_curly(char: char) -> bool {
    matches!(char, '‘'..='‟' | '«' | '»')
}

/// Dots are for numbers; a metric's name with a dot needs quotes, and the parser says so.
fn is_word(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | ':' | '.' | '$')
}

struct Scanner {
    chars: Vec<(usize, char)>,
    at: usize,
    length: usize,
}

impl Scanner {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).map(|(_, char)| *char)
    }

    fn offset(&self) -> usize {
        self.chars
            .get(self.at)
            .map_or(self.length, |(offset, _)| *offset)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(char) = self.peek().filter(|char| wanted(*char)) {
            taken.push(char);
            self.at += 1;
        }
        taken
    }

    fn sign(&mut self, first: char) -> String {
        self.at += 1;
        let mut sign = first.to_string();
        if matches!(first, '=' | '!' | '<' | '>')
            && let Some(second) = self.peek()
            && matches!(second, '=' | '~')
        {
            sign.push(second);
            self.at += 1;
        }
        sign
    }

    /// A quoted text by Go's rules, as Prometheus has them; between backticks nothing is escaped.
    fn text(&mut self, quote: char) -> Result<String, PromqlError> {
        let start = self.offset();
        self.at += 1;
        let mut text = String::new();
        loop {
            let from = self.offset();
            let Some(char) = self.peek().filter(|char| *char != '\n' || quote == '`') else {
                return Err(PromqlError::new(format!(
                    "a text that starts with {quote} does not end"
                ))
                .at(start..from));
            };
            self.at += 1;
            if char == quote {
                return Ok(text);
            }
            if char != '\\' || quote == '`' {
                text.push(char);
                continue;
            }
            match self.escaped(quote) {
                Some(char) => text.push(char),
                None => {
                    return Err(PromqlError::new(
                        r"this escape is unknown here; write a backslash itself as \\",
                    )
                    .at(from..self.offset().max(from + 1)));
                }
            }
        }
    }

    fn escaped(&mut self, quote: char) -> Option<char> {
        let char = self.peek()?;
        self.at += 1;
        Some(match char {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' => '\\',
            'x' => self.coded("", 2, 16).filter(char::is_ascii)?,
            'u' => self.coded("", 4, 16)?,
            'U' => self.coded("", 8, 16)?,
            '0'..='7' => self.coded(&char.to_string(), 2, 8).filter(char::is_ascii)?,
            _ if char == quote => quote,
            _ => return None,
        })
    }

    fn coded(&mut self, before: &str, count: usize, base: u32) -> Option<char> {
        let mut digits = before.to_owned();
        for _ in 0..count {
            digits.push(self.peek().filter(|digit| digit.is_digit(base))?);
            self.at += 1;
        }
        char::from_u32(u32::from_str_radix(&digits, base).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(source: &str) -> Result<String, String> {
        match lexemes(source).map_err(|error| error.to_string())?.pop() {
            Some(Lexeme {
                token: Token::Text(text),
                ..
            }) => Ok(text),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn texts_are_unquoted_as_go_does() {
        for (source, text) in [
            (r#""a\"b""#, "a\"b"),
            (r#"'a"b\'c'"#, "a\"b'c"),
            (r"`a\d`", r"a\d"),
            ("`a\nb`", "a\nb"),
            (r#""\x41\101\u00e9\U0001F600""#, "AAé😀"),
            (r#""\a\b\f\n\r\t\v\\""#, "\x07\x08\x0c\n\r\t\x0b\\"),
            ("# a comment \"\n\"x\"", "x"),
        ] {
            assert_eq!(text_of(source).as_deref(), Ok(text), "{source}");
        }
        for source in [
            r#""\d""#,
            r#""\'""#,
            r#"'\"'"#,
            r#""\x4""#,
            r#""\xff""#,
            r#""\8""#,
            r#""\ud800""#,
        ] {
            assert_eq!(
                text_of(source),
                Err(r"this escape is unknown here; write a backslash itself as \\".to_owned()),
                "{source}"
            );
        }
        for source in ["\"open", "\"a\nb\"", "'", "\"a\\"] {
            assert!(text_of(source).is_err(), "{source:?}");
        }
    }
}
