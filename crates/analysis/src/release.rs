//! A release as a whole: errors, latency and routes read as one.
//!
//! For the rollback the e-values are averaged with weights that are fixed beforehand, which is valid however the
//! metrics depend on each other. For the promotion every metric must have passed alone, which needs no correction. Where there are pairs the
//! error rate passes by them or by the traffic, each at its own part of the level.
//! Which metric and route it was is asked afterwards and answered with e-BH: among those named, the expected share of
//! innocent ones is at most the level.

use serde::Serialize;

use crate::latency::{COUNT, LatencyMargins, QUANTILES};
use crate::log_space::{combine, threshold};
use crate::routes::Metric;
use crate::{ErrorJudge, Findings, Judgement, LatencyJudge, PairJudge, RouteJudge, Thresholds, Verdict};

/// The tests of a release. Which of them there are is decided before the rollout.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    pub errors: &'a ErrorJudge,
    pub latency: Option<(&'a LatencyJudge, LatencyMargins)>,
    pub routes: Option<&'a RouteJudge>,
    /// They bear on the error rate alone. Latency is the traffic's to show.
    pub pairs: Option<&'a PairJudge>,
}

/// What pairs have of the evidence against the canary.
pub const PAIRS_PART: f64 = 0.25;

/// Something that is worse on the canary, found by e-BH.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Culprit {
    /// Counted from 0; `None` for all routes together.
    pub route: Option<usize>,
    pub metric: Metric,
    /// The evidence against it, a natural logarithm.
    pub log_e: f64,
}

impl Release<'_> {
    /// The evidence that the canary is worse in anything: half errors, half latency; of each, half all requests
    /// together and half spread over the routes. What is not judged leaves its weight to the rest. Pairs have a quarter of the whole.
    pub fn log_e_worse(&self) -> f64 {
        self.with_pairs(self.log_e_of_traffic())
    }

    fn with_pairs(&self, log_e: f64) -> f64 {
        match self.pairs {
            Some(pairs) => combine(&[(1.0 - PAIRS_PART, log_e), (PAIRS_PART, pairs.log_e_worse())]),
            None => log_e,
        }
    }

    fn log_e_of_traffic(&self) -> f64 {
        let errors = self.errors.log_e_worse();
        let routes = self.routes.map(RouteJudge::log_e_errors);
        let errors = halves(errors, routes);
        match self.latency {
            None => errors,
            Some((latency, _)) => {
                let routes = self.routes.map(RouteJudge::log_e_slower);
                halves(errors, Some(halves(latency.log_e_slower(), routes)))
            }
        }
    }

    /// What the evidence says, without the intervals that only reports need.
    pub fn findings(&self, thresholds: &Thresholds) -> Findings {
        let latency = self.latency.map(|(judge, margins)| judge.judge(thresholds, margins));
        let mut found = self.of_errors(thresholds);
        found.log_e_worse = self.log_e_worse();
        let not_slower = latency.is_none_or(|latency| {
            let margins = self.latency.map(|(_, margins)| margins).unwrap_or_default();
            latency.body_upper <= margins.body && latency.tail_upper <= margins.tail
        });
        found.verdict = if found.log_e_worse >= found.threshold_worse {
            Verdict::Worse
        } else if found.harm_upper <= thresholds.margin && not_slower {
            Verdict::NotWorse
        } else {
            Verdict::Unknown
        };
        found.latency = latency;
        found
    }

    /// The error rate, by the traffic and, where there are any, by pairs. Either may pass it, so each has its own part of the level. The
    /// evidence that is told is the one that is nearer to its threshold, as if that were the pairs'.
    fn of_errors(&self, thresholds: &Thresholds) -> Findings {
        let Some(pairs) = self.pairs else { return self.errors.findings(thresholds) };
        let (of_pairs, of_traffic) = (pairs.level_part(), 1.0 - pairs.level_part());
        let at = |part| Thresholds { alpha_promote: thresholds.alpha_promote * part, ..*thresholds };
        let (mut found, pairs) = (self.errors.findings(&at(of_traffic)), pairs.findings(&at(of_pairs)));
        found.harm_upper = found.harm_upper.min(pairs.harm_upper);
        let traffic = found.log_e_not_worse + libm::log(of_traffic / of_pairs);
        found.log_e_not_worse = traffic.max(pairs.log_e_not_worse);
        found.threshold_not_worse = threshold(at(of_pairs).alpha_promote);
        found.pairs = Some(pairs);
        found
    }

    /// The same with intervals.
    pub fn judge(&self, thresholds: &Thresholds) -> Judgement {
        self.errors.report(self.findings(thresholds))
    }

    /// What is worse, strongest evidence first: of `m` questions the `k` strongest e-values, where the weakest of them
    /// still reaches `m/(k alpha)`.
    pub fn culprits(&self, alpha: f64) -> Vec<Culprit> {
        let errors = self.with_pairs(self.errors.log_e_worse());
        let mut asked = vec![Culprit { route: None, metric: Metric::Errors, log_e: errors }];
        if let Some((latency, _)) = self.latency {
            let at = latency.log_e_at().into_iter().enumerate();
            asked.extend(at.map(|(at, log_e)| Culprit { route: None, metric: Metric::Slow(at), log_e }));
        }
        if let Some(routes) = self.routes {
            let each = (0..routes.routes()).flat_map(|route| Metric::ALL.map(|metric| (route, metric)));
            asked.extend(each.filter_map(|(route, metric)| {
                let log_e = routes.log_e_of(route, metric)?;
                Some(Culprit { route: Some(route), metric, log_e })
            }));
        }
        asked.sort_by(|a, b| b.log_e.total_cmp(&a.log_e));
        let all = asked.len() as f64;
        let reaches = |k: usize| asked[k - 1].log_e >= threshold(alpha) + libm::log(all / k as f64);
        let named = (1..=asked.len()).rev().find(|k| reaches(*k)).unwrap_or(0);
        asked.truncate(named);
        asked
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Metric::Errors => f.write_str("errors"),
            Metric::ColdStarts => f.write_str("cold starts"),
            Metric::Slow(at) if *at < COUNT => {
                write!(f, "latency above the base's p{}", QUANTILES[*at] * 100.0)
            }
            Metric::Slow(_) => f.write_str("latency"),
        }
    }
}

fn halves(one: f64, other: Option<f64>) -> f64 {
    match other {
        Some(other) => combine(&[(0.5, one), (0.5, other)]),
        None => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arm, Bucket, Pairs, RouteBucket, Slow, Timed};

    const THRESHOLDS: Thresholds = Thresholds { alpha_rollback: 0.001, alpha_promote: 0.01, margin: 0.005 };

    fn timed(canary: [u64; 4]) -> Timed {
        Timed { canary: Slow::new(100, canary).unwrap(), base: Slow::new(900, [450, 90, 9, 1]).unwrap() }
    }

    struct Judges {
        errors: ErrorJudge,
        latency: LatencyJudge,
        routes: RouteJudge,
    }

    impl Judges {
        fn new() -> Judges {
            Judges {
                errors: ErrorJudge::new(Arm::default(), 0.005),
                latency: LatencyJudge::new(LatencyMargins::default()),
                routes: RouteJudge::new(2).unwrap(),
            }
        }

        fn all(&self) -> Release<'_> {
            let latency = Some((&self.latency, LatencyMargins::default()));
            Release { errors: &self.errors, latency, routes: Some(&self.routes), pairs: None }
        }
    }

    #[test]
    fn a_slow_canary_without_errors_is_worse() {
        let mut judges = Judges::new();
        for _ in 0..5 {
            judges.errors.observe(Bucket::new(100, 0, 900, 0).unwrap(), 0.1);
            judges.latency.observe(timed([78, 25, 3, 0]));
        }
        assert_eq!(judges.all().findings(&THRESHOLDS).verdict, Verdict::Worse);
        let culprits = judges.all().culprits(0.05);
        assert_eq!((culprits[0].route, culprits[0].metric), (None, Metric::Slow(0)));
        assert!(culprits.iter().all(|culprit| culprit.metric != Metric::Errors));
    }

    #[test]
    fn latency_that_nobody_measured_promotes_nobody() {
        let mut judges = Judges::new();
        for _ in 0..100 {
            judges.errors.observe(Bucket::new(100, 0, 900, 0).unwrap(), 0.1);
        }
        let blind = judges.all();
        assert_eq!(blind.findings(&THRESHOLDS).verdict, Verdict::Unknown);
        assert_eq!(Release { latency: None, ..blind }.findings(&THRESHOLDS).verdict, Verdict::NotWorse);
    }

    #[test]
    fn a_broken_route_is_worse_and_named() {
        let mut judges = Judges::new();
        for _ in 0..9 {
            judges.errors.observe(Bucket::new(100, 2, 900, 9).unwrap(), 0.1);
            let errors = Bucket::new(1, 1, 9, 0).unwrap();
            judges.routes.observe(1, RouteBucket { errors, ..RouteBucket::default() }, None, 0.1);
        }
        assert_eq!(judges.all().findings(&THRESHOLDS).verdict, Verdict::Worse);
        let culprits = judges.all().culprits(0.05);
        let names: Vec<_> = culprits.iter().map(|culprit| (culprit.route, culprit.metric)).collect();
        assert_eq!(names, [(Some(1), Metric::Errors)]);
    }

    #[test]
    fn one_metric_alone_is_the_whole_evidence() {
        let mut judges = Judges::new();
        judges.errors.observe(Bucket::new(10, 2, 90, 0).unwrap(), 0.1);
        let alone = Release { errors: &judges.errors, latency: None, routes: None, pairs: None };
        assert_eq!(alone.log_e_worse(), judges.errors.log_e_worse());
        assert!(judges.all().log_e_worse() < alone.log_e_worse());
    }
    fn by_pairs<'a>(judges: &'a Judges, pairs: &'a PairJudge) -> Release<'a> {
        Release { errors: &judges.errors, latency: None, routes: None, pairs: Some(pairs) }
    }

    #[test]
    fn pairs_alone_call_it_worse_or_not_worse() {
        let judges = Judges::new();
        let mut pairs = PairJudge::new(0.005);
        assert_eq!(by_pairs(&judges, &pairs).findings(&THRESHOLDS).verdict, Verdict::Unknown);
        pairs.observe(Pairs { pairs: 16, canary_alone: 16, base_alone: 0 });
        let broken = by_pairs(&judges, &pairs);
        assert_eq!(broken.findings(&THRESHOLDS).verdict, Verdict::Worse);
        let culprits = broken.culprits(0.05);
        assert_eq!((culprits[0].route, culprits[0].metric, culprits.len()), (None, Metric::Errors, 1));

        let mut pairs = PairJudge::new(0.005);
        pairs.observe(Pairs { pairs: 2_000, canary_alone: 1, base_alone: 1 });
        let good = by_pairs(&judges, &pairs).findings(&THRESHOLDS);
        assert_eq!((good.verdict, good.pairs.unwrap().seen.pairs), (Verdict::NotWorse, 2_000));
        let all = Release { pairs: Some(&pairs), ..judges.all() };
        assert_eq!(all.findings(&THRESHOLDS).verdict, Verdict::Unknown, "latency is the traffic's to show");
    }

    #[test]
    fn pairs_have_a_quarter_of_what_convicts_and_most_of_the_level_that_promotes() {
        let mut judges = Judges::new();
        judges.errors.observe(Bucket::new(10, 2, 90, 0).unwrap(), 0.1);
        let pairs = PairJudge::new(0.005);
        let alone = Release { pairs: None, ..by_pairs(&judges, &pairs) };
        let (without, with) = (alone.findings(&THRESHOLDS), by_pairs(&judges, &pairs).findings(&THRESHOLDS));
        // Pairs that nobody has seen have an e-value of 1.
        let expected = 0.75 * libm::exp(without.log_e_worse) + 0.25;
        assert!((with.log_e_worse - libm::log(expected)).abs() < 1e-12);
        assert_eq!(without.threshold_not_worse, threshold(0.01));
        assert_eq!(with.threshold_not_worse, threshold(0.008));
        assert_eq!((without.pairs, with.threshold_worse), (None, without.threshold_worse));
    }
}
