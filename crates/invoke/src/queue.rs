//! Asynchronous invocations: acknowledged once they are on the disk, then tried until they succeed, have failed often
//! enough, or are too old. At least once: after a crash an attempt that was on is made again. An event that ends leaves
//! another for whom it tells, in the same commit.

mod destination;
pub(crate) mod plan;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use pitbird_names::{FunctionName, Qualifier, Scope, limits};
use pitbird_records::{AsyncEvent, EventInvokeConfig, Record};
use pitbird_snapshot::FunctionKey;
use pitbird_store::{ABSENT, Store};
use thiserror::Error;
use tokio::sync::{Notify, Semaphore, watch};

use crate::clock;
use crate::config::EventPolicy;
use crate::invocation::{Invocation, Outcome, Refused};
use crate::invoker::{Inner, Invoker};
use crate::measure::EventProbe;
use crate::parts::Parts;

use destination::Told;
use plan::{Attempt, Step, Why};

/// Records read at one go when the queue is loaded.
const PAGE: usize = 200;
/// The clock may be set while we wait; it is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// An asynchronous invocation as it comes.
#[derive(Debug, Clone)]
pub struct Event {
    pub scope: Scope,
    pub function: FunctionName,
    pub qualifier: Option<Qualifier>,
    /// Its payload is JSON of at most [`limits::EVENT_PAYLOAD_BYTES`]. No log tail comes of it.
    pub invocation: Invocation,
}

/// Why an event was not taken.
#[derive(Debug, Error)]
pub enum Unqueued {
    #[error("the payload is longer than {} bytes", limits::EVENT_PAYLOAD_BYTES)]
    PayloadTooLarge,
    #[error("the payload is not UTF-8")]
    NotText,
    #[error("the queue is full")]
    Full,
    #[error("the event can't be stored")]
    Store(#[from] pitbird_store::Error),
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// Events that wait, by the time they are due. The events themselves are in the store.
#[derive(Debug)]
pub(crate) struct Queue {
    policy: EventPolicy,
    due: Mutex<BinaryHeap<Reverse<(i64, String)>>>,
    /// Rings when something came in front, and at the end.
    bell: Notify,
    /// Events that were acknowledged and haven't ended.
    open: watch::Sender<usize>,
    running: Arc<Semaphore>,
}

impl Queue {
    pub fn new(policy: EventPolicy) -> Queue {
        let running = Arc::new(Semaphore::new(policy.running_max.max(1) as usize));
        let (due, bell, open) = (Mutex::default(), Notify::new(), watch::Sender::new(0));
        Queue { policy, due, bell, open, running }
    }

    /// Finds the events that an earlier process has left.
    pub fn load(&self, store: &Store) -> Result<(), pitbird_store::Error> {
        let mut after: Option<String> = None;
        loop {
            let page = store.page::<AsyncEvent>("", after.as_deref(), PAGE)?;
            for found in &page {
                self.schedule(found.record.due_ms, found.record.key());
            }
            self.open.send_modify(|open| *open += page.len());
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.record.key()),
                _ => return Ok(()),
            }
        }
    }

    /// Events that were acknowledged and haven't ended, now and at every change.
    pub fn open(&self) -> watch::Receiver<usize> {
        self.open.subscribe()
    }

    /// Wakes the dispatcher so that it sees the end.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Stores an event; durable when it returns.
    pub async fn take(&self, parts: &Arc<Parts>, event: Event) -> Result<(), Unqueued> {
        let store = parts.store().ok_or(Unqueued::ShuttingDown)?;
        let Event { scope, function, qualifier, invocation } = event;
        if invocation.payload.len() > limits::EVENT_PAYLOAD_BYTES {
            return Err(Unqueued::PayloadTooLarge);
        }
        let payload = String::from_utf8(invocation.payload.into()).map_err(|_| Unqueued::NotText)?;
        let has_room = self.open.send_if_modified(|open| {
            let has_room = *open < self.policy.queued_max;
            *open += usize::from(has_room);
            has_room
        });
        if !has_room {
            return Err(Unqueued::Full);
        }
        let qualifier = qualifier.map(|qualifier| qualifier.to_string());
        let probe = EventProbe::new(&parts.telemetry, &scope, &function, qualifier.as_deref());
        let received_ms = invocation.at_ms;
        let event = AsyncEvent {
            scope,
            function,
            qualifier,
            request_id: invocation.request_id,
            payload,
            client_context: invocation.client_context,
            trace_id: invocation.trace_id,
            received_ms,
            errors: 0,
            refusals: 0,
            due_ms: received_ms,
            hops: 0,
        };
        let key = event.key();
        let written = store.write(move |transaction| transaction.put_if(&event, ABSENT)).await
            as Result<_, pitbird_store::Error>;
        if let Err(error) = written {
            self.open.send_modify(|open| *open -= 1);
            return Err(error.into());
        }
        probe.received(received_ms);
        self.schedule(received_ms, key);
        Ok(())
    }

    fn schedule(&self, due_ms: i64, key: String) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.push(Reverse((due_ms, key)));
        let is_first = due.peek().is_some_and(|Reverse((first_ms, _))| *first_ms >= due_ms);
        drop(due);
        if is_first {
            self.bell.notify_one();
        }
    }

    /// The next event that is due, or how long until one is.
    fn next(&self, now_ms: i64) -> Result<String, Duration> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        match due.peek() {
            Some(Reverse((due_ms, _))) if *due_ms <= now_ms => Ok(due.pop().expect("it is there").0.1),
            Some(Reverse((due_ms, _))) => {
                Err(Duration::from_millis((*due_ms - now_ms).unsigned_abs()).min(LOOK_AGAIN))
            }
            None => Err(LOOK_AGAIN),
        }
    }
}

/// Runs events as they become due, until the door closes.
pub(crate) async fn dispatch(queue: Arc<Queue>, door: Weak<Inner>) {
    loop {
        let permit = queue.running.clone().acquire_owned().await.expect("the semaphore is never closed");
        let key = loop {
            match queue.next(clock::now_ms()) {
                Ok(key) => break key,
                Err(wait) => {
                    // Whichever comes first; an early bell is no harm.
                    let _ = tokio::time::timeout(wait, queue.bell.notified()).await;
                }
            }
            if door.upgrade().is_none_or(|door| door.is_closed()) {
                return;
            }
        };
        let Some(door) = door.upgrade().filter(|door| !door.is_closed()) else { return };
        let (parts, queue) = (door.parts.clone(), queue.clone());
        parts.tasks.spawn(async move {
            attempt(&queue, Invoker::from(door), &key).await;
            drop(permit);
        });
    }
}

/// Makes one attempt and writes down what came of it.
async fn attempt(queue: &Queue, door: Invoker, key: &str) {
    let parts = door.parts();
    let Some(store) = parts.store() else { return };
    let event = match store.get::<AsyncEvent>(key) {
        Ok(Some(found)) => found.record,
        // Somebody has deleted it.
        Ok(None) => return queue.open.send_modify(|open| *open -= 1),
        Err(error) => {
            tracing::error!(key, error = &error as &dyn std::error::Error, "a queued event can't be read");
            return queue.schedule(clock::now_ms() + 60_000, key.to_owned());
        }
    };
    let (function, qualifier) = (&event.function, event.qualifier.as_deref());
    let probe = EventProbe::new(&parts.telemetry, &event.scope, function, qualifier);
    let config = match store.get::<EventInvokeConfig>(&config_key(&event)) {
        Ok(found) => found.map(|found| found.record),
        Err(error) => {
            tracing::error!(key, error = &error as &dyn std::error::Error, "an event's rules can't be read");
            return queue.schedule(clock::now_ms() + 60_000, key.to_owned());
        }
    };
    let policy = plan::policy(&queue.policy, config.as_ref());
    let (step, outcome) = if plan::is_expired(&event, &policy, clock::now_ms()) {
        (Step::Drop(Why::EventAgeExceeded), None)
    } else {
        match run(&door, &store, &event, &probe).await {
            // It stays where it is, and is found again after the restart.
            None => return,
            Some((attempt, outcome)) => (plan::after(&event, attempt, &policy, clock::now_ms()), outcome),
        }
    };
    if let Step::Drop(why) = step {
        let (function, request_id) = (&event.function, &event.request_id);
        tracing::warn!(function, request_id, why = why.words(), "a queued event is dropped");
        probe.dropped(clock::now_ms());
    }
    let told = match &config {
        Some(config) => {
            let request_id = uuid::Uuid::new_v4().to_string();
            destination::tell(&event, config, &step, outcome.as_ref(), request_id, clock::now_ms())
        }
        None => Told::Nobody,
    };
    let next = deliverable(&store, told, &event, &probe);
    write_down(queue, &store, key, step, next).await;
}

/// The rules for events that name the same as this one.
fn config_key(event: &AsyncEvent) -> String {
    let qualifier = event.qualifier.as_deref().unwrap_or("$LATEST");
    pitbird_records::key(&event.scope, &[&event.function, qualifier])
}

/// The event that tells a destination, if there is such a function.
fn deliverable(store: &Store, told: Told, event: &AsyncEvent, probe: &EventProbe) -> Option<AsyncEvent> {
    let snapshot = store.snapshot();
    let function = |event: &AsyncEvent| {
        snapshot.function(&FunctionKey { scope: event.scope.clone(), name: event.function.clone() })
    };
    let why = match told {
        Told::Nobody => return None,
        Told::Undeliverable(why) => why,
        Told::Event(next)
            if destination::is_loop(&next) && !function(event).is_some_and(|it| it.allows_loops) =>
        {
            let (function, request_id) = (&event.function, &event.request_id);
            tracing::warn!(function, request_id, "functions that are each other's destinations are stopped");
            probe.unlooped(clock::now_ms());
            return None;
        }
        Told::Event(next) if function(&next).is_some() => return Some(*next),
        Told::Event(_) => "there is no such function",
    };
    let (function, request_id) = (&event.function, &event.request_id);
    tracing::warn!(function, request_id, why, "a destination can't be told of an event's end");
    probe.undelivered(clock::now_ms());
    None
}

/// Writes down what becomes of an event, and in the same commit the event that tells of its end.
async fn write_down(queue: &Queue, store: &Store, key: &str, step: Step, next: Option<AsyncEvent>) {
    let owned = key.to_owned();
    let again_ms = match &step {
        Step::Again(event) => Some(event.due_ms),
        Step::Forget | Step::Drop(_) => None,
    };
    let scheduled = next.as_ref().map(|next| (next.due_ms, next.key()));
    let written: Result<(), pitbird_store::Error> = store
        .write(move |transaction| {
            if let Some(next) = next {
                transaction.put(&next)?;
            }
            match step {
                Step::Again(event) => transaction.put(&*event).map(drop),
                Step::Forget | Step::Drop(_) => transaction.delete::<AsyncEvent>(&owned).map(drop),
            }
        })
        .await;
    if let Err(error) = &written {
        // It is still in the store and runs once more after a restart: at least once.
        tracing::error!(key, error = error as &dyn std::error::Error, "a queued event's end can't be stored");
    }
    if let (Some((due_ms, key)), Ok(())) = (scheduled, &written) {
        queue.open.send_modify(|open| *open += 1);
        queue.schedule(due_ms, key);
    }
    match again_ms {
        Some(due_ms) => queue.schedule(due_ms, key.to_owned()),
        None => queue.open.send_modify(|open| *open -= 1),
    }
}

/// Runs an event once: what it came to, and what the function said if it ran. `None` when the server is going down and
/// nothing can be said.
async fn run(
    door: &Invoker,
    store: &Store,
    event: &AsyncEvent,
    probe: &EventProbe,
) -> Option<(Attempt, Option<Outcome>)> {
    let key = FunctionKey { scope: event.scope.clone(), name: event.function.clone() };
    let snapshot = store.snapshot();
    let Some(function) = snapshot.function(&key) else { return Some((Attempt::Hopeless, None)) };
    if function.reserved_concurrency == Some(0) {
        return Some((Attempt::Forbidden, None));
    }
    let qualifier = event.qualifier.as_deref().and_then(Qualifier::parse);
    let now_ms = clock::now_ms();
    probe.age(now_ms, now_ms - event.received_ms);
    let invocation = Invocation {
        request_id: event.request_id.clone(),
        payload: Bytes::copy_from_slice(event.payload.as_bytes()),
        at_ms: now_ms,
        trace_id: event.trace_id.clone(),
        client_context: event.client_context.clone(),
        is_queued: true,
        wants_log_tail: false,
    };
    let outcome = door.invoke(function, qualifier.as_ref(), draw(), invocation).await;
    let attempt = match &outcome {
        Ok(outcome) if outcome.function_error.is_none() => Attempt::Succeeded,
        // Killed by our own end, perhaps: not the function's fault.
        Ok(_) if door.is_closed() => return None,
        Ok(_) => Attempt::FunctionError,
        Err(Refused::ShuttingDown) => return None,
        Err(Refused::Unknown(_) | Refused::PayloadTooLarge) => Attempt::Hopeless,
        Err(
            Refused::Throttled(_)
            | Refused::NotReady(_)
            | Refused::Runtime(_)
            | Refused::Code(_)
            | Refused::Environment(_),
        ) => Attempt::Refused,
    };
    Some((attempt, outcome.ok()))
}

/// A number in [0, 1) for an alias to choose by.
fn draw() -> f64 {
    // 53 of a random UUID's lowest 62 bits, all of which are random.
    let bits = (uuid::Uuid::new_v4().as_u128() as u64) & ((1 << 53) - 1);
    bits as f64 / (1u64 << 53) as f64
}
