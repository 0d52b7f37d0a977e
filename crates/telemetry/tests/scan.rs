//! Scans: all events that are meant, each once, whatever the number of threads.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use pitbird_names::{Region, Scope};
use pitbird_telemetry::logs::{
    EventPointer, Flow, NewEvent, ScanProgress, ScanQuery, ScannedEvent, StreamChoice, Visit,
};
use pitbird_telemetry::{Config, Error, Telemetry};

const START: i64 = 1_763_899_200_000;
const HOUR: i64 = 3_600_000;

fn query(groups: &[&str], needles: &[&str]) -> ScanQuery {
    ScanQuery {
        scope: Scope::default(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        streams: StreamChoice::All,
        start_ms: None,
        end_ms: None,
        needles: needles.iter().map(|needle| needle.as_bytes().to_vec()).collect(),
        latest_first: false,
    }
}

/// Keeps what it sees.
#[derive(Default)]
struct Seen(Vec<(String, EventPointer)>);

impl Visit for Seen {
    fn event(&mut self, event: &ScannedEvent<'_>) -> Flow {
        let line = format!("{} {} {}", event.group, event.stream, event.message);
        self.0.push((line, event.pointer));
        Flow::Next
    }
}

async fn seen(telemetry: &Telemetry, query: ScanQuery) -> (Vec<(String, EventPointer)>, Arc<ScanProgress>) {
    let progress = Arc::new(ScanProgress::default());
    let visitors = telemetry.scan(query, progress.clone(), Seen::default).await.unwrap();
    let mut all: Vec<_> = visitors.into_iter().flat_map(|seen| seen.0).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    (all, progress)
}

async fn lines(telemetry: &Telemetry, query: ScanQuery) -> Vec<String> {
    seen(telemetry, query).await.0.into_iter().map(|(line, _)| line).collect()
}

async fn append(telemetry: &Telemetry, group: &str, stream: &str, events: &[(i64, &str)]) {
    let scope = Scope::default();
    match telemetry.create_stream(&scope, group, stream).await {
        Ok(()) | Err(Error::StreamExists) => {}
        Err(error) => panic!("{error}"),
    }
    let event = |&(at_ms, message): &(i64, &str)| NewEvent { at_ms, message: message.to_owned() };
    let events: Vec<NewEvent> = events.iter().map(event).collect();
    telemetry.append(&scope, group, stream, &events).await.unwrap();
}

#[tokio::test]
async fn a_scan_sees_what_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    append(
        &telemetry,
        "g",
        "a",
        &[(START, "xneedle"), (START + 1, ""), (START + 2, "nee"), (START + 3, "dle")],
    )
    .await;
    append(&telemetry, "g", "b", &[(START + 25 * HOUR, "needle needle"), (START + 26 * HOUR, "é")]).await;
    append(&telemetry, "h", "a", &[(START, "two needles")]).await;
    let all = ["g a ", "g a dle", "g a nee", "g a xneedle", "g b needle needle", "g b é"];
    assert_eq!(lines(&telemetry, query(&["g"], &[])).await, all);
    assert_eq!(lines(&telemetry, query(&["g"], &[""])).await, all);
    // "nee" and "dle" stand side by side, in two events.
    assert_eq!(lines(&telemetry, query(&["g"], &["needle"])).await, ["g a xneedle", "g b needle needle"]);
    assert_eq!(lines(&telemetry, query(&["g"], &["x", "needle"])).await, ["g a xneedle"]);
    assert!(lines(&telemetry, query(&["none", "g"], &["y"])).await.is_empty());
    let both = lines(&telemetry, query(&["h", "g"], &["needle"])).await;
    assert_eq!(both, ["g a xneedle", "g b needle needle", "h a two needles"]);
    let named = ScanQuery { streams: StreamChoice::Named(vec!["b".into()]), ..query(&["g", "h"], &[]) };
    assert_eq!(lines(&telemetry, named).await, all[4..]);
    let from = ScanQuery { start_ms: Some(START + 3), ..query(&["g"], &[]) };
    assert_eq!(lines(&telemetry, from).await, [all[1], all[4], all[5]]);
    let to = ScanQuery { end_ms: Some(START + 3), ..query(&["g"], &[]) };
    assert_eq!(lines(&telemetry, to).await, [all[0], all[2], all[3]]);
    let backward = ScanQuery { latest_first: true, ..query(&["g"], &[]) };
    assert_eq!(lines(&telemetry, backward).await, all);
}

#[tokio::test]
async fn scanned_text_is_counted_whether_it_is_shown_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    append(&telemetry, "g", "a", &[(START, "one"), (START + 1, "three"), (START + 2, "x")]).await;
    for needles in [&[][..], &["three"], &["missing"]] {
        let (_, progress) = seen(&telemetry, query(&["g"], needles)).await;
        assert_eq!((progress.scanned_events(), progress.scanned_bytes()), (3, 9), "{needles:?}");
        let part = ScanQuery { start_ms: Some(START + 1), ..query(&["g"], needles) };
        let (_, progress) = seen(&telemetry, part).await;
        assert_eq!((progress.scanned_events(), progress.scanned_bytes()), (2, 6), "{needles:?}");
    }
}

#[tokio::test]
async fn many_blocks_are_each_seen_once() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    let padding = "lorem ipsum dolor sit amet ".repeat(20);
    for batch in 0..40i64 {
        let texts: Vec<String> =
            (0..200).map(|number| format!("n{} {padding}", batch * 200 + number)).collect();
        let events: Vec<(i64, &str)> =
            (0..200).map(|number| (START + number * 60_000, texts[number as usize].as_str())).collect();
        append(&telemetry, "g", &format!("s{}", batch % 3), &events).await;
    }
    let (all, progress) = seen(&telemetry, query(&["g"], &[])).await;
    let distinct: std::collections::HashSet<_> = all.iter().map(|(line, _)| line).collect();
    assert_eq!((all.len(), distinct.len(), progress.scanned_events()), (8000, 8000, 8000));
    let (found, progress) = seen(&telemetry, query(&["g"], &["n777 lorem ipsum"])).await;
    assert_eq!((found.len(), progress.scanned_events()), (1, 8000));
}

#[tokio::test]
async fn a_pointer_finds_its_event() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    let scope = Scope::default();
    append(&telemetry, "g", "a", &[(START, "one"), (START, "two"), (START + 1, "three")]).await;
    let all = seen(&telemetry, query(&["g"], &[])).await.0;
    assert_eq!(all.len(), 3);
    for (line, pointer) in &all {
        let pointer = EventPointer::parse(&pointer.to_string()).unwrap();
        let record = telemetry.record(&scope, pointer).await.unwrap().unwrap();
        assert_eq!(format!("{} {} {}", record.group, record.stream, record.event.message), *line);
        let elsewhere = Scope { region: Region::parse("eu-west-1").unwrap(), ..Scope::default() };
        assert_eq!(telemetry.record(&elsewhere, pointer).await, Ok(None));
    }
    telemetry.delete_stream(&scope, "g", "a").await.unwrap();
    append(&telemetry, "g", "a", &[(START, "one")]).await;
    assert_eq!(telemetry.record(&scope, all[0].1).await, Ok(None), "the stream of the name is another");
}

#[tokio::test]
async fn a_scan_ends_when_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    for stream in 0..200 {
        append(&telemetry, "g", &format!("s{stream}"), &[(START, "x"), (START + 1, "y")]).await;
    }
    let cancelled = Arc::new(ScanProgress::default());
    cancelled.cancel();
    telemetry.scan(query(&["g"], &[]), cancelled.clone(), Seen::default).await.unwrap();
    assert_eq!((cancelled.scanned_events(), cancelled.is_cancelled()), (0, true));

    let stopped = Arc::new(ScanProgress::default());
    let stop = || |_: &ScannedEvent<'_>| Flow::Stop;
    telemetry.scan(query(&["g"], &[]), stopped.clone(), stop).await.unwrap();
    assert!((2..=100).contains(&stopped.scanned_events()), "{}", stopped.scanned_events());
    assert!(!stopped.is_cancelled());
}

#[tokio::test]
async fn a_damaged_day_is_named_and_the_others_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    {
        let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
        append(&telemetry, "g", "a", &[(START, "one"), (START + 24 * HOUR, "two")]).await;
    }
    let path = dir.path().join("logs/2025-11-23.db");
    let day = rusqlite::Connection::open(&path).unwrap();
    day.execute("UPDATE block SET events = x'0102030405'", []).unwrap();
    drop(day);
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    let progress = Arc::new(ScanProgress::default());
    match telemetry.scan(query(&["g"], &[]), progress, Seen::default).await.map(|_| ()) {
        Err(Error::Corrupt { path: named, .. }) => assert_eq!(named, path),
        other => panic!("{other:?}"),
    }
    let later = ScanQuery { start_ms: Some(START + 24 * HOUR), ..query(&["g"], &[]) };
    assert_eq!(lines(&telemetry, later).await, ["g a two"]);
}
