//! Metric filters and embedded metrics: from events to datapoints.

use pitbird_telemetry::metrics::{Dimensions, Metric, MetricQuery, Stat};

use super::*;
use crate::follow::Following;

/// What follows the filters as the server's task does, step by step.
struct Counter {
    bed: Bed,
    following: Following,
}

impl Counter {
    async fn new() -> Counter {
        let bed = Bed::new();
        bed.group("g").await;
        bed.stream("g", "s").await;
        let following = Following::new(bed.state.clone());
        Counter { bed, following }
    }

    /// A metric filter of the group; what is given replaces members of the transformation.
    async fn filter(&self, name: &str, pattern: &str, more: Json) -> Result<Json, Refusal> {
        let mut metric = json!({"metricName": name, "metricNamespace": "shop", "metricValue": "1"});
        metric.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let input = json!({"logGroupName": "g", "filterName": name, "filterPattern": pattern,
            "metricTransformations": [metric]});
        self.bed.run("PutMetricFilter", input).await
    }

    /// Looks at all that was filed and decides all minutes.
    async fn finish(&mut self) {
        self.following.finish().await;
    }

    /// `minute after the test's start: sum of so many samples`, of a metric.
    async fn told(&self, namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Vec<String> {
        let minute = self.bed.start_ms - self.bed.start_ms.rem_euclid(60_000);
        let query = MetricQuery {
            metric: Metric {
                scope: Scope::default(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                dimensions: dimensions.iter().copied().collect::<Dimensions>(),
            },
            unit: None,
            period_s: 60,
            start_ms: minute - HOUR,
            end_ms: minute + HOUR,
            stats: vec![Stat::Sum],
            now_ms: self.bed.start_ms,
        };
        let found = self.bed.state.telemetry.statistics(vec![query]).await.expect("datapoints").remove(0);
        let told = found.into_iter().map(|point| {
            let (at, sum) = ((point.at_ms - minute) / 60_000, point.values[0].unwrap_or_default());
            format!("{at}: {sum} of {} {}", point.sample_count, point.unit)
        });
        told.collect()
    }
}

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn each_event_passes_its_groups_filters_once() {
    let mut counter = Counter::new().await;
    // What was filed before a filter was made isn't counted.
    counter.bed.put("g", "s", &[(-2 * MINUTE, "ERROR early")]).await;
    counter.filter("errors", "ERROR", json!({"defaultValue": 0, "unit": "Count"})).await.expect("a filter");
    counter.filter("bytes", "[level, bytes > 10]", json!({"metricValue": "$bytes"})).await.expect("a filter");
    counter
        .filter(
            "latency",
            "{ $.latency = * }",
            json!({"metricValue": "$.latency", "unit": "Milliseconds",
            "dimensions": {"route": "$.route", "stage": "$.stage"}}),
        )
        .await
        .expect("a filter");
    let written = counter.bed.written_to("g", "lines");
    written.line(counter.bed.start_ms - 3 * MINUTE, "ERROR of a function");
    counter
        .bed
        .put(
            "g",
            "s",
            &[(-2 * MINUTE, "ERROR one"), (-2 * MINUTE, "ERROR 20"), (-MINUTE, "fine"), (0, "INFO 30.5")],
        )
        .await;
    for message in [
        r#"{"latency": 12.5, "route": "/a", "stage": "prod"}"#,
        r#"{"latency": "7", "route": "/a", "stage": "prod"}"#,
        r#"{"latency": "slow", "route": "/a", "stage": "prod"}"#,
        r#"{"latency": 1, "route": "/b"}"#,
    ] {
        counter.bed.put("g", "s", &[(0, message)]).await;
    }
    counter.bed.group("h").await;
    counter.bed.stream("h", "s").await;
    counter.bed.put("h", "s", &[(0, "ERROR of another group")]).await;
    counter.finish().await;
    counter.finish().await;
    // A minute in which events came and none was taken has the default value.
    assert_eq!(
        counter.told("shop", "errors", &[]).await,
        ["-3: 1 of 1 Count", "-2: 2 of 2 Count", "-1: 0 of 1 Count", "0: 0 of 1 Count"]
    );
    assert_eq!(counter.told("shop", "bytes", &[]).await, ["-2: 20 of 1 None", "0: 30.5 of 1 None"]);
    let prod = [("route", "/a"), ("stage", "prod")];
    assert_eq!(counter.told("shop", "latency", &prod).await, ["0: 19.5 of 2 Milliseconds"]);
    assert_eq!(counter.told("shop", "latency", &[("route", "/b")]).await, ["0: 1 of 1 Milliseconds"]);
}

#[tokio::test]
async fn a_minute_is_decided_when_it_is_over() {
    let mut counter = Counter::new().await;
    counter.filter("errors", "ERROR", json!({"defaultValue": 7})).await.expect("a filter");
    let minute = counter.bed.start_ms - counter.bed.start_ms.rem_euclid(MINUTE);
    counter.bed.put("g", "s", &[(0, "fine")]).await;
    counter.following.step(minute + MINUTE).await;
    assert_eq!(counter.told("shop", "errors", &[]).await, [""; 0], "more may come");
    counter.finish().await;
    assert_eq!(counter.told("shop", "errors", &[]).await, ["0: 7 of 1 None"]);
    let delete = json!({"logGroupName": "g", "filterName": "errors"});
    counter.bed.ok("DeleteMetricFilter", delete).await;
    counter.bed.put("g", "s", &[(0, "ERROR")]).await;
    counter.finish().await;
    assert_eq!(counter.told("shop", "errors", &[]).await, ["0: 7 of 1 None"]);
}

#[tokio::test]
async fn embedded_metrics_come_from_any_group_and_bad_ones_are_counted() {
    let mut counter = Counter::new().await;
    let document = |namespace: &str| {
        json!({"_aws": {"Timestamp": counter.bed.start_ms, "CloudWatchMetrics": [{"Namespace": namespace,
            "Dimensions": [["service"], []], "Metrics": [{"Name": "orders", "Unit": "Count"}]}]},
            "service": "pets", "orders": [1, 2]})
        .to_string()
    };
    let written = counter.bed.written_to("/aws/lambda/f", "2025/11/23/[$LATEST]aa");
    written.line(counter.bed.start_ms, &document("shop"));
    written.line(counter.bed.start_ms, &document("AWS/Lambda"));
    written.line(counter.bed.start_ms, r#"{"_aws": {"CloudWatchMetrics": []}}"#);
    written.line(counter.bed.start_ms, "a line between");
    counter.finish().await;
    assert_eq!(counter.told("shop", "orders", &[("service", "pets")]).await, ["0: 3 of 2 Count"]);
    assert_eq!(counter.told("shop", "orders", &[]).await, ["0: 3 of 2 Count"]);
    let group = [("LogGroupName", "/aws/lambda/f")];
    assert_eq!(counter.told("AWS/Logs", "EMFValidationErrors", &group).await, ["0: 1 of 1 None"]);
    assert_eq!(counter.told("AWS/Logs", "EMFParsingErrors", &group).await, ["0: 1 of 1 None"]);
    let kept = counter.bed.ok("FilterLogEvents", json!({"logGroupName": "/aws/lambda/f"})).await;
    assert_eq!(kept["events"].as_array().map(Vec::len), Some(4), "bad documents stay log events");
}

#[tokio::test]
async fn filters_are_described_and_deleted() {
    let counter = Counter::new().await;
    counter.filter("b", "", json!({"defaultValue": 0})).await.expect("a filter");
    let dimensions = json!({"metricValue": "$.x", "dimensions": {"a": "$.a"}, "unit": "Bytes"});
    counter.filter("a", "{ $.a = * }", dimensions).await.expect("a filter");
    let bed = &counter.bed;
    let found = bed.ok("DescribeMetricFilters", json!({"logGroupName": "g"})).await;
    assert_eq!(column(&found["metricFilters"], "filterName"), ["a", "b"]);
    let mut first = found["metricFilters"][0].clone();
    assert!(first["creationTime"].as_i64() >= Some(bed.start_ms));
    first["creationTime"] = json!(0);
    assert_eq!(
        first,
        json!({"filterName": "a", "filterPattern": "{ $.a = * }", "creationTime": 0, "logGroupName": "g",
            "applyOnTransformedLogs": false, "metricTransformations": [{"metricName": "a", "metricNamespace": "shop",
            "metricValue": "$.x", "dimensions": {"a": "$.a"}, "unit": "Bytes"}]})
    );
    assert_eq!(found["metricFilters"][1]["metricTransformations"][0]["defaultValue"], json!(0.0));
    for (input, names) in [
        (json!({}), "a b"),
        (json!({"filterNamePrefix": "b"}), "b"),
        (json!({"metricName": "a", "metricNamespace": "shop"}), "a"),
        (json!({"metricName": "a", "metricNamespace": "other"}), ""),
    ] {
        let found = bed.ok("DescribeMetricFilters", input).await;
        assert_eq!(column(&found["metricFilters"], "filterName").join(" "), names);
    }
    let first = bed.ok("DescribeMetricFilters", json!({"limit": 1})).await;
    let rest = bed.ok("DescribeMetricFilters", json!({"nextToken": first["nextToken"]})).await;
    assert_eq!(column(&rest["metricFilters"], "filterName"), ["b"]);
    let groups = bed.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["metricFilterCount"], json!(2));
    for (operation, input, refused) in [
        ("DescribeMetricFilters", json!({"logGroupName": "h"}), no_group()),
        ("DeleteMetricFilter", json!({"logGroupName": "h", "filterName": "a"}), no_group()),
        (
            "DeleteMetricFilter",
            json!({"logGroupName": "g", "filterName": "c"}),
            refusal("ResourceNotFoundException", "The specified metric filter does not exist."),
        ),
        (
            "DescribeMetricFilters",
            json!({"metricName": "a"}),
            bad("metricName and metricNamespace must be specified together."),
        ),
    ] {
        assert_eq!(bed.refused(operation, input).await, refused);
    }
    // They go with their group.
    bed.ok("DeleteLogGroup", json!({"logGroupName": "g"})).await;
    bed.group("g").await;
    assert_eq!(bed.ok("DescribeMetricFilters", json!({})).await, json!({"metricFilters": []}));
    assert_eq!(bed.ok("DescribeLogGroups", json!({})).await["logGroups"][0]["metricFilterCount"], json!(0));
}

#[tokio::test]
async fn a_filter_that_can_t_be_obeyed_is_refused() {
    let counter = Counter::new().await;
    let wrong = |words: &str| bad(format!("Invalid metric transformation: {words}"));
    for (pattern, metric, refused) in [
        ("a-b", json!({}), bad("Invalid character(s) in term 'a-b'")),
        ("{ $.a }", json!({}), bad("Invalid filter pattern")),
        ("ERROR", json!({"metricValue": "x"}), wrong("metric value x must be a valid number")),
        ("ERROR", json!({"metricValue": "$.x"}), wrong("metric value $.x must be a valid number")),
        ("[a, b]", json!({"metricValue": "$c"}), wrong("metric value $c must be a valid number")),
        (
            "ERROR",
            json!({"dimensions": {"a": "$.a"}}),
            bad("The specified filter pattern does not support dimensions"),
        ),
        ("{ $.a = 1 }", json!({"dimensions": {"a": "b"}}), wrong("dimension value must be valid selector")),
        (
            "{ $.a = 1 }",
            json!({"dimensions": {"a": "$.a"}, "defaultValue": 0}),
            wrong("dimensions and default value are mutually exclusive properties"),
        ),
        (
            "{ $.a = 1 }",
            json!({"dimensions": {"a": "$.a", "b": "$.a", "c": "$.a", "d": "$.a"}}),
            wrong("a metric filter has at most 3 dimensions"),
        ),
        (
            "ERROR",
            json!({"metricNamespace": "AWS/Lambda"}),
            wrong("namespaces that start with AWS/ are reserved"),
        ),
    ] {
        assert_eq!(counter.filter("f", pattern, metric).await, Err(refused), "{pattern}");
    }
    for number in 0..5 {
        counter.filter(&format!("r{number}"), "%a%", json!({})).await.expect("a filter");
    }
    let limit = refusal("LimitExceededException", "Resource limit exceeded.");
    assert_eq!(counter.filter("r5", "%a%", json!({})).await, Err(limit));
    counter.filter("r4", "%b%", json!({})).await.expect("in the place of another");
    for number in 5..100 {
        counter.filter(&format!("f{number}"), "a", json!({})).await.expect("a filter");
    }
    let limit = refusal("LimitExceededException", "Resource limit exceeded.");
    assert_eq!(counter.filter("more", "a", json!({})).await, Err(limit));
    counter.filter("f5", "b", json!({})).await.expect("in the place of another");
    let transformed = json!({"logGroupName": "g", "filterName": "f", "filterPattern": "", "applyOnTransformedLogs": true,
        "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]});
    assert_eq!(
        counter.bed.refused("PutMetricFilter", transformed).await,
        unsupported("applyOnTransformedLogs")
    );
}

#[tokio::test]
async fn a_pattern_is_tested_on_messages() {
    let bed = Bed::new();
    let input = json!({"filterPattern": "[..., request=*.html*, status_code=4*,]", "logEventMessages": [
        "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534", "other"]});
    assert_eq!(
        bed.ok("TestMetricFilter", input).await,
        json!({"matches": [{"eventNumber": 1, "eventMessage":
            "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534",
            "extractedValues": {"$1": "127.0.0.1", "$2": "-", "$3": "frank", "$4": "10/Oct/2000:13:25:15 -0700",
                "$7": "1534", "$request": "GET /index.html HTTP/1.0", "$status_code": "404"}}]})
    );
    let input = json!({"filterPattern": "{ $.a", "logEventMessages": ["x"]});
    assert_eq!(bed.refused("TestMetricFilter", input).await, bad("Invalid filter pattern"));
}
