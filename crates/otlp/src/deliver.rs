//! What goes out, and goes out again.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use tokio::sync::{mpsc, watch};

use crate::client::Client;
use crate::config::{Endpoint, Signal};
use crate::losses::Losses;
use crate::message::{ExportServiceResponse, PartialSuccess};
use crate::retry::{self, GIVEN_UP_AFTER, Verdict};

/// Requests of one signal that wait behind the one that is being sent.
pub const OUTBOX_MAX: usize = 32;

/// One request's body, and how many spans, points or records are in it.
#[derive(Debug)]
pub struct Payload {
    pub body: Bytes,
    pub items: u64,
}

impl Payload {
    pub fn new(message: Vec<u8>, items: u64, is_compressed: bool) -> Payload {
        let body = if is_compressed { gzip(&message) } else { message };
        Payload { body: body.into(), items }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes all that is written")
}

/// Where requests are left; there is room for [`OUTBOX_MAX`], and nobody waits for more.
#[derive(Clone)]
pub struct Outbox {
    sender: mpsc::Sender<Payload>,
    signal: Signal,
    losses: Arc<Losses>,
}

/// Takes requests from an outbox to a collector, one after the other.
pub struct Delivery {
    receiver: mpsc::Receiver<Payload>,
    signal: Signal,
    losses: Arc<Losses>,
    client: Arc<Client>,
    endpoint: Endpoint,
    stopped: watch::Receiver<bool>,
    is_away: bool,
}

impl Outbox {
    pub fn put(&self, payload: Payload) {
        if let Err(refused) = self.sender.try_send(payload) {
            self.losses.add(self.signal, refused.into_inner().items, "the collector takes too little");
        }
    }
}

/// The two ends.
pub fn outbox(
    signal: Signal,
    losses: &Arc<Losses>,
    client: &Arc<Client>,
    endpoint: Endpoint,
    stopped: watch::Receiver<bool>,
) -> (Outbox, Delivery) {
    let (sender, receiver) = mpsc::channel(OUTBOX_MAX);
    let outbox = Outbox { sender, signal, losses: losses.clone() };
    let (losses, client) = (losses.clone(), client.clone());
    (outbox, Delivery { receiver, signal, losses, client, endpoint, stopped, is_away: false })
}

impl Delivery {
    /// Until nobody can put anything in any more and all of it is delivered or given up.
    pub async fn run(mut self) {
        while let Some(payload) = self.receiver.recv().await {
            self.deliver(&payload).await;
        }
    }

    async fn deliver(&mut self, payload: &Payload) {
        let began = Instant::now();
        for attempts in 1.. {
            let (why, asked) = match self.client.send(&self.endpoint, payload.body.clone()).await {
                Ok(answer) => match Verdict::of(answer.status) {
                    Verdict::Taken => return self.taken(&answer.body),
                    Verdict::Never => {
                        let why = format!("the collector answers {}", answer.status);
                        return self.losses.add(self.signal, payload.items, &why);
                    }
                    Verdict::Later => {
                        (format!("the collector answers {}", answer.status), answer.retry_after)
                    }
                },
                Err(why) => (why, None),
            };
            self.is_gone(&why);
            // Who stops has no time to wait for.
            if began.elapsed() >= GIVEN_UP_AFTER || *self.stopped.borrow() {
                return self.losses.add(self.signal, payload.items, &why);
            }
            tokio::select! {
                // The collector is given time to come back; a stop ends the wait.
                () = tokio::time::sleep(retry::wait(attempts, asked, fastrand::f64())) => {}
                _ = self.stopped.changed() => {}
            }
        }
    }

    fn taken(&mut self, answer: &[u8]) {
        if std::mem::take(&mut self.is_away) {
            tracing::info!(signal = self.signal.word(), "the collector takes what is sent again");
        }
        let answer = ExportServiceResponse::decode(answer).unwrap_or_default();
        if let Some(PartialSuccess { rejected, error_message }) = answer.partial_success
            && rejected > 0
        {
            let why: String = error_message.chars().take(200).collect();
            self.losses.add(self.signal, rejected as u64, &why);
        }
    }

    fn is_gone(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!(
                signal = self.signal.word(),
                why,
                "the collector takes nothing; it is asked again"
            );
        }
    }
}
