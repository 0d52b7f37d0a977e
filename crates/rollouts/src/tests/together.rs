//! Several functions of one API that are moved together.

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{Bed, Pace, Traffic, steps, with};
use pitbird_records::{ProvisionedConcurrency, RolloutClaim};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
const BAD: Traffic = Traffic { canary_failures: 0.5, ..GOOD };

async fn bed(directory: &tempfile::TempDir, toys: Traffic) -> Bed {
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.traffic_of("toys", toys, None);
    bed
}

fn input(name: &str, more: Json) -> Json {
    let input = json!({
        "Name": name,
        "Target": {"LambdaAliases": [
            {"FunctionName": "toys", "AliasName": "live"},
            {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:pets", "AliasName": "live"},
        ]},
        "Canary": {"FunctionVersions": {"pets": "2", "toys": "7"}},
        "Steps": steps(),
        "Rules": {"MaxDurationMs": 600_000},
    });
    with(input, more)
}

/// What the aliases name, and to whom they give which share.
fn routing(bed: &Bed) -> Vec<(String, Option<(String, f64)>)> {
    let of = |function| {
        let alias = bed.alias_of(function);
        let share = alias.additional.map(|other| (other.version.to_string(), other.weight.get()));
        (alias.version.to_string(), share)
    };
    ["pets", "toys"].map(of).into()
}

fn alone(pets: u64, toys: u64) -> Vec<(String, Option<(String, f64)>)> {
    vec![(pets.to_string(), None), (toys.to_string(), None)]
}

fn claims(bed: &Bed) -> usize {
    bed.store.list::<RolloutClaim>("").unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn good_ones_are_promoted_at_the_same_moment() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    let started = bed.ok("StartRollout", input("v2", json!({}))).await;
    let aliases = json!([
        {"FunctionName": "pets", "AliasName": "live"}, {"FunctionName": "toys", "AliasName": "live"},
    ]);
    assert_eq!(started["Target"], json!({"LambdaAliases": aliases}), "by their names");
    assert_eq!(started["Canary"], json!({"FunctionVersions": {"pets": "2", "toys": "7"}}));
    assert_eq!(started["Base"], json!({"FunctionVersions": {"pets": "1", "toys": "6"}}));
    assert_eq!(started["Routes"], json!(["pets", "toys"]), "each is watched apart");
    bed.watching("v2", 10.0).await;
    let shares =
        [("1".to_owned(), Some(("2".to_owned(), 0.1))), ("6".to_owned(), Some(("7".to_owned(), 0.1)))];
    assert_eq!((routing(&bed), claims(&bed)), (shares.into(), 2));
    let (again, other) = (input("v2", json!({})), input("other", json!({})));
    bed.ok("StartRollout", again).await;
    let refused = bed.run("StartRollout", other).await.unwrap_err();
    assert!(refused.contains("v2"), "{refused}");
    for (target, found) in [("pets", 1), ("toys", 1), ("others", 0)] {
        let target = json!({"LambdaAlias": {"FunctionName": target, "AliasName": "live"}});
        let listed = bed.run("ListRollouts", json!({"Target": target})).await.unwrap();
        assert_eq!(listed["Rollouts"].as_array().unwrap().len(), found, "{target}");
    }
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "Promoted", "{rollout:#}");
    assert_eq!((routing(&bed), claims(&bed)), (alone(2, 7), 0));
    let seen = rollout["Evidence"]["Canary"]["Requests"].as_u64().unwrap();
    let used = rollout["CanaryUsage"]["FunctionRequests"].as_u64().unwrap();
    assert!(seen > 1_000 && used >= seen, "of both: {seen}, {used}");
    bed.check_replay("v2");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn one_bad_one_takes_all_back() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, BAD).await;
    bed.ok("StartRollout", input("v2", json!({}))).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack", "{rollout:#}");
    assert_eq!((routing(&bed), claims(&bed)), (alone(1, 6), 0));
    bed.check_replay("v2");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_one_with_little_traffic_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    bed.traffic(Traffic { base_failures: 0.01, canary_failures: 0.01, ..GOOD });
    let pace = Pace { base_ms: 20.0, canary_ms: 20.0, is_route_dead: false };
    let dead = Pace { is_route_dead: true, ..pace };
    bed.pace(pace);
    bed.traffic_of("toys", Traffic { per_second: 30.0, canary_failures: 0.1, ..GOOD }, Some(dead));
    let steps = json!([{"Percent": 10, "WaitMs": 120_000}, {"Percent": 100, "WaitMs": 5_000}]);
    bed.ok("StartRollout", input("v2", json!({"Steps": steps}))).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack", "{rollout:#}");
    let reason = rollout["StatusReason"].as_str().unwrap();
    assert!(reason.contains("toys") && !reason.contains("pets"), "{reason}");
    bed.check_replay("v2");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn one_alone_is_a_route_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    let pace = Pace { base_ms: 20.0, canary_ms: 20.0, is_route_dead: false };
    bed.traffic_of("toys", GOOD, Some(pace));
    let alone = json!({
        "Target": {"LambdaAliases": [{"FunctionName": "toys", "AliasName": "live"}]},
        "Canary": {"FunctionVersions": {"toys": "7"}},
    });
    bed.ok("StartRollout", input("v2", alone)).await;
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    let seen = bed
        .entries("v2")
        .into_iter()
        .filter(|entry| format!("{:?}", entry.record.input).contains("ObservedRoute"));
    assert!(seen.count() > 0, "its requests are told of as a route's");
    assert_eq!(routing(&bed), self::alone(1, 7));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_else_changed_stays_and_the_others_go_back() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    bed.ok("StartRollout", input("v2", json!({}))).await;
    bed.watching("v2", 10.0).await;
    bed.edit_alias_of("toys", |alias| alias.additional = None).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "Aborted", "{rollout:#}");
    let reason = rollout["StatusReason"].as_str().unwrap();
    assert!(reason.contains("the routing of alias live was removed (function toys)"), "{reason}");
    assert_eq!((routing(&bed), claims(&bed)), (alone(1, 6), 0), "toys as somebody else left it");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_between_two_steps_loses_none_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let bed = bed(&directory, GOOD).await;
    bed.ok("StartRollout", input("v2", json!({}))).await;
    bed.watching("v2", 50.0).await;
    bed.close().await;
    let bed = Bed::open(directory.path(), began).await;
    bed.traffic(GOOD);
    bed.traffic_of("toys", GOOD, None);
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    assert_eq!((routing(&bed), claims(&bed)), (alone(2, 7), 0));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn environments_of_each_are_ready_beforehand() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    bed.ok("StartRollout", input("v2", json!({"PreWarm": {"Environments": 3}}))).await;
    let kept = || {
        let all = bed.store.list::<ProvisionedConcurrency>("").unwrap().into_iter();
        all.map(|found| (found.record.function, found.record.requested)).collect::<Vec<_>>()
    };
    assert_eq!(kept(), [("pets".to_owned(), 3), ("toys".to_owned(), 3)]);
    bed.ready.store(3, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    assert_eq!(kept(), [], "they are given back");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_together_is_refused_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory, GOOD).await;
    let before = routing(&bed);
    let pets = json!({"FunctionName": "pets", "AliasName": "live"});
    let toys = json!({"FunctionName": "toys", "AliasName": "live"});
    let cases = [
        (json!({"Canary": {"FunctionVersions": {"pets": "2"}}}), "says no version of toys"),
        (
            json!({"Canary": {"FunctionVersions": {"pets": "2", "toys": "7", "x": "1"}}}),
            "FunctionVersions.x: Target",
        ),
        (json!({"Canary": {"FunctionVersions": {"pets": "2", "toys": "8"}}}), "toys"),
        (json!({"Canary": {"FunctionVersions": {"pets": "2", "toys": "6"}}}), "nothing to roll out"),
        (
            json!({"Canary": {"FunctionVersion": "2"}}),
            "Canary.FunctionVersion goes with Target.LambdaAlias only",
        ),
        (json!({"Canary": {"DeploymentId": "d2"}}), "Canary.DeploymentId goes with Target.RestStage only"),
        (json!({"Force": "header:x"}), "Force goes with"),
        (json!({"Routes": ["GET /pets"]}), "Routes goes with"),
        (json!({"Target": {"LambdaAliases": [pets, pets]}}), "named twice"),
        (json!({"Target": {"LambdaAliases": [pets]}}), "doesn't name it"),
        (json!({"Target": {"LambdaAliases": [pets, toys], "LambdaAlias": pets}}), "one of"),
        (
            json!({"Target": {"LambdaAliases": [pets, {"FunctionName": "toys:7", "AliasName": "live"}]}}),
            "qualifier",
        ),
        (json!({"Target": {"LambdaAliases": []}}), "greater than or equal to 1"),
    ];
    for (more, words) in cases {
        let refused = bed.run("StartRollout", input("v2", more.clone())).await.expect_err("refused");
        assert!(refused.contains(words), "{more}: {refused}");
    }
    assert_eq!((routing(&bed), claims(&bed)), (before, 0));
    bed.close().await;
}
