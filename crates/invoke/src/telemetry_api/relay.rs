//! What is kept for subscribers until it is sent, and when that is due. A subscriber that falls behind loses events and is told so;
//! nobody else suffers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::logs_api::{self, LogsEvent};
use super::subscription::{Api, Buffering, Form, Kind, Protocol, Subscription};
use crate::lines::instant;

/// Batches that may wait for a subscriber; what is more is dropped.
const BATCHES_MAX: usize = 2;
/// Events before anybody has subscribed that are kept, and their bytes.
const HISTORY_ITEMS_MAX: usize = 1000;
const HISTORY_BYTES_MAX: usize = 262_144;

/// Source: the developer guide's example of `platform.logsDropped`.
const FALLEN_BEHIND: &str =
    "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.";

/// One event as subscribers get it.
#[derive(Debug, Clone)]
struct Event {
    kind: Kind,
    /// By the Telemetry API, of a schema that has JSON lines as JSON; nothing is only for the other API.
    json: Option<Arc<str>>,
    /// As text, where it differs.
    text: Option<Arc<str>>,
    /// By the Logs API, if anybody may ask for that: nothing, one, or more.
    logs: Vec<LogsEvent>,
}

impl Event {
    /// What it takes to keep it.
    fn bytes(&self) -> usize {
        let logs = self.logs.iter().map(|event| event.json.len()).sum();
        self.json.as_ref().map_or(0, |json| json.len()).max(logs)
    }

    /// As it is in one form.
    fn in_form(&self, form: Form) -> impl Iterator<Item = &Arc<str>> {
        let (telemetry, logs) = match form {
            Form::Telemetry { keeps_json: true } => (self.json.as_ref(), &[][..]),
            Form::Telemetry { keeps_json: false } => (self.text.as_ref().or(self.json.as_ref()), &[][..]),
            Form::Logs { .. } => (None, &self.logs[..]),
        };
        let takes_newer = form == Form::Logs { has_runtime_done: true };
        let logs = logs.iter().filter(move |event| takes_newer || !event.is_newer);
        telemetry.into_iter().chain(logs.map(|event| &event.json))
    }
}

/// Hands events to those that have subscribed to them.
#[derive(Debug)]
pub struct Relay {
    /// What came before; `None` when nobody can subscribe any more.
    history: Option<History>,
    subscribers: Vec<Arc<Subscriber>>,
}

#[derive(Debug, Default)]
struct History {
    events: Vec<Event>,
    bytes: usize,
    dropped: Dropped,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Dropped {
    records: u64,
    bytes: u64,
}

impl Dropped {
    fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
    }
}

impl Relay {
    pub fn new() -> Relay {
        Relay { history: Some(History::default()), subscribers: Vec::new() }
    }

    /// Can somebody still subscribe?
    pub fn is_open(&self) -> bool {
        self.history.is_some()
    }

    /// Is there anybody, or may there be, who takes such events?
    pub fn is_wanted(&self, kind: Kind) -> bool {
        self.is_open() || self.subscribers.iter().any(|subscriber| subscriber.subscription.takes(kind))
    }

    /// Have all been sent what there was?
    pub fn is_quiet(&self) -> bool {
        self.subscribers.iter().all(|subscriber| subscriber.has_all())
    }

    /// What this one has asked for, if it has.
    pub fn asked_by(&self, name: &str) -> Option<&Subscription> {
        let subscriber = self.subscribers.iter().find(|subscriber| subscriber.name == name)?;
        Some(&subscriber.subscription)
    }

    /// Is there anybody, or may there be, who takes events by the Logs API?
    fn wants_logs(&self) -> bool {
        let is_logs = |subscriber: &Arc<Subscriber>| subscriber.subscription.form.api() == Api::Logs;
        self.is_open() || self.subscribers.iter().any(is_logs)
    }

    /// From now on nobody can subscribe.
    pub fn close(&mut self) {
        self.history = None;
    }

    /// Another one, who first gets what came before.
    pub fn subscribe(&mut self, name: &str, subscription: Subscription, now: Instant) -> Arc<Subscriber> {
        let subscriber = Arc::new(Subscriber::new(name.to_owned(), subscription));
        if let Some(history) = &self.history {
            let mut queue = subscriber.queue();
            queue.dropped = history.dropped;
            history.events.iter().for_each(|event| queue.push(&subscriber.subscription, event, now));
        }
        subscriber.news.notify_one();
        self.subscribers.push(subscriber.clone());
        subscriber
    }

    /// What the platform tells.
    pub fn platform(&mut self, event: &Value) {
        let logs = if self.wants_logs() { logs_api::platform(event) } else { Vec::new() };
        self.push(Event { kind: Kind::Platform, json: Some(event.to_string().into()), text: None, logs });
    }

    /// What the platform says of a failure. In the Telemetry API that is part of other events.
    pub fn fault(&mut self, now_ms: i64, words: &str) {
        if self.wants_logs() {
            let logs = vec![logs_api::fault(now_ms, words)];
            self.push(Event { kind: Kind::Platform, json: None, text: None, logs });
        }
    }

    /// A line that was logged. `is_json` says that lines may be JSON.
    pub fn line(&mut self, kind: Kind, now_ms: i64, line: &[u8], is_json: bool) {
        if !self.is_wanted(kind) {
            return;
        }
        let line = String::from_utf8_lossy(line);
        let logs = self.wants_logs().then(|| logs_api::written(kind, now_ms, &line));
        let logs: Vec<LogsEvent> = logs.into_iter().collect();
        let line = line.trim_end_matches(['\n', '\r']);
        let (time, name) = (instant(now_ms), kind.as_str());
        let text: Arc<str> = json!({ "time": time, "type": name, "record": line }).to_string().into();
        let object = (is_json && line.starts_with('{')).then(|| serde_json::from_str::<&RawValue>(line).ok());
        let event = match object.flatten() {
            Some(object) => {
                let json = format!(r#"{{"time":"{time}","type":"{name}","record":{object}}}"#);
                Event { kind, json: Some(json.into()), text: Some(text), logs }
            }
            None => Event { kind, json: Some(text), text: None, logs },
        };
        self.push(event);
    }

    /// Nothing is to be gathered any more: what there is, and what comes, is due at once.
    pub fn flush(&self) {
        for subscriber in &self.subscribers {
            subscriber.queue().is_flushing = true;
            subscriber.news.notify_one();
        }
    }

    fn push(&mut self, event: Event) {
        let now = Instant::now();
        for subscriber in &self.subscribers {
            let mut queue = subscriber.queue();
            let buffering = &subscriber.subscription.buffering;
            let (was_due, was_empty) = (queue.is_due(buffering, now), queue.events.is_empty());
            queue.push(&subscriber.subscription, &event, now);
            if was_empty || (!was_due && queue.is_due(buffering, now)) {
                subscriber.news.notify_one();
            }
        }
        if let Some(history) = &mut self.history {
            let bytes = event.bytes();
            if history.events.len() >= HISTORY_ITEMS_MAX || history.bytes + bytes > HISTORY_BYTES_MAX {
                history.dropped.add(bytes);
            } else {
                history.bytes += bytes;
                history.events.push(event);
            }
        }
    }
}

/// One that has subscribed, with what waits for it.
#[derive(Debug)]
pub struct Subscriber {
    pub name: String,
    pub subscription: Subscription,
    queue: Mutex<Queue>,
    /// Wakes who delivers.
    news: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Arc<str>>,
    bytes: usize,
    /// When the first of them came.
    since: Option<Instant>,
    dropped: Dropped,
    is_flushing: bool,
    /// A batch has been handed out and not been taken yet.
    is_underway: bool,
}

impl Subscriber {
    fn new(name: String, subscription: Subscription) -> Subscriber {
        Subscriber { name, subscription, queue: Mutex::default(), news: Notify::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is to be sent: an array of events, or a line for each, with what was lost before them. Whoever asks says that the
    /// batch before was taken.
    pub async fn batch(&self) -> String {
        self.queue().is_underway = false;
        loop {
            let due = {
                let mut queue = self.queue();
                let buffering = &self.subscription.buffering;
                if queue.is_due(buffering, Instant::now()) {
                    queue.is_underway = true;
                    return queue.batch(&self.subscription);
                }
                queue.since.map(|since| since + buffering.timeout)
            };
            match due {
                Some(due) => {
                    // Whatever comes first; then it is looked again.
                    let _ = tokio::time::timeout_at(due.into(), self.news.notified()).await;
                }
                None => self.news.notified().await,
            }
        }
    }

    /// Has it been sent all that there was, and taken it?
    fn has_all(&self) -> bool {
        let queue = self.queue();
        queue.since.is_none() && !queue.is_underway
    }

    /// Is there little time left to wait for this one?
    pub fn is_flushing(&self) -> bool {
        self.queue().is_flushing
    }
}

impl Queue {
    fn push(&mut self, subscription: &Subscription, event: &Event, now: Instant) {
        if !subscription.takes(event.kind) {
            return;
        }
        let Buffering { items_max, bytes_max, .. } = subscription.buffering;
        for own in event.in_form(subscription.form) {
            let is_full = self.events.len() >= items_max * BATCHES_MAX
                || (self.bytes + own.len() > bytes_max * BATCHES_MAX && !self.events.is_empty());
            if is_full {
                self.dropped.add(own.len());
                continue;
            }
            self.bytes += own.len();
            self.since.get_or_insert(now);
            self.events.push_back(own.clone());
        }
    }

    fn is_due(&self, buffering: &Buffering, now: Instant) -> bool {
        let Some(since) = self.since else { return false };
        self.is_flushing
            || self.events.len() >= buffering.items_max
            || self.bytes >= buffering.bytes_max
            || now >= since + buffering.timeout
    }

    /// As many as a batch may have, and at least one.
    fn batch(&mut self, subscription: &Subscription) -> String {
        let buffering = &subscription.buffering;
        let (open, between, close) = match subscription.destination.protocol {
            Protocol::Http { .. } => ("[", ",", "]"),
            Protocol::Tcp => ("", "\n", "\n"),
        };
        let mut batch = String::from(open);
        let dropped = std::mem::take(&mut self.dropped);
        let mut count = 0;
        if dropped != Dropped::default() {
            let record = json!({
                "droppedBytes": dropped.bytes, "droppedRecords": dropped.records, "reason": FALLEN_BEHIND,
            });
            let time = instant(crate::clock::now_ms());
            let event = json!({ "time": time, "type": "platform.logsDropped", "record": record });
            batch.push_str(&event.to_string());
            count += 1;
        }
        while let Some(event) = self.events.front() {
            let is_full = count >= buffering.items_max || batch.len() + event.len() + 2 > buffering.bytes_max;
            if is_full && count > 0 {
                break;
            }
            if count > 0 {
                batch.push_str(between);
            }
            batch.push_str(event);
            self.bytes -= event.len();
            self.events.pop_front();
            count += 1;
        }
        if self.events.is_empty() {
            self.since = None;
        }
        batch.push_str(close);
        batch
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn subscription(kinds: &[&str], schema: &str) -> Subscription {
        let asked = json!({
            "schemaVersion": schema, "types": kinds,
            "buffering": { "maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25 },
            "destination": { "protocol": "HTTP", "URI": "http://sandbox:8080" },
        });
        Subscription::parse(Api::Telemetry, asked.to_string().as_bytes()).unwrap()
    }

    async fn batch(subscriber: &Subscriber) -> Vec<Value> {
        let batch = tokio::time::timeout(Duration::from_secs(10), subscriber.batch()).await;
        serde_json::from_str(&batch.expect("a batch")).unwrap()
    }

    #[tokio::test]
    async fn a_subscriber_gets_its_kinds_and_what_came_before() {
        let mut relay = Relay::new();
        relay.platform(&json!({ "type": "platform.initStart" }));
        relay.line(Kind::Function, 0, b"before\n", false);
        let all = relay.subscribe(
            "all",
            subscription(&["platform", "function", "extension"], "2022-12-13"),
            Instant::now(),
        );
        let lines = relay.subscribe("lines", subscription(&["extension"], "2022-12-13"), Instant::now());
        relay.close();
        relay.line(Kind::Extension, 1_712_595_382_000, b"from an extension", false);
        let got = batch(&all).await;
        assert_eq!(got.len(), 3);
        assert_eq!(got[1]["record"], "before");
        let line =
            json!({ "time": "2024-04-08T16:56:22.000Z", "type": "extension", "record": "from an extension" });
        assert_eq!(batch(&lines).await, [line]);
        assert!(relay.asked_by("all").is_some() && relay.asked_by("other").is_none() && !relay.is_open());
    }

    #[tokio::test]
    async fn over_tcp_each_event_is_a_line() {
        let mut relay = Relay::new();
        let mut asked = subscription(&["function"], "2022-12-13");
        asked.destination.protocol = Protocol::Tcp;
        let lines = relay.subscribe("lines", asked, Instant::now());
        relay.line(Kind::Function, 0, b"1\n", false);
        relay.line(Kind::Function, 0, b"2\n", false);
        let batch = tokio::time::timeout(Duration::from_secs(10), lines.batch()).await.unwrap();
        let events: Vec<Value> =
            batch.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(batch.ends_with("}\n") && events.len() == 2, "{batch}");
        assert_eq!(events[1]["record"], "2");
    }

    #[tokio::test]
    async fn the_logs_api_has_its_own_form_of_what_came_before_and_after() {
        let mut relay = Relay::new();
        relay.line(Kind::Function, 0, b"{\"a\":1}\n", true);
        relay.platform(&json!({ "time": "t", "type": "platform.initStart", "record": {} }));
        let logs = |has_runtime_done| Subscription {
            form: Form::Logs { has_runtime_done },
            ..subscription(&["platform", "function"], "2022-12-13")
        };
        let old = relay.subscribe("old", logs(false), Instant::now());
        let new = relay.subscribe("new", logs(true), Instant::now());
        let telemetry =
            relay.subscribe("telemetry", subscription(&["platform"], "2022-12-13"), Instant::now());
        relay.close();
        let done = json!({ "requestId": "id", "status": "success" });
        relay.platform(&json!({ "time": "t", "type": "platform.runtimeDone", "record": done }));
        relay.fault(0, "it failed\n");
        let types = |events: &[Value]| {
            events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let got = batch(&old).await;
        assert_eq!(types(&got), ["function", "platform.fault"]);
        assert_eq!((&got[0]["record"], &got[1]["record"]), (&json!("{\"a\":1}\n"), &json!("it failed")));
        assert_eq!(types(&batch(&new).await), ["function", "platform.runtimeDone", "platform.fault"]);
        assert_eq!(types(&batch(&telemetry).await), ["platform.initStart", "platform.runtimeDone"]);
    }

    #[tokio::test]
    async fn json_lines_are_json_where_the_schema_has_them() {
        let mut relay = Relay::new();
        let new = relay.subscribe("new", subscription(&["function"], "2022-12-13"), Instant::now());
        let old = relay.subscribe("old", subscription(&["function"], "2022-07-01"), Instant::now());
        relay.line(Kind::Function, 0, b"{\"a\": 1}\n", true);
        relay.line(Kind::Function, 0, b"{not json}\n", true);
        let records =
            |events: Vec<Value>| events.into_iter().map(|event| event["record"].clone()).collect::<Vec<_>>();
        assert_eq!(records(batch(&new).await), [json!({ "a": 1 }), json!("{not json}")]);
        assert_eq!(records(batch(&old).await), [json!("{\"a\": 1}"), json!("{not json}")]);
    }

    #[tokio::test]
    async fn batches_have_their_bounds_and_losses_are_told() {
        let mut relay = Relay::new();
        let slow = relay.subscribe("slow", subscription(&["function"], "2022-12-13"), Instant::now());
        for number in 0..5000 {
            relay.line(Kind::Function, 0, number.to_string().as_bytes(), false);
        }
        let first = batch(&slow).await;
        assert_eq!(first.len(), 1000);
        assert_eq!(first[0]["type"], "platform.logsDropped");
        assert_eq!((&first[0]["record"]["droppedRecords"], &first[1]["record"]), (&json!(3000), &json!("0")));
        let mut count = first.len() - 1;
        while count < 2000 {
            let next = batch(&slow).await;
            assert!(next.len() <= 1000);
            count += next.len();
        }
        assert_eq!(count, 2000);
        for _ in 0..20 {
            relay.line(Kind::Function, 0, &[b'x'; 100_000], false);
        }
        let mut records = 0;
        while let Ok(batch) = tokio::time::timeout(Duration::from_millis(200), slow.batch()).await {
            assert!(batch.len() <= 262_144, "{}", batch.len());
            records += batch.matches("xxx\"").count();
        }
        assert_eq!(records, 5, "two batches' worth");
    }

    #[tokio::test]
    async fn little_is_sent_when_its_time_has_come_or_nobody_waits_any_more() {
        let mut relay = Relay::new();
        let mut patient = subscription(&["function"], "2022-12-13");
        patient.buffering.timeout = Duration::from_secs(30);
        let patient = relay.subscribe("patient", patient, Instant::now());
        relay.line(Kind::Function, 0, b"1", false);
        assert!(tokio::time::timeout(Duration::from_millis(50), patient.batch()).await.is_err());
        relay.flush();
        assert_eq!(batch(&patient).await.len(), 1);
        relay.line(Kind::Function, 0, b"2", false);
        assert_eq!(batch(&patient).await.len(), 1);
    }

    #[test]
    fn what_came_before_anybody_asked_is_bounded() {
        let mut relay = Relay::new();
        for _ in 0..2000 {
            relay.line(Kind::Function, 0, &[b'x'; 1000], false);
        }
        let late = relay.subscribe("late", subscription(&["function"], "2022-12-13"), Instant::now());
        let queue = late.queue();
        assert!(
            queue.bytes <= HISTORY_BYTES_MAX && queue.dropped.records + queue.events.len() as u64 == 2000
        );
    }
}
