//! Event streams: messages that follow each other in an answer's body.
//!
//! Source: Smithy, "Amazon Event Stream Specification". A message is its length and that of its headers (4 bytes each, most
//! significant first), a CRC-32 over both, the headers, the payload, and a CRC-32 over all before.

use bytes::Bytes;

use crate::checksum::{Algorithm, Digest};
use crate::codec::{EncodeError, json};
use crate::model::{Kind, Structure};
use crate::server::Call;
use crate::value::Value;

/// What an answer with events is labelled with.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// Longest payload of one message, bytes.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// The type of a header's value that is text.
const TEXT: u8 = 7;

impl Call<'_> {
    /// Writes one event of the output's stream: a message whose payload is the event's member that is its payload, or else
    /// the event as JSON.
    pub fn encode_event(&self, name: &str, event: &Value) -> Result<Bytes, EncodeError> {
        let stream = self.event_stream().ok_or(EncodeError::Unsupported("events"))?;
        let unknown = || EncodeError::UnknownMember { shape: self.operation.name, name: name.to_owned() };
        let member = stream.member(name).ok_or_else(unknown)?;
        let structure = self.model.structure(member.reference.shape).ok_or_else(unknown)?;
        let payload = structure.members.iter().find(|member| member.is_event_payload);
        let (content_type, payload) = match payload.map(|payload| event.get(payload.name)) {
            Some(Some(Value::Blob(bytes))) => ("application/octet-stream", bytes.clone()),
            Some(_) => ("application/octet-stream", Bytes::new()),
            None => {
                let mut body = Vec::new();
                json::write(self.model, &member.reference, event, &mut body)?;
                ("application/json", body.into())
            }
        };
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(EncodeError::Unsupported("an event of this size"));
        }
        // A stream's errors are members like its events; AWS's models name them so.
        let (kind, label) = match name.ends_with("Exception") {
            true => ("exception", ":exception-type"),
            false => ("event", ":event-type"),
        };
        Ok(message(&[(":message-type", kind), (label, name), (":content-type", content_type)], &payload))
    }

    /// The message that comes before all events where the output's other members have no place in the head. Source: Smithy,
    /// "Event streams", initial response.
    pub(crate) fn initial_response(&self, body: &[u8]) -> Bytes {
        let content_type = self.protocol.content_type();
        let headers = [
            (":message-type", "event"),
            (":event-type", "initial-response"),
            (":content-type", content_type),
        ];
        message(&headers, body)
    }

    /// The events that the output has instead of a body.
    pub(crate) fn event_stream(&self) -> Option<&Structure> {
        let output = self.model.structure(self.operation.output?)?;
        output.members.iter().find_map(|member| match &self.model.shape(member.reference.shape).kind {
            Kind::Structure(structure) if structure.event_stream => Some(structure),
            _ => None,
        })
    }
}

/// Names are shorter than 256 bytes, values shorter than 64 KiB: both are the model's.
fn message(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let headers_bytes: usize = headers.iter().map(|(name, value)| 4 + name.len() + value.len()).sum();
    let all_bytes = 16 + headers_bytes + payload.len();
    let mut message = Vec::with_capacity(all_bytes);
    message.extend_from_slice(&(all_bytes as u32).to_be_bytes());
    message.extend_from_slice(&(headers_bytes as u32).to_be_bytes());
    push_checksum(&mut message);
    for (name, value) in headers {
        message.push(name.len() as u8);
        message.extend_from_slice(name.as_bytes());
        message.push(TEXT);
        message.extend_from_slice(&(value.len() as u16).to_be_bytes());
        message.extend_from_slice(value.as_bytes());
    }
    message.extend_from_slice(payload);
    push_checksum(&mut message);
    message.into()
}

fn push_checksum(message: &mut Vec<u8>) {
    let mut digest = Digest::new(Algorithm::Crc32);
    digest.update(message);
    message.extend_from_slice(&digest.finish());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
        digits.chunks(2).map(byte).collect()
    }

    #[test]
    fn json_answers_begin_with_a_message_of_their_own_and_errors_are_told_apart() {
        let model = crate::Catalog::embedded().model("logs").expect("a model");
        let operation = model.operation("StartLiveTail").expect("an operation");
        let call = Call {
            model,
            operation,
            protocol: crate::Protocol::Json11,
            query_mode: false,
            labels: Vec::new(),
        };
        let answer = call.encode(Value::empty_map(), "id").expect("an answer");
        assert_eq!(answer.headers()["content-type"], CONTENT_TYPE);
        let headers = [
            (":message-type", "event"),
            (":event-type", "initial-response"),
            (":content-type", "application/x-amz-json-1.1"),
        ];
        assert_eq!(*answer.body(), message(&headers, b"{}"));
        let written = call.encode_event("SessionTimeoutException", &Value::empty_map()).expect("an error");
        let headers = [
            (":message-type", "exception"),
            (":exception-type", "SessionTimeoutException"),
            (":content-type", "application/json"),
        ];
        assert_eq!(written, message(&headers, b"{}"));
    }

    #[test]
    fn messages_have_their_form() {
        // The specification's own examples: no headers with `{'foo':'bar'}`, and nothing at all.
        let expected = hex("0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936");
        assert_eq!(message(&[], b"{'foo':'bar'}"), expected);
        assert_eq!(message(&[], b""), hex("00000010 00000000 05c248eb 7d98c8ff"));
        let with_header = message(&[("content-type", "application/json")], b"{'foo':'bar'}");
        let expected = hex(
            "0000003d 00000020 07fd8396 0c 636f6e74656e742d74797065 07 0010 6170706c69636174696f6e2f6a736f6e
             7b27666f6f273a27626172277d 8d9c08b1",
        );
        assert_eq!(with_header, expected);
    }
}
