use std::borrow::Cow;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::request::Parts;
use http::{HeaderMap, header};

use crate::Target;
use crate::copied::Copied;
use crate::story::Pieces;
use crate::timer::Timer;
use crate::trace::{self, Traced};

/// How a request reached us.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// Its IP address.
    pub source: &'a str,
    /// Port and scheme that the client connected to.
    pub port: u16,
    pub scheme: &'a str,
    /// The bytes of the request's head as they came, to show header names in the caller's spelling; may be empty.
    pub raw_head: &'a [u8],
    /// Its connection's, where it has one.
    pub timer: Option<&'a Timer>,
}

impl Peer<'_> {
    /// What stands for a peer where somebody only tries out what a request would do.
    pub(crate) const NOBODY: Peer<'static> =
        Peer { source: "test-invoke-source-ip", port: 0, scheme: "https", raw_head: &[], timer: None };

    /// Did nobody send the request?
    pub(crate) fn is_nobody(&self) -> bool {
        self.port == 0
    }
}

/// One request once it has come in: who it is, when it came and all that it brought. What only some requests need is
/// made when it is asked for.
pub(crate) struct Arrival<'a> {
    pub target: Target<'a>,
    pub peer: Peer<'a>,
    head: &'a Parts,
    pub request_id: String,
    pub extended_request_id: String,
    /// Epoch milliseconds.
    pub at_ms: u64,
    began: Instant,
    /// `None` where nobody here records traces.
    pub trace: Option<Traced>,
}

/// What a request is beside what it brought.
pub(crate) struct Kept {
    pub request_id: String,
    pub extended_request_id: String,
    at_ms: u64,
    began: Instant,
    trace: Option<Traced>,
}

impl<'a> Arrival<'a> {
    pub fn new(target: Target<'a>, head: &'a Parts, peer: Peer<'a>, trace: Option<Traced>) -> Arrival<'a> {
        let mut entropy = [0; 11];
        entropy.copy_from_slice(&fastrand::u128(..).to_ne_bytes()[..11]);
        Arrival {
            target,
            peer,
            head,
            request_id: pitbird_names::uuid(fastrand::u128(..)),
            extended_request_id: pitbird_event::extended_request_id(entropy),
            at_ms: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
            began: Instant::now(),
            trace,
        }
    }

    /// The same request, from what was kept of it.
    pub fn again(copied: &'a Copied, kept: Kept) -> Arrival<'a> {
        let Kept { request_id, extended_request_id, at_ms, began, trace } = kept;
        let (target, peer, head) = (copied.target(), copied.peer(), &copied.head);
        Arrival { target, peer, head, request_id, extended_request_id, at_ms, began, trace }
    }

    /// What is the request's own, of which there is only one.
    pub fn kept(self) -> Kept {
        let Arrival { request_id, extended_request_id, at_ms, began, trace, .. } = self;
        Kept { request_id, extended_request_id, at_ms, began, trace }
    }

    pub fn method(&self) -> &'a str {
        self.head.method.as_str()
    }

    pub fn head(&self) -> &'a Parts {
        self.head
    }

    pub fn verb(&self) -> &'a http::Method {
        &self.head.method
    }

    pub fn query(&self) -> &'a str {
        self.head.uri.query().unwrap_or_default()
    }

    pub fn headers(&self) -> &'a HeaderMap {
        &self.head.headers
    }

    /// A header's value, if it is there and is text.
    pub fn header(&self, name: header::HeaderName) -> Option<&'a str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    pub fn host(&self) -> &'a str {
        let authority = || self.head.uri.authority().map(|authority| authority.as_str());
        self.header(header::HOST).or_else(authority).unwrap_or("localhost")
    }

    /// With the stage, as it came.
    pub fn path(&self) -> String {
        self.path_pieces().concat()
    }

    /// The same, not yet joined.
    pub fn path_pieces(&self) -> Pieces<'a, 3> {
        match self.target.mapped {
            Some((whole, _)) => [whole, "", ""],
            None if self.target.names_default() => [self.target.path, "", ""],
            None => ["/", self.target.stage, self.target.raw_path],
        }
    }

    /// As functions see it: without the stage, but under a custom domain with the base path.
    pub fn shown_path(&self) -> &'a str {
        self.target.mapped.map_or(self.target.path, |(whole, _)| whole)
    }

    /// The custom domain's base path that led here; empty where none did.
    pub fn base_path(&self) -> &'a str {
        self.target.mapped.map_or("", |(_, base_path)| base_path)
    }

    /// The first word of the host name.
    pub fn domain_prefix(&self) -> &'a str {
        match (self.target.mapped, self.target.domain) {
            (Some(_), Some(domain)) => domain.split('.').next().unwrap_or(domain),
            _ => self.target.api,
        }
    }

    /// The host name under which the API was asked for, or would be.
    pub fn domain(&self) -> Cow<'a, str> {
        match self.domain_pieces() {
            [domain, ""] => Cow::Borrowed(domain),
            pieces => Cow::Owned(pieces.concat()),
        }
    }

    /// The same, not yet joined.
    pub fn domain_pieces(&self) -> Pieces<'a, 2> {
        match self.target.domain {
            Some(domain) => [domain, ""],
            None => [self.target.api, ".execute-api.localhost"],
        }
    }

    pub fn protocol(&self) -> &'static str {
        if self.head.version == http::Version::HTTP_2 { "HTTP/2.0" } else { "HTTP/1.1" }
    }

    /// What the integration is told of the trace: the client's, or a new one each time.
    pub fn new_trace_id(&self) -> String {
        match &self.trace {
            Some(traced) => traced.header(),
            None => trace::untold(self.headers(), self.at_ms),
        }
    }

    /// What an authorizer's function is told of the trace.
    pub fn new_authorizer_trace_id(&self) -> String {
        match &self.trace {
            Some(traced) => traced.authorizer_header(),
            None => trace::untold(self.headers(), self.at_ms),
        }
    }

    /// Microseconds since it came.
    pub fn elapsed_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }
}
