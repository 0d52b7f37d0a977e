use pitbird_wire::Catalog;
use serde_json::json;

use super::*;

fn input(service: &str, operation: &str, json: &Json) -> Result<Value, Error> {
    let model = Catalog::embedded().model(service).unwrap();
    to_value(model, model.operation(operation).unwrap().input, json, Files::Refused)
}

#[test]
fn json_becomes_what_the_model_says() {
    let value = input(
        "lambda",
        "CreateFunction",
        &json!({
            "FunctionName": "f", "Timeout": 7, "Publish": true, "Code": {"ZipFile": "UEs="},
            "Environment": {"Variables": {"A": "b"}}, "Architectures": ["x86_64"],
        }),
    )
    .unwrap();
    assert_eq!(value.get("Timeout"), Some(&Value::Integer(7)));
    assert_eq!(
        value.get("Code").and_then(|code| code.get("ZipFile")),
        Some(&Value::Blob(Bytes::from_static(b"PK")))
    );
    assert_eq!(from_value(&value)["Code"]["ZipFile"], "UEs=");
}

#[test]
fn times_are_text_or_seconds() {
    for time in
        [json!("2026-11-01T00:00:00.500Z"), json!("2026-11-01T01:00:00.5+01:00"), json!(1_793_491_200.5)]
    {
        let value = input("cloudwatch", "GetMetricStatistics", &json!({"StartTime": time})).unwrap();
        assert_eq!(from_value(&value), json!({"StartTime": "2026-11-01T00:00:00.500Z"}), "{time}");
    }
}

#[test]
fn an_object_in_place_of_a_blob_is_its_own_text() {
    let value = input("lambda", "Invoke", &json!({"FunctionName": "f", "Payload": {"a": 1}})).unwrap();
    assert_eq!(value.get("Payload"), Some(&Value::Blob(Bytes::from_static(b"{\"a\":1}"))));
}

#[test]
fn a_file_is_read_only_where_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("payload");
    std::fs::write(&file, "{}").unwrap();
    let model = Catalog::embedded().model("lambda").unwrap();
    let read = |file: String, files| {
        let json = json!({"Payload": format!("@{file}")});
        to_value(model, model.operation("Invoke").unwrap().input, &json, files)
    };
    let value = read(file.display().to_string(), Files::Read).unwrap();
    assert_eq!(value.get("Payload"), Some(&Value::Blob(Bytes::from_static(b"{}"))));
    assert!(matches!(read(file.display().to_string(), Files::Refused), Err(Error::Type { .. })));
    let missing = read("/nowhere/at/all".into(), Files::Read).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/at/all"), "{missing}");
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    for (json, words) in [
        (
            json!({"FunctonName": "f"}),
            "FunctonName is no member of CreateFunctionRequest; did you mean FunctionName?",
        ),
        (json!({"Code": {"Zip": "x"}}), "Code.Zip is no member of FunctionCode"),
        (json!({"Timeout": "7"}), "Timeout must be a whole number, not \"7\""),
        (json!({"Timeout": 1.5}), "Timeout must be a whole number, not 1.5"),
        (json!({"Layers": [1]}), "Layers.0 must be text, not 1"),
        (json!({"Code": {"ZipFile": "*"}}), "Code.ZipFile must be base64"),
        (json!({"Publish": 1}), "Publish must be true or false, not 1"),
        (json!([]), "the input must be an object, not []"),
    ] {
        let error = input("lambda", "CreateFunction", &json).unwrap_err().to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
    let error = input("sts", "GetCallerIdentity", &json!({"a": 1})).unwrap_err().to_string();
    assert!(error.starts_with("a is no member"), "{error}");
}

#[test]
fn numbers_without_end_are_said_in_words() {
    assert_eq!(from_value(&Value::Float(f64::NAN)), json!("NaN"));
    assert_eq!(from_value(&Value::Timestamp(f64::NAN)), Json::Null);
    assert_eq!(from_value(&Value::Timestamp(0.0)), json!("1970-01-01T00:00:00.000Z"));
}
