//! Whose request is it: the edge's, the AWS endpoint's, or pitbird's own?

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Body, Incoming};
use pitbird_console::{Console, Visitor};
use pitbird_control::{Asked, Control, Origin, Reached};
use pitbird_edge::{
    Edge, MIRRORED, Peer, Renewal, Signature, SignatureFault, Target, Timer, UrlSigner, UrlTarget,
};
use pitbird_sandbox::RUNTIME_API_PORT;
use pitbird_service::{Caller, Permission};
use pitbird_sigv4::Kind;

use crate::admin::Admin;
use crate::raw_head::{RawHead, Streamed};
use crate::received::Received;

/// Body of an answer: there, or to come piece by piece.
pub type Answer = Either<Full<Bytes>, pitbird_invoke::Body>;

/// Who is at the other end of a connection, and at which of our addresses.
pub struct Client {
    /// Its IP address as text, which every event has.
    source: String,
    local: SocketAddr,
    /// `http` or `https`.
    scheme: &'static str,
    timer: Timer,
}

impl Client {
    pub fn new(address: SocketAddr, local: SocketAddr, scheme: &'static str) -> Client {
        Client { source: address.ip().to_string(), local, scheme, timer: Timer::default() }
    }

    fn peer<'a>(&'a self, raw_head: &'a [u8]) -> Peer<'a> {
        Peer {
            source: &self.source,
            port: self.local.port(),
            scheme: self.scheme,
            raw_head,
            timer: Some(&self.timer),
        }
    }
}

pub struct Dispatch {
    pub edge: Arc<Edge>,
    pub control: Arc<Control>,
    pub console: Console,
    pub admin: Admin,
}

impl Dispatch {
    /// Answers a request whose head was taken up, `raw_head` as it came.
    pub async fn answer(
        &self,
        request: Request<Received>,
        client: &Client,
        head: &Arc<RawHead>,
        raw_head: Bytes,
    ) -> Response<Answer> {
        let (mut parts, mut body) = request.into_parts();
        name_host(&mut parts);
        if let Some((status, words)) = misframed(&parts) {
            let mut answer = Response::new(Either::Left(Full::new(Bytes::from_static(words))));
            *answer.status_mut() = status;
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return answer;
        }
        parts.headers.remove(MIRRORED);
        let asks_first = parts.headers.contains_key(EXPECT) && parts.headers.contains_key(CONTENT_LENGTH);
        let is_empty = body.is_end_stream();
        let mut answer = self.ask(&parts, &mut body, client, &raw_head).await;
        if asks_first && (is_empty || !body.is_end_stream()) {
            // Who asks whether his body is wanted, and gets an answer instead, doesn't send it. There is no next request on this
            // connection: the body might come after all, and botocore would take this answer's status for the next one's.
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return answer;
        }
        if !discard(&mut body).await {
            return answer;
        }
        answer.map(|body| match body {
            Either::Left(whole) => {
                head.answered();
                Either::Left(whole)
            }
            Either::Right(streamed) => Either::Right(Streamed::new(streamed, head.clone()).boxed_unsync()),
        })
    }

    async fn ask(
        &self,
        parts: &Parts,
        body: &mut Received,
        client: &Client,
        raw_head: &[u8],
    ) -> Response<Answer> {
        let host = parts.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path = parts.uri.path();
        if let Some(target) = Target::parse(host, path) {
            let answer = self.serve_api(target, parts, body, client.peer(raw_head), Origin::Outside).await;
            return apart(parts, target.domain, answer);
        }
        // Not moved out of there: a request's state would have room for both.
        match &self.edge.locate(host, path, &parts.headers) {
            None => {}
            Some(Some(placed)) => {
                let peer = client.peer(raw_head);
                return self.serve_api(placed.target(), parts, body, peer, Origin::Outside).await;
            }
            Some(None) => return self.edge.unmapped(parts, client.peer(raw_head)).map(Either::Left),
        }
        if let Some(target) = UrlTarget::parse(host, path) {
            let peer = client.peer(raw_head);
            let signer = |body: &[u8], arn: &str| self.url_signer(parts, body, arn, Origin::Outside);
            let answer = self.edge.serve_url(target, parts, body, peer, signer).await.map(boxed);
            return apart(parts, target.domain, answer);
        }
        if let Some(answer) = self.admin.answer(parts) {
            return answer.map(Either::Left);
        }
        if let Some(answer) = self.admin.metrics(parts, &self.control).await {
            return answer.map(Either::Left);
        }
        if let Some(answer) = self.admin.code(parts).await {
            return answer.map(Either::Left);
        }
        if Console::owns(path) {
            let visitor = Visitor { source: &client.source, scheme: client.scheme };
            // In a box, so that requests that aren't the console's have no room for it.
            return Box::pin(self.console.answer(parts, body, visitor)).await.map(boxed);
        }
        if let Some(refused) = self.console.refuses_call(parts) {
            return refused.map(boxed);
        }
        let reached = Reached { scheme: client.scheme, local: client.local };
        apart(parts, None, self.control.serve(parts, body, reached, Origin::Outside).await.map(boxed))
    }

    /// A request that a function made from inside its sandbox: for an API, for AWS, or for the code that a call to AWS has told
    /// it where to find. What this server tells its users beside is none of a function's business.
    pub async fn answer_function(&self, request: Request<Incoming>) -> Response<Answer> {
        let (parts, body) = request.into_parts();
        let mut body = Received::from(body);
        let host = parts.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, RUNTIME_API_PORT));
        let peer =
            Peer { source: "127.0.0.1", port: address.port(), scheme: "http", raw_head: &[], timer: None };
        let limited = Limited::new(&mut body, FUNCTION_BODY_BYTES_MAX);
        let answer = if let Some(target) = Target::parse(host, parts.uri.path()) {
            self.serve_api(target, &parts, limited, peer, Origin::Function).await
        } else if let Some(target) = UrlTarget::parse(host, parts.uri.path()) {
            let signer = |body: &[u8], arn: &str| self.url_signer(&parts, body, arn, Origin::Function);
            self.edge.serve_url(target, &parts, limited, peer, signer).await.map(boxed)
        } else if let Some(answer) = self.admin.code(&parts).await {
            answer.map(Either::Left)
        } else {
            let reached = Reached { scheme: peer.scheme, local: address };
            self.control.serve(&parts, limited, reached, Origin::Function).await.map(boxed)
        };
        discard(&mut body).await;
        answer
    }

    /// A request to an API of either kind.
    async fn serve_api<B>(
        &self,
        target: Target<'_>,
        parts: &Parts,
        body: B,
        peer: Peer<'_>,
        origin: Origin,
    ) -> Response<Answer>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // One for the request's whole way.
        let snapshot = self.edge.snapshot();
        if snapshot.http_api(target.api).is_some() {
            let signer = |body: &[u8], arn: &str| self.api_signer(parts, body, arn, origin);
            self.edge.serve_http(snapshot, target, parts, body, peer, signer).await.map(Either::Left)
        } else {
            let signature = |body: &[u8], arn: &str| self.api_signature(parts, body, arn, origin);
            self.edge.serve(snapshot, target, parts, body, peer, signature).await.map(boxed)
        }
    }

    /// Who signed a request to the URL of this function; nobody whom his own policies deny it.
    fn url_signer(&self, parts: &Parts, body: &[u8], arn: &str, origin: Origin) -> Option<UrlSigner> {
        let asked = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]
            .map(|action| Asked { action: action.to_owned(), resources: vec![arn.to_owned()] });
        let (caller, permission) = self.control.signer(parts, body, "lambda", origin, &asked).ok()?;
        (permission != Permission::Denied).then(|| signer(caller, permission, Renewal::NotMentioned))
    }

    /// Who signed a request through an HTTP API for what this ARN names; nobody whom his own policies deny it.
    fn api_signer(&self, parts: &Parts, body: &[u8], arn: &str, origin: Origin) -> Option<UrlSigner> {
        let Signature { signer, is_denied } = self.api_signature(parts, body, arn, origin).ok()?;
        (!is_denied).then_some(signer)
    }

    /// Who signed a request to this method of an API, and what his own policies say of it.
    fn api_signature(
        &self,
        parts: &Parts,
        body: &[u8],
        arn: &str,
        origin: Origin,
    ) -> Result<Signature, SignatureFault> {
        let asked = [Asked { action: "execute-api:Invoke".to_owned(), resources: vec![arn.to_owned()] }];
        let signed = self.control.signer(parts, body, "execute-api", origin, &asked);
        let (caller, permission) = signed.map_err(|error| match error.kind() {
            Kind::MissingAuthenticationToken => SignatureFault::Missing,
            Kind::UnrecognizedClient => SignatureFault::Unrecognized,
            Kind::ExpiredToken => SignatureFault::Expired,
            Kind::InvalidSignature => SignatureFault::Invalid(error.to_string()),
            Kind::IncompleteSignature | Kind::Unsupported => SignatureFault::Incomplete(error.to_string()),
        })?;
        let is_denied = permission == Permission::Denied;
        let renewal = self.renewal(parts, &caller, arn);
        Ok(Signature { signer: signer(caller, permission, renewal), is_denied })
    }

    /// What a caller's policies say of a new answer in place of a cached one. Only requests that say something of caches can want one.
    fn renewal(&self, parts: &Parts, caller: &Caller, arn: &str) -> Renewal {
        if !parts.headers.contains_key(CACHE_CONTROL) {
            return Renewal::NotMentioned;
        }
        let asked =
            Asked { action: "execute-api:InvalidateCache".to_owned(), resources: vec![arn.to_owned()] };
        match self.control.permission(caller, &asked) {
            Permission::Allowed => Renewal::Allowed,
            Permission::Denied => Renewal::Denied,
            Permission::NotMentioned => Renewal::NotMentioned,
        }
    }
}

/// What IAM calls the caller.
pub(crate) fn user_id(caller: &Caller) -> String {
    caller.session_id.clone().unwrap_or_else(|| pitbird_records::session::user_id(&caller.principal))
}

fn signer(caller: Caller, permission: Permission, renewal: Renewal) -> UrlSigner {
    UrlSigner {
        user_id: user_id(&caller),
        access_key_id: caller.access_key_id.unwrap_or_default(),
        account: caller.scope.account.to_string(),
        principal: caller.principal,
        may_call: permission == Permission::Allowed,
        renewal,
    }
}

/// An answer of somebody else's is kept apart from the console where no host name of its own, `domain`, does that already.
fn apart(parts: &Parts, domain: Option<&str>, mut answer: Response<Answer>) -> Response<Answer> {
    if domain.is_none() {
        Console::fence(parts, answer.headers_mut());
    }
    answer
}

/// HTTP/2 names the host beside the headers, and so does a target with an authority, before which the header is nothing (RFC 9112
/// §3.2.2); everybody here, and every signature, looks among them.
fn name_host(parts: &mut Parts) {
    if let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(HOST, host);
    }
}

/// Why RFC 9112 has a request refused: it names no host, or two (§3.2), or its body has a coding that nobody here undoes (§6.1). Whoever is
/// before us might read it as another one.
fn misframed(parts: &Parts) -> Option<(StatusCode, &'static [u8])> {
    if parts.version == Version::HTTP_11 && parts.headers.get_all(HOST).iter().count() != 1 {
        return Some((StatusCode::BAD_REQUEST, b"one Host is needed\n"));
    }
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    let is_plain = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(|coding| !is_plain(coding)) || codings.next().is_some() {
        return Some((StatusCode::NOT_IMPLEMENTED, b"the only transfer coding here is chunked\n"));
    }
    None
}

/// Of all the ways in which an answer can come only the usual one goes without a box.
fn boxed<B>(body: Either<Full<Bytes>, B>) -> Answer
where
    B: Body<Data = Bytes, Error = std::io::Error> + Send + 'static,
{
    match body {
        Either::Left(whole) => Either::Left(whole),
        Either::Right(streamed) => Either::Right(streamed.boxed_unsync()),
    }
}

/// Longest body of a request that a function makes, bytes. With the bound on its requests at the same time it is what a
/// function can make this process hold.
const FUNCTION_BODY_BYTES_MAX: usize = 8 << 20;

/// Of a body that nobody wanted to the end, this much is still read and thrown away.
const DISCARD_BYTES_MAX: usize = 128 << 20;
/// And for no longer than this.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads what is left of a body: to hang up on somebody who is still sending would reset the connection, and the answer that
/// says why with it. Was it read to its end?
async fn discard(body: &mut Received) -> bool {
    if body.is_end_stream() || matches!(body, Received::Whole(_)) {
        return true;
    }
    let rest = async {
        let mut left = DISCARD_BYTES_MAX;
        loop {
            let Some(frame) = body.frame().await else { return true };
            let Ok(frame) = frame else { return false };
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(less) => left = less,
                None => return false,
            }
        }
    };
    // Whoever takes longer is hung up on after all.
    tokio::time::timeout(DISCARD_TIMEOUT, rest).await.unwrap_or(false)
}
