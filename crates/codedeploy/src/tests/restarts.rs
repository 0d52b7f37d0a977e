//! A deployment goes on where it was, whenever the server ends.

use pitbird_names::VersionId;
use pitbird_records::{DeploymentClaim, FunctionDeployment, RolloutClaim};
use serde_json::json;

use super::bed::{Bed, SCALE};

/// Runs a deployment with a restart after every `commits`-th commit; an alarm rings at a generation, if at all. How it
/// ended, how often hooks were asked, and how many restarts there were.
async fn run(commits: usize, rings_at: Option<u32>) -> (FunctionDeployment, usize, usize) {
    let directory = tempfile::tempdir().unwrap();
    let mut bed = Bed::open(directory.path(), SCALE).await;
    bed.around().alarms.insert("errors".into(), false);
    bed.group(json!({
        "alarmConfiguration": {"enabled": true, "alarms": [{"name": "errors"}]},
        "autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
    }))
    .await;
    let hooks = [("BeforeAllowTraffic", "pre"), ("AfterAllowTraffic", "post")];
    let id = bed.deploy("Linear10PercentEvery1Minute", &hooks, json!({})).await;
    let mut asked = 0;
    for restarts in 0..100 {
        let mut watch = bed.store.watch();
        for _ in 0..commits {
            watch.borrow_and_update();
            let deployment = bed.deployment(&id);
            if deployment.has_ended() && bed.store.list::<DeploymentClaim>("").unwrap().is_empty() {
                assert!(bed.store.list::<RolloutClaim>("").unwrap().is_empty());
                let leads = bed.leads();
                let expected = if rings_at.is_some() { 1 } else { 2 };
                assert_eq!(leads, (VersionId::Number(expected), None));
                bed.close().await;
                return (deployment, asked, restarts);
            }
            let waiting = deployment.events.iter().filter_map(|event| event.hook.as_ref());
            if waiting.filter(|run| run.answer.is_none()).count() > 0 && !deployment.has_ended() {
                let call = bed.asked(1).await;
                asked += 1;
                bed.asked.send_modify(Vec::clear);
                bed.answer(&call, "Succeeded").await;
                continue;
            }
            if rings_at == Some(deployment.generation) {
                bed.around().alarms.insert("errors".into(), true);
            }
            watch.changed().await.expect("the store is open");
        }
        let alarms = bed.around().alarms.clone();
        bed.close().await;
        bed = Bed::open(directory.path(), SCALE).await;
        bed.around().alarms = alarms;
    }
    panic!("a hundred restarts were not enough");
}

#[tokio::test]
async fn every_share_is_given_once_in_spite_of_restarts() {
    for commits in [1, 2, 3, 5] {
        let (deployment, asked, restarts) = run(commits, None).await;
        assert_eq!(deployment.status.as_str(), "Succeeded", "with a restart after every {commits} commits");
        assert_eq!(deployment.generation, 10, "nine shares and the rest");
        let took_ms = deployment.completed_ms.unwrap() - deployment.started_ms.unwrap();
        assert!(took_ms >= 9 * 100, "no wait was cut short: {took_ms} ms");
        assert!(restarts > 1 && asked >= 2, "{restarts} {asked}");
    }
}

#[tokio::test]
async fn it_is_rolled_back_in_spite_of_restarts() {
    for commits in [1, 2, 3] {
        let (deployment, _, restarts) = run(commits, Some(4)).await;
        assert_eq!(deployment.status.as_str(), "Stopped", "with a restart after every {commits} commits");
        assert!(deployment.rollback.is_some());
        assert!(restarts > 1, "{restarts}");
    }
}
