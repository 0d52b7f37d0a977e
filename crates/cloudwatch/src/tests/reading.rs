//! GetMetricData.

use super::*;

fn query(id: &str, stat: &str) -> Json {
    let metric = json!({"Namespace": "N", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}]});
    json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}})
}

fn ask(bed: &Bed, queries: &[Json], more: Json) -> Json {
    let input =
        json!({"MetricDataQueries": queries, "StartTime": bed.at(-10 * MINUTE), "EndTime": bed.at(0)});
    with(&input, more)
}

async fn bed_with_data() -> Bed {
    let bed = Bed::new();
    for (minutes, value) in [(5, 1.0), (4, 2.0), (4, 3.0), (2, 4.0)] {
        bed.put(-minutes * MINUTE, value).await;
    }
    bed
}

#[tokio::test]
async fn series_come_newest_first_unless_asked() {
    let bed = bed_with_data().await;
    let told = bed.ok("GetMetricData", ask(&bed, &[query("a", "Sum")], json!({}))).await;
    let times = |minutes: &[i64]| minutes.iter().map(|minutes| bed.at(-minutes * MINUTE)).collect::<Vec<_>>();
    let result = &told["MetricDataResults"][0];
    assert_eq!((&result["Id"], &result["Label"]), (&json!("a"), &json!("m")));
    assert_eq!(result["Values"], json!([4.0, 5.0, 1.0]));
    let found: Vec<f64> =
        result["Timestamps"].as_array().expect("times").iter().filter_map(Json::as_f64).collect();
    assert_eq!(found, times(&[2, 4, 5]));
    assert_eq!(result["StatusCode"], "Complete");
    assert_eq!(told["Messages"], json!([]));
    assert_eq!(told.get("NextToken"), None);
    let told = bed
        .ok("GetMetricData", ask(&bed, &[query("a", "Sum")], json!({"ScanBy": "TimestampAscending"})))
        .await;
    assert_eq!(told["MetricDataResults"][0]["Values"], json!([1.0, 5.0, 4.0]));
}

#[tokio::test]
async fn series_are_labelled_apart() {
    let bed = bed_with_data().await;
    let queries = [
        query("a", "Sum"),
        query("b", "p50"),
        with(&query("c", "Average"), json!({"Label": "mine"})),
        with(&query("d", "Maximum"), json!({"ReturnData": false})),
    ];
    let told = bed.ok("GetMetricData", ask(&bed, &queries, json!({}))).await;
    assert_eq!(column(&told["MetricDataResults"], "Label"), ["m Sum", "m p50", "mine"]);
}

#[tokio::test]
async fn one_unit_is_told_and_never_a_mix() {
    let bed = Bed::new();
    for (unit, minutes) in [("Count", 3), ("Seconds", 2), ("Count", 4)] {
        let datum = json!({
            "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}], "Timestamp": bed.at(-minutes * MINUTE),
            "Unit": unit, "Value": minutes,
        });
        bed.ok("PutMetricData", json!({"Namespace": "N", "MetricData": [datum]})).await;
    }
    let told = bed.ok("GetMetricData", ask(&bed, &[query("a", "Sum")], json!({}))).await;
    assert_eq!(told["MetricDataResults"][0]["Values"], json!([2.0]));
    let mut counted = query("a", "Sum");
    counted["MetricStat"]["Unit"] = json!("Count");
    let told = bed.ok("GetMetricData", ask(&bed, &[counted], json!({}))).await;
    assert_eq!(told["MetricDataResults"][0]["Values"], json!([3.0, 4.0]));
}

#[tokio::test]
async fn data_come_in_pages_without_loss() {
    let bed = bed_with_data().await;
    let queries: Vec<Json> = (0..20).map(|n| query(&format!("q{n}"), "Sum")).collect();
    for scan in ["TimestampAscending", "TimestampDescending"] {
        let (mut token, mut found) = (Json::Null, std::collections::BTreeMap::<String, Vec<f64>>::new());
        for page in 0.. {
            let more = json!({"MaxDatapoints": 7, "NextToken": token, "ScanBy": scan});
            let told = bed.ok("GetMetricData", ask(&bed, &queries, more)).await;
            let mut count = 0;
            for result in told["MetricDataResults"].as_array().expect("results") {
                let values = result["Values"].as_array().expect("values");
                count += values.len();
                let id = result["Id"].as_str().expect("an id").to_owned();
                found.entry(id).or_default().extend(values.iter().filter_map(Json::as_f64));
            }
            match told.get("NextToken") {
                Some(next) => token = next.clone(),
                None => {
                    assert_eq!((page, count), (8, 4));
                    break;
                }
            }
            assert_eq!(count, 7);
        }
        let expected = if scan == "TimestampAscending" { [1.0, 5.0, 4.0] } else { [4.0, 5.0, 1.0] };
        assert_eq!(found.len(), 20);
        assert!(found.values().all(|values| values == &expected), "{found:?}");
    }
}

#[tokio::test]
async fn any_range_is_answered() {
    let bed = bed_with_data().await;
    for period in [1, 60, 86_400] {
        let mut query = query("a", "Sum");
        query["MetricStat"]["Period"] = json!(period);
        let more = json!({"StartTime": 0, "EndTime": bed.at(365 * DAY)});
        let told = bed.ok("GetMetricData", ask(&bed, &[query], more)).await;
        let values = told["MetricDataResults"][0]["Values"].as_array().expect("values");
        assert_eq!(values.iter().filter_map(Json::as_f64).sum::<f64>(), 10.0, "{period}");
    }
}

#[tokio::test]
async fn what_can_t_be_asked_is_refused() {
    let bed = Bed::new();
    let bad = |change: fn(&mut Json)| {
        let mut query = query("a", "Sum");
        change(&mut query);
        query
    };
    let at = "MetricDataQueries.member.1";
    for (queries, more, words) in [
        (
            vec![query("a", "Sum")],
            json!({"StartTime": bed.at(0)}),
            "The parameter StartTime must be less than the parameter EndTime.".to_owned(),
        ),
        (
            vec![query("a", "Sum"), query("a", "Sum")],
            json!({}),
            "The values for parameter id in MetricDataQueries are not unique.".to_owned(),
        ),
        (
            vec![query("A", "Sum")],
            json!({}),
            format!(
                "The value A for parameter {at}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            ),
        ),
        (
            vec![query("a", "Mean")],
            json!({}),
            format!("The value Mean for parameter {at}.MetricStat.Stat is invalid."),
        ),
        (vec![json!({"Id": "a"})], json!({}), format!("The parameter {at}.MetricStat is required.")),
        (
            vec![bad(|query| query["MetricStat"]["Period"] = json!(7))],
            json!({}),
            format!(
                "The parameter {at}.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60, and at most 86400."
            ),
        ),
        (
            vec![bad(|query| query["MetricStat"]["Metric"] = json!({"Namespace": "N"}))],
            json!({}),
            format!("The parameter {at}.MetricStat.Metric.MetricName is required."),
        ),
        (
            vec![query("a", "Sum")],
            json!({"MaxDatapoints": 0}),
            "MaxDatapoints must be between 1 and 100800.".to_owned(),
        ),
        (
            (0..501).map(|n| query(&format!("q{n}"), "Sum")).collect(),
            json!({}),
            "The collection MetricDataQueries must not have a size greater than 500.".to_owned(),
        ),
    ] {
        assert_eq!(bed.refused("GetMetricData", ask(&bed, &queries, more)).await, invalid(words));
    }
    let refused =
        bed.refused("GetMetricData", ask(&bed, &[query("a", "Sum")], json!({"NextToken": "!"}))).await;
    assert_eq!(refused, refusal(400, "InvalidNextToken", "The specified nextToken is invalid."));
    let other = with(&query("a", "Sum"), json!({"AccountId": "111111111111"}));
    assert_eq!(
        bed.refused("GetMetricData", ask(&bed, &[other], json!({}))).await,
        unsupported(&format!("{at}.AccountId of another account"))
    );
}
