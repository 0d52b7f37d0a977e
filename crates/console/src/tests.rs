//! The console from a browser's side, in front of a service of the tests' own.

use std::sync::atomic::{AtomicU64, Ordering};

use http::Request;
use http_body_util::{Empty, Full};
use pitbird_control::{Credential, Signatures};
use pitbird_service::{Builder, Call, Fault, Permission};
use pitbird_sigv4::Secret;
use serde::Serialize;

use super::*;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
    max_records: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    rollout: Release,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Release {
    name: String,
    percent: f64,
}

/// How often somebody looked, and how often each release was read.
#[derive(Default)]
struct Seen {
    looks: AtomicU64,
    reads: AtomicU64,
}

/// One release that is a percent further at each look, and one that stays as it is.
async fn show(seen: Arc<Seen>, call: Call<Named>) -> Result<Shown, Fault> {
    assert_eq!(call.input.max_records, 0, "a look wants no records");
    seen.reads.fetch_add(1, Ordering::Relaxed);
    let percent = match call.input.name.as_str() {
        "a" => seen.looks.load(Ordering::Relaxed) as f64,
        "b" => 0.5,
        _ => return Err(Fault::new("ResourceNotFoundException", "deleted meanwhile")),
    };
    Ok(Shown { rollout: Release { name: call.input.name, percent } })
}

fn console(has_keys: bool) -> (Console, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let rollouts = Builder::new("rollouts", seen.clone()).operation("GetRollout", &[], show).build();
    let looking = seen.clone();
    let revisions: Revisions = Arc::new(move |_| {
        let looks = looking.looks.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(vec![("a".to_owned(), looks), ("b".to_owned(), 1), ("gone".to_owned(), 1)])
    });
    let lookup: Lookup = Arc::new(|id| {
        (id == "AKIDEXAMPLE").then(|| Credential {
            secret: Secret { secret_access_key: "secret".into(), session: None },
            account: Account::parse("123456789012").expect("twelve digits"),
            principal: "arn:aws:iam::123456789012:user/ada".into(),
            session_id: None,
        })
    });
    let gate = Arc::new(|_: &Caller, _: &pitbird_control::Asked| Permission::Allowed);
    let control = Control::new([rollouts], Signatures::Unchecked, lookup.clone(), gate);
    let door = if has_keys { Door::Keys(lookup) } else { Door::Open };
    (Console::new(Arc::new(control), door, revisions, || 7), seen)
}

fn get(path: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::get(path).header("host", "localhost:4566");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

const HERE: Visitor<'static> = Visitor { source: "127.0.0.1", scheme: "http" };

async fn next(answer: &mut Response<Answer>) -> Option<String> {
    let frame = answer.body_mut().frame().await?.expect("a feed doesn't fail");
    Some(String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text"))
}

#[tokio::test(start_paused = true)]
async fn pages_hear_of_changes_and_one_that_was_away_hears_what_it_missed() {
    let (console, _) = console(false);
    let mut page = console.answer(&get("/_pitbird/live/releases", &[]), Empty::new(), HERE).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(next(&mut page).await.expect("a first word"), "retry: 1000\n\n");
    let all = next(&mut page).await.expect("everything");
    assert!(all.contains("event: all") && all.contains("\"Percent\":1.0"), "{all}");
    let change = next(&mut page).await.expect("a change");
    assert!(change.contains("\"changed\":{\"a\":{\"Percent\":2.0}}"), "{change}");
    let seen = change.split("id: ").nth(1).and_then(|rest| rest.split('\n').next()).expect("an id");
    let missed = next(&mut page).await.expect("another change");
    let again = get("/_pitbird/live/releases", &[("last-event-id", seen)]);
    let mut again = console.answer(&again, Empty::new(), HERE).await;
    next(&mut again).await.expect("a first word");
    assert_eq!(next(&mut again).await.expect("what was missed"), missed);
    console.stop().await;
    while next(&mut page).await.is_some() {}
    let late = console.answer(&get("/_pitbird/live/releases", &[]), Empty::new(), HERE).await;
    assert_eq!(late.status(), StatusCode::SERVICE_UNAVAILABLE, "a server that stops begins nothing");
}

#[tokio::test(start_paused = true)]
async fn nobody_looks_where_nobody_listens() {
    let (console, seen) = console(false);
    let mut page = console.answer(&get("/_pitbird/live/releases", &[]), Empty::new(), HERE).await;
    next(&mut page).await.expect("a first word");
    next(&mut page).await.expect("everything");
    drop(page);
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let before = seen.looks.load(Ordering::Relaxed);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(seen.looks.load(Ordering::Relaxed), before);
}

#[tokio::test(start_paused = true)]
async fn what_stays_as_it_is_is_read_once() {
    let (console, seen) = console(false);
    let mut page = console.answer(&get("/_pitbird/live/releases", &[]), Empty::new(), HERE).await;
    let mut told = String::new();
    while seen.looks.load(Ordering::Relaxed) < 20 {
        told += &next(&mut page).await.expect("it goes on");
    }
    assert_eq!(told.matches("\"Percent\":0.5").count(), 1, "{told}");
    // Of three releases one changes and one can't be found, at each look.
    let (looks, reads) = (seen.looks.load(Ordering::Relaxed), seen.reads.load(Ordering::Relaxed));
    assert!((2 * looks - 1..=2 * looks + 1).contains(&reads), "{reads} reads in {looks} looks");
}

#[tokio::test]
async fn a_secret_never_travels_in_the_clear() {
    let (console, _) = console(true);
    let body = r#"{"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "secret"}"#;
    for (source, scheme, status) in
        [("10.0.0.7", "http", 403), ("10.0.0.7", "https", 200), ("::ffff:127.0.0.1", "http", 200)]
    {
        let request = Request::post("/_pitbird/login")
            .header("host", "pits.example")
            .header("origin", format!("{scheme}://pits.example"))
            .header("content-type", "application/json")
            .header("x-pitbird-console", "1");
        let parts = request.body(()).expect("a request").into_parts().0;
        let answer = console.answer(&parts, Full::from(body), Visitor { source, scheme }).await;
        assert_eq!(answer.status().as_u16(), status, "{source} {scheme}");
        let cookie =
            answer.headers().get("set-cookie").map(|cookie| cookie.to_str().expect("text").to_owned());
        let is_secure = cookie.is_some_and(|cookie| cookie.ends_with("; Secure"));
        assert_eq!(is_secure, scheme == "https", "{source} {scheme}");
    }
}
