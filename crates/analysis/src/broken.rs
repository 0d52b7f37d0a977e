//! Is the canary broken altogether? Asked of all requests, failed and answered.
//!
//! K1 asks how failures fall on the arms. That a canary with a tenth of the traffic has answered nothing, while the base has answered
//! forty, says something too. If a request draws its arm by itself, a failed one is the canary's as often as an answered one is. But if the
//! canary fails with `q` and the base with `p`, a failed one is the canary's with `wq / (wq + (1-w)p)` and an answered one with
//! `w(1-q) / (w(1-q) + (1-w)(1-p))`, where `w` is the canary's weight.
//!
//! Null: the canary has a request with `c w`, whatever comes of it, which may depend on all that was before. The `c` is unknown and stays
//! the same, so a split that is off by a factor convicts nobody. The e-process is universal inference (Wasserman, Ramdas, Balakrishnan 2020):
//! how likely the draws are if the canary is broken, over how likely any `c` can make them. Of `m` requests of the canary's, and of the base's
//! whose weights sum to `l`, that is at most `prod w * sup c^m exp(-c l)`, since `1 - c w <= exp(-c w)`; the supremum is
//! `(m/l)^m exp(-m)`. The product of the weights of the canary's requests stands on both sides and is left out.
//!
//! There is one alternative, for what fails less than nearly always is K1's to find. So are late faults: nothing begins anew here.

use libm::{log, log1p};
use serde::{Deserialize, Serialize};

use crate::Bucket;
use crate::exact::Exact;
use crate::log_space::combine;
use crate::routes::stop_at_most;

/// What it has of the evidence on errors, beside K1.
pub const BROKEN_PART: f64 = 0.25;
/// How often a canary that is broken fails. Not always: then one answer would acquit it.
const CANARY: f64 = 0.97;
/// How often the base does. The less, the more each failure of the canary's says, and the more each of the base's says against it.
const BASE: f64 = 0.003;

/// An e-process on the draws of all requests, in 16 bytes: there is one for each route.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Exact<3>", into = "Exact<3>")]
pub struct BrokenTest {
    /// How likely the draws are if the canary is broken: a logarithm, without the product of weights.
    log: f64,
    /// How many requests the canary would have beside the base's if `c` were 1: the sum of the weights that these came under, rounded down,
    /// which costs power and never validity.
    expected: f32,
    /// The canary's requests. At the largest number the test is over.
    canary: u32,
}

impl BrokenTest {
    pub(crate) fn is_new(&self) -> bool {
        *self == BrokenTest::default()
    }

    /// Takes in what came under a configured weight, 0 to 1. At either end nothing is drawn, and nothing changes. However requests
    /// are gathered into buckets, the same comes out, but for rounding.
    pub fn update(&mut self, bucket: Bucket, weight: f64) {
        if !(weight > 0.0 && weight < 1.0) {
            return;
        }
        let Bucket { canary, base } = bucket;
        let (failed, answered) =
            (Draw::new(weight, CANARY, BASE), Draw::new(weight, 1.0 - CANARY, 1.0 - BASE));
        self.log += canary.k() * failed.ln_canary + base.k() * failed.ln_base;
        self.log += canary.quiet() * answered.ln_canary + base.quiet() * answered.ln_base;
        self.expected = rounded_down(f64::from(self.expected) + base.n() * weight);
        stop_at_most(&mut self.canary, canary.requests());
    }

    /// The logarithm of the e-process now; minus infinity while the canary alone has requests, which a large `c` explains.
    pub fn log_e(&self) -> f64 {
        match self.canary {
            0 => self.log,
            u32::MAX => f64::NEG_INFINITY,
            canary => {
                let canary = f64::from(canary);
                self.log - canary * (log(canary / f64::from(self.expected)) - 1.0)
            }
        }
    }
}

/// Logarithms of the chances that a request is the canary's, over its weight, and that it is the base's.
struct Draw {
    ln_canary: f64,
    ln_base: f64,
}

impl Draw {
    /// Of a request that comes out as it does with these rates.
    fn new(weight: f64, canary: f64, base: f64) -> Draw {
        let either = weight * canary + (1.0 - weight) * base;
        Draw { ln_canary: log(canary / either), ln_base: log1p(-weight * canary / either) }
    }
}

fn rounded_down(number: f64) -> f32 {
    let near = number as f32;
    if f64::from(near) > number { near.next_down() } else { near }
}

/// K1's evidence with this test's, where there is one.
pub(crate) fn with_broken(worse: f64, broken: Option<&BrokenTest>) -> f64 {
    match broken {
        Some(broken) => combine(&[(1.0 - BROKEN_PART, worse), (BROKEN_PART, broken.log_e())]),
        None => worse,
    }
}

impl From<BrokenTest> for Exact<3> {
    fn from(BrokenTest { log, expected, canary }: BrokenTest) -> Exact<3> {
        Exact([log, f64::from(expected), f64::from(canary)])
    }
}

impl TryFrom<Exact<3>> for BrokenTest {
    type Error = &'static str;
    fn try_from(Exact([log, sum, count]): Exact<3>) -> Result<BrokenTest, Self::Error> {
        let (expected, canary) = (sum as f32, count as u32);
        let fits = sum >= 0.0 && f64::from(expected) == sum && f64::from(canary) == count;
        fits.then_some(BrokenTest { log, expected, canary }).ok_or("a sum and a count that are none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Restarting, threshold};
    use proptest::prelude::*;

    fn of(weight: f64, buckets: &[(u64, u64, u64, u64)]) -> BrokenTest {
        let mut test = BrokenTest::default();
        for (n_c, k_c, n_b, k_b) in buckets {
            test.update(Bucket::new(*n_c, *k_c, *n_b, *k_b).unwrap(), weight);
        }
        test
    }

    /// By hand: one failure of the canary's and three answers of the base's at a tenth of the traffic.
    #[test]
    fn a_bucket_is_worth_what_the_formula_says() {
        let failed = 0.1 * 0.97 / (0.1 * 0.97 + 0.9 * 0.003);
        let answered = 0.1 * 0.03 / (0.1 * 0.03 + 0.9 * 0.997);
        let likelihood = failed * (1.0 - answered) * (1.0 - answered) * (1.0 - answered);
        let most = 0.1 * (1.0 / 0.3) * libm::exp(-1.0);
        let found = libm::exp(of(0.1, &[(1, 1, 3, 0)]).log_e());
        assert!((found / (likelihood / most) - 1.0).abs() < 1e-6, "{found}: rounded down");
        assert!(found <= likelihood / most);
    }

    #[test]
    fn what_is_broken_altogether_is_found_with_fewer_failures_than_by_their_share() {
        for (weight, base, failures, of_share) in [(0.02, 49, 2, 3), (0.1, 9, 3, 4), (0.15, 6, 4, 5)] {
            let (mut broken, mut share) = (BrokenTest::default(), Restarting::default());
            let (mut by_broken, mut by_share) = (None, None);
            for failure in 1..10 {
                broken.update(Bucket::new(1, 1, base, 0).unwrap(), weight);
                share.update(1, 0, weight);
                let mixed = with_broken(share.log_e(), Some(&broken));
                by_broken = by_broken.or_else(|| (mixed >= threshold(0.001)).then_some(failure));
                by_share = by_share.or_else(|| (share.log_e() >= threshold(0.001)).then_some(failure));
            }
            assert_eq!((by_broken, by_share), (Some(failures), Some(of_share)), "{weight}");
        }
    }

    #[test]
    fn a_split_that_is_off_by_a_factor_is_no_evidence() {
        for (n_c, n_b) in [(0, 900), (1, 900), (30, 900), (200, 900), (900, 900)] {
            // Both arms fail one in ten.
            let log_e = of(0.1, &[(n_c, n_c / 10, n_b, n_b / 10)]).log_e();
            assert!(log_e < 0.0, "{log_e} of {n_c}");
        }
    }

    #[test]
    fn what_answers_now_and_then_is_not_broken_altogether() {
        assert!(of(0.02, &[(3, 3, 150, 0)]).log_e() > 12.0);
        assert!(of(0.02, &[(6, 3, 300, 0)]).log_e() < 12.0);
        assert!(of(0.02, &[(100, 3, 5_000, 0)]).log_e() < -80.0);
    }

    #[test]
    fn without_a_base_there_is_no_evidence() {
        let mut alone = of(0.1, &[(5, 5, 0, 0)]);
        assert_eq!(alone.log_e(), f64::NEG_INFINITY);
        assert_eq!(with_broken(0.0, Some(&alone)), log(1.0 - BROKEN_PART));
        alone.update(Bucket::new(0, 0, 45, 0).unwrap(), 0.1);
        assert!(alone.log_e() > 10.0, "{}", alone.log_e());
        for nothing_drawn in [0.0, 1.0, f64::NAN] {
            assert_eq!(of(nothing_drawn, &[(5, 5, 45, 0)]), BrokenTest::default());
        }
    }

    #[test]
    fn a_count_that_stops_is_no_evidence() {
        let full = of(0.1, &[(u64::MAX, u64::MAX, 1 << 40, 0)]);
        assert_eq!(full.log_e(), f64::NEG_INFINITY);
        assert_eq!(size_of::<BrokenTest>(), 16);
        for [sum, count] in [[0.1, 1.0], [-1.0, 1.0], [1.0, 0.5], [1.0, -1.0], [1.0, 1.0e10]] {
            let text = serde_json::to_string(&Exact([0.0, sum, count])).unwrap();
            assert!(serde_json::from_str::<BrokenTest>(&text).is_err(), "{sum} {count}");
        }
    }

    proptest! {
        #[test]
        fn no_counts_make_a_nan_and_every_bit_survives(
            buckets in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), 0.0..=1.0f64), 1..6),
        ) {
            let mut test = BrokenTest::default();
            for (n_c, k_c, n_b, k_b, weight) in buckets {
                test.update(Bucket::new(n_c, k_c.min(n_c), n_b, k_b.min(n_b)).unwrap(), weight);
                prop_assert!(!test.log_e().is_nan());
                let text = serde_json::to_string(&test).unwrap();
                prop_assert_eq!(&serde_json::from_str::<BrokenTest>(&text).unwrap(), &test);
            }
        }

        #[test]
        fn buckets_may_be_cut_anywhere(
            buckets in prop::collection::vec((0..5_u64, 0..5_u64, 0..40_u64, 0..3_u64), 1..20), weight in 0.001..0.9f64,
        ) {
            let buckets: Vec<_> = buckets.iter().map(|(s_c, k_c, s_b, k_b)| (s_c + k_c, *k_c, s_b + k_b, *k_b)).collect();
            let sum = buckets.iter().fold((0, 0, 0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1, sum.2 + of.2, sum.3 + of.3));
            let (apart, together) = (of(weight, &buckets).log_e(), of(weight, &[sum]).log_e());
            prop_assert!((apart - together).abs() < 1e-3 || apart == together, "{} {}", apart, together);
        }
    }
}
