//! A function's answer on its way to a caller who takes it as it comes.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use pitbird_names::limits;

use super::Reply;
use super::machine::Rejection;
use super::serve::{DISCARD_BYTES_MAX, accepted, fault_of_trailers, too_long, truncated};
use crate::environment::Answering;
use crate::fault::Fault;
use crate::stream::{Said, Sink};

/// Hands on each piece as it comes. The function waits while its caller takes nothing; when the caller has hung up, it is
/// heard to the end all the same, as on Lambda.
pub async fn forward(
    answering: Answering<'_>,
    sink: Sink,
    headers: &HeaderMap,
    mut body: Incoming,
) -> Result<Reply, Rejection> {
    sink.say(Said::Begun(headers.get(CONTENT_TYPE).cloned())).await;
    let (mut bytes, mut fault) = (0, None);
    while let Some(frame) = body.frame().await {
        // What it may answer now is that it failed; if it has died, its end is what the caller is told.
        let Ok(frame) = frame else { return Ok(truncated()) };
        match frame.into_data() {
            Ok(data) if data.is_empty() => {}
            Ok(data) if bytes + data.len() > limits::STREAMED_BYTES => {
                answering.finish_streamed(bytes, Some(Fault::stream_too_large()))?;
                discard(body).await;
                return Ok(too_long(limits::STREAMED_BYTES));
            }
            Ok(data) => {
                bytes += data.len();
                sink.say(Said::Data(data)).await;
            }
            Err(frame) => fault = frame.trailers_ref().and_then(fault_of_trailers),
        }
    }
    answering.finish_streamed(bytes, fault)?;
    Ok(accepted())
}

/// Reads on for a while, so that the sender sees the answer.
async fn discard(mut body: Incoming) {
    let mut left = DISCARD_BYTES_MAX as usize;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(less) => left = less,
            None => return,
        }
    }
}
