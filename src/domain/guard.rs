//! The low-traffic guard: how many failures chance alone makes too likely to wake anybody for.
//!
//! A tier may fire only when a service that is exactly on budget would show so many failures in
//! the long window with a probability below `alpha`: P(X ≥ bad) < alpha for X ~ Poisson(n·B), with
//! n events and the allowance B = 1 − objective.

/// The state of the guard, as it is shown: "2 of 3 failures needed".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guard {
    /// Failures seen in the long window.
    pub seen: f64,
    /// Failures needed before chance is ruled out.
    pub needed: u64,
}

impl Guard {
    /// The guard over a long window with `total` events of which `bad` failed; `allowance` is
    /// 1 − objective and `alpha` the largest probability that still counts as chance (0..1).
    pub fn of(bad: f64, total: f64, allowance: f64, alpha: f64) -> Self {
        Self {
            seen: bad,
            needed: needed(total * allowance, alpha),
        }
    }

    /// Whether enough failures were seen.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of failures are far below 2^53"
    )]
    pub fn is_passed(&self) -> bool {
        self.seen >= self.needed as f64
    }
}

/// The smallest k ≥ 1 with P(X ≥ k) < alpha for X ~ Poisson(mean).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "non-negative, and floats saturate"
)]
fn needed(mean: f64, alpha: f64) -> u64 {
    let (mut low, mut high) = (mean as u64, (mean + 12.0 * mean.sqrt() + 40.0) as u64);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if tail(middle, mean) < alpha {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// P(X ≥ k) for X ~ Poisson(mean) and k above the mean, as the first term times a geometric-like
/// series: pmf(k) · (1 + m/(k+1) + m²/((k+1)(k+2)) + …).
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of failures are far below 2^53"
)]
fn tail(k: u64, mean: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if mean <= 0.0 {
        return 0.0;
    }
    let first = (k as f64).mul_add(mean.ln(), -mean) - libm::lgamma(k as f64 + 1.0);
    let (mut term, mut sum, mut next) = (1.0, 1.0, k as f64 + 1.0);
    while term > sum * 1e-15 {
        term *= mean / next;
        sum += term;
        next += 1.0;
    }
    first.exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_failures_are_those_of_the_published_table() {
        // Requests per hour at 99.9 % and alpha 1e-3, over 1 h, 6 h, 24 h and 72 h.
        for (per_hour, expected) in [
            (10.0, [2, 3, 4, 5]),
            (60.0, [3, 4, 7, 13]),
            (300.0, [4, 8, 18, 38]),
            (1_000.0, [6, 16, 41, 101]),
        ] {
            let seen = [1.0, 6.0, 24.0, 72.0].map(|hours| needed(per_hour * hours * 0.001, 1e-3));
            assert_eq!(seen, expected, "{per_hour} requests/h");
        }
    }

    #[test]
    fn the_tail_equals_the_slow_sum() {
        for mean in [0.01_f64, 0.5, 3.0, 40.0] {
            for k in 1..100_u32 {
                let (mut pmf, mut below) = ((-mean).exp(), 0.0);
                for i in 0..k {
                    below += pmf;
                    pmf *= mean / f64::from(i + 1);
                }
                let slow: f64 = 1.0 - below;
                assert!((tail(k.into(), mean) - slow).abs() < 1e-9, "{mean} {k}");
            }
        }
    }

    #[test]
    fn nothing_to_lose_needs_one_failure_and_much_traffic_does_not_hang() {
        assert_eq!(needed(0.0, 1e-3), 1);
        assert!(needed(1e9, 1e-3) > 1_000_000_000);
    }
}
