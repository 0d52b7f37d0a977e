//! A rollout goes on where it was, whenever the server ends.

use pitbird_analysis::Arm;
use pitbird_records::Record;
use pitbird_rollout::{Evidence, Phase, Plan, begin, next};
use pitbird_store::Transaction;
use serde_json::json;
use tokio::time::Instant;

use super::bed::{Bed, Traffic};
use crate::target::{self, start::Wish};
use crate::{Rollout, commit};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
const BAD: Traffic = Traffic { canary_failures: 0.2, ..GOOD };

/// Runs a rollout with a restart after every `commits`-th commit. How it ended, and how many restarts there were.
async fn run(traffic: Traffic, commits: usize) -> (String, usize) {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut bed = Bed::open(directory.path(), began).await;
    bed.traffic(traffic);
    bed.start_stage("v2", json!({})).await;
    for restarts in 0..200 {
        let mut watch = bed.store.watch();
        for _ in 0..commits {
            let is_over = || {
                let rollout = bed.rollout("v2");
                rollout.ended_ms.is_some() && rollout.shifts.iter().all(|shift| shift.live_ms.is_some())
            };
            watch.borrow_and_update();
            if bed.rollout("v2").ended_ms.is_some() && (is_over() || restarts > 0) {
                bed.check_replay("v2");
                let stage = bed.stage();
                let status = bed.get("v2").await["Status"].as_str().unwrap().to_owned();
                let expected = if status == "Promoted" { "d2" } else { "d1" };
                assert_eq!((stage.deployment_id.as_str(), stage.canary), (expected, None));
                bed.close().await;
                return (status, restarts);
            }
            watch.changed().await.expect("the store is open");
        }
        bed.close().await;
        bed = Bed::open(directory.path(), began).await;
        bed.traffic(traffic);
    }
    panic!("two hundred restarts were not enough");
}

#[tokio::test(start_paused = true)]
async fn a_good_canary_is_promoted_in_spite_of_restarts() {
    for commits in [1, 2, 3, 5, 9] {
        let (status, restarts) = run(GOOD, commits).await;
        assert_eq!(status, "Promoted", "with a restart after every {commits} commits");
        assert!(restarts > 1, "{restarts}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_canary_is_rolled_back_in_spite_of_restarts() {
    for commits in [1, 2, 3] {
        let (status, restarts) = run(BAD, commits).await;
        assert_eq!(status, "RolledBack", "with a restart after every {commits} commits");
        assert!(restarts > 0, "{restarts}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_was_written_down_and_not_done_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut bed = Bed::open(directory.path(), began).await;
    bed.stop().await;
    let now_ms = bed.now_ms();
    let write = move |tx: &mut Transaction<'_>| {
        let wish = json!({"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}});
        let wish = Wish::parse(
            serde_json::from_value(wish).unwrap(),
            serde_json::from_value(json!({"DeploymentId": "d2"})).unwrap(),
        )?;
        let target = wish.find(tx, &Default::default())?;
        let plan = Plan::standard(target::start::description(&target))?;
        let began = begin(&plan, Arm::default(), now_ms);
        let shifting = next(&plan, &began.state, &Evidence::default(), &[], now_ms);
        assert!(matches!(shifting.state.phase(), Phase::Shifting { step: 0 }));
        let rollout = Rollout {
            scope: Default::default(),
            name: "v2".into(),
            target,
            plan,
            state: shifting.state,
            reason: String::new(),
            entries: 2,
            commands: 0,
            shifts: Vec::new(),
            phase_began_ms: now_ms,
            started_ms: now_ms,
            ended_ms: None,
            canary_use: Default::default(),
            thresholds: None,
        };
        commit::entry(tx, &rollout, 1, began.record.expect("recorded"))?;
        commit::entry(tx, &rollout, 2, shifting.record.expect("recorded"))?;
        tx.put(&commit::claim(&rollout))?;
        tx.put(&rollout)?;
        Ok::<_, crate::Error>(rollout.key())
    };
    bed.store.write(write).await.expect("written");
    drop(bed);
    let bed = Bed::open(directory.path(), began).await;
    bed.traffic(GOOD);
    bed.watching("v2", 10.0).await;
    assert_eq!(bed.stage().canary.expect("a canary").percent_traffic.get(), 10.0);
    bed.check_replay("v2");
    bed.close().await;
}
