use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A connection's timer, kept from one request to the next. What sets and clears one for each request takes locks that all requests
/// share, and touches the timers of others, though hardly one ever goes off. This one goes off now and then, too early, and is set anew.
/// Requests at the same time, as HTTP/2 has them, are given timers of their own. It takes two words until there is one.
#[derive(Debug, Default)]
pub struct Timer(Mutex<Option<Box<Kept>>>);

#[derive(Debug)]
struct Kept {
    sleep: Pin<Box<Sleep>>,
    /// Whom it wakes.
    woken: Waker,
}

/// The timer while a request has it. Dropped with the request, it is given back.
struct Taken<'t> {
    timer: &'t Timer,
    kept: Option<Box<Kept>>,
}

impl Timer {
    /// What comes of `future`; `None` where that takes longer than `limit`.
    pub(crate) async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut taken = Taken { timer: self, kept: self.kept().take() };
        let deadline = Instant::now() + limit;
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => taken.poll_until(deadline, cx).map(|()| None),
        })
        .await
    }

    fn kept(&self) -> MutexGuard<'_, Option<Box<Kept>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken<'_> {
    fn poll_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let new = || Box::new(Kept { sleep: Box::pin(sleep_until(deadline)), woken: Waker::noop().clone() });
        let Kept { sleep, woken } = &mut **self.kept.get_or_insert_with(new);
        let is_set = woken.will_wake(cx.waker()) && sleep.deadline() <= deadline && !sleep.is_elapsed();
        if is_set {
            return Poll::Pending;
        }
        woken.clone_from(cx.waker());
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            *self.timer.kept() = Some(kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn waits(timer: &Timer, limit: Duration) -> Duration {
        let began = Instant::now();
        assert_eq!(timer.within(limit, pending::<()>()).await, None);
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_limit() {
        let timer = Timer::default();
        for limit in [2, 5, 1, 1, 7] {
            let waited = waits(&timer, limit * SECOND).await;
            assert!(
                (limit * SECOND..limit * SECOND + SECOND / 100).contains(&waited),
                "{limit} s: {waited:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_of_an_earlier_limit_ends_no_later_wait() {
        let timer = Timer::default();
        assert_eq!(timer.within(3 * SECOND, advance(2 * SECOND)).await, Some(()));
        let waited = waits(&timer, 3 * SECOND).await;
        assert!(waited >= 3 * SECOND, "it was set for a second from here: {waited:?}");
        assert_eq!(timer.within(9 * SECOND, advance(SECOND)).await, Some(()));
        assert_eq!(timer.within(SECOND, ready(1)).await, Some(1));
        let waited = waits(&timer, SECOND / 2).await;
        assert!(waited < SECOND, "it was set for eight seconds from here: {waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn another_task_is_woken_as_well() {
        let timer = std::sync::Arc::new(Timer::default());
        timer.within(9 * SECOND, advance(SECOND)).await;
        let there = timer.clone();
        let waited = tokio::spawn(async move { waits(&there, 9 * SECOND).await }).await.unwrap();
        assert!(waited < 10 * SECOND, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_at_the_same_time_are_apart() {
        let timer = Timer::default();
        let (short, long) = tokio::join!(waits(&timer, SECOND), waits(&timer, 3 * SECOND));
        assert!(short < 2 * SECOND && long >= 3 * SECOND, "{short:?} {long:?}");
        assert!(waits(&timer, 2 * SECOND).await >= 2 * SECOND);
    }
}
