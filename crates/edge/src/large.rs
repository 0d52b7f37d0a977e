//! Large bodies: what reads them whole takes long, and doesn't hold up everybody else's requests.

use std::thread::available_parallelism;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, SemaphorePermit};

/// From so many bytes on a body is large. A template or a schema reads some 20 MB of JSON a second on one core, so that what is
/// smaller takes a dozen milliseconds at most.
const LARGE_BYTES: usize = 256 << 10;

/// As many large bodies are read at once as there are cores: one of 10 MB that is a list of numbers takes 250 MB as a template's values.
pub(crate) struct LargeBodies {
    turns: Semaphore,
}

impl LargeBodies {
    pub fn new() -> LargeBodies {
        LargeBodies::at_once(available_parallelism().map_or(1, |cores| cores.get()))
    }

    fn at_once(count: usize) -> LargeBodies {
        LargeBodies { turns: Semaphore::new(count) }
    }

    /// Waits until a large body may be read; a small one is read at once.
    pub async fn turn(&self, body: &[u8]) -> Turn<'_> {
        if body.len() < LARGE_BYTES {
            return Turn(None);
        }
        // Nobody closes it. Boxed, since nearly all requests are small.
        Turn(Box::pin(self.turns.acquire()).await.ok())
    }
}

/// The right to read a body.
pub(crate) struct Turn<'l>(Option<SemaphorePermit<'l>>);

impl Turn<'_> {
    /// Does what is to be done with the body; where it is large, on a thread that others' requests are taken from meanwhile.
    pub fn work<T>(self, work: impl FnOnce() -> T) -> T {
        match self.0.is_some() && Handle::current().runtime_flavor() != RuntimeFlavor::CurrentThread {
            true => tokio::task::block_in_place(work),
            false => work(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};

    use super::*;

    static LARGE: [u8; LARGE_BYTES] = [0; LARGE_BYTES];

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_go_on_while_a_large_body_is_read() {
        let (told, heard) = mpsc::channel();
        let reader =
            tokio::spawn(async move { LargeBodies::new().turn(&LARGE).await.work(move || heard.recv()) });
        // Runs on the one worker, which the reader would keep for ever.
        let other = tokio::spawn(async move { told.send("went on") });
        assert_eq!(reader.await.expect("read"), Ok("went on"));
        other.await.expect("ran").expect("was waited for");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_more_are_read_at_once_than_allowed() {
        let bodies = Arc::new(LargeBodies::at_once(2));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let readers = (0..40).map(|_| {
            let (bodies, now, most) = (bodies.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let read = || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                };
                bodies.turn(&LARGE).await.work(read);
            })
        });
        for reader in readers.collect::<Vec<_>>() {
            reader.await.expect("read");
        }
        let most = most.load(Ordering::SeqCst);
        assert!((1..=2).contains(&most), "{most}");
    }
}
