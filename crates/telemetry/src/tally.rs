//! Counting what is on trial, on the data plane: by arm, by route, by how long requests took.
//!
//! A rollout has a [`Tally`] watch the [`Slot`] of what it tries, or of each of them; as long as nobody watches a request pays for one
//! look at an empty pointer. With one it pays for two or three additions to atomic numbers, one
//! more where all requests have limits, and takes no lock. Where clients keep their arm, a failure pays for finding out whether
//! it is its client's first; a request that succeeds pays nothing for that. Requests that both arms answer are counted by [`Pair`]s, where somebody
//! wants them.
//!
//! At first a tally learns how long the base takes: a histogram for all requests, and one for each route. Then somebody
//! freezes thresholds, and requests are counted by the band between two thresholds that they fall into. A request is
//! one addition, so whatever is read agrees with itself: slow requests are never more than requests.

mod ceilings;
mod few;
mod firsts;
mod history;
mod pairs;
mod slot;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
pub use ceilings::Beyond;
use ceilings::Ceilings;
use few::Few;
use firsts::Firsts;
pub use firsts::{Drawn, FIRSTS_MAX, Failed, FirstFailures};
pub use history::History;
use pairs::Pairs;
pub use pairs::{Pair, Paired};
use pitbird_names::Percent;
pub use slot::{Slot, Slots, Subject, Watch};

/// Thresholds of latency.
pub const THRESHOLDS: usize = 4;
/// Routes that one tally tells apart at most.
pub const ROUTES_MAX: usize = 50;
/// Limits on the latency of all requests at most, that hold whatever the base does.
pub const CEILINGS_MAX: usize = 4;
/// The arms' numbers where the subject is a stage; under an alias they are the versions'.
pub const STAGE_BASE: u64 = 0;
pub const STAGE_CANARY: u64 = 1;
/// Steps of the histograms per octave, as a power of two: of all requests, and of one route.
const FINE_BITS: u32 = 5;
const COARSE_BITS: u32 = 3;
/// A request began an environment, or fell into one of the bands between thresholds; and it failed or didn't.
const CLASSES: usize = (THRESHOLDS + 2) * 2;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spec {
    /// `GET /pets/{id}`, `ANY /pets` for all verbs that aren't named themselves; those beyond [`ROUTES_MAX`] are left
    /// out.
    pub routes: Vec<String>,
    /// Whether somebody will ask how long the base takes: then it is learnt until thresholds are frozen.
    pub is_timed: bool,
    /// Latencies, microseconds, above which warm requests are counted for themselves; those beyond [`CEILINGS_MAX`] are
    /// left out.
    pub ceilings_us: Vec<u64>,
    /// Whether clients keep their arm, so that first failures are counted.
    pub is_by_user: bool,
    /// Whether requests that both arms answer are counted.
    pub has_pairs: bool,
}

/// One request that is over.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub arm: u64,
    /// Verb and path template, where there is one.
    pub route: Option<(&'a str, &'a str)>,
    pub latency_us: u64,
    /// It began an environment: what it took says nothing about the code.
    pub is_cold: bool,
    pub is_failure: bool,
    /// Numbers that tell callers and environments apart, where that is known.
    pub client: Option<u64>,
    pub environment: Option<u64>,
    /// How its arm was drawn, where that is known.
    pub drawn: Option<Drawn>,
}

/// Above which latencies requests are slow, microseconds, rising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    pub base: [u64; THRESHOLDS],
    pub canary: [u64; THRESHOLDS],
}

/// Counts of what one rollout tries.
#[derive(Debug)]
pub struct Tally {
    all: Cell,
    ceilings: Ceilings,
    routes: Box<[Cell]>,
    /// Verbs and numbers of routes, by path.
    places: HashMap<Box<str>, Vec<(Box<str>, usize)>>,
    /// Of all requests, then of each route.
    limits: OnceLock<Box<[Limits]>>,
    clients: Few,
    environments: Few,
    firsts: ArcSwapOption<Firsts>,
    pairs: Option<Box<Pairs>>,
}

/// One sort of requests.
#[derive(Debug)]
struct Cell {
    base: [AtomicU64; CLASSES],
    canary: [AtomicU64; CLASSES],
    /// Let go of once thresholds are frozen.
    history: ArcSwapOption<History>,
}

/// What was counted so far. Numbers only grow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    pub all: Arms,
    /// In the order of [`Spec::routes`].
    pub routes: Vec<Arms>,
    pub beyond: Beyond,
    /// Distinct clients and environments of the canary's failures, at most eight; `None` where one wasn't known, or
    /// nothing has failed.
    pub failing_clients: Option<u32>,
    pub failing_environments: Option<u32>,
    /// `None` unless the [`Spec`] asks for it.
    pub firsts: Option<FirstFailures>,
    /// Requests that both arms answered; none unless the [`Spec`] asks for them.
    pub pairs: Paired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arms {
    pub base: Classes,
    pub canary: Classes,
}

/// Requests of one arm by what they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes([u64; CLASSES]);

impl Tally {
    pub fn new(mut spec: Spec) -> Tally {
        spec.routes.truncate(ROUTES_MAX);
        let mut places: HashMap<Box<str>, Vec<(Box<str>, usize)>> = HashMap::new();
        for (number, route) in spec.routes.iter().enumerate() {
            let (verb, path) = route.split_once(' ').unwrap_or(("ANY", route));
            places.entry(path.into()).or_default().push((verb.into(), number));
        }
        places.values_mut().for_each(Vec::shrink_to_fit);
        let cell = |bits| Cell::new(spec.is_timed.then(|| History::new(bits)));
        let routes = spec.routes.iter().map(|_| cell(COARSE_BITS)).collect();
        let (clients, environments) = (Few::default(), Few::default());
        let (all, limits) = (cell(FINE_BITS), OnceLock::new());
        let ceilings = Ceilings::new(&spec.ceilings_us);
        let firsts = spec.is_by_user.then(|| Arc::new(Firsts::new(spec.routes.len())));
        let firsts = ArcSwapOption::new(firsts);
        let pairs = spec.has_pairs.then(Box::default);
        Tally { all, ceilings, routes, places, limits, clients, environments, firsts, pairs }
    }

    fn record(&self, request: &Request<'_>, is_canary: bool, route: Option<usize>) {
        let limits = self.limits.get();
        self.all.record(request, is_canary, limits.map(|limits| &limits[0]));
        self.ceilings.record(request, is_canary);
        if let Some((number, cell)) = route.and_then(|route| Some((route, self.routes.get(route)?))) {
            cell.record(request, is_canary, limits.map(|limits| &limits[number + 1]));
        }
        if request.is_failure {
            self.record_failure(request, is_canary, route);
        }
    }

    fn record_failure(&self, request: &Request<'_>, is_canary: bool, route: Option<usize>) {
        let firsts = self.firsts.load();
        let drawn = request.drawn.filter(|_| firsts.is_some());
        if is_canary {
            // Who keeps an arm is a client, wherever he comes from.
            self.clients.add(drawn.and_then(|drawn| drawn.user).or(request.client));
            self.environments.add(request.environment);
        }
        if let (Some(firsts), Some(drawn)) = (&*firsts, drawn) {
            firsts.record(drawn, is_canary, route);
        }
    }

    /// From now on the canary's share is this, and first failures of requests that are drawn under it are counted, from 0.
    pub fn weigh(&self, percent: Percent) {
        if let Some(firsts) = self.firsts.load_full().filter(|firsts| !firsts.is_weighed(percent)) {
            self.firsts.store(Some(Arc::new(firsts.weighed(percent))));
        }
    }

    /// Forgets who has failed: who fails from now on fails for the first time, and is counted from 0.
    pub fn forget(&self) {
        if let Some(firsts) = self.firsts.load_full() {
            self.firsts.store(Some(Arc::new(firsts.forgotten())));
        }
    }

    fn route(&self, request: &Request<'_>) -> Option<usize> {
        let (verb, path) = request.route.filter(|_| !self.places.is_empty())?;
        let verbs = self.places.get(path)?;
        let of = |wanted: &str| verbs.iter().find(|(verb, _)| **verb == *wanted).map(|(_, number)| *number);
        of(verb).or_else(|| of("ANY"))
    }

    /// How long warm requests of the base took until now: all of them, or those of a route. None once thresholds are frozen.
    pub fn history(&self, route: Option<usize>) -> Option<Arc<History>> {
        match route {
            None => self.all.history.load_full(),
            Some(route) => self.routes.get(route)?.history.load_full(),
        }
    }

    /// From now on requests are counted by these thresholds; `false` where there are some already, or there isn't one
    /// for each route.
    pub fn freeze(&self, all: Limits, routes: Vec<Limits>) -> bool {
        let is_whole = routes.len() == self.routes.len();
        let is_new = is_whole && self.limits.set(std::iter::once(all).chain(routes).collect()).is_ok();
        if is_new {
            self.routes.iter().chain([&self.all]).for_each(|cell| cell.history.store(None));
        }
        is_new
    }

    pub fn is_frozen(&self) -> bool {
        self.limits.get().is_some()
    }

    /// The frozen thresholds: of all requests, then of each route.
    pub fn limits(&self) -> Option<&[Limits]> {
        self.limits.get().map(|limits| &**limits)
    }

    pub fn read(&self) -> Counted {
        Counted {
            all: self.all.read(),
            routes: self.routes.iter().map(Cell::read).collect(),
            beyond: self.ceilings.read(),
            failing_clients: self.clients.count(),
            failing_environments: self.environments.count(),
            firsts: self.firsts.load().as_ref().map(|firsts| firsts.read()),
            pairs: self.pairs.as_ref().map(|pairs| pairs.read()).unwrap_or_default(),
        }
    }
}

impl Cell {
    fn new(history: Option<History>) -> Cell {
        let history = ArcSwapOption::new(history.map(Arc::new));
        Cell { base: Default::default(), canary: Default::default(), history }
    }

    fn record(&self, request: &Request<'_>, is_canary: bool, limits: Option<&Limits>) {
        let band = match limits {
            _ if request.is_cold => 0,
            Some(limits) => {
                let limits = if is_canary { &limits.canary } else { &limits.base };
                1 + limits.iter().filter(|limit| request.latency_us > **limit).count()
            }
            None => {
                if let Some(history) = self.history.load().as_ref().filter(|_| !is_canary) {
                    history.add(request.latency_us);
                }
                1
            }
        };
        let classes = if is_canary { &self.canary } else { &self.base };
        classes[band * 2 + usize::from(request.is_failure)].fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Arms {
        let of = |classes: &[AtomicU64; CLASSES]| {
            Classes(classes.each_ref().map(|count| count.load(Ordering::Relaxed)))
        };
        Arms { base: of(&self.base), canary: of(&self.canary) }
    }
}

impl Arms {
    #[must_use]
    pub fn since(self, told: Arms) -> Arms {
        Arms { base: self.base.since(told.base), canary: self.canary.since(told.canary) }
    }

    pub fn is_empty(self) -> bool {
        self == Arms::default()
    }
}

impl Classes {
    #[must_use]
    pub fn since(self, told: Classes) -> Classes {
        let mut news = self.0;
        news.iter_mut().zip(told.0).for_each(|(now, told)| *now = now.saturating_sub(told));
        Classes(news)
    }

    pub fn requests(self) -> u64 {
        self.0.iter().sum()
    }

    pub fn failures(self) -> u64 {
        self.0.iter().skip(1).step_by(2).sum()
    }

    /// Those that began an environment.
    pub fn cold(self) -> u64 {
        self.0[0] + self.0[1]
    }

    pub fn warm(self) -> u64 {
        self.requests() - self.cold()
    }

    /// Warm requests above each threshold.
    pub fn above(self) -> [u64; THRESHOLDS] {
        std::array::from_fn(|at| self.0[(at + 2) * 2..].iter().sum())
    }
}

#[cfg(test)]
mod tests;
