use pitbird_trace::{Kind, Link, Span, Value};
use prost::Message;

use crate::message::{self, Any, AnyValue, KeyValue, ResourceSpans, ScopeSpans, Status};
use crate::resource::{Origin, instrumentation};

/// `STATUS_CODE_ERROR`.
const ERROR: i32 = 2;
/// The trace flag of W3C's header: sampled.
const SAMPLED: u32 = 1;

/// The request that hands on these spans.
pub fn encode(origin: &Origin, batch: Vec<Span>) -> Vec<u8> {
    let spans = batch.into_iter().map(told).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(instrumentation()), spans }];
    let resource_spans = vec![ResourceSpans { resource: Some(origin.resource()), scope_spans }];
    message::ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn told(span: Span) -> message::Span {
    let Span { trace, id, parent, kind, name, start_ns, end_ns, attributes, error, link } = span;
    message::Span {
        trace_id: trace.to_bytes().to_vec(),
        span_id: id.to_bytes().to_vec(),
        parent_span_id: parent.map(|parent| parent.to_bytes().to_vec()).unwrap_or_default(),
        name,
        kind: match kind {
            Kind::Internal => 1,
            Kind::Server => 2,
            Kind::Client => 3,
        },
        start_time_unix_nano: start_ns,
        end_time_unix_nano: end_ns.max(start_ns),
        attributes: attributes.into_iter().map(attribute).collect(),
        links: link.into_iter().map(linked).collect(),
        status: error.map(|message| Status { message, code: ERROR }),
        flags: SAMPLED,
    }
}

/// Whatever is linked was recorded, as this span is: they belong to the same trace.
fn linked(link: Link) -> message::Link {
    let (trace_id, span_id) = (link.trace.to_bytes().to_vec(), link.span.to_bytes().to_vec());
    message::Link { trace_id, span_id, flags: SAMPLED }
}

fn attribute((name, value): (&'static str, Value)) -> KeyValue {
    let value: AnyValue = match value {
        Value::Text(text) => Any::Text(text).into(),
        Value::Whole(number) => Any::Whole(number).into(),
        Value::Truth(truth) => Any::Truth(truth).into(),
    };
    message::attribute(name, value)
}

#[cfg(test)]
mod tests {
    use pitbird_trace::{SpanId, TraceId};

    use super::*;

    #[test]
    fn a_span_is_told_with_all_that_it_says() {
        let (trace, id, parent) = (TraceId::new(1, 2), SpanId::new(3), Some(SpanId::new(4)));
        let mut span = Span {
            trace,
            id,
            parent,
            kind: Kind::Client,
            name: "f".to_owned(),
            start_ns: 10,
            end_ns: 9,
            attributes: Vec::new(),
            error: Some("why".to_owned()),
            link: Some(Link { trace, span: SpanId::new(4) }),
        };
        span.say("faas.coldstart", true);
        span.say("http.response.status_code", 200_u16);
        let origin = Origin::new("mine", "i", &[("service.version".to_owned(), "v".to_owned())]);
        let bytes = encode(&origin, vec![span]);
        let told = message::ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
        let resource = told.resource_spans[0].resource.clone().unwrap().attributes;
        assert!(resource.contains(&message::attribute("service.name", "mine")));
        let versions: Vec<_> = resource.iter().filter(|one| one.key == "service.version").collect();
        assert_eq!(versions, [&message::attribute("service.version", "v")]);
        let span = &told.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!((span.trace_id.len(), span.span_id.as_slice()), (16, &[0, 0, 0, 0, 0, 0, 0, 3][..]));
        assert_eq!((span.parent_span_id[7], span.kind, span.flags), (4, 3, 1));
        assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (10, 10), "clocks may go back");
        assert_eq!(span.status, Some(Status { message: "why".to_owned(), code: 2 }));
        let link = &span.links[0];
        assert_eq!((link.trace_id.as_slice(), link.span_id[7], link.flags), (&*span.trace_id, 4, 1));
        assert_eq!(span.attributes[1].value, Some(Any::Whole(200).into()));
    }
}
