use pitbird_sigv4::Request;

use super::layers::layer;
use super::*;
use crate::location::EXPIRES_S;
use crate::{Locations, Unopened};

const NOW_S: u64 = 1_764_037_614;

/// What comes of asking for a URL some seconds after it may have been made.
fn open(locations: &Locations, method: &str, url: &str, later_s: u64) -> Result<Bytes, Unopened> {
    let (host, rest) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL");
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (path, headers) = (format!("/{path}"), [("host", host.as_bytes())]);
    locations.open(&Request { method, path: &path, query, headers: &headers }, NOW_S + later_s)
}

fn refusal_of(locations: &Locations, url: &str, later_s: u64) -> String {
    open(locations, "GET", url, later_s).expect_err("refused").to_string()
}

async fn location(bed: &Bed, operation: &str, input: Json) -> String {
    let answer = bed.ok(operation, input).await;
    let place = answer.get("Code").or(answer.get("Content")).expect("a place");
    text(&place["Location"]).to_owned()
}

#[tokio::test]
async fn code_is_had_for_ten_minutes() {
    let bed = Bed::new().await;
    bed.create("f").await;
    let url = location(&bed, "GetFunction", json!({"FunctionName": "f"})).await;
    let locations = bed.state.locations();
    let code = open(&locations, "GET", &url, 0).expect("code");
    assert_eq!(bed.served().code.size_bytes, code.len() as u64);
    assert!(url.contains("X-Amz-Expires=600") && url.contains("&X-Amz-Signature="), "{url}");
    // The bed's clock ticks with each call, so the URL was made up to a minute after the first second.
    assert!(open(&locations, "GET", &url, EXPIRES_S).is_ok());
    let expired = refusal_of(&locations, &url, EXPIRES_S + 60);
    assert!(expired.starts_with("Signature expired: "), "{expired}");
}

#[tokio::test]
async fn what_was_changed_opens_nothing() {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.create("g").await;
    let url = location(&bed, "GetFunction", json!({"FunctionName": "f"})).await;
    let locations = bed.state.locations();
    let plain = url.split_once('?').expect("a query").0;
    assert_eq!(refusal_of(&locations, plain, 0), "Missing Authentication Token");
    let longer = url.replace("X-Amz-Expires=600", "X-Amz-Expires=6000");
    for changed in [url.replace("/f/", "/g/"), longer, url.replace("localhost", "elsewhere")] {
        let refusal = refusal_of(&locations, &changed, 0);
        assert!(refusal.starts_with("The request signature we calculated does not match"), "{refusal}");
    }
    assert!(open(&locations, "PUT", &url, 0).is_err());
    let (others, bed) = (locations, Bed::new().await);
    bed.create("f").await;
    let other = location(&bed, "GetFunction", json!({"FunctionName": "f"})).await;
    assert!(open(&bed.state.locations(), "GET", &other, 0).is_ok());
    assert!(open(&others, "GET", &other, 0).is_err(), "every server has a key of its own");
}

#[tokio::test]
async fn code_is_gone_with_what_had_it() {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.create("g").await;
    let url = location(&bed, "GetFunction", json!({"FunctionName": "f"})).await;
    let published = location(&bed, "PublishLayerVersion", layer("tools", "one", json!({}))).await;
    let read = json!({"LayerName": "tools", "VersionNumber": 1});
    let read = location(&bed, "GetLayerVersion", read).await;
    let locations = bed.state.locations();
    for url in [&published, &read] {
        assert_eq!(open(&locations, "GET", url, 0).expect("code"), "one");
    }
    bed.ok("DeleteFunction", json!({"FunctionName": "f"})).await;
    bed.ok("DeleteLayerVersion", json!({"LayerName": "tools", "VersionNumber": 1})).await;
    // Another function still has the same code, but that isn't what this URL is about.
    for url in [&url, &published, &read] {
        assert!(matches!(open(&locations, "GET", url, 0), Err(Unopened::Gone)), "{url}");
    }
}
