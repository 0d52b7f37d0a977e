//! Recordings: what a release's traffic did, minute by minute, and how a data plane and CloudWatch tell of it.

use std::ops::Range;

use pitbird_analysis::Bucket;
use pitbird_aws::minutes::{MINUTE_MS, SPREAD_MS};
use pitbird_rollout::AlarmState;
use pitbird_simulation::model::{Model, World};
use pitbird_telemetry::tally::{Request, Slot};
use serde_json::Value as Json;

use crate::{ArmCounts, Counts};

/// What happens, counted in minutes from the start of the rollout.
#[derive(Debug, Clone)]
pub struct Recording {
    pub name: String,
    pub model: Model,
    pub run: u64,
    /// Members of StartRollout beside target and canary.
    pub order: Json,
    /// When it is started: so many milliseconds after a minute has begun.
    pub into_minute_ms: u64,
    /// Minutes of traffic before.
    pub history: u64,
    /// No request comes from this minute on.
    pub silent_from: u64,
    /// All of the canary's failures come from one environment, and a data plane knows.
    pub is_one_source: bool,
    /// Nobody can read the counts.
    pub blind: Range<u64>,
    /// What the function `pets` says when it is asked as a hook.
    pub says: &'static str,
    /// The state of the alarm `errors` from each minute on; none: nobody knows of it.
    pub alarm: Vec<(u64, Option<AlarmState>)>,
}

/// A minute that is over.
#[derive(Debug, Clone, Copy)]
pub struct Minute {
    pub start_ms: u64,
    pub seen: Bucket,
    /// The weight may have changed in it.
    pub is_mixed: bool,
}

/// A recording as it is played: traffic is drawn under the weight that the target has.
pub struct Tape {
    recording: &'static Recording,
    world: World<'static>,
    began_ms: u64,
    next_ms: u64,
    pub minutes: Vec<Minute>,
    /// Requests and failures of base and canary that a tally was told of.
    told: [(u64, u64); 2],
    /// It is one function of several: the tally is told of all that came.
    is_apart: bool,
    /// Since when the canary has which share, 0 to 1.
    shifts: Vec<(u64, f64)>,
}

impl Tape {
    /// `began_ms` is when the rollout starts.
    pub fn new(recording: &'static Recording, began_ms: u64) -> Tape {
        let first_ms = began_ms / MINUTE_MS * MINUTE_MS;
        Tape {
            recording,
            world: World::new(&recording.model, 20_261_129, recording.run),
            began_ms: first_ms,
            next_ms: first_ms - recording.history * MINUTE_MS,
            minutes: Vec::new(),
            told: [(0, 0); 2],
            is_apart: false,
            shifts: vec![(0, 0.0)],
        }
    }

    /// It is one function of several, if it is.
    pub fn apart(self, is_apart: bool) -> Tape {
        Tape { is_apart, ..self }
    }

    /// Plays all minutes that are over.
    pub fn play(&mut self, now_ms: u64) {
        while self.next_ms + MINUTE_MS <= now_ms {
            let (start_ms, end_ms) = (self.next_ms, self.next_ms + MINUTE_MS);
            let at_s = start_ms.saturating_sub(self.began_ms) as f64 / 1e3;
            let share = self
                .shifts
                .iter()
                .rev()
                .find(|(at_ms, _)| *at_ms <= start_ms)
                .map_or(0.0, |(_, share)| *share);
            let seen = self.world.pass(at_s, 60.0, share);
            let is_silent = self.minute(start_ms) >= self.recording.silent_from;
            let buckets = seen.buckets.into_iter().filter(|_| !is_silent);
            let seen = buckets.fold(Bucket::default(), |sum, (_, bucket)| sum.plus(bucket));
            let is_near = |at_ms: u64| at_ms < end_ms + SPREAD_MS && start_ms < at_ms + SPREAD_MS;
            let is_mixed = self.shifts.iter().any(|(at_ms, _)| is_near(*at_ms));
            self.minutes.push(Minute { start_ms, seen, is_mixed });
            self.next_ms = end_ms;
        }
    }

    /// The canary's share is this from now on.
    pub fn shift(&mut self, now_ms: u64, share: f64) {
        if self.shifts.last().is_none_or(|(_, last)| *last != share) {
            self.shifts.push((now_ms, share));
        }
    }

    /// All that a data plane has counted which changes its numbers once a minute; nothing came while the weight changed.
    pub fn counts(&mut self, now_ms: u64, share: f64) -> Option<Counts> {
        self.play(now_ms);
        self.shift(now_ms, share);
        if self.is_blind(now_ms) {
            return None;
        }
        let whole = self.minutes.iter().filter(|minute| !minute.is_mixed);
        let sum = whole.fold(Bucket::default(), |sum, minute| sum.plus(minute.seen));
        let arm = |arm: pitbird_analysis::Arm| ArmCounts { requests: arm.requests(), failures: arm.events() };
        Some(Counts { base: arm(sum.base), canary: arm(sum.canary), ..Counts::default() })
    }

    /// Tells a data plane's tally where the canary's failures come from, where that is known; of several functions all that came.
    pub fn tell(&mut self, counts: Option<Counts>, slot: &Slot, arms: [u64; 2]) {
        let Some(counts) = counts else { return };
        let now = [counts.base, counts.canary].map(|arm| (arm.requests, arm.failures));
        let record = |arm: u64, is_failure: bool, environment: Option<u64>| {
            slot.record(|| Request {
                arm,
                route: None,
                latency_us: 1_000,
                is_cold: false,
                is_failure,
                client: None,
                environment,
                drawn: None,
            });
        };
        for ((arm, (requests, failures)), (told, failed)) in arms.into_iter().zip(now).zip(self.told) {
            let (more, fails) = (requests - told, failures - failed);
            if self.is_apart {
                (0..more).for_each(|at| record(arm, at < fails, None));
            } else if self.recording.is_one_source && arm == arms[1] {
                (0..fails).for_each(|_| record(arm, true, Some(7)));
            }
        }
        self.told = now;
    }

    /// What a hook is answered.
    pub fn says(&self) -> &'static str {
        self.recording.says
    }

    pub fn is_blind(&self, now_ms: u64) -> bool {
        now_ms >= self.began_ms && self.recording.blind.contains(&self.minute(now_ms))
    }

    pub fn alarm(&self, now_ms: u64) -> Option<AlarmState> {
        let minute = self.minute(now_ms);
        let states = self.recording.alarm.iter().rev();
        states.clone().find(|(from, _)| *from <= minute).and_then(|(_, state)| *state)
    }

    fn minute(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.began_ms) / MINUTE_MS
    }
}
