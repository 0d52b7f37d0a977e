use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use pitbird_invoke::Piece;
use std::time::Duration;
use tokio::time::{Instant, Sleep};

use super::{Failed, FunctionBody, succeeded};
use crate::GatewayError;
use crate::integrate::function_failure;
use crate::story::StreamTimes;
use crate::used::{FunctionTally, FunctionUse};

/// An integration's answer that is under way, or was: its own clock, and what came of it.
pub(crate) struct Stream {
    source: Source,
    request_id: String,
    /// When the integration was asked.
    began: Instant,
    /// When it last said something.
    last: Instant,
    /// By when it must have said all.
    ends: Instant,
    /// For how long it may say nothing.
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    pub times: StreamTimes,
    pub bytes: u64,
    /// What its function has used, once it has ended.
    pub functions: FunctionUse,
    pub broken: Option<Broken>,
}

/// Who writes an answer.
#[derive(Debug)]
pub(crate) enum Source {
    Function(Box<FunctionBody>),
    Backend(Incoming),
    #[cfg(test)]
    Test(tokio::sync::mpsc::Receiver<Bytes>),
}

/// Why an answer isn't whole.
#[derive(Debug)]
pub(crate) struct Broken {
    /// What it would have been if nothing had been sent.
    pub error: GatewayError,
    /// In an execution log's words.
    pub why: String,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    Data(Bytes),
    End,
    /// It isn't whole: [`Stream::broken`] says why.
    Broken,
}

/// What one look at a source gives.
enum Said {
    Data(Bytes),
    End,
    Failed(GatewayError, String),
}

impl Stream {
    /// Of an integration that was asked at `began`, has told its head, and may take `limit` in all.
    pub fn new(
        source: Source,
        request_id: String,
        began: Instant,
        (limit, idle): (Duration, Duration),
    ) -> Stream {
        let last = Instant::now();
        let ends = began + limit;
        let timer = Box::pin(tokio::time::sleep_until(ends.min(last + idle)));
        let times = StreamTimes { headers_us: Some(us(last - began)), content_us: None };
        let functions = FunctionUse::default();
        Stream {
            source,
            request_id,
            began,
            last,
            ends,
            idle,
            timer,
            times,
            bytes: 0,
            functions,
            broken: None,
        }
    }

    /// Microseconds since the integration was asked.
    pub fn elapsed_us(&self) -> u64 {
        us(self.began.elapsed())
    }

    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        let said = self.poll_said(context);
        let now = Instant::now();
        Poll::Ready(match said {
            Poll::Ready(Said::Data(_)) if now > self.ends => self.timed_out(),
            Poll::Ready(Said::Data(data)) => {
                self.last = now;
                self.bytes += data.len() as u64;
                self.times.content_us.get_or_insert_with(|| us(now - self.began));
                Next::Data(data)
            }
            Poll::Ready(Said::End) => Next::End,
            Poll::Ready(Said::Failed(error, why)) => {
                self.broken = Some(Broken { error, why });
                Next::Broken
            }
            Poll::Pending => loop {
                ready!(self.timer.as_mut().poll(context));
                // Whatever has come since it was set has put it off.
                let due = self.ends.min(self.last + self.idle);
                if Instant::now() >= due {
                    break self.timed_out();
                }
                self.timer.as_mut().reset(due);
            },
        })
    }

    fn timed_out(&mut self) -> Next {
        let why = "Execution failed due to a timeout error".to_owned();
        self.broken = Some(Broken { error: GatewayError::IntegrationTimeout, why });
        Next::Broken
    }

    fn poll_said(&mut self, context: &mut Context<'_>) -> Poll<Said> {
        loop {
            return Poll::Ready(match &mut self.source {
                Source::Function(body) => match ready!(body.poll_next(context)) {
                    Ok(Piece::Data(data)) => Said::Data(data),
                    Ok(Piece::End(outcome)) => {
                        let tally = FunctionTally::default();
                        tally.ran(&outcome);
                        self.functions = tally.read();
                        match succeeded(outcome) {
                            Ok(_) => Said::End,
                            Err(failed) => self.failed(&failed),
                        }
                    }
                    Err(refused) => self.failed(&refused.into()),
                },
                Source::Backend(body) => match ready!(Pin::new(body).poll_frame(context)) {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => Said::Data(data),
                        // Trailers go no further.
                        Err(_) => continue,
                    },
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a backend's answer broke off");
                        let why = "Execution failed due to a network error communicating with endpoint";
                        Said::Failed(GatewayError::IntegrationFailure, why.to_owned())
                    }
                    None => Said::End,
                },
                #[cfg(test)]
                Source::Test(said) => ready!(said.poll_recv(context)).map_or(Said::End, Said::Data),
            });
        }
    }

    fn failed(&self, failed: &Failed) -> Said {
        let why = match failed {
            Failed::Function(outcome) => function_failure(&self.request_id, &outcome.payload),
            other => other.to_string(),
        };
        Said::Failed(GatewayError::BadIntegrationAnswer, why)
    }
}

fn us(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::mpsc;

    use super::*;

    /// What a look at it gives now.
    async fn look(stream: &mut Stream) -> Poll<Next> {
        poll_fn(|context| Poll::Ready(stream.poll_next(context))).await
    }

    const LIMIT: Duration = Duration::from_secs(900);
    const IDLE: Duration = Duration::from_secs(30);

    fn stream() -> (mpsc::Sender<Bytes>, Stream) {
        let (said, receiver) = mpsc::channel(8);
        let stream = Stream::new(Source::Test(receiver), "id".to_owned(), Instant::now(), (LIMIT, IDLE));
        (said, stream)
    }

    /// Its timer goes off now, whatever it was set for.
    fn ring(stream: &mut Stream) {
        stream.timer.as_mut().reset(Instant::now());
    }

    #[tokio::test]
    async fn what_is_said_puts_the_end_of_a_pause_off() {
        let (said, mut stream) = stream();
        assert_eq!(stream.timer.deadline(), stream.last + IDLE);
        said.send(Bytes::from_static(b"abc")).await.expect("it listens");
        assert!(matches!(look(&mut stream).await, Poll::Ready(Next::Data(_))));
        ring(&mut stream);
        while stream.timer.deadline() != stream.last + IDLE {
            assert!(look(&mut stream).await.is_pending());
            tokio::task::yield_now().await;
        }
        // A pause that is over breaks it off.
        stream.idle = Duration::ZERO;
        ring(&mut stream);
        let next = poll_fn(|context| stream.poll_next(context)).await;
        assert!(matches!(next, Next::Broken));
        assert_eq!(stream.broken.as_ref().map(|broken| broken.error.status()), Some(504));
        assert_eq!((stream.bytes, stream.times.content_us.is_some()), (3, true));
    }

    #[tokio::test]
    async fn all_of_it_may_take_as_long_as_the_integration_says() {
        let (said, mut stream) = stream();
        // Nor does it help to go on writing.
        stream.ends = stream.began;
        said.send(Bytes::from_static(b"abc")).await.expect("it listens");
        let next = poll_fn(|context| stream.poll_next(context)).await;
        assert!(matches!(next, Next::Broken));
        assert_eq!((stream.bytes, stream.times.content_us), (0, None));
    }

    #[tokio::test]
    async fn a_slow_reader_is_no_pause_of_the_writers() {
        let (said, mut stream) = stream();
        said.send(Bytes::from_static(b"abc")).await.expect("it listens");
        stream.idle = Duration::ZERO;
        ring(&mut stream);
        assert!(matches!(look(&mut stream).await, Poll::Ready(Next::Data(_))));
        drop(said);
        assert!(matches!(look(&mut stream).await, Poll::Ready(Next::End)));
        assert!(stream.broken.is_none());
    }
}
