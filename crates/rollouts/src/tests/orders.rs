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

#[tokio::test(start_paused = true)]
async fn who_ordered_what_and_why_is_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let began = bed.start_stage("v2", json!({"Reason": "ticket 7"})).await;
    bed.watching("v2", 10.0).await;
    bed.ok("PauseRollout", json!({"Name": "v2", "Reason": "lunch"})).await;
    bed.ok("ResumeRollout", json!({"Name": "v2"})).await;
    bed.ok("PromoteRollout", json!({"Name": "v2", "Reason": "security fix"})).await;
    let rollout = bed.end("v2").await;
    let orders = rollout["Orders"].as_array().unwrap();
    let told: Vec<_> =
        orders.iter().map(|order| (&order["Order"], &order["Reason"], &order["Obeyed"])).collect();
    let (yes, none) = (json!(true), json!(null));
    let words =
        ["Start", "Pause", "Resume", "Promote", "ticket 7", "lunch", "security fix"].map(|word| json!(word));
    let [start, pause, resume, promote, ticket, lunch, fix] = &words;
    assert_eq!(
        told,
        [(start, ticket, &yes), (pause, lunch, &yes), (resume, &none, &yes), (promote, fix, &yes)]
    );
    for order in orders {
        let who = (&order["By"], &order["AccessKeyId"], &order["Verified"]);
        assert_eq!(who, (&json!("arn:aws:iam::000000000000:root"), &json!("AKIATEST"), &json!(false)));
    }
    assert_eq!(orders[0]["At"], began["StartedAt"]);
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn of_many_orders_the_first_and_the_newest_are_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.start_stage("v2", json!({})).await;
    bed.watching("v2", 10.0).await;
    for number in 0..pitbird_records::rollout::ORDERS_MAX {
        bed.ok("PauseRollout", json!({"Name": "v2", "Reason": number.to_string()})).await;
    }
    let rollout = bed.ok("AbortRollout", json!({"Name": "v2"})).await;
    let orders = rollout["Orders"].as_array().unwrap();
    assert_eq!(orders.len(), pitbird_records::rollout::ORDERS_MAX);
    assert_eq!((&orders[0]["Order"], &orders[1]["Reason"]), (&json!("Start"), &json!("2")));
    assert_eq!(orders.last().unwrap()["Order"], "Abort");
    bed.end("v2").await;
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_target_has_a_history() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    for name in ["one", "two"] {
        bed.start_stage(name, json!({})).await;
        bed.watching(name, 10.0).await;
        bed.ok("AbortRollout", json!({"Name": name})).await;
        bed.end(name).await;
    }
    bed.start_alias("other").await;
    let names = async |input: serde_json::Value| {
        let answer = bed.run("ListRollouts", input).await?;
        let rollouts = answer["Rollouts"].as_array().unwrap().clone();
        Ok::<_, String>(
            rollouts.iter().map(|rollout| rollout["Name"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
        )
    };
    let stage = json!({"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}});
    let alias = json!({"LambdaAlias": {"FunctionName": "pets", "AliasName": "live"}});
    assert_eq!(names(json!({"Target": stage})).await.unwrap(), ["one", "two"]);
    assert_eq!(names(json!({"Target": stage, "Status": "Promoted"})).await.unwrap(), Vec::<String>::new());
    assert_eq!(names(json!({"Target": alias})).await.unwrap(), ["other"]);
    let refused = names(json!({"Target": {}})).await.unwrap_err();
    assert!(refused.contains("Target must be one of RestStage, LambdaAlias and LambdaAliases."), "{refused}");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_gate_is_opened_by_a_person_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let first = bed(&directory).await;
    let steps = json!([{"Percent": 10, "WaitMs": 5_000, "Gate": true}, {"Percent": 100, "WaitMs": 5_000}]);
    let started = first.start_stage("v2", json!({"Steps": steps})).await;
    assert_eq!((&started["Steps"][0]["Gate"], &started["Steps"][1]["Gate"]), (&json!(true), &json!(null)));
    assert_eq!(started["Rules"]["GateTimeoutMs"], 3_600_000);
    let waiting = first.until("v2", |rollout| rollout["GateUntil"].is_number()).await;
    assert_eq!(waiting["StatusReason"], "waiting at the gate of 10 % for somebody to resume it");
    first.close().await;
    let bed = Bed::open(directory.path(), began).await;
    bed.traffic(GOOD);
    let at_s = |rollout: &serde_json::Value| rollout["LookedAt"].as_f64().unwrap();
    let later = bed.until("v2", |rollout| at_s(rollout) > at_s(&waiting) + 1.0).await;
    assert_eq!((&later["GateUntil"], &later["Percent"]), (&waiting["GateUntil"], &json!(10.0)));
    let opened = bed.ok("ResumeRollout", json!({"Name": "v2", "Reason": "looks fine"})).await;
    assert_eq!((&opened["Percent"], &opened["GateUntil"]), (&json!(100.0), &json!(null)));
    assert_eq!(opened["Orders"][1]["Reason"], "looks fine");
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_nobody_opens_ends_on_the_base() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let steps = json!([{"Percent": 10, "WaitMs": 5_000, "Gate": true}, {"Percent": 100, "WaitMs": 5_000}]);
    let rules = json!({"GateTimeoutMs": 30_000, "MaxDurationMs": 600_000});
    bed.start_stage("v2", json!({"Steps": steps, "Rules": rules})).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["StatusReason"], "inconclusive: nobody opened the gate within 30 s");
    assert_eq!((&rollout["ExitCode"], bed.stage().canary), (&json!(12), None));
    bed.close().await;
}
