//! The rules of other tools, as their documents and source give them, on one-minute metrics that arrive at once, which
//! flatters them. Each has the schedule of its own.

mod kayenta;

use pitbird_analysis::{Arm, Bucket, Timed};

use crate::draws::Draws;
use crate::ending::{End, Ending};
use crate::model::{Model, World};

/// Minutes that are watched.
const MINUTES: usize = 60;
/// Seconds of a minute that pass at a time, so that bursts are as short as they are for us.
const STEP_S: f64 = 5.0;

/// A tool with a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// `Canary10Percent5Minutes` with the alarm of SAM's documentation: `Errors` of the alias above 0, two minutes of
    /// two.
    CodeDeployErrors,
    /// The same with an alarm on the version's error rate: above 1 % and twice the usual, one minute.
    CodeDeployRate,
    /// `Linear10PercentEvery1Minute`, the same alarm, two minutes of two.
    CodeDeployLinear,
    /// Steps of 10 % to 50 %, success 99 %, at most 1 % slow, five failed checks; no data is a failed check.
    Flagger,
    /// Steps of 2 % to 50 %, ten failed checks.
    FlaggerDocs,
    /// 20, 40, 60, 80 %, ten minutes each; success 95 % every five minutes from the tenth on; more than three failures.
    Argo,
    /// 10, 30, 60 %, five minutes each; success 99 % every minute; more than two failures.
    ArgoTight,
    /// 10 % and a clone of the base as large; Mann-Whitney with 98 % every five minutes, thirty minutes.
    Kayenta,
    /// 20 % more every two minutes; more than 10 % failures.
    Fission,
    /// What many write themselves: 10 % for ten minutes, and every minute a z-test at 5 %.
    PeekedTest,
}

impl Peer {
    pub const ALL: [Peer; 10] = [
        Peer::CodeDeployErrors,
        Peer::CodeDeployRate,
        Peer::CodeDeployLinear,
        Peer::Flagger,
        Peer::FlaggerDocs,
        Peer::Argo,
        Peer::ArgoTight,
        Peer::Kayenta,
        Peer::Fission,
        Peer::PeekedTest,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Peer::CodeDeployErrors => "CodeDeploy Canary10Percent5Minutes, alarm Errors > 0, 2 of 2",
            Peer::CodeDeployRate => "CodeDeploy Canary10Percent5Minutes, alarm rate > max(1 %, 2×), 1 of 1",
            Peer::CodeDeployLinear => {
                "CodeDeploy Linear10PercentEvery1Minute, alarm rate > max(1 %, 2×), 2 of 2"
            }
            Peer::Flagger => "Flagger 1 m, +10 % to 50 %, threshold 5",
            Peer::FlaggerDocs => "Flagger 1 m, +2 % to 50 %, threshold 10",
            Peer::Argo => "Argo Rollouts 20/40/60/80 %, 95 % every 5 m, limit 3",
            Peer::ArgoTight => "Argo Rollouts 10/30/60 %, 99 % every 1 m, limit 2",
            Peer::Kayenta => "Kayenta-style judge, 10 % and clone, 30 m",
            Peer::Fission => "Fission +20 % every 2 m, 10 % failures",
            Peer::PeekedTest => "own script: z-test at 5 % every minute, 10 m",
        }
    }

    /// The canary's share in a minute; `None` once the release is over.
    fn weight(self, minute: usize, rule: &Rule) -> Option<f64> {
        let stepwise = |steps: &[f64], minutes: usize| steps.get(minute / minutes).copied();
        match self {
            Peer::CodeDeployErrors | Peer::CodeDeployRate => (minute < 5).then_some(0.1),
            Peer::CodeDeployLinear => (minute < 10).then(|| 0.1 * (minute + 1) as f64),
            Peer::Flagger | Peer::FlaggerDocs => Some(rule.weight.min(1.0)),
            Peer::Argo => stepwise(&[0.2, 0.4, 0.6, 0.8], 10),
            Peer::ArgoTight => stepwise(&[0.1, 0.3, 0.6], 5),
            Peer::Kayenta | Peer::PeekedTest => Some(0.1),
            Peer::Fission => Some(rule.weight),
        }
    }
}

/// What a rule remembers.
#[derive(Default)]
struct Rule {
    weight: f64,
    /// Failed checks, or bad minutes in a row.
    bad: usize,
    window: Arm,
    all: Bucket,
    judge: kayenta::Judge,
}

/// A minute as a metric store shows it.
#[derive(Default)]
struct Minute {
    number: usize,
    bucket: Bucket,
    timed: Timed,
    /// The base's usual error rate, which whoever sets an alarm knows.
    usual: f64,
    weight: f64,
}

enum Word {
    GoOn,
    Promote,
    RollBack,
}

/// One release by a peer's rule; harm is counted for an hour, however early it was promoted.
pub fn release(model: &Model, peer: Peer, seed: u64, run: u64) -> Ending {
    let mut world = World::new(model, seed, run);
    let mut draws = Draws::new(seed, peer.name(), run);
    let mut rule = Rule { weight: if peer == Peer::Fission { 0.2 } else { 0.1 }, ..Rule::default() };
    if peer == Peer::FlaggerDocs {
        rule.weight = 0.02;
    }
    let mut ending = Ending { onset_s: world.onset_s(), ..Ending::default() };
    for number in 0..MINUTES {
        let planned = if ending.end == End::Promoted { None } else { peer.weight(number, &rule) };
        let weight = planned.unwrap_or(1.0);
        if weight > 0.5 && ending.full_s.is_none() {
            ending.full_s = Some(60.0 * number as f64);
        }
        let mut minute = Minute { number, usual: model.errors, weight, ..Minute::default() };
        for step in 0..(60.0 / STEP_S) as usize {
            let seen = world.pass(60.0 * number as f64 + STEP_S * step as f64, STEP_S, weight);
            ending.add(&seen);
            minute.timed = minute.timed.plus(seen.timed);
            minute.bucket = seen.buckets.iter().fold(minute.bucket, |sum, (_, bucket)| sum.plus(*bucket));
        }
        let word =
            if ending.end == End::Promoted { Word::GoOn } else { rule.judge(peer, &minute, &mut draws) };
        let over = planned.is_none() && ending.end != End::Promoted;
        match word {
            Word::RollBack if !over => {
                (ending.end, ending.end_s) = (End::RolledBack, 60.0 * (number + 1) as f64);
                return ending;
            }
            Word::Promote => (ending.end, ending.end_s) = (End::Promoted, 60.0 * (number + 1) as f64),
            _ if over => (ending.end, ending.end_s) = (End::Promoted, 60.0 * number as f64),
            Word::GoOn | Word::RollBack => {}
        }
    }
    ending
}

impl Rule {
    fn judge(&mut self, peer: Peer, minute: &Minute, draws: &mut Draws) -> Word {
        let rate = minute.bucket.canary.rate();
        let alarm = (0.01_f64).max(2.0 * minute.usual);
        match peer {
            Peer::CodeDeployErrors => {
                let both = minute.bucket.canary.events() + minute.bucket.base.events();
                self.in_a_row(both > 0, 2)
            }
            Peer::CodeDeployRate => self.in_a_row(rate.is_some_and(|rate| rate > alarm), 1),
            Peer::CodeDeployLinear => self.in_a_row(rate.is_some_and(|rate| rate > alarm), 2),
            Peer::Flagger => self.flagger(minute, 0.1, 5),
            Peer::FlaggerDocs => self.flagger(minute, 0.02, 10),
            Peer::Argo => self.argo(minute, (5, 10), 0.95, 3),
            Peer::ArgoTight => self.argo(minute, (1, 0), 0.99, 2),
            Peer::Kayenta => self.judge.minute(minute, draws),
            Peer::Fission => self.fission(minute),
            Peer::PeekedTest => self.peeked(minute),
        }
    }

    fn in_a_row(&mut self, is_bad: bool, needed: usize) -> Word {
        self.bad = if is_bad { self.bad + 1 } else { 0 };
        if self.bad >= needed { Word::RollBack } else { Word::GoOn }
    }

    fn flagger(&mut self, minute: &Minute, step: f64, threshold: usize) -> Word {
        // 500 ms is nearest to the threshold frozen from the p99.9, 540 ms.
        let slow = minute.timed.canary.above()[3] as f64 / minute.timed.canary.requests().max(1) as f64;
        let passes = minute.bucket.canary.rate().is_some_and(|rate| 1.0 - rate >= 0.99 && slow <= 0.01);
        if !passes {
            self.bad += 1;
            return if self.bad >= threshold { Word::RollBack } else { Word::GoOn };
        }
        if minute.weight >= 0.5 - 1e-9 {
            return Word::Promote;
        }
        self.weight += step;
        Word::GoOn
    }

    fn argo(&mut self, minute: &Minute, (every, from): (usize, usize), success: f64, limit: usize) -> Word {
        self.window = self.window.plus(minute.bucket.canary);
        let number = minute.number + 1;
        if !number.is_multiple_of(every) {
            return Word::GoOn;
        }
        let window = std::mem::take(&mut self.window);
        if number > from && window.rate().is_none_or(|rate| 1.0 - rate < success) {
            self.bad += 1;
        }
        if self.bad > limit { Word::RollBack } else { Word::GoOn }
    }

    fn fission(&mut self, minute: &Minute) -> Word {
        self.window = self.window.plus(minute.bucket.canary);
        if minute.number.is_multiple_of(2) {
            return Word::GoOn;
        }
        let window = std::mem::take(&mut self.window);
        let Some(rate) = window.rate() else { return Word::GoOn };
        if (100.0 * rate).floor() > 10.0 {
            return Word::RollBack;
        }
        if self.weight >= 1.0 {
            return Word::Promote;
        }
        self.weight = (self.weight + 0.2).min(1.0);
        Word::GoOn
    }

    fn peeked(&mut self, minute: &Minute) -> Word {
        self.all = self.all.plus(minute.bucket);
        let Bucket { canary, base } = self.all;
        if let (Some(p_c), Some(p_b)) = (canary.rate(), base.rate()) {
            let (n_c, n_b) = (canary.requests() as f64, base.requests() as f64);
            let pooled = (canary.events() + base.events()) as f64 / (n_c + n_b);
            let variance = pooled * (1.0 - pooled) * (1.0 / n_c + 1.0 / n_b);
            if variance > 0.0 && (p_c - p_b) / libm::sqrt(variance) > 1.644_853_6 {
                return Word::RollBack;
            }
        }
        if minute.number >= 9 { Word::Promote } else { Word::GoOn }
    }
}
