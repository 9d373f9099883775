//! Bucket boundaries of classic histograms: which spellings of a number `le` may have.

use crate::domain::decimal::Decimal;
use crate::domain::selector::{MatchOp, Matcher};

/// The label that tells the buckets of a histogram apart.
pub const LE: &str = "le";

/// The boundary of the bucket that holds everything.
pub const INFINITY: &str = "+Inf";

/// The matcher on `le` for the bucket whose boundary is `at_most`, however it is spelled:
/// `le="1"` equals `le="1.0"` and `le="1e+00"`.
pub fn bucket(at_most: Decimal) -> Matcher {
    let plain = at_most.to_string();
    let mut spellings = vec![regex::escape(&plain)];
    if !plain.contains('.') {
        spellings.push(format!(r"{plain}\.0"));
    }
    // Exponents as Rust, Go, Python and Java print them.
    if let Some((mantissa, exponent)) = format!("{:e}", at_most.to_f64()).split_once('e') {
        let (sign, digits) = exponent
            .strip_prefix('-')
            .map_or((r"\+?", exponent), |digits| ("-", digits));
        let mantissa = regex::escape(mantissa);
        let fraction = if mantissa.contains('.') {
            ""
        } else {
            r"(?:\.0)?"
        };
        spellings.push(format!("{mantissa}{fraction}[eE]{sign}0*{digits}"));
    }
    Matcher {
        label: LE.to_owned(),
        op: MatchOp::Matches,
        value: spellings.join("|"),
    }
}

/// The matcher on `le` for the part of a native histogram up to `at_most`, as sources spell it: they
/// make these series themselves.
pub fn virtual_bucket(at_most: Decimal) -> Matcher {
    Matcher::equal(LE, at_most.to_string())
}

/// The matcher on `le` for the bucket that holds everything.
pub fn everything() -> Matcher {
    Matcher::equal(LE, INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::promql::CompiledMatchers;

    #[test]
    fn a_boundary_is_found_however_it_is_spelled() {
        for (boundary, same, other) in [
            (
                "0.3",
                &["0.3", "3e-1", "3e-01", "3.0E-1"][..],
                &["0.31", "0.30000000000000004", "+Inf", "3"][..],
            ),
            (
                "1",
                &["1", "1.0", "1e+00", "1e0", "1.0E0"],
                &["10", "0.1", "11", "1.05"],
            ),
            (
                "10000000",
                &["10000000", "10000000.0", "1e+07", "1.0E7"],
                &["1e+08", "1000000"],
            ),
            ("0.00005", &["0.00005", "5e-05", "5.0E-5"], &["0.0005"]),
        ] {
            let matchers = CompiledMatchers::new(&[bucket(boundary.parse().unwrap())]).unwrap();
            let matches =
                |le: &str| matchers.matches(&[("le", le)].into_iter().collect::<Labels>());
            for le in same {
                assert!(matches(le), "{boundary} is {le}");
            }
            for le in other {
                assert!(!matches(le), "{boundary} is not {le}");
            }
        }
    }
}
