//! Integrations whose answers are passed on as they come. Source: API Gateway developer guide, "Stream the integration response for your
//! proxy integrations in API Gateway".

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use pitbird_event::PRELUDE_END;
use pitbird_invoke::{self as invoke, Invocation};
use pitbird_snapshot::{Function, HttpProxy, LambdaTarget};
use tokio::time::{Instant, timeout};

use super::headers::{Kind, answered};
use super::{Means, Outcome, function_failure, malformed, not_run, ran, timed_out};
use crate::GatewayError;
use crate::answer::Answer;
use crate::arrival::Arrival;
use crate::backend::{Tls, Unanswered};
use crate::execution_log;
use crate::routed::Routed;
use crate::story::{EndpointId, IntegrationStory, StreamTimes};
use crate::streamed::{Failed, FunctionBody, Source, Stream, prelude, prelude_end, succeeded};
use crate::used::FunctionTally;

/// What stands before a body must have ended by then, bytes.
const PRELUDE_BYTES_MAX: usize = 16 << 10;

/// Of what a function answers, what comes behind its head.
enum Rest {
    Whole(Bytes),
    Open(Box<FunctionBody>),
}

/// Runs a function that says its status and headers first.
pub(super) async fn function(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    (function, target): (&Function, &LambdaTarget),
    invocation: Invocation,
    limit: Duration,
    means: &Means<'_>,
) -> Outcome {
    let began = Instant::now();
    let idle = routed.track.deployment.stream_idle;
    let qualifier = target.qualifier.as_ref();
    let begun = async {
        let answer = means.invoker.invoke_streaming(function, qualifier, fastrand::f64(), invocation).await?;
        begin(answer, &means.functions).await
    };
    let begun = timeout(limit.min(idle), begun).await;
    let latency_us = began.elapsed().as_micros() as u64;
    if matches!(&begun, Ok(Ok(_) | Err(Failed::Function(_)))) {
        execution_log::received(routed.log, 200, latency_us);
    }
    let mut outcome = match begun {
        Ok(Ok((head, rest))) => {
            routed.log.spell(head.headers.iter().map(|(name, _)| &**name));
            let (status, endpoint_id) = (Some(head.status), EndpointId::Own);
            let story =
                IntegrationStory { status, service_status: Some(200), endpoint_id, ..Default::default() };
            let mut outcome =
                Outcome { integration: Some(Box::new(story)), ..Outcome::answer(Answer::of_function(head)) };
            match rest {
                Rest::Whole(body) => outcome.answer.body = body,
                Rest::Open(body) => {
                    let (source, id) = (Source::Function(body), arrival.request_id.clone());
                    outcome.stream = Some(Box::new(Stream::new(source, id, began, (limit, idle))));
                }
            }
            outcome
        }
        Ok(Err(Failed::Refused(refused))) => not_run(routed, arrival, means, &refused),
        Ok(Err(Failed::Function(outcome))) => {
            means.functions.ran(&outcome);
            let why = function_failure(&arrival.request_id, &outcome.payload);
            ran(GatewayError::BadIntegrationAnswer, why)
        }
        Ok(Err(failed)) => malformed(arrival, &failed),
        Err(_) => timed_out(),
    };
    let has_head = outcome.error.is_none();
    told(&mut outcome, latency_us, has_head);
    outcome
}

/// What a function says first. One that doesn't stream says all of it at once, in the same form.
async fn begin(
    answer: invoke::Answer,
    tally: &FunctionTally,
) -> Result<(pitbird_event::Answer<'static>, Rest), Failed> {
    let (head, rest) = match answer {
        invoke::Answer::Whole(outcome) => {
            let outcome = succeeded(outcome)?;
            tally.ran(&outcome);
            match prelude_end(&outcome.payload)? {
                Some(end) if end <= PRELUDE_BYTES_MAX => {
                    let body = outcome.payload.slice(end + PRELUDE_END.len()..);
                    (outcome.payload.slice(..end), Rest::Whole(body))
                }
                Some(_) => return Err(Failed::TooLong),
                None => return Err(Failed::Endless),
            }
        }
        invoke::Answer::Pieces(mut pieces) => {
            let read = prelude(&mut pieces, PRELUDE_BYTES_MAX).await.inspect_err(|failed| {
                if let Failed::NoBody(outcome) = failed {
                    tally.ran(outcome);
                }
            });
            let (head, first) = read?;
            (head, Rest::Open(Box::new(FunctionBody::new(first, pieces))))
        }
    };
    Ok((pitbird_event::rest_stream_prelude(&head)?, rest))
}

/// Asks an HTTP endpoint, and gives back what it answers from its head on.
pub(super) async fn backend(
    request: Request<Full<Bytes>>,
    proxy: &HttpProxy,
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    means: &Means<'_>,
) -> Outcome {
    let limit = Duration::from_millis(proxy.timeout_ms.into());
    let idle = routed.track.deployment.stream_idle;
    let certificate = means.snapshot.client_certificate(routed.stage).map(|shown| &**shown);
    let tls = Tls { trust: proxy.trust, certificate };
    let began = Instant::now();
    let begun = timeout(limit.min(idle), means.backend.begin(request, tls)).await;
    let latency_us = began.elapsed().as_micros() as u64;
    let mut outcome = match begun.unwrap_or(Err(Unanswered::Timeout)) {
        Ok(response) => {
            let (head, body) = response.into_parts();
            let status = head.status.as_u16();
            execution_log::received(routed.log, status, latency_us);
            let mut headers = Vec::with_capacity(head.headers.len());
            for (name, value) in &head.headers {
                headers.extend(answered(name, Kind::Streamed).map(|name| (name, value.clone())));
            }
            let answer = Answer { status, headers, body: Bytes::new(), is_traced: false };
            let told = Some(status);
            let story = IntegrationStory { status: told, service_status: told, ..Default::default() };
            let source = Source::Backend(body);
            let stream = Stream::new(source, arrival.request_id.clone(), began, (limit, idle));
            Outcome {
                integration: Some(Box::new(story)),
                stream: Some(Box::new(stream)),
                ..Outcome::answer(answer)
            }
        }
        Err(unanswered) => super::http::failed(&unanswered),
    };
    let has_head = outcome.error.is_none();
    told(&mut outcome, latency_us, has_head);
    outcome
}

fn told(outcome: &mut Outcome, latency_us: u64, has_head: bool) {
    let Some(integration) = &mut outcome.integration else { return };
    let headers_us = has_head.then_some(latency_us);
    // What is whole came with its head.
    let content_us = headers_us.filter(|_| outcome.stream.is_none() && !outcome.answer.body.is_empty());
    integration.latency_us = latency_us;
    integration.streamed = Some(Box::new(StreamTimes { headers_us, content_us }));
}
