//! Whole rollouts, from their start to their end.

use serde_json::json;
use tokio::time::Instant;

use super::bed::{Bed, Traffic};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
const BAD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.2 };

async fn bed(directory: &tempfile::TempDir, traffic: Traffic) -> Bed {
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(traffic);
    bed
}

#[tokio::test(start_paused = true)]
async fn a_good_canary_is_promoted_step_by_step() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    let more =
        json!({"Canary": {"DeploymentId": "d2", "StageVariableOverrides": {"colour": "blue", "size": "9"}}});
    let started = bed.start_stage("v2", more).await;
    assert_eq!((&started["Status"], &started["Phase"]), (&json!("InProgress"), &json!("Pending")));
    bed.watching("v2", 10.0).await;
    let canary = bed.stage().canary.expect("a canary");
    assert_eq!((canary.deployment_id.as_str(), canary.percent_traffic.get()), ("d2", 10.0));
    assert_eq!(canary.stage_variable_overrides.expect("overrides")["colour"], "blue");
    bed.watching("v2", 50.0).await;
    bed.watching("v2", 100.0).await;
    let rollout = bed.end("v2").await;
    assert_eq!((&rollout["Status"], &rollout["ExitCode"]), (&json!("Promoted"), &json!(0)), "{rollout:#}");
    assert_eq!(rollout["Evidence"]["Verdict"], "NotWorse");
    let stage = bed.stage();
    assert_eq!((stage.deployment_id.as_str(), stage.canary), ("d2", None));
    let variables: Vec<_> = stage.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(variables, ["alias=live", "colour=blue", "size=9"]);
    let shifts: Vec<_> = rollout["Shifts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shift| shift["Percent"].as_f64().unwrap())
        .collect();
    assert_eq!(shifts, [10.0, 50.0, 100.0, 100.0]);
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_canary_is_rolled_back_within_its_first_step() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, BAD).await;
    bed.start_stage("v2", json!({})).await;
    let rollout = bed.end("v2").await;
    assert_eq!((&rollout["Status"], &rollout["ExitCode"]), (&json!("RolledBack"), &json!(10)));
    let reason = rollout["StatusReason"].as_str().unwrap();
    assert!(reason.starts_with("rolled back: canary is worse: "), "{reason}");
    assert_eq!(rollout["Evidence"]["Verdict"], "Worse");
    let stage = bed.stage();
    assert_eq!((stage.deployment_id.as_str(), stage.canary), ("d1", None));
    let shift = &rollout["Shifts"][1];
    assert_eq!((&shift["Change"], &shift["Percent"]), (&json!("RollBack"), &json!(0.0)));
    assert!(shift["TookMs"].is_u64(), "{shift}");
    // Every failure that was counted is in the evidence.
    let canary = &rollout["Evidence"]["Canary"];
    let failures = canary["Failures"].as_f64().unwrap() / canary["Requests"].as_f64().unwrap();
    assert!((failures - 0.2).abs() < 0.05, "{canary}");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_alias_goes_the_same_ways() {
    for (traffic, status, version) in [(GOOD, "Promoted", "2"), (BAD, "RolledBack", "1")] {
        let directory = tempfile::tempdir().unwrap();
        let bed = bed(&directory, traffic).await;
        bed.start_alias("v2").await;
        bed.watching("v2", 10.0).await;
        let additional = bed.alias().additional.expect("a share");
        assert_eq!((additional.version.to_string().as_str(), additional.weight.get()), ("2", 0.1));
        let rollout = bed.end("v2").await;
        assert_eq!(rollout["Status"], status, "{rollout:#}");
        let alias = bed.alias();
        assert_eq!((alias.version.to_string().as_str(), alias.additional), (version, None));
        assert_ne!(alias.revision_id, "before");
        bed.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_fault_is_caught_at_full_weight() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 100.0).await;
    bed.traffic(BAD);
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack");
    // Compared at half of the traffic first, since the canary had all of it.
    assert!(rollout["StatusReason"].as_str().unwrap().contains("canary is worse"), "{rollout:#}");
    let decisions = serde_json::to_string(&rollout["Decisions"]).unwrap();
    assert!(decisions.contains("cutting its weight to compare"), "{decisions}");
    assert_eq!(bed.stage().deployment_id, "d1");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn without_traffic_it_ends_inconclusive_and_writes_little() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, Traffic::default()).await;
    bed.start_stage("v2", json!({})).await;
    let rollout = bed.end("v2").await;
    assert_eq!((&rollout["Status"], &rollout["ExitCode"]), (&json!("Inconclusive"), &json!(12)));
    assert_eq!(bed.stage().canary, None);
    // Ten minutes of looks that saw nothing new are not worth a record each.
    assert!(bed.entries("v2").len() < 12, "{}", bed.entries("v2").len());
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_next_rollout_starts_from_what_the_last_one_left() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, BAD).await;
    bed.start_stage("v2", json!({})).await;
    bed.end("v2").await;
    bed.traffic(GOOD);
    let rollout = bed.start_stage("v3", json!({"Canary": {"DeploymentId": "d3"}})).await;
    assert_eq!(rollout["Base"], json!({"DeploymentId": "d1"}));
    let rollout = bed.end("v3").await;
    // The failures of the canary before are on the same counter, and no evidence.
    assert_eq!(
        (&rollout["Status"], &rollout["Evidence"]["Canary"]["Failures"]),
        (&json!("Promoted"), &json!(0))
    );
    assert_eq!(bed.stage().deployment_id, "d3");
    bed.close().await;
}
