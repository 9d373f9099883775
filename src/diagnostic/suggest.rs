//! "Did you mean": the known word that is nearest to an unknown one.

/// The word of `known` that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(word, known).into_iter().next()
}

/// The words of `known` that `word` may have been meant to be, the nearest first.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let length = word.chars().count();
    // One slip in a short word, two or three in a longer one.
    let most = match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let is_as_long = |it: &&str| it.chars().count().abs_diff(length) <= most;
    let alike = known.into_iter().filter(is_as_long);
    let alike = alike.map(|candidate| (distance(word, candidate), candidate));
    let mut near: Vec<_> = alike.filter(|(distance, _)| *distance <= most).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// `did you mean …?`, or `fallback` when no known word is near.
pub fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    fallback: impl FnOnce() -> String,
) -> String {
    nearest(word, known).map_or_else(fallback, |nearest| format!("did you mean `{nearest}`?"))
}

/// `write a`, or `write one of a, b`.
pub fn write_one_of(names: &[&str]) -> String {
    match names {
        [only] => format!("write {only}"),
        many => format!("write one of {}", many.join(", ")),
    }
}

/// Letters to add, drop, change or swap with their neighbour; capitals count nothing.
fn distance(left: &str, right: &str) -> usize {
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    let (left, right) = (letters(left), letters(right));
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let changed = rows[i][j] + usize::from(a != b);
            let mut best = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["objective", "window", "name", "badWhere", "by"];
        for (word, meant) in [
            ("objectve", Some("objective")),
            ("Window", Some("window")),
            ("widnow", Some("window")),
            ("nmae", Some("name")),
            ("badwhere", Some("badWhere")),
            ("bad_where", Some("badWhere")),
            ("groupBy", None),
            ("bx", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        let alike = ["requests_total", "request_total", "replies_total"];
        assert_eq!(
            near("reqest_total", alike),
            ["request_total", "requests_total"]
        );
    }
}
