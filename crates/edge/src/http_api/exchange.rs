//! A request as functions get to see it.

use std::borrow::Cow;

use bytes::Bytes;
use http::header;
use pitbird_event::{AuthorizerQuestion, HttpContext, HttpExchange};
use smallvec::SmallVec;

use super::Routed;
use super::admitted::Admitted;

impl Routed<'_, '_> {
    /// The event for the route's function.
    pub(super) fn event(&self, admitted: &Admitted, trace_id: &str, body: &[u8], is_format_2: bool) -> Bytes {
        let json = admitted.json(is_format_2);
        let mut event = Vec::new();
        self.exchange(admitted, json.as_deref(), trace_id, Some(body), |exchange| match is_format_2 {
            true => exchange.write_event(&mut event),
            false => exchange.write_event_1(&mut event),
        });
        Bytes::from(event)
    }

    /// The event for the function that decides about the request.
    pub(super) fn question(
        &self,
        question: &AuthorizerQuestion<'_>,
        trace_id: &str,
        is_format_2: bool,
    ) -> Bytes {
        let mut event = Vec::new();
        self.exchange(&Admitted::Anybody, None, trace_id, None, |exchange| match is_format_2 {
            true => exchange.write_authorizer_event(question, &mut event),
            false => exchange.write_authorizer_event_1(question, &mut event),
        });
        Bytes::from(event)
    }

    fn exchange(
        &self,
        admitted: &Admitted,
        json: Option<&str>,
        trace_id: &str,
        body: Option<&[u8]>,
        write: impl FnOnce(&HttpExchange<'_>),
    ) {
        let (stage, arrival, seen) = (self.stage, self.arrival, self.seen);
        let mut length = itoa::Buffer::new();
        let mut headers: SmallVec<[(&str, &[u8]); 24]> =
            arrival.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        // Nothing is counted, too, and so is what came in pieces.
        if let Some(body) = body
            && !arrival.headers().contains_key(header::CONTENT_LENGTH)
        {
            headers.push((header::CONTENT_LENGTH.as_str(), length.format(body.len()).as_bytes()));
        }
        let decoded = |(name, text): &(&'_ str, &'_ str)| {
            ((*name).to_owned(), pitbird_paths::decode(text).into_owned())
        };
        let captures: SmallVec<[(String, String); 4]> = self.matched.captures.iter().map(decoded).collect();
        let path_parameters: SmallVec<[(&str, Cow<'_, str>); 4]> =
            captures.iter().map(|(name, text)| (name.as_str(), Cow::Borrowed(text.as_str()))).collect();
        write(&HttpExchange {
            route_key: &self.matched.route.key,
            // Decoded, whatever its name says; a function's URL shows it as it came.
            // Source: AWS's Lambda Test Tool, `HttpContextExtensions`.
            raw_path: &pitbird_paths::decode(seen.path),
            query: arrival.query(),
            headers: &headers,
            body: body.unwrap_or_default(),
            path_parameters: &path_parameters,
            stage_variables: Some(&stage.record.variables),
            host: arrival.host(),
            port: arrival.peer.port,
            scheme: arrival.peer.scheme,
            trace_id,
            context: HttpContext {
                account_id: stage.scope.account.as_str(),
                api_id: &stage.api_id,
                domain_name: seen.domain_name,
                domain_prefix: arrival.domain_prefix(),
                method: seen.method,
                protocol: seen.protocol,
                source_ip: seen.source_ip,
                request_id: seen.request_id,
                stage: &stage.record.name,
                time_epoch_ms: seen.at_ms,
                authorizer: admitted.authorizer(json),
            },
        });
    }
}
