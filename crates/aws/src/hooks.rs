//! Functions and URLs that are asked whether the rollout may go on, beside its loop: nobody who is slow to answer holds a rollback up.

use std::sync::Arc;
use std::time::Duration;

use pitbird_rollout::hook::{ANSWER_BYTES_MAX, Around, Event, read, signature};
use pitbird_rollout::{HookAnswer, HookWord, Note, Question, Whom, notice};
use pitbird_webhook::Webhooks;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::cloud::Cloud;
use crate::drive::Clock;
use crate::run::Run;

/// Asks the hooks of one rollout, one at a time.
pub struct Asker {
    clock: Clock,
    urls: Arc<Webhooks>,
    calls: JoinSet<HookAnswer>,
    /// Number and call of the question that is being asked, or was last.
    asked: Option<(u64, u32)>,
    /// What was answered and isn't written down yet.
    answers: Vec<HookAnswer>,
}

impl Asker {
    pub fn new(clock: Clock) -> Asker {
        Asker { clock, urls: Arc::default(), calls: JoinSet::new(), asked: None, answers: Vec::new() }
    }

    /// What goes into the next look.
    pub fn answers(&self) -> Vec<HookAnswer> {
        self.answers.clone()
    }

    /// Calls what a run, as it is written down, wants to be asked; calls that nobody waits for any more are given up.
    pub fn see(&mut self, cloud: &Cloud, run: &Run) {
        let open = run.state.question();
        let wanted = open.map(|question| (question.number, question.call));
        if wanted == self.asked {
            return;
        }
        (self.asked, self.calls) = (wanted, JoinSet::new());
        self.answers.clear();
        if let Some(question) = open {
            let (cloud, urls, clock) = (cloud.clone(), self.urls.clone(), self.clock.clone());
            self.calls.spawn(ask(cloud, urls, run.clone(), question.clone(), clock));
        }
    }

    /// Comes back once there is an answer; never while nobody is asked.
    pub async fn heard(&mut self) {
        let Some(ended) = self.calls.join_next().await else { return std::future::pending().await };
        self.answers.extend(ended.ok().or_else(|| {
            let (number, call) = self.asked?;
            Some(HookAnswer {
                number,
                call,
                word: HookWord::Failed,
                words: Note::from("the call broke down"),
            })
        }));
    }
}

async fn ask(cloud: Cloud, urls: Arc<Webhooks>, run: Run, question: Question, clock: Clock) -> HookAnswer {
    let hook = run.plan.hooks()[question.hook].clone();
    sleep(Duration::from_millis(question.due_ms.saturating_sub(clock()))).await;
    let patience = Duration::from_millis(hook.patience.timeout_ms);
    let body = event(&cloud, &run, &question, clock());
    let asked = async {
        match &hook.whom {
            Whom::Function(named) => cloud.invoke(named, body, patience).await,
            Whom::Url(url) => {
                let signature = run.hook_secret(&hook.name).map(|secret| signature(secret, &body));
                urls.ask(url, body, signature.as_deref(), ANSWER_BYTES_MAX).await
            }
        }
    };
    let said = timeout(patience, asked)
        .await
        .unwrap_or_else(|_| Err(format!("it did not answer within {} s", patience.as_secs_f64())));
    let (word, words) = read(hook.point, said);
    HookAnswer { number: question.number, call: question.call, word, words }
}

/// The same for every call of a question, also of another process.
pub fn id(cloud_region: &str, run: &Run, question: &Question) -> String {
    format!("{cloud_region}/{}/{}/{}/{}", run.name, run.began_ms, run.run, question.number)
}

fn event(cloud: &Cloud, run: &Run, question: &Question, now_ms: u64) -> String {
    let (base, canary) = run.target.base_and_canary();
    let around = Around {
        time: now_ms,
        account: None,
        region: cloud.region(),
        rollout: &run.name,
        target: run.target.name(),
        base,
        canary,
        status: notice::status(&run.plan, &run.state),
        phase: notice::phase(run.state.phase()),
        reason: &run.reason,
    };
    let id = id(cloud.region(), run, question);
    let event = Event::new(&run.plan, &run.state, question, &id, around);
    event.expect("the question is of this plan").to_json()
}
