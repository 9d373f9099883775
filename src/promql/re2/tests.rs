//! What expressions match and what is refused: each line checked against Go's `regexp`.

use super::{compile, literals};

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
        (r"\Qa.b", r"\Q needs an \E"),
        ("[[:nope:]]", "[:nope:] is no class of characters"),
        ("[[:a-z:]]", "[:a-z:] is no class of characters"),
    ] {
        assert_eq!(
            compile(re2).map(|_| ()).map_err(|error| error.to_string()),
            Err(format!("`{re2}` is not a regular expression in RE2: {why}"))
        );
    }
}

#[test]
fn lists_of_plain_texts_are_known_as_such() {
    for (re2, texts) in [
        ("", Some(&[""][..])),
        ("api", Some(&["api"])),
        (r"api|ca\.rt|", Some(&["api", "ca.rt", ""])),
        (r"a\|b-c_d/é", Some(&["a|b-c_d/é"])),
        ("a.", None),
        ("(a|b)", None),
        ("a{2}", None),
        (r"\d", None),
        ("a\\", None),
    ] {
        let found = literals(re2);
        assert_eq!(
            found
                .as_ref()
                .map(|texts| texts.iter().map(|it| &**it).collect()),
            texts.map(<[&str]>::to_vec),
            "{re2}"
        );
    }
}
