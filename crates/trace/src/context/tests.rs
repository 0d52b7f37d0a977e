use proptest::prelude::*;

use super::*;

const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const W3C: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

fn new() -> TraceId {
    TraceId::new(0x58bc_ab84, 0x0001_0203_0405_0607_0809_0a0b)
}

fn told(xray: Option<&str>, w3c: Option<&str>) -> String {
    header(xray.map(str::as_bytes), w3c.map(str::as_bytes), new).into_owned()
}

#[test]
fn both_languages_say_the_same() {
    let context = Context::parse_xray(XRAY.as_bytes());
    assert_eq!(context, Context::parse_w3c(W3C.as_bytes()));
    let context = context.unwrap();
    assert_eq!((context.to_xray().as_str(), context.to_w3c().as_deref()), (XRAY, Some(W3C)));
    assert_eq!(context.root(), "1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(context.trace.to_string(), "5759e988bd862e3fe1be46a994272793");
    let unsampled = Context { is_sampled: Some(false), ..context };
    assert!(unsampled.to_xray().ends_with(";Sampled=0"));
    assert!(unsampled.to_w3c().unwrap().ends_with("-00"));
    assert_eq!(Context { parent: None, ..context }.to_w3c(), None);
}

#[test]
fn xrays_header_is_read_field_by_field() {
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let sampled = |text: String| Context::parse_xray(text.as_bytes()).map(|context| context.is_sampled);
    assert_eq!(sampled(format!("Self=1-2-3; {root} ;Sampled=0;x=y")), Some(Some(false)));
    assert_eq!(sampled(format!("{root};Sampled=?")), Some(None));
    assert_eq!(sampled(root.to_lowercase()), Some(None));
    assert_eq!(sampled(format!("{root};{}", "x".repeat(HEADER_BYTES_MAX))), None);
    let parent = |text: String| Context::parse_xray(text.as_bytes()).and_then(|context| context.parent);
    assert_eq!(parent(format!("{root};Parent=0000000000000000")), None);
    assert_eq!(parent(format!("{root};Parent=53995c3f42cd8ad")), None);
    for bad in ["", "Root=1-5759e988", "Root=2-5759e988-bd862e3fe1be46a994272793", "Sampled=1"] {
        assert_eq!(sampled(bad.to_owned()), None, "{bad}");
    }
    for bad in ["1-5759e988-bd862e3fe1be46a99427279x", "1-00000000-000000000000000000000000"] {
        assert_eq!(sampled(format!("Root={bad}")), None, "{bad}");
    }
    assert_eq!(Context::parse_xray(b"\xff"), None);
}

#[test]
fn w3cs_header_is_read_to_the_letter() {
    for bad in [
        "",
        "00",
        "ff-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
        "00-5759E988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
        "00-00000000000000000000000000000000-53995c3f42cd8ad8-01",
        "00-5759e988bd862e3fe1be46a994272793-0000000000000000-01",
        "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-1",
        "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01-more",
        "0-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
    ] {
        assert_eq!(Context::parse_w3c(bad.as_bytes()), None, "{bad}");
    }
    let later = "cc-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-03-what-comes";
    assert_eq!(Context::parse_w3c(later.as_bytes()), Context::parse_w3c(W3C.as_bytes()));
}

#[test]
fn of_two_traces_the_one_that_says_more_counts() {
    let other = "00-11111111111111111111111111111111-2222222222222222-00";
    let bare = "Root=1-5759e988-bd862e3fe1be46a994272793";
    for (xray, w3c, wanted) in [
        (None, None, "Root=1-58bcab84-000102030405060708090a0b"),
        (Some(XRAY), None, XRAY),
        (
            Some("Self=1-2-3; root=1-5759E988-bd862e3fe1be46a994272793"),
            None,
            "Self=1-2-3; root=1-5759E988-bd862e3fe1be46a994272793",
        ),
        (None, Some(W3C), XRAY),
        (Some(XRAY), Some(other), XRAY),
        (
            Some(bare),
            Some(other),
            "Root=1-11111111-111111111111111111111111;Parent=2222222222222222;Sampled=0",
        ),
        (Some("nonsense"), Some(W3C), XRAY),
        (Some("nonsense"), Some("nonsense"), "Root=1-58bcab84-000102030405060708090a0b"),
    ] {
        assert_eq!(told(xray, w3c), wanted, "{xray:?} {w3c:?}");
    }
    let joined = Context::carried(Some(bare.as_bytes()), Some(W3C.as_bytes())).unwrap();
    assert_eq!(joined.to_xray(), XRAY, "one trace, of which W3C's header says more");
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_a_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Context::parse_xray(&bytes);
        let _ = Context::parse_w3c(&bytes);
        header(Some(&bytes), Some(&bytes), new);
    }

    #[test]
    fn what_is_written_is_read(trace in 1..u128::MAX, parent in 1..u64::MAX, is_sampled: bool) {
        let context = Context { trace: TraceId(trace), parent: Some(SpanId(parent)), is_sampled: Some(is_sampled) };
        prop_assert_eq!(Context::parse_xray(context.to_xray().as_bytes()), Some(context));
        let w3c = context.to_w3c().expect("it has a parent");
        prop_assert_eq!(Context::parse_w3c(w3c.as_bytes()), Some(context));
    }
}
