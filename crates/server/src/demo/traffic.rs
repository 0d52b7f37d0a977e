//! The demo's clients: a steady, seeded stream of requests through the real gateway, and what became of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Clients, each with a connection of its own.
const CLIENTS: u32 = 16;

/// What clients saw.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub requests: u64,
    /// Answers with a status of 500 or more, and requests without an answer.
    pub failed: u64,
    /// Answers by the release that they name.
    pub by_release: BTreeMap<String, Answers>,
}

/// What one release answered.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    pub good: u64,
    pub failed: u64,
    /// Latencies of the most recent answers, microseconds; at most [`RECENT_MAX`].
    recent_us: Vec<u32>,
}

/// Latencies that are remembered for the percentiles.
const RECENT_MAX: usize = 1024;

impl Answers {
    /// The latency that a share of the recent answers stayed below, in milliseconds.
    pub fn latency_ms(&self, share: f64) -> f64 {
        let mut sorted = self.recent_us.clone();
        sorted.sort_unstable();
        let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(0.0, |us| f64::from(*us) / 1000.0)
    }

    fn count(&self) -> u64 {
        self.good + self.failed
    }

    fn add(&mut self, is_good: bool, latency: Duration) {
        let latency_us = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        let place = self.count() as usize % RECENT_MAX;
        match self.recent_us.get_mut(place) {
            Some(oldest) => *oldest = latency_us,
            None => self.recent_us.push(latency_us),
        }
        *if is_good { &mut self.good } else { &mut self.failed } += 1;
    }
}

impl Tally {
    /// What was added since an earlier tally. Latencies are the most recent ones in either case.
    pub fn since(&self, earlier: &Tally) -> Tally {
        let mut since = self.clone();
        since.requests -= earlier.requests;
        since.failed -= earlier.failed;
        for (release, answers) in &mut since.by_release {
            if let Some(before) = earlier.by_release.get(release) {
                answers.good -= before.good;
                answers.failed -= before.failed;
            }
        }
        since.by_release.retain(|_, answers| answers.count() > 0);
        since
    }

    fn add(&mut self, seen: Seen, latency: Duration) {
        self.requests += 1;
        self.failed += u64::from(!seen.is_good);
        if let Some(release) = seen.release {
            self.by_release.entry(release).or_default().add(seen.is_good, latency);
        }
    }
}

/// What became of a request.
struct Seen {
    /// The release that answered, if one did.
    release: Option<String>,
    is_good: bool,
}

/// Clients at work, until stopped.
pub struct Traffic {
    tally: Arc<Mutex<Tally>>,
    stop: watch::Sender<bool>,
    clients: JoinSet<Result<()>>,
}

impl Traffic {
    /// Starts clients that together send `per_second` requests for pets to `path` on `address`.
    pub async fn start(address: SocketAddr, path: &str, per_second: u32, seed: u64) -> Result<Traffic> {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (stop, stopped) = watch::channel(false);
        let mut clients = JoinSet::new();
        let every = Duration::from_secs(1) * CLIENTS / per_second.max(1);
        for number in 0..CLIENTS {
            let client = Client {
                connection: connect(address).await?,
                address,
                path: path.to_owned(),
                every,
                first: every * number / CLIENTS,
                random: fastrand::Rng::with_seed(seed.wrapping_add(u64::from(number))),
                tally: tally.clone(),
            };
            clients.spawn(client.run(stopped.clone()));
        }
        Ok(Traffic { tally, stop, clients })
    }

    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets the requests under way finish and gives the whole tally.
    pub async fn stop(mut self) -> Result<Tally> {
        let _clients_are_gone = self.stop.send(true);
        while let Some(ended) = self.clients.join_next().await {
            ended??;
        }
        Ok(self.tally())
    }
}

struct Client {
    connection: SendRequest<Empty<Bytes>>,
    address: SocketAddr,
    path: String,
    every: Duration,
    first: Duration,
    random: fastrand::Rng,
    tally: Arc<Mutex<Tally>>,
}

impl Client {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) -> Result<()> {
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + self.first, self.every);
        // A late answer shifts the requests after it rather than bunching them.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopped.changed() => return Ok(()),
            }
            let began = Instant::now();
            let seen = match self.ask().await {
                Ok(seen) => seen,
                Err(_) => {
                    self.connection = connect(self.address).await?;
                    Seen { release: None, is_good: false }
                }
            };
            self.tally.lock().unwrap_or_else(PoisonError::into_inner).add(seen, began.elapsed());
        }
    }

    async fn ask(&mut self) -> Result<Seen> {
        let pet = self.random.u32(1..1000);
        let request = Request::get(format!("{}/pets/{pet}", self.path))
            .header("host", self.address.to_string())
            .header("accept", "application/json")
            .body(Empty::new())?;
        self.connection.ready().await?;
        let answer = self.connection.send_request(request).await?;
        let (status, release) = (answer.status(), answer.headers().get("x-release").cloned());
        answer.into_body().collect().await?;
        let release = release.and_then(|release| release.to_str().map(str::to_owned).ok());
        Ok(Seen { is_good: status.is_success() && release.is_some(), release })
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(address).await.context("can't connect to the demo's own server")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends when the sender is dropped.
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_and_subtracts() {
        let mut tally = Tally::default();
        let seen = |release: &str, is_good| Seen { release: Some(release.to_owned()), is_good };
        tally.add(seen("v1", true), Duration::from_millis(1));
        let earlier = tally.clone();
        tally.add(Seen { release: None, is_good: false }, Duration::from_millis(9));
        tally.add(seen("v2", true), Duration::from_millis(2));
        tally.add(seen("v2", false), Duration::from_millis(3));
        let since = tally.since(&earlier);
        assert_eq!((since.requests, since.failed), (3, 2));
        assert!(since.by_release.keys().eq(["v2"]));
        let v2 = &since.by_release["v2"];
        assert_eq!((v2.good, v2.failed), (1, 1));
        assert!((v2.latency_ms(0.0) - 2.0).abs() < 0.01 && (v2.latency_ms(1.0) - 3.0).abs() < 0.01);
    }
}
