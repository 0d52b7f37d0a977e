//! What callers see of rollouts.

use pitbird_rollout::{Plan, Record, replay};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{API, Bed, Traffic};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };

#[tokio::test(start_paused = true)]
async fn records_come_in_pages_and_make_a_replay() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.start_stage("v2", json!({})).await;
    let ended = bed.end("v2").await;
    let count = ended["RecordCount"].as_u64().unwrap();
    let numbers = |rollout: &Json| -> Vec<u64> {
        rollout["Records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["Number"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(numbers(&ended), (count - 19..=count).collect::<Vec<_>>(), "the newest when nothing is said");
    let (mut after, mut documents, mut plan) = (0, Vec::new(), Json::Null);
    while after < count {
        let input = json!({"Name": "v2", "RecordsAfter": after, "MaxRecords": 7, "WithDocuments": true});
        let page = bed.ok("GetRollout", input).await;
        let found = numbers(&page);
        assert!(found.len() <= 7 && found[0] == after + 1, "{found:?}");
        after = *found.last().unwrap();
        plan = page["Plan"].clone();
        documents.extend(page["Records"].as_array().unwrap().iter().map(|record| record["Document"].clone()));
    }
    let plan: Plan = serde_json::from_str(plan.as_str().unwrap()).unwrap();
    let records: Vec<Record> =
        documents.iter().map(|document| serde_json::from_str(document.as_str().unwrap()).unwrap()).collect();
    assert_eq!(replay(&plan, &records).unwrap(), bed.rollout("v2").state);
    let none = bed.ok("GetRollout", json!({"Name": "v2", "MaxRecords": 0})).await;
    assert_eq!((numbers(&none), none.get("Plan")), (vec![], None));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_running_rollout_shows_where_it_stands() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(Traffic { base_failures: 0.01, canary_failures: 0.01, ..GOOD });
    bed.start_stage("v2", json!({})).await;
    let rollout =
        bed.until("v2", |rollout| rollout["Evidence"]["Base"]["Requests"].as_u64() >= Some(810)).await;
    let evidence = &rollout["Evidence"];
    assert_eq!((&evidence["Verdict"], &rollout["StepIndex"]), (&json!("Unknown"), &json!(0)));
    let share =
        evidence["Canary"]["Requests"].as_f64().unwrap() / evidence["Base"]["Requests"].as_f64().unwrap();
    assert!((share - 1.0 / 9.0).abs() < 0.01, "{evidence}");
    assert!(evidence["LogEWorse"].as_f64() < evidence["ThresholdWorse"].as_f64());
    assert!(evidence["HarmUpper"].as_f64() > evidence["Margin"].as_f64());
    assert_eq!(rollout["WaitUntil"].as_f64().unwrap() - rollout["PhaseStartedAt"].as_f64().unwrap(), 5.0);
    assert_eq!(rollout["Shifts"][0]["Change"], "Shift");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_and_by_status() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.start_stage("c", json!({})).await;
    bed.end("c").await;
    bed.start_stage("a", json!({"Canary": {"DeploymentId": "d3"}})).await;
    bed.start_alias("b").await;
    let names = |answer: &Json| -> String {
        answer["Rollouts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rollout| rollout["Name"].as_str().unwrap())
            .collect()
    };
    let first = bed.run("ListRollouts", json!({"MaxResults": 2})).await.unwrap();
    assert_eq!(names(&first), "ab");
    let next = json!({"MaxResults": 2, "NextToken": first["NextToken"]});
    let second = bed.run("ListRollouts", next).await.unwrap();
    assert_eq!((names(&second).as_str(), second.get("NextToken").is_none_or(Json::is_null)), ("c", true));
    let running = bed.run("ListRollouts", json!({"Status": "InProgress"})).await.unwrap();
    assert_eq!(names(&running), "ab");
    let wrong = bed.run("ListRollouts", json!({"Status": "Flying"})).await.unwrap_err();
    assert!(wrong.starts_with("ValidationException"), "{wrong}");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_look_may_come_five_times_a_second() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(Traffic { canary_failures: 1.0, ..GOOD });
    let input = json!({
        "Name": "v2",
        "Target": {"RestStage": {"RestApiId": API, "StageName": "prod"}},
        "Canary": {"DeploymentId": "d2"},
        "Rules": {"IntervalMs": 200},
    });
    bed.ok("StartRollout", input).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack");
    let took_s = rollout["EndedAt"].as_f64().unwrap() - rollout["StartedAt"].as_f64().unwrap();
    assert!((0.15..0.45).contains(&took_s), "{took_s}");
    bed.close().await;
}

/// Who asks for the canary by a header costs as much as others, also where nobody else comes.
#[tokio::test(start_paused = true)]
async fn what_is_no_evidence_is_used_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.start_stage("v2", json!({})).await;
    let watching = bed.until("v2", |rollout| rollout["Phase"] == "Watching").await;
    assert_eq!(watching["CanaryUsage"]["Requests"], 0);
    let mut records = Vec::new();
    for all in [5, 10, 15] {
        bed.force(5);
        let now = bed.until("v2", |rollout| rollout["CanaryUsage"]["Requests"] == all).await;
        assert_eq!(now["Evidence"]["Canary"]["Requests"], 0);
        records.push(now["RecordCount"].clone());
    }
    assert!(records.iter().all(|count| *count == records[0]), "there is nothing to tell: {records:?}");
    bed.close().await;
}

/// A rollout's record as an earlier release wrote it has no canary's use.
#[tokio::test(start_paused = true)]
async fn the_canarys_use_is_told_with_its_cost_and_old_records_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.start_stage("v2", json!({})).await;
    let ended = bed.end("v2").await;
    let usage = &ended["CanaryUsage"];
    let requests = usage["Requests"].as_u64().unwrap();
    let seen = ended["Evidence"]["Canary"]["Requests"].as_u64().unwrap();
    assert!(requests >= seen && seen > 100, "{requests} used, {seen} seen");
    assert_eq!(usage["FunctionRequests"], requests);
    assert_eq!(usage["GigabyteSeconds"], json!(requests as f64 * 0.01));
    assert_eq!(usage["BytesOut"], requests * 100);
    let nano = |per: u128, parts: u128| (u128::from(requests) * per + parts / 2) / parts;
    // Of requests, of duration (10 GB-ms each), of functions' requests, of data.
    let cost = nano(3500, 1) + nano(166_667, 1000) + nano(200, 1) + nano(100 * 90_000_000, 1 << 30);
    let told: f64 = usage["EstimatedCost"].as_str().unwrap().parse().unwrap();
    assert_eq!((told * 1e9).round() as u128, cost);
    let mut old = serde_json::to_value(bed.rollout("v2")).unwrap();
    old.as_object_mut().unwrap().remove("canary_use").unwrap();
    let read: crate::Rollout = serde_json::from_value(old).unwrap();
    assert_eq!(read.canary_use, Default::default());
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_and_signed() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(Traffic { per_second: 300.0, ..Traffic::default() });
    let secret = "0123456789abcdef";
    let receivers = json!([{"Url": "http://127.0.0.1:9/hook", "Secret": secret}]);
    let started = bed.start_stage("v2", json!({"Notifications": receivers})).await;
    assert_eq!(started["Notifications"], json!([{"Url": "http://127.0.0.1:9/hook", "Signed": true}]));
    assert!(!started.to_string().contains(secret));
    bed.end("v2").await;
    let told = bed.told.clone();
    bed.close().await;
    let told = told.lock().unwrap();
    let bodies: Vec<serde_json::Value> =
        told.iter().map(|notice| serde_json::from_str(&notice.body).unwrap()).collect();
    let percents: Vec<_> = bodies.iter().map(|body| body["percent"].as_f64().unwrap()).collect();
    assert_eq!(percents, [10.0, 50.0, 100.0, 100.0], "{bodies:?}");
    let last = bodies.last().unwrap();
    assert_eq!(
        (&last["status"], &last["exit_code"], &last["rollout"]),
        (&json!("Promoted"), &json!(0), &json!("v2"))
    );
    assert!(bodies.is_sorted_by_key(|body| body["entry"].as_u64()), "{bodies:?}");
    assert!(told.iter().all(|notice| notice.signature.as_ref().is_some_and(|it| it.starts_with("sha256="))));
}

#[tokio::test(start_paused = true)]
async fn only_urls_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    for (receiver, words) in [
        (json!({"Url": "ftp://example"}), "no http or https URL"),
        (json!({"Url": "http://example", "Secret": "short"}), "ValidationException"),
    ] {
        let input = json!({
            "Name": "v3",
            "Target": {"LambdaAlias": {"FunctionName": "pets", "AliasName": "live"}},
            "Canary": {"FunctionVersion": "2"},
            "Notifications": [receiver],
        });
        let refused = bed.run("StartRollout", input).await.unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
    bed.close().await;
}
