//! How one text differs from another, line by line.

/// Lines around a difference that are shown.
const AROUND: usize = 1;

/// What is other in `now`: lines with `-` are gone, those with `+` are new, and `@` stands for lines that are left out.
pub(super) fn between(before: &str, now: &str) -> String {
    let (before, now): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let lines = aligned(&before, &now);
    let is_shown = |at: usize| {
        let near = at.saturating_sub(AROUND)..=(at + AROUND).min(lines.len() - 1);
        lines[near].iter().any(|(sign, _)| *sign != ' ')
    };
    let (mut text, mut left_out) = (String::new(), false);
    for (at, (sign, line)) in lines.iter().enumerate() {
        if is_shown(at) {
            text.push_str(format!("{sign}{line}").trim_end());
            text.push('\n');
        } else if !left_out {
            text.push_str("@\n");
        }
        left_out = !is_shown(at);
    }
    text
}

/// The longest common subsequence, by the table that everybody knows.
fn aligned<'a>(before: &[&'a str], now: &[&'a str]) -> Vec<(char, &'a str)> {
    let mut longest = vec![vec![0_usize; now.len() + 1]; before.len() + 1];
    for old in (0..before.len()).rev() {
        for new in (0..now.len()).rev() {
            longest[old][new] = if before[old] == now[new] {
                longest[old + 1][new + 1] + 1
            } else {
                longest[old + 1][new].max(longest[old][new + 1])
            };
        }
    }
    let (mut old, mut new, mut lines) = (0, 0, Vec::new());
    while old < before.len() || new < now.len() {
        if old < before.len() && new < now.len() && before[old] == now[new] {
            lines.push((' ', before[old]));
            (old, new) = (old + 1, new + 1);
        } else if new == now.len()
            || old < before.len() && longest[old + 1][new] >= longest[old][new + 1]
        {
            lines.push(('-', before[old]));
            old += 1;
        } else {
            lines.push(('+', now[new]));
            new += 1;
        }
    }
    lines
}

#[test]
fn only_what_differs_is_shown() {
    let before = "a\nb\nc\nd\ne\nf";
    assert_eq!(
        between(before, "a\nb\nc\nD\ne\nf\ng"),
        "@\n c\n-d\n+D\n e\n f\n+g\n"
    );
    assert_eq!(between(before, before), "@\n");
}
