//! What people and alarms say to a running rollout.

use pitbird_rollout::AlarmState;
use serde_json::json;
use tokio::time::Instant;

use super::bed::{Bed, Traffic};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };

async fn bed(directory: &tempfile::TempDir) -> Bed {
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed
}

#[tokio::test(start_paused = true)]
async fn an_abort_takes_the_canary_away_before_it_answers() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 50.0).await;
    let rollout = bed.ok("AbortRollout", json!({"Name": "v2", "Reason": "wrong branch"})).await;
    assert_eq!((&rollout["Status"], &rollout["ExitCode"]), (&json!("Aborted"), &json!(11)));
    assert_eq!(rollout["StatusReason"], "aborted: ordered by arn:aws:iam::000000000000:root: wrong branch");
    let stage = bed.stage();
    assert_eq!((stage.deployment_id.as_str(), stage.canary), ("d1", None));
    bed.end("v2").await;
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_rollout_stays_where_it_is_until_it_is_resumed() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 10.0).await;
    for _ in 0..2 {
        let rollout = bed.ok("PauseRollout", json!({"Name": "v2"})).await;
        assert_eq!((&rollout["Status"], &rollout["Percent"]), (&json!("Paused"), &json!(10.0)));
    }
    let paused_ms = bed.now_ms();
    let at_ms = |rollout: &serde_json::Value| (rollout["LookedAt"].as_f64().unwrap() * 1e3) as u64;
    let rollout = bed.until("v2", |rollout| at_ms(rollout) > paused_ms + 20_000).await;
    assert_eq!((&rollout["Status"], &rollout["Percent"]), (&json!("Paused"), &json!(10.0)));
    bed.ok("ResumeRollout", json!({"Name": "v2"})).await;
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_does_not_keep_a_bad_canary() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 10.0).await;
    bed.ok("PauseRollout", json!({"Name": "v2"})).await;
    bed.traffic(Traffic { canary_failures: 0.3, ..GOOD });
    assert_eq!(bed.end("v2").await["Status"], "RolledBack");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_promotion_by_order_says_who_and_why() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 10.0).await;
    let rollout = bed.ok("PromoteRollout", json!({"Name": "v2", "Reason": "security fix"})).await;
    assert_eq!(rollout["Status"], "Promoted");
    assert_eq!(bed.stage().deployment_id, "d2");
    let decisions = rollout["Decisions"].to_string();
    assert!(decisions.contains("ordered by arn:aws:iam::000000000000:root: security fix"), "{decisions}");
    bed.end("v2").await;
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn orders_that_mean_nothing_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.ring("errors", AlarmState::Alarm);
    bed.start_stage("v2", json!({"Alarms": ["errors"]})).await;
    bed.until("v2", |rollout| rollout["StatusReason"] == "not started: alarm errors is in ALARM").await;
    let refused = bed.run("PromoteRollout", json!({"Name": "v2", "Reason": "now"})).await.unwrap_err();
    assert!(refused.starts_with("ConflictException: Rollout v2 has not shifted anything yet"), "{refused}");
    let rollout = bed.ok("AbortRollout", json!({"Name": "v2"})).await;
    assert_eq!((&rollout["Status"], &rollout["Shifts"]), (&json!("Aborted"), &json!([])));
    for operation in ["PauseRollout", "ResumeRollout", "AbortRollout"] {
        let refused = bed.run(operation, json!({"Name": "v2"})).await.unwrap_err();
        assert_eq!(refused, "ConflictException: Rollout v2 has ended: aborted.");
        let refused = bed.run(operation, json!({"Name": "v9"})).await.unwrap_err();
        assert_eq!(refused, "ResourceNotFoundException: There is no rollout named v9.");
    }
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_alarm_rolls_back_whatever_the_evidence_says() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.ring("errors", AlarmState::InsufficientData);
    bed.start_stage("v2", json!({"Alarms": ["errors"]})).await;
    bed.watching("v2", 50.0).await;
    bed.ring("errors", AlarmState::Alarm);
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["StatusReason"], "rolled back: alarm errors is in ALARM");
    assert_eq!(bed.stage().canary, None);
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_is_gone_holds() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.ring("errors", AlarmState::Ok);
    bed.start_stage("v2", json!({"Alarms": ["errors"]})).await;
    bed.watching("v2", 10.0).await;
    bed.forget("errors");
    let held = "held: state of alarm errors is unknown";
    bed.until("v2", |rollout| rollout["StatusReason"] == held).await;
    bed.ring("errors", AlarmState::Ok);
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_without_an_executor_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let mut bed = bed(&directory).await;
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 10.0).await;
    bed.stop().await;
    let refused = bed.run("PauseRollout", json!({"Name": "v2"})).await.unwrap_err();
    assert!(refused.starts_with("ServiceUnavailableException: "), "{refused}");
}
