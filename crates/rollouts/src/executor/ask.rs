//! Calls of the hook that a rollout waits for, beside the rollout's loop: nobody who is slow to answer holds a rollback up.

use std::time::Duration;

use pitbird_rollout::{self as planner, HookAnswer, HookWord, Note};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::{AskOf, Clock, Rollout, hook};

/// Calls hooks for one rollout, one at a time.
pub struct Asker {
    ask: AskOf,
    clock: Clock,
    calls: JoinSet<HookAnswer>,
    /// Number and call of the question that is being asked, or was last.
    asked: Option<(u64, u32)>,
    /// What was answered and isn't written down yet.
    answers: Vec<HookAnswer>,
}

impl Asker {
    pub fn new(ask: AskOf, clock: Clock) -> Asker {
        Asker { ask, clock, calls: JoinSet::new(), asked: None, answers: Vec::new() }
    }

    /// What goes into the next look.
    pub fn answers(&self) -> Vec<HookAnswer> {
        self.answers.clone()
    }

    /// Calls what a rollout, as it is written down, wants to be asked; calls that nobody waits for any more are given up.
    pub fn see(&mut self, rollout: &Rollout) {
        let open = rollout.state.question();
        let wanted = open.map(|question| (question.number, question.call));
        if wanted == self.asked {
            return;
        }
        self.asked = wanted;
        self.answers.clear();
        self.calls = JoinSet::new();
        let Some(question) = open else { return };
        let Some(hook) = rollout.plan.hooks().get(question.hook).cloned() else { return };
        let (rollout, question) = (rollout.clone(), question.clone());
        let (ask, clock) = (self.ask.clone(), self.clock.clone());
        self.calls.spawn(async move {
            sleep(Duration::from_millis(question.due_ms.saturating_sub(clock()))).await;
            let call = hook::call(&rollout, &question, clock()).expect("the hook is in the plan");
            let timeout_ms = hook.patience.timeout_ms;
            let late = |_| Err(format!("it did not answer within {} s", timeout_ms as f64 / 1e3));
            let said = timeout(Duration::from_millis(timeout_ms), ask(call)).await.unwrap_or_else(late);
            let (word, words) = planner::hook::read(hook.point, said);
            HookAnswer { number: question.number, call: question.call, word, words }
        });
    }

    /// Comes back once there is an answer; never while nobody is asked.
    pub async fn heard(&mut self) {
        let Some(ended) = self.calls.join_next().await else { return std::future::pending().await };
        let answer = ended.ok().or_else(|| {
            let (number, call) = self.asked?;
            Some(HookAnswer {
                number,
                call,
                word: HookWord::Failed,
                words: Note::from("the call broke down"),
            })
        });
        self.answers.extend(answer);
    }
}
