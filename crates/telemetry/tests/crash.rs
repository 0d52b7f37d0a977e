//! A process is killed while it writes; what it was told is durable must be there. And what is wrong with a folder is said.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use pitbird_names::Scope;
use pitbird_telemetry::logs::{GetQuery, NewEvent, ReadFrom, Spread};
use pitbird_telemetry::metrics::{Datum, Dimensions, Metric, MetricQuery, Resolution, Samples, Stat, Unit};
use pitbird_telemetry::{Config, Error, Telemetry};

const DIR: &str = "PITBIRD_TELEMETRY_CRASH_DIR";
const LIFE: &str = "PITBIRD_TELEMETRY_CRASH_LIFE";
const WRITERS: usize = 3;
const KILLS: usize = 25;
const START: i64 = 1_763_899_200_000;

/// Names of what each writer writes to.
fn own(writer: usize) -> String {
    format!("writer{writer}")
}

/// Writes until it is killed, when it runs in the process that the test below starts; says what has been acknowledged.
#[test]
fn the_process_that_is_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let life = std::env::var(LIFE).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let telemetry = Telemetry::open(Path::new(&dir), &Config::default()).unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (telemetry, life) = (telemetry.clone(), life.clone());
            runtime.spawn(async move {
                let (scope, name) = (Scope::default(), own(writer));
                match telemetry.create_stream(&scope, "g", &name).await {
                    Ok(()) | Err(Error::StreamExists) => {}
                    Err(error) => panic!("{error}"),
                }
                for number in 0.. {
                    let event = NewEvent { at_ms: START + number, message: format!("event {life}.{number}") };
                    telemetry.append(&scope, "g", &name, &[event]).await.unwrap();
                    let datum = Datum {
                        name: name.clone(),
                        dimensions: Dimensions::none(),
                        unit: Unit::Count,
                        at_ms: START + number * 1000,
                        resolution: Resolution::Minute,
                        samples: Samples::Values(vec![(1.0, 1.0)]),
                    };
                    telemetry.put(&scope, "n", vec![datum]).await.unwrap();
                    writeln!(std::io::stdout(), "acknowledged {writer} {number}").unwrap();
                }
            })
        })
        .collect();
    runtime.block_on(async { futures_of(writers).await });
}

async fn futures_of(writers: Vec<tokio::task::JoinHandle<()>>) {
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Runs the process above until it has written a while, kills it, and returns how many writes each writer was told of.
fn killed_after(dir: &Path, life: usize, acknowledgements: usize) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_killed", "--nocapture"])
        .env(DIR, dir)
        .env(LIFE, life.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = vec![0; WRITERS];
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The harness writes to the same output, without a line's end at times.
        let Some((_, rest)) = line.split_once("acknowledged ") else { continue };
        let Some((writer, number)) = rest.split_once(' ') else { continue };
        told[writer.parse::<usize>().unwrap()] = number.parse::<u64>().unwrap() + 1;
        seen += 1;
        if seen == acknowledgements {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    told
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = vec![BTreeSet::new(); WRITERS];
    let mut unanswered = 0;
    for kill in 0..KILLS {
        let told = killed_after(dir.path(), kill, 1 + (kill * 37) % 90);
        unanswered += WRITERS;
        for (writer, told) in told.into_iter().enumerate() {
            acknowledged[writer].extend((0..told).map(|number| format!("event {kill}.{number}")));
        }
    }
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    let mut more = 0.0;
    for (writer, told) in acknowledged.iter().enumerate() {
        let found = events(&telemetry, writer).await;
        let distinct: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(found.len(), distinct.len(), "none is doubled");
        assert!(told.is_subset(&distinct), "lost: {:?}", told.difference(&distinct).collect::<Vec<_>>());
        more += sum(&telemetry, writer).await - told.len() as f64;
    }
    // Each writer may have put one datum in each life that it wasn't told of.
    assert!((0.0..=unanswered as f64).contains(&more), "{more} more than was told");
    // Numbers of events go on where they were.
    let again = NewEvent { at_ms: START, message: "again".into() };
    telemetry.create_stream(&Scope::default(), "g", "again").await.unwrap();
    telemetry.append(&Scope::default(), "g", "again", &[again]).await.unwrap();
}

async fn events(telemetry: &Telemetry, writer: usize) -> Vec<String> {
    let query = GetQuery {
        scope: Scope::default(),
        group: "g".into(),
        stream: own(writer),
        start_ms: None,
        end_ms: None,
        limit: 10_000,
        from: ReadFrom::Head,
    };
    match telemetry.events(query).await {
        Ok(page) => page.events.into_iter().map(|event| event.message).collect(),
        Err(Error::NoStream) => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

async fn sum(telemetry: &Telemetry, writer: usize) -> f64 {
    let metric = Metric {
        scope: Scope::default(),
        namespace: "n".into(),
        name: own(writer),
        dimensions: Dimensions::none(),
    };
    let query = MetricQuery {
        metric,
        unit: None,
        period_s: 3600,
        start_ms: START,
        end_ms: START + 3_600_000,
        stats: vec![Stat::Sum],
        now_ms: START,
    };
    let found = telemetry.statistics(vec![query]).await.unwrap().remove(0);
    found.iter().filter_map(|point| point.values[0]).sum()
}

#[tokio::test]
async fn a_folder_belongs_to_one() {
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    let locked = Telemetry::open(dir.path(), &Config::default()).expect_err("it is in use");
    assert_eq!(locked, Error::Locked { path: dir.path().join("lock") });
    assert!(locked.to_string().ends_with("lock is in use by another process"), "{locked}");
    drop(telemetry);
    Telemetry::open(dir.path(), &Config::default()).unwrap();
}

#[tokio::test]
async fn a_damaged_catalogue_is_named() {
    for file in ["metrics/series.db", "logs/streams.db"] {
        let dir = tempfile::tempdir().unwrap();
        drop(Telemetry::open(dir.path(), &Config::default()).unwrap());
        let path = dir.path().join(file);
        std::fs::write(&path, b"this is not a database, whatever its name may say").unwrap();
        match Telemetry::open(dir.path(), &Config::default()) {
            Err(Error::Corrupt { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Telemetry::open(dir.path(), &Config::default()).unwrap());
    let path = dir.path().join("logs/streams.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 7).unwrap();
    drop(file);
    let refused = Telemetry::open(dir.path(), &Config::default()).expect_err("it is newer");
    assert_eq!(refused, Error::Format { path, found: 7, known: 1 });
}

#[tokio::test]
async fn a_damaged_day_hurts_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::default();
    {
        let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
        telemetry.create_stream(&scope, "g", &own(0)).await.unwrap();
        let event = NewEvent { at_ms: START, message: "x".into() };
        telemetry.append(&scope, "g", &own(0), &[event]).await.unwrap();
    }
    std::fs::write(dir.path().join("logs/2025-11-23.db"), b"this is not a database, but it has its name")
        .unwrap();
    let telemetry = Telemetry::open(dir.path(), &Config::default()).unwrap();
    let event = |at_ms| NewEvent { at_ms, message: "y".into() };
    let refused = telemetry.append(&scope, "g", &own(0), &[event(START)]).await;
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    let tomorrow = START + 86_400_000;
    // Lines for it are lost, others aren't.
    telemetry.log_stream(&scope, "g", "lines", Spread::One).line(START, "lost");
    telemetry.log_stream(&scope, "g", "lines", Spread::One).line(tomorrow, "kept");
    assert!(telemetry.flush().await.is_err());
    telemetry.flush().await.unwrap();
    telemetry.append(&scope, "g", &own(0), &[event(tomorrow)]).await.unwrap();
    let query = GetQuery {
        scope: scope.clone(),
        group: "g".into(),
        stream: own(0),
        start_ms: Some(tomorrow),
        end_ms: None,
        limit: 10,
        from: ReadFrom::Head,
    };
    assert_eq!(telemetry.events(query.clone()).await.unwrap().events.len(), 1);
    let lines = GetQuery { stream: "lines".into(), ..query.clone() };
    assert_eq!(telemetry.events(lines).await.unwrap().events[0].message, "kept");
    let damaged = telemetry.events(GetQuery { start_ms: None, ..query }).await;
    assert!(matches!(damaged, Err(Error::Corrupt { .. })), "{damaged:?}");
}
