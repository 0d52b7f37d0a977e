//! Those who asked to be told of a rollout's changes are told beside its loop, so that nobody who is slow to listen holds a rollback
//! up, or another receiver.
//!
//! What is to be told is written down with the change itself, and struck out once it was told or given up: a process that goes on after
//! a crash tells what the one before it didn't, by the same words. A step that AWS takes at once is told when it was done, as on a
//! server of our own, where both are one commit; one that AWS doesn't take is told as it stands.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pitbird_rollout::hook::{is_url, signature};
use pitbird_rollout::notice::{About, NOTIFICATIONS_MAX, Standing, body};
use pitbird_webhook::Webhooks;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::run::Run;

/// Changes that may wait to be told to one receiver; those beyond are left out.
pub const WAITING_MAX: usize = 64;
/// How long one may take, with all attempts.
const PATIENCE: Duration = Duration::from_secs(45);
/// Lengths of a secret, characters.
const SECRET_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// A change that a URL is still to be told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    pub url: String,
    /// The number of the rollout's newest record then: it tells changes apart.
    pub entry: u64,
    /// JSON.
    pub body: String,
}

/// A change on its way to a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub url: String,
    pub body: String,
    /// For the header `X-Pitbird-Signature`.
    pub signature: Option<String>,
}

/// How it went; an error says what was wrong with the last attempt.
pub type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
/// Tells a URL; tries as often as is right.
pub type TellOf = Arc<dyn Fn(Notice) -> Answer + Send + Sync>;

/// Nobody waits for this any more: it was told, or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub url: String,
    pub entry: u64,
    pub answer: Result<(), String>,
}

/// What is wrong with the receivers of an order.
pub fn check(given: &Json) -> Result<(), String> {
    let receivers = given.as_array().map(Vec::as_slice).unwrap_or_default();
    if receivers.len() > NOTIFICATIONS_MAX {
        return Err(format!("Notifications names more than {NOTIFICATIONS_MAX} URLs"));
    }
    for (at, receiver) in receivers.iter().enumerate() {
        let url = receiver["Url"].as_str().unwrap_or_default();
        if !is_url(url) {
            return Err(format!("Notifications: {url:?} is no http or https URL"));
        }
        if receivers[..at].iter().any(|other| other["Url"] == url) {
            return Err(format!("Notifications names {url} twice"));
        }
        let secret = &receiver["Secret"];
        let fits = |secret: &str| SECRET_CHARS.contains(&secret.chars().count());
        if !secret.is_null() && !secret.as_str().is_some_and(fits) {
            return Err(format!("Notifications: a secret for {url} has 16 to 128 characters"));
        }
    }
    Ok(())
}

/// Puts down what is news of a run for those who asked, if anything is. `records` are written along with it. Gives the URLs that aren't
/// told, since too many changes wait for them.
pub fn put_down(run: &mut Run, region: &str, records: u64, now_ms: u64) -> Vec<String> {
    let urls: Vec<String> =
        receivers(&run.input).filter_map(|to| to["Url"].as_str().map(str::to_owned)).collect();
    if urls.is_empty() {
        return Vec::new();
    }
    let standing = Standing::of(&run.plan, &run.state);
    let before = run.told.replace(standing.clone());
    if before.is_none_or(|before| before == standing) {
        return Vec::new();
    }
    let entry = run.records + records;
    let about = About {
        time: now_ms,
        account: None,
        region,
        rollout: &run.name,
        target: run.target.name(),
        reason: &run.reason,
        entry,
    };
    let body = body(&run.plan, &run.state, about);
    let mut left_out = Vec::new();
    for url in urls {
        if run.notices.iter().filter(|waiting| waiting.url == url).count() < WAITING_MAX {
            run.notices.push(Waiting { url, entry, body: body.clone() });
        } else {
            left_out.push(url);
        }
    }
    left_out
}

fn receivers(input: &Json) -> impl Iterator<Item = &Json> {
    input["Notifications"].as_array().into_iter().flatten()
}

/// Tells the receivers of one rollout, each one change after the other.
pub struct Teller {
    tell: TellOf,
    calls: JoinSet<Told>,
    busy: BTreeSet<String>,
}

impl Teller {
    pub fn new(tell: TellOf) -> Teller {
        Teller { tell, calls: JoinSet::new(), busy: BTreeSet::new() }
    }

    /// By POSTs from here.
    pub fn by_webhooks() -> Teller {
        let urls = Arc::new(Webhooks::default());
        Teller::new(Arc::new(move |Notice { url, body, signature }| {
            let urls = urls.clone();
            Box::pin(async move { urls.post_signed(&url, body, signature.as_deref()).await })
        }))
    }

    /// Tells whoever is told nothing at the moment what waits for him longest. What waits has been written down.
    pub fn see(&mut self, run: &Run) {
        for Waiting { url, entry, body } in run.notices.iter().cloned() {
            if !self.busy.insert(url.clone()) {
                continue;
            }
            let secret =
                receivers(&run.input).find(|to| to["Url"] == url).and_then(|to| to["Secret"].as_str());
            let signature = secret.map(|secret| signature(secret, &body));
            let telling = (self.tell)(Notice { url: url.clone(), body, signature });
            self.calls.spawn(async move {
                let answer = timeout(PATIENCE, telling).await;
                Told { url, entry, answer: answer.unwrap_or_else(|_| Err("it took too long".to_owned())) }
            });
        }
    }

    /// Comes back once somebody was told, or given up; never while nobody is told anything.
    pub async fn heard(&mut self) -> Told {
        loop {
            match self.calls.join_next().await {
                Some(Ok(told)) => {
                    self.busy.remove(&told.url);
                    return told;
                }
                // A call that broke down says nothing of whose it was; the next look tells again what still waits.
                Some(Err(_)) if self.calls.is_empty() => self.busy.clear(),
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests;
