//! An answer that goes to its caller while the function still writes it.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::header::HeaderValue;
use pitbird_names::VersionId;
use tokio::sync::{mpsc, oneshot};

use crate::invocation::{Outcome, Refused};

/// Pieces on their way from a function to its caller; with so many the function waits. Each is what one read of its
/// connection gave, at most 64 KiB.
const PIECES_MAX: usize = 16;

/// What comes of an invocation whose caller takes the answer piece by piece.
#[derive(Debug)]
pub enum Answer {
    /// The function answered in one piece, or failed before it had begun to.
    Whole(Outcome),
    Pieces(Pieces),
}

/// An answer that has begun.
#[derive(Debug)]
pub struct Pieces {
    /// As the function named it.
    pub content_type: Option<HeaderValue>,
    pub executed_version: VersionId,
    said: mpsc::Receiver<Said>,
    replied: Replied,
}

/// A part of an answer.
#[derive(Debug)]
pub enum Piece {
    Data(Bytes),
    /// The last: how the invocation went. Its payload is an error's body, or empty.
    End(Outcome),
}

/// What a function's answer says as it comes.
#[derive(Debug)]
pub(crate) enum Said {
    Begun(Option<HeaderValue>),
    Data(Bytes),
}

/// The function's end of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Sink(mpsc::Sender<Said>);

/// How an invocation ended, once it has.
#[derive(Debug)]
enum Replied {
    Not(oneshot::Receiver<Result<Outcome, Refused>>),
    Yes(Option<Result<Outcome, Refused>>),
}

/// Both ends of an answer that is to come.
pub(crate) fn channel() -> (Sink, mpsc::Receiver<Said>) {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    (Sink(sender), receiver)
}

impl Sink {
    /// Waits while the caller is slow. What a caller that has hung up would have got is dropped.
    pub async fn say(&self, said: Said) {
        let _ = self.0.send(said).await;
    }
}

impl Answer {
    /// Waits until the function begins to answer, or has failed.
    pub(crate) async fn begin(
        executed_version: VersionId,
        said: mpsc::Receiver<Said>,
        replied: oneshot::Receiver<Result<Outcome, Refused>>,
    ) -> Result<Answer, Refused> {
        let replied = Replied::Not(replied);
        let mut pieces = Pieces { content_type: None, executed_version, said, replied };
        match poll_fn(|context| pieces.poll_said(context)).await {
            Ok(Said::Begun(content_type)) => {
                pieces.content_type = content_type;
                Ok(Answer::Pieces(pieces))
            }
            Ok(Said::Data(_)) => unreachable!("an answer begins before it goes on"),
            Err(replied) => replied.map(Answer::Whole),
        }
    }
}

impl Pieces {
    /// The next piece; [`Piece::End`] is the last. An error is the server's own end.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, Refused>> {
        loop {
            match self.poll_said(context) {
                Poll::Ready(Ok(Said::Data(bytes))) => return Poll::Ready(Ok(Piece::Data(bytes))),
                Poll::Ready(Ok(Said::Begun(_))) => {}
                Poll::Ready(Err(replied)) => return Poll::Ready(replied.map(Piece::End)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Whatever was said before the invocation's end comes before it.
    fn poll_said(&mut self, context: &mut Context<'_>) -> Poll<Result<Said, Result<Outcome, Refused>>> {
        loop {
            match (self.said.poll_recv(context), &mut self.replied) {
                (Poll::Ready(Some(said)), _) => return Poll::Ready(Ok(said)),
                (Poll::Ready(None), Replied::Yes(replied)) => {
                    return Poll::Ready(Err(replied.take().unwrap_or(Err(Refused::ShuttingDown))));
                }
                (Poll::Pending, Replied::Yes(_)) => return Poll::Pending,
                (_, Replied::Not(receiver)) => match std::pin::Pin::new(receiver).poll(context) {
                    Poll::Ready(replied) => {
                        // The other end is dropped without a word only when the whole server goes.
                        self.replied = Replied::Yes(Some(replied.unwrap_or(Err(Refused::ShuttingDown))));
                        self.said.close();
                    }
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        Outcome {
            payload: Bytes::new(),
            function_error: None,
            error_type: None,
            executed_version: VersionId::Latest,
            log_tail: None,
            duration_ms: 1.0,
            billed_ms: 1,
            billed: Default::default(),
            init_ms: None,
            environment: 0,
        }
    }

    async fn next(pieces: &mut Pieces) -> Result<Piece, Refused> {
        poll_fn(|context| pieces.poll_next(context)).await
    }

    #[tokio::test]
    async fn what_was_said_comes_before_the_end() {
        let (sink, said) = channel();
        let (reply, replied) = oneshot::channel();
        sink.say(Said::Begun(None)).await;
        sink.say(Said::Data(Bytes::from_static(b"a"))).await;
        sink.say(Said::Data(Bytes::from_static(b"b"))).await;
        reply.send(Ok(outcome())).expect("somebody waits");
        let begun = Answer::begin(VersionId::Latest, said, replied).await.expect("it ran");
        let Answer::Pieces(mut pieces) = begun else { panic!("{begun:?}") };
        for expected in ["a", "b"] {
            let piece = next(&mut pieces).await.expect("a piece");
            assert!(matches!(&piece, Piece::Data(data) if data == expected), "{piece:?}");
        }
        // The function still holds its end, and has nothing more to say.
        assert!(matches!(next(&mut pieces).await, Ok(Piece::End(_))));
        sink.say(Said::Data(Bytes::from_static(b"late"))).await;
    }

    #[tokio::test]
    async fn a_slow_caller_makes_the_function_wait() {
        let (sink, mut said) = channel();
        for _ in 0..PIECES_MAX {
            sink.say(Said::Data(Bytes::new())).await;
        }
        let more = sink.say(Said::Data(Bytes::new()));
        let mut more = std::pin::pin!(more);
        assert!(poll_fn(|context| Poll::Ready(more.as_mut().poll(context).is_pending())).await);
        said.recv().await.expect("a piece");
        more.await;
    }

    #[tokio::test]
    async fn without_a_beginning_there_are_no_pieces() {
        for (is_dropped, is_whole) in [(false, true), (true, false)] {
            let (_sink, said) = channel();
            let (reply, replied) = oneshot::channel();
            match is_dropped {
                true => drop(reply),
                false => reply.send(Ok(outcome())).expect("somebody waits"),
            }
            let answer = Answer::begin(VersionId::Latest, said, replied).await;
            assert_eq!(matches!(answer, Ok(Answer::Whole(_))), is_whole, "{answer:?}");
        }
    }
}
