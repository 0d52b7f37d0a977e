use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{HOST, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, Response};
use http_body_util::Full;
use pitbird_names::arn;
use pitbird_service::{self as service, Call, Caller, Permission, Service};
use pitbird_wire::{self as wire, Catalog, Fault, Value};

use crate::answer::{Answer, EventBody};
use crate::asked::Asked;
use crate::body::{self, Bodies};
use crate::caller::{self, Identified, Lookup, Signatures};

/// The AWS endpoint in front of all services.
pub struct Control {
    /// By the key of their model.
    services: BTreeMap<&'static str, Service>,
    signatures: Signatures,
    lookup: Lookup,
    gate: Gate,
    bodies: Bodies,
}

/// Where a call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Through the server's own listener.
    Outside,
    /// Out of a function's sandbox: it must be signed in any case, and do what the signer's policies allow.
    Function,
}

/// Says what a caller's policies say of what it asks for. Heard for calls of functions, and of functions' URLs.
pub type Gate = Arc<dyn Fn(&Caller, &Asked) -> Permission + Send + Sync>;

/// How a caller has reached us.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    /// `http` or `https`.
    pub scheme: &'static str,
    pub local: SocketAddr,
}

impl Control {
    pub fn new(
        services: impl IntoIterator<Item = Service>,
        signatures: Signatures,
        lookup: Lookup,
        gate: Gate,
    ) -> Control {
        let services = services.into_iter().map(|service| (service.model, service)).collect();
        Control { services, signatures, lookup, gate, bodies: Bodies::default() }
    }

    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// A call's whole way, from its head to its answer. `reached` is where the caller reached us.
    pub async fn serve<B>(&self, parts: &Parts, body: B, reached: Reached, origin: Origin) -> Response<Answer>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let request_id = pitbird_names::uuid(fastrand::u128(..));
        let body = self.bodies.read(parts, body).await;
        let bytes = body.as_ref().map_or_else(|_| Bytes::new(), |body| body.bytes.clone());
        let identified = Catalog::embedded().identify(parts, &bytes);
        let call = match identified {
            Ok(call) => call,
            Err(unidentified) => {
                let (fault, protocol) = (unidentified.fault(), unidentified.protocol());
                let answer = fault.encode(unidentified.model(), protocol, false, &request_id);
                return answer.map(whole);
            }
        };
        let answer = match body {
            // The body keeps its room until the answer is there.
            Ok(_held) => self.run(&call, parts, bytes, (reached, origin), &request_id).await,
            Err(fault) => Err((fault, None)),
        };
        let (fault, retry_after_s) = match answer {
            Ok(answer) => return answer,
            Err(failed) => failed,
        };
        let fault = match call.model.metadata.peculiar.bare_errors {
            true => fault.with_member("Resource", parts.uri.path()),
            false => fault,
        };
        let mut answer = call.encode_fault(&fault, &request_id);
        if let Some(seconds) = retry_after_s {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer.map(whole)
    }

    async fn run(
        &self,
        call: &wire::Call<'static>,
        parts: &Parts,
        body: Bytes,
        (reached, origin): (Reached, Origin),
        request_id: &str,
    ) -> Result<Response<Answer>, (Fault, Option<u32>)> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let signatures = self.signatures_of(origin);
        let identified = caller::identify(parts, &body, call, since.as_secs(), signatures, &self.lookup);
        let Identified { caller, seal } = identified.map_err(|fault| (fault, None))?;
        let input = match body::framing(parts) {
            None => input(call, parts, body),
            Some(framing) => body::unframed(parts, framing, &body, seal.as_ref())
                .and_then(|(parts, body)| input(call, &parts, body)),
        };
        let input = input.map_err(|fault| (fault, None))?;
        if origin == Origin::Function {
            self.permit(call, parts, &caller, &input).map_err(|fault| (fault, None))?;
        }
        let made = Call {
            caller,
            request_id: request_id.to_owned(),
            now_ms: since.as_millis() as i64,
            endpoint: reached.endpoint(&parts.headers),
            trace_id: trace_id(&parts.headers),
            input,
        };
        let (service, operation) = (call.model.key, call.operation.name);
        let running = self.services.get(service).and_then(|service| service.call(operation, made));
        let Some(running) = running else {
            return Err((unwritten(service, operation), None));
        };
        let answer = running.await.map_err(|fault| told(service, operation, request_id, fault))?;
        let (output, events) = match answer {
            service::Answer::Whole(output) => (output, None),
            service::Answer::Events(output, events) => (output, Some(events)),
        };
        let answer = call.encode(output, request_id).map_err(|error| {
            tracing::error!(service, operation, request_id, %error, "an output doesn't fit its model");
            (internal(), None)
        })?;
        Ok(match events {
            None => answer.map(whole),
            Some(events) => answer.map(|first| {
                let (call, request_id) = (call.clone(), request_id.to_owned());
                let first = Some(first).filter(|first| !first.is_empty());
                Answer::Right(EventBody { call, request_id, first, events })
            }),
        })
    }
}

impl Control {
    /// A call that comes by no request in an AWS protocol: the console's. It is held against its model like any other; who calls has been
    /// found out by whoever asks.
    pub async fn call(
        &self,
        service: &str,
        operation: &str,
        call: Call<Value>,
    ) -> Result<service::Answer, Fault> {
        let known =
            Catalog::embedded().model(service).and_then(|model| Some((model, model.operation(operation)?)));
        if let Some((model, operation)) = known {
            let violations = wire::check(model, operation, &call.input);
            if !violations.is_empty() {
                return Err(Fault::validation(model, &violations));
            }
        }
        let request_id = call.request_id.clone();
        let running = self.services.get(service).and_then(|service| service.call(operation, call));
        let running = running.ok_or_else(|| unwritten(service, operation))?;
        running.await.map_err(|fault| told(service, operation, &request_id, fault).0)
    }

    /// Who signed a request that is no call of ours, for a service such as `lambda` or `execute-api`, and what his policies say of all that is
    /// `asked`; an error for who didn't sign, or not validly. On loopback signatures are taken at their word, as those of
    /// calls are.
    pub fn signer(
        &self,
        parts: &Parts,
        body: &[u8],
        service: &str,
        origin: Origin,
        asked: &[Asked],
    ) -> Result<(Caller, Permission), pitbird_sigv4::Error> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let signatures = self.signatures_of(origin);
        let identified = caller::recognize(parts, body, service, since, signatures, &self.lookup)?;
        let caller = identified.caller;
        if caller.access_key_id.is_none() {
            return Err(pitbird_sigv4::Error::MissingAuthenticationToken);
        }
        let region =
            asked.iter().flat_map(|asked| &asked.resources).find_map(|resource| arn::parse(resource));
        let given = caller.scope.region.as_str();
        if caller.is_verified && region.is_some_and(|arn| !arn.region.is_empty() && arn.region != given) {
            return Err(pitbird_sigv4::Error::WrongRegion { given: given.to_owned() });
        }
        let said = asked.iter().map(|asked| (self.gate)(&caller, asked));
        let permission = said.fold(Permission::Allowed, Permission::and);
        Ok((caller, permission))
    }

    /// May who sent a request that is no call of ours read what is `asked`? On loopback anybody may; beyond it, who signed for the service and
    /// has policies that allow it. The error says who didn't sign, or not validly.
    pub fn may_read(&self, parts: &Parts, service: &str, asked: Asked) -> Result<bool, pitbird_sigv4::Error> {
        if self.signatures == Signatures::Unchecked {
            return Ok(true);
        }
        let (_, permission) = self.signer(parts, &[], service, Origin::Outside, &[asked])?;
        Ok(permission == Permission::Allowed)
    }

    /// What a caller's policies say of one thing more.
    pub fn permission(&self, caller: &Caller, asked: &Asked) -> Permission {
        (self.gate)(caller, asked)
    }

    fn signatures_of(&self, origin: Origin) -> Signatures {
        match origin {
            Origin::Outside => self.signatures,
            Origin::Function => Signatures::Required,
        }
    }

    /// What the caller's policies don't allow is refused in AWS's words.
    fn permit(
        &self,
        call: &wire::Call<'_>,
        parts: &Parts,
        caller: &Caller,
        input: &Value,
    ) -> Result<(), Fault> {
        let all = Asked::all(call, parts, caller, input);
        let refused = |asked: &&Asked| {
            !asked.needs_no_permission() && (self.gate)(caller, asked) != Permission::Allowed
        };
        let Some(asked) = all.iter().find(refused) else { return Ok(()) };
        let words = format!(
            "User: {} is not authorized to perform: {action} on resource: {} because no identity-based policy allows the \
             {action} action",
            caller.principal,
            asked.resource(),
            action = asked.action
        );
        Err(Fault::new("AccessDeniedException", words).with_status(403))
    }
}

/// The input, held against the model: what the model doesn't know and what breaks its constraints is refused before
/// the operation sees anything.
fn input(call: &wire::Call<'_>, parts: &Parts, body: Bytes) -> Result<Value, Fault> {
    if call.model.metadata.peculiar.bare_errors && !call.streams() {
        body::check(call, parts, &body)?;
    }
    let decoded = call.decode(parts, body).map_err(|error| Fault::decoding(call.model, &error))?;
    let violations = wire::check(call.model, call.operation, &decoded.input);
    if !violations.is_empty() {
        return Err(Fault::validation(call.model, &violations));
    }
    match decoded.unknown.first() {
        Some(path) => {
            let words = format!(
                "{path} is no member of {}'s input, so it is refused rather than ignored.",
                call.operation.name
            );
            let is_bare = call.model.metadata.peculiar.bare_errors;
            let code = call.model.metadata.peculiar.validation_code.filter(|_| is_bare);
            Err(Fault::new(code.unwrap_or("ValidationException"), words))
        }
        None => Ok(decoded.input),
    }
}

/// The trace that a caller's headers name: heard as API Gateway hears it.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let value = |name| headers.get(name).map(HeaderValue::as_bytes);
    pitbird_trace::told(value("x-amzn-trace-id"), value("traceparent")).map(Cow::into_owned)
}

fn whole(body: Bytes) -> Answer {
    Answer::Left(Full::new(body))
}

/// A service's fault in wire's words; its cause goes to the log.
fn told(service: &str, operation: &str, request_id: &str, fault: service::Fault) -> (Fault, Option<u32>) {
    if let Some(cause) = &fault.cause {
        tracing::error!(service, operation, request_id, cause, "a call failed");
    }
    let fault = fault.into_told();
    let mut told = Fault::new(fault.code, fault.message);
    told.status = fault.status;
    told.members = fault.members.into_iter().map(|(name, value)| (name.into(), value)).collect();
    (told, fault.retry_after_s)
}

fn unwritten(service: &str, operation: &str) -> Fault {
    let words = format!("{service} {operation} is not implemented by pitbird yet");
    Fault::new("NotImplementedException", words)
}

fn internal() -> Fault {
    Fault::new("InternalFailure", "The request processing has failed because of an internal error.")
}

impl Reached {
    /// The base URL that the caller used.
    fn endpoint(&self, headers: &HeaderMap) -> String {
        let Reached { scheme, local } = self;
        match headers.get(HOST).and_then(|host| host.to_str().ok()) {
            Some(host) => format!("{scheme}://{host}"),
            None => format!("{scheme}://{local}"),
        }
    }
}

#[cfg(test)]
mod tests;
