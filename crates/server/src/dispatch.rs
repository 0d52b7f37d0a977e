//! Whose request is it: the edge's, the AWS endpoint's, or pitbird's own?

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
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
        let (parts, body) = request.into_parts();
        let host = parts.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path = parts.uri.path();
        if let Some(target) = Target::parse(host, path) {
            let peer = Peer { source: peer.ip(), port: local.port(), scheme: "http", raw_head: &raw_head };
            return self.edge.serve(target, &parts, body, peer).await;
        }
        if let Some(answer) = self.admin.answer(&parts, peer) {
            return answer;
        }
        self.control.serve(&parts, body, local).await
    }
}
