//! One rollout's loop: look, write down, act, wait.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pitbird_rollout::{Evidence, Step};
use tokio::time::Instant;

use crate::cloud::{Cloud, Fault, Kind};
use crate::hooks::Asker;
use crate::journal::{self, Journal};
use crate::notices::{self, Teller, Told};
use crate::run::Run;
use crate::target::{Change, Seen, Strayed, Target};
use crate::turn::{self, Turn};

/// After a call failed, so long until the next attempt.
const RETRY: Duration = Duration::from_secs(3);
/// How often it is looked for orders while waiting.
const POLL: Duration = Duration::from_millis(500);
/// Once it has ended, those who are to be told of it have so long; the same command tells them later.
const FAREWELL: Duration = Duration::from_secs(60);
/// Attempts to take the sign away at the end.
const RELEASES_MAX: usize = 5;

/// Now, epoch milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How driving stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The rollout ended, with this exit code.
    Ended(u8),
    /// Somebody interrupted it: everything stays as it is.
    Interrupted,
}

/// What became of the step that was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acted {
    /// There was none.
    No,
    Done,
    /// It has to be tried again.
    Stuck,
}

/// Why a change wasn't made.
enum Stuck {
    /// Try again, and say this until then.
    Later(String),
    /// It will never be made.
    Refused(String),
}

pub struct Driver<'a> {
    pub cloud: &'a Cloud,
    pub journal: &'a Journal,
    pub run: Run,
    /// Where words go.
    pub say: &'a mut (dyn FnMut(&Run, &str) + Send),
    clock: Clock,
    asker: Asker,
    teller: Teller,
    trouble: Option<String>,
}

impl<'a> Driver<'a> {
    pub fn new(
        cloud: &'a Cloud,
        journal: &'a Journal,
        run: Run,
        say: &'a mut (dyn FnMut(&Run, &str) + Send),
        clock: Clock,
    ) -> Driver<'a> {
        let asker = Asker::new(clock.clone());
        let teller = Teller::by_webhooks();
        Driver { cloud, journal, run, say, clock, asker, teller, trouble: None }
    }

    /// Another way to tell of changes.
    pub fn telling(self, teller: Teller) -> Driver<'a> {
        Driver { teller, ..self }
    }

    fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Drives the rollout until it has ended, or `interrupted` resolves.
    pub async fn to_the_end(
        &mut self,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Stopped, journal::Error> {
        let mut interrupted = std::pin::pin!(interrupted);
        let mut has_looked = false;
        // What a process before this one didn't tell.
        self.teller.see(&self.run);
        loop {
            let acted = self.act().await?;
            if let Some(code) = self.run.exit_code() {
                self.release().await?;
                return tokio::select! {
                    told = self.farewell() => told.map(|()| Stopped::Ended(code)),
                    () = interrupted.as_mut() => Ok(Stopped::Interrupted),
                };
            }
            let generation = self.run.state.generation();
            // What was decided a moment ago is done: there is nothing new to look at yet.
            let step = match (has_looked, acted) {
                (true, Acted::Done) => self.run.state.step(&self.run.plan),
                _ => self.look().await?,
            };
            self.asker.see(self.cloud, &self.run);
            let wait = match step {
                Step::WaitUntil { at_ms } => Duration::from_millis(at_ms.saturating_sub(self.now_ms())),
                _ if acted == Acted::Stuck && self.run.state.generation() == generation => RETRY,
                _ => {
                    has_looked = true;
                    continue;
                }
            };
            has_looked = false;
            let (orders, until) = (self.run.orders, Instant::now() + wait);
            loop {
                tokio::select! {
                    waited = ordered(self.journal, orders, until) => {
                        waited?;
                        break;
                    }
                    () = self.asker.heard() => break,
                    told = self.teller.heard() => self.told(told)?,
                    () = interrupted.as_mut() => return Ok(Stopped::Interrupted),
                }
            }
        }
    }

    /// Goes on until those who are asked after the end, and those who wanted to know, have been told. Nothing on AWS is touched any more.
    async fn farewell(&mut self) -> Result<(), journal::Error> {
        let until = Instant::now() + FAREWELL;
        loop {
            let turn = turn::farewell(&self.run, self.asker.answers(), self.now_ms());
            self.take(turn)?;
            self.asker.see(self.cloud, &self.run);
            let is_late = Instant::now() >= until;
            if self.run.state.is_over(&self.run.plan) && (self.run.notices.is_empty() || is_late) {
                break;
            }
            tokio::select! {
                () = self.asker.heard() => {}
                told = self.teller.heard() => self.told(told)?,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
        for waiting in
            std::collections::BTreeSet::from_iter(self.run.notices.iter().map(|waiting| &waiting.url))
        {
            (self.say)(
                &self.run,
                &format!("{waiting} was not told of all; the same command goes on with that"),
            );
        }
        Ok(())
    }

    /// Strikes out what was told, or given up.
    fn told(&mut self, told: Told) -> Result<(), journal::Error> {
        let Told { url, entry, answer } = told;
        self.run.notices.retain(|waiting| waiting.url != url || waiting.entry != entry);
        self.journal.write(&mut self.run, &[])?;
        self.teller.see(&self.run);
        if let Err(words) = answer {
            (self.say)(&self.run, &format!("{url} could not be told of a change: {words}"));
        }
        Ok(())
    }

    /// Puts down what is to be told of a state that is written down next, with so many records.
    fn put_down(&mut self, records: usize) {
        let now_ms = self.now_ms();
        for url in notices::put_down(&mut self.run, self.cloud.region(), records as u64, now_ms) {
            (self.say)(&self.run, &format!("{url} is not told of this change: too many wait"));
        }
    }

    /// Does the step that is under way.
    async fn act(&mut self) -> Result<Acted, journal::Error> {
        let mut acted = Acted::No;
        while let Some((change, generation)) = Change::of(&self.run.state.step(&self.run.plan)) {
            let turn = match self.change(change).await {
                Ok(()) => turn::applied(&self.run, generation, self.now_ms()),
                Err(Stuck::Refused(words)) => turn::refused(&self.run, generation, &words, self.now_ms()),
                Err(Stuck::Later(words)) => {
                    self.complain(words);
                    self.tell_of_delay()?;
                    return Ok(Acted::Stuck);
                }
            };
            self.take(turn)?;
            acted = Acted::Done;
        }
        Ok(acted)
    }

    /// A step that isn't done at once is told as it stands.
    fn tell_of_delay(&mut self) -> Result<(), journal::Error> {
        let before = self.run.told.clone();
        self.put_down(0);
        if self.run.told != before {
            self.journal.write(&mut self.run, &[])?;
            self.teller.see(&self.run);
        }
        Ok(())
    }

    async fn change(&mut self, change: Change) -> Result<(), Stuck> {
        let seen = self.cloud.see(&self.run.target).await.map_err(|fault| self.stuck(change, fault))?;
        match (self.strayed(&seen), change) {
            (Some(Strayed::Replaced(words)), Change::RollBack) => {
                return Err(Stuck::Refused(format!(
                    "{words}; somebody else changed it, so it is left as it is"
                )));
            }
            // The next look aborts for it.
            (Some(strayed), Change::Shift(_) | Change::Promote) => {
                return Err(Stuck::Later(strayed.words().to_owned()));
            }
            _ => {}
        }
        let may_be_promoted = self.run.may_be_promoted();
        let calls = self.run.target.calls(&seen, change, &self.run.marker(), may_be_promoted);
        let mut stuck = None;
        for call in calls.map_err(Stuck::Refused)? {
            let done = self.cloud.call(&self.run.target, call).await;
            match done.map_err(|fault| self.stuck(change, fault)) {
                Ok(()) => {}
                // Each of several goes back for itself: one that can't holds no other up.
                Err(fault) if change == Change::RollBack && self.is_several() => {
                    stuck = Some(match (stuck, fault) {
                        (Some(Stuck::Later(words)), _) => Stuck::Later(words),
                        (_, fault) => fault,
                    });
                }
                Err(fault) => return Err(fault),
            }
        }
        stuck.map_or(Ok(()), Err)
    }

    fn is_several(&self) -> bool {
        matches!(self.run.target, Target::Aliases(_))
    }

    /// A rollback that isn't allowed is tried for as long as a step may take: somebody may allow it.
    fn stuck(&self, change: Change, fault: Fault) -> Stuck {
        let waited_ms =
            self.now_ms().saturating_sub(self.run.shifts.last().map_or(0, |shift| shift.decided_ms));
        let is_patient = change == Change::RollBack && waited_ms < self.run.plan.rules().deadline_ms;
        match fault.kind {
            Kind::Passing | Kind::Stale => Stuck::Later(fault.words),
            // One of several that was deleted just now is left out next time.
            Kind::Gone if is_patient && self.is_several() => Stuck::Later(fault.words),
            Kind::Denied if is_patient => Stuck::Later(fault.words),
            Kind::Denied | Kind::Gone | Kind::Refused => Stuck::Refused(fault.words),
        }
    }

    fn strayed(&self, seen: &Seen) -> Option<Strayed> {
        let run = &self.run;
        run.target.strayed(seen, &run.weights(), &run.marker(), run.may_be_promoted())
    }

    /// Looks, and says what is to be done then.
    async fn look(&mut self) -> Result<Step, journal::Error> {
        let seen = self.cloud.see(&self.run.target).await;
        let strayed = match &seen {
            Ok(seen) => self.strayed(seen),
            Err(fault) if fault.kind == Kind::Gone => {
                Some(Strayed::Replaced(format!("{} was deleted", self.run.target.shown())))
            }
            Err(fault) => {
                self.complain(fault.words.clone());
                None
            }
        };
        // Who goes back already needs no other reason to; some of several may have done it.
        let is_going_back =
            matches!(Change::of(&self.run.state.step(&self.run.plan)), Some((Change::RollBack, _)));
        let strayed = strayed.filter(|_| !is_going_back);
        let is_on_trial = self.run.state.generation() > 0;
        let hooks = self.asker.answers();
        let mut evidence = Evidence { alarms: self.alarms().await, hooks, ..Evidence::default() };
        if is_on_trial {
            match self.cloud.minutes(&self.run.target, self.run.wanted(self.now_ms())).await {
                Ok(read) => {
                    let now_ms = self.now_ms();
                    (evidence.buckets, evidence.routes) = self.run.read(&read, now_ms);
                }
                Err(fault) => {
                    evidence.is_blind = true;
                    self.complain(fault.words);
                }
            }
        }
        let orders = self.journal.orders(self.run.orders)?;
        let turn = turn::look(&self.run, evidence, &orders, strayed.as_ref(), self.now_ms());
        for wanted in &turn.ignored {
            (self.say)(
                &self.run,
                &format!("the order {wanted:?} has no effect: it came too late or too early"),
            );
        }
        // A look that isn't worth writing down has been taken all the same: the next one is due an interval later.
        let step = turn.run.state.step(&turn.run.plan);
        self.take(turn)?;
        Ok(step)
    }

    async fn alarms(&mut self) -> Vec<pitbird_rollout::Alarm> {
        let names = &self.run.plan.rules().alarms;
        match self.cloud.alarms(names).await {
            Ok(alarms) => alarms.into_iter().filter(|alarm| names.contains(&alarm.name)).collect(),
            Err(fault) => {
                self.complain(fault.words);
                Vec::new()
            }
        }
    }

    /// Writes down what a turn led to, before anything is done about it.
    fn take(&mut self, turn: Turn) -> Result<(), journal::Error> {
        if turn.is_idle {
            return Ok(());
        }
        let news = turn.news(&self.run);
        self.run = turn.run;
        if Change::of(&self.run.state.step(&self.run.plan)).is_none() {
            self.put_down(turn.records.len());
        }
        self.journal.write(&mut self.run, &turn.records)?;
        self.teller.see(&self.run);
        self.trouble = None;
        if let Some(news) = news {
            (self.say)(&self.run, &news);
        }
        Ok(())
    }

    /// Says what went wrong, once.
    fn complain(&mut self, words: String) {
        if self.trouble.as_ref() != Some(&words) {
            (self.say)(&self.run, &format!("{words}; trying again"));
        }
        self.trouble = Some(words);
    }

    /// Takes this rollout's sign away where it is still there. What serves stays as it is.
    async fn release(&mut self) -> Result<(), journal::Error> {
        if self.run.is_released {
            return Ok(());
        }
        let own = self.run.marker();
        for _ in 0..RELEASES_MAX {
            let is_free = match self.cloud.see(&self.run.target).await {
                Ok(seen) => {
                    let calls = self.run.target.calls(&seen, Change::Release, &own, false);
                    let mut is_free = true;
                    for call in calls.unwrap_or_default() {
                        is_free &= self.cloud.call(&self.run.target, call).await.is_ok();
                    }
                    is_free
                }
                Err(fault) => fault.kind == Kind::Gone,
            };
            if is_free {
                self.run.is_released = true;
                return self.journal.write(&mut self.run, &[]);
            }
            // AWS says nothing when it can be reached again.
            tokio::time::sleep(RETRY).await;
        }
        let words = format!(
            "the sign of run {} could not be taken from {}; the same command tries again",
            own.run,
            self.run.target.shown()
        );
        (self.say)(&self.run, &words);
        Ok(())
    }
}

/// Waits, until somebody orders something.
async fn ordered(journal: &Journal, from: u64, until: Instant) -> Result<(), journal::Error> {
    while Instant::now() < until && journal.orders(from)?.is_empty() {
        // Orders are files of another process, which rings nobody.
        tokio::time::sleep_until(until.min(Instant::now() + POLL)).await;
    }
    Ok(())
}

/// The time of this machine.
pub fn wall_clock() -> Clock {
    Arc::new(now_ms)
}

/// Epoch milliseconds.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
