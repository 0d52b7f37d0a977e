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
}

#[derive(Default)]
struct Held {
    messages: VecDeque<Message>,
    /// Milliseconds since 1970.
    next_ms: i64,
}

impl Sending {
    pub fn new(state: Arc<State>) -> Sending {
        Sending { state, held: HashMap::new() }
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
        self.deliver(at_once).await;
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

    /// Sends of what was held back what may go now.
    pub async fn release(&mut self, now_ms: i64) {
        let mut free = Vec::new();
        for held in self.held.values_mut().filter(|held| held.next_ms <= now_ms) {
            if let Some(message) = held.messages.pop_front() {
                held.next_ms = now_ms.saturating_add(LOOP_EVERY_MS);
                free.push(message);
            }
        }
        self.held.retain(|_, held| !held.messages.is_empty() || held.next_ms > now_ms);
        self.deliver(free).await;
    }

    /// When the next message that is held back may go.
    pub fn next_ms(&self) -> Option<i64> {
        let waiting = self.held.values().filter(|held| !held.messages.is_empty());
        waiting.map(|held| held.next_ms).min()
    }

    async fn deliver(&self, messages: Vec<Message>) {
        let mut deliveries = JoinSet::new();
        for Message { scope, subscription, payload } in messages {
            // Somebody may have taken the function or its permission away since.
            if let Err(error) = subscriber::check(&self.state, &scope, &subscription) {
                lost(&subscription, &error);
                continue;
            }
            let (function, qualifier) = (subscription.function.clone(), subscription.qualifier.clone());
            let delivery = (self.state.deliver)(Delivery { scope, function, qualifier, payload });
            deliveries.spawn(async move {
                if let Err(cause) = delivery.await {
                    lost(&subscription, &Error::Undelivered(cause));
                }
            });
        }
        while let Some(ended) = deliveries.join_next().await {
            if let Err(ended) = ended {
                tracing::error!(%ended, "log events couldn't be sent");
            }
        }
    }
}

fn lost(subscription: &Subscription, error: &Error) {
    let (group, filter) = (&*subscription.group, &subscription.name);
    tracing::warn!(group, filter, %error, "log events didn't reach the function that subscribes to them");
}
