//! Deployments from their beginning to their end.

use pitbird_names::VersionId;
use pitbird_records::rollout::alias_claim;
use pitbird_records::{Alias, DeploymentNotice, RolloutClaim, prefix};
use serde_json::{Value as Json, json};

use super::bed::{Bed, MINUTE_MS, SCALE, appspec, at, model, revision, with};

const ONE: VersionId = VersionId::Number(1);
const TWO: VersionId = VersionId::Number(2);

async fn bed(directory: &tempfile::TempDir) -> Bed {
    Bed::open(directory.path(), SCALE).await
}

/// In real time, for those that don't wait.
async fn slow_bed(directory: &tempfile::TempDir) -> Bed {
    Bed::open(directory.path(), 1.0).await
}

#[tokio::test]
async fn a_canary_with_hooks_from_beginning_to_end() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let hooks = [("BeforeAllowTraffic", "CodeDeployHook_pre"), ("AfterAllowTraffic", "CodeDeployHook_post")];
    let id = bed.deploy("Canary10Percent30Minutes", &hooks, json!({"description": "the second"})).await;

    let pre = bed.asked(1).await;
    let event: Json = serde_json::from_str(&pre.event).unwrap();
    assert_eq!(pre.function, "CodeDeployHook_pre");
    let members: Vec<&String> = event.as_object().unwrap().keys().collect();
    assert_eq!(members, ["DeploymentId", "LifecycleEventHookExecutionId"]);
    assert_eq!(event["DeploymentId"], id);
    assert_eq!(bed.events(&id).await, ["InProgress", "Pending", "Pending"]);
    assert_eq!(bed.leads(), (ONE, None), "no traffic before the hook has answered");
    bed.answer(&pre, "Succeeded").await;

    bed.until(&id, |deployment| deployment.generation == 1).await;
    assert_eq!(bed.leads(), (ONE, Some(0.1)));
    let target = bed.target(&id).await;
    assert_eq!(target["lambdaFunctionInfo"]["targetVersionWeight"], 0.1);
    let shifted_ms = bed.now_ms();

    let post = bed.asked(2).await;
    assert_eq!((post.function.as_str(), bed.leads()), ("CodeDeployHook_post", (TWO, None)));
    let waited_ms = bed.now_ms() - shifted_ms;
    assert!(
        (5 * MINUTE_MS - 50..60 * MINUTE_MS).contains(&waited_ms),
        "five minutes, divided: {waited_ms} ms"
    );
    bed.answer(&post, "Succeeded").await;
    let info = bed.end(&id).await;
    assert_eq!((&info["status"], &info["creator"]), (&json!("Succeeded"), &json!("user")));
    assert_eq!(info["deploymentOverview"]["Succeeded"], 1);
    let words = "The waits of this deployment are divided by 600 (--time-scale).";
    assert_eq!(info["deploymentStatusMessages"], json!([words]), "never silently");
    assert_eq!(bed.target(&id).await["lambdaFunctionInfo"]["targetVersionWeight"], 1.0);
    assert_eq!(bed.events(&id).await, ["Succeeded"; 3]);

    let input = json!({"applicationName": "app", "deploymentGroupName": "group"});
    let group = bed.ok("GetDeploymentGroup", input).await["deploymentGroupInfo"].clone();
    assert_eq!(group["lastSuccessfulDeployment"]["deploymentId"], id);
    assert_eq!(group["targetRevision"]["appSpecContent"]["content"], appspec(&hooks));
    bed.close().await;
}

#[tokio::test]
async fn a_hooks_answer_is_taken_once_and_only_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let bed = slow_bed(&directory).await;
    bed.group(json!({})).await;
    let id = bed.deploy("AllAtOnce", &[("AfterAllowTraffic", "post")], json!({})).await;
    let post = bed.asked(1).await;
    let event: Json = serde_json::from_str(&post.event).unwrap();
    let answer = |execution: &Json, status: &str| json!({"deploymentId": id, "lifecycleEventHookExecutionId": execution, "status": status});
    let operation = "PutLifecycleEventHookExecutionStatus";
    let execution = &event["LifecycleEventHookExecutionId"];
    for (input, code) in [
        (answer(execution, "InProgress"), "InvalidLifecycleEventHookExecutionStatusException"),
        (answer(&json!("AAAA"), "Succeeded"), "InvalidLifecycleEventHookExecutionIdException"),
        (
            with(answer(execution, "Succeeded"), json!({"deploymentId": "d-ZZZZZZZZZ"})),
            "DeploymentDoesNotExistException",
        ),
        (
            with(answer(execution, "Succeeded"), json!({"deploymentId": "d-z"})),
            "InvalidDeploymentIdException",
        ),
        (
            with(answer(execution, "Succeeded"), json!({"deploymentId": null})),
            "DeploymentIdRequiredException",
        ),
    ] {
        assert_eq!(bed.refused(operation, input).await.0, code);
    }
    assert_eq!(
        bed.ok(operation, answer(execution, "Failed")).await["lifecycleEventHookExecutionId"],
        *execution
    );
    let again = bed.refused(operation, answer(execution, "Succeeded")).await;
    assert_eq!(again.0, "LifecycleEventAlreadyCompletedException");
    let info = bed.end(&id).await;
    assert_eq!(info["errorInformation"]["code"], "HOOK_EXECUTION_FAILURE");
    assert_eq!(bed.leads(), (TWO, None), "nobody wanted it rolled back");
    bed.close().await;
}

#[tokio::test]
async fn a_hook_that_breaks_or_is_silent_fails_the_deployment_and_it_is_rolled_back() {
    for (breaks, words) in [(true, "KeyError"), (false, "within one hour")] {
        let directory = tempfile::tempdir().unwrap();
        let bed = bed(&directory).await;
        if breaks {
            bed.around().failing.insert("post".into(), "the function failed: KeyError".into());
        }
        bed.group(json!({"autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_FAILURE"]}}))
            .await;
        let id = bed.deploy("AllAtOnce", &[("AfterAllowTraffic", "post")], json!({})).await;
        let asked_ms = bed.now_ms();
        let info = bed.end(&id).await;
        let took_ms = bed.now_ms() - asked_ms;
        assert_eq!(took_ms >= 59 * MINUTE_MS, !breaks, "{took_ms} ms");
        assert!(info["errorInformation"]["message"].as_str().unwrap().contains(words), "{info:#}");
        let rollback = info["rollbackInfo"]["rollbackDeploymentId"].as_str().unwrap().to_owned();
        let info = bed.end(&rollback).await;
        assert_eq!((&info["status"], &info["creator"]), (&json!("Succeeded"), &json!("codeDeployRollback")));
        assert_eq!(
            (bed.leads(), bed.events(&rollback).await),
            ((ONE, None), vec!["Succeeded".to_owned(); 3])
        );
        let target = bed.target(&rollback).await;
        assert_eq!(target["lambdaFunctionInfo"]["targetVersion"], "1");
        bed.close().await;
    }
}

#[tokio::test]
async fn an_alarm_stops_the_shift_within_ten_seconds_and_rolls_it_back() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.around().alarms.insert("errors".into(), false);
    bed.group(json!({
        "alarmConfiguration": {"enabled": true, "alarms": [{"name": "errors"}]},
        "autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
    }))
    .await;
    let id = bed.deploy("Linear10PercentEvery1Minute", &[], json!({})).await;
    bed.until(&id, |deployment| deployment.generation >= 3).await;
    assert_eq!(bed.leads().0, ONE);
    bed.around().alarms.insert("errors".into(), true);
    let rang_ms = bed.now_ms();
    let info = bed.end(&id).await;
    assert!(bed.now_ms() - rang_ms < MINUTE_MS * 10, "before the next steps");
    assert_eq!(
        (&info["status"], &info["errorInformation"]["code"]),
        (&json!("Stopped"), &json!("ALARM_ACTIVE"))
    );
    assert_eq!(bed.events(&id).await, ["Succeeded", "Failed", "Skipped"]);
    let rollback = info["rollbackInfo"]["rollbackDeploymentId"].as_str().unwrap().to_owned();
    let message = format!(
        "Deployment {id} terminated. Automatic rollback is triggered with a DeploymentId {rollback}."
    );
    assert_eq!(info["rollbackInfo"]["rollbackMessage"], message);
    let info = bed.end(&rollback).await;
    let message = format!("Deployment {rollback} is triggered to roll back deployment {id}.");
    assert_eq!(
        info["rollbackInfo"],
        json!({
            "rollbackTriggeringDeploymentId": id, "rollbackMessage": message,
        })
    );
    assert_eq!((bed.leads(), &info["status"]), ((ONE, None), &json!("Succeeded")));
    // Group and alias are free again.
    bed.around().alarms.insert("errors".into(), false);
    let id = bed.deploy("AllAtOnce", &[], json!({})).await;
    assert_eq!(bed.end(&id).await["status"], "Succeeded");
    bed.close().await;
}

#[tokio::test]
async fn stopping_is_done_when_it_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let bed = slow_bed(&directory).await;
    bed.group(json!({})).await;
    let id = bed.deploy("Canary10Percent30Minutes", &[], json!({})).await;
    bed.until(&id, |deployment| deployment.generation == 1).await;
    let stopped = bed.ok("StopDeployment", json!({"deploymentId": id})).await;
    assert_eq!(stopped["status"], "Succeeded");
    let info = bed.info(&id).await;
    assert_eq!(
        (&info["status"], &info["errorInformation"]["code"]),
        (&json!("Stopped"), &json!("MANUAL_STOP"))
    );
    assert_eq!((bed.leads(), &info["rollbackInfo"]), ((ONE, Some(0.1)), &Json::Null), "left as it is");
    let again = bed.refused("StopDeployment", json!({"deploymentId": id})).await;
    assert_eq!(again.0, "DeploymentAlreadyCompletedException");
    // As AWS documents: an alias that was left weighted makes later deployments fail.
    let id = bed.deploy("AllAtOnce", &[], json!({})).await;
    assert_eq!(bed.end(&id).await["errorInformation"]["code"], "INVALID_LAMBDA_CONFIGURATION");

    bed.edit::<Alias>(&at(&["pets", "live"]), |alias| alias.additional = None).await;
    let id = bed.deploy("Canary10Percent30Minutes", &[], json!({})).await;
    bed.until(&id, |deployment| deployment.generation == 1).await;
    bed.ok("StopDeployment", json!({"deploymentId": id, "autoRollbackEnabled": true})).await;
    let info = bed.info(&id).await;
    let rollback = info["rollbackInfo"]["rollbackDeploymentId"].as_str().unwrap().to_owned();
    assert_eq!(bed.end(&rollback).await["status"], "Succeeded");
    assert_eq!(bed.leads(), (ONE, None));
    bed.close().await;
}

#[tokio::test]
async fn a_group_and_an_alias_have_one_deployment_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let bed = slow_bed(&directory).await;
    bed.group(json!({})).await;
    bed.ok("CreateDeploymentGroup", super::bed::group_input("other")).await;
    let id = bed.deploy("Canary10Percent30Minutes", &[], json!({})).await;
    let input = |group: &str| {
        json!({
            "applicationName": "app", "deploymentGroupName": group, "revision": revision(&appspec(&[])),
        })
    };
    let refused = bed.refused("CreateDeployment", input("group")).await;
    let words = format!("The Deployment Group 'group' already has an active Deployment '{id}'");
    assert_eq!(refused, ("DeploymentLimitExceededException".into(), words));
    let refused = bed.refused("CreateDeployment", input("other")).await;
    assert_eq!(refused.0, "DeploymentLimitExceededException");
    assert!(refused.1.contains(&id), "{}", refused.1);
    bed.ok("StopDeployment", json!({"deploymentId": id})).await;
    assert_eq!(bed.store.list::<RolloutClaim>("").unwrap().len(), 0, "nothing is left behind");

    let claim =
        RolloutClaim { scope: Default::default(), target: alias_claim("pets", "live"), rollout: "v2".into() };
    bed.store.write::<_, pitbird_store::Error>(move |tx| tx.put(&claim)).await.unwrap();
    let refused = bed.refused("CreateDeployment", input("other")).await;
    assert!(refused.1.contains("is being moved by rollout v2"), "{}", refused.1);
    bed.close().await;
}

#[tokio::test]
async fn an_alias_changed_by_hand_ends_the_deployment() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({"autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_FAILURE"]}}))
        .await;
    let id = bed.deploy("Canary10Percent30Minutes", &[], json!({})).await;
    bed.until(&id, |deployment| deployment.generation == 1).await;
    bed.edit::<Alias>(&at(&["pets", "live"]), |alias| {
        alias.version = VersionId::Number(3);
        alias.additional = None;
    })
    .await;
    let info = bed.end(&id).await;
    let message = info["errorInformation"]["message"].as_str().unwrap();
    assert!(message.contains("leads to version 3 instead of version 1 with 10 % to version 2"), "{message}");
    let rollback = info["rollbackInfo"]["rollbackDeploymentId"].as_str().unwrap().to_owned();
    assert_eq!(bed.end(&rollback).await["status"], "Failed");
    assert_eq!(bed.leads(), (VersionId::Number(3), None));
    bed.close().await;
}

#[tokio::test]
async fn versions_of_different_roles_share_no_alias() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let content = appspec(&[]).replace("\"TargetVersion\":\"2\"", "\"TargetVersion\":\"3\"");
    let id = bed.deploy("Canary10Percent5Minutes", &[], json!({"revision": revision(&content)})).await;
    let info = bed.end(&id).await;
    assert!(info["errorInformation"]["message"].as_str().unwrap().contains("different execution roles"));
    let id = bed.deploy("AllAtOnce", &[], json!({"revision": revision(&content)})).await;
    assert_eq!(bed.end(&id).await["status"], "Succeeded", "at once there is one version only");
    bed.close().await;
}

#[tokio::test]
async fn triggers_are_told_in_eventbridges_shape() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let function = "arn:aws:lambda:us-east-1:000000000000:function:told";
    let trigger = |name: &str, target: &str, events: Json| json!({"triggerName": name, "triggerTargetArn": target, "triggerEvents": events});
    bed.group(json!({"triggerConfigurations": [
        trigger("a", function, json!(["DeploymentStart", "DeploymentSuccess"])),
        trigger("b", "http://127.0.0.1:9/hook", json!(["DeploymentFailure", "DeploymentSuccess"])),
    ]}))
    .await;
    let id = bed.deploy("AllAtOnce", &[], json!({})).await;
    bed.end(&id).await;
    let mut told = bed.told.subscribe();
    let told = told.wait_for(|told| told.len() >= 3).await.unwrap().clone();
    let mut seen: Vec<(String, String)> = Vec::new();
    for one in &told {
        let event: Json = serde_json::from_str(&one.event).unwrap();
        assert_eq!(event["source"], "aws.codedeploy");
        assert_eq!(event["detail-type"], "CodeDeploy Deployment State-change Notification");
        let detail = &event["detail"];
        assert_eq!((&detail["deploymentId"], &detail["deploymentGroup"]), (&json!(id), &json!("group")));
        assert_eq!((&detail["application"], &detail["region"]), (&json!("app"), &json!("us-east-1")));
        assert_eq!(one.group_arn, "arn:aws:codedeploy:us-east-1:000000000000:deploymentgroup:app/group");
        seen.push((one.target.clone(), detail["state"].as_str().unwrap().to_owned()));
    }
    seen.sort();
    let url = "http://127.0.0.1:9/hook";
    assert_eq!(
        seen,
        [(function, "START"), (function, "SUCCESS"), (url, "SUCCESS")].map(|(a, b)| (a.into(), b.into()))
    );
    let mut commits = bed.store.watch();
    while !bed.store.list::<DeploymentNotice>(&prefix(&Default::default(), &[])).unwrap().is_empty() {
        commits.changed().await.unwrap();
    }
    bed.close().await;
}

#[tokio::test]
async fn an_appspec_comes_from_s3_as_the_role_may_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let s3 = |more: Json| {
        let location = json!({"bucket": "specs", "key": "CodeDeploy/app.json", "bundleType": "JSON"});
        json!({"revision": {"revisionType": "S3", "s3Location": with(location, more)}})
    };
    let input =
        |revision: Json| with(json!({"applicationName": "app", "deploymentGroupName": "group"}), revision);
    let refused = bed.refused("CreateDeployment", input(s3(json!({})))).await;
    assert_eq!(refused.0, "RevisionDoesNotExistException");
    bed.around().objects.insert("specs/CodeDeploy/app.json".into(), appspec(&[]));
    assert_eq!(
        bed.refused("CreateDeployment", input(s3(json!({"eTag": "f"})))).await.0,
        "RevisionDoesNotExistException"
    );
    bed.around().forbidden.insert("s3:GetObject".into());
    assert!(bed.refused("CreateDeployment", input(s3(json!({})))).await.1.contains("may not s3:GetObject"));
    bed.around().forbidden.clear();
    let id = bed.deploy("AllAtOnce", &[], s3(json!({"eTag": "e"}))).await;
    let info = bed.end(&id).await;
    assert_eq!((&info["status"], &info["revision"]["revisionType"]), (&json!("Succeeded"), &json!("S3")));
    bed.close().await;
}

#[tokio::test]
async fn deployments_are_listed_by_what_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let first = bed.deploy("AllAtOnce", &[], json!({})).await;
    bed.end(&first).await;
    let second = bed.deploy("AllAtOnce", &[], json!({})).await;
    bed.end(&second).await;
    let group = json!({"applicationName": "app", "deploymentGroupName": "group"});
    let range = |start: f64, end: f64| json!({"createTimeRange": {"start": start, "end": end}});
    let created = |info: &Json| info["createTime"].as_f64().unwrap();
    let (one, two) = (created(&bed.info(&first).await), created(&bed.info(&second).await));
    assert!(one < two, "they were made one after the other");
    for (input, expected) in [
        (json!({}), vec![&second, &first]),
        (group.clone(), vec![&second, &first]),
        (json!({"includeOnlyStatuses": ["Failed"]}), vec![&second]),
        (json!({"includeOnlyStatuses": ["Succeeded", "Created"]}), vec![&first]),
        (range(one - 0.0005, one + 0.0005), vec![&first]),
        (range(two - 0.0005, two + 60.0), vec![&second]),
    ] {
        let listed = bed.ok("ListDeployments", input.clone()).await;
        assert_eq!(listed["deployments"], json!(expected), "{input}");
    }
    for (input, code) in [
        (json!({"deploymentGroupName": "group"}), "ApplicationNameRequiredException"),
        (json!({"applicationName": "app"}), "DeploymentGroupNameRequiredException"),
        (range(2.0, 1.0), "InvalidTimeRangeException"),
        (json!({"nextToken": "!"}), "InvalidNextTokenException"),
    ] {
        assert_eq!(bed.refused("ListDeployments", input).await.0, code);
    }
    let unknown = "d-ZZZZZZZZZ";
    let batch = bed.ok("BatchGetDeployments", json!({"deploymentIds": [first, unknown, second]})).await;
    assert_eq!(batch["deploymentsInfo"].as_array().unwrap().len(), 2);
    let many: Vec<&str> = vec![unknown; 26];
    let refused = bed.refused("BatchGetDeployments", json!({"deploymentIds": many})).await;
    assert_eq!(refused.0, "BatchLimitExceededException");
    assert!(model().operation("BatchGetDeployments").is_some());
    bed.close().await;
}

#[tokio::test]
async fn the_oldest_that_ended_are_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let bed = slow_bed(&directory).await;
    bed.group(json!({})).await;
    let mut ids = vec![bed.deploy("AllAtOnce", &[], json!({})).await];
    bed.end(&ids[0]).await;
    for _ in 0..2 {
        bed.edit::<Alias>(&at(&["pets", "live"]), |alias| alias.version = ONE).await;
        ids.push(bed.deploy("AllAtOnce", &[], json!({})).await);
        bed.end(&ids[ids.len() - 1]).await;
    }
    bed.edit::<Alias>(&at(&["pets", "live"]), |alias| alias.version = ONE).await;
    ids.push(bed.deploy("Canary10Percent30Minutes", &[], json!({})).await);
    let scope = pitbird_names::Scope::default();
    for (max, left) in [(5, vec![3, 2, 1, 0]), (4, vec![3, 2, 1]), (2, vec![3])] {
        crate::commit::make_room(&bed.store, &scope, max).await.unwrap();
        let left: Vec<&String> = left.into_iter().map(|at: usize| &ids[at]).collect();
        assert_eq!(
            bed.ok("ListDeployments", json!({})).await["deployments"],
            json!(left),
            "room for one of {max}"
        );
    }
    crate::commit::make_room(&bed.store, &scope, 1).await.unwrap();
    assert_eq!(bed.ok("ListDeployments", json!({})).await["deployments"], json!([ids[3]]), "it runs");
    bed.close().await;
}

#[tokio::test]
async fn a_deployment_that_nobody_has_looked_at_has_no_target() {
    let directory = tempfile::tempdir().unwrap();
    let mut bed = bed(&directory).await;
    bed.group(json!({})).await;
    bed.halt().await;
    let id = bed.deploy("AllAtOnce", &[], json!({})).await;
    let info = bed.info(&id).await;
    assert_eq!((&info["status"], &info["deploymentOverview"]["Pending"]), (&json!("Created"), &json!(1)));
    let one = json!({"deploymentId": id, "targetId": "pets:live"});
    assert_eq!(bed.refused("GetDeploymentTarget", one).await.0, "DeploymentNotStartedException");
    let all = json!({"deploymentId": id});
    assert_eq!(bed.refused("ListDeploymentTargets", all.clone()).await.0, "DeploymentNotStartedException");
    // It is stopped before it has begun: there is nothing to roll back.
    bed.ok("StopDeployment", json!({"deploymentId": id, "autoRollbackEnabled": true})).await;
    let info = bed.info(&id).await;
    assert_eq!((&info["status"], &info["rollbackInfo"]), (&json!("Stopped"), &Json::Null));
    assert_eq!(bed.ok("ListDeploymentTargets", all).await["targetIds"], json!(["pets:live"]));
    bed.close().await;
}

#[tokio::test]
async fn a_deployment_has_one_target() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let id = bed.deploy("AllAtOnce", &[], json!({})).await;
    bed.end(&id).await;
    let list = |filters: Json| json!({"deploymentId": id, "targetFilters": filters});
    assert_eq!(bed.ok("ListDeploymentTargets", list(json!({}))).await["targetIds"], json!(["pets:live"]));
    let failed = bed.ok("ListDeploymentTargets", list(json!({"TargetStatus": ["Failed"]}))).await;
    assert_eq!(failed["targetIds"], json!([]));
    let refused = bed.refused("ListDeploymentTargets", list(json!({"ServerInstanceLabel": ["Blue"]}))).await;
    assert_eq!(refused.0, "InvalidTargetFilterNameException");
    let batch = json!({"deploymentId": id, "targetIds": ["pets:live"]});
    let found = bed.ok("BatchGetDeploymentTargets", batch).await;
    assert_eq!(found["deploymentTargets"][0]["deploymentTargetType"], "LambdaFunction");
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:pets:live";
    assert_eq!(found["deploymentTargets"][0]["lambdaTarget"]["targetArn"], arn);
    let refused =
        bed.refused("GetDeploymentTarget", json!({"deploymentId": id, "targetId": "pets:other"})).await;
    assert_eq!(refused.0, "DeploymentTargetDoesNotExistException");
    for operation in ["ContinueDeployment", "SkipWaitTimeForInstanceTermination"] {
        let refused = bed.refused(operation, json!({"deploymentId": id})).await;
        assert_eq!(refused.0, "DeploymentAlreadyCompletedException");
    }
    bed.close().await;
}

#[tokio::test]
async fn a_group_deleted_under_a_deployment_ends_it() {
    let directory = tempfile::tempdir().unwrap();
    let bed = slow_bed(&directory).await;
    bed.group(json!({})).await;
    let id = bed.deploy("Canary10Percent5Minutes", &[], json!({})).await;
    bed.until(&id, |deployment| deployment.generation == 1).await;
    let refused = bed.refused("ContinueDeployment", json!({"deploymentId": id})).await;
    assert_eq!(refused.0, "UnsupportedActionForDeploymentTypeException");
    bed.ok("DeleteApplication", json!({"applicationName": "app"})).await;
    let info = bed.end(&id).await;
    assert_eq!(info["errorInformation"]["code"], "DEPLOYMENT_GROUP_MISSING");
    bed.close().await;
}
