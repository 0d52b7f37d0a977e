//! Logs when things go badly: a full disk, a clock that goes back, too much at once, deletion while somebody reads.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pitbird_names::Scope;
use pitbird_telemetry::logs::{
    Flow, GetQuery, GroupRetention, NewEvent, ReadFrom, ScanProgress, ScanQuery, ScannedEvent, Spread,
    StreamChoice, StreamOrder, StreamQuery,
};
use pitbird_telemetry::{Config, Error, Telemetry};

const START: i64 = 1_763_899_200_000;
const DAY: i64 = 86_400_000;
const GROUP: &str = "g";

fn open(dir: &Path) -> Arc<Telemetry> {
    Telemetry::open(dir, &Config::default()).unwrap()
}

fn get(stream: &str) -> GetQuery {
    GetQuery {
        scope: Scope::default(),
        group: GROUP.to_owned(),
        stream: stream.to_owned(),
        start_ms: None,
        end_ms: None,
        limit: 10_000,
        from: ReadFrom::Head,
    }
}

async fn messages(telemetry: &Telemetry, stream: &str) -> Vec<String> {
    let (mut all, mut from) = (Vec::new(), ReadFrom::Head);
    loop {
        let page = telemetry.events(GetQuery { from, ..get(stream) }).await.unwrap();
        if page.events.is_empty() {
            return all;
        }
        all.extend(page.events.into_iter().map(|event| event.message));
        from = ReadFrom::Token(page.forward_token);
    }
}

fn query() -> ScanQuery {
    ScanQuery {
        scope: Scope::default(),
        groups: vec![GROUP.to_owned()],
        streams: StreamChoice::All,
        start_ms: None,
        end_ms: None,
        needles: Vec::new(),
        latest_first: false,
    }
}

/// Text that doesn't compress.
fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + (state >> 32) as u8 % 95)
    };
    (0..bytes).map(|_| letter()).collect()
}

/// A small file system of its own; gone when dropped.
struct Small(tempfile::TempDir);

impl Small {
    /// `None` where one mustn't mount.
    fn mount(bytes: usize) -> Option<Small> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={bytes}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Small(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "a mount is left behind");
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_costs_nothing_that_was_acknowledged() {
    let Some(disk) = Small::mount(8 << 20) else {
        assert!(std::env::var_os("CI").is_none(), "CI may mount");
        return;
    };
    let scope = Scope::default();
    let ballast = disk.0.path().join("ballast");
    let mut acknowledged = Vec::new();
    {
        std::fs::write(&ballast, vec![0; 4 << 20]).unwrap();
        let telemetry = open(disk.0.path());
        telemetry.create_stream(&scope, GROUP, "s").await.unwrap();
        let refused = loop {
            let message = noise(acknowledged.len() as u64, 50_000);
            let event = NewEvent { at_ms: START + acknowledged.len() as i64, message: message.clone() };
            match telemetry.append(&scope, GROUP, "s", &[event]).await {
                Ok(()) => acknowledged.push(message),
                Err(error) => break error,
            }
            assert!(acknowledged.len() < 200, "the disk is never full");
        };
        assert!(matches!(refused, Error::Storage { .. }), "{refused:?}");
        assert!(acknowledged.len() > 5, "{}", acknowledged.len());
        // There is room again: it goes on by itself.
        std::fs::remove_file(&ballast).unwrap();
        let event = NewEvent { at_ms: START + 1000, message: "after".into() };
        telemetry.append(&scope, GROUP, "s", &[event]).await.unwrap();
        acknowledged.push("after".into());
        assert!(messages(&telemetry, "s").await == acknowledged, "before a restart");
        telemetry.close().await.unwrap();
    }
    let telemetry = open(disk.0.path());
    assert!(messages(&telemetry, "s").await == acknowledged, "after a restart");
}

#[tokio::test]
async fn a_clock_that_goes_back_keeps_the_order_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(dir.path());
    let stream = telemetry.log_stream(&Scope::default(), GROUP, "s", Spread::One);
    let times = [5, 3, 3, DAY, -DAY, 4].map(|after| START + after);
    for (number, at_ms) in times.into_iter().enumerate() {
        stream.line(at_ms, &number.to_string());
        telemetry.flush().await.unwrap();
    }
    assert_eq!(messages(&telemetry, "s").await, ["4", "1", "2", "5", "0", "3"]);
}

#[tokio::test]
async fn a_token_finds_what_comes_late_only_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(dir.path());
    let stream = telemetry.log_stream(&Scope::default(), GROUP, "s", Spread::One);
    (0..10).for_each(|number| stream.line(START + number * 10, "x"));
    let first = telemetry.events(GetQuery { limit: 5, ..get("s") }).await.unwrap();
    // One before the page's end, one behind it.
    stream.line(START + 15, "early");
    stream.line(START + 45, "late");
    let next = GetQuery { from: ReadFrom::Token(first.forward_token.clone()), limit: 5, ..get("s") };
    let page = telemetry.events(next.clone()).await.unwrap();
    let times: Vec<i64> = page.events.iter().map(|event| event.at_ms - START).collect();
    assert_eq!(times, [45, 50, 60, 70, 80]);
    let again = telemetry.events(next).await.unwrap();
    assert_eq!(again, page, "a token means the same place each time");
    let back = GetQuery { from: ReadFrom::Token(page.backward_token), limit: 3, ..get("s") };
    let times: Vec<i64> =
        telemetry.events(back).await.unwrap().events.iter().map(|event| event.at_ms - START).collect();
    assert_eq!(times, [20, 30, 40]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_while_events_expire_sees_whole_days() {
    const DAYS: i64 = 6;
    const EACH: usize = 300;
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(dir.path());
    let scope = Scope::default();
    telemetry.create_stream(&scope, GROUP, "s").await.unwrap();
    for day in 0..DAYS {
        let event = |number| NewEvent { at_ms: START + day * DAY + number as i64, message: "x".repeat(500) };
        let events: Vec<NewEvent> = (0..EACH).map(event).collect();
        telemetry.append(&scope, GROUP, "s", &events).await.unwrap();
    }
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (telemetry, done) = (telemetry.clone(), done.clone());
        async move {
            let mut scans = 0;
            while !done.load(Ordering::Relaxed) || scans == 0 {
                let visitors = telemetry
                    .scan(query(), Arc::new(ScanProgress::default()), || Count([0; DAYS as usize]))
                    .await
                    .unwrap();
                for day in 0..DAYS as usize {
                    let seen: usize = visitors.iter().map(|visitor| visitor.0[day]).sum();
                    assert!(seen == 0 || seen == EACH, "{seen} of day {day}");
                }
                scans += 1;
            }
        }
    });
    for day in 0..DAYS {
        let retention = GroupRetention { scope: scope.clone(), group: GROUP.into(), days: 1 };
        telemetry.sweep(START + (day + 2) * DAY, vec![retention]).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    reader.await.unwrap();
    assert!(messages(&telemetry, "s").await.is_empty());
    // What was being read is deleted when it no longer is.
    telemetry.sweep(START + 9 * DAY, Vec::new()).await.unwrap();
    let names = std::fs::read_dir(dir.path().join("logs")).unwrap();
    let mut names: Vec<_> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("2025"));
    assert_eq!(names, [""; 0]);
}

struct Count([usize; 6]);

impl pitbird_telemetry::logs::Visit for Count {
    fn event(&mut self, event: &ScannedEvent<'_>) -> Flow {
        self.0[((event.at_ms - START) / DAY) as usize] += 1;
        Flow::Next
    }
}

#[tokio::test]
async fn ten_thousand_streams_are_written_described_and_scanned() {
    const STREAMS: usize = 10_000;
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(dir.path());
    let scope = Scope::default();
    for round in 0..2 {
        for number in 0..STREAMS {
            let stream = telemetry.log_stream(&scope, GROUP, &format!("s{number:05}"), Spread::One);
            stream.line(START + number as i64, &format!("round {round} of {number}"));
        }
        telemetry.flush().await.unwrap();
    }
    let describe = |token| StreamQuery {
        scope: scope.clone(),
        group: GROUP.to_owned(),
        prefix: None,
        order: StreamOrder::LastEvent,
        descending: true,
        limit: 50,
        token,
    };
    let (mut names, mut token) = (HashSet::new(), None);
    loop {
        let page = telemetry.streams(describe(token)).await.unwrap();
        names.extend(page.streams.into_iter().map(|stream| stream.name));
        token = page.token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), STREAMS);
    let progress = Arc::new(ScanProgress::default());
    let next = || |_: &ScannedEvent<'_>| Flow::Next;
    telemetry.scan(query(), progress.clone(), next).await.unwrap();
    assert_eq!(progress.scanned_events(), 2 * STREAMS as u64);
    assert_eq!(telemetry.lines_dropped(), 0);
}

#[tokio::test]
async fn a_burst_of_a_gigabyte_is_cut_to_the_room_and_counted() {
    const LINES: u64 = 10_000;
    let dir = tempfile::tempdir().unwrap();
    let config = Config { lines_bytes: 1 << 20, ..Config::default() };
    let telemetry = Telemetry::open(dir.path(), &config).unwrap();
    let before = peak_kib();
    let stream = telemetry.log_stream(&Scope::default(), GROUP, "s", Spread::One);
    let line = "x".repeat(100 << 10);
    (0..LINES).for_each(|number| stream.line(START + number as i64, &line));
    telemetry.flush().await.unwrap();
    let dropped = telemetry.lines_dropped();
    assert!(dropped > 0, "a gigabyte can't all find room");
    let progress = Arc::new(ScanProgress::default());
    struct Kept(u64, u64);
    impl pitbird_telemetry::logs::Visit for Kept {
        fn event(&mut self, event: &ScannedEvent<'_>) -> Flow {
            match event.message.strip_prefix("[pitbird] ").and_then(|rest| rest.split(' ').next()) {
                Some(count) => self.1 += count.parse::<u64>().unwrap(),
                None => self.0 += 1,
            }
            Flow::Next
        }
    }
    let visitors = telemetry.scan(query(), progress, || Kept(0, 0)).await.unwrap();
    let kept: u64 = visitors.iter().map(|visitor| visitor.0).sum();
    let said: u64 = visitors.iter().map(|visitor| visitor.1).sum();
    assert_eq!(
        (kept + dropped, said),
        (LINES, dropped),
        "each line is kept or counted, and the stream says so"
    );
    let grown = peak_kib() - before;
    assert!(grown < 64 << 10, "{grown} KiB more memory");
}

/// The most memory that this process has had, KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
