//! One rollout's loop: look, write down, wait.

use std::sync::Arc;
use std::time::Duration;

use pitbird_records::rollout::Thresholds;
use pitbird_rollout::{Check, Evidence, Step};
use pitbird_store::Versioned;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::ask::Asker;
use super::probe::Prober;
use super::{Assignment, Obeyed, Order, Since};
use crate::commit::{self, Lost};
use crate::meter::{Meter, Now, Reading};
use crate::notice::{self, Notice};
use crate::target::{Around, View, extra};
use crate::trial::{self, Trial};
use crate::turn::{self, Turn, Wish};
use crate::{Counts, Error, LiveTarget, Parts, Rollout, live};

/// How often a look is taken again at once because somebody else wrote meanwhile.
const ATTEMPTS_MAX: usize = 8;
/// After a look failed, so long until the next, milliseconds.
const RETRY_MS: u64 = 200;

/// Drives one rollout to its end.
pub struct Driver {
    parts: Arc<Parts>,
    rollout: String,
    orders: mpsc::Receiver<Box<Order>>,
    since: Since,
    /// Where changes go that somebody is to be told of.
    notices: mpsc::Sender<Box<Notice>>,
    asker: Asker,
    prober: Prober,
    meter: Meter,
    /// Counts for this driver, from its first look on.
    trial: Option<Trial>,
    /// How many entries the rollout had when this driver last wrote or first read it. Nobody else writes any.
    entries: Option<u64>,
}

/// What a look led to.
enum Looked {
    /// The rollout as it now is, and when to look again, epoch ms.
    Running {
        rollout: Box<Rollout>,
        is_ignored: bool,
        next_ms: u64,
    },
    Ended {
        rollout: Box<Rollout>,
        is_ignored: bool,
    },
}

impl Driver {
    pub fn new(parts: Arc<Parts>, assignment: Assignment, notices: mpsc::Sender<Box<Notice>>) -> Driver {
        let Assignment { rollout, orders, since } = assignment;
        let (meter, trial, entries) = (Meter::default(), None, None);
        let asker = Asker::new(parts.ask.clone(), parts.clock.clone());
        let prober = Prober::new(parts.clone());
        Driver { parts, rollout, orders, since, notices, asker, prober, meter, trial, entries }
    }

    /// Looks at once, then whenever it is time or an order comes, until the rollout has ended or `stopping` says so.
    /// `dismiss` is called before the last orders are refused.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>, dismiss: impl FnOnce()) {
        let mut order = None;
        loop {
            // A look has a rollout and its evidence in its hands: not while nothing is to be done.
            let next_ms = match Box::pin(self.look(order.take())).await {
                Some(next_ms) => next_ms,
                None => break,
            };
            let wait = Duration::from_millis(next_ms.saturating_sub((self.parts.clock)()));
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => break,
                Some(came) = self.orders.recv() => order = Some(came),
                () = self.asker.heard() => {}
                () = tokio::time::sleep_until(Instant::now() + wait) => {}
            }
        }
        dismiss();
    }

    /// One look and its answer. When the next one is due, epoch ms; none after the end.
    async fn look(&mut self, order: Option<Box<Order>>) -> Option<u64> {
        let wish = order.as_ref().map(|order| order.wish.clone());
        let looked = self.attempt(wish).await;
        let (answer, next_ms) = match looked {
            Ok(Looked::Running { rollout, is_ignored, next_ms }) => {
                (Ok(Obeyed { rollout: *rollout, is_ignored }), Some(next_ms))
            }
            Ok(Looked::Ended { rollout, is_ignored }) => {
                tracing::info!(rollout = rollout.name, reason = rollout.reason, "rollout ended");
                (Ok(Obeyed { rollout: *rollout, is_ignored }), None)
            }
            Err(Error::UnknownRollout(name)) => (Err(Error::UnknownRollout(name)), None),
            Err(error @ (Error::Foreign(_) | Error::Superseded(_))) => {
                tracing::error!(rollout = self.rollout, %error, "a rollout is no longer driven from here");
                (Err(error), None)
            }
            Err(error) => {
                tracing::warn!(rollout = self.rollout, %error, "a rollout could not look; it tries again");
                (Err(error), Some((self.parts.clock)() + RETRY_MS))
            }
        };
        if let Some(order) = order {
            // Whoever ordered may have gone; the order was obeyed all the same.
            let _ = order.answer.send(answer);
        }
        next_ms
    }

    /// Looks, again where somebody else wrote rollout or target meanwhile.
    async fn attempt(&mut self, wish: Option<Wish>) -> Result<Looked, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let found: Option<Versioned<Rollout>> = self.parts.store.get(&self.rollout)?;
            let Versioned { rev, record: rollout } =
                found.ok_or_else(|| Error::UnknownRollout(self.rollout.clone()))?;
            if !rollout.state.belongs_to(&rollout.plan) {
                return Err(Error::Foreign(rollout.name));
            }
            if rollout.state.is_over(&rollout.plan) {
                return Ok(Looked::Ended { is_ignored: wish.is_some(), rollout: Box::new(rollout) });
            }
            self.take_up(&rollout)?;
            if rollout.state.outcome().is_some() {
                match self.farewell(&rollout, rev, wish.is_some()).await {
                    Ok(looked) => return Ok(looked),
                    Err(Lost::Stale) => continue,
                    Err(Lost::Store(error)) => return Err(error.into()),
                }
            }
            let view = View::read(&self.parts.store, &rollout.scope, &rollout.target)?;
            let reading = self.read(&rollout);
            let around = Around { now_ms: (self.parts.clock)(), entropy: (self.parts.entropy)() };
            let thresholds = self.thresholds(&rollout, around.now_ms);
            let evidence = self.evidence(&rollout, reading.as_ref(), thresholds.is_some());
            let mut turn = turn::take(&rollout, &view, evidence, wish.clone(), around);
            turn.rollout.thresholds = thresholds;
            if rollout.state.generation() > 0 {
                turn.use_of_canary(&rollout, reading.as_ref().map(|reading| reading.canary_use));
                turn.cold_starts(reading.as_ref().map(Reading::cold_starts));
                turn.pairs(reading.as_ref().map(Reading::pairs).unwrap_or_default(), around.now_ms);
            }
            if !turn.is_idle {
                match commit::turn(&self.parts.store, &turn, rev).await {
                    Ok(()) => self.written(&rollout, &turn, reading).await,
                    Err(Lost::Stale) => continue,
                    Err(Lost::Store(error)) => return Err(error.into()),
                }
            }
            self.asker.see(&turn.rollout);
            self.prober.see(&turn.rollout, self.trial.as_ref().map(Trial::tally));
            return Ok(looked(turn, around.now_ms));
        }
        Err(Error::NotDriven(self.rollout.clone()))
    }

    /// The rollout has ended, and somebody is still to be told.
    async fn farewell(&mut self, rollout: &Rollout, rev: u64, is_ignored: bool) -> Result<Looked, Lost> {
        self.trial = None;
        let around = Around { now_ms: (self.parts.clock)(), entropy: (self.parts.entropy)() };
        let mut turn = turn::farewell(rollout, self.asker.answers(), around);
        turn.is_order_ignored = is_ignored;
        if !turn.is_idle {
            commit::turn(&self.parts.store, &turn, rev).await?;
            self.entries = Some(turn.rollout.entries);
        }
        self.asker.see(&turn.rollout);
        Ok(looked(turn, around.now_ms))
    }

    /// At the first look: where counting begins. Afterwards: is this driver still the only one? Of two, the one that
    /// finds that the other has written gives up.
    fn take_up(&mut self, rollout: &Rollout) -> Result<(), Error> {
        match self.entries {
            Some(entries) if entries != rollout.entries => Err(Error::Superseded(rollout.name.clone())),
            Some(_) => Ok(()),
            None => {
                self.entries = Some(rollout.entries);
                if rollout.state.outcome().is_some() {
                    return Ok(());
                }
                self.trial = Some(Trial::new(&self.parts.slots, rollout, (self.parts.clock)()));
                if self.since == Since::Now {
                    let now = self.now(rollout).unwrap_or_else(|| self.uncounted());
                    let is_waiting = rollout.state.generation() == 0;
                    self.meter = if is_waiting { Meter::wait(now) } else { Meter::from(now) };
                }
                if rollout.plan.judged().users && rollout.state.generation() > 0 {
                    self.meter = std::mem::take(&mut self.meter).forgetful();
                }
                Ok(())
            }
        }
    }

    fn now(&self, rollout: &Rollout) -> Option<Now> {
        let counts = live::counts(&self.parts.counts, &LiveTarget::all(&rollout.scope, &rollout.target))?;
        Some(Now { counts, ..self.uncounted() })
    }

    /// What the tally knows alone.
    fn uncounted(&self) -> Now {
        let counted = self.trial.as_ref().map(Trial::read).unwrap_or_default();
        Now { counts: Counts::default(), counted }
    }

    fn read(&self, rollout: &Rollout) -> Option<Reading> {
        Some(self.meter.read(self.now(rollout)?, rollout.state.weight()))
    }

    /// What slow means, as soon as that is known; from then on requests are counted by it.
    fn thresholds(&self, rollout: &Rollout, now_ms: u64) -> Option<Thresholds> {
        self.trial.as_ref()?.thresholds(rollout, now_ms)
    }

    fn evidence(&self, rollout: &Rollout, reading: Option<&Reading>, is_history_known: bool) -> Evidence {
        // Before the first shift there is nothing on trial.
        let is_on_trial = rollout.state.generation() > 0;
        let names = &rollout.plan.rules().alarms;
        let alarms = if names.is_empty() { Vec::new() } else { (self.parts.alarms)(&rollout.scope, names) };
        let mut evidence = Evidence {
            alarms: alarms.into_iter().filter(|alarm| names.contains(&alarm.name)).collect(),
            hooks: self.asker.answers(),
            checks: self.checks(rollout, is_history_known),
            is_blind: is_on_trial && reading.is_none(),
            ..Evidence::default()
        };
        if let Some(reading) = reading.filter(|_| is_on_trial) {
            evidence.buckets = reading.buckets();
            evidence.has_forgotten = reading.has_forgotten;
            evidence.pairs = reading.pairs();
            evidence.failing_clients = reading.failing_clients();
            evidence.failing_environments = reading.failing_environments();
            trial::add(&mut evidence, rollout, &reading.seen);
        }
        evidence
    }

    fn checks(&self, rollout: &Rollout, is_history_known: bool) -> Vec<Check> {
        let is_pending = rollout.state.generation() == 0;
        let history = trial::check(rollout, is_history_known);
        let warmth = extra::check_warmth(rollout, &*self.parts.warmth).filter(|_| is_pending);
        history.into_iter().chain(warmth).collect()
    }

    /// After the commit: what was counted belongs to the old weight up to here, and to the new one from here on.
    async fn written(&mut self, before: &Rollout, turn: &Turn, reading: Option<Reading>) {
        let live_ms = (self.parts.clock)();
        for notice in notice::of(before, &turn.rollout, live_ms) {
            if let Err(error) = self.notices.try_send(Box::new(notice)) {
                tracing::warn!(rollout = self.rollout, %error, "a change is not told: too many wait");
            }
        }
        self.entries = Some(turn.rollout.entries);
        let weight = before.state.weight();
        let is_changed = turn.rollout.state.weight() != weight;
        // Where nothing is known any more, nothing is new.
        let told = || reading.as_ref().map(Reading::now);
        let counted =
            is_changed.then(|| self.now(&turn.rollout).or_else(told).unwrap_or_else(|| self.uncounted()));
        let was_read = reading.is_some();
        match (reading, counted) {
            (reading, Some(counted)) if before.state.generation() == 0 => {
                self.meter = Meter::begin(counted, reading.as_ref());
            }
            (Some(reading), Some(counted)) => self.meter.turn(reading, weight, counted),
            (Some(reading), None) if turn.rollout.state.generation() == 0 => {
                self.meter = Meter::wait(reading.now());
            }
            (Some(reading), None) => self.meter.keep(reading),
            (None, _) => {}
        }
        if let Some(trial) = &mut self.trial {
            match is_changed {
                true => trial.weigh(turn.rollout.state.weight()),
                false if was_read => trial.forget_in_time(live_ms),
                false => {}
            }
        }
        let Some(shift) = turn.rollout.shifts.last().filter(|_| turn.target.is_some()) else { return };
        let live = commit::live(&self.parts.store, self.rollout.clone(), shift.generation, live_ms);
        if let Err(error) = live.await {
            tracing::warn!(rollout = self.rollout, %error, "the time of a change could not be written down");
        }
    }
}

fn looked(turn: Turn, now_ms: u64) -> Looked {
    let (rollout, is_ignored) = (Box::new(turn.rollout), turn.is_order_ignored);
    match turn.step {
        Step::Finished { .. } if !rollout.state.is_over(&rollout.plan) => {
            // Nobody has been asked yet: at once.
            let pause_ms = rollout.state.question().map_or(0, |_| rollout.plan.rules().interval_ms);
            Looked::Running { rollout, is_ignored, next_ms: now_ms.saturating_add(pause_ms) }
        }
        Step::WaitUntil { at_ms } => Looked::Running { rollout, is_ignored, next_ms: at_ms },
        Step::Finished { .. } => Looked::Ended { rollout, is_ignored },
        // Not reached: a turn goes on until there is nothing to do but wait. If it were, the next look would do it.
        Step::ShiftTo { .. } | Step::RollBack { .. } | Step::Promote { .. } => {
            Looked::Running { rollout, is_ignored, next_ms: 0 }
        }
    }
}
