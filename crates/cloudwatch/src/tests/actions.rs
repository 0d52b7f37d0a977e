//! What alarms set going.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pitbird_records::AlarmDeed;
use tokio::sync::mpsc;

use super::*;
use crate::{Act, Action, Deed, Done, start_actor};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

/// Tells the test of deeds, and fails those whose URL says so.
struct Witness {
    deeds: mpsc::UnboundedSender<Deed>,
    tries: Mutex<BTreeMap<String, usize>>,
}

impl Act for Witness {
    fn act(&self, deed: Deed) -> Done<'_> {
        Box::pin(async move {
            let url = match &deed.action {
                Action::Webhook(url) => url.clone(),
                Action::Function(_) => String::new(),
            };
            *self.tries.lock().expect("no panic").entry(url.clone()).or_default() += 1;
            let _closed = self.deeds.send(deed);
            if url.ends_with("/bad") { Err("it is bad".to_owned()) } else { Ok(()) }
        })
    }
}

fn witness() -> (Arc<Witness>, mpsc::UnboundedReceiver<Deed>) {
    let (deeds, seen) = mpsc::unbounded_channel();
    (Arc::new(Witness { deeds, tries: Mutex::default() }), seen)
}

async fn next(seen: &mut mpsc::UnboundedReceiver<Deed>) -> Deed {
    let deed = tokio::time::timeout(std::time::Duration::from_secs(10), seen.recv()).await;
    deed.expect("within the time").expect("the actor is alive")
}

impl Bed {
    fn deeds(&self) -> Vec<AlarmDeed> {
        let found = self.state.store.list::<AlarmDeed>("").expect("deeds");
        found.into_iter().map(|found| found.record).collect()
    }

    /// Waits until no deed waits, and answers the history of actions, oldest first.
    async fn actions_done(&self) -> Vec<Json> {
        let mut commits = self.state.store.watch();
        commits.mark_changed();
        while commits.changed().await.is_ok() && !self.deeds().is_empty() {}
        let input = json!({"HistoryItemType": "Action", "ScanBy": "TimestampAscending"});
        self.ok("DescribeAlarmHistory", input).await["AlarmHistoryItems"].as_array().expect("items").clone()
    }

    async fn set_state(&self, state: &str) {
        let input = json!({"AlarmName": "a", "StateValue": state, "StateReason": "drill"});
        self.ok("SetAlarmState", input).await;
    }
}

#[tokio::test]
async fn each_state_has_its_actions_and_they_are_told_what_has_changed() {
    let bed = Bed::new();
    let more = json!({
        "AlarmActions": [FUNCTION, "http://127.0.0.1:9/hook"], "OKActions": ["https://example.com/ok"],
        "AlarmDescription": "Too many.", "Unit": "Count",
    });
    bed.alarm("a", more).await;
    let described = bed.described("a").await;
    assert_eq!(described["AlarmActions"], json!([FUNCTION, "http://127.0.0.1:9/hook"]));
    let found = bed.ok("DescribeAlarms", json!({"ActionPrefix": "arn:aws:lambda"})).await;
    assert_eq!(column(&found["MetricAlarms"], "AlarmName"), ["a"]);
    let (act, mut seen) = witness();
    let actor = start_actor(bed.state.clone(), act);
    bed.set_state("ALARM").await;
    let mut deeds = [next(&mut seen).await, next(&mut seen).await];
    deeds.sort_by_key(|deed| matches!(deed.action, Action::Webhook(_)));
    assert_eq!(deeds[0].action, Action::Function(FUNCTION.to_owned()));
    assert_eq!(deeds[0].alarm_arn, "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a");
    assert_eq!(deeds[0].event, deeds[1].event);
    let event: Json = serde_json::from_str(&deeds[0].event).expect("JSON");
    let time = event["time"].as_str().expect("a time");
    assert!(time.ends_with("+0000") && time.len() == 28, "{time}");
    let data = &event["alarmData"];
    assert_eq!(
        (&event["source"], &event["accountId"], &event["region"]),
        (&json!("aws.cloudwatch"), &json!("000000000000"), &json!("us-east-1"))
    );
    assert_eq!(data["state"], json!({"value": "ALARM", "reason": "drill", "timestamp": time}));
    assert_eq!(data["previousState"]["value"], "INSUFFICIENT_DATA");
    assert_eq!(
        data["configuration"],
        json!({"description": "Too many.", "metrics": [{"id": "m1", "returnData": true, "metricStat": {
            "metric": {"namespace": "N", "name": "m", "dimensions": {"d": "x"}},
            "period": 60, "stat": "Sum", "unit": "Count",
        }}]})
    );
    bed.set_state("OK").await;
    assert_eq!(next(&mut seen).await.action, Action::Webhook("https://example.com/ok".to_owned()));
    let done = bed.actions_done().await;
    let summary = |at: usize| done[at]["HistorySummary"].as_str().expect("words").to_owned();
    assert_eq!(done.len(), 3);
    assert_eq!(summary(2), "Successfully executed action https://example.com/ok");
    bed.set_state("INSUFFICIENT_DATA").await;
    assert!(bed.deeds().is_empty(), "it has no action for that");
    actor.stop().await;
}

#[tokio::test]
async fn no_action_is_taken_where_they_are_disabled_or_nothing_changes() {
    let bed = Bed::new();
    bed.alarm("a", json!({"AlarmActions": [FUNCTION], "ActionsEnabled": false})).await;
    bed.set_state("ALARM").await;
    assert!(bed.deeds().is_empty());
    bed.ok("EnableAlarmActions", json!({"AlarmNames": ["a"]})).await;
    bed.set_state("ALARM").await;
    assert!(bed.deeds().is_empty(), "it was in ALARM before");
    bed.set_state("OK").await;
    bed.set_state("ALARM").await;
    assert_eq!(bed.deeds().len(), 1);
}

#[tokio::test]
async fn a_failure_is_told_in_the_history() {
    let bed = Bed::new();
    bed.alarm("a", json!({"AlarmActions": ["http://127.0.0.1:9/bad"]})).await;
    let (act, mut seen) = witness();
    let actor = start_actor(bed.state.clone(), act.clone());
    bed.set_state("ALARM").await;
    next(&mut seen).await;
    let done = bed.actions_done().await;
    assert_eq!(
        done[0]["HistorySummary"],
        "Failed to execute action http://127.0.0.1:9/bad. Received error: \"it is bad\""
    );
    let data: Json = serde_json::from_str(done[0]["HistoryData"].as_str().expect("data")).expect("JSON");
    assert_eq!((&data["actionState"], &data["error"]), (&json!("Failed"), &json!("it is bad")));
    assert_eq!(data["notificationResource"], "http://127.0.0.1:9/bad");
    actor.stop().await;
    assert_eq!(act.tries.lock().expect("no panic").values().sum::<usize>(), 1);
}

#[tokio::test]
async fn what_was_left_undone_is_done_by_the_next_run() {
    let bed = Bed::new();
    bed.alarm("a", json!({"AlarmActions": [FUNCTION]})).await;
    bed.set_state("ALARM").await;
    let bed = bed.reopened();
    let (act, mut seen) = witness();
    let actor = start_actor(bed.state.clone(), act);
    assert_eq!(next(&mut seen).await.action, Action::Function(FUNCTION.to_owned()));
    assert_eq!(bed.actions_done().await.len(), 1);
    actor.stop().await;
}

#[tokio::test]
async fn many_deeds_are_all_done_once() {
    let bed = Bed::new();
    for number in 0..100 {
        bed.alarm(&format!("a{number}"), json!({"AlarmActions": [FUNCTION]})).await;
    }
    bed.put(-MINUTE, 6.0).await;
    let (act, mut seen) = witness();
    let actor = start_actor(bed.state.clone(), act);
    assert_eq!(crate::step(&bed.state, crate::Due::All, bed.start_ms).await.expect("evaluated"), 100);
    let mut alarms = std::collections::BTreeSet::new();
    for _ in 0..100 {
        assert!(alarms.insert(next(&mut seen).await.alarm_arn), "none is told twice");
    }
    assert_eq!(bed.actions_done().await.len(), 100);
    actor.stop().await;
}

#[tokio::test]
async fn at_most_five_actions_belong_to_a_state() {
    let bed = Bed::new();
    let urls: Vec<String> = (0..6).map(|n| format!("http://127.0.0.1/{n}")).collect();
    let refused = bed.refused("PutMetricAlarm", with(&alarm_input("a"), json!({"OKActions": urls}))).await;
    assert!(refused.message.contains("less than or equal to 5"), "{refused:?}");
    bed.alarm("a", json!({"OKActions": urls[..5]})).await;
}
