//! The promise behind every verdict, checked without drawing a single random number: a bucket's e-value is expected to
//! be at most 1 wherever its null holds. All outcomes of small buckets are enumerated.

use libm::{exp, pow};

use crate::share::increments;
use crate::{
    BrokenTest, Bucket, PairJudge, Pairs, Slow, Thresholds, Timed, bands, grid, harm, projection::Rates,
    two_by_two,
};

/// Rounding of a few hundred terms.
const SLACK: f64 = 1.0e-12;

fn choose(n: u64, k: u64) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

fn binomial(n: u64, p: f64) -> Vec<f64> {
    (0..=n).map(|k| choose(n, k) * pow(p, k as f64) * pow(1.0 - p, (n - k) as f64)).collect()
}

/// E-values of all outcomes of a bucket with `n_c` and `n_b` requests.
fn outcomes(n_c: u64, n_b: u64, log_e: impl Fn(Bucket) -> f64) -> Vec<Vec<f64>> {
    let row = |k_c| (0..=n_b).map(|k_b| exp(log_e(Bucket::new(n_c, k_c, n_b, k_b).unwrap()))).collect();
    (0..=n_c).map(row).collect()
}

fn expectation(e: &[Vec<f64>], rate_canary: f64, rate_base: f64) -> f64 {
    let canary = binomial(e.len() as u64 - 1, rate_canary);
    let base = binomial(e[0].len() as u64 - 1, rate_base);
    let row = |(row, p): (&Vec<f64>, &f64)| p * row.iter().zip(&base).map(|(e, q)| e * q).sum::<f64>();
    e.iter().zip(&canary).map(row).sum()
}

/// 60 rates from 0.0005 to `high`.
fn rates(high: f64) -> impl Iterator<Item = f64> {
    (0..60).map(move |i| 0.0005 + (high - 0.0005) * f64::from(i) / 59.0)
}

#[test]
fn k1_with_the_observed_share_never_expects_more_than_one() {
    let mut worst = 0.0_f64;
    for (n_c, n_b) in (1..9_u64).flat_map(|n_c| (1..25_u64).map(move |n_b| (n_c, n_b))) {
        let share = n_c as f64 / (n_c + n_b) as f64;
        for k in 1..=(n_c + n_b).min(12) {
            // Exchangeable requests: the canary's events are hypergeometric.
            let mut expected = [0.0; grid::WIDTH];
            for k_c in k.saturating_sub(n_b)..=k.min(n_c) {
                let chance = choose(n_c, k_c) * choose(n_b, k - k_c) / choose(n_c + n_b, k);
                let steps = increments(&grid::WORSE, 1.0, k_c, k - k_c, share).unwrap();
                for (sum, step) in expected.iter_mut().zip(steps) {
                    *sum += chance * exp(step);
                }
            }
            worst = expected.into_iter().fold(worst, f64::max);
        }
    }
    assert!(worst <= 1.0 + SLACK, "{worst}");
}

#[test]
fn k1_never_expects_more_than_one_for_any_null_ratio() {
    for null in [0.5, 1.0, 1.1, 2.0] {
        for share in [0.01, 0.1, 0.5, 0.95] {
            for rate in [1.0, 0.9, 0.3].map(|part| part * null) {
                let chance = share * rate / (1.0 - share + share * rate);
                let on_canary = increments(&grid::WORSE, null, 1, 0, share).unwrap();
                let on_base = increments(&grid::WORSE, null, 0, 1, share).unwrap();
                for (canary, base) in on_canary.into_iter().zip(on_base) {
                    let expected = chance * exp(canary) + (1.0 - chance) * exp(base);
                    assert!(expected <= 1.0 + SLACK, "{expected}");
                }
            }
        }
    }
}

#[test]
fn k2_never_expects_more_than_one() {
    let guesses = [
        (0.001, 0.0012, 0.005),
        (0.01, 0.011, 0.005),
        (0.01, 0.01, 0.05),
        (0.1, 0.12, 0.05),
        (0.0005, 0.0001, 0.3),
        (0.3, 0.2, 0.1),
    ];
    for (n_c, n_b) in [(1, 1), (2, 8), (5, 20), (10, 10)] {
        let share = n_c as f64 / (n_c + n_b) as f64;
        for (base, canary, margin) in guesses {
            let guess = Rates { canary, base };
            let e = outcomes(n_c, n_b, |bucket| harm::log_factor(bucket, share, guess, margin));
            for rate in rates(0.999 - margin) {
                for beyond in [0.0, 0.05, 0.2] {
                    let worse = rate + margin + beyond * (1.0 - rate - margin);
                    let expected = expectation(&e, worse.min(1.0), rate);
                    assert!(expected <= 1.0 + SLACK, "{expected} at {n_c} {n_b} {guess:?} {margin} {rate}");
                }
            }
        }
    }
}

#[test]
fn k3_never_expects_more_than_one() {
    for (n_c, n_b) in [(1, 1), (1, 9), (3, 5), (5, 20), (10, 10)] {
        let share = n_c as f64 / (n_c + n_b) as f64;
        for (base, odds) in
            [0.001, 0.01, 0.1, 0.5].into_iter().flat_map(|b| [1.1, 2.0, 30.0, 1024.0].map(|o| (b, o)))
        {
            let e = outcomes(n_c, n_b, |bucket| two_by_two::log_factor(bucket, share, base, odds - 1.0));
            for rate in rates(0.9995) {
                for part in [1.0, 0.5, 0.1] {
                    let expected = expectation(&e, part * rate, rate);
                    assert!(expected <= 1.0 + SLACK, "{expected} at {n_c} {n_b} {base} {odds} {rate}");
                }
            }
        }
    }
}

/// Every way in which `n` answers may fall into five bands, fastest first.
fn falls(n: u64) -> Vec<[u64; 5]> {
    let mut all = Vec::new();
    for a in 0..=n {
        for b in 0..=n - a {
            for c in 0..=n - a - b {
                all.extend((0..=n - a - b - c).map(|d| [a, b, c, d, n - a - b - c - d]));
            }
        }
    }
    all
}

fn multinomial(counts: [u64; 5], chances: [f64; 5]) -> f64 {
    let mut left = counts.iter().sum();
    let each = counts.into_iter().zip(chances).map(|(count, chance)| {
        let ways = choose(left, count);
        left -= count;
        ways * pow(chance, count as f64)
    });
    each.product()
}

fn slow([a, b, c, d, e]: [u64; 5]) -> Slow {
    Slow::new(a + b + c + d + e, [b + c + d + e, c + d + e, d + e, e]).unwrap()
}

/// Each band gives this part of its answers to one `by` bands faster.
fn faster(chances: [f64; 5], parts: [f64; 5], by: usize) -> [f64; 5] {
    let mut faster = [0.0; 5];
    for (band, (chance, part)) in chances.into_iter().zip(parts).enumerate() {
        faster[band] += chance * (1.0 - part);
        faster[band.saturating_sub(by)] += chance * part;
    }
    faster
}

/// What a bucket's e-value is expected to be at most, over all alternatives.
fn of_bands(n_c: u64, n_b: u64, pairs: &[([f64; 5], [f64; 5])]) -> Vec<f64> {
    let (canaries, bases) = (falls(n_c), falls(n_b));
    let mut expected = vec![[0.0; grid::WIDTH]; pairs.len()];
    for (canary, base) in canaries.iter().flat_map(|canary| bases.iter().map(move |base| (*canary, *base))) {
        let e = bands::steps(Timed { canary: slow(canary), base: slow(base) }).unwrap().map(exp);
        for (sums, (of_canary, of_base)) in expected.iter_mut().zip(pairs) {
            let chance = multinomial(canary, *of_canary) * multinomial(base, *of_base);
            sums.iter_mut().zip(e).for_each(|(sum, e)| *sum += chance * e);
        }
    }
    expected.into_iter().map(|sums| sums.into_iter().fold(0.0, f64::max)).collect()
}

#[test]
fn bands_never_expect_more_than_one() {
    let bases = [
        [0.5, 0.4, 0.09, 0.009, 0.001],
        [0.2; 5],
        [0.1, 0.2, 0.3, 0.3, 0.1],
        [0.5, 0.0, 0.0, 0.0, 0.5],
        [0.0, 0.0, 0.0, 0.6, 0.4],
        [0.3, 0.5, 0.15, 0.04, 0.01],
    ];
    let mut pairs = Vec::new();
    for base in bases {
        pairs.push((base, base));
        for (parts, by) in [
            ([0.1; 5], 1),
            ([1.0; 5], 1),
            ([0.0, 0.0, 0.0, 0.5, 1.0], 3),
            ([0.0, 0.3, 0.0, 0.7, 0.0], 1),
            ([1.0; 5], 4),
        ] {
            pairs.push((faster(base, parts, by), base));
        }
    }
    for (n_c, n_b) in [(1, 1), (1, 6), (2, 3), (3, 4), (4, 2)] {
        for (expected, (canary, base)) in of_bands(n_c, n_b, &pairs).into_iter().zip(&pairs) {
            assert!(expected <= 1.0 + SLACK, "{expected} at {n_c} {n_b} {canary:?} {base:?}");
        }
    }
}

#[test]
fn bands_expect_more_than_one_of_a_slower_canary() {
    let base = [0.5, 0.4, 0.09, 0.009, 0.001];
    let pairs = [([0.3, 0.476, 0.188, 0.031, 0.005], base), ([0.5, 0.4, 0.08, 0.01, 0.01], base)];
    for expected in of_bands(2, 4, &pairs) {
        assert!(expected > 1.0 + 1e-4, "{expected}");
    }
}

/// The chances that the canary alone fails and that the base alone does, of pairs whose two answers depend on each other in every way
/// there is, from always together to never.
fn joint_chances() -> Vec<(f64, f64)> {
    let rates = [0.0, 0.001, 0.006, 0.02, 0.1, 0.3, 0.5, 0.75, 0.99, 1.0];
    let mut all = Vec::new();
    for (canary, base) in rates.into_iter().flat_map(|canary| rates.map(|base| (canary, base))) {
        let (fewest, most) = ((canary + base - 1.0_f64).max(0.0), canary.min(base));
        for part in [0.0, 0.25, 0.5, 1.0] {
            let both = fewest + part * (most - fewest);
            all.push(((canary - both).max(0.0), (base - both).max(0.0)));
        }
    }
    all
}

/// What the e-value can be expected to be at most after `left` more pairs, if somebody who wants it large chooses each pair's chances among
/// these by what was before, and stops when he likes. After every other pair the tests begin anew. What is expected is linear in the
/// chances, so where the corners of a null are among them it is the most of the whole null.
fn most_of_pairs(
    judge: &PairJudge,
    left: u32,
    chances: &[(f64, f64)],
    log_e: &impl Fn(&PairJudge) -> f64,
) -> f64 {
    let now = exp(log_e(judge));
    if left == 0 {
        return now;
    }
    let [canary, base, none] = [(1, 0), (0, 1), (0, 0)].map(|(canary_alone, base_alone)| {
        let mut next = judge.clone();
        next.observe(Pairs { pairs: 1, canary_alone, base_alone });
        if left.is_multiple_of(2) {
            next.restart();
        }
        most_of_pairs(&next, left - 1, chances, log_e)
    });
    let expected = |(c, b): &(f64, f64)| c * canary + b * base + (1.0 - c - b) * none;
    chances.iter().map(expected).fold(now, f64::max)
}

fn not_worse_by(margin: f64) -> impl Fn(&PairJudge) -> f64 {
    let thresholds = Thresholds { alpha_rollback: 0.001, alpha_promote: 0.01, margin };
    move |judge| judge.findings(&thresholds).log_e_not_worse
}

#[test]
fn pairs_never_expect_more_than_one_whoever_chooses_their_chances() {
    let all = joint_chances();
    let no_worse: Vec<_> = all.iter().copied().filter(|(canary, base)| canary <= base).collect();
    let most = most_of_pairs(&PairJudge::new(0.005), 6, &no_worse, &PairJudge::log_e_worse);
    assert!(most <= 1.0 + SLACK, "{most}");
    for margin in [0.001, 0.005, 0.1, 0.5, 0.9] {
        let beyond = |beyond: f64| ((1.0 + margin + beyond) / 2.0, (1.0 - margin - beyond) / 2.0);
        let at = [(margin, 0.0), beyond(0.0), beyond(0.05), (margin + 0.03, 0.03)];
        let worse: Vec<_> =
            all.iter().copied().filter(|(canary, base)| canary - base >= margin).chain(at).collect();
        let most = most_of_pairs(&PairJudge::new(margin), 6, &worse, &not_worse_by(margin));
        assert!(most <= 1.0 + SLACK, "{most} at {margin}");
    }
}

#[test]
fn pairs_expect_more_than_one_where_the_null_is_wrong() {
    let judge = PairJudge::new(0.1);
    let most = most_of_pairs(&judge, 4, &[(0.3, 0.2)], &PairJudge::log_e_worse);
    assert!(most > 1.0 + 1e-4, "{most}");
    let most = most_of_pairs(&judge, 4, &[(0.25, 0.2)], &not_worse_by(0.1));
    assert!(most > 1.0 + 1e-4, "{most}");
}

/// What the evidence can be expected to be at most after `left` more requests, if somebody who wants it large chooses each one's weight and
/// what comes of it by what was before, and stops when he likes. The canary has each with `off` times its weight. The chances are free, so a mixture
/// of the choices gives no more than the best of them.
fn most_of_draws(test: &BrokenTest, left: u32, weights: &[f64], off: f64) -> f64 {
    let now = exp(test.log_e());
    if left == 0 {
        return now;
    }
    let choices = weights.iter().flat_map(|weight| [(*weight, 0), (*weight, 1)]);
    let expected = choices.map(|(weight, failed)| {
        let [canary, base] = [(1, failed, 0, 0), (0, 0, 1, failed)].map(|(n_c, k_c, n_b, k_b)| {
            let mut next = *test;
            next.update(Bucket::new(n_c, k_c, n_b, k_b).unwrap(), weight);
            most_of_draws(&next, left - 1, weights, off)
        });
        let chance = off * weight;
        chance * canary + (1.0 - chance) * base
    });
    expected.fold(now, f64::max)
}

#[test]
fn draws_never_expect_more_than_one_whoever_chooses_what_comes_of_them() {
    for (requests, weights, offs) in [
        (5, &[0.02, 0.1, 0.5][..], &[0.01, 0.3, 1.0, 1.3, 2.0][..]),
        (6, &[0.001, 0.9][..], &[0.1, 1.0, 1.0 / 0.9][..]),
    ] {
        for off in offs {
            let most = most_of_draws(&BrokenTest::default(), requests, weights, *off);
            assert!(most <= 1.0 + SLACK, "{most} at {weights:?} {off}");
        }
    }
}

/// The same for many requests with one weight: then the evidence depends on four counts alone, and what can still be reached from
/// each is found from the end.
fn most_of_many_draws(requests: usize, weight: f64, off: f64) -> f64 {
    let chance = off * weight;
    let log_e = |[s_c, k_c, s_b, k_b]: [usize; 4]| {
        let [n_c, k_c, n_b, k_b] = [s_c + k_c, k_c, s_b + k_b, k_b].map(|count| count as u64);
        let mut test = BrokenTest::default();
        test.update(Bucket::new(n_c, k_c, n_b, k_b).unwrap(), weight);
        exp(test.log_e())
    };
    let splits = |all: usize| {
        (0..=all).flat_map(move |a| {
            (0..=all - a).flat_map(move |b| (0..=all - a - b).map(move |c| [a, b, c, all - a - b - c]))
        })
    };
    let mut later: std::collections::HashMap<[usize; 4], f64> = std::collections::HashMap::new();
    for all in (0..=requests).rev() {
        let most = |counts: [usize; 4]| {
            let with = |at: usize| {
                let mut next = counts;
                next[at] += 1;
                later.get(&next).copied().unwrap_or(0.0)
            };
            let [answered, failed] =
                [(0, 2), (1, 3)].map(|(canary, base)| chance * with(canary) + (1.0 - chance) * with(base));
            log_e(counts).max(answered).max(failed)
        };
        later = splits(all).map(|counts| (counts, most(counts))).collect();
    }
    later[&[0; 4]]
}

#[test]
fn many_draws_never_expect_more_than_one() {
    for (weight, off) in
        [(0.02, 1.0), (0.02, 5.0), (0.1, 0.2), (0.1, 1.0), (0.1, 3.0), (0.5, 0.1), (0.5, 1.0), (0.5, 2.0)]
    {
        let most = most_of_many_draws(24, weight, off);
        assert!(most <= 1.0 + SLACK, "{most} at {weight} {off}");
    }
}

#[test]
fn draws_expect_more_than_one_of_a_canary_that_is_broken_altogether() {
    // The canary fails always, the base never: an answered request was the base's, a failed one the canary's.
    let mut expected = 0.0;
    for canary in 0..=40_u64 {
        let mut test = BrokenTest::default();
        test.update(Bucket::new(canary, canary, 40 - canary, 0).unwrap(), 0.1);
        expected += binomial(40, 0.1)[canary as usize] * exp(test.log_e());
    }
    assert!(expected > 1_000.0, "{expected}");
}
