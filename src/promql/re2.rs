//! Regular expressions as Prometheus reads them (RE2, as Go has it), translated for the `regex` crate.
//!
//! Both agree on most of the syntax. Where they do not, the text is rewritten so that it means the
//! same: `\d \w \s \b` know only ASCII, `\Q…\E` quotes, `{` without a count is itself, octal codes
//! exist, and inside of brackets `[`, `&&`, `--` and `~~` are plain characters. What Go refuses is
//! refused here too, before a source does.

use regex::Regex;

use super::error::PromqlError;

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

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
/// Without the vertical tab, which Rust's own ASCII class contains.
const SPACE: &str = r"\t\n\x0C\r ";
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
                    let Some(quoted) = self.next() else { break };
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

    /// The rest of a class in brackets. Characters are written as their codes, since more of them
    /// are special in Rust's classes than in RE2's.
    fn class(&mut self) -> Step {
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
            let name = self.take_while(|char| char.is_ascii_lowercase() || char == '^');
            if self.take(":]") {
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
fn perl_class(letter: char) -> Option<String> {
    let ranges = match letter.to_ascii_lowercase() {
        'd' => DIGIT,
        's' => SPACE,
        'w' => WORD,
        _ => return None,
    };
    let not = if letter.is_ascii_uppercase() { "^" } else { "" };
    Some(format!("[{not}{ranges}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_they_mean_in_re2() {
        // The expression, what it matches as a whole, and what it does not.
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("5..", &["500", "5\n0"], &["5000", "1500", "50"]),
            ("", &[""], &["a"]),
            (".*", &["", "a\nb"], &[]),
            ("a|b", &["a", "b"], &["ab", "ac"]),
            (r"\d+", &["42"], &["٤٢"]),
            (r"\D", &["٤", "x"], &["4"]),
            (r"\w+", &["a_1"], &["é", "a-b"]),
            (r"\W", &["é"], &["e"]),
            (r"\s", &[" ", "\t", "\u{c}"], &["\u{b}", "\u{a0}"]),
            (r"[\s]", &[" "], &["\u{b}"]),
            (r"[^\s]", &["\u{b}"], &[" "]),
            (r"[\D]", &["é"], &["1"]),
            (r"[^\D]", &["1"], &["é", "x"]),
            (r".\bé", &["aé"], &["éé"]),
            (r"é\Bé", &["éé"], &[]),
            (r"\Qa.b*\Ec", &["a.b*c"], &["axbc"]),
            (r"\Qa.b", &["a.b"], &["axb"]),
            (r"\Qab\E+", &["ab", "abb"], &["abab"]),
            ("[a&&b]", &["a", "&", "b"], &["&&"]),
            ("[+--]", &["+", ",", "-"], &["."]),
            ("[a~~b]", &["~"], &["~~"]),
            ("[[a]", &["[", "a"], &["]"]),
            ("[]a]", &["]", "a"], &["["]),
            ("[^]a]", &["b"], &["]", "a"]),
            ("[a-]", &["a", "-"], &["b"]),
            (r"[\d-z]", &["1", "-", "z"], &["a"]),
            ("[[:alpha:]_]+", &["a_Z"], &["1", "é"]),
            ("[[:^alpha:]]", &["1"], &["a"]),
            ("[[:alpha]", &["[", ":", "a"], &["z"]),
            ("[^a]", &["\n"], &["a"]),
            ("a{2}", &["aa"], &["a", "a{2}"]),
            ("a{,2}", &["a{,2}"], &["aa"]),
            ("a{b}", &["a{b}"], &[]),
            ("a{02}", &["a{02}"], &["aa"]),
            ("{a}", &["{a}"], &[]),
            ("a]b}", &["a]b}"], &[]),
            (r"\x41\x{1F600}\101\0", &["A😀A\0"], &[]),
            (r"\<a\>", &["<a>"], &["a"]),
            (r"\_\-\/", &["_-/"], &[]),
            (r"\pN+\z", &["4", "٤"], &["x"]),
            (r"\p{Greek}|\p{^L}", &["α", "1"], &["a"]),
            (r"[\pL\d]+", &["aé1"], &["-"]),
            ("(?i)get|post", &["GET", "Post"], &["put"]),
            ("(?i:g)et", &["Get"], &["GET"]),
            ("(?P<v>a)(?<w>b)", &["ab"], &[]),
            ("a+?b*?c??", &["ab", "aabbc"], &["b"]),
            ("/api/v1/.+", &["/api/v1/x"], &["/api/v1/"]),
            ("(?-s).", &["a"], &["\n"]),
            ("^a$", &["a"], &["ba"]),
            ("(a|b)*c", &["abac", "c"], &["ad"]),
        ];
        for (re2, matching, others) in cases {
            let regex = compile(re2).unwrap_or_else(|error| panic!("{error}"));
            for text in *matching {
                assert!(regex.is_match(text), "{re2} should match {text:?}");
            }
            for text in *others {
                assert!(!regex.is_match(text), "{re2} should not match {text:?}");
            }
        }
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for (re2, why) in [
            ("*a", "nothing stands before `*`"),
            ("a|+", "nothing stands before `+`"),
            ("(?i)*", "nothing stands before `*`"),
            ("a**", "`*` repeats a repetition"),
            ("a{2}{3}", "`{3,3}` repeats a repetition"),
            ("a{1001}", "more than 1000 repeats are asked for"),
            ("a{3,2}", "{3,2} counts downwards"),
            ("[a", "a ] is missing"),
            ("[a--]", "the range a-- counts downwards"),
            ("[z-a]", "the range z-a counts downwards"),
            ("(a", "a ) is missing"),
            ("a)(b", "a ( is missing"),
            (r"\C", r"`\C` is unknown"),
            (r"\Z", r"`\Z` is unknown"),
            (r"\u00e9", r"`\u` is unknown"),
            (r"[\b]", r"`\b` is unknown"),
            (r"(a)\1", r"`\1` would refer back, which RE2 cannot"),
            (
                "(?=a)",
                "after (? only the flags i, m, s, U or a name are known; there is no look-around",
            ),
            (
                "(?x)a",
                "after (? only the flags i, m, s, U or a name are known; there is no look-around",
            ),
            (
                "(?P<a>x)(?P<a>y)",
                "a group's name is a word of its own, as in (?P<name>…)",
            ),
            (
                r"\p{sc=Greek}",
                r"a property is written as \pL or \p{Greek}",
            ),
            (r"\p{Nonsense}", "its parts do not fit together"),
            ("a\\", "a backslash ends it"),
        ] {
            assert_eq!(
                compile(re2).map(|_| ()).map_err(|error| error.to_string()),
                Err(format!("`{re2}` is not a regular expression in RE2: {why}"))
            );
        }
    }
}
