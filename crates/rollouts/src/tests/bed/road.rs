//! Traffic that follows the live weights.

use std::collections::BTreeMap;

use pitbird_names::Percent;
use pitbird_records::rollout::CanaryUse;
use pitbird_snapshot::FunctionKey;
use pitbird_store::Store;
use pitbird_telemetry::tally::{Drawn, Request, Slot};

use super::super::aws::recording::Tape;
use crate::{Counts, LiveTarget};

/// Requests per second and the shares of them that fail, by arm; whole requests come when enough has gathered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    pub per_second: f64,
    pub base_failures: f64,
    pub canary_failures: f64,
}

/// How long requests take, and a route that one request in ten takes and that is dead on the canary.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub base_ms: f64,
    pub canary_ms: f64,
    pub is_route_dead: bool,
}

/// Clients who keep their arm, and come once a second each. The first is on the canary as soon as anybody is.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    pub clients: u64,
    /// Does this client's request fail, on the canary or not, in this second since the beginning?
    pub fails: fn(u64, bool, u64) -> bool,
}

/// A client's request that the tally wasn't told of yet.
struct Came {
    client: u64,
    is_canary: bool,
    is_failure: bool,
    percent: Percent,
}

#[derive(Default)]
pub struct Road {
    pub crowd: Option<Crowd>,
    came: Vec<Came>,
    pub traffic: Traffic,
    pub pace: Option<Pace>,
    /// Requests that the tally was told of, by arm.
    told: [u64; 2],
    at_ms: u64,
    /// Base requests, base failures, canary requests, canary failures.
    passed: [f64; 4],
    /// Requests that somebody sent to the canary: no evidence.
    pub forced: u64,
    /// A recording that is played instead.
    pub tape: Option<Tape>,
}

/// What goes to the stage or the first function, and what goes to others.
pub struct Roads {
    pub main: Road,
    others: BTreeMap<String, Road>,
}

impl Roads {
    pub fn new(at_ms: u64) -> Roads {
        Roads { main: Road { at_ms, ..Road::default() }, others: BTreeMap::new() }
    }

    pub fn open(&mut self, function: &str, at_ms: u64, traffic: Traffic, pace: Option<Pace>) {
        let road = Road { traffic, pace, at_ms, ..Road::default() };
        self.others.insert(function.to_owned(), road);
    }

    pub fn named(&mut self, function: &str) -> Option<&mut Road> {
        self.others.get_mut(function)
    }

    pub fn of(&mut self, target: &LiveTarget) -> &mut Road {
        let function = match target {
            LiveTarget::LambdaAlias { function, .. } => function.as_str(),
            LiveTarget::RestStage { .. } => "",
        };
        self.others.get_mut(function).unwrap_or(&mut self.main)
    }
}

impl Road {
    /// Lets the traffic since the last call pass, `share` of it through the canary.
    pub fn counts(&mut self, now_ms: u64, share: f64) -> Counts {
        if let Some(crowd) = self.crowd {
            self.come(crowd, now_ms, share);
        }
        let Traffic { per_second, base_failures, canary_failures } = self.traffic;
        let requests = (now_ms - self.at_ms) as f64 / 1e3 * per_second;
        self.at_ms = now_ms;
        let (base, canary) = (requests * (1.0 - share), requests * share);
        let more = [base, base * base_failures, canary, canary * canary_failures];
        for (passed, more) in self.passed.iter_mut().zip(more) {
            *passed += more;
        }
        let [base, base_failures, canary, canary_failures] = self.passed.map(|passed| (passed + 1e-6) as u64);
        let arm = |requests, failures| crate::ArmCounts { requests, failures };
        // A function of 512 MiB for 20 ms behind each request.
        let canary_use = CanaryUse {
            requests: canary + self.forced,
            requests_uncharged: 0,
            bytes_out: canary * 100,
            function_requests: canary,
            mib_ms: canary * 512 * 20,
            provisioned_mib_ms: 0,
        };
        Counts { base: arm(base, base_failures), canary: arm(canary, canary_failures), canary_use }
    }

    fn come(&mut self, Crowd { clients, fails }: Crowd, now_ms: u64, share: f64) {
        let percent = Percent::new(share * 100.0).expect("a share");
        for second in self.at_ms / 1_000..now_ms / 1_000 {
            for client in 0..clients {
                let is_canary = (client as f64 * 0.618_033_988_749_895 + 0.003).fract() < share;
                let is_failure = fails(client, is_canary, second - super::BEGAN_MS / 1_000);
                let place = if is_canary { 2 } else { 0 };
                self.passed[place] += 1.0;
                self.passed[place + 1] += if is_failure { 1.0 } else { 0.0 };
                self.came.push(Came { client, is_canary, is_failure, percent });
            }
        }
    }

    /// Tells the tally of the requests that are new in the counts. A quarter of an arm's take less than 0.76 times its
    /// usual time, three quarters less than 1.32 times that, and one in a hundred more than 3.15 times.
    pub fn tell(&mut self, counts: Counts, slot: &Slot, numbers: [u64; 2]) {
        for Came { client, is_canary, is_failure, percent } in self.came.drain(..) {
            slot.record(|| Request {
                arm: numbers[usize::from(is_canary)],
                route: Some(("GET", "/pets")),
                latency_us: 20_000,
                is_cold: false,
                is_failure,
                client: Some(1),
                environment: Some(client),
                drawn: Some(Drawn { percent, user: Some(client) }),
            });
        }
        let arms = [counts.base.requests, counts.canary.requests];
        let Some(pace) = self.pace else {
            self.told = arms;
            return;
        };
        for (at, requests) in arms.into_iter().enumerate() {
            let usual_us = 1e3 * if at == 1 { pace.canary_ms } else { pace.base_ms };
            for number in self.told[at]..requests {
                // The golden ratio's multiples are spread evenly.
                let draw = (number as f64 * 0.618_033_988_749_895 + 0.003).fract();
                let is_dead = number % 10 == 9;
                slot.record(|| Request {
                    arm: numbers[at],
                    route: Some(("GET", if is_dead { "/dead" } else { "/pets" })),
                    latency_us: (usual_us * (draw / (1.0 - draw)).powf(0.25)) as u64,
                    is_cold: at == 1 && number == 0,
                    is_failure: at == 1 && is_dead && pace.is_route_dead,
                    client: Some(number),
                    environment: Some(number),
                    drawn: None,
                });
            }
        }
        self.told = arms;
    }
}

/// The share of the requests that the live snapshot gives to the canary.
pub fn share(store: &Store, target: &LiveTarget) -> f64 {
    let snapshot = store.snapshot();
    match target {
        LiveTarget::RestStage { api_id, stage, .. } => {
            snapshot.stage(api_id, stage).map_or(0.0, |stage| stage.canary_percent() / 100.0)
        }
        LiveTarget::LambdaAlias { scope, function, alias, canary, .. } => {
            let function = FunctionKey { scope: scope.clone(), name: function.clone() };
            let alias = snapshot.function(&function).and_then(|function| function.aliases.get(alias));
            match alias.map(|alias| (&alias.version, &alias.additional)) {
                Some((version, _)) if version.record.version == *canary => 1.0,
                Some((_, Some((version, weight)))) if version.record.version == *canary => weight.get(),
                _ => 0.0,
            }
        }
    }
}
