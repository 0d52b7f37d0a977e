//! Tells of a rollout's changes, each receiver one after the other, beside the rollout's loop: nobody who is slow to listen holds a
//! rollback up, or another receiver.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::TellOf;
use crate::notice::Notice;

/// Notices of one rollout that may wait to be told, and of each receiver's; those beyond are left out.
pub const NOTICES_MAX: usize = 64;
/// How long one notice may take, with all attempts.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long what is left may take once the server stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs a rollout's loop and tells what it hands over, to the end of both.
pub async fn beside<F: Future<Output = ()>>(
    tell: TellOf,
    stopping: watch::Receiver<bool>,
    run: impl FnOnce(mpsc::Sender<Box<Notice>>) -> F,
) {
    let (sender, mut waiting) = mpsc::channel::<Box<Notice>>(NOTICES_MAX);
    let telling = async move {
        let (mut receivers, mut queues) =
            (JoinSet::new(), HashMap::<String, mpsc::Sender<Box<Notice>>>::new());
        while let Some(notice) = waiting.recv().await {
            let queue = queues.entry(notice.url.clone()).or_insert_with(|| {
                let (queue, waiting) = mpsc::channel(NOTICES_MAX);
                receivers.spawn(tell_all(tell.clone(), waiting));
                queue
            });
            if let Err(error) = queue.try_send(notice) {
                tracing::warn!(%error, "a rollout's change is not told: too many wait");
            }
        }
        drop(queues);
        while receivers.join_next().await.is_some() {}
    };
    let telling = std::pin::pin!(telling);
    let mut stopping = stopping;
    let farewell = async move {
        // Nobody who could say so any more is a stop as well.
        let _ = stopping.wait_for(|stopping| *stopping).await;
        // A bound for receivers that don't answer: who has told all before ends at once.
        tokio::time::sleep(FAREWELL).await;
    };
    let telling = async {
        tokio::select! {
            () = telling => {}
            () = farewell => {}
        }
    };
    tokio::join!(run(sender), telling);
}

/// Tells one receiver.
async fn tell_all(tell: TellOf, mut waiting: mpsc::Receiver<Box<Notice>>) {
    while let Some(notice) = waiting.recv().await {
        let url = notice.url.clone();
        let told = timeout(PATIENCE, tell(*notice)).await;
        if let Err(error) = told.unwrap_or_else(|_| Err("it took too long".to_owned())) {
            tracing::warn!(url, error, "a rollout's change could not be told");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;

    fn notice() -> Notice {
        Notice { url: "http://deaf".into(), body: String::new(), signature: None }
    }

    /// Nobody ever answers; how many were asked.
    fn deaf() -> (TellOf, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let tell: TellOf = Arc::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Box::pin(std::future::pending())
        });
        (tell, asked)
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_never_answers_holds_no_rollout_up_and_is_given_up() {
        let ((tell, asked), (_stop, stopping)) = (deaf(), watch::channel(false));
        let (ended, end) = oneshot::channel();
        let began = Instant::now();
        let run = |notices: mpsc::Sender<Box<Notice>>| async move {
            for _ in 0..NOTICES_MAX {
                notices.try_send(Box::new(notice())).expect("so many may wait");
            }
            assert!(notices.try_send(Box::new(notice())).is_err(), "and no more");
            ended.send(Instant::now()).expect("somebody listens");
        };
        beside(tell, stopping, run).await;
        assert_eq!(end.await.expect("it ended"), began, "the loop waited for nobody");
        assert_eq!(began.elapsed(), PATIENCE * NOTICES_MAX as u32);
        assert_eq!(asked.load(Ordering::SeqCst), NOTICES_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_deaf_holds_nobody_else_up() {
        let (heard, mut others) = mpsc::unbounded_channel();
        let tell: TellOf = Arc::new(move |notice| match &*notice.url {
            "http://deaf" => Box::pin(std::future::pending()),
            _ => {
                heard.send(Instant::now()).expect("somebody listens");
                Box::pin(std::future::ready(Ok(())))
            }
        });
        let ((_stop, stopping), began) = (watch::channel(false), Instant::now());
        let run = |notices: mpsc::Sender<Box<Notice>>| async move {
            for url in ["http://deaf", "http://keen", "http://deaf", "http://keen"] {
                notices.try_send(Box::new(Notice { url: url.into(), ..notice() })).expect("there is room");
            }
        };
        beside(tell, stopping, run).await;
        assert_eq!((others.recv().await, others.recv().await), (Some(began), Some(began)));
        assert_eq!(began.elapsed(), PATIENCE * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_waits_two_seconds_for_what_is_left() {
        let ((tell, _), (stop, stopping)) = (deaf(), watch::channel(false));
        let began = Instant::now();
        let run = |notices: mpsc::Sender<Box<Notice>>| async move {
            notices.try_send(Box::new(notice())).expect("there is room");
            stop.send(true).expect("somebody listens");
        };
        beside(tell, stopping, run).await;
        assert_eq!(began.elapsed(), FAREWELL);
    }
}
