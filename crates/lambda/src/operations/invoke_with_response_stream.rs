use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_core::Stream;
use pitbird_invoke::{Answer, Outcome, Piece, Pieces};
use pitbird_service::{Call, Event, Events, Fault};
use pitbird_wire::Blob;
use serde::Serialize;

use super::invoke::{self, Asked, Input};
use crate::invocation::{self, Kind};
use crate::{Error, State, Target};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    status_code: u16,
    executed_version: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PayloadChunk {
    payload: Blob,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvokeComplete {
    error_code: Option<String>,
    error_details: Option<String>,
    log_result: Option<String>,
}

/// Runs a function and hands its answer on as it comes.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(Output, Events), Fault> {
    let Asked { kind, target, function, invocation } = invoke::read(&state, call)?;
    if kind == Kind::DryRun {
        return Ok((Output { status_code: 204, executed_version: None }, Box::pin(Told::Over)));
    }
    let invoked =
        state.run.invoke_streaming(&function, target.qualifier.as_ref(), state.draw(), invocation).await;
    let answer = invoked.map_err(|refused| invocation::refused(&refused, &target))?;
    let executed_version = match &answer {
        Answer::Whole(outcome) => outcome.executed_version,
        Answer::Pieces(pieces) => pieces.executed_version,
    };
    let output = Output { status_code: 200, executed_version: Some(executed_version.to_string()) };
    Ok((output, Box::pin(Told::of(answer, target))))
}

/// What is still to be told of an answer.
enum Told {
    Pieces(Pieces, Target),
    /// An answer that came whole, and how it went.
    Whole(Outcome),
    End(Outcome),
    Over,
}

impl Told {
    fn of(answer: Answer, target: Target) -> Told {
        match answer {
            Answer::Pieces(pieces) => Told::Pieces(pieces, target),
            Answer::Whole(outcome) if outcome.function_error.is_some() => Told::End(outcome),
            Answer::Whole(outcome) => Told::Whole(outcome),
        }
    }
}

impl Stream for Told {
    type Item = Result<Event, Fault>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Event, Fault>>> {
        let told = self.get_mut();
        let event = match std::mem::replace(told, Told::Over) {
            Told::Over => return Poll::Ready(None),
            Told::End(outcome) => complete(outcome),
            Told::Whole(mut outcome) => {
                let payload = std::mem::take(&mut outcome.payload);
                *told = Told::End(outcome);
                chunk(payload)
            }
            Told::Pieces(mut pieces, target) => {
                let piece = pieces.poll_next(context);
                if !matches!(piece, Poll::Ready(Ok(Piece::End(_)) | Err(_))) {
                    *told = Told::Pieces(pieces, target.clone());
                }
                match ready!(piece) {
                    Ok(Piece::Data(bytes)) => chunk(bytes),
                    Ok(Piece::End(outcome)) => complete(outcome),
                    Err(refused) => Err(Error::into(invocation::refused(&refused, &target))),
                }
            }
        };
        Poll::Ready(Some(event))
    }
}

fn chunk(bytes: Bytes) -> Result<Event, Fault> {
    Event::new("PayloadChunk", &PayloadChunk { payload: Blob(bytes) })
}

/// What stands in an error's body are its details.
fn complete(outcome: Outcome) -> Result<Event, Fault> {
    let details = || String::from_utf8_lossy(&outcome.payload).into_owned();
    Event::new(
        "InvokeComplete",
        &InvokeComplete {
            error_details: outcome.function_error.map(|_| details()),
            error_code: outcome.error_type,
            log_result: outcome.log_tail.map(|tail| STANDARD.encode(tail)),
        },
    )
}
