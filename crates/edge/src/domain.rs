use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Response};
use http_body_util::Full;

use crate::arrival::{Arrival, Peer};
use crate::integrate::Outcome;
use crate::{Edge, GatewayError, Target};

/// A request's place under a custom domain.
#[derive(Debug)]
pub struct Placed {
    host: String,
    /// As it came, with the base path.
    whole: String,
    base_path: String,
    api: String,
    stage: String,
    rest: String,
}

impl Placed {
    pub fn target(&self) -> Target<'_> {
        let mapped = Some((self.whole.as_str(), self.base_path.as_str()));
        Target { mapped, ..Target::new(&self.api, &self.stage, &self.rest, Some(&self.host)) }
    }
}

impl Edge {
    /// Where a request goes whose host is a custom domain's: `None` when it is no such host, `Some(None)` when nothing is mapped there.
    pub fn locate(&self, host: &str, path: &str, headers: &HeaderMap) -> Option<Option<Placed>> {
        let snapshot = self.snapshots.load();
        let name = host.split(':').next().unwrap_or(host);
        let domain = snapshot.domain(name)?;
        Some(domain.locate(path, headers).map(|found| {
            let (stage, rest) = match found.stage {
                Some(stage) => (stage, found.rest),
                None => {
                    let below = found.rest.strip_prefix('/').unwrap_or(found.rest);
                    below.split_at(below.find('/').unwrap_or(below.len()))
                }
            };
            Placed {
                host: name.to_owned(),
                whole: path.to_owned(),
                base_path: found.base_path.to_owned(),
                api: found.api_id.to_owned(),
                stage: stage.to_owned(),
                rest: rest.to_owned(),
            }
        }))
    }

    /// The answer to who asks a custom domain for what nothing is mapped to.
    pub fn unmapped(&self, head: &Parts, peer: Peer<'_>) -> Response<Full<Bytes>> {
        let arrival = Arrival::new(Target::new("", "", "", None), head, peer, None);
        Outcome::error(GatewayError::Forbidden).into_response(arrival)
    }
}
