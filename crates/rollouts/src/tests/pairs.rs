//! Requests that both arms answer.

use pitbird_names::VersionId;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{Bed, Traffic};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
const MIRROR: &str = "pitbird:canary-mirror";

fn pairs(requests: u64, canary_alone: u64, base_alone: u64) -> Json {
    json!({"Requests": requests, "CanaryAlone": canary_alone, "BaseAlone": base_alone})
}

/// The stage mirrors while the rollout runs, and what both arms answered is told, once, also after a restart; then the stage's own
/// tag is there again, however it ends.
#[tokio::test(start_paused = true)]
async fn a_stage_mirrors_while_it_runs_and_pairs_are_told() {
    for (own, canary_failures, status) in
        [(None, 0.0, "Promoted"), (Some("5"), 0.0, "Promoted"), (Some("5"), 0.5, "RolledBack")]
    {
        let mirror = |bed: &Bed| bed.stage().tags.get(MIRROR).cloned();
        let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let bed = Bed::open(directory.path(), began).await;
        let own = own.map(str::to_owned);
        let tag = own.clone();
        bed.edit_stage(move |stage| stage.tags.extend(tag.map(|tag| (MIRROR.to_owned(), tag)))).await;
        bed.traffic(GOOD);
        let rollout = bed.start_stage("v2", json!({"Mirror": 12.5})).await;
        assert_eq!((&rollout["Mirror"], &rollout["Evidence"]["Pairs"]), (&json!(12.5), &pairs(0, 0, 0)));
        bed.until("v2", |rollout| rollout["Percent"] == 10.0).await;
        assert_eq!(mirror(&bed).as_deref(), Some("12.5"));
        // What both answer counts once the shift is live, which is after it is written down.
        bed.until("v2", |rollout| rollout["Evidence"]["Canary"]["Requests"].as_u64() > Some(0)).await;
        bed.pair(40, false, false);
        bed.pair(2, false, true);
        bed.pair(3, true, false);
        bed.until("v2", |rollout| rollout["Evidence"]["Pairs"] == pairs(45, 2, 3)).await;
        let again = bed.start_stage("v2", json!({"Mirror": 12.5})).await;
        assert_eq!(again["StartedAt"], rollout["StartedAt"], "the same words are the same rollout");
        bed.close().await;

        let bed = Bed::open(directory.path(), began).await;
        bed.traffic(Traffic { canary_failures, ..GOOD });
        let told = bed.settled("v2", |rollout| rollout["Evidence"]["Pairs"] != pairs(0, 0, 0)).await;
        assert_eq!(told["Evidence"]["Pairs"], pairs(45, 2, 3), "counted before the restart");
        let ended = bed.end("v2").await;
        assert_eq!(ended["Status"], status, "{}", ended["StatusReason"]);
        assert_eq!((mirror(&bed), bed.stage().canary), (own, None));
        let answer = bed.ok("GetRollout", json!({"Name": "v2", "MaxRecords": 1000})).await;
        let records = answer["Records"].as_array().unwrap();
        let told = |name: &str| records.iter().map(|record| record[name].as_u64().unwrap()).sum::<u64>();
        assert_eq!((told("Pairs"), told("PairsCanaryAlone"), told("PairsBaseAlone")), (45, 2, 3));
        bed.close().await;
    }
}

/// A rollout that asks for none is given none.
#[tokio::test(start_paused = true)]
async fn pairs_are_evidence_only_where_a_rollout_asks_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.edit_stage(|stage| drop(stage.tags.insert(MIRROR.into(), "100".into()))).await;
    bed.traffic(GOOD);
    bed.start_stage("v2", json!({})).await;
    bed.until("v2", |rollout| rollout["Evidence"]["Canary"]["Requests"].as_u64() > Some(0)).await;
    bed.pair(100, false, true);
    let ended = bed.end("v2").await;
    assert_eq!((&ended["Status"], &ended["Evidence"]["Pairs"]), (&json!("Promoted"), &Json::Null));
    assert_eq!(bed.stage().tags.get(MIRROR).map(String::as_str), Some("100"));
    bed.close().await;
}

/// Without any traffic both arms are asked in turn, from the canary's first share to the end, through a pause and a restart.
#[tokio::test(start_paused = true)]
async fn probes_are_sent_to_both_arms_while_the_canary_is_on_the_stage() {
    let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let bed = Bed::open(directory.path(), began).await;
    let probes = json!({"PerSecond": 10.0, "Requests": [
        {"Method": "GET", "Path": "/pets"},
        {"Method": "POST", "Path": "/fails?q=1", "Headers": {"x-a": "b"}, "Body": "{}"},
        {"Method": "GET", "Path": "/refused"},
    ]});
    let order = json!({"Probes": probes, "Steps": [{"Percent": 10, "WaitMs": 300_000}, {"Percent": 100, "WaitMs": 0}]});
    let started = bed.start_stage("v2", order.clone()).await;
    assert_eq!(started["Probes"], probes);
    let more_than =
        |count: u64| move |rollout: &Json| rollout["Evidence"]["Pairs"]["Requests"].as_u64() > Some(count);
    let told = bed.until("v2", more_than(20)).await;
    assert_eq!(told["Evidence"]["Pairs"]["CanaryAlone"], 0);
    let sent = bed.probes.lock().unwrap().clone();
    let asked = |path: &str, is_canary: bool| {
        let of = sent.iter().filter(|call| call.request.path == path && call.is_canary == is_canary);
        assert!(of.clone().all(|call| call.deployment == if is_canary { "d2" } else { "d1" }));
        of.count()
    };
    let (first, second) = (asked("/pets", false), asked("/fails?q=1", false));
    assert!(first.abs_diff(second) <= 1, "in turn: {first} and {second}");
    assert!(asked("/pets", true).abs_diff(first) <= 1 && first > 9);
    let refused = asked("/refused", true) + asked("/refused", false);
    assert!(refused.abs_diff(first) <= 1, "nobody else is asked where the first was refused: {refused}");
    let post = sent.iter().find(|call| call.request.path == "/fails?q=1").unwrap();
    assert_eq!((post.request.method.as_str(), post.request.body.as_deref()), ("POST", Some("{}")));
    assert_eq!(post.request.headers, [("x-a".to_owned(), "b".to_owned())].into());

    bed.ok("PauseRollout", json!({"Name": "v2"})).await;
    bed.until("v2", more_than(40)).await;
    let again = bed.start_stage("v2", order).await;
    assert_eq!(again["StartedAt"], started["StartedAt"], "the same words are the same rollout");
    bed.close().await;

    let bed = Bed::open(directory.path(), began).await;
    let before = bed.get("v2").await["Evidence"]["Pairs"]["Requests"].as_u64().unwrap();
    bed.until("v2", more_than(before + 20)).await;
    bed.ok("AbortRollout", json!({"Name": "v2"})).await;
    bed.end("v2").await;
    bed.uncounted().await;
    let sent = bed.probes.lock().unwrap().len();
    // That nothing comes is no event. The clock is the test's own: it jumps there at once.
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(bed.probes.lock().unwrap().len(), sent, "nobody is asked after the end");
    bed.close().await;
}

/// An alias' versions are asked by their numbers, the same way. A version that fails alone is rolled back by that, without any traffic.
#[tokio::test(start_paused = true)]
async fn an_alias_versions_are_asked_by_their_numbers() {
    for (payload, status) in [(r#"{"id": 1}"#, "Promoted"), (r#""fails on 2""#, "RolledBack")] {
        let directory = tempfile::tempdir().unwrap();
        let bed = Bed::open(directory.path(), Instant::now()).await;
        let probes =
            json!({"PerSecond": 20.0, "Requests": [{"Payload": payload}, {"Payload": r#""refused""#}]});
        let more = json!({
            "Probes": probes, "Rules": {"Margin": 0.1, "CanaryRequestsMin": 1},
            "Steps": [{"Percent": 50, "WaitMs": 1_000}, {"Percent": 95, "WaitMs": 1_000}],
        });
        let started = bed.start_alias_with("f2", more).await;
        assert_eq!(started["Probes"], probes);
        let ended = bed.end("f2").await;
        assert_eq!(ended["Status"], status, "{}", ended["StatusReason"]);
        let pairs = &ended["Evidence"]["Pairs"];
        assert!(pairs["Requests"].as_u64() > Some(0), "{pairs}");
        let alone = if status == "Promoted" { &json!(0) } else { &pairs["Requests"] };
        assert_eq!((&pairs["CanaryAlone"], &pairs["BaseAlone"]), (alone, &json!(0)));
        let sent = bed.events.lock().unwrap().clone();
        let asked = |payload: &str, version| {
            let of = sent.iter().filter(|call| call.payload == payload && call.version == version);
            assert!(of.clone().all(|call| call.function == "pets"));
            of.count()
        };
        let [base, canary] = [1, 2].map(VersionId::Number);
        assert!(asked(payload, base).abs_diff(asked(payload, canary)) <= 1 && asked(payload, base) > 3);
        let refused = asked(r#""refused""#, base) + asked(r#""refused""#, canary);
        assert!(refused.abs_diff(asked(payload, base)) <= 1, "the other isn't asked: {refused}");
        assert_eq!(bed.probes.lock().unwrap().len(), 0);
        bed.close().await;
    }
}
