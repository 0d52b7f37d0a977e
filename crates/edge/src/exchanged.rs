use http::header;
use pitbird_event::{Exchange, MediaTypes};
use smallvec::SmallVec;

use crate::admitted::Admitted;
use crate::arrival::Arrival;
use crate::integrate::headers::is_signature;
use crate::names_shown::NamesShown;
use crate::routed::Routed;

/// Shows `then` the exchange as functions see it: those behind methods, and those that authorize.
pub(crate) fn exchanged<T>(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    admitted: &Admitted,
    trace_id: &str,
    body: &[u8],
    then: impl FnOnce(&Exchange<'_>) -> T,
) -> T {
    let Routed { stage, track, matched, method, .. } = routed;
    let names = NamesShown::read(arrival.peer.raw_head);
    let headers: SmallVec<[(&str, &[u8]); 24]> = arrival
        .headers()
        .iter()
        // Who takes compressed bodies gets them unpacked.
        .filter(|(name, _)| {
            track.deployment.compression_minimum.is_none() || *name != header::CONTENT_ENCODING
        })
        .filter(|(name, value)| admitted.signer.is_none() || !is_signature(name, value))
        .map(|(name, value)| (names.shown(name.as_str()), value.as_bytes()))
        .collect();
    let captures: SmallVec<[(&str, &str); 4]> = matched.captures().collect();
    let (path, domain) = (arrival.path(), arrival.domain());
    then(&Exchange {
        resource: &matched.value.path,
        method: arrival.method(),
        path: arrival.shown_path(),
        query: arrival.query(),
        headers: &headers,
        body,
        path_parameters: &captures,
        stage_variables: &track.variables,
        binary: MediaTypes(&track.deployment.binary_media_types),
        is_trial: arrival.peer.is_nobody(),
        host: arrival.host(),
        port: arrival.peer.port,
        scheme: arrival.peer.scheme,
        trace_id,
        context: pitbird_event::Context {
            account_id: stage.scope.account.as_str(),
            api_id: &stage.api_id,
            deployment_id: &track.deployment.id,
            stage: &stage.record.name,
            resource_id: &matched.value.id,
            operation_name: method.operation_name.as_deref(),
            path: &path,
            protocol: arrival.protocol(),
            domain_name: &domain,
            domain_prefix: arrival.domain_prefix(),
            request_id: &arrival.request_id,
            extended_request_id: &arrival.extended_request_id,
            request_time_epoch_ms: arrival.at_ms,
            source_ip: arrival.peer.source,
            caller: caller(admitted),
        },
    })
}

fn caller(admitted: &Admitted) -> pitbird_event::ApiCaller<'_> {
    let authorizer = admitted.authorizer.as_ref().and_then(|story| {
        let result = story.result.as_deref()?;
        Some(pitbird_event::Authorizer {
            principal_id: &result.principal_id,
            integration_latency_ms: story.latency_ms,
            context: &result.context,
        })
    });
    pitbird_event::ApiCaller {
        signer: admitted.signer.as_deref().map(|signer| pitbird_event::Signer {
            access_key_id: &signer.access_key_id,
            account_id: &signer.account,
            principal: &signer.principal,
            user_id: &signer.user_id,
        }),
        api_key: admitted.api_key.as_ref().map(|key| (key.id.as_str(), key.value.as_str())),
        authorizer,
        claims: admitted.authorizer.as_ref().and_then(|story| story.claims.as_deref()),
    }
}

/// The values of a header as the client spelled it; where the spelling isn't known any will do.
pub(crate) fn header_spelled<'a>(arrival: &Arrival<'a>, name: &str) -> Option<&'a str> {
    let lower = header::HeaderName::from_bytes(name.as_bytes()).ok()?;
    let value = arrival.header(lower.clone())?;
    let names = NamesShown::read(arrival.peer.raw_head);
    let is_known = !arrival.peer.raw_head.is_empty();
    (!is_known || names.shown(lower.as_str()) == name).then_some(value)
}
