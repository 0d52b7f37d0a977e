//! A rollout as it is written down.

use std::collections::BTreeMap;
use std::ops::Range;

use pitbird_analysis::RouteBucket;
use pitbird_names::Percent;
use pitbird_rollout::notice::Standing;
use pitbird_rollout::{Observed, ObservedRoute, Phase, Plan, State};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::marker::Marker;
use crate::minutes::{Meter, Minute, Shift};
use crate::notices::Waiting;
use crate::target::{Change, Target};

/// The form of what is written; another one is refused rather than guessed at.
pub const FORM: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    pub form: u32,
    pub name: String,
    /// StartRollout's input, as it was ordered.
    pub input: Json,
    pub plan: Plan,
    pub target: Target,
    /// Tells this run from others, also on the target.
    pub run: String,
    pub began_ms: u64,
    /// The sign has been on the target.
    pub is_claimed: bool,
    pub state: State,
    pub meter: Meter,
    /// Of the functions beside the first, where several are moved together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_meters: Vec<Meter>,
    pub shifts: Vec<Shift>,
    /// Why the state is what it is.
    pub reason: String,
    /// Records that belong to this state; later ones were written just before a crash.
    pub records: u64,
    /// Lines of the orders' file that were read.
    pub orders: u64,
    /// The number of the planner's newest command.
    pub commands: u64,
    /// How it stood when those who asked were last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Standing>,
    /// What they are still to be told of, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Waiting>,
    /// It has ended, and its sign is on nothing any more.
    #[serde(default)]
    pub is_released: bool,
}

impl Run {
    pub fn marker(&self) -> Marker {
        let (base, canary) = self.target.base_and_canary();
        Marker { name: self.name.clone(), run: self.run.clone(), base, canary, began_ms: self.began_ms }
    }

    /// The shares that the canary may have: the one confirmed last, and the one that is on its way.
    pub fn weights(&self) -> Vec<Percent> {
        let step = Change::of(&self.state.step(&self.plan)).map(|(change, _)| change);
        let coming = match step {
            Some(Change::Shift(percent)) => Some(percent),
            _ => None,
        };
        std::iter::once(self.state.weight()).chain(coming).collect()
    }

    /// A promotion was begun, so it may have been done.
    pub fn may_be_promoted(&self) -> bool {
        let full = |shift: &Shift| shift.percent.get() == 100.0 && shift.live_ms.is_none();
        matches!(self.state.phase(), Phase::Promoting) || self.shifts.iter().any(full)
    }

    /// The secret that a URL's calls are signed with.
    pub fn hook_secret(&self, name: &str) -> Option<&str> {
        let hooks = self.input["Hooks"].as_array()?;
        hooks.iter().find(|hook| hook["Name"] == name)?["Secret"].as_str()
    }

    /// Nothing of it is left to be done.
    pub fn is_done(&self) -> bool {
        self.is_released && self.state.is_over(&self.plan) && self.notices.is_empty()
    }

    fn meters(&self) -> impl Iterator<Item = &Meter> {
        std::iter::once(&self.meter).chain(&self.other_meters)
    }

    /// The minutes to be read now.
    pub fn wanted(&self, now_ms: u64) -> Range<u64> {
        let wanted = self.meters().map(|meter| meter.wanted(now_ms)).filter(|wanted| !wanted.is_empty());
        wanted.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or_default()
    }

    /// Takes in what was read. What counts now is told of all together, and of each function of several as of a route.
    pub fn read(
        &mut self,
        read: &[BTreeMap<u64, Minute>],
        now_ms: u64,
    ) -> (Vec<Observed>, Vec<ObservedRoute>) {
        let functions = self.target.functions().into_iter().map(Some).chain(std::iter::repeat(None));
        let meters = std::iter::once(&mut self.meter).chain(&mut self.other_meters);
        let (mut all, mut routes) = (Vec::new(), Vec::new());
        for ((meter, read), function) in meters.zip(read).zip(functions) {
            let seen = meter.read(read, &self.shifts, now_ms);
            let route = |route: &str, seen: &Observed| {
                let (percent, route) = (seen.percent, route.to_owned());
                ObservedRoute {
                    percent,
                    route,
                    bucket: RouteBucket { errors: seen.bucket, ..RouteBucket::default() },
                }
            };
            routes.extend(function.iter().flat_map(|name| seen.iter().map(|seen| route(name, seen))));
            all.extend(seen);
        }
        (all, routes)
    }

    /// Minutes that were left out; of several functions, of the one that misses most.
    pub fn left_out(&self) -> u64 {
        self.meters().map(|meter| meter.left_out).max().unwrap_or_default()
    }

    pub fn exit_code(&self) -> Option<u8> {
        self.state.outcome().map(|outcome| outcome.exit_code())
    }
}
