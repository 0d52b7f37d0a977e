use super::*;

fn put(datum: Json) -> Json {
    json!({"Namespace": "N", "MetricData": [with(&json!({"MetricName": "m"}), datum)]})
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_whole() {
    let bed = Bed::new();
    let at = "MetricData.member.1";
    for (datum, refused) in [
        (json!({}), missing("At least one of the parameters must be specified.")),
        (
            json!({"Value": 1, "Values": [1]}),
            combination(format!(
                "The parameters {at}.Value and {at}.Values are mutually exclusive and you have specified both."
            )),
        ),
        (
            json!({"Value": 1, "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}}),
            combination(format!(
                "The parameters {at}.Value and {at}.StatisticValues are mutually exclusive and you have specified both."
            )),
        ),
        (
            json!({"Values": [1], "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}}),
            combination(format!(
                "The parameters {at}.Values and {at}.StatisticValues are mutually exclusive and you have specified both."
            )),
        ),
        (
            json!({"Values": [1, 2], "Counts": [1]}),
            value(format!("The parameters {at}.Values and {at}.Counts must be of the same size.")),
        ),
        (
            json!({"Values": vec![1; 151]}),
            value(format!("The collection {at}.Values must not have a size greater than 150.")),
        ),
        (
            json!({"Values": [1], "Counts": [0]}),
            value(format!("The value 0.0 for parameter {at}.Counts is invalid.")),
        ),
        (
            json!({"Value": 1, "Counts": [1]}),
            value(format!("The parameters {at}.Values and {at}.Counts must be of the same size.")),
        ),
        (
            json!({"Value": 1, "MetricName": " "}),
            value(format!("The value   for parameter {at}.MetricName is invalid.")),
        ),
        (
            json!({"Value": 1, "Dimensions": [{"Name": "d", "Value": "x"}, {"Name": "é", "Value": "x"}]}),
            value(format!(
                "The value é for parameter {at}.Dimensions.member.2.Name contains non-ASCII characters."
            )),
        ),
        (
            json!({"Value": 1, "Dimensions": [{"Name": "d", "Value": "\u{7}"}]}),
            value(format!("The value \u{7} for parameter {at}.Dimensions.member.1.Value is invalid.")),
        ),
        (
            json!({"Value": 1, "Dimensions": [{"Name": ":d", "Value": "x"}]}),
            value(format!("The value :d for parameter {at}.Dimensions.member.1.Name is invalid.")),
        ),
        (
            json!({"Value": 361f64.exp2()}),
            value(format!("The value {:?} for parameter {at}.Value is invalid.", 361f64.exp2())),
        ),
        (
            json!({"StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 2, "Maximum": 1}}),
            value(format!(
                "The parameter {at}.StatisticValues.Minimum must be less than or equal to the parameter \
                 {at}.StatisticValues.Maximum."
            )),
        ),
        (
            json!({"Value": 1, "StorageResolution": 5}),
            value(format!("The value 5 for parameter {at}.StorageResolution is invalid.")),
        ),
        (
            json!({"Value": 1, "Timestamp": bed.at(-14 * DAY - 1000)}),
            value(format!("The parameter {at}.Timestamp must specify a time no older than two weeks.")),
        ),
        (
            json!({"Value": 1, "Timestamp": bed.at(2 * HOUR + 1000)}),
            value(format!(
                "The parameter {at}.Timestamp must specify a time no more than two hours in the future."
            )),
        ),
        (
            json!({"Value": 1, "Dimensions": [{"Name": "d", "Value": "x"}, {"Name": "d", "Value": "x"}]}),
            invalid(format!("{at}.Dimensions names a dimension more than once.")),
        ),
    ] {
        assert_eq!(bed.refused("PutMetricData", put(datum)).await, refused);
    }
    let own = json!({"Namespace": "AWS/Lambda", "MetricData": [{"MetricName": "m", "Value": 1}]});
    assert_eq!(
        bed.refused("PutMetricData", own).await,
        value("The value AWS/ for parameter Namespace is invalid.")
    );
    for name in [" ", "a|b", "é"] {
        let input = json!({"Namespace": name, "MetricData": [{"MetricName": "m", "Value": 1}]});
        let words = format!("The value {name} for parameter Namespace is invalid.");
        assert_eq!(bed.refused("PutMetricData", input).await, value(words));
    }
    for input in [json!({"Namespace": "N"}), json!({"Namespace": "N", "MetricData": []})] {
        assert_eq!(
            bed.refused("PutMetricData", input).await,
            missing("The parameter MetricData is required.")
        );
    }
    let many = json!({"Namespace": "N", "MetricData": vec![json!({"MetricName": "m", "Value": 1}); 1001]});
    let words = "The collection MetricData must not have a size greater than 1000.";
    assert_eq!(bed.refused("PutMetricData", many).await, value(words));
    assert_eq!(bed.ok("ListMetrics", json!({})).await["Metrics"], json!([]), "nothing was kept");
}

#[tokio::test]
async fn as_much_as_is_allowed_is_kept() {
    let bed = Bed::new();
    let dimensions = |count: usize| -> Vec<Json> {
        (0..count).map(|n| json!({"Name": format!("d{n}"), "Value": "x"})).collect()
    };
    let values: Vec<usize> = (1..=150).collect();
    let mut data = vec![json!({"MetricName": "m", "Value": 1}); 999];
    data.push(json!({"MetricName": "full", "Values": values, "Dimensions": dimensions(30)}));
    bed.ok("PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
    let read = async |metric: &str, dimensions: Vec<Json>| {
        let input = json!({
            "Namespace": "N", "MetricName": metric, "Dimensions": dimensions, "Period": 3600,
            "StartTime": bed.at(-HOUR), "EndTime": bed.at(HOUR), "Statistics": ["SampleCount"],
        });
        let read = bed.ok("GetMetricStatistics", input).await;
        let counts = read["Datapoints"].as_array().expect("datapoints").iter();
        counts.filter_map(|point| point["SampleCount"].as_f64()).sum::<f64>()
    };
    assert_eq!(read("m", Vec::new()).await, 999.0);
    assert_eq!(read("full", dimensions(30)).await, 150.0);
    let refused = bed.refused("PutMetricData", put(json!({"Value": 1, "Dimensions": dimensions(31)}))).await;
    assert_eq!((refused.status, refused.code.as_str()), (400, "ValidationError"), "{}", refused.message);
}

#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let bed = Bed::new();
    for (text, number) in [("NaN", f64::NAN), ("inf", f64::INFINITY), ("-inf", f64::NEG_INFINITY)] {
        let datum =
            Value::Map(vec![("MetricName".into(), "m".into()), ("Value".into(), Value::Float(number))]);
        let input = Value::Map(vec![
            ("Namespace".into(), "N".into()),
            ("MetricData".into(), Value::List(vec![datum])),
        ]);
        let call = Call {
            caller: bed.caller.clone(),
            request_id: String::new(),
            now_ms: bed.start_ms,
            endpoint: String::new(),
            trace_id: None,
            input,
        };
        let fault = bed
            .service
            .call("PutMetricData", call)
            .expect("written")
            .await
            .map(pitbird_service::Answer::into_output)
            .expect_err(text);
        assert_eq!(
            fault.message,
            format!("The value {text} for parameter MetricData.member.1.Value is invalid.")
        );
    }
}

#[tokio::test]
async fn metrics_are_listed_by_what_they_have() {
    let bed = Bed::new();
    bed.put(-MINUTE, 1.0).await;
    let more = json!({"Dimensions": [{"Name": "e", "Value": "z"}, {"Name": "d", "Value": "y"}], "Value": 1});
    bed.ok("PutMetricData", put(more)).await;
    bed.ok("PutMetricData", json!({"Namespace": "O", "MetricData": [{"MetricName": "n", "Value": 1}]})).await;
    let count =
        async |input: Json| bed.ok("ListMetrics", input).await["Metrics"].as_array().expect("metrics").len();
    for (input, expected) in [
        (json!({}), 3),
        (json!({"Namespace": "N"}), 2),
        (json!({"MetricName": "n"}), 1),
        (json!({"Dimensions": [{"Name": "d"}]}), 2),
        (json!({"Dimensions": [{"Name": "d", "Value": "y"}]}), 1),
        (json!({"Dimensions": [{"Name": "d"}, {"Name": "e"}]}), 1),
        (json!({"OwningAccount": bed.caller.scope.account.as_str()}), 3),
        (json!({"RecentlyActive": "PT3H", "IncludeLinkedAccounts": false}), 3),
        (json!({"Namespace": "P"}), 0),
    ] {
        assert_eq!(count(input.clone()).await, expected, "{input}");
    }
    let listed = bed.ok("ListMetrics", json!({"Dimensions": [{"Name": "e"}]})).await;
    let dimensions = json!([{"Name": "d", "Value": "y"}, {"Name": "e", "Value": "z"}]);
    assert_eq!(listed, json!({"Metrics": [{"Namespace": "N", "MetricName": "m", "Dimensions": dimensions}]}));
    let refused = bed.refused("ListMetrics", json!({"NextToken": "!"})).await;
    assert_eq!(refused, value("The value ! for parameter NextToken is invalid."));
}

#[tokio::test]
async fn metrics_come_in_pages_of_five_hundred() {
    let bed = Bed::new();
    let data: Vec<Json> = (0..502).map(|n| json!({"MetricName": format!("m{n:03}"), "Value": 1})).collect();
    bed.ok("PutMetricData", json!({"Namespace": "N", "MetricData": data})).await;
    let first = bed.ok("ListMetrics", json!({})).await;
    assert_eq!(first["Metrics"].as_array().expect("metrics").len(), 500);
    let rest = bed.ok("ListMetrics", json!({"NextToken": first["NextToken"]})).await;
    assert_eq!(column(&rest["Metrics"], "MetricName"), ["m500", "m501"]);
    assert_eq!(rest.get("NextToken"), None);
}
