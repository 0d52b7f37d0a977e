//! What a rollout gives its target besides traffic is there before it is needed, and gone afterwards.

use std::sync::atomic::Ordering;

use pitbird_records::ProvisionedConcurrency;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{API, Bed, Crowd, Traffic};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
const FORCE: &str = "pitbird:canary-force";
const STICKY: &str = "pitbird:canary-sticky";

fn kept_ready(bed: &Bed) -> Vec<(String, u32)> {
    let all = bed.store.list::<ProvisionedConcurrency>("").unwrap().into_iter();
    all.map(|found| (found.record.qualifier, found.record.requested)).collect()
}

fn warm(environments: u32) -> Json {
    json!({"PreWarm": {"Environments": environments}})
}

#[tokio::test(start_paused = true)]
async fn nothing_moves_before_the_canarys_environments_are_ready() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    let started = bed.start_alias_with("v2", warm(3)).await;
    assert_eq!(started["PreWarm"]["Environments"], 3);
    assert_eq!(kept_ready(&bed), [("2".to_owned(), 3)]);
    bed.ready.store(2, Ordering::SeqCst);
    let words = "not started: pre-check pre-warmed has not passed yet";
    bed.until("v2", |rollout| rollout["StatusReason"] == words).await;
    bed.start_alias_with("v2", warm(3)).await;
    bed.ready.store(3, Ordering::SeqCst);
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    assert_eq!(kept_ready(&bed), [], "they are given back");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_cannot_start_gets_no_traffic() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.ready.store(u32::MAX, Ordering::SeqCst);
    bed.start_alias_with("v2", warm(1)).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["StatusReason"], "failed: pre-check pre-warmed failed");
    assert_eq!((&rollout["Shifts"], kept_ready(&bed)), (&json!([]), Vec::new()));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_keeps_ready_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    let own = ProvisionedConcurrency {
        scope: Default::default(),
        function: "pets".into(),
        qualifier: "live".into(),
        requested: 5,
        modified_ms: 0,
    };
    bed.store.write::<_, pitbird_store::Error>(move |tx| tx.put(&own)).await.unwrap();
    let input = json!({
        "Name": "v2", "Target": {"LambdaAlias": {"FunctionName": "pets", "AliasName": "live"}},
        "Canary": {"FunctionVersion": "2"}, "PreWarm": {"Environments": 1},
    });
    let refused = bed.run("StartRollout", input).await.unwrap_err();
    assert!(refused.contains("environments of pets:live are kept ready already"), "{refused}");
    assert_eq!(kept_ready(&bed), [("live".to_owned(), 5)]);
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn requests_may_choose_their_release_while_it_runs() {
    for (canary_failures, status) in [(0.0, "Promoted"), (0.5, "RolledBack")] {
        let directory = tempfile::tempdir().unwrap();
        let bed = Bed::open(directory.path(), Instant::now()).await;
        bed.traffic(Traffic { canary_failures, ..GOOD });
        bed.edit_stage(|stage| drop(stage.tags.insert("team".into(), "pets".into()))).await;
        let rollout = bed.start_stage("v2", json!({"Force": "header:X-Release"})).await;
        assert_eq!(rollout["Force"], "header:X-Release");
        bed.until("v2", |rollout| rollout["Percent"] == 10.0).await;
        assert_eq!(bed.stage().tags.get(FORCE).map(String::as_str), Some("header:X-Release"));
        assert_eq!(bed.end("v2").await["Status"], status);
        assert_eq!(bed.stage().tags, [("team".to_owned(), "pets".to_owned())].into());
        bed.close().await;
    }
}

/// The rollout keeps clients by a header; what its owner had the stage do is there again, however it ends, and a restart doesn't forget it.
#[tokio::test(start_paused = true)]
async fn clients_are_kept_while_it_runs_and_the_stages_own_tag_comes_back() {
    let sticky = |bed: &Bed| bed.stage().tags.get(STICKY).cloned();
    for (own, canary_failures, status) in [
        (None, 0.0, "Promoted"),
        (Some("source-address"), 0.0, "Promoted"),
        (Some("source-address"), 0.5, "RolledBack"),
    ] {
        let (directory, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let bed = Bed::open(directory.path(), began).await;
        let own = own.map(str::to_owned);
        let tag = own.clone();
        bed.edit_stage(move |stage| stage.tags.extend(tag.map(|tag| (STICKY.to_owned(), tag)))).await;
        bed.traffic(GOOD);
        let rollout = bed.start_stage("v2", json!({"Sticky": "header:X-User"})).await;
        assert_eq!(rollout["Sticky"], "header:X-User");
        let told = rollout["Deviations"].as_array().unwrap().last().unwrap().as_str().unwrap();
        assert!(
            told.starts_with("clients keep their release, and each one's first failure is compared"),
            "{told}"
        );
        bed.until("v2", |rollout| rollout["Percent"] == 10.0).await;
        assert_eq!(sticky(&bed).as_deref(), Some("header:X-User"));
        bed.close().await;

        let bed = Bed::open(directory.path(), began).await;
        bed.crowd(Crowd {
            clients: 300,
            fails: if canary_failures > 0.0 {
                |client, is_canary, _| is_canary && client % 2 == 0
            } else {
                |_, _, _| false
            },
        });
        assert_eq!(sticky(&bed).as_deref(), Some("header:X-User"), "there after a restart as well");
        let again = bed.start_stage("v2", json!({"Sticky": "header:X-User"})).await;
        assert_eq!(again["StartedAt"], rollout["StartedAt"], "the same words are the same rollout");
        assert_eq!(bed.end("v2").await["Status"], status);
        assert_eq!((sticky(&bed), bed.stage().canary), (own, None));
        bed.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_somebody_changed_meanwhile_is_left_to_him() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.edit_stage(|stage| drop(stage.tags.insert(STICKY.into(), "source-address".into()))).await;
    bed.traffic(GOOD);
    bed.start_stage("v2", json!({"Sticky": "header:X-User", "Steps": [{"Percent": 10, "WaitMs": 60_000}]}))
        .await;
    bed.until("v2", |rollout| rollout["Percent"] == 10.0).await;
    bed.edit_stage(|stage| drop(stage.tags.insert(STICKY.into(), "cookie:mine".into()))).await;
    bed.ok("AbortRollout", json!({"Name": "v2"})).await;
    assert_eq!(bed.end("v2").await["Status"], "Aborted");
    assert_eq!(bed.stage().tags.get(STICKY).map(String::as_str), Some("cookie:mine"));
    bed.close().await;
}

fn probes(more: Json) -> Json {
    json!({"Probes": super::bed::with(json!({"Requests": [{"Path": "/"}]}), more)})
}

#[tokio::test(start_paused = true)]
async fn what_the_target_cannot_be_given_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.edit_stage(|stage| drop(stage.tags.insert(FORCE.into(), "cookie:a".into()))).await;
    let stage = json!({"RestStage": {"RestApiId": API, "StageName": "prod"}});
    let alias = json!({"LambdaAlias": {"FunctionName": "pets", "AliasName": "live"}});
    let (deployment, version) = (json!({"DeploymentId": "d2"}), json!({"FunctionVersion": "2"}));
    let aliases = json!({"LambdaAliases": [{"FunctionName": "pets", "AliasName": "live"}]});
    let versions = json!({"FunctionVersions": {"pets": "2"}});
    for (target, canary, more, words) in [
        (&stage, &deployment, warm(1), "PreWarm goes with Target.LambdaAlias and Target.LambdaAliases only."),
        (&alias, &version, json!({"Force": "header:a"}), "Force goes with Target.RestStage only."),
        (&stage, &deployment, json!({"Force": "header:a"}), "has the tag pitbird:canary-force already"),
        (&stage, &deployment, json!({"Force": "header:a b"}), "Force: must be header:NAME or cookie:NAME."),
        (&stage, &deployment, json!({"Force": "query:a"}), "ValidationException"),
        (&alias, &version, json!({"Sticky": "header:a"}), "Sticky goes with Target.RestStage only."),
        (&stage, &deployment, json!({"Sticky": "header:a b"}), "Sticky: must be header:NAME, cookie:NAME or"),
        (&stage, &deployment, json!({"Sticky": "principal"}), "ValidationException"),
        (&alias, &version, json!({"Mirror": 10}), "Mirror goes with Target.RestStage only."),
        (&stage, &deployment, json!({"Mirror": 0}), "Mirror: must be more than 0 and at most 100"),
        (&stage, &deployment, json!({"Mirror": 101}), "ValidationException"),
        (
            &aliases,
            &versions,
            probes(json!({})),
            "Probes goes with Target.RestStage and Target.LambdaAlias only.",
        ),
        (&alias, &version, probes(json!({})), "Probes.Requests: Path goes with Target.RestStage only."),
        (
            &alias,
            &version,
            probes(json!({"Requests": [{"Payload": "{}", "Headers": {}}]})),
            "Probes.Requests: Headers goes with Target.RestStage only.",
        ),
        (
            &alias,
            &version,
            probes(json!({"Requests": [{"Payload": "1"}, {}]})),
            "Probes.Requests: each needs a Payload.",
        ),
        (
            &alias,
            &version,
            probes(json!({"Requests": [{"Payload": "{"}]})),
            "Probes.Requests: Payload must be JSON.",
        ),
        (
            &stage,
            &deployment,
            probes(json!({"Requests": [{"Path": "/", "Payload": "{}"}]})),
            "Probes.Requests: Payload goes with Target.LambdaAlias only.",
        ),
        (
            &stage,
            &deployment,
            probes(json!({"Requests": [{"Method": "GET"}]})),
            "Probes.Requests: each needs a Path.",
        ),
        (
            &stage,
            &deployment,
            probes(json!({"PerSecond": 0})),
            "Probes.PerSecond: must be more than 0 and at most 20.",
        ),
        (
            &stage,
            &deployment,
            probes(json!({"PerSecond": 21})),
            "Probes.PerSecond: must be more than 0 and at most 20.",
        ),
        (&stage, &deployment, probes(json!({"Requests": []})), "ValidationException"),
        (&stage, &deployment, probes(json!({"Requests": [{"Path": "pets"}]})), "ValidationException"),
        (
            &stage,
            &deployment,
            probes(json!({"Requests": [{"Path": "/", "Method": "CONNECT"}]})),
            "ValidationException",
        ),
        (&alias, &version, warm(0), "ValidationException"),
    ] {
        let input = json!({"Name": "v2", "Target": target, "Canary": canary});
        let refused = bed.run("StartRollout", super::bed::with(input, more)).await.unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
    bed.close().await;
}
