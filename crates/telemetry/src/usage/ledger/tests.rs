use super::*;
use crate::sqlite::Readers;
use crate::usage::{Used, read};

/// 2026-11-28 00:00 UTC.
const NOW_MS: i64 = 1_795_824_000_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn subject_of(name: &str) -> Subject {
    Subject {
        scope: Scope::default(),
        service: "S".to_owned(),
        names: [("Name", name)].into_iter().collect(),
    }
}

fn open(dir: &Path) -> Ledger {
    Ledger::open(dir, Durability::Process).expect("a ledger")
}

fn kept(dir: &Path, month: &str) -> Vec<(String, String, u64)> {
    let month = Month::parse(month).expect("a month");
    let used = read(dir, &Readers::default(), &Scope::default(), month).expect("a ledger");
    let shown = |Used { subject, quantity, amount }| {
        let names: Vec<&str> = subject.names.iter().map(|(_, value)| value).collect();
        (format!("{} {}", subject.service, names.join(" ")), quantity, amount)
    };
    used.into_iter().map(shown).collect()
}

fn row(subject: &str, quantity: &str, amount: u64) -> (String, String, u64) {
    (subject.to_owned(), quantity.to_owned(), amount)
}

#[test]
fn amounts_add_up_by_month_and_stay() {
    let dir = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let mut ledger = open(dir.path());
        ledger.add(NOW_MS, &subject_of("a"), "Requests", 2);
        ledger.add(NOW_MS, &subject_of("a"), "Requests", 3);
        ledger.add(NOW_MS, &subject_of("b"), "Bytes", u64::MAX);
        ledger.add(NOW_MS + 3 * DAY_MS, &subject_of("a"), "Requests", 1);
        ledger.commit().expect("a disk");
        ledger.commit().expect("nothing to write");
        ledger.add(NOW_MS, &subject_of("a"), "Requests", 100);
        // Killed: what wasn't committed is gone.
    }
    assert_eq!(
        kept(dir.path(), "2026-11"),
        [row("S a", "Requests", 10), row("S b", "Bytes", i64::MAX as u64)]
    );
    assert_eq!(kept(dir.path(), "2026-12"), [row("S a", "Requests", 2)]);
    assert_eq!(kept(dir.path(), "2026-10"), []);
}

#[test]
fn what_cannot_be_written_waits_and_counts_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut ledger = open(dir.path());
    ledger.limits.pending = 2;
    ledger.file.run(|c| c.execute_batch("PRAGMA query_only = on")).expect("a pragma");
    for name in ["a", "b", "c", "a"] {
        ledger.add(NOW_MS, &subject_of(name), "Requests", 1);
        ledger.commit().expect_err("nothing can be written");
    }
    ledger.file.run(|c| c.execute_batch("PRAGMA query_only = off")).expect("a pragma");
    ledger.commit().expect("a disk");
    assert_eq!(kept(dir.path(), "2026-11"), [row("S a", "Requests", 2), row("S b", "Requests", 1)]);
}

#[test]
fn beyond_the_bound_a_service_counts_as_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut ledger = open(dir.path());
    ledger.limits.subjects = 2;
    for name in ["a", "b", "c", "d", "a"] {
        ledger.add(NOW_MS, &subject_of(name), "Requests", 1);
        ledger.commit().expect("a disk");
    }
    let expected = [("S a", 2), ("S b", 1), ("S ", 2)].map(|(name, amount)| row(name, "Requests", amount));
    assert_eq!(kept(dir.path(), "2026-11"), expected);
}

#[test]
fn a_metric_counts_once_an_hour() {
    let dir = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let mut ledger = open(dir.path());
        for (series, minutes) in [(1, 0), (1, 59), (2, 5), (1, 60), (1, 61), (1, 30)] {
            ledger.metric(NOW_MS + minutes * MINUTE_MS, series, &Scope::default(), "App");
            ledger.commit().expect("a disk");
        }
    }
    assert_eq!(kept(dir.path(), "2026-11"), [row("Metrics App", METRIC_HOURS, 3)]);
}

#[test]
fn levels_count_by_the_minute_over_months_and_restarts() {
    let dir = tempfile::tempdir().expect("a folder");
    let level = |amount| [Level { subject: subject_of("a"), quantity: "Minutes".to_owned(), amount }];
    let tell = |at_ms, amount| {
        let mut ledger = open(dir.path());
        ledger.tell("alarms", at_ms, &level(amount)).expect("a disk");
        ledger.tell("alarms", at_ms, &level(amount)).expect("told already");
        ledger.commit().expect("a disk");
    };
    tell(NOW_MS, 7);
    assert_eq!(kept(dir.path(), "2026-11"), [], "nobody knows since when");
    tell(NOW_MS + 90_000, 2);
    assert_eq!(kept(dir.path(), "2026-11"), [row("S a", "Minutes", 2)]);
    tell(NOW_MS + 120_000, 2);
    tell(NOW_MS + 60_000, 50);
    assert_eq!(kept(dir.path(), "2026-11"), [row("S a", "Minutes", 4)], "a clock that was set back");
    tell(NOW_MS + 4 * DAY_MS, 1);
    assert_eq!(kept(dir.path(), "2026-11"), [row("S a", "Minutes", 4 + 3 * 1440 - 2)]);
    assert_eq!(kept(dir.path(), "2026-12"), [row("S a", "Minutes", 1440)]);
}

#[test]
fn months_that_are_too_old_go_with_their_subjects() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut ledger = open(dir.path());
    let last_year = NOW_MS - 365 * DAY_MS;
    for (at_ms, name) in [(last_year - 100 * DAY_MS, "old"), (last_year - 50 * DAY_MS, "kept")] {
        ledger.add(at_ms, &subject_of(name), "Requests", 1);
    }
    ledger.metric(NOW_MS, 1, &Scope::default(), "App");
    ledger.commit().expect("a disk");
    ledger.sweep(NOW_MS + DAY_MS).expect("a disk");
    assert_eq!(ledger.subjects, 2);
    assert_eq!(kept(dir.path(), "2025-08"), []);
    assert_eq!(kept(dir.path(), "2025-10"), [row("S kept", "Requests", 1)]);
    let metrics: i64 = ledger
        .file
        .run(|c| c.query_row("SELECT count(*) FROM metric", [], |row| row.get(0)))
        .expect("a file");
    assert_eq!(metrics, 0);
}

#[test]
fn a_long_time_is_that_of_the_months_that_are_kept() {
    let to = NOW_MS / MINUTE_MS;
    let spans = minutes_by_month(0, to);
    assert_eq!(spans.len(), MONTHS_KEPT as usize);
    assert_eq!(spans[0], (Month::parse("2025-09").expect("a month"), 30 * 1440));
    assert_eq!(spans.last(), Some(&(Month::of(NOW_MS), 27 * 1440)));
    assert_eq!(minutes_by_month(to, to), []);
}
