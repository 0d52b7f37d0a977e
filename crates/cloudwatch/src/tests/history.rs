use super::*;
use crate::{Due, alarm, step};

async fn items(bed: &Bed, input: Json) -> Vec<Json> {
    bed.ok("DescribeAlarmHistory", input).await["AlarmHistoryItems"].as_array().expect("items").clone()
}

fn summaries(items: &[Json]) -> Vec<&str> {
    items.iter().map(|item| item["HistorySummary"].as_str().expect("words")).collect()
}

#[tokio::test]
async fn all_that_happens_to_an_alarm_is_told() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.alarm("b/c", json!({})).await;
    bed.put(-MINUTE, 6.0).await;
    step(&bed.state, Due::All, bed.start_ms + 10).await.expect("evaluated");
    bed.now_ms.store(bed.start_ms + 20, Ordering::Relaxed);
    bed.alarm("a", json!({"Threshold": 7})).await;
    bed.ok("SetAlarmState", json!({"AlarmName": "a", "StateValue": "OK", "StateReason": "drill"})).await;
    bed.ok("DeleteAlarms", json!({"AlarmNames": ["a"]})).await;
    let all = items(&bed, json!({"AlarmName": "a", "ScanBy": "TimestampAscending"})).await;
    assert_eq!(
        summaries(&all),
        [
            "Alarm \"a\" created",
            "Alarm updated from INSUFFICIENT_DATA to ALARM",
            "Alarm \"a\" updated",
            "Alarm updated from ALARM to OK",
            "Alarm \"a\" deleted",
        ]
    );
    assert_eq!(all[0]["HistoryItemType"], "ConfigurationUpdate");
    assert_eq!(
        (&all[1]["HistoryItemType"], &all[1]["AlarmType"]),
        (&json!("StateUpdate"), &json!("MetricAlarm"))
    );
    let data = |item: &Json| -> Json {
        serde_json::from_str(item["HistoryData"].as_str().expect("data")).expect("JSON")
    };
    let created = data(&all[0]);
    assert_eq!((&created["type"], &created["version"]), (&json!("Create"), &json!("1.0")));
    assert_eq!(created["createdAlarm"]["threshold"], 5.0);
    assert_eq!(data(&all[2])["updatedAlarm"]["threshold"], 7.0);
    let risen = data(&all[1]);
    assert_eq!(risen["oldState"]["stateValue"], "INSUFFICIENT_DATA");
    assert_eq!(risen["newState"]["stateReasonData"]["recentDatapoints"], json!([6.0]));
    // The newest first, of all alarms.
    let newest = items(&bed, json!({})).await;
    assert_eq!(summaries(&newest)[0], "Alarm \"a\" deleted");
    assert_eq!(newest.len(), 7);
    let states = items(&bed, json!({"HistoryItemType": "StateUpdate", "AlarmName": "b/c"})).await;
    assert_eq!(summaries(&states), ["Alarm updated from INSUFFICIENT_DATA to ALARM"]);
    for none in [json!({"AlarmTypes": ["CompositeAlarm"]}), json!({"HistoryItemType": "Action"})] {
        assert!(items(&bed, none).await.is_empty());
    }
    let range = json!({"StartDate": bed.at(5), "EndDate": bed.at(15)});
    assert_eq!(items(&bed, range).await.len(), 2);
}

#[tokio::test]
async fn history_comes_in_pages() {
    let bed = Bed::new();
    for number in 0..5 {
        bed.alarm(&number.to_string(), json!({})).await;
    }
    for (scan, expected) in [("TimestampDescending", "4 3|2 1|0"), ("TimestampAscending", "0 1|2 3|4")] {
        let (mut token, mut pages) = (Json::Null, Vec::new());
        loop {
            let page = bed
                .ok("DescribeAlarmHistory", json!({"MaxRecords": 2, "ScanBy": scan, "NextToken": token}))
                .await;
            pages.push(column(&page["AlarmHistoryItems"], "AlarmName").join(" "));
            match page.get("NextToken") {
                Some(next) => token = next.clone(),
                None => break,
            }
        }
        assert_eq!(pages.join("|"), expected);
    }
    let refused = bed.refused("DescribeAlarmHistory", json!({"NextToken": "!"})).await;
    assert_eq!(refused.code, "InvalidNextToken");
}

#[tokio::test]
async fn history_is_kept_for_thirty_days() {
    let bed = Bed::new();
    bed.alarm("a", json!({})).await;
    bed.now_ms.store(bed.start_ms + 30 * DAY, Ordering::Relaxed);
    bed.alarm("a", json!({})).await;
    assert_eq!(items(&bed, json!({})).await.len(), 1, "older ones aren't told");
    alarm::prune(&bed.state, bed.start_ms + 30 * DAY + 1).await.expect("pruned");
    let kept = bed.state.store.list::<pitbird_records::AlarmEvent>("").expect("events");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].record.summary, "Alarm \"a\" updated");
}
