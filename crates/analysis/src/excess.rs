//! Does the canary look worse, and by how much? An estimate, no test: nothing is promised of it, so nothing may be decided on it but
//! how much traffic to risk.

use serde::{Deserialize, Serialize};

use crate::Bucket;
use crate::exact::Exact;

/// The difference of event rates, compared within each bucket and averaged (Mantel and Haenszel): what moves both arms alike while the
/// weight changes is not taken for a difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excess {
    /// The canary's events beyond its share of all of them, and the requests that they are to be divided by.
    sums: Exact<2>,
}

impl Default for Excess {
    fn default() -> Self {
        Excess { sums: Exact::ZERO }
    }
}

impl Excess {
    /// Takes in a bucket. One with an empty arm compares nothing and changes nothing.
    pub fn add(&mut self, bucket: Bucket) {
        if bucket.compares() {
            let Bucket { canary, base } = bucket;
            let all = canary.n() + base.n();
            let (share, rest) = (canary.n() / all, base.n() / all);
            self.sums[0] += rest * canary.k() - share * base.k();
            self.sums[1] += share * base.n();
        }
    }

    /// Has the canary more events than the base, by more than `margin` of its requests? Not before anything was seen.
    pub fn is_beyond(&self, margin: f64) -> bool {
        self.sums[0] > margin * self.sums[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_both_arms_alike_is_no_difference() {
        let mut excess = Excess::default();
        assert!(!excess.is_beyond(0.0));
        // Half of all requests fail just while the canary has half of the traffic.
        for (n_c, k_c, n_b, k_b) in [(10, 0, 990, 0), (500, 250, 500, 250), (100, 0, 900, 0)] {
            excess.add(Bucket::new(n_c, k_c, n_b, k_b).unwrap());
        }
        assert!(!excess.is_beyond(1e-9) && excess.is_beyond(-1e-9));
        let together = Bucket::new(610, 250, 2390, 250).unwrap();
        assert!(together.canary.rate() > together.base.rate());
    }

    #[test]
    fn it_is_the_difference_of_rates() {
        let mut excess = Excess::default();
        (0..10).for_each(|_| excess.add(Bucket::new(100, 2, 900, 9).unwrap()));
        assert!(excess.is_beyond(0.0099) && !excess.is_beyond(0.0101));
        let before = excess;
        excess.add(Bucket::new(5, 5, 0, 0).unwrap());
        assert_eq!(excess, before);
    }
}
