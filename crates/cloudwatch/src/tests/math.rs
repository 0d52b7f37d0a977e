//! GetMetricData beyond single metrics: metric math, searches, Metrics Insights, labels.

use super::*;

/// Errors and requests of two functions, minute by minute: `pets` 1/10, 2/20, -/30, `toys` 4/40, 5/-, 6/60.
async fn bed_with_functions() -> Bed {
    let bed = Bed::new();
    let put = async |function: &str, name: &str, values: [Option<f64>; 3]| {
        for (place, value) in values.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let datum = json!({
                "MetricName": name, "Dimensions": [{"Name": "FunctionName", "Value": function}],
                "Timestamp": bed.at((place as i64 - 5) * MINUTE), "Value": value,
            });
            bed.ok("PutMetricData", json!({"Namespace": "Shop", "MetricData": [datum]})).await;
        }
    };
    put("pets", "Errors", [Some(1.0), Some(2.0), None]).await;
    put("pets", "Requests", [Some(10.0), Some(20.0), Some(30.0)]).await;
    put("toys", "Errors", [Some(4.0), Some(5.0), Some(6.0)]).await;
    put("toys", "Requests", [Some(40.0), None, Some(60.0)]).await;
    bed
}

fn metric(id: &str, function: &str, name: &str) -> Json {
    let metric = json!({"Namespace": "Shop", "MetricName": name, "Dimensions": [{"Name": "FunctionName", "Value": function}]});
    json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": false})
}

fn math(id: &str, expression: &str) -> Json {
    json!({"Id": id, "Expression": expression})
}

fn ask(bed: &Bed, queries: &[Json], more: Json) -> Json {
    let input = json!({
        "MetricDataQueries": queries, "StartTime": bed.at(-5 * MINUTE), "EndTime": bed.at(-2 * MINUTE),
        "ScanBy": "TimestampAscending",
    });
    with(&input, more)
}

/// Label and values of each result.
async fn told(bed: &Bed, queries: &[Json], more: Json) -> Vec<(String, Vec<f64>)> {
    let told = bed.ok("GetMetricData", ask(bed, queries, more)).await;
    let results = told["MetricDataResults"].as_array().expect("results").iter();
    let one = |result: &Json| {
        let values = result["Values"].as_array().expect("values");
        let label = result["Label"].as_str().expect("a label");
        (label.to_owned(), values.iter().filter_map(Json::as_f64).collect())
    };
    results.map(one).collect()
}

fn named(rows: &[(&str, &[f64])]) -> Vec<(String, Vec<f64>)> {
    rows.iter().map(|(label, values)| ((*label).to_owned(), values.to_vec())).collect()
}

#[tokio::test]
async fn expressions_reach_other_queries_whatever_their_order() {
    let bed = bed_with_functions().await;
    let queries = [
        math("rate", "100 * total / FILL(requests, 1)"),
        math("total", "SUM([e1, e2])"),
        metric("e1", "pets", "Errors"),
        metric("e2", "toys", "Errors"),
        metric("requests", "pets", "Requests"),
        with(&math("hidden", "e1"), json!({"ReturnData": false})),
        with(&math("half", "rate / 2"), json!({"Label": "mine"})),
    ];
    let rows = told(&bed, &queries, json!({})).await;
    assert_eq!(
        rows,
        named(&[("rate", &[50.0, 35.0, 20.0]), ("total", &[5.0, 7.0, 6.0]), ("mine", &[25.0, 17.5, 10.0])])
    );
}

#[tokio::test]
async fn arrays_give_several_results_of_one_id() {
    let bed = bed_with_functions().await;
    let errors = "{Shop,FunctionName} MetricName=\"Errors\"";
    for (queries, expected) in [
        (
            vec![math("s", &format!("SEARCH('{errors}', 'Sum', 60)"))],
            vec![("pets", vec![1.0, 2.0]), ("toys", vec![4.0, 5.0, 6.0])],
        ),
        (
            vec![with(
                &math("s", &format!("SEARCH('{errors}', 'Sum')")),
                json!({"Period": 180, "Label": "all"}),
            )],
            vec![("all pets", vec![3.0]), ("all toys", vec![15.0])],
        ),
        (vec![math("s", &format!("SUM(SEARCH('{errors}', 'Sum', 60))"))], vec![("s", vec![5.0, 7.0, 6.0])]),
        (
            vec![math("s", "SEARCH('{Shop,FunctionName} toys', 'Sum', 60)")],
            vec![("Errors", vec![4.0, 5.0, 6.0]), ("Requests", vec![40.0, 60.0])],
        ),
        (
            vec![
                math("s", "METRICS('e') * 2"),
                with(&metric("e1", "pets", "Errors"), json!({"Label": "${PROP('Dim.FunctionName')} ${MAX}"})),
                metric("e2", "toys", "Errors"),
                metric("r", "toys", "Requests"),
            ],
            vec![("pets 2", vec![2.0, 4.0]), ("Errors", vec![8.0, 10.0, 12.0])],
        ),
        (
            vec![with(
                &math("s", &format!("SEARCH('{errors}', 'Sum', 60)")),
                json!({"Label": "${LABEL}: ${PROP('MetricName')} ${SUM}"}),
            )],
            vec![("pets: Errors 3", vec![1.0, 2.0]), ("toys: Errors 15", vec![4.0, 5.0, 6.0])],
        ),
    ] {
        let rows: Vec<(&str, &[f64])> =
            expected.iter().map(|(label, row)| (*label, row.as_slice())).collect();
        assert_eq!(told(&bed, &queries, json!({})).await, named(&rows), "{queries:?}");
    }
}

#[tokio::test]
async fn series_of_an_array_come_in_pages_without_loss() {
    let bed = bed_with_functions().await;
    let queries = [math("s", "SEARCH('{Shop,FunctionName}', 'Sum', 60)"), math("t", "TIME_SERIES(1)")];
    let whole = told(&bed, &queries, json!({})).await;
    assert_eq!(whole.len(), 5);
    let (mut token, mut found) =
        (Json::Null, std::collections::BTreeMap::<(String, String), Vec<f64>>::new());
    for page in 0.. {
        assert!(page < 10);
        let answer = bed
            .ok("GetMetricData", ask(&bed, &queries, json!({"MaxDatapoints": 2, "NextToken": token})))
            .await;
        for result in answer["MetricDataResults"].as_array().expect("results") {
            let key = (result["Id"].to_string(), result["Label"].to_string());
            let values = result["Values"].as_array().expect("values");
            found.entry(key).or_default().extend(values.iter().filter_map(Json::as_f64));
        }
        match answer.get("NextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    let mut paged: Vec<Vec<f64>> = found.into_values().collect();
    let mut expected: Vec<Vec<f64>> = whole.into_iter().map(|(_, values)| values).collect();
    for rows in [&mut paged, &mut expected] {
        rows.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
    }
    assert_eq!(paged, expected);
}

#[tokio::test]
async fn metrics_insights_count_many_metrics_as_one() {
    let bed = bed_with_functions().await;
    for (query, expected) in [
        ("SELECT SUM(Errors) FROM Shop", vec![("q", vec![5.0, 7.0, 6.0])]),
        ("SELECT AVG(Errors) FROM SCHEMA(Shop, FunctionName)", vec![("q", vec![2.5, 3.5, 6.0])]),
        ("SELECT AVG(Errors) FROM SCHEMA(Shop)", vec![("q", vec![])]),
        ("SELECT COUNT(Errors) FROM Shop WHERE FunctionName != 'pets'", vec![("q", vec![1.0, 1.0, 1.0])]),
        (
            "SELECT MAX(Requests) FROM \"Shop\" GROUP BY FunctionName",
            vec![("pets", vec![10.0, 20.0, 30.0]), ("toys", vec![40.0, 60.0])],
        ),
        (
            "SELECT MIN(Requests) FROM Shop GROUP BY FunctionName ORDER BY AVG() DESC LIMIT 1",
            vec![("toys", vec![40.0, 60.0])],
        ),
    ] {
        let rows: Vec<(&str, &[f64])> =
            expected.iter().map(|(label, row)| (*label, row.as_slice())).collect();
        let asked = with(&math("q", query), json!({"Period": 60}));
        assert_eq!(told(&bed, &[asked], json!({})).await, named(&rows), "{query}");
    }
    let queries = [
        with(
            &math("q", "SELECT SUM(Errors) FROM Shop GROUP BY FunctionName"),
            json!({"Period": 60, "ReturnData": false}),
        ),
        math("m", "MAX(q)"),
    ];
    assert_eq!(told(&bed, &queries, json!({})).await, named(&[("m", &[4.0, 5.0, 6.0])]));
}

#[tokio::test]
async fn times_in_labels_are_told_in_the_zone_that_is_asked_for() {
    let bed = bed_with_functions().await;
    let query = with(&math("t", "EPOCH(TIME_SERIES(0))"), json!({"Label": "${FIRST_TIME}"}));
    let zoned =
        told(&bed, std::slice::from_ref(&query), json!({"LabelOptions": {"Timezone": "+0100"}})).await;
    let utc = told(&bed, std::slice::from_ref(&query), json!({})).await;
    assert!(zoned[0].0.ends_with(" +0100") && utc[0].0.ends_with(" UTC"), "{zoned:?} {utc:?}");
    assert_eq!(utc[0].1[0], bed.at(-5 * MINUTE));
    let refused =
        bed.refused("GetMetricData", ask(&bed, &[query], json!({"LabelOptions": {"Timezone": "CET"}}))).await;
    assert_eq!(refused, invalid("The value CET for parameter LabelOptions.Timezone is invalid."));
}

#[tokio::test]
async fn trimmed_statistics_are_read_like_others() {
    let bed = Bed::new();
    for value in 1..=10 {
        bed.put(-5 * MINUTE, f64::from(value) * 10.0).await;
    }
    let input = json!({
        "Namespace": "N", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}], "Period": 60,
        "StartTime": bed.at(-10 * MINUTE), "EndTime": bed.at(0), "ExtendedStatistics": ["tm90", "PR(:30)", "TC(20:50)"],
    });
    let told = bed.ok("GetMetricStatistics", input).await;
    let found = told["Datapoints"][0]["ExtendedStatistics"].as_object().expect("statistics");
    for (name, expected) in [("tm90", 50.0), ("PR(:30)", 30.0), ("TC(20:50)", 3.0)] {
        let value = found[name].as_f64().expect(name);
        assert!((value - expected).abs() <= 0.01 * expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_search_gives_five_hundred_series_and_says_that_there_are_more() {
    let bed = Bed::new();
    let ask = async || {
        let more = json!({"MaxDatapoints": 600});
        bed.ok("GetMetricData", ask(&bed, &[math("s", "SEARCH('{N}', 'Sum', 60)")], more)).await
    };
    let datum = |number: usize| json!({"MetricName": format!("m{number}"), "Value": 1, "Timestamp": bed.at(-4 * MINUTE)});
    let data: Vec<Json> = (0..500).map(datum).collect();
    bed.ok("PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
    let told = ask().await;
    assert_eq!(
        (told["MetricDataResults"].as_array().map(Vec::len), &told["Messages"]),
        (Some(500), &json!([]))
    );
    bed.ok("PutMetricData", json!({"Namespace": "N", "MetricData": [datum(500)]})).await;
    let told = ask().await;
    assert_eq!(told["MetricDataResults"].as_array().map(Vec::len), Some(500));
    assert_eq!(told["Messages"][0]["Code"], "MaxMetricsExceeded");
}

#[tokio::test]
async fn what_can_t_be_evaluated_is_refused() {
    let bed = Bed::new();
    let one = |expression: &str| vec![math("e1", expression)];
    let in_e1 = |cause: &str| format!("Error in expression 'e1': {cause}");
    let at = "MetricDataQueries.member.1";
    let select = |id: &str| with(&math(id, "SELECT AVG(m) FROM N"), json!({"Period": 60}));
    for (queries, words) in [
        (one("e1 +"), in_e1("Invalid syntax")),
        (one("NOTHING(1)"), in_e1("Function 'NOTHING' not found")),
        (one("m9 + 1"), in_e1("Unknown id 'm9'")),
        (one("e1 + 1"), in_e1("Circular reference")),
        (vec![math("e1", "e2"), math("e2", "e3"), math("e3", "e2")], in_e1("Circular reference")),
        (one("1 + 1"), in_e1("The result must be a time series or an array of time series")),
        (
            vec![math("e1", "METRICS() > 1"), metric("m", "pets", "Errors")],
            in_e1("Unsupported operand type(s) for >: '[Array[TimeSeries], Scalar]'"),
        ),
        (one("SEARCH('m', 'Sum')"), format!("The parameter {at}.Period is required.")),
        (one("SEARCH('m', 'Mean', 60)"), format!("The value Mean for parameter {at}.Expression is invalid.")),
        (one("SELECT AVG(m) FROM N"), format!("The parameter {at}.Period is required.")),
        (one("SELECT AVG(m) FROM"), format!("The parameter {at}.Period is required.")),
        (
            vec![select("a"), select("b")],
            "A request must not have more than one Metrics Insights query.".to_owned(),
        ),
        (
            one(&["SEARCH('m', 'Sum', 60)"; 6].join("+")),
            "A request must not have more than 5 SEARCH expressions.".to_owned(),
        ),
        (
            vec![with(&metric("m", "pets", "Errors"), json!({"Expression": "1"}))],
            format!(
                "The parameters {at}.Expression and {at}.MetricStat are mutually exclusive and you have specified both."
            ),
        ),
        (
            vec![with(&metric("m", "pets", "Errors"), json!({"Period": 60}))],
            format!(
                "The parameters {at}.Period and {at}.MetricStat are mutually exclusive and you have specified both."
            ),
        ),
    ] {
        assert_eq!(
            bed.refused("GetMetricData", ask(&bed, &queries, json!({}))).await,
            invalid(words),
            "{queries:?}"
        );
    }
}
