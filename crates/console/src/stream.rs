//! Server-sent events on their way.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use pitbird_cli::json;
use pitbird_service::Events;
use serde_json::Value as Json;
use tokio::sync::mpsc;

/// Body of an answer that goes on.
pub enum Stream {
    /// What a feed hands over, until it lets go.
    Feed(mpsc::Receiver<Bytes>),
    /// An operation's events.
    Events { first: Option<Bytes>, events: Events },
}

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let text = match self.get_mut() {
            Stream::Feed(feed) => ready!(feed.poll_recv(context)),
            Stream::Events { first, events } => match first.take() {
                Some(first) => Some(first),
                None => ready!(events.as_mut().poll_next(context)).map(|event| match event {
                    Ok(event) => written(event.name, None, &json::from_value(&event.value)),
                    Err(fault) => written("trouble", None, &Json::String(fault.into_told().message)),
                }),
            },
        };
        Poll::Ready(text.map(|text| Ok(Frame::data(text))))
    }
}

/// One event; JSON has no line ends of its own.
pub fn written(name: &str, id: Option<&str>, data: &Json) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Bytes::from(format!("{id}event: {name}\ndata: {data}\n\n"))
}

/// A parameter of a query.
pub fn query(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(known, _)| *known == name)?;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?].map(|digit| char::from(digit).to_digit(16));
                (digits[0]? * 16 + digits[1]?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_browsers_write_them() {
        let asked = "group=%2Faws%2Flambda%2Fa&filter=%3Fa+%22b%26c%22&bad=%2&worse=%ff";
        assert_eq!(query(asked, "group").as_deref(), Some("/aws/lambda/a"));
        assert_eq!(query(asked, "filter").as_deref(), Some("?a \"b&c\""));
        for missing in ["bad", "worse", "other"] {
            assert_eq!(query(asked, missing), None, "{missing}");
        }
    }
}
