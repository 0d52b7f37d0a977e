//! Where clients keep their release, the first failure of each is compared.

use pitbird_rollout::plan::Judged;
use pitbird_store::Transaction;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{API, Bed, Crowd, at};
use crate::Rollout;

const STICKY: &str = "pitbird:canary-sticky";
/// The first client fails always, on either release; by its draw it is the canary's from the beginning.
const ONE: Crowd = Crowd { clients: 100, fails: |client, _, _| client == 0 };
/// One client of ten fails, and only on the canary.
const MANY: Crowd = Crowd { clients: 1_000, fails: |client, is_canary, _| is_canary && client % 10 == 0 };

fn lax(more: Json) -> Json {
    super::bed::with(json!({"Rules": {"Margin": 0.3, "MaxDurationMs": 600_000, "IntervalMs": 1_000}}), more)
}

async fn bed(directory: &tempfile::TempDir, began: Instant, crowd: Crowd) -> Bed {
    let bed = Bed::open(directory.path(), began).await;
    bed.crowd(crowd);
    bed
}

/// Ten of a hundred clients are on the canary, so one that always fails makes a tenth of its requests fail: by requests that
/// convicts within seconds. Nor are the few clients' many requests taken for a broken split.
#[tokio::test(start_paused = true)]
async fn one_client_that_always_fails_rolls_back_nothing() {
    for (more, status) in [
        (json!({}), "RolledBack"),
        (json!({"Sticky": "header:X-User"}), "Promoted"),
        (json!({"Sticky": "header:X-User", "Routes": ["*"]}), "Promoted"),
    ] {
        let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let bed = bed(&directory, began, ONE).await;
        bed.start_stage("v2", lax(more.clone())).await;
        let rollout = bed.end("v2").await;
        assert_eq!(rollout["Status"], status, "{more}: {}", rollout["StatusReason"]);
        let canary = &rollout["Evidence"]["Canary"];
        assert!(canary["Failures"].as_u64() >= Some(5), "{canary}");
        if status == "Promoted" {
            assert_eq!(
                (&canary["FirstFailures"], &rollout["Evidence"]["Base"]["FirstFailures"]),
                (&json!(1), &json!(0))
            );
            assert!(rollout["Evidence"]["LogEWorse"].as_f64().unwrap() > 0.5, "it is evidence all the same");
        }
        bed.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_clients_that_fail_roll_back() {
    for more in [json!({"Sticky": "cookie:user"}), json!({"Sticky": "cookie:user", "Routes": ["*"]})] {
        let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let bed = bed(&directory, began, MANY).await;
        bed.start_stage("v2", lax(more)).await;
        let rollout = bed.end("v2").await;
        assert_eq!((&rollout["Status"], &rollout["Percent"]), (&json!("RolledBack"), &json!(0.0)));
        let reason = rollout["StatusReason"].as_str().unwrap();
        assert!(
            reason.contains("clients failed for the first time") || reason.contains("worse on GET /pets"),
            "{reason}"
        );
        assert!(rollout["Evidence"]["Canary"]["FirstFailures"].as_u64() >= Some(2), "{rollout:#}");
        bed.close().await;
    }
}

/// Each server forgets who has failed; the client that always fails is counted once by each, and never twice by one comparison.
#[tokio::test(start_paused = true)]
async fn a_client_that_fails_again_after_each_restart_rolls_back_nothing() {
    let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let opened = bed(&directory, began, ONE).await;
    let order = lax(json!({
        "Sticky": "header:X-User", "Routes": ["*"],
        "Steps": [{"Percent": 10, "WaitMs": 400_000}, {"Percent": 100, "WaitMs": 0}],
    }));
    opened.start_stage("v2", order).await;
    opened.close().await;
    let firsts = |rollout: &Json| rollout["Evidence"]["Canary"]["FirstFailures"].as_u64();
    for server in 1..=12 {
        let opened = bed(&directory, began, ONE).await;
        let rollout = opened.until("v2", |rollout| firsts(rollout) == Some(server)).await;
        assert!(rollout["Evidence"]["LogEWorse"].as_f64().unwrap() < 3.0, "{:#}", rollout["Evidence"]);
        opened.close().await;
    }
    let opened = bed(&directory, began, MANY).await;
    let rollout = opened.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack", "{}", rollout["StatusReason"]);
    opened.close().await;
}

/// Everybody has failed once on a bad day; a canary that goes bad half an hour later is found when that is forgotten.
#[tokio::test(start_paused = true)]
async fn after_an_hour_clients_who_have_failed_may_fail_for_the_first_time() {
    let crowd =
        Crowd { clients: 200, fails: |_, is_canary, second| second < 120 || is_canary && second > 1_800 };
    let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let bed = bed(&directory, began, crowd).await;
    let steps = json!([{"Percent": 10, "WaitMs": 20_000_000}, {"Percent": 100, "WaitMs": 0}]);
    let rules = json!({"Margin": 0.3, "MaxDurationMs": 21_000_000, "IntervalMs": 30_000});
    let order = json!({"Sticky": "header:X-User", "Steps": steps, "Rules": rules});
    let started = bed.start_stage("v2", order).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack", "{}", rollout["StatusReason"]);
    let took_s = rollout["EndedAt"].as_f64().unwrap() - started["StartedAt"].as_f64().unwrap();
    assert!((3_600.0..4_200.0).contains(&took_s), "{took_s}");
    bed.close().await;
}

/// A stage that keeps clients by its owner's wish does so under a rollout as well.
#[tokio::test(start_paused = true)]
async fn a_stage_s_own_tag_counts_too() {
    let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let bed = bed(&directory, began, ONE).await;
    bed.edit_stage(|stage| drop(stage.tags.insert(STICKY.into(), "source-address".into()))).await;
    bed.start_stage("v2", lax(json!({}))).await;
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    bed.close().await;
}

/// A rollout that was begun before first failures were counted goes on counting requests, says so, and is known by the same words.
#[tokio::test(start_paused = true)]
async fn what_was_begun_by_requests_ends_by_them() {
    let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let mut before = bed(&directory, began, ONE).await;
    let order = |more| lax(super::bed::with(json!({"Steps": [{"Percent": 10, "WaitMs": 60_000}]}), more));
    let started = before.start_stage("v2", order(json!({}))).await;
    before.stop().await;
    let keep = |tx: &mut Transaction<'_>| {
        let mut rollout = tx.get::<Rollout>(&at(&["v2"]))?.expect("a rollout").record;
        assert_eq!(rollout.plan.judged(), &Judged::default());
        let text = serde_json::to_string(&rollout.state).unwrap();
        assert!(
            ["firsts", "settled", "is_by_user"].iter().all(|word| !text.contains(word)),
            "as it was: {text}"
        );
        let pitbird_records::rollout::Target::RestStage(target) = &mut rollout.target else {
            panic!("a stage")
        };
        assert_eq!(target.api_id, API);
        target.sticky = Some("header:X-User".to_owned());
        tx.put(&rollout)
    };
    before.store.write::<_, pitbird_store::Error>(keep).await.expect("written");
    drop(before);
    let bed = bed(&directory, began, ONE).await;
    let again = bed.start_stage("v2", order(json!({"Sticky": "header:X-User"}))).await;
    assert_eq!(again["StartedAt"], started["StartedAt"]);
    let told = again["Deviations"].as_array().unwrap().last().unwrap().as_str().unwrap();
    assert!(told.starts_with("clients keep their release and requests are counted"), "{told}");
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack");
    assert_eq!(rollout["Evidence"]["Canary"].get("FirstFailures"), None);
    bed.close().await;
}
