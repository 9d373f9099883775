//! Classes of characters: `[a-z]`, `[[:alpha:]]`, `\d` and their like.

use super::{Step, Translator};

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
/// Without the vertical tab, which Rust's own ASCII class contains.
const SPACE: &str = r"\t\n\x0C\r ";
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

impl Translator {
    /// The rest of a class in brackets. Characters are written as their codes, since more of them
    /// are special in Rust's classes than in RE2's.
    pub(super) fn class(&mut self) -> Step {
        let mut class = String::from("[");
        if self.take("^") {
            class.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.take("]") {
                break;
            }
            first = false;
            match self.named_class()? {
                Some(named) => class += &named,
                None => class += &self.class_range()?,
            }
        }
        class.push(']');
        self.item(&class);
        Ok(())
    }

    /// `[:alpha:]`, `\d` or `\pL` inside of brackets.
    fn named_class(&mut self) -> Step<Option<String>> {
        let start = self.at;
        if self.take("[:") {
            let rest = self.chars.get(self.at..).unwrap_or_default();
            if let Some(length) = rest.windows(2).position(|pair| pair == [':', ']']) {
                let name: String = rest.iter().take(length).collect();
                if !POSIX.contains(&name.trim_start_matches('^')) {
                    return Err(format!("[:{name}:] is no class of characters"));
                }
                self.at += length + 2;
                return Ok(Some(format!("[:{name}:]")));
            }
        } else if self.take("\\") {
            match self.next() {
                Some(letter @ ('p' | 'P')) => return self.property(letter).map(Some),
                Some(letter) if perl_class(letter).is_some() => return Ok(perl_class(letter)),
                _ => {}
            }
        }
        self.at = start;
        Ok(None)
    }

    fn class_range(&mut self) -> Step<String> {
        let low = self.class_character()?;
        let is_range = self.peek() == Some('-')
            && self
                .chars
                .get(self.at + 1)
                .is_some_and(|after| *after != ']');
        if !is_range {
            return Ok(code(low));
        }
        self.at += 1;
        let high = self.class_character()?;
        if high < low {
            return Err(format!("the range {low}-{high} counts downwards"));
        }
        Ok(format!("{}-{}", code(low), code(high)))
    }

    fn class_character(&mut self) -> Step<char> {
        match self.next() {
            None => Err("a ] is missing".to_owned()),
            Some('\\') => {
                let escaped = self.next().ok_or("a backslash ends it")?;
                self.character(escaped)
            }
            Some(char) => Ok(char),
        }
    }
}

fn code(char: char) -> String {
    format!("\\x{{{:X}}}", u32::from(char))
}

/// `\d`, `\s`, `\w` and their opposites, as classes that also stand inside of brackets.
pub(super) fn perl_class(letter: char) -> Option<String> {
    let ranges = match letter.to_ascii_lowercase() {
        'd' => DIGIT,
        's' => SPACE,
        'w' => WORD,
        _ => return None,
    };
    let not = if letter.is_ascii_uppercase() { "^" } else { "" };
    Some(format!("[{not}{ranges}]"))
}
