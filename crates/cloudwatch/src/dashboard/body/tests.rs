use serde_json::json;

use super::*;

/// What is found wrong with a body: paths and messages.
fn errors(body: &Json) -> Vec<(String, String)> {
    match check(&body.to_string()) {
        Ok(_) => Vec::new(),
        Err(Error::DashboardBody { problems, .. }) => {
            problems.into_iter().map(|problem| (problem.path, problem.message)).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

fn metric(metrics: Json) -> Json {
    json!({"widgets": [{"type": "metric", "properties": {"region": "us-east-1", "metrics": metrics}}]})
}

#[test]
fn bodies_as_people_write_them_are_taken() {
    for body in [
        json!({}),
        json!({"widgets": []}),
        json!({"start": "-PT6H", "end": "2025-01-01T00:00:00Z", "periodOverride": "inherit", "widgets": [
            {"type": "text", "x": 0, "y": 7, "width": 24, "height": 3, "properties": {"markdown": "# hi"}},
            {"type": "log", "properties": {"region": "us-east-1", "query": "SOURCE 'g' | fields @message"}},
            {"type": "alarm", "properties": {"alarms": ["arn"], "title": "t"}},
            {"type": "custom", "properties": {"endpoint": "arn", "params": {"a": 1}}},
            {"type": "chart", "properties": {"data": {"queries": []}}},
            {"type": "metric", "properties": {"annotations": {"alarms": ["arn"]}}},
            {"type": "metric", "properties": {
                "region": "us-east-1", "view": "timeSeries", "stacked": true, "period": "auto", "stat": "p99",
                "yAxis": {"left": {"min": 0, "label": "l"}}, "legend": {"position": "right"},
                "annotations": {
                    "horizontal": [{"value": 1, "fill": "above"}, [{"value": 1}, {"value": 2, "label": "band"}]],
                    "vertical": [{"value": "2025-01-01T00:00:00Z"}, [{"value": "a"}, {"value": "b"}]],
                },
                "metrics": [
                    ["AWS/Lambda", "Errors", "FunctionName", "f", {"stat": "Sum", "color": "#ff0000", "id": "m1"}],
                    [".", "Invocations", ".", "."],
                    ["...", "g", {"yAxis": "right"}],
                    [{"expression": "m1*2", "label": "twice", "id": "e1"}],
                    ["N", "bare"],
                ],
            }},
        ]}),
    ] {
        assert_eq!(check(&body.to_string()).expect("fits"), [], "{body}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let row = |row: Json| metric(json!([["N", "m", "D", "v"], row]));
    for (body, path, message) in [
        (json!({"widgets": 1}), "/widgets", "Should be array"),
        (json!({"periodOverride": "x"}), "/periodOverride", "Should be equal to one of the allowed values"),
        (json!({"end": "-PT1H"}), "", "Should have required property 'start'"),
        (json!({"widgets": [1]}), "/widgets/0", "Should be object"),
        (json!({"widgets": [{"properties": {}}]}), "/widgets/0", "Should have required property 'type'"),
        (json!({"widgets": [{"type": "text"}]}), "/widgets/0", "Should have required property 'properties'"),
        (
            json!({"widgets": [{"type": "text", "properties": {}}]}),
            "/widgets/0/properties",
            "Should have required property 'markdown'",
        ),
        (
            json!({"widgets": [{"type": "text", "properties": 1}]}),
            "/widgets/0/properties",
            "Should be object",
        ),
        (row(json!("N")), "/widgets/0/properties/metrics/1", super::super::metrics::NO_ROW),
        (
            row(json!(["N", "m", {"D": "v"}, {"stat": "Sum"}])),
            "/widgets/0/properties/metrics/1/2",
            "Invalid metric field type, only \"String\" type is allowed",
        ),
        (
            row(json!(["N", "m", {"color": "red"}])),
            "/widgets/0/properties/metrics/1",
            "Should NOT have more than 2 items",
        ),
        (
            row(json!(["N", "m", {"dimensions": {"D": "v"}}])),
            "/widgets/0/properties/metrics/1",
            "Should NOT have more than 2 items",
        ),
        (
            row(json!(["N", "m", "D", "v", "E"])),
            "/widgets/0/properties/metrics/1",
            "Should NOT have more than 4 items",
        ),
        (
            row(json!([".", ".", "E", "w", ".", "."])),
            "/widgets/0/properties/metrics/1",
            "Should NOT have more than 4 items",
        ),
        (row(json!(["N"])), "/widgets/0/properties/metrics/1", "Should NOT have fewer than 2 items"),
        (row(json!([])), "/widgets/0/properties/metrics/1", "Should NOT have fewer than 2 items"),
    ] {
        assert_eq!(errors(&body), [(path.to_owned(), message.to_owned())], "{body}");
    }
    for (name, value, message) in [
        ("x", json!(24), "Should be <= 23"),
        ("y", json!(-1), "Should be >= 0"),
        ("width", json!(25), "Should be <= 24"),
        ("width", json!(0), "Should be >= 1"),
        ("height", json!(1001), "Should be <= 1000"),
        ("height", json!(1.5), "Should be integer"),
        ("height", json!("6"), "Should be integer"),
        ("type", json!("graph"), "Should be equal to one of the allowed values"),
    ] {
        let mut widget = json!({"type": "text", "x": 0, "y": 0, "properties": {"markdown": ""}});
        widget[name] = value;
        assert_eq!(
            errors(&json!({"widgets": [widget]})),
            [(format!("/widgets/0/{name}"), message.to_owned())]
        );
    }
}

#[test]
fn a_metric_widget_needs_metrics_and_a_region_or_an_alarm() {
    let body = json!({"widgets": [{"type": "metric", "properties": {"region": "us-east-1"}}]});
    let messages: Vec<String> = errors(&body).into_iter().map(|(_, message)| message).collect();
    assert_eq!(
        messages,
        [
            "Should have required property 'metrics'",
            "The metric widget should have specified a region and a data source or an alarm annotation",
            "Should have required property 'annotations'",
        ]
    );
}

#[test]
fn what_is_not_known_is_passed_over_with_a_word() {
    let body = json!({"widgets": [{"type": "text", "properties": {"markdown": "", "colour": 1}}]});
    let words = "The \"colour\" property is not expected to be part of a widget definition, will be ignored";
    let found = check(&body.to_string()).expect("fits");
    assert_eq!(found, [Problem { path: "/widgets/0/properties".to_owned(), message: words.to_owned() }]);
}

#[test]
fn bodies_are_bounded_and_no_json_is_refused() {
    let deep = "[".repeat(100_000);
    for text in ["", "x", "[]", "1", "{\"widgets\": [}", deep.as_str()] {
        assert!(matches!(check(text), Err(Error::NoDashboardBody)));
    }
    let text = json!({"type": "text", "properties": {"markdown": ""}});
    assert_eq!(errors(&json!({"widgets": vec![text.clone(); 500]})), []);
    let many = errors(&json!({"widgets": vec![text; 501]}));
    assert_eq!(many, [("/widgets".to_owned(), "Should NOT have more than 500 items".to_owned())]);
    assert_eq!(errors(&metric(json!(vec![json!(["N", "m"]); 501]))).len(), 1);
    let row: Vec<String> = (0..64).map(|n| n.to_string()).collect();
    let place = "/widgets/0/properties/metrics/0".to_owned();
    assert_eq!(errors(&metric(json!([&row]))), [(place, "Should NOT have more than 62 items".to_owned())]);
    assert_eq!(errors(&metric(json!([&row[..62]]))), []);
    let Err(error) = check(&json!({"widgets": vec![json!(1); 300]}).to_string()) else { panic!("taken") };
    assert!(
        error.to_string().starts_with("The dashboard body is invalid, there are 300 validation errors:\n[\n")
    );
    let Error::DashboardBody { problems, .. } = error else { panic!("{error}") };
    assert_eq!(problems.len(), TOLD_MAX);
}
