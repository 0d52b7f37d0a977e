//! Alarms on alarms.

use super::*;
use crate::{Due, step};

impl Bed {
    async fn composite(&self, name: &str, rule: &str, more: Json) {
        let input = json!({"AlarmName": name, "AlarmRule": rule});
        self.ok("PutCompositeAlarm", with(&input, more)).await;
    }

    async fn set(&self, name: &str, state: &str) {
        let input = json!({"AlarmName": name, "StateValue": state, "StateReason": "drill"});
        self.ok("SetAlarmState", input).await;
    }

    async fn composite_of(&self, name: &str) -> Json {
        let input = json!({"AlarmNames": [name], "AlarmTypes": ["CompositeAlarm"]});
        self.ok("DescribeAlarms", input).await["CompositeAlarms"][0].clone()
    }

    async fn value_of(&self, name: &str) -> String {
        self.composite_of(name).await["StateValue"].as_str().expect("a state").to_owned()
    }
}

#[tokio::test]
async fn a_new_composite_alarm_has_these_members_and_follows_its_children() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.alarm("b", json!({})).await;
    bed.composite("both", "ALARM(a) AND ALARM(b)", json!({"AlarmDescription": "Both."})).await;
    let made = bed.composite_of("both").await;
    for (member, value) in [
        ("AlarmName", json!("both")),
        ("AlarmArn", json!("arn:aws:cloudwatch:us-east-1:000000000000:alarm:both")),
        ("AlarmRule", json!("ALARM(a) AND ALARM(b)")),
        ("AlarmDescription", json!("Both.")),
        ("ActionsEnabled", json!(true)),
        ("OKActions", json!([])),
        ("StateValue", json!("OK")),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert_eq!(made.get("ActionsSuppressor"), None);
    bed.set("a", "ALARM").await;
    assert_eq!(bed.value_of("both").await, "OK");
    bed.set("b", "ALARM").await;
    let risen = bed.composite_of("both").await;
    assert_eq!(risen["StateValue"], "ALARM");
    let reason = risen["StateReason"].as_str().expect("words");
    let begins = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:b transitioned to ALARM at ";
    assert!(reason.starts_with(begins) && reason.ends_with(" UTC"), "{reason}");
    let data: Json = serde_json::from_str(risen["StateReasonData"].as_str().expect("data")).expect("JSON");
    let trigger = &data["triggeringAlarms"][0];
    assert_eq!(trigger["arn"], "arn:aws:cloudwatch:us-east-1:000000000000:alarm:b");
    assert_eq!(trigger["state"]["value"], "ALARM");
    bed.set("a", "OK").await;
    assert_eq!(bed.value_of("both").await, "OK");
}

#[tokio::test]
async fn a_measurement_moves_alarms_upon_alarms_in_one_commit() {
    let bed = Bed::new();
    bed.alarm("leaf", json!({})).await;
    bed.composite("twig", "ALARM(leaf)", json!({})).await;
    bed.composite("root", "ALARM(\"arn:aws:cloudwatch:us-east-1:000000000000:alarm:twig\")", json!({})).await;
    bed.put(-MINUTE, 6.0).await;
    assert_eq!(step(&bed.state, Due::All, bed.start_ms).await.expect("evaluated"), 3);
    assert_eq!((bed.value_of("twig").await, bed.value_of("root").await), ("ALARM".into(), "ALARM".into()));
    let standings = bed.state.alarm_states(&bed.caller.scope, ["root"]).expect("states");
    assert_eq!(standings[0].state.as_str(), "ALARM", "rollouts see composite alarms too");
    let history =
        bed.ok("DescribeAlarmHistory", json!({"AlarmTypes": ["CompositeAlarm"], "AlarmName": "root"})).await;
    assert_eq!(history["AlarmHistoryItems"][0]["AlarmType"], "CompositeAlarm");
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    let put = |name: &str, rule: &str| json!({"AlarmName": name, "AlarmRule": rule});
    let arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:gone";
    assert_eq!(
        bed.refused("PutCompositeAlarm", put("c", "ALARM(gone) OR ALARM(a)")).await,
        invalid(format!(
            "Could not save the composite alarm as alarms [{arn}] in the alarm rule do not exist"
        ))
    );
    assert_eq!(
        bed.refused("PutCompositeAlarm", put("c", "ALARM(a) XOR ALARM(a)")).await,
        invalid("AlarmRule has 'XOR' at position 9 where AND, OR or the end belongs")
    );
    let refused = bed.refused("PutCompositeAlarm", put("a", "TRUE")).await;
    assert_eq!(refused, invalid("An alarm of the type MetricAlarm has the name a already."));
    bed.composite("c", "TRUE", json!({})).await;
    let refused = bed.refused("PutMetricAlarm", alarm_input("c")).await;
    assert_eq!(refused, invalid("An alarm of the type CompositeAlarm has the name c already."));
    let halfway = with(&put("d", "TRUE"), json!({"ActionsSuppressor": "a"}));
    assert!(bed.refused("PutCompositeAlarm", halfway).await.message.contains("are required"));
}

#[tokio::test]
async fn circles_are_left_alone_and_can_be_broken() {
    let bed = Bed::new();
    bed.composite("a", "FALSE", json!({})).await;
    bed.composite("b", "OK(a)", json!({})).await;
    assert_eq!(bed.value_of("b").await, "ALARM");
    bed.composite("a", "ALARM(b)", json!({})).await;
    assert_eq!(bed.value_of("a").await, "OK", "a circle is not judged");
    let refused = bed.refused("DeleteAlarms", json!({"AlarmNames": ["a"]})).await;
    assert_eq!(refused, invalid("Cannot delete a as there are composite alarm(s) depending on it."));
    bed.composite("a", "FALSE", json!({})).await;
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["b"]})).await;
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["a"]})).await;
}

#[tokio::test]
async fn children_are_kept_and_composite_alarms_are_deleted_one_by_one() {
    let bed = Bed::new();
    bed.alarm("leaf", json!({})).await;
    bed.composite("one", "ALARM(leaf)", json!({})).await;
    bed.composite("two", "ALARM(leaf)", json!({})).await;
    let refused = bed.refused("DeleteAlarms", json!({"AlarmNames": ["leaf"]})).await;
    assert_eq!(refused, invalid("Cannot delete leaf as there are composite alarm(s) depending on it."));
    assert!(
        bed.refused("DeleteAlarms", json!({"AlarmNames": ["one", "two"]}))
            .await
            .message
            .contains("at most one")
    );
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["one"]})).await;
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["leaf", "two"]})).await;
}

#[tokio::test]
async fn relatives_are_found() {
    let bed = Bed::new();
    bed.alarm("leaf", json!({})).await;
    bed.composite("twig", "ALARM(leaf)", json!({})).await;
    bed.composite("root", "ALARM(twig) OR OK(leaf)", json!({})).await;
    let children = bed.ok("DescribeAlarms", json!({"ChildrenOfAlarmName": "root"})).await;
    assert_eq!(column(&children["CompositeAlarms"], "AlarmName"), ["twig"]);
    assert_eq!(column(&children["MetricAlarms"], "AlarmName"), ["leaf"]);
    let members: Vec<&String> = children["MetricAlarms"][0].as_object().expect("an alarm").keys().collect();
    assert_eq!(members, ["AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp"]);
    let parents = bed.ok("DescribeAlarms", json!({"ParentsOfAlarmName": "leaf"})).await;
    assert_eq!(column(&parents["CompositeAlarms"], "AlarmName"), ["root", "twig"]);
    let both = json!({"ParentsOfAlarmName": "leaf", "StateValue": "OK"});
    assert!(bed.refused("DescribeAlarms", both).await.message.contains("combined"));
    // By default only metric alarms are described.
    let plain = bed.ok("DescribeAlarms", json!({})).await;
    assert_eq!(
        (column(&plain["MetricAlarms"], "AlarmName"), &plain["CompositeAlarms"]),
        (vec!["leaf".to_owned()], &json!([]))
    );
}

#[tokio::test]
async fn a_state_set_by_hand_lasts_until_a_child_changes() {
    let bed = Bed::new();
    bed.alarm("leaf", json!({})).await;
    bed.alarm("other", json!({})).await;
    bed.composite("twig", "ALARM(leaf)", json!({})).await;
    bed.set("twig", "ALARM").await;
    bed.set("other", "ALARM").await;
    step(&bed.state, Due::HighResolution, bed.start_ms).await.expect("evaluated");
    assert_eq!(bed.value_of("twig").await, "ALARM", "no child of it has changed");
    bed.set("leaf", "OK").await;
    assert_eq!(bed.value_of("twig").await, "OK");
}

/// What happens to an alarm with a suppressor: after each move, what holds its actions back, and how many deeds wait in all.
#[tokio::test]
async fn a_suppressor_holds_actions_back() {
    let bed = Bed::new();
    let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
    bed.alarm("leaf", json!({})).await;
    bed.alarm("quiet", json!({})).await;
    let more = json!({
        "AlarmActions": [function], "OKActions": [function], "ActionsSuppressor": "quiet",
        "ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 120,
    });
    bed.set("leaf", "OK").await;
    bed.composite("c", "ALARM(leaf)", more).await;
    let deeds = || bed.state.store.list::<pitbird_records::AlarmDeed>("").expect("deeds").len();
    assert_eq!(deeds(), 1, "it has become OK, and nothing holds that back");
    let by = async || {
        bed.composite_of("c").await.get("ActionsSuppressedBy").map(|by| by.as_str().unwrap_or("").to_owned())
    };
    let later = async |after_ms: i64| {
        let now_ms = bed.now_ms.load(Ordering::Relaxed) + after_ms;
        bed.now_ms.store(now_ms, Ordering::Relaxed);
        step(&bed.state, Due::HighResolution, now_ms).await.expect("evaluated");
    };
    // It waits, and nobody comes.
    bed.set("leaf", "ALARM").await;
    assert_eq!((by().await.as_deref(), deeds()), (Some("WaitPeriod"), 1));
    later(59_000).await;
    assert_eq!((by().await.as_deref(), deeds()), (Some("WaitPeriod"), 1));
    later(1_100).await;
    assert_eq!((by().await, deeds()), (None, 2));
    let told = bed.state.store.list::<pitbird_records::AlarmDeed>("").expect("deeds");
    let event: Json = serde_json::from_str(&told[1].record.event).expect("JSON");
    let data = &event["alarmData"];
    assert_eq!(
        (&data["state"]["value"], &data["previousState"]["value"]),
        (&json!("ALARM"), &json!("ALARM"))
    );
    assert_eq!(data["previousState"]["actionsSuppressedReason"], "Actions suppressed by WaitPeriod");
    assert_eq!(data["configuration"]["actionsSuppressorExtensionPeriod"], 120);
    bed.set("leaf", "OK").await;
    assert_eq!(deeds(), 3);
    // It waits, and has calmed down before.
    bed.set("leaf", "ALARM").await;
    bed.set("leaf", "OK").await;
    assert_eq!((by().await, deeds()), (None, 3));
    // It waits, the suppressor comes, goes, and the extension passes.
    bed.set("leaf", "ALARM").await;
    bed.set("quiet", "ALARM").await;
    assert_eq!((by().await.as_deref(), deeds()), (Some("Alarm"), 3));
    later(600_000).await;
    assert_eq!((by().await.as_deref(), deeds()), (Some("Alarm"), 3));
    bed.set("quiet", "OK").await;
    assert_eq!((by().await.as_deref(), deeds()), (Some("ExtensionPeriod"), 3));
    later(120_100).await;
    assert_eq!((by().await, deeds()), (None, 4));
}

#[tokio::test]
async fn an_alarm_that_holds_already_does_nothing_when_another_child_alarms() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.alarm("b", json!({})).await;
    let action = json!({"AlarmActions": ["arn:aws:lambda:us-east-1:000000000000:function:f"]});
    bed.composite("any", "ALARM(a) OR ALARM(b)", action).await;
    let deeds = || bed.state.store.list::<pitbird_records::AlarmDeed>("").expect("deeds").len();
    bed.set("a", "ALARM").await;
    assert_eq!(deeds(), 1);
    let before = bed.composite_of("any").await;
    bed.set("b", "ALARM").await;
    assert_eq!((deeds(), bed.composite_of("any").await), (1, before), "neither told nor changed");
}

#[tokio::test]
async fn an_alarm_is_in_the_rules_of_150_others_at_most() {
    let bed = Bed::new();
    bed.alarm("leaf", json!({})).await;
    for number in 0..150 {
        bed.composite(&format!("c{number}"), "ALARM(leaf)", json!({})).await;
    }
    let one_more = json!({"AlarmName": "more", "AlarmRule": "OK(leaf)"});
    let refused = bed.refused("PutCompositeAlarm", one_more.clone()).await;
    assert_eq!(refused, invalid("The alarm leaf is in the rules of 150 composite alarms already."));
    bed.composite("c149", "OK(leaf)", json!({})).await;
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["c0"]})).await;
    bed.ok("PutCompositeAlarm", one_more).await;
}
