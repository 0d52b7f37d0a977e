//! Whose request is it: the edge's, the AWS endpoint's, or pitbird's own?

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use pitbird_control::Control;
use pitbird_edge::{Edge, Peer, Target};

use crate::admin::Admin;
use crate::raw_head::RawHead;

pub struct Dispatch {
    pub edge: Arc<Edge>,
    pub control: Control,
    pub admin: Admin,
}

impl Dispatch {
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        local: SocketAddr,
        head: &RawHead,
    ) -> Response<Full<Bytes>> {
        let raw_head = head.take();
        let (parts, mut body) = request.into_parts();
        let asks_first = parts.headers.contains_key(EXPECT) && parts.headers.contains_key(CONTENT_LENGTH);
        let is_empty = body.is_end_stream();
        let mut answer = self.ask(&parts, &mut body, peer, local, &raw_head).await;
        if asks_first && (is_empty || !body.is_end_stream()) {
            // Who asks whether his body is wanted, and gets an answer instead, doesn't send it. There is no next request on this
            // connection: the body might come after all, and botocore would take this answer's status for the next one's.
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return answer;
        }
        discard(&mut body).await;
        answer
    }

    async fn ask(
        &self,
        parts: &Parts,
        body: &mut Incoming,
        peer: SocketAddr,
        local: SocketAddr,
        raw_head: &[u8],
    ) -> Response<Full<Bytes>> {
        let host = parts.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path = parts.uri.path();
        if let Some(target) = Target::parse(host, path) {
            let peer = Peer { source: peer.ip(), port: local.port(), scheme: "http", raw_head };
            return self.edge.serve(target, parts, body, peer).await;
        }
        if let Some(answer) = self.admin.answer(parts, peer) {
            return answer;
        }
        self.control.serve(parts, body, local).await
    }
}

/// Of a body that nobody wanted to the end, this much is still read and thrown away.
const DISCARD_BYTES_MAX: usize = 128 << 20;
/// And for no longer than this.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads what is left of a body: to hang up on somebody who is still sending would reset the connection, and the answer that
/// says why with it.
async fn discard(body: &mut Incoming) {
    if body.is_end_stream() {
        return;
    }
    let rest = async {
        let mut left = DISCARD_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(less) => left = less,
                None => return,
            }
        }
    };
    // Whoever takes longer is hung up on after all.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, rest).await;
}
