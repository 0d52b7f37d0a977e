//! What is judged besides errors: latency and routes.

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{Bed, Pace, Traffic, with};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
const SAME: Pace = Pace { base_ms: 20.0, canary_ms: 20.0, is_route_dead: false };
const SLOW: Pace = Pace { canary_ms: 30.0, ..SAME };
const DEAD: Pace = Pace { is_route_dead: true, ..SAME };

fn judged() -> Json {
    json!({"Latency": {}, "Routes": ["*"]})
}

async fn bed(directory: &tempfile::TempDir, pace: Pace) -> Bed {
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.pace(pace);
    bed
}

#[tokio::test(start_paused = true)]
async fn a_slow_canary_that_never_fails_is_rolled_back() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, SLOW).await;
    bed.start_stage("v2", judged()).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack", "{rollout:#}");
    let reason = rollout["StatusReason"].as_str().unwrap();
    assert!(reason.contains("slow"), "{reason}");
    let canary = &rollout["Evidence"]["Canary"];
    assert_eq!((&canary["Failures"], &canary["ColdStarts"]), (&json!(0), &json!(1)));
    let latency = &rollout["Evidence"]["Latency"];
    let median = &latency["Thresholds"][0];
    let base_ms = median["BaseMs"].as_f64().unwrap();
    assert!((20.0..21.0).contains(&base_ms), "the base's own median: {latency}");
    let share = median["CanaryAbove"].as_f64().unwrap() / latency["CanaryRequests"].as_f64().unwrap();
    // Of 1.5 times the time, more than 77 % is above 1.1 times the median.
    assert!(share > 0.7, "{latency}");
    bed.uncounted().await;
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_no_slower_is_promoted() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, SAME).await;
    let started = bed.start_stage("v2", judged()).await;
    assert_eq!(started["Routes"], json!(["GET /dead", "GET /pets"]));
    assert_eq!(started["Latency"]["SlowerBy"], 0.1);
    let waiting = bed.until("v2", |rollout| rollout["StatusReason"] != started["StatusReason"]).await;
    let reason = waiting["StatusReason"].as_str().unwrap();
    assert!(reason.contains("latency-history"), "{reason}");
    bed.watching("v2", 10.0).await;
    assert!(bed.is_counted());
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "Promoted", "{rollout:#}");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn one_dead_route_among_healthy_ones_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, DEAD).await;
    bed.start_stage("v2", json!({"Routes": ["GET /pets", "GET /dead"]})).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack", "{rollout:#}");
    let reason = rollout["StatusReason"].as_str().unwrap();
    assert!(reason.contains("GET /dead"), "{reason}");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_alias_is_judged_by_its_latency_too() {
    for (pace, status) in [(SAME, "Promoted"), (SLOW, "RolledBack")] {
        let directory = tempfile::tempdir().unwrap();
        let bed = bed(&directory, pace).await;
        let input = json!({
            "Name": "v2",
            "Target": {"LambdaAlias": {"FunctionName": "pets", "AliasName": "live"}},
            "Canary": {"FunctionVersion": "2"},
            "Steps": super::bed::steps(),
            "Rules": {"MaxDurationMs": 600_000},
            "Latency": {"WarmUpMs": 1000},
        });
        let refused = bed.run("StartRollout", with(input.clone(), json!({"Routes": ["GET /pets"]}))).await;
        assert!(refused.unwrap_err().contains("Routes goes with Target.RestStage only"));
        bed.ok("StartRollout", input).await;
        let rollout = bed.end("v2").await;
        assert_eq!(rollout["Status"], status, "{rollout:#}");
        bed.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn thresholds_outlast_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let bed = bed(&directory, SAME).await;
    bed.start_stage("v2", judged()).await;
    bed.watching("v2", 10.0).await;
    let thresholds = bed.rollout("v2").thresholds.expect("they are known");
    bed.close().await;
    let bed = Bed::open(directory.path(), began).await;
    bed.traffic(GOOD);
    // Everything is slower now, also the base: that is no history any more.
    bed.pace(Pace { base_ms: 200.0, canary_ms: 200.0, is_route_dead: false });
    bed.watching("v2", 50.0).await;
    assert_eq!(bed.rollout("v2").thresholds, Some(thresholds));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_base_of_few_requests_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, SAME).await;
    bed.traffic(Traffic { per_second: 1.0, ..GOOD });
    bed.start_stage("v2", json!({"Latency": {}, "Rules": {"MaxDurationMs": 60_000}})).await;
    let rollout = bed.end("v2").await;
    assert_eq!((&rollout["Status"], &rollout["Shifts"]), (&json!("Inconclusive"), &json!([])), "{rollout:#}");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_base_s_failures_before_the_rollout_are_its_history() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, SAME).await;
    bed.traffic(Traffic { base_failures: 0.1, ..GOOD });
    tokio::time::advance(std::time::Duration::from_secs(100)).await;
    bed.start_stage("v2", json!({})).await;
    let entries = bed.entries("v2");
    let begin = serde_json::to_value(&entries[0].record.input).unwrap();
    // Thirty thousand requests count for ten.
    assert_eq!(begin["begin"]["history"], json!({"requests": 10_000, "events": 1_000}));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_ramp_finds_its_own_way() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, SAME).await;
    let input = json!({
        "Name": "v2",
        "Target": {"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}},
        "Canary": {"DeploymentId": "d2"},
        "Ramp": {"FirstPercent": 2.0},
    });
    let started = bed.ok("StartRollout", input).await;
    assert_eq!(started["Ramp"], json!({"FailuresPerLook": 1.5, "FirstPercent": 2.0}));
    assert_eq!(started["Steps"][0]["Percent"], 50.0);
    let first = bed.until("v2", |rollout| rollout["Phase"] == "Watching").await;
    assert!(first["Percent"].as_f64().unwrap() <= 2.0, "{first:#}");
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "Promoted", "{rollout:#}");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_can_t_be_judged_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, SAME).await;
    let cases = [
        (json!({"Routes": ["GET /petz"]}), "\"GET /petz\" is neither in deployment d2 nor in d1"),
        (json!({"Routes": ["GET /pets", "GET /pets"]}), "routes"),
        (json!({"Latency": {"SlowerBy": 1.5}}), "slower_by"),
        (json!({"Latency": {"BodyMargin": 0.9}}), "body_margin"),
        (json!({"Ramp": {"FailuresPerLook": 0}}), "failures_per_look"),
        (json!({"Ramp": {"FirstPercent": 60}}), "first_percent"),
    ];
    for (more, words) in cases {
        let input = json!({
            "Name": "v2",
            "Target": {"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}},
            "Canary": {"DeploymentId": "d2"},
        });
        let refused = bed.run("StartRollout", with(input, more.clone())).await.unwrap_err();
        assert!(refused.contains(words), "{more}: {refused}");
    }
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_start_twice_is_one_rollout() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, SAME).await;
    bed.start_stage("v2", judged()).await;
    bed.watching("v2", 10.0).await;
    let again = bed.start_stage("v2", judged()).await;
    assert_eq!(again["Percent"], 10.0, "the one that runs");
    let other = json!({
        "Name": "v2",
        "Target": {"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}},
        "Canary": {"DeploymentId": "d2"},
    });
    let refused = bed.run("StartRollout", other.clone()).await.unwrap_err();
    assert!(refused.contains("v2"), "{refused}");
    let same = with(
        with(other, judged()),
        json!({"Steps": super::bed::steps(), "Rules": {"MaxDurationMs": 600_000}}),
    );
    assert!(bed.run("StartRollout", same.clone()).await.is_ok());
    for more in [json!({"Reason": "another"}), json!({"Notifications": [{"Url": "http://127.0.0.1:9/"}]})] {
        let refused = bed.run("StartRollout", with(same.clone(), more)).await.unwrap_err();
        assert!(refused.contains("names are given once"), "{refused}");
    }
    let ended = bed.end("v2").await;
    let again = bed.start_stage("v2", judged()).await;
    assert_eq!(again["EndedAt"], ended["EndedAt"], "and the one that ended");
    bed.close().await;
}
