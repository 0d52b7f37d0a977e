//! The body of a request: here already, or coming.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

/// How long a body may be waited for, beside what its bytes take at [`SLOWEST_BYTES_PER_S`]. Only time in which somebody waits for it counts.
const PATIENCE: Duration = Duration::from_secs(30);
/// Who sends a body more slowly than this isn't waited for: his connection would be held for ever, and each end of the server held up.
const SLOWEST_BYTES_PER_S: u64 = 1024;

pub enum Received {
    /// All of it came with the head.
    Whole(Full<Bytes>),
    /// It is read piece by piece, as fast as it is asked for.
    Coming(Box<Paced<Incoming>>),
}

impl From<Bytes> for Received {
    fn from(whole: Bytes) -> Received {
        Received::Whole(Full::new(whole))
    }
}

impl From<Incoming> for Received {
    fn from(coming: Incoming) -> Received {
        match coming.is_end_stream() {
            true => Received::from(Bytes::new()),
            false => Received::Coming(Box::new(Paced::from(coming))),
        }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Unreceived;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unreceived>>> {
        match self.get_mut() {
            Received::Whole(whole) => {
                Pin::new(whole).poll_frame(cx).map_err(|never: Infallible| match never {})
            }
            Received::Coming(coming) => Pin::new(coming).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Received::Whole(whole) => whole.is_end_stream(),
            Received::Coming(coming) => coming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Received::Whole(whole) => whole.size_hint(),
            Received::Coming(coming) => coming.size_hint(),
        }
    }
}

/// Why a body doesn't come.
#[derive(Debug, thiserror::Error)]
pub enum Unreceived {
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    #[error("the body comes too slowly")]
    TooSlow,
}

/// A body that may not be waited for without end.
pub struct Paced<B> {
    body: B,
    bytes: u64,
    /// How long it was waited for, and since when it is.
    waited: Duration,
    waits_since: Option<Instant>,
    /// Made when it has to be waited for.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<B> From<B> for Paced<B> {
    fn from(body: B) -> Paced<B> {
        Paced { body, bytes: 0, waited: Duration::ZERO, waits_since: None, patience: None }
    }
}

impl<B> Paced<B> {
    /// Ready when the client's time is over.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        let allowed = PATIENCE + Duration::from_millis(self.bytes.saturating_mul(1000) / SLOWEST_BYTES_PER_S);
        let until = since + allowed.saturating_sub(self.waited);
        // Not a pause: it is over when the client's time is.
        let patience = self.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if patience.deadline() != until {
            patience.as_mut().reset(until);
        }
        patience.as_mut().poll(cx)
    }

    fn came(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.waited += self.waits_since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }
}

impl<B> Body for Paced<B>
where
    B: Body<Data = Bytes> + Unpin,
    Unreceived: From<B::Error>,
{
    type Data = Bytes;
    type Error = Unreceived;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unreceived>>> {
        let paced = self.get_mut();
        match Pin::new(&mut paced.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                paced.came(bytes.map_or(0, Bytes::len));
                Poll::Ready(frame.map(|frame| frame.map_err(Unreceived::from)))
            }
            Poll::Pending => {
                ready!(paced.poll_patience(cx));
                Poll::Ready(Some(Err(Unreceived::TooSlow)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::sync::mpsc;

    use super::*;

    struct Pieces(mpsc::Receiver<Bytes>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = hyper::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
            self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
        }
    }

    /// A body that somebody sends, and the seconds after which it was over, with why.
    async fn received(bytes_per_s: usize, seconds: u64) -> (u64, Result<usize, String>) {
        let (sender, pieces) = mpsc::channel(1);
        let began = Instant::now();
        tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_secs(1));
            for _ in 0..seconds {
                every.tick().await;
                let _gone = sender.send(Bytes::from(vec![0; bytes_per_s])).await;
            }
            if seconds == 0 {
                sender.closed().await;
            }
        });
        let collected = Paced::from(Pieces(pieces)).collect().await.map(|body| body.to_bytes().len());
        (began.elapsed().as_secs(), collected.map_err(|error| error.to_string()))
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_or_drips_is_not_waited_for() {
        let slow = Err("the body comes too slowly".to_owned());
        assert_eq!(received(0, 0).await, (30, slow.clone()));
        assert_eq!(received(1, 1000).await, (30, slow.clone()));
        let (seconds, dripped) = received(512, 1000).await;
        assert!((58..62).contains(&seconds) && dripped == slow, "{seconds}");
        assert_eq!(received(2048, 1000).await, (999, Ok(2_048_000)));
    }
}
