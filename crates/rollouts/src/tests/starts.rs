//! What a rollout may begin on.

use pitbird_names::VersionId;
use pitbird_records::{Alias, Canary};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{API, Bed, Traffic, percent, with};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };

fn stage(api: &str, name: &str) -> Json {
    json!({"RestStage": {"RestApiId": api, "StageName": name}})
}

fn alias(function: &str, name: &str) -> Json {
    json!({"LambdaAlias": {"FunctionName": function, "AliasName": name}})
}

fn start(target: Json, canary: Json, more: Json) -> Json {
    with(json!({"Name": "v2", "Target": target, "Canary": canary}), more)
}

#[tokio::test(start_paused = true)]
async fn what_is_no_rollout_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    let (prod, live) = (stage(API, "prod"), alias("pets", "live"));
    let (d2, v2, none) = (json!({"DeploymentId": "d2"}), json!({"FunctionVersion": "2"}), json!({}));
    let many: serde_json::Map<_, _> = (0..99).map(|n| (format!("n{n}"), json!("v"))).collect();
    for (target, canary, more, words) in [
        (
            json!({}),
            &d2,
            &none,
            "InvalidParameterException: Target must be one of RestStage, LambdaAlias and LambdaAliases.",
        ),
        (stage("nope", "prod"), &d2, &none, "ResourceNotFoundException: There is no REST API nope."),
        (stage(API, "dev"), &d2, &none, "ResourceNotFoundException: REST API a1b2c3d4e5 has no stage dev."),
        (
            prod.clone(),
            &json!({"DeploymentId": "d9"}),
            &none,
            "ResourceNotFoundException: REST API a1b2c3d4e5 has no deployment d9.",
        ),
        (prod.clone(), &none, &none, "InvalidParameterException: Canary.DeploymentId is needed"),
        (
            prod.clone(),
            &json!({"DeploymentId": "d1"}),
            &none,
            "InvalidParameterException: Stage prod serves deployment d1",
        ),
        (
            prod.clone(),
            &v2,
            &none,
            "InvalidParameterException: Canary.FunctionVersion goes with Target.LambdaAlias only.",
        ),
        (
            prod.clone(),
            &json!({"DeploymentId": "d2", "StageVariableOverrides": many}),
            &none,
            "InvalidParameterException: Stage prod would have more than 100 variables once it is promoted.",
        ),
        (
            prod.clone(),
            &json!({"DeploymentId": "d2", "StageVariableOverrides": {"a-b": "c"}}),
            &none,
            "ValidationException: 1 validation error detected: Value '{a-b=c}' at 'canary.stageVariableOverrides'",
        ),
        (
            live.clone(),
            &d2,
            &none,
            "InvalidParameterException: Canary.DeploymentId goes with Target.RestStage only.",
        ),
        (live.clone(), &none, &none, "InvalidParameterException: Canary.FunctionVersion must be the number"),
        (
            live.clone(),
            &json!({"FunctionVersion": "1"}),
            &none,
            "InvalidParameterException: Alias live names version 1",
        ),
        (
            live.clone(),
            &json!({"FunctionVersion": "3"}),
            &none,
            "InvalidParameterException: Versions 1 and 3 have different roles",
        ),
        (
            live.clone(),
            &json!({"FunctionVersion": "9"}),
            &none,
            "ResourceNotFoundException: Function pets has no version 9.",
        ),
        (alias("pets", "dev"), &v2, &none, "ResourceNotFoundException: Function pets has no alias dev."),
        (
            alias("pets:live", "live"),
            &v2,
            &none,
            "InvalidParameterException: Target.LambdaAlias.FunctionName must not",
        ),
        (
            alias("arn:aws:lambda:eu-west-1:000000000000:function:pets", "live"),
            &v2,
            &none,
            "InvalidParameterException: The function is in another account or region.",
        ),
        (
            prod.clone(),
            &d2,
            &json!({"Steps": [{"Percent": 50}, {"Percent": 10}]}),
            "InvalidParameterException: The plan is none: step 2 goes to 10 %",
        ),
        (
            prod.clone(),
            &d2,
            &json!({"Rules": {"Margin": 0.9}}),
            "InvalidParameterException: The plan is none: margin is 0.9",
        ),
        (
            prod.clone(),
            &d2,
            &json!({"Alarms": ["x"]}),
            "InvalidParameterException: There is no alarm named x.",
        ),
        (
            prod.clone(),
            &d2,
            &json!({"Shadows": []}),
            "ValidationException: Shadows is not supported by pitbird",
        ),
        (
            prod.clone(),
            &d2,
            &json!({"Rules": {"Checks": ["x"]}}),
            "ValidationException: Rules.Checks is not supported by pitbird",
        ),
    ] {
        let input = start(target, canary.clone(), more.clone());
        let refused = bed.run("StartRollout", input.clone()).await.expect_err(words);
        assert!(refused.starts_with(words), "{input}: {refused}");
    }
    let none = bed.run("ListRollouts", json!({})).await.unwrap();
    assert_eq!(none["Rollouts"], json!([]));
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_target_has_one_rollout_and_a_name_is_given_once() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.start_stage("v2", json!({})).await;
    bed.start_alias("other").await;
    let second = start(stage(API, "prod"), json!({"DeploymentId": "d3"}), json!({"Name": "v3"}));
    let refused = bed.run("StartRollout", second.clone()).await.unwrap_err();
    assert_eq!(
        refused,
        "ConflictException: Rollout v2 is running on this target; a target has one rollout at a time."
    );
    bed.end("v2").await;
    bed.end("other").await;
    let refused = bed.run("StartRollout", with(second.clone(), json!({"Name": "v2"}))).await.unwrap_err();
    assert!(refused.starts_with("ConflictException: There is a rollout named v2 already"), "{refused}");
    bed.ok("StartRollout", second).await;
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_said_is_the_standard_and_what_is_shortened_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    let standard =
        bed.ok("StartRollout", start(stage(API, "prod"), json!({"DeploymentId": "d2"}), json!({}))).await;
    assert_eq!(
        standard["Steps"],
        json!([
            {"Percent": 10.0, "WaitMs": 120_000},
            {"Percent": 50.0, "WaitMs": 120_000},
            {"Percent": 100.0, "WaitMs": 600_000},
        ])
    );
    assert_eq!(standard["Deviations"], json!([]));
    assert_eq!(standard["Rules"]["IntervalMs"], 1000);
    let more = json!({
        "Name": "short",
        "Steps": [{"Percent": 10, "WaitMs": 1000}, {"Percent": 60}],
        "Rules": {"IntervalMs": 200, "Margin": 0.05},
    });
    let short =
        bed.ok("StartRollout", start(alias("pets", "live"), json!({"FunctionVersion": "2"}), more)).await;
    assert_eq!(short["Steps"][1], json!({"Percent": 60.0, "WaitMs": 600_000}));
    assert_eq!(
        short["Deviations"],
        json!([
            "wait at 10 % 1 s instead of 120 s",
            "margin 5 pp instead of 0.5 pp",
            "look every 0.2 s instead of 1 s"
        ])
    );
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_waits_already_is_taken_up_with_its_variables() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed.edit_stage(|stage| {
        stage.canary = Some(Canary {
            deployment_id: "d2".into(),
            percent_traffic: percent(0.0),
            stage_variable_overrides: Some([("colour".to_owned(), "blue".to_owned())].into()),
            use_stage_cache: true,
        });
    })
    .await;
    let other = start(stage(API, "prod"), json!({"DeploymentId": "d3"}), json!({}));
    let refused = bed.run("StartRollout", other).await.unwrap_err();
    assert!(
        refused.starts_with("ConflictException: Stage prod has a canary with deployment d2"),
        "{refused}"
    );
    let rollout = bed.start_stage("v2", json!({"Canary": {}})).await;
    let canary = json!({"DeploymentId": "d2", "StageVariableOverrides": {"colour": "blue"}});
    assert_eq!(rollout["Canary"], canary);
    bed.watching("v2", 10.0).await;
    assert!(bed.stage().canary.expect("a canary").use_stage_cache);
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    assert_eq!(bed.stage().variables["colour"], "blue");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_alias_of_the_head_shares_with_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.edit_alias(|alias: &mut Alias| alias.version = VersionId::Latest).await;
    let input = start(alias("pets", "live"), json!({"FunctionVersion": "2"}), json!({}));
    let refused = bed.run("StartRollout", input).await.unwrap_err();
    assert_eq!(
        refused,
        "InvalidParameterException: Alias live names $LATEST, which can't share with another version."
    );
    bed.close().await;
}
