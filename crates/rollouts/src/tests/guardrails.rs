//! Limits that hold whatever the base does.

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{Bed, Pace, Traffic};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
/// Of both arms' requests, one in a hundred takes more than 63 ms.
const SAME: Pace = Pace { base_ms: 20.0, canary_ms: 20.0, is_route_dead: false };

fn p99(above_ms: u64) -> Json {
    json!({"Guardrails": {"Latency": [{"Quantile": 0.99, "AboveMs": above_ms}]}})
}

async fn bed(directory: &tempfile::TempDir, traffic: Traffic) -> Bed {
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(traffic);
    bed
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_fails_too_often_is_rolled_back_though_the_base_does_too() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, Traffic { base_failures: 0.06, canary_failures: 0.06, ..GOOD }).await;
    let started = bed.start_stage("v2", json!({"Guardrails": {"ErrorRate": 0.02}})).await;
    assert_eq!(started["Guardrails"], json!({"ErrorRate": 0.02, "Latency": []}));
    assert_eq!(started["Rules"]["WhenBlind"], "Hold");
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack", "{rollout:#}");
    let reason = rollout["StatusReason"].as_str().unwrap();
    assert!(reason.contains("guardrail broken, error rate at most 2 %"), "{reason}");
    let found = &rollout["Evidence"]["Guardrails"][0];
    assert_eq!(found["Broken"], true);
    assert!(found["LogE"].as_f64() >= found["Threshold"].as_f64(), "{found}");
    assert_eq!(found["CanaryRequests"], rollout["Evidence"]["Canary"]["Requests"]);
    assert_eq!(found["CanaryBeyond"], rollout["Evidence"]["Canary"]["Failures"]);
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_too_slow_is_rolled_back_though_the_base_is_too() {
    for (above_ms, status) in [(40, "RolledBack"), (90, "Promoted")] {
        let directory = tempfile::tempdir().unwrap();
        let bed = bed(&directory, GOOD).await;
        bed.pace(SAME);
        bed.start_stage("v2", p99(above_ms)).await;
        let rollout = bed.end("v2").await;
        assert_eq!(rollout["Status"], status, "{rollout:#}");
        let found = &rollout["Evidence"]["Guardrails"][0];
        assert_eq!(found["Guardrail"], format!("p99 at most {above_ms} ms"));
        let share = found["CanaryBeyond"].as_f64().unwrap() / found["CanaryRequests"].as_f64().unwrap();
        // Of the paces, 1/(1 + 2^4) are above twice the usual, and 1/(1 + 4.5^4) above 4.5 times that.
        let expected = 1.0 / (1.0 + (above_ms as f64 / 20.0).powi(4));
        assert!((share - expected).abs() < 0.01, "{found}");
        bed.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_measures_is_never_promoted() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    bed.start_stage("v2", p99(800)).await;
    let held =
        bed.until("v2", |rollout| rollout["StatusReason"].as_str().unwrap().contains("measured")).await;
    assert_eq!(held["StatusReason"], "held: 0 of 100 canary requests measured against p99 at most 800 ms");
    let rollout = bed.end("v2").await;
    assert_eq!((&rollout["Status"], &rollout["Percent"]), (&json!("Inconclusive"), &json!(0.0)));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn guardrails_outlast_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let first = bed(&directory, GOOD).await;
    first.pace(SAME);
    first.start_stage("v2", p99(90)).await;
    first.watching("v2", 10.0).await;
    let seen = first.get("v2").await["Evidence"]["Guardrails"][0]["CanaryRequests"].clone();
    first.close().await;
    let bed = Bed::open(directory.path(), began).await;
    bed.traffic(GOOD);
    bed.pace(Pace { base_ms: 200.0, canary_ms: 200.0, ..SAME });
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack", "{rollout:#}");
    assert!(rollout["Evidence"]["Guardrails"][0]["CanaryRequests"].as_u64() > seen.as_u64());
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_none_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    for (more, words) in [
        (json!({"Guardrails": {"ErrorRate": 0.6}}), "guardrails.error_rate is 0.6"),
        (
            json!({"Guardrails": {"Latency": [{"Quantile": 0.2, "AboveMs": 5}]}}),
            "guardrails.latency.quantile is 0.2",
        ),
        (json!({"Guardrails": {"Latency": [{"Quantile": 0.9}]}}), "ValidationException"),
        (json!({"Rules": {"WhenBlind": "Promote"}}), "ValidationException"),
    ] {
        let input = json!({
            "Name": "v2",
            "Target": {"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}},
            "Canary": {"DeploymentId": "d2"},
        });
        let refused = bed.run("StartRollout", super::bed::with(input, more.clone())).await.unwrap_err();
        assert!(refused.contains(words), "{more}: {refused}");
    }
    bed.close().await;
}
