use pitbird_trace::Rate;

use super::*;

const TRACE: &str = "5759e988bd862e3fe1be46a994272793";
const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
const W3C_SAMPLED: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

fn head(headers: &[(&'static str, &str)]) -> Parts {
    let mut head = http::Request::new(()).into_parts().0;
    for (name, value) in headers {
        head.headers.append(*name, value.parse().unwrap());
    }
    head
}

fn on(rate: Rate) -> Tracer {
    Tracer::new(rate).0
}

#[test]
fn nobody_joins_where_nobody_records() {
    let head = head(&[("traceparent", W3C_SAMPLED)]);
    assert!(Traced::join(&Tracer::off(), None, &head).is_none());
    let told = untold(&head.headers, 0);
    assert_eq!(told, format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1"), "in AWS's words, and untouched");
    assert!(untold(&HeaderMap::new(), 0x0575_9e98_8000).starts_with("Root=1-"));
}

#[test]
fn a_recorded_trace_goes_through_us_in_both_languages() {
    let head = head(&[("traceparent", W3C_SAMPLED), ("tracestate", "a=b")]);
    let traced = Traced::join(&on(Rate::NONE), None, &head).unwrap();
    assert!(traced.is_recorded(), "the client decided");
    let integration = traced.integration.to_string();
    assert_eq!(traced.header(), format!("{ROOT};Parent={integration};Sampled=1"));
    assert_eq!(traced.authorizer_header(), format!("{ROOT};Parent={};Sampled=1", traced.own));
    let told = traced.told(&head).unwrap();
    assert_eq!(told.headers["traceparent"], format!("00-{TRACE}-{integration}-01"));
    assert_eq!(told.headers["tracestate"], "a=b");
    let mut of_endpoint = HeaderMap::new();
    traced.tell(&mut of_endpoint);
    assert_eq!(of_endpoint["x-amzn-trace-id"], traced.header());
    assert_eq!(of_endpoint["traceparent"], told.headers["traceparent"]);
}

#[test]
fn of_an_unrecorded_trace_only_the_decision_is_told() {
    let bare = head(&[("x-amzn-trace-id", ROOT)]);
    let traced = Traced::join(&on(Rate::NONE), None, &bare).unwrap();
    assert!(!traced.is_recorded() && traced.told(&bare).is_none());
    assert_eq!(traced.header(), format!("{ROOT};Sampled=0"));
    let unsampled = W3C_SAMPLED.replace("-01", "-00");
    let decided = head(&[("traceparent", &unsampled)]);
    let traced = Traced::join(&on(Rate::ALL), None, &decided).unwrap();
    assert_eq!(traced.header(), format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=0"));
    let mut of_endpoint = decided.headers.clone();
    traced.tell(&mut of_endpoint);
    assert_eq!(of_endpoint["traceparent"], unsampled, "it goes on as it came");
}

#[test]
fn a_stage_that_traces_decides_by_xrays_rule() {
    let reservoir = Reservoir::default();
    let first = Traced::join(&Tracer::off(), Some(&reservoir), &head(&[])).unwrap();
    assert!(first.is_sampled && !first.is_recorded(), "sampled, and nobody takes spans");
    assert!(first.header().ends_with(";Sampled=1"));
    let taken =
        (0..200).filter(|_| Traced::join(&Tracer::off(), Some(&reservoir), &head(&[])).unwrap().is_sampled);
    assert!(taken.count() < 100, "not every one of a second");
    let refused = head(&[("x-amzn-trace-id", &format!("{ROOT};Sampled=0"))]);
    assert!(!Traced::join(&Tracer::off(), Some(&Reservoir::default()), &refused).unwrap().is_sampled);
}

#[test]
fn what_nobody_can_read_is_replaced_with_all_that_belongs_to_it() {
    for unreadable in [
        head(&[("traceparent", "nonsense"), ("tracestate", "a=b")]),
        head(&[("traceparent", W3C_SAMPLED), ("traceparent", W3C_SAMPLED), ("tracestate", "a=b")]),
    ] {
        let traced = Traced::join(&on(Rate::ALL), None, &unreadable).unwrap();
        let told = traced.told(&unreadable).unwrap();
        let parents: Vec<_> = told.headers.get_all("traceparent").iter().collect();
        assert_eq!(parents, [&traced.onward(traced.integration).to_w3c().unwrap()]);
        assert_eq!((told.headers.get("tracestate"), traced.context.parent), (None, None));
    }
}

#[test]
fn a_method_that_nobody_knows_has_one_name() {
    assert_eq!(["GET", "PATCH", "get", "BREW"].map(known_method), ["GET", "PATCH", "_OTHER", "_OTHER"]);
}
