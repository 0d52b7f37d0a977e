//! Applications, groups, revisions and tags: made, shown, changed, listed, deleted.

use pitbird_records::{DeployGroup, DeployRevision, DeploymentClaim, Revision};
use pitbird_store::Transaction;
use serde_json::{Value as Json, json};

use super::bed::{Bed, ROLE, SCALE, appspec, group_input, revision, with};
use crate::limits;

async fn bed(directory: &tempfile::TempDir) -> Bed {
    Bed::open(directory.path(), SCALE).await
}

#[tokio::test]
async fn an_application_lives() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let input = json!({"applicationName": "app", "computePlatform": "Lambda"});
    let id = bed.ok("CreateApplication", input.clone()).await["applicationId"].clone();
    assert_eq!(bed.refused("CreateApplication", input).await.0, "ApplicationAlreadyExistsException");
    let mut found = bed.ok("GetApplication", json!({"applicationName": "app"})).await["application"].clone();
    let age_s = bed.now_ms() as f64 / 1000.0 - found["createTime"].as_f64().unwrap();
    assert!((0.0..60.0).contains(&age_s), "{age_s}");
    found["createTime"] = Json::Null;
    assert_eq!(
        found,
        json!({
            "applicationId": id, "applicationName": "app", "createTime": null, "linkedToGitHub": false,
            "computePlatform": "Lambda",
        })
    );
    bed.ok("CreateDeploymentGroup", group_input("group")).await;
    let deployment = bed.deploy("AllAtOnce", &[], json!({})).await;
    bed.end(&deployment).await;
    bed.ok("UpdateApplication", json!({"applicationName": "app", "newApplicationName": "new"})).await;
    let group = json!({"applicationName": "new", "deploymentGroupName": "group"});
    let found = bed.ok("GetDeploymentGroup", group).await["deploymentGroupInfo"].clone();
    assert_eq!((&found["applicationName"], &found["computePlatform"]), (&json!("new"), &json!("Lambda")));
    assert_eq!(bed.info(&deployment).await["applicationName"], "new");
    assert_eq!(bed.ok("ListApplications", json!({})).await["applications"], json!(["new"]));
    bed.ok("DeleteApplication", json!({"applicationName": "new"})).await;
    bed.ok("DeleteApplication", json!({"applicationName": "new"})).await;
    assert_eq!(
        bed.refused("GetApplication", json!({"applicationName": "new"})).await.0,
        "ApplicationDoesNotExistException"
    );
    bed.close().await;
}

#[tokio::test]
async fn a_group_has_what_it_was_given_and_the_defaults() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let named = |name: &str| json!({"applicationName": "app", "deploymentGroupName": name});
    let mut found = bed.ok("GetDeploymentGroup", named("group")).await["deploymentGroupInfo"].clone();
    assert!(found["deploymentGroupId"].as_str().is_some_and(|id| id.len() == 36));
    found["deploymentGroupId"] = Json::Null;
    assert_eq!(
        found,
        json!({
            "applicationName": "app",
            "deploymentGroupId": null,
            "deploymentGroupName": "group",
            "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
            "ec2TagFilters": [],
            "onPremisesInstanceTagFilters": [],
            "autoScalingGroups": [],
            "serviceRoleArn": ROLE,
            "triggerConfigurations": [],
            "alarmConfiguration": {"enabled": false, "ignorePollAlarmFailure": false, "alarms": []},
            "autoRollbackConfiguration": {"enabled": false, "events": []},
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "outdatedInstancesStrategy": "UPDATE",
            "computePlatform": "Lambda",
            "terminationHookEnabled": false,
        })
    );
    let update =
        |more: Json| with(json!({"applicationName": "app", "currentDeploymentGroupName": "group"}), more);
    let updated = bed
        .ok("UpdateDeploymentGroup", update(json!({
            "alarmConfiguration": {"enabled": true, "ignorePollAlarmFailure": true, "alarms": [{"name": "a"}]},
            "autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
            "deploymentConfigName": "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes",
            "newDeploymentGroupName": "renamed",
        })))
        .await;
    assert_eq!(updated, json!({"hooksNotCleanedUp": []}));
    let found = bed.ok("GetDeploymentGroup", named("renamed")).await["deploymentGroupInfo"].clone();
    assert_eq!(
        found["alarmConfiguration"],
        json!({"enabled": true, "ignorePollAlarmFailure": true, "alarms": [{"name": "a"}]})
    );
    assert_eq!(found["deploymentConfigName"], "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes");
    assert_eq!(
        bed.refused("UpdateDeploymentGroup", update(json!({}))).await.0,
        "DeploymentGroupDoesNotExistException"
    );
    let off = json!({
        "applicationName": "app", "currentDeploymentGroupName": "renamed", "alarmConfiguration": {"enabled": false},
    });
    assert_eq!(bed.refused("UpdateDeploymentGroup", off).await.0, "InvalidAutoRollbackConfigException");
    assert_eq!(
        bed.ok("ListDeploymentGroups", json!({"applicationName": "app"})).await["deploymentGroups"],
        json!(["renamed"])
    );
    assert_eq!(bed.ok("DeleteDeploymentGroup", named("renamed")).await, json!({"hooksNotCleanedUp": []}));
    assert_eq!(
        bed.refused("GetDeploymentGroup", named("renamed")).await.0,
        "DeploymentGroupDoesNotExistException"
    );
    bed.close().await;
}

#[tokio::test]
async fn all_predefined_configurations_are_there() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let names = [
        "AllAtOnce",
        "Canary10Percent10Minutes",
        "Canary10Percent15Minutes",
        "Canary10Percent30Minutes",
        "Canary10Percent5Minutes",
        "Linear10PercentEvery10Minutes",
        "Linear10PercentEvery1Minute",
        "Linear10PercentEvery2Minutes",
        "Linear10PercentEvery3Minutes",
    ]
    .map(|name| format!("CodeDeployDefault.Lambda{name}"));
    assert_eq!(bed.ok("ListDeploymentConfigs", json!({})).await["deploymentConfigsList"], json!(names));
    let mut ids = std::collections::HashSet::new();
    for name in names {
        let found = bed.ok("GetDeploymentConfig", json!({"deploymentConfigName": name})).await;
        let routing = &found["deploymentConfigInfo"]["trafficRoutingConfig"];
        let digits: String = name.rsplit(|c: char| c.is_ascii_digit()).next().unwrap().to_owned();
        assert!(digits.starts_with("Minute") || routing["type"] == "AllAtOnce", "{name}");
        if routing["type"] == "TimeBasedCanary" {
            assert_eq!(routing["timeBasedCanary"]["canaryPercentage"], 10, "{name}");
            let minutes = routing["timeBasedCanary"]["canaryInterval"].as_i64().unwrap();
            assert!(name.ends_with(&format!("Percent{minutes}Minutes")), "{name}");
        }
        if routing["type"] == "TimeBasedLinear" {
            let minutes = routing["timeBasedLinear"]["linearInterval"].as_i64().unwrap();
            assert!(name.contains(&format!("Every{minutes}Minute")), "{name}");
        }
        assert!(ids.insert(found["deploymentConfigInfo"]["deploymentConfigId"].clone()));
    }
    bed.close().await;
}

#[tokio::test]
async fn revisions_are_remembered_with_their_use() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let used = revision(&appspec(&[]));
    let s3 =
        json!({"revisionType": "S3", "s3Location": {"bucket": "b", "key": "dir/k", "bundleType": "YAML"}});
    let about = |revision: &Json| json!({"applicationName": "app", "revision": revision});
    assert_eq!(bed.refused("GetApplicationRevision", about(&s3)).await.0, "RevisionDoesNotExistException");
    bed.ok("RegisterApplicationRevision", with(about(&s3), json!({"description": "from a bucket"}))).await;
    let info = bed.ok("GetApplicationRevision", about(&s3)).await["revisionInfo"].clone();
    assert_eq!((&info["description"], &info["deploymentGroups"]), (&json!("from a bucket"), &json!([])));
    let id = bed.deploy("AllAtOnce", &[], json!({})).await;
    bed.end(&id).await;
    let info = bed.ok("GetApplicationRevision", about(&used)).await["revisionInfo"].clone();
    assert_eq!((&info["deploymentGroups"], info["firstUsedTime"].is_number()), (&json!(["group"]), true));
    let list = |more: Json| with(json!({"applicationName": "app"}), more);
    for (more, count) in [
        (json!({}), 2),
        (json!({"deployed": "include"}), 1),
        (json!({"deployed": "exclude"}), 1),
        (json!({"s3Bucket": "b"}), 1),
        (json!({"s3Bucket": "b", "s3KeyPrefix": "dir/"}), 1),
        (json!({"s3Bucket": "b", "s3KeyPrefix": "other/"}), 0),
    ] {
        let found = bed.ok("ListApplicationRevisions", list(more.clone())).await;
        assert_eq!(found["revisions"].as_array().unwrap().len(), count, "{more}");
    }
    let refused = bed.refused("ListApplicationRevisions", list(json!({"s3KeyPrefix": "k"}))).await;
    assert_eq!(refused.0, "BucketNameFilterRequiredException");
    let by_time = bed
        .ok("ListApplicationRevisions", list(json!({"sortBy": "lastUsedTime", "sortOrder": "descending"})))
        .await;
    assert_eq!(by_time["revisions"][0]["revisionType"], "AppSpecContent");
    bed.close().await;
}

#[tokio::test]
async fn tags_belong_to_applications_and_groups() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({"tags": [{"Key": "a", "Value": "1"}]})).await;
    let arn = |rest: &str| format!("arn:aws:codedeploy:us-east-1:000000000000:{rest}");
    for resource in ["application:app", "deploymentgroup:app/group"].map(arn) {
        bed.ok("TagResource", json!({"ResourceArn": resource, "Tags": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}]})).await;
        let tags = json!([{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]);
        assert_eq!(bed.ok("ListTagsForResource", json!({"ResourceArn": resource})).await["Tags"], tags);
        bed.ok("UntagResource", json!({"ResourceArn": resource, "TagKeys": ["a", "c"]})).await;
        let tags = json!([{"Key": "b", "Value": "2"}]);
        assert_eq!(bed.ok("ListTagsForResource", json!({"ResourceArn": resource})).await["Tags"], tags);
    }
    for (resource, code) in [
        (arn("application:none"), "ApplicationDoesNotExistException"),
        (arn("deploymentgroup:app/none"), "DeploymentGroupDoesNotExistException"),
        (arn("deploymentconfig:c"), "ArnNotSupportedException"),
        ("nonsense".to_owned(), "InvalidArnException"),
        ("arn:aws:codedeploy:eu-west-1:000000000000:application:app".to_owned(), "InvalidArnException"),
    ] {
        assert_eq!(bed.refused("ListTagsForResource", json!({"ResourceArn": resource})).await.0, code);
    }
    let many: Vec<Json> =
        (0..limits::TAGS).map(|at| json!({"Key": format!("k{at}"), "Value": "v"})).collect();
    let refused =
        bed.refused("TagResource", json!({"ResourceArn": arn("application:app"), "Tags": many})).await;
    assert_eq!(refused.0, "InvalidTagsToAddException", "one was there");
    bed.close().await;
}

#[tokio::test]
async fn there_is_an_end_to_applications_and_pages() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let input = |at: usize| json!({"applicationName": format!("a{at:03}"), "computePlatform": "Lambda"});
    for at in 0..limits::APPLICATIONS {
        bed.ok("CreateApplication", input(at)).await;
    }
    let refused = bed.refused("CreateApplication", input(limits::APPLICATIONS)).await;
    assert_eq!(refused.0, "ApplicationLimitExceededException");
    let page = bed.ok("ListApplications", json!({})).await;
    assert_eq!(page["applications"].as_array().unwrap().len(), limits::PAGE);
    let rest = bed.ok("ListApplications", json!({"nextToken": page["nextToken"]})).await;
    assert_eq!((rest["applications"].as_array().unwrap().len(), &rest["nextToken"]), (50, &Json::Null));
    let names: Vec<String> = (0..=limits::BATCH).map(|at| format!("a{at:03}")).collect();
    let refused = bed.refused("BatchGetApplications", json!({"applicationNames": names})).await;
    assert_eq!(refused.0, "BatchLimitExceededException");
    let found = bed.ok("BatchGetApplications", json!({"applicationNames": names[1..]})).await;
    assert_eq!(found["applicationsInfo"].as_array().unwrap().len(), limits::BATCH);
    bed.close().await;
}

#[tokio::test]
async fn there_is_an_end_to_groups_configurations_revisions_and_running_deployments() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.group(json!({})).await;
    let group: DeployGroup = bed.store.list("").unwrap().remove(0).record;
    let known = |at: usize| DeployRevision {
        scope: group.scope.clone(),
        application_id: group.application_id.clone(),
        digest: format!("{at:064}"),
        revision: Revision::AppSpecContent { content: at.to_string(), sha256: None },
        description: None,
        groups: Vec::new(),
        first_used_ms: None,
        last_used_ms: None,
        registered_ms: at as i64,
    };
    let revisions: Vec<DeployRevision> = (0..limits::REVISIONS).map(known).collect();
    let (scope, last) = (group.scope.clone(), group.clone());
    let fill = move |tx: &mut Transaction<'_>| {
        for at in 1..limits::GROUPS {
            tx.put(&DeployGroup { name: format!("g{at}"), ..last.clone() })?;
        }
        for at in 0..limits::RUNNING {
            let (group_id, deployment) = (at.to_string(), "d-AAAAAAAAA".to_owned());
            tx.put(&DeploymentClaim { scope: scope.clone(), group_id, deployment })?;
        }
        revisions.iter().try_for_each(|revision| tx.put(revision).map(drop))
    };
    bed.store.write::<_, pitbird_store::Error>(fill).await.unwrap();
    let refused = bed.refused("CreateDeploymentGroup", group_input("one-more")).await;
    assert_eq!(refused.0, "DeploymentGroupLimitExceededException");
    let deployment = json!({
        "applicationName": "app", "deploymentGroupName": "group", "revision": revision(&appspec(&[])),
    });
    let refused = bed.refused("CreateDeployment", deployment).await;
    assert_eq!(refused.0, "DeploymentLimitExceededException");
    assert!(refused.1.contains("1000 deployments are running"), "{}", refused.1);
    let about = json!({"applicationName": "app", "revision": revision("the newest")});
    bed.ok("RegisterApplicationRevision", about.clone()).await;
    bed.ok("GetApplicationRevision", about).await;
    let left = bed.store.list::<DeployRevision>("").unwrap();
    assert_eq!(left.len(), limits::REVISIONS);
    assert!(left.iter().all(|found| found.record.registered_ms > 0), "the oldest went");
    let config = |at: usize| {
        json!({
            "deploymentConfigName": format!("c{at}"), "computePlatform": "Lambda", "trafficRoutingConfig": {"type": "AllAtOnce"},
        })
    };
    for at in 0..limits::CONFIGS {
        bed.ok("CreateDeploymentConfig", config(at)).await;
    }
    let refused = bed.refused("CreateDeploymentConfig", config(limits::CONFIGS)).await;
    assert_eq!(refused.0, "DeploymentConfigLimitExceededException");
    bed.close().await;
}
