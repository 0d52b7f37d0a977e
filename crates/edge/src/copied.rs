use http::request::Parts;

use crate::Target;
use crate::arrival::{Arrival, Peer};

/// A request on its own, without the connection that it came by.
pub(crate) struct Copied {
    pub head: Parts,
    raw_head: Vec<u8>,
    source: String,
    port: u16,
    scheme: String,
    target: CopiedTarget,
}

struct CopiedTarget {
    api: String,
    stage: String,
    path: String,
    raw_path: String,
    domain: Option<String>,
    mapped: Option<(String, String)>,
}

impl Copied {
    pub fn of(arrival: &Arrival<'_>) -> Copied {
        let (target, peer) = (arrival.target, arrival.peer);
        Copied {
            head: arrival.head().clone(),
            raw_head: peer.raw_head.to_owned(),
            source: peer.source.to_owned(),
            port: peer.port,
            scheme: peer.scheme.to_owned(),
            target: CopiedTarget {
                api: target.api.to_owned(),
                stage: target.stage.to_owned(),
                path: target.path.to_owned(),
                raw_path: target.raw_path.to_owned(),
                domain: target.domain.map(str::to_owned),
                mapped: target.mapped.map(|(whole, base)| (whole.to_owned(), base.to_owned())),
            },
        }
    }

    pub fn target(&self) -> Target<'_> {
        let CopiedTarget { api, stage, path, raw_path, domain, mapped } = &self.target;
        let mapped = mapped.as_ref().map(|(whole, base)| (whole.as_str(), base.as_str()));
        Target { api, stage, path, raw_path, domain: domain.as_deref(), mapped }
    }

    pub fn peer(&self) -> Peer<'_> {
        let Copied { raw_head, source, port, scheme, .. } = self;
        Peer { source, port: *port, scheme, raw_head, timer: None }
    }
}
