//! Logs through the whole crate: written, appended, read, filtered, described, deleted, expired.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_telemetry::logs::{
    FilterPage, FilterQuery, GetQuery, GroupRetention, LogEvent, NewEvent, Pattern, ReadFrom, Spread,
    StreamChoice, StreamOrder, StreamQuery,
};
use pitbird_telemetry::{Config, Error, Telemetry};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const START: i64 = 1_763_899_200_000;
const GROUP: &str = "/aws/lambda/f";

fn open(dir: &tempfile::TempDir) -> Arc<Telemetry> {
    Telemetry::open(dir.path(), &Config::default()).unwrap()
}

fn event(at_ms: i64, message: impl Into<String>) -> NewEvent {
    NewEvent { at_ms, message: message.into() }
}

async fn append(telemetry: &Telemetry, stream: &str, events: &[NewEvent]) {
    let scope = Scope::default();
    match telemetry.create_stream(&scope, GROUP, stream).await {
        Ok(()) | Err(Error::StreamExists) => {}
        Err(error) => panic!("{error}"),
    }
    telemetry.append(&scope, GROUP, stream, events).await.unwrap();
}

fn get(stream: &str, from: ReadFrom) -> GetQuery {
    let (group, stream) = (GROUP.to_owned(), stream.to_owned());
    GetQuery { scope: Scope::default(), group, stream, start_ms: None, end_ms: None, limit: 10_000, from }
}

fn filter(pattern: &str) -> FilterQuery {
    FilterQuery {
        scope: Scope::default(),
        group: GROUP.to_owned(),
        streams: StreamChoice::All,
        start_ms: None,
        end_ms: None,
        pattern: Pattern::parse(pattern).unwrap(),
        limit: 10_000,
        token: None,
    }
}

fn messages(events: &[LogEvent]) -> Vec<&str> {
    events.iter().map(|event| event.message.as_str()).collect()
}

async fn filtered(telemetry: &Telemetry, query: FilterQuery) -> Vec<String> {
    let page: FilterPage = telemetry.filter(query).await.unwrap();
    page.events.iter().map(|event| format!("{} {}", event.stream, event.message)).collect()
}

#[tokio::test]
async fn lines_are_read_at_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let stream = telemetry.log_stream(&Scope::default(), GROUP, "s", Spread::One);
    stream.write(START, |line| line.push_str("START RequestId: 7\n"));
    stream.line(START, "hello\n");
    stream.bytes(START, b"caf\xc3\xa9 \xff\n");
    stream.line(START - 5, "early\n");
    let page = telemetry.events(get("s", ReadFrom::Head)).await.unwrap();
    assert_eq!(messages(&page.events), ["early\n", "START RequestId: 7\n", "hello\n", "café \u{fffd}\n"]);
    assert!(page.events.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(page.events.iter().all(|event| event.ingested_ms > START));
    assert_eq!(telemetry.groups(&Scope::default()).await.unwrap()[0].name, GROUP);
}

#[tokio::test]
async fn lines_come_out_by_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    telemetry.log_stream(&Scope::default(), GROUP, "s", Spread::One).line(START, "hello");
    let written = dir.path().join("logs").join("2025-11-23.db");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !written.exists() {
        assert!(std::time::Instant::now() < deadline, "the writer has to wake by itself");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn many_threads_share_a_stream() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let stream = telemetry.log_stream(&Scope::default(), GROUP, "access", Spread::Many);
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let stream = stream.clone();
            std::thread::spawn(move || {
                (0..500).for_each(|number| stream.line(START + number, &format!("{writer}-{number}")));
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let page = telemetry.events(get("access", ReadFrom::Head)).await.unwrap();
    assert_eq!(page.events.len(), 2000);
    let distinct: std::collections::HashSet<_> = page.events.iter().map(|event| &event.message).collect();
    assert_eq!(distinct.len(), 2000);
    assert!(page.events.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms));
}

#[tokio::test]
async fn pages_go_forward_and_backward_without_gap() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    // Over hours and days, in many blocks that overlap in time.
    for batch in 0..40i64 {
        let events: Vec<_> = (0..25i64)
            .map(|number| {
                event(START + (number * 40 + batch) * HOUR / 16, format!("{}", number * 40 + batch))
            })
            .collect();
        append(&telemetry, "s", &events).await;
    }
    let expected: Vec<String> = (0..1000).map(|number| number.to_string()).collect();

    let mut found = Vec::new();
    let mut from = ReadFrom::Head;
    loop {
        let page = telemetry.events(GetQuery { limit: 77, ..get("s", from.clone()) }).await.unwrap();
        found.extend(messages(&page.events).into_iter().map(str::to_owned));
        if from == ReadFrom::Token(page.forward_token.clone()) {
            assert!(page.events.is_empty());
            break;
        }
        from = ReadFrom::Token(page.forward_token);
    }
    assert_eq!(found, expected);

    let mut found = Vec::new();
    let mut from = ReadFrom::Tail;
    let mut newest = None;
    loop {
        let page = telemetry.events(GetQuery { limit: 77, ..get("s", from.clone()) }).await.unwrap();
        newest.get_or_insert(page.forward_token);
        found.splice(0..0, messages(&page.events).into_iter().map(str::to_owned));
        if from == ReadFrom::Token(page.backward_token.clone()) {
            break;
        }
        from = ReadFrom::Token(page.backward_token);
    }
    assert_eq!(found, expected);

    let newest = ReadFrom::Token(newest.unwrap());
    append(&telemetry, "s", &[event(START + 100 * HOUR, "late")]).await;
    let page = telemetry.events(get("s", newest)).await.unwrap();
    assert_eq!(messages(&page.events), ["late"]);

    let range =
        GetQuery { start_ms: Some(START + HOUR), end_ms: Some(START + 2 * HOUR), ..get("s", ReadFrom::Tail) };
    let page = telemetry.events(range).await.unwrap();
    assert_eq!(messages(&page.events), expected[16..32]);
}

#[tokio::test]
async fn an_empty_stream_has_tokens_that_find_what_comes() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    append(&telemetry, "s", &[]).await;
    for from in [ReadFrom::Head, ReadFrom::Tail] {
        let page = telemetry.events(get("s", from)).await.unwrap();
        assert!(page.events.is_empty());
        append(&telemetry, "s", &[event(START, "x")]).await;
        let page = telemetry.events(get("s", ReadFrom::Token(page.forward_token))).await.unwrap();
        assert!(!page.events.is_empty());
        telemetry.delete_stream(&Scope::default(), GROUP, "s").await.unwrap();
        append(&telemetry, "s", &[]).await;
    }
    for token in ["", "f/", "x/1", "f/12/s", "é"] {
        let refused = telemetry.events(get("s", ReadFrom::Token(token.into()))).await;
        assert_eq!(refused, Err(Error::InvalidToken), "{token}");
    }
}

#[tokio::test]
async fn a_filter_reads_all_streams_by_time() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    append(&telemetry, "a", &[event(START, "ERROR one"), event(START + 20, "fine")]).await;
    append(&telemetry, "b", &[event(START + 10, "ERROR two"), event(START + 30, "WARN x")]).await;
    append(&telemetry, "c/1", &[event(START + 10, "ERROR three")]).await;
    let all = ["a ERROR one", "b ERROR two", "c/1 ERROR three", "a fine", "b WARN x"];
    assert_eq!(filtered(&telemetry, filter("")).await, all);
    assert_eq!(filtered(&telemetry, filter("ERROR")).await, all[..3]);
    assert_eq!(filtered(&telemetry, filter("?WARN ?fine")).await, all[3..]);
    assert_eq!(filtered(&telemetry, filter("-ERROR -fine")).await, all[4..]);
    let named = StreamChoice::Named(vec!["b".into(), "none".into()]);
    assert_eq!(filtered(&telemetry, FilterQuery { streams: named, ..filter("") }).await, [all[1], all[4]]);
    let prefix = StreamChoice::Prefix("c/".into());
    assert_eq!(filtered(&telemetry, FilterQuery { streams: prefix, ..filter("") }).await, [all[2]]);
    let none = StreamChoice::Prefix("%".into());
    assert!(filtered(&telemetry, FilterQuery { streams: none, ..filter("") }).await.is_empty());
    let range = FilterQuery { start_ms: Some(START + 10), end_ms: Some(START + 30), ..filter("") };
    assert_eq!(filtered(&telemetry, range).await, all[1..4]);
    let elsewhere = FilterQuery { group: "other".into(), ..filter("") };
    assert!(filtered(&telemetry, elsewhere).await.is_empty());
    let refused = telemetry.filter(FilterQuery { token: Some("x".into()), ..filter("") }).await;
    assert_eq!(refused, Err(Error::InvalidToken));
}

#[tokio::test]
async fn filter_pages_join_without_gap() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    for stream in 0..5i64 {
        let events: Vec<_> =
            (0..200).map(|number| event(START + number * 7 + stream, format!("n{number}"))).collect();
        append(&telemetry, &format!("s{stream}"), &events).await;
    }
    let mut ids = Vec::new();
    let mut token = None;
    loop {
        let page = telemetry.filter(FilterQuery { limit: 64, token, ..filter("n1") }).await.unwrap();
        assert!(page.events.len() <= 64);
        ids.extend(page.events.iter().map(|event| event.id));
        token = page.token;
        if token.is_none() {
            break;
        }
    }
    // n1, n10 to n19, n100 to n199, in each of five streams.
    assert_eq!(ids.len(), 5 * 111);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
}

#[tokio::test]
async fn a_page_is_bounded_in_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let events: Vec<_> = (0..5).map(|number| event(START + number, "x".repeat(400_000))).collect();
    append(&telemetry, "s", &events[..2]).await;
    append(&telemetry, "s", &events[2..]).await;
    let page = telemetry.events(get("s", ReadFrom::Head)).await.unwrap();
    assert_eq!(page.events.len(), 2);
    let page = telemetry.events(get("s", ReadFrom::Token(page.forward_token))).await.unwrap();
    assert_eq!(page.events.first().map(|event| event.at_ms), Some(START + 2));
}

#[tokio::test]
async fn streams_are_described_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    for number in 0..7i64 {
        append(
            &telemetry,
            &format!("s{number}"),
            &[event(START + (number * 3) % 7, "12345"), event(START + 100 - number, "x")],
        )
        .await;
    }
    append(&telemetry, "other", &[]).await;
    let query = |order, descending| StreamQuery {
        scope: Scope::default(),
        group: GROUP.to_owned(),
        prefix: None,
        order,
        descending,
        limit: 3,
        token: None,
    };
    for (order, descending, expected) in [
        (StreamOrder::Name, false, ["other", "s0", "s1", "s2", "s3", "s4", "s5", "s6"]),
        (StreamOrder::Name, true, ["s6", "s5", "s4", "s3", "s2", "s1", "s0", "other"]),
        (StreamOrder::LastEvent, true, ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "other"]),
    ] {
        let mut names = Vec::new();
        let mut token = None;
        loop {
            let page = telemetry.streams(StreamQuery { token, ..query(order, descending) }).await.unwrap();
            names.extend(page.streams.into_iter().map(|stream| stream.name));
            token = page.token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(names, expected);
    }
    let prefixed = StreamQuery { prefix: Some("s3".into()), ..query(StreamOrder::Name, false) };
    let page = telemetry.streams(prefixed).await.unwrap();
    let [stream] = &page.streams[..] else { panic!("one stream") };
    assert_eq!((stream.first_event_ms, stream.last_event_ms), (Some(START + 2), Some(START + 97)));
    assert_eq!(stream.stored_bytes, 6 + 2 * 26);
    assert!(stream.last_ingestion_ms.is_some() && stream.created_ms > START);
}

#[tokio::test]
async fn what_is_deleted_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let scope = Scope::default();
    append(&telemetry, "a", &[event(START, "one")]).await;
    append(&telemetry, "b", &[event(START, "two")]).await;
    assert_eq!(telemetry.create_stream(&scope, GROUP, "a").await, Err(Error::StreamExists));
    telemetry.delete_stream(&scope, GROUP, "a").await.unwrap();
    assert_eq!(filtered(&telemetry, filter("")).await, ["b two"]);
    assert_eq!(telemetry.delete_stream(&scope, GROUP, "a").await, Err(Error::NoStream));
    assert_eq!(telemetry.append(&scope, GROUP, "a", &[event(START, "x")]).await, Err(Error::NoStream));
    assert_eq!(telemetry.events(get("a", ReadFrom::Head)).await, Err(Error::NoStream));
    append(&telemetry, "a", &[event(START, "three")]).await;
    assert_eq!(filtered(&telemetry, filter("")).await, ["b two", "a three"]);

    let lines = telemetry.log_stream(&scope, GROUP, "b", Spread::One);
    lines.line(START, "before");
    telemetry.delete_group(&scope, GROUP).await.unwrap();
    assert!(filtered(&telemetry, filter("")).await.is_empty());
    lines.line(START, "after");
    assert_eq!(filtered(&telemetry, filter("")).await, ["b after"]);
    telemetry.delete_group(&scope, GROUP).await.unwrap();
    telemetry.sweep(START, Vec::new()).await.unwrap();
    assert!(!dir.path().join("logs").join("2025-11-23.db").exists(), "an empty day is deleted");
}

#[tokio::test]
async fn events_expire_by_their_groups_retention() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let scope = Scope::default();
    telemetry.create_stream(&scope, "kept", "s").await.unwrap();
    telemetry.append(&scope, "kept", "s", &[event(START, "k0"), event(START + 3 * DAY, "k3")]).await.unwrap();
    let events: Vec<_> = (0..5).map(|day| event(START + day * DAY, format!("d{day}"))).collect();
    append(&telemetry, "s", &events).await;
    let retention = |group: &str, days| GroupRetention { scope: scope.clone(), group: group.into(), days };
    let now = START + 4 * DAY;
    telemetry.sweep(now, vec![retention(GROUP, 1), retention("missing", 1)]).await.unwrap();
    assert_eq!(filtered(&telemetry, filter("")).await, ["s d3", "s d4"]);
    assert_eq!(
        filtered(&telemetry, FilterQuery { group: "kept".into(), ..filter("") }).await,
        ["s k0", "s k3"]
    );
    let files = |dir: &tempfile::TempDir| {
        let entries = std::fs::read_dir(dir.path().join("logs")).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".db")).count()
    };
    assert_eq!(files(&dir), 1 + 3);
    telemetry.sweep(now, vec![retention("kept", 1)]).await.unwrap();
    assert_eq!(files(&dir), 1 + 2);
    append(&telemetry, "s", &[event(START, "again")]).await;
    assert_eq!(filtered(&telemetry, filter("")).await, ["s again", "s d3", "s d4"]);
}

#[tokio::test]
async fn lines_beyond_the_room_are_dropped_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { lines_bytes: 64 << 10, ..Config::default() };
    let telemetry = Telemetry::open(dir.path(), &config).unwrap();
    let stream = telemetry.log_stream(&Scope::default(), GROUP, "s", Spread::One);
    let line = "x".repeat(1000);
    for number in 0..1000 {
        stream.line(START + number, &line);
    }
    let page = telemetry.events(get("s", ReadFrom::Head)).await.unwrap();
    let dropped = telemetry.lines_dropped();
    assert!(dropped > 0);
    let told: u64 = page
        .events
        .iter()
        .filter_map(|event| event.message.strip_prefix("[pitbird] ")?.split(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(told, dropped);
    let kept = page.events.iter().filter(|event| event.message == line).count() as u64;
    assert_eq!(kept + dropped, 1000);
    // The room is there again.
    stream.line(START + 2000, "after");
    assert_eq!(telemetry.lines_dropped(), dropped);
    assert_eq!(filtered(&telemetry, filter("after")).await, ["s after"]);
}

#[tokio::test]
async fn a_long_line_becomes_several_events() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let stream = telemetry.log_stream(&Scope::default(), GROUP, "s", Spread::One);
    stream.line(START, &"é".repeat(200_000));
    let page = telemetry.events(get("s", ReadFrom::Head)).await.unwrap();
    assert_eq!(page.events.len(), 2);
    assert_eq!(page.events.iter().map(|event| event.message.len()).sum::<usize>(), 400_000);
}

#[tokio::test]
async fn many_small_batches_become_few_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    for number in 0..300 {
        append(&telemetry, "s", &[event(START + number, format!("{number}"))]).await;
    }
    append(&telemetry, "s", &[event(START + HOUR, "next hour")]).await;
    let page = telemetry.events(get("s", ReadFrom::Head)).await.unwrap();
    let expected: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    assert_eq!(messages(&page.events)[..300], expected);
    drop(telemetry);
    let file = rusqlite::Connection::open(dir.path().join("logs").join("2025-11-23.db")).unwrap();
    let blocks: i64 = file.query_row("SELECT count(*) FROM block", [], |row| row.get(0)).unwrap();
    assert_eq!(blocks, 2);
}

#[tokio::test]
async fn a_tap_sees_each_wanted_event_once_with_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let (scope, lines) =
        (Scope::default(), telemetry.log_stream(&Scope::default(), GROUP, "lines", Spread::One));
    lines.line(1, "before the tap");
    telemetry.flush().await.unwrap();
    let wanted = |_: &Scope, group: &str, text: &str| group == GROUP || text.contains("metric");
    let mut tap = telemetry.tap(Arc::new(wanted));
    lines.line(3, "a line");
    telemetry.create_stream(&scope, GROUP, "put").await.unwrap();
    telemetry.create_stream(&scope, "other", "put").await.unwrap();
    telemetry.append(&scope, GROUP, "put", &[event(5, "later"), event(4, "earlier")]).await.unwrap();
    telemetry.append(&scope, "other", "put", &[event(6, "not wanted")]).await.unwrap();
    telemetry.append(&scope, "other", "put", &[event(7, "a metric")]).await.unwrap();
    telemetry.append(&scope, GROUP, "no such stream", &[event(8, "not filed")]).await.unwrap_err();
    let read = telemetry.filter(filter("")).await.unwrap().events;
    telemetry.close().await.unwrap();
    let (mut seen, mut groups) = (Vec::new(), Vec::new());
    while let Some(filed) = tap.next().await {
        groups.push((filed.group.to_string(), filed.stream.to_string(), filed.len()));
        seen.extend(filed.events().map(|(id, message)| (id, message.to_owned())));
    }
    seen.sort();
    let mut expected: Vec<_> = read.into_iter().skip(1).map(|event| (event.id, event.message)).collect();
    let metric = seen.pop().expect("an event of the other group");
    assert_eq!((metric.0.at_ms(), metric.1.as_str()), (7, "a metric"));
    expected.sort();
    assert_eq!(seen, expected);
    let messages: Vec<&str> = seen.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(messages, ["a line", "earlier", "later"]);
    groups.sort();
    let named = |group: &str, stream: &str, events| (group.to_owned(), stream.to_owned(), events);
    assert_eq!(groups, [named(GROUP, "lines", 1), named(GROUP, "put", 2), named("other", "put", 1)]);
}

#[tokio::test]
async fn two_taps_see_what_each_wants() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let scope = Scope::default();
    let mut tap = telemetry.tap(Arc::new(|_, _, text| text.contains("metric")));
    let mut export = telemetry.export_tap(Arc::new(|_, _, _| true));
    telemetry.create_stream(&scope, GROUP, "put").await.unwrap();
    telemetry.append(&scope, GROUP, "put", &[event(1, "a line")]).await.unwrap();
    telemetry.append(&scope, GROUP, "put", &[event(2, "a metric")]).await.unwrap();
    telemetry.close().await.unwrap();
    let (mut few, mut all) = (Vec::new(), Vec::new());
    while let Some(filed) = tap.next().await {
        few.extend(filed.events().map(|(_, message)| message.to_owned()));
    }
    while let Some(filed) = export.next().await {
        all.extend(filed.events().map(|(_, message)| message.to_owned()));
    }
    assert_eq!(
        (few.as_slice(), all.as_slice()),
        (&["a metric".to_owned()][..], &["a line".to_owned(), "a metric".to_owned()][..])
    );
}
