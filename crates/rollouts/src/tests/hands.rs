//! Targets that somebody else changes while a rollout runs: it stops, says what it found, and leaves them alone.

use pitbird_names::VersionId;
use pitbird_records::alias::Additional;
use pitbird_records::{Alias, Canary, Deployment, Stage};
use pitbird_store::Transaction;
use serde_json::json;
use tokio::time::Instant;

use super::bed::{API, Bed, Traffic, at, percent, weight};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };

fn canary(stage: &mut Stage) -> &mut Canary {
    stage.canary.as_mut().expect("a canary")
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_was_changed_is_left_alone() {
    type Edit = fn(&mut Stage);
    let edits: [(Edit, &str); 5] = [
        (
            |stage| canary(stage).percent_traffic = percent(30.0),
            "stage prod: the canary's share is 30 % instead of 10 %",
        ),
        (|stage| stage.canary = None, "the canary of stage prod was removed"),
        (
            |stage| canary(stage).deployment_id = "d3".into(),
            "stage prod: the canary serves deployment d3 instead of d2",
        ),
        (
            |stage| canary(stage).stage_variable_overrides = Some([("a".to_owned(), "b".to_owned())].into()),
            "stage prod: the canary's stage variables are others",
        ),
        (|stage| stage.deployment_id = "d3".into(), "stage prod serves deployment d3 instead of d1"),
    ];
    for (edit, words) in edits {
        let directory = tempfile::tempdir().unwrap();
        let bed = Bed::open(directory.path(), Instant::now()).await;
        bed.traffic(GOOD);
        bed.start_stage("v2", json!({})).await;
        bed.watching("v2", 10.0).await;
        bed.edit_stage(edit).await;
        let edited = bed.stage();
        let rollout = bed.end("v2").await;
        assert_eq!((&rollout["Status"], &rollout["ExitCode"]), (&json!("Failed"), &json!(1)));
        let expected =
            format!("failed: target refused: {words}; somebody else changed it, so it is left as it is");
        assert_eq!(rollout["StatusReason"], expected);
        assert_eq!(bed.stage(), edited);
        // The target is free for another rollout.
        bed.edit_stage(|stage| (stage.canary, stage.deployment_id) = (None, "d1".into())).await;
        bed.start_stage("again", json!({})).await;
        bed.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_was_changed_is_left_alone() {
    type Edit = fn(&mut Alias);
    let edits: [(Edit, &str); 4] = [
        (
            |alias| alias.additional.as_mut().expect("a share").weight = weight(0.3),
            "alias live sends a share of 0.3 instead of 0.1 to version 2",
        ),
        (|alias| alias.additional = None, "the routing of alias live was removed"),
        (
            |alias| {
                alias.additional = Some(Additional { version: VersionId::Number(3), weight: weight(0.1) })
            },
            "alias live sends a share to version 3 instead of 2",
        ),
        (|alias| alias.version = VersionId::Number(3), "alias live names version 3 instead of 1"),
    ];
    for (edit, words) in edits {
        let directory = tempfile::tempdir().unwrap();
        let bed = Bed::open(directory.path(), Instant::now()).await;
        bed.traffic(GOOD);
        bed.start_alias("v2").await;
        bed.watching("v2", 10.0).await;
        bed.edit_alias(edit).await;
        let edited = bed.alias();
        let rollout = bed.end("v2").await;
        assert_eq!(rollout["Status"], "Failed");
        assert!(rollout["StatusReason"].as_str().unwrap().contains(words), "{rollout:#}");
        assert_eq!(bed.alias(), edited);
        bed.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_ends_the_rollout() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 10.0).await;
    bed.store.write(|tx: &mut Transaction<'_>| tx.delete::<Stage>(&at(&[API, "prod"]))).await.unwrap();
    let rollout = bed.end("v2").await;
    assert!(rollout["StatusReason"].as_str().unwrap().contains("stage prod was deleted"), "{rollout:#}");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_gone_is_never_shifted_to() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.ring("errors", pitbird_rollout::AlarmState::Alarm);
    bed.start_stage("v2", json!({"Alarms": ["errors"]})).await;
    bed.store.write(|tx: &mut Transaction<'_>| tx.delete::<Deployment>(&at(&[API, "d2"]))).await.unwrap();
    bed.ring("errors", pitbird_rollout::AlarmState::Ok);
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["StatusReason"], "failed: target refused: deployment d2 was deleted");
    let stage = bed.stage();
    assert_eq!((stage.deployment_id.as_str(), stage.canary), ("d1", None));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_none_of_the_rollouts_business_may_change() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.start_stage("v2", json!({})).await;
    for percent in [10.0, 50.0, 100.0] {
        bed.watching("v2", percent).await;
        bed.edit_stage(move |stage| {
            stage.description = Some(format!("at {percent}"));
            stage.variables.insert("later".into(), "1".into());
        })
        .await;
    }
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    let stage = bed.stage();
    assert_eq!((stage.description.as_deref(), stage.deployment_id.as_str()), (Some("at 100"), "d2"));
    assert_eq!(stage.variables["later"], "1");
    bed.close().await;
}
