//! Drivers that break down or are one too many, and what is kept of ended rollouts.

use std::sync::atomic::Ordering;
use std::time::Duration;

use pitbird_names::Scope;
use pitbird_store::Transaction;
use serde_json::json;
use tokio::time::Instant;

use super::bed::{Bed, Traffic};
use crate::{Rollout, commit, keep};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };

#[tokio::test(start_paused = true)]
async fn a_driver_that_breaks_down_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.breaks.store(2, Ordering::SeqCst);
    bed.start_stage("v2", json!({})).await;
    // The first breakdown comes right after the first shift's commit: nobody knows when that change was live.
    let rollout = bed.until("v2", |rollout| rollout["EndedAt"].is_number()).await;
    assert_eq!((&rollout["Status"], rollout["Shifts"][0].get("LiveAt")), (&json!("Promoted"), None));
    assert_eq!(bed.breaks.load(Ordering::SeqCst), 0);
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn of_two_executors_one_gives_up() {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let bed = Bed::open(directory.path(), began).await;
    bed.traffic(GOOD);
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 10.0).await;
    let other = Bed::on(bed.store.clone(), began);
    other.traffic(Traffic { per_second: 1000.0, ..GOOD });
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "Promoted");
    // Nothing was counted by both: one of the two told nearly everything.
    let evidence = &rollout["Evidence"];
    let seen =
        evidence["Base"]["Requests"].as_f64().unwrap() + evidence["Canary"]["Requests"].as_f64().unwrap();
    let took_s = rollout["EndedAt"].as_f64().unwrap() - rollout["StartedAt"].as_f64().unwrap();
    let per_second = seen / took_s;
    assert!(per_second < 310.0 || per_second > 900.0 && per_second < 1010.0, "{per_second}");
    other.close().await;
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_longest_ended_rollouts_make_room() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    for name in ["c", "a", "b"] {
        bed.start_stage(name, json!({})).await;
        bed.watching(name, 10.0).await;
        bed.ok("AbortRollout", json!({"Name": name})).await;
        bed.end(name).await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    bed.start_alias("running").await;
    bed.watching("running", 10.0).await;
    for (rollouts_max, left) in [(5, "abcrunning"), (4, "abrunning"), (1, "running")] {
        keep::make_room(&bed.store, &Scope::default(), rollouts_max).await.unwrap();
        let names: String =
            bed.store.list::<Rollout>("").unwrap().into_iter().map(|it| it.record.name).collect();
        assert_eq!(names, left, "{rollouts_max}");
    }
    assert!(bed.entries("c").is_empty() && !bed.entries("running").is_empty());
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_oldest_entries_go_when_there_are_too_many() {
    let directory = tempfile::tempdir().unwrap();
    let mut bed = Bed::open(directory.path(), Instant::now()).await;
    bed.stop().await;
    bed.start_stage("v2", json!({})).await;
    let (rollout, record) = (bed.rollout("v2"), bed.entries("v2")[0].record.clone());
    let write = move |tx: &mut Transaction<'_>| {
        commit::entry(tx, &rollout, commit::ENTRIES_MAX, record.clone())?;
        commit::entry(tx, &rollout, commit::ENTRIES_MAX + 1, record)
    };
    bed.store.write(write).await.unwrap();
    let page = bed.ok("GetRollout", json!({"Name": "v2", "RecordsAfter": 0})).await;
    let numbers: Vec<_> =
        page["Records"].as_array().unwrap().iter().map(|record| record["Number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [commit::ENTRIES_MAX, commit::ENTRIES_MAX + 1]);
}
