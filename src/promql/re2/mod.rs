//! Regular expressions as Prometheus reads them (RE2, as Go has it), translated for the `regex` crate.
//!
//! Both agree on most of the syntax. Where they do not, the text is rewritten so that it means the
//! same: `\d \w \s \b` know only ASCII, `\Q…\E` quotes, `{` without a count is itself, octal codes
//! exist, and inside of brackets `[`, `&&`, `--` and `~~` are plain characters. What Go refuses is
//! refused here too, before a source does.

mod class;
#[cfg(test)]
mod tests;

use regex::Regex;

use super::error::PromqlError;

use self::class::perl_class;

/// The expression `re2`, anchored at both ends, with `.` matching line breaks too.
pub(super) fn compile(re2: &str) -> Result<Regex, PromqlError> {
    let refused =
        |why: &str| PromqlError::new(format!("`{re2}` is not a regular expression in RE2: {why}"));
    let translated = Translator::new(re2).run().map_err(|why| refused(&why))?;
    Regex::new(&format!("^(?s:{translated})$")).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => refused("it is too large"),
        _ => refused("its parts do not fit together"),
    })
}

/// The texts that `re2` matches, where it is nothing but a list of them: `api|cart`, `v1\.2`.
pub fn literals(re2: &str) -> Option<Vec<String>> {
    let mut texts = vec![String::new()];
    let mut chars = re2.chars();
    while let Some(char) = chars.next() {
        let char = match char {
            '|' => {
                texts.push(String::new());
                continue;
            }
            '\\' => chars.next().filter(char::is_ascii_punctuation)?,
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' => return None,
            _ => char,
        };
        texts.last_mut()?.push(char);
    }
    Some(texts)
}

const MOST_REPEATS: u32 = 1_000;

/// What stands before a repetition.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Item,
    Repetition,
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
    before: Before,
    depth: usize,
    names: Vec<String>,
}

type Step<T = ()> = Result<T, String>;

impl Translator {
    fn new(re2: &str) -> Self {
        Self {
            chars: re2.chars().collect(),
            at: 0,
            out: String::new(),
            before: Before::Nothing,
            depth: 0,
            names: Vec::new(),
        }
    }

    fn run(mut self) -> Step<String> {
        while let Some(char) = self.next() {
            match char {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => self.close_group()?,
                '|' => {
                    self.out.push('|');
                    self.before = Before::Nothing;
                }
                '*' | '+' | '?' => self.repeat(&char.to_string())?,
                '{' => match self.count()? {
                    Some(count) => self.repeat(&count)?,
                    None => self.literal('{'),
                },
                '^' | '$' | '.' => self.item(&char.to_string()),
                _ => self.literal(char),
            }
        }
        if self.depth > 0 {
            return Err("a ) is missing".to_owned());
        }
        Ok(self.out)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    /// Whether `text` comes next; takes it when it does.
    fn take(&mut self, text: &str) -> bool {
        let found = self.chars.get(self.at..).is_some_and(|rest| {
            text.chars()
                .enumerate()
                .all(|(at, char)| rest.get(at) == Some(&char))
        });
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(char) = self.peek().filter(|char| wanted(*char)) {
            taken.push(char);
            self.at += 1;
        }
        taken
    }

    fn item(&mut self, text: &str) {
        self.out.push_str(text);
        self.before = Before::Item;
    }

    fn emit(&mut self, parts: &[&str]) {
        self.out.extend(parts.iter().copied());
    }

    fn literal(&mut self, char: char) {
        self.item(&regex::escape(char.encode_utf8(&mut [0; 4])));
    }

    fn repeat(&mut self, operator: &str) -> Step {
        match self.before {
            Before::Nothing => return Err(format!("nothing stands before `{operator}`")),
            Before::Repetition => return Err(format!("`{operator}` repeats a repetition")),
            Before::Item => self.out.push_str(operator),
        }
        if self.take("?") {
            self.out.push('?');
        }
        self.before = Before::Repetition;
        Ok(())
    }

    /// The rest of `{2}`, `{2,}` or `{2,5}`; `None`, with nothing taken, when it is none of them.
    fn count(&mut self) -> Step<Option<String>> {
        let start = self.at;
        let low = self.take_while(|char| char.is_ascii_digit());
        let comma = self.take(",");
        let high = if comma {
            self.take_while(|char| char.is_ascii_digit())
        } else {
            low.clone()
        };
        let padded = |number: &str| number.len() > 1 && number.starts_with('0');
        if low.is_empty() || padded(&low) || padded(&high) || !self.take("}") {
            self.at = start;
            return Ok(None);
        }
        let number = |text: &str| text.parse().ok().filter(|number| *number <= MOST_REPEATS);
        let too_many = || format!("more than {MOST_REPEATS} repeats are asked for");
        let least: u32 = number(&low).ok_or_else(too_many)?;
        if high.is_empty() {
            return Ok(Some(format!("{{{least},}}")));
        }
        let most: u32 = number(&high).ok_or_else(too_many)?;
        if most < least {
            return Err(format!("{{{least},{most}}} counts downwards"));
        }
        Ok(Some(format!("{{{least},{most}}}")))
    }

    /// Groups never capture: only whether the whole matches is asked for.
    fn group(&mut self) -> Step {
        self.depth += 1;
        self.before = Before::Nothing;
        if !self.take("?") {
            self.out.push_str("(?:");
            return Ok(());
        }
        if self.take("P<") || self.take("<") {
            let name = self.take_while(|char| char.is_ascii_alphanumeric() || char == '_');
            if name.is_empty() || !self.take(">") || self.names.contains(&name) {
                return Err("a group's name is a word of its own, as in (?P<name>…)".to_owned());
            }
            self.names.push(name);
            self.out.push_str("(?:");
            return Ok(());
        }
        let flags = self.take_while(|char| matches!(char, 'i' | 'm' | 's' | 'U' | '-'));
        let valid = !flags.ends_with('-') && flags.matches('-').count() <= 1;
        match self.next() {
            Some(':') if valid => self.emit(&["(?", &flags, ":"]),
            Some(')') if valid && !flags.is_empty() => {
                self.depth -= 1;
                self.emit(&["(?", &flags, ")"]);
            }
            _ => {
                return Err(
                    "after (? only the flags i, m, s, U or a name are known; there is no look-around"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }

    fn close_group(&mut self) -> Step {
        self.depth = self.depth.checked_sub(1).ok_or("a ( is missing")?;
        self.item(")");
        Ok(())
    }

    fn escape(&mut self) -> Step {
        let Some(char) = self.next() else {
            return Err("a backslash ends it".to_owned());
        };
        if let Some(class) = perl_class(char) {
            self.item(&class);
            return Ok(());
        }
        match char {
            'A' | 'z' => self.item(&format!("\\{char}")),
            'b' | 'B' => self.item(&format!("(?-u:\\{char})")),
            'p' | 'P' => {
                let property = self.property(char)?;
                self.item(&property);
            }
            'Q' => {
                while !self.take("\\E") {
                    // Left open, it would swallow the anchor that Prometheus adds.
                    let quoted = self.next().ok_or(r"\Q needs an \E")?;
                    self.literal(quoted);
                }
            }
            _ => {
                let char = self.character(char)?;
                self.literal(char);
            }
        }
        Ok(())
    }

    /// A Unicode property after `\p` or `\P`.
    fn property(&mut self, letter: char) -> Step<String> {
        let mut letter = letter;
        let name = if self.take("{") {
            if self.take("^") {
                letter = if letter == 'p' { 'P' } else { 'p' };
            }
            let name = self.take_while(|char| char.is_ascii_alphanumeric() || char == '_');
            if self.take("}") { name } else { String::new() }
        } else {
            self.take_while_once(|char| char.is_ascii_alphabetic())
        };
        if name.is_empty() {
            return Err(r"a property is written as \pL or \p{Greek}".to_owned());
        }
        Ok(format!("\\{letter}{{{name}}}"))
    }

    fn take_while_once(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let taken: String = self
            .peek()
            .filter(|char| wanted(*char))
            .into_iter()
            .collect();
        self.at += taken.len();
        taken
    }

    /// The character that `char` after a backslash stands for.
    fn character(&mut self, char: char) -> Step<char> {
        let unknown = || format!("`\\{char}` is unknown");
        Ok(match char {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => {
                let digits = if self.take("{") {
                    let digits = self.take_while(|char| char.is_ascii_hexdigit());
                    if self.take("}") {
                        digits
                    } else {
                        String::new()
                    }
                } else {
                    let first = self.take_while_once(|char| char.is_ascii_hexdigit());
                    let second = self.take_while_once(|char| char.is_ascii_hexdigit());
                    if second.is_empty() {
                        second
                    } else {
                        first + &second
                    }
                };
                u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(unknown)?
            }
            '0'..='7' => {
                let octal = |char: char| matches!(char, '0'..='7');
                if char != '0' && !self.peek().is_some_and(octal) {
                    return Err(format!("`\\{char}` would refer back, which RE2 cannot"));
                }
                let mut digits = char.to_string();
                digits += &self.take_while_once(octal);
                digits += &self.take_while_once(octal);
                u32::from_str_radix(&digits, 8)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(unknown)?
            }
            _ if char.is_ascii() && !char.is_ascii_alphanumeric() => char,
            _ => return Err(unknown()),
        })
    }
}
