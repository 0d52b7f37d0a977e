//! What is refused, by which name.

use serde_json::{Value as Json, json};

use super::bed::{Bed, ROLE, SCALE, appspec, group_input, revision, role, with};
use crate::limits;

async fn bed(directory: &tempfile::TempDir) -> Bed {
    Bed::open(directory.path(), SCALE).await
}

fn unsupported(what: &str) -> (String, String) {
    let words = format!("{what} is not supported by pitbird, so it is refused rather than ignored.");
    ("ValidationException".into(), words)
}

#[tokio::test]
async fn other_platforms_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let deployment = |more: Json| {
        let input = json!({"applicationName": "app", "deploymentGroupName": "group", "revision": revision(&appspec(&[]))});
        with(input, more)
    };
    let group = |more: Json| with(group_input("more"), more);
    let github = json!({"revisionType": "GitHub"});
    for (operation, input, what) in [
        ("CreateApplication", json!({"applicationName": "a"}), "computePlatform Server"),
        (
            "CreateApplication",
            json!({"applicationName": "a", "computePlatform": "ECS"}),
            "computePlatform ECS",
        ),
        ("CreateDeploymentConfig", json!({"deploymentConfigName": "c"}), "computePlatform Server"),
        (
            "CreateDeploymentConfig",
            json!({"deploymentConfigName": "c", "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1}}),
            "minimumHealthyHosts",
        ),
        (
            "GetDeploymentConfig",
            json!({"deploymentConfigName": "CodeDeployDefault.OneAtATime"}),
            "The deployment configuration CodeDeployDefault.OneAtATime",
        ),
        ("CreateDeploymentGroup", group(json!({"loadBalancerInfo": {}})), "loadBalancerInfo"),
        (
            "CreateDeploymentGroup",
            group(json!({"blueGreenDeploymentConfiguration": {}})),
            "blueGreenDeploymentConfiguration",
        ),
        (
            "CreateDeploymentGroup",
            group(json!({"autoScalingGroups": ["g"]})),
            "autoScalingGroups of a Lambda deployment group",
        ),
        (
            "CreateDeploymentGroup",
            group(json!({"ec2TagFilters": [{"Key": "k"}]})),
            "ec2TagFilters of a Lambda deployment group",
        ),
        (
            "CreateDeploymentGroup",
            group(json!({"terminationHookEnabled": true})),
            "terminationHookEnabled of a Lambda deployment group",
        ),
        (
            "CreateDeploymentGroup",
            group(json!({"triggerConfigurations": [{
                "triggerName": "t", "triggerTargetArn": "arn:aws:sns:us-east-1:000000000000:t",
                "triggerEvents": ["DeploymentStop"],
            }]})),
            "triggerConfigurations.triggerTargetArn arn:aws:sns:us-east-1:000000000000:t",
        ),
        ("CreateDeployment", deployment(json!({"revision": github})), "A revision of type GitHub"),
        (
            "CreateDeployment",
            deployment(json!({"revision": {"revisionType": "S3", "s3Location": {
                "bucket": "b", "key": "k", "bundleType": "zip",
            }}})),
            "s3Location.bundleType zip of a Lambda deployment",
        ),
        (
            "CreateDeployment",
            deployment(json!({"fileExistsBehavior": "OVERWRITE"})),
            "fileExistsBehavior of a Lambda deployment",
        ),
        (
            "CreateDeployment",
            deployment(json!({"targetInstances": {}})),
            "targetInstances of a Lambda deployment",
        ),
        ("ListDeployments", json!({"externalId": "x"}), "externalId"),
    ] {
        assert_eq!(bed.refused(operation, input).await, unsupported(what));
    }
    // What says what is so anyway is taken.
    bed.ok("CreateDeploymentGroup", group(json!({"ec2TagFilters": [], "terminationHookEnabled": false})))
        .await;
    bed.close().await;
}

#[tokio::test]
async fn groups_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let alarms =
        |count: usize| -> Vec<Json> { (0..count).map(|at| json!({"name": format!("a{at}")})).collect() };
    let rollback = |events: Json| json!({"autoRollbackConfiguration": {"enabled": true, "events": events}});
    let config = |alarms: Json| json!({"alarmConfiguration": {"enabled": true, "alarms": alarms}});
    let trigger = json!({"triggerName": "t", "triggerTargetArn": "https://x.example", "triggerEvents": ["DeploymentStop"]});
    let triggers = |triggers: Vec<Json>| json!({ "triggerConfigurations": triggers });
    for (more, code) in [
        (json!({"applicationName": "none"}), "ApplicationDoesNotExistException"),
        (json!({"applicationName": "no/ne"}), "InvalidApplicationNameException"),
        (json!({"deploymentGroupName": "group"}), "DeploymentGroupAlreadyExistsException"),
        (json!({"deploymentGroupName": "gr/oup"}), "InvalidDeploymentGroupNameException"),
        (json!({"deploymentConfigName": "none"}), "DeploymentConfigDoesNotExistException"),
        (json!({"serviceRoleArn": ""}), "RoleRequiredException"),
        (json!({"serviceRoleArn": "arn:aws:iam::000000000000:role/none"}), "InvalidRoleException"),
        (json!({"serviceRoleArn": "arn:aws:iam::111111111111:role/deployer"}), "InvalidRoleException"),
        (json!({"deploymentStyle": null}), "InvalidDeploymentStyleException"),
        (json!({"deploymentStyle": {"deploymentType": "IN_PLACE"}}), "InvalidDeploymentStyleException"),
        (config(json!([])), "InvalidAlarmConfigException"),
        (config(json!([{"name": ""}])), "InvalidAlarmConfigException"),
        (config(json!([{"name": "x".repeat(256)}])), "InvalidAlarmConfigException"),
        (config(json!([{"name": "a"}, {"name": "a"}])), "InvalidAlarmConfigException"),
        (config(json!(alarms(limits::ALARMS + 1))), "AlarmsLimitExceededException"),
        (rollback(json!([])), "InvalidAutoRollbackConfigException"),
        (rollback(json!(["DEPLOYMENT_STOP_ON_ALARM"])), "InvalidAutoRollbackConfigException"),
        (
            triggers(vec![with(trigger.clone(), json!({"triggerEvents": []}))]),
            "InvalidTriggerConfigException",
        ),
        (
            triggers(vec![with(trigger.clone(), json!({"triggerEvents": ["InstanceStart"]}))]),
            "InvalidTriggerConfigException",
        ),
        (
            triggers(vec![with(trigger.clone(), json!({"triggerTargetArn": "x"}))]),
            "InvalidTriggerConfigException",
        ),
        (
            triggers(vec![with(trigger.clone(), json!({"triggerTargetArn": "http:///x"}))]),
            "InvalidTriggerConfigException",
        ),
        (triggers(vec![trigger.clone(), trigger.clone()]), "InvalidTriggerConfigException"),
        (triggers(vec![trigger; limits::TRIGGERS + 1]), "TriggerTargetsLimitExceededException"),
        (json!({"tags": [{"Key": "aws:x", "Value": "y"}]}), "InvalidTagsToAddException"),
    ] {
        let refused = bed.refused("CreateDeploymentGroup", with(group_input("more"), more.clone())).await;
        assert_eq!(refused.0, code, "{more} {}", refused.1);
    }
    let full = with(group_input("full"), config(json!(alarms(limits::ALARMS))));
    bed.ok("CreateDeploymentGroup", full).await;
    let refused = bed.refused("CreateDeploymentGroup", group_input("group")).await;
    assert_eq!(refused.0, "DeploymentGroupAlreadyExistsException");
    let words = "For Lambda deployment group, deployment type can be BLUE_GREEN only and deployment option can be \
                 WITH_TRAFFIC_CONTROL only.";
    let refused =
        bed.refused("CreateDeploymentGroup", with(group_input("m"), json!({"deploymentStyle": {}}))).await;
    assert_eq!(refused.1, words);
    let refused = bed.refused("GetApplication", json!({"applicationName": "x"})).await;
    assert_eq!(
        refused,
        ("ApplicationDoesNotExistException".into(), "No application found for name: x".into())
    );
    bed.close().await;
}

#[tokio::test]
async fn a_role_that_trusts_somebody_else_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    bed.edit::<pitbird_records::Role>("000000000000/us-east-1/deployer", |role| {
        role.trust[0].services = vec!["lambda.amazonaws.com".into()];
    })
    .await;
    let refused = bed.refused("CreateDeploymentGroup", group_input("more")).await;
    assert_eq!(refused, ("InvalidRoleException".into(), "Cannot assume role provided.".into()));
    assert_eq!(role().arn(), ROLE);
    bed.close().await;
}

#[tokio::test]
async fn configurations_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let canary = |percent: i64, minutes: i64| {
        json!({
            "type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": percent, "canaryInterval": minutes},
        })
    };
    let linear = |percent: i64, minutes: i64| {
        json!({
            "type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": percent, "linearInterval": minutes},
        })
    };
    let input = |name: &str, routing: Json| {
        json!({
            "deploymentConfigName": name, "computePlatform": "Lambda", "trafficRoutingConfig": routing,
        })
    };
    let wrong = "InvalidTrafficRoutingConfigurationException";
    for (name, routing, code) in [
        ("c", Json::Null, wrong),
        ("c", json!({}), wrong),
        ("c", canary(0, 1), wrong),
        ("c", canary(100, 1), wrong),
        ("c", canary(10, 0), wrong),
        ("c", canary(10, 2881), wrong),
        ("c", linear(50, 2881), wrong),
        ("c", linear(1, 30), wrong),
        ("c", json!({"type": "TimeBasedLinear"}), wrong),
        ("c", with(canary(10, 1), linear(10, 1)), wrong),
        ("CodeDeployDefault.Mine", canary(10, 1), "InvalidDeploymentConfigNameException"),
        ("a/b", canary(10, 1), "InvalidDeploymentConfigNameException"),
    ] {
        let refused = bed.refused("CreateDeploymentConfig", input(name, routing.clone())).await;
        assert_eq!(refused.0, code, "{name} {routing}");
    }
    for (name, routing) in [
        ("edge-canary", canary(99, 2880)),
        ("edge-linear", linear(50, 2880)),
        ("once", json!({"type": "AllAtOnce"})),
    ] {
        bed.ok("CreateDeploymentConfig", input(name, routing.clone())).await;
        let found = bed.ok("GetDeploymentConfig", json!({"deploymentConfigName": name})).await;
        let info = &found["deploymentConfigInfo"];
        assert_eq!(
            (&info["trafficRoutingConfig"]["type"], &info["computePlatform"]),
            (&routing["type"], &json!("Lambda"))
        );
    }
    let refused = bed.refused("CreateDeploymentConfig", input("once", json!({"type": "AllAtOnce"}))).await;
    assert_eq!(refused.0, "DeploymentConfigAlreadyExistsException");
    bed.group(json!({"deploymentConfigName": "once"})).await;
    let refused = bed.refused("DeleteDeploymentConfig", json!({"deploymentConfigName": "once"})).await;
    assert_eq!(refused.0, "DeploymentConfigInUseException");
    let predefined = json!({"deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce"});
    assert_eq!(bed.refused("DeleteDeploymentConfig", predefined).await.0, "InvalidOperationException");
    bed.ok("DeleteDeploymentConfig", json!({"deploymentConfigName": "edge-canary"})).await;
    let refused = bed.refused("GetDeploymentConfig", json!({"deploymentConfigName": "edge-canary"})).await;
    assert_eq!(refused.0, "DeploymentConfigDoesNotExistException");
    bed.close().await;
}

#[tokio::test]
async fn revisions_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let content = appspec(&[]);
    let sum = crate::revisions::sha256_hex(content.as_bytes());
    let raw = |content: &str, sum: &str| json!({"content": content, "sha256": sum});
    let input = json!({"applicationName": "app", "deploymentGroupName": "group"});
    let invalid = "InvalidRevisionException";
    for (revision, code) in [
        (Json::Null, "RevisionRequiredException"),
        (json!({}), invalid),
        (json!({"revisionType": "AppSpecContent"}), invalid),
        (json!({"revisionType": "AppSpecContent", "appSpecContent": {}}), invalid),
        (json!({"revisionType": "AppSpecContent", "appSpecContent": raw(&content, "00")}), invalid),
        (json!({"revisionType": "AppSpecContent", "string": raw(&content, &sum)}), invalid),
        (
            json!({"revisionType": "AppSpecContent", "appSpecContent": raw("nonsense", &crate::revisions::sha256_hex(b"nonsense"))}),
            invalid,
        ),
        (json!({"revisionType": "S3", "s3Location": {"bucket": "b", "bundleType": "YAML"}}), invalid),
    ] {
        let refused =
            bed.refused("CreateDeployment", with(input.clone(), json!({"revision": revision}))).await;
        assert_eq!(refused.0, code, "{revision} {}", refused.1);
    }
    for (more, code) in [
        (json!({"deploymentGroupName": null}), "DeploymentGroupNameRequiredException"),
        (json!({"deploymentGroupName": "none"}), "DeploymentGroupDoesNotExistException"),
        (json!({"applicationName": "none"}), "ApplicationDoesNotExistException"),
        (json!({"deploymentConfigName": "none"}), "DeploymentConfigDoesNotExistException"),
        (json!({"description": "x".repeat(limits::DESCRIPTION + 1)}), "DescriptionTooLongException"),
        (json!({"overrideAlarmConfiguration": {"enabled": true}}), "InvalidAlarmConfigException"),
        (
            json!({"autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_STOP_ON_ALARM"]}}),
            "InvalidAutoRollbackConfigException",
        ),
    ] {
        let input = with(input.clone(), json!({"revision": revision(&content)}));
        assert_eq!(bed.refused("CreateDeployment", with(input, more.clone())).await.0, code, "{more}");
    }
    // The checksum in capitals, and the type that came before.
    let text = json!({"revision": {"revisionType": "String", "string": raw(&content, &sum.to_uppercase())}});
    let id = bed.deploy("AllAtOnce", &[], text).await;
    assert_eq!(bed.end(&id).await["status"], "Succeeded");
    bed.close().await;
}
