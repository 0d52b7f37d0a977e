//! Calls operations of any embedded service over one connection.
//!
//! A [`Client`] knows an [`Endpoint`], a region and [`Credentials`]. [`Client::call`] takes an operation's input as JSON,
//! in the shapes of the service's model, writes it in the service's preferred protocol, signs it, and gives the output
//! as JSON. Calls share one keep-alive connection and so follow one another; for calls at the same time take several
//! clients. There is no TLS.

mod connection;
mod credentials;
mod endpoint;
mod error;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, Response};
use pitbird_sigv4::Payload;
use pitbird_wire::client::{ClientError, Refusal};
use pitbird_wire::{Kind, Model, Operation, Protocol};
use serde_json::Value as Json;

use crate::json::{self, Files};
use crate::operation;
use connection::Connection;

pub use credentials::Credentials;
pub use endpoint::Endpoint;
pub use error::Error;

/// How long an answer may take unless the caller says otherwise. Longer than a synchronous call through API Gateway.
pub const DEADLINE: Duration = Duration::from_secs(60);
const AGENT: &str = concat!("pitbird/", env!("CARGO_PKG_VERSION"));

/// A way to a server.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    region: String,
    credentials: Credentials,
    deadline: Duration,
    connection: Connection,
}

impl Client {
    /// Connects with the first call.
    pub fn new(endpoint: Endpoint, region: impl Into<String>, credentials: Credentials) -> Client {
        let connection = Connection::new(endpoint.clone());
        Client { endpoint, region: region.into(), credentials, deadline: DEADLINE, connection }
    }

    /// Waits this long for each answer instead of [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Client {
        Client { deadline, ..self }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Calls an operation. `service` is botocore's name (`apigateway`, `logs`, `codedeploy`) or the aws CLI's, ours is
    /// `rollouts`; `operation` is written `CreateFunction` or `create-function`. Blobs in `input` are base64 text or, for
    /// JSON payloads, the JSON itself; in the output they are base64 text.
    ///
    /// # Errors
    /// [`Error::Refused`] is the service's own error; the others say why there is no answer.
    pub async fn call(&self, service: &str, operation: &str, input: &Json) -> Result<Json, Error> {
        self.call_with(service, operation, input, Files::Refused).await
    }

    pub(crate) async fn call_with(
        &self,
        service: &str,
        operation: &str,
        input: &Json,
        files: Files,
    ) -> Result<Json, Error> {
        let model = operation::find_service(service).ok_or_else(|| Error::unknown_service(service))?;
        let operation = operation::find_operation(model, operation)
            .ok_or_else(|| Error::unknown_operation(model, operation))?;
        if answers_with_events(model, operation) {
            return Err(Error::EventStream { operation: operation.name });
        }
        let protocol = model.metadata.protocols.first().copied().unwrap_or(Protocol::RestJson);
        let mut input = json::to_value(model, operation.input, input, files)?;
        let token = || pitbird_names::uuid(fastrand::u128(..));
        pitbird_wire::client::fill_tokens(model, operation, &mut input, token);
        let request = pitbird_wire::client::encode(model, operation, protocol, input)?;
        let answer = self.send(model, request).await?;
        match pitbird_wire::client::decode(model, operation, protocol, answer) {
            Ok(output) => Ok(json::from_value(&output)),
            Err(ClientError::Refused(refusal)) => {
                Err(Error::Refused { operation: operation.name, refusal: Box::new(refusal) })
            }
            Err(ClientError::Decode(cause)) => Err(Error::Unreadable { operation: operation.name, cause }),
        }
    }

    async fn send(&self, model: &Model, mut request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let host = HeaderValue::from_str(self.endpoint.authority()).expect("an authority is plain text");
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        self.sign(model, &mut request);
        let sent = tokio::time::timeout(self.deadline, self.connection.send(request)).await;
        sent.map_err(|_| Error::Late { endpoint: self.endpoint.to_string(), deadline: self.deadline })?
    }

    fn sign(&self, model: &Model, request: &mut Request<Bytes>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let headers: Vec<(&str, &[u8])> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let signed = pitbird_sigv4::sign(
            &pitbird_sigv4::Request {
                method: request.method().as_str(),
                path: request.uri().path(),
                query: request.uri().query().unwrap_or_default(),
                headers: &headers,
            },
            &Payload::Bytes(request.body()),
            &self.credentials.borrowed(),
            &self.region,
            model.metadata.signing_name,
            now,
        );
        for (name, value) in signed {
            // A key that no header can carry goes unsent; a server that needs it says so.
            if let Ok(value) = HeaderValue::from_str(&value) {
                request.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }
}

fn answers_with_events(model: &Model, operation: &Operation) -> bool {
    let members = operation.output.map_or(&[][..], |shape| model.members(shape)).iter();
    members
        .map(|member| &model.shape(member.reference.shape).kind)
        .any(|kind| matches!(kind, Kind::Structure(structure) if structure.event_stream))
}

/// The code of a refusal, if the error is one.
impl Error {
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
