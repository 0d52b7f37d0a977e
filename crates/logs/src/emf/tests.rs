use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

const NOW: i64 = 1_763_900_000_000;

fn document(change: impl FnOnce(&mut Json)) -> String {
    let mut document = json!({
        "_aws": {"Timestamp": NOW, "CloudWatchMetrics": [{
            "Namespace": "shop", "Dimensions": [["service", "stage"], []],
            "Metrics": [{"Name": "latency", "Unit": "Milliseconds", "StorageResolution": 1}, {"Name": "orders"}],
        }]},
        "service": "pets", "stage": "prod", "latency": [1.5, 2], "orders": 3, "extra": {"latency": "nested"},
    });
    change(&mut document);
    document.to_string()
}

fn told(message: &str) -> Result<Vec<String>, BadDocument> {
    let metrics = read(message, NOW)?;
    let told = |m: Embedded| {
        let dimensions: Vec<String> =
            m.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!(
            "{} {} [{}] {} {}s {:?} {}",
            m.namespace,
            m.name,
            dimensions.join(" "),
            m.unit,
            m.resolution.seconds(),
            m.values,
            m.at_ms - NOW
        )
    };
    Ok(metrics.into_iter().map(told).collect())
}

#[test]
fn a_document_gives_each_metric_under_each_set_of_dimensions() {
    assert_eq!(
        told(&document(|_| {})).expect("a document"),
        [
            "shop latency [service=pets stage=prod] Milliseconds 1s [1.5, 2.0] 0",
            "shop latency [] Milliseconds 1s [1.5, 2.0] 0",
            "shop orders [service=pets stage=prod] None 60s [3.0] 0",
            "shop orders [] None 60s [3.0] 0",
        ]
    );
    let two = document(|document| {
        let other = json!({"Namespace": "other", "Dimensions": [[]], "Metrics": [{"Name": "orders", "Unit": "Count"}]});
        document["_aws"]["CloudWatchMetrics"].as_array_mut().expect("a list").push(other);
    });
    assert_eq!(
        told(&two).expect("a document").last().map(String::as_str),
        Some("other orders [] Count 60s [3.0] 0")
    );
    assert_eq!(read("no document", NOW), Ok(vec![]));
    assert_eq!(read("{\"CloudWatchMetrics\": []}", NOW), Ok(vec![]), "without _aws it isn't meant as one");
}

/// What Powertools for AWS Lambda (Python) prints for one metric and a cold start.
#[test]
fn powertools_documents_are_read() {
    let printed = r#"{"_aws":{"Timestamp":1763900000000,"CloudWatchMetrics":[{"Namespace":"ServerlessAirline","Dimensions":[["service"]],
        "Metrics":[{"Name":"SuccessfulBooking","Unit":"Count"}]}]},"service":"booking","booking_id":"0a7b","SuccessfulBooking":[1.0]}"#;
    assert_eq!(
        told(printed).expect("a document"),
        ["ServerlessAirline SuccessfulBooking [service=booking] Count 60s [1.0] 0"]
    );
    let cold_start = r#"{"_aws":{"Timestamp":1763900000000,"CloudWatchMetrics":[{"Namespace":"ServerlessAirline","Dimensions":[["function_name","service"]],
        "Metrics":[{"Name":"ColdStart","Unit":"Count"}]}]},"function_name":"f","service":"booking","ColdStart":[1.0]}"#;
    assert_eq!(
        told(cold_start).expect("a document"),
        ["ServerlessAirline ColdStart [function_name=f service=booking] Count 60s [1.0] 0"]
    );
}

#[test]
fn a_document_that_breaks_a_rule_gives_nothing() {
    type Change = fn(&mut Json);
    fn directive(document: &mut Json) -> &mut Json {
        &mut document["_aws"]["CloudWatchMetrics"][0]
    }
    let parsing: &[Change] = &[
        |d| d["_aws"] = json!("CloudWatchMetrics"),
        |d| drop(d["_aws"].as_object_mut().map(|header| header.remove("Timestamp"))),
        |d| d["_aws"]["Timestamp"] = json!("now"),
        |d| d["_aws"]["CloudWatchMetrics"] = json!({}),
        |d| drop(directive(d).as_object_mut().map(|directive| directive.remove("Namespace"))),
        |d| directive(d)["Dimensions"] = json!(["service"]),
        |d| directive(d)["Metrics"] = json!([{"Unit": "Count"}]),
    ];
    let validation: &[Change] = &[
        |d| d["_aws"]["Timestamp"] = json!(NOW - OLD_MS - 1),
        |d| d["_aws"]["Timestamp"] = json!(NOW + NEW_MS + 1),
        |d| directive(d)["Namespace"] = json!(" "),
        |d| directive(d)["Namespace"] = json!("AWS/Lambda"),
        |d| directive(d)["Metrics"][0]["Unit"] = json!("Furlongs"),
        |d| directive(d)["Metrics"][0]["StorageResolution"] = json!(5),
        |d| directive(d)["Metrics"][0]["Name"] = json!("missing"),
        |d| directive(d)["Dimensions"] = json!([["missing"]]),
        |d| directive(d)["Dimensions"] = json!([["orders"]]),
        |d| d["service"] = json!(""),
        |d| d["service"] = json!("x".repeat(1025)),
        |d| d["orders"] = json!("3"),
        |d| d["orders"] = json!({"nested": 3}),
        |d| d["orders"] = json!([]),
        |d| d["orders"] = json!([1, "2"]),
        |d| d["orders"] = json!(1e300),
        |d| d["latency"] = json!(vec![1; VALUES_MAX + 1]),
        |d| directive(d)["Metrics"] = json!(vec![json!({"Name": "orders"}); METRICS_MAX + 1]),
        |d| directive(d)["Dimensions"] = json!([vec!["service"; DIMENSIONS_MAX + 1]]),
        |d| directive(d)["Dimensions"] = json!(vec![json!([]); DIMENSION_SETS_MAX + 1]),
    ];
    for (changes, bad) in [(parsing, BadDocument::Parsing), (validation, BadDocument::Validation)] {
        for (number, change) in changes.iter().enumerate() {
            assert_eq!(told(&document(*change)), Err(bad), "{bad:?} {number}");
        }
    }
    let broken = document(|_| {}) + "x";
    assert_eq!(told(&broken), Err(BadDocument::Parsing));
}

#[test]
fn at_the_bounds_it_is_taken() {
    let full = document(|d| {
        d["latency"] = json!(vec![1; VALUES_MAX]);
        d["service"] = json!("x".repeat(1024));
        d["_aws"]["CloudWatchMetrics"][0]["Metrics"] = json!(vec![json!({"Name": "orders"}); METRICS_MAX]);
        d["_aws"]["Timestamp"] = json!(NOW - OLD_MS);
    });
    assert_eq!(told(&full).expect("a document").len(), 2 * METRICS_MAX);
}

proptest! {
    #[test]
    fn any_text_is_no_panic(text in ".{0,80}", cut in 0usize..400) {
        let _ = read(&text, NOW);
        let whole = document(|_| {});
        let cut = (0..=cut.min(whole.len())).rev().find(|place| whole.is_char_boundary(*place)).unwrap_or(0);
        let _ = read(&(whole[..cut].to_owned() + &text), NOW);
    }
}

/// The same for minutes: `PITBIRD_FUZZ_SECONDS=600 cargo nextest run -p pitbird-logs documents_of_strangers`.
#[test]
fn documents_of_strangers_are_read_or_refused() {
    const PIECES: &[&str] = &[
        "{\"_aws\":{",
        "\"Timestamp\":1700000000000",
        "\"CloudWatchMetrics\":[",
        "{\"Namespace\":\"n\",",
        "\"Dimensions\":[[\"service\"],[]]",
        "\"Metrics\":[{\"Name\":\"orders\",\"Unit\":\"Count\",\"StorageResolution\":1}]",
        "\"service\":\"shop\"",
        "\"orders\":[1,2.5e300,-0]",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "null",
        "\\u0000",
    ];
    let whole = document(|_| {});
    let tried = pitbird_testkit::try_hostile("emf", PIECES, &[whole.as_bytes()], |bytes| {
        read(&String::from_utf8_lossy(bytes), NOW).is_ok_and(|found| !found.is_empty())
    });
    assert!(tried.read > 0, "{tried:?}");
}
