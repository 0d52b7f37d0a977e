use super::*;

fn ask(bed: &Bed, more: Json) -> Json {
    let input = json!({
        "Namespace": "N", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}], "Period": 60,
        "StartTime": bed.at(-10 * MINUTE), "EndTime": bed.at(0), "Statistics": ["Sum", "SampleCount"],
    });
    with(&input, more)
}

#[tokio::test]
async fn statistics_are_told_per_period() {
    let bed = Bed::new();
    for (after, value) in [(-5 * MINUTE, 1.0), (-5 * MINUTE + 59_999, 2.0), (-4 * MINUTE, 4.0), (0, 8.0)] {
        bed.put(after, value).await;
    }
    let told = bed.ok("GetMetricStatistics", ask(&bed, json!({}))).await;
    assert_eq!(told["Label"], "m");
    let points: Vec<(f64, f64, f64)> = told["Datapoints"]
        .as_array()
        .expect("datapoints")
        .iter()
        .map(|point| {
            let number = |name: &str| point[name].as_f64().expect(name);
            assert_eq!(point["Unit"], "None");
            assert_eq!(point.as_object().expect("a datapoint").len(), 4, "only what was asked for: {point}");
            (number("Timestamp"), number("Sum"), number("SampleCount"))
        })
        .collect();
    assert_eq!(
        points,
        [(bed.at(-5 * MINUTE), 3.0, 2.0), (bed.at(-4 * MINUTE), 4.0, 1.0)],
        "the end is exclusive"
    );
    let all = json!({"Statistics": ["Average", "Minimum", "Maximum"], "Period": 600});
    let told = bed.ok("GetMetricStatistics", ask(&bed, all)).await;
    let point = &told["Datapoints"][0];
    assert_eq!((&point["Minimum"], &point["Maximum"]), (&json!(1.0), &json!(4.0)));
    assert_eq!(point["Average"].as_f64(), Some(7.0 / 3.0));
}

#[tokio::test]
async fn percentiles_are_told_by_their_names() {
    let bed = Bed::new();
    for value in 1..=100 {
        bed.put(-5 * MINUTE, f64::from(value)).await;
    }
    let input = without(&ask(&bed, json!({"ExtendedStatistics": ["p50", "p99.9"]})), "Statistics");
    let told = bed.ok("GetMetricStatistics", input).await;
    let percentiles = told["Datapoints"][0]["ExtendedStatistics"].as_object().expect("percentiles");
    assert_eq!(percentiles.keys().collect::<Vec<_>>(), ["p50", "p99.9"]);
    let median = percentiles["p50"].as_f64().expect("a number");
    assert!((49.0..=52.0).contains(&median), "{median}");
}

#[tokio::test]
async fn each_unit_has_datapoints_of_its_own() {
    let bed = Bed::new();
    for (unit, value) in [("Count", 1), ("Seconds", 2)] {
        let datum = json!({
            "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}], "Timestamp": bed.at(-MINUTE), "Unit": unit,
            "Value": value,
        });
        bed.ok("PutMetricData", json!({"Namespace": "N", "MetricData": [datum]})).await;
    }
    let told = bed.ok("GetMetricStatistics", ask(&bed, json!({}))).await;
    assert_eq!(column(&told["Datapoints"], "Unit"), ["Count", "Seconds"]);
    let told = bed.ok("GetMetricStatistics", ask(&bed, json!({"Unit": "Seconds"}))).await;
    assert_eq!(column(&told["Datapoints"], "Unit"), ["Seconds"]);
}

#[tokio::test]
async fn what_can_t_be_asked_is_refused() {
    let bed = Bed::new();
    let bare = without(&ask(&bed, json!({})), "Statistics");
    for (more, refused) in [
        (
            json!({"StartTime": bed.at(-DAY), "Period": 1}),
            combination(
                "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the \
                 datapoints requested by increasing Period, or decreasing the time range.",
            ),
        ),
        (
            json!({"StartTime": bed.at(0)}),
            value("The parameter StartTime must be less than the parameter EndTime."),
        ),
        (
            json!({"Period": 45}),
            value("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, and at most 86400."),
        ),
        (
            json!({"ExtendedStatistics": ["p50"]}),
            combination(
                "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.",
            ),
        ),
    ] {
        assert_eq!(bed.refused("GetMetricStatistics", ask(&bed, more)).await, refused);
    }
    assert_eq!(
        bed.refused("GetMetricStatistics", bare.clone()).await,
        missing("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
    );
    let extended = |name: &str| with(&bare, json!({"ExtendedStatistics": [name]}));
    assert_eq!(
        bed.refused("GetMetricStatistics", extended("p101")).await,
        value("The value p101 for parameter ExtendedStatistics is invalid.")
    );
    assert_eq!(
        bed.refused("GetMetricStatistics", extended("TM(90%)")).await,
        value("The value TM(90%) for parameter ExtendedStatistics is invalid.")
    );
    for time in [json!(-1e300), json!(1e300)] {
        let refused = bed.refused("GetMetricStatistics", ask(&bed, json!({"StartTime": time}))).await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }
    let day = json!({"StartTime": bed.at(-DAY)});
    assert_eq!(
        bed.ok("GetMetricStatistics", ask(&bed, day)).await["Datapoints"],
        json!([]),
        "1440 are allowed"
    );
}
