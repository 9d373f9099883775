//! The low-traffic guard: how many failures chance alone makes too likely to wake anybody for.
//!
//! A tier may fire only when a service that is exactly on budget would show so many failures in
//! the long window with a probability below `alpha`: P(X ≥ bad) < alpha for X ~ Poisson(n·B), with
//! n events and the allowance B = 1 − objective.

/// The state of the guard, as it is shown: "2 of 3 failures needed". How many are needed is found when
/// somebody asks, for it costs more than the rest of a tier and is seldom asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guard {
    /// Failures seen in the long window.
    pub seen: f64,
    /// How many are to be expected there of a service that is exactly on budget.
    expected: f64,
    /// The largest probability that still counts as chance (0..=0.5).
    alpha: f64,
}

impl Guard {
    /// The guard over a long window with `total` events of which `bad` failed; `allowance` is
    /// 1 − objective and `alpha` the largest probability that still counts as chance (0..=0.5).
    pub fn of(bad: f64, total: f64, allowance: f64, alpha: f64) -> Self {
        Self {
            seen: bad,
            expected: total * allowance,
            alpha,
        }
    }

    /// Failures needed before chance is ruled out.
    pub fn needed(&self) -> u64 {
        needed(self.expected, self.alpha)
    }

    /// Whether enough failures were seen.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of failures are far below 2^53"
    )]
    pub fn is_passed(&self) -> bool {
        self.seen >= self.needed() as f64
    }
}

/// The smallest k ≥ 1 with P(X ≥ k) < alpha for X ~ Poisson(mean).
///
/// Begins at the Cornish-Fisher estimate, which is hardly ever more than a few off, sums the tail
/// there once, and walks to the answer by single terms.
fn needed(mean: f64, alpha: f64) -> u64 {
    let mut k = estimate(mean, alpha).max(1);
    let mut above = tail(k, mean);
    while above >= alpha {
        above -= probability(k, mean);
        k += 1;
    }
    while k > 1 {
        above += probability(k - 1, mean);
        if above >= alpha {
            break;
        }
        k -= 1;
    }
    k
}

/// mean + z·√mean + (z² − 1)/6, with z the normal quantile of 1 − alpha.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "non-negative, and floats saturate"
)]
fn estimate(mean: f64, alpha: f64) -> u64 {
    let z = quantile(alpha);
    (mean + z * mean.sqrt() + (z * z - 1.0) / 6.0).ceil() as u64
}

/// The z above which a normal variable lies with a probability of `alpha` (0..=0.5), to 4.5·10⁻⁴: Hastings'
/// approximation, 26.2.23 in Abramowitz and Stegun.
fn quantile(alpha: f64) -> f64 {
    let t = (-2.0 * alpha.max(f64::MIN_POSITIVE).ln()).sqrt();
    let above = t.mul_add(t.mul_add(0.010_328, 0.802_853), 2.515_517);
    let below = t.mul_add(t.mul_add(t.mul_add(0.001_308, 0.189_269), 1.432_788), 1.0);
    t - above / below
}

/// P(X = k) for X ~ Poisson(mean).
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of failures are far below 2^53"
)]
fn probability(k: u64, mean: f64) -> f64 {
    if mean <= 0.0 {
        return if k == 0 { 1.0 } else { 0.0 };
    }
    ((k as f64).mul_add(mean.ln(), -mean) - libm::lgamma(k as f64 + 1.0)).exp()
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
    let (mut term, mut sum, mut next) = (1.0, 1.0, k as f64 + 1.0);
    while term > sum * 1e-15 {
        term *= mean / next;
        sum += term;
        next += 1.0;
    }
    probability(k, mean) * sum
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small whole numbers are exact")]
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
    fn the_walk_ends_where_a_search_over_all_does() {
        for mean in [
            0.0, 1e-6, 0.01, 0.3, 1.0, 4.5, 17.0, 260.0, 2_600.0, 26_000.0,
        ] {
            for alpha in [0.4, 0.05, 1e-3, 1e-4, 1e-9] {
                let slow = (1..100_000_u64).find(|k| *k as f64 > mean && tail(*k, mean) < alpha);
                let found = needed(mean, alpha);
                // Below the mean the tail is above a half, and no alpha asks for that.
                assert_eq!(Some(found), slow, "{mean} {alpha}");
            }
        }
    }

    #[test]
    fn nothing_to_lose_needs_one_failure_and_much_traffic_does_not_hang() {
        assert_eq!(needed(0.0, 1e-3), 1);
        assert!(needed(1e9, 1e-3) > 1_000_000_000);
    }
}
