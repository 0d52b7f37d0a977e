//! Events on their way to the functions that subscribe to them.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use pitbird_names::{Scope, limits};
use pitbird_telemetry::logs::Filed;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::filters::Subscription;
use crate::subscriber::{self, Delivery};
use crate::{Error, State};

/// Text of one message's events, bytes: what can't be compressed still fits into an event for a function.
const MESSAGE_BYTES: usize = 512 << 10;
/// A function that logs into the group that it subscribes to gets a message this often, milliseconds: each brings another.
/// AWS would go on as fast as it can.
const LOOP_EVERY_MS: i64 = 10_000;
/// Messages that such a function has waiting.
const LOOP_WAITING_MAX: usize = 100;

/// A message that didn't get into the function's queue is sent again: after a second, and then after twice as long each time, up to a
/// minute, milliseconds.
const RETRY_FIRST_MS: i64 = 1000;
const RETRY_MOST_MS: i64 = 60_000;
/// For how long that goes on, milliseconds. On AWS it may be a day; here they wait in memory.
const RETRY_FOR_MS: i64 = 600_000;
/// Messages that wait to be sent again, bytes.
const RETRY_BYTES_MAX: usize = 16 << 20;

/// Events of one stream for one subscription.
#[derive(Debug)]
pub struct Message {
    pub scope: Scope,
    pub subscription: Arc<Subscription>,
    /// The function's event.
    payload: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    message_type: &'static str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: [&'a str; 1],
    log_events: Vec<Event<'a>>,
}

#[derive(Debug, Serialize)]
struct Event<'a> {
    id: String,
    timestamp: i64,
    message: &'a str,
}

/// The messages that a batch makes for a subscription.
pub fn messages(batch: &Filed, subscription: &Arc<Subscription>) -> Vec<Message> {
    let (mut messages, mut events, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (id, message) in batch.events().filter(|(_, message)| subscription.takes(message)) {
        if bytes + message.len() > MESSAGE_BYTES && !events.is_empty() {
            messages.extend(message_of(batch, subscription, std::mem::take(&mut events)));
            bytes = 0;
        }
        bytes += message.len();
        events.push(Event { id: id.to_string(), timestamp: id.at_ms(), message });
    }
    if !events.is_empty() {
        messages.extend(message_of(batch, subscription, events));
    }
    messages
}

fn message_of(batch: &Filed, subscription: &Arc<Subscription>, events: Vec<Event<'_>>) -> Option<Message> {
    let count = events.len();
    let data = Data {
        message_type: "DATA_MESSAGE",
        owner: batch.scope.account.as_str(),
        log_group: &batch.group,
        log_stream: &batch.stream,
        subscription_filters: [&subscription.name],
        log_events: events,
    };
    let payload = wrap(&data).filter(|payload| payload.len() <= limits::EVENT_PAYLOAD_BYTES);
    if payload.is_none() {
        let filter = &subscription.name;
        tracing::error!(filter, count, "log events are too large for a function's event");
    }
    Some(Message { scope: batch.scope.clone(), subscription: subscription.clone(), payload: payload? })
}

/// `{"awslogs":{"data":…}}` with the data as JSON, compressed, in base64.
fn wrap(data: &Data<'_>) -> Option<String> {
    let json = serde_json::to_vec(data).ok()?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&json).ok()?;
    let packed = STANDARD.encode(packed.finish().ok()?);
    Some(format!("{{\"awslogs\":{{\"data\":\"{packed}\"}}}}"))
}

/// Sends messages, and holds back those that would run in a circle.
pub struct Sending {
    state: Arc<State>,
    held: HashMap<(Scope, Arc<str>, String), Held>,
    retries: Vec<Retry>,
}

/// A message that is to be sent again.
struct Retry {
    message: Message,
    /// When it was sent first, and how long after the last time it is sent next, milliseconds.
    first_ms: i64,
    wait_ms: i64,
    next_ms: i64,
}

#[derive(Default)]
struct Held {
    messages: VecDeque<Message>,
    /// Milliseconds since 1970.
    next_ms: i64,
}

impl Sending {
    pub fn new(state: Arc<State>) -> Sending {
        Sending { state, held: HashMap::new(), retries: Vec::new() }
    }

    /// Sends what may go at once. Returns when it is in the functions' queues.
    pub async fn send(&mut self, messages: Vec<Message>, now_ms: i64) {
        let (mut at_once, mut has_held) = (Vec::new(), false);
        for message in messages {
            if subscriber::is_loop(&self.state, &message.scope, &message.subscription) {
                self.hold(message);
                has_held = true;
            } else {
                at_once.push(message);
            }
        }
        self.deliver_new(at_once, now_ms).await;
        if has_held {
            self.release(now_ms).await;
        }
    }

    fn hold(&mut self, message: Message) {
        let subscription = &message.subscription;
        let key = (message.scope.clone(), subscription.group.clone(), subscription.name.clone());
        let held = self.held.entry(key).or_default();
        if held.messages.len() == LOOP_WAITING_MAX {
            let (group, filter) = (&*subscription.group, &subscription.name);
            tracing::warn!(
                group,
                filter,
                "a function subscribes to its own log group: log events are left out"
            );
            held.messages.pop_front();
        }
        held.messages.push_back(message);
    }

    /// Sends what may go now of what was held back, and again what is due of what didn't arrive.
    pub async fn release(&mut self, now_ms: i64) {
        self.send_again(now_ms).await;
        let mut free = Vec::new();
        for held in self.held.values_mut().filter(|held| held.next_ms <= now_ms) {
            if let Some(message) = held.messages.pop_front() {
                held.next_ms = now_ms.saturating_add(LOOP_EVERY_MS);
                free.push(message);
            }
        }
        self.held.retain(|_, held| !held.messages.is_empty() || held.next_ms > now_ms);
        self.deliver_new(free, now_ms).await;
    }

    async fn deliver_new(&mut self, messages: Vec<Message>, now_ms: i64) {
        for (message, error) in self.deliver(messages).await {
            let next_ms = now_ms.saturating_add(RETRY_FIRST_MS);
            let retry = Retry { message, first_ms: now_ms, wait_ms: RETRY_FIRST_MS, next_ms };
            self.postpone(retry, now_ms, &error);
        }
    }

    async fn send_again(&mut self, now_ms: i64) {
        let (due, later) =
            std::mem::take(&mut self.retries).into_iter().partition(|retry| retry.next_ms <= now_ms);
        self.retries = later;
        let due: Vec<Retry> = due;
        for Retry { message, first_ms, wait_ms, .. } in due {
            for (message, error) in self.deliver(vec![message]).await {
                let wait_ms = (wait_ms * 2).min(RETRY_MOST_MS);
                let next_ms = now_ms.saturating_add(wait_ms);
                self.postpone(Retry { message, first_ms, wait_ms, next_ms }, now_ms, &error);
            }
        }
    }

    fn postpone(&mut self, retry: Retry, now_ms: i64, error: &Error) {
        let waiting: usize = self.retries.iter().map(|retry| retry.message.payload.len()).sum();
        let fits = waiting + retry.message.payload.len() <= RETRY_BYTES_MAX;
        if fits && now_ms < retry.first_ms.saturating_add(RETRY_FOR_MS) {
            self.retries.push(retry);
        } else {
            lost(&retry.message.subscription, error);
        }
    }

    /// When the next message that is held back may go.
    pub fn next_ms(&self) -> Option<i64> {
        let waiting = self.held.values().filter(|held| !held.messages.is_empty());
        waiting.map(|held| held.next_ms).chain(self.retries.iter().map(|retry| retry.next_ms)).min()
    }

    /// Answers those that found no place in the function's queue, and why.
    async fn deliver(&self, messages: Vec<Message>) -> Vec<(Message, Error)> {
        let mut deliveries = JoinSet::new();
        for message in messages {
            // Somebody may have taken the function or its permission away since.
            let Message { scope, subscription, payload } = &message;
            if let Err(error) = subscriber::check(&self.state, scope, subscription) {
                lost(subscription, &error);
                continue;
            }
            let delivery = (self.state.deliver)(Delivery {
                scope: scope.clone(),
                function: subscription.function.clone(),
                qualifier: subscription.qualifier.clone(),
                payload: payload.clone(),
            });
            deliveries
                .spawn(async move { delivery.await.err().map(|cause| (message, Error::Undelivered(cause))) });
        }
        let mut undelivered = Vec::new();
        while let Some(ended) = deliveries.join_next().await {
            match ended {
                Ok(missed) => undelivered.extend(missed),
                Err(ended) => tracing::error!(%ended, "log events couldn't be sent"),
            }
        }
        undelivered
    }
}

fn lost(subscription: &Subscription, error: &Error) {
    let (group, filter) = (&*subscription.group, &subscription.name);
    tracing::warn!(group, filter, %error, "log events didn't reach the function that subscribes to them");
}
