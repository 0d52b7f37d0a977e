//! Constraints in AWS's words.

use pitbird_wire::{Catalog, Value, check, summary};

fn value(json: &str) -> Value {
    pitbird_wire::read_json(json.as_bytes()).unwrap()
}

#[track_caller]
fn says(service: &str, operation: &str, input: &str, expected: &str) {
    let model = Catalog::embedded().model(service).unwrap();
    let violations = check(model, model.operation(operation).unwrap(), &value(input));
    let found = if violations.is_empty() { String::new() } else { summary(&violations) };
    assert_eq!(found, expected);
}

#[test]
fn an_enum_is_listed_in_aws_order_under_the_operations_name() {
    says(
        "apigateway",
        "PutIntegration",
        r#"{"restApiId":"a","resourceId":"b","httpMethod":"GET","type":"X"}"#,
        "1 validation error detected: Value 'X' at 'putIntegrationInput.type' failed to satisfy constraint: \
         Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
    );
}

#[test]
fn members_of_list_elements_have_a_number_and_the_word_member() {
    says(
        "apigateway",
        "UpdateStage",
        r#"{"restApiId":"a","stageName":"b","patchOperations":[{"op":"ad"}]}"#,
        "1 validation error detected: Value 'ad' at 'updateStageInput.patchOperations.1.member.op' failed to satisfy \
         constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]",
    );
}

#[test]
fn a_bad_map_value_is_shown_with_the_whole_map() {
    says(
        "lambda",
        "UpdateAlias",
        r#"{"FunctionName":"f","Name":"live","RoutingConfig":{"AdditionalVersionWeights":{"2":2.0}}}"#,
        "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy \
         constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must \
         have value greater than or equal to 0.0, Member must not be null]",
    );
}

#[test]
fn a_bad_map_key_is_shown_with_the_whole_map() {
    says(
        "lambda",
        "UpdateAlias",
        r#"{"FunctionName":"f","Name":"live","RoutingConfig":{"AdditionalVersionWeights":{"x":0.5}}}"#,
        "1 validation error detected: Value '{x=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy \
         constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must \
         have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not \
         be null]",
    );
}

#[test]
fn a_bad_element_is_shown_with_the_whole_list() {
    says(
        "lambda",
        "UpdateFunctionCode",
        r#"{"FunctionName":"f","Architectures":["foo"]}"#,
        "1 validation error detected: Value '[foo]' at 'architectures' failed to satisfy constraint: Member must satisfy \
         constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    );
}

#[test]
fn ranges_lengths_and_absences() {
    says(
        "logs",
        "FilterLogEvents",
        r#"{"logGroupName":"g","limit":10001}"#,
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less \
         than or equal to 10000",
    );
    says(
        "cloudwatch",
        "SetAlarmState",
        r#"{"AlarmName":"a","StateValue":"INVALID"}"#,
        "2 validation errors detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy \
         enum value set: [INSUFFICIENT_DATA, ALARM, OK]; Value null at 'stateReason' failed to satisfy constraint: Member \
         must not be null",
    );
    says(
        "logs",
        "CreateLogGroup",
        r#"{"logGroupName":""}"#,
        "2 validation errors detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must have length \
         greater than or equal to 1; Value '' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [\\.\\-_/#A-Za-z0-9]+",
    );
}

#[test]
fn sensitive_values_are_not_shown() {
    says(
        "lambda",
        "UpdateFunctionConfiguration",
        r#"{"FunctionName":"f","Environment":{"Variables":{"AB":"secret","CD":null}}}"#,
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map value must satisfy \
         constraint: [Member must not be null]",
    );
}

#[test]
fn elements_are_not_null_where_the_service_says_so() {
    says(
        "lambda",
        "UpdateAlias",
        r#"{"FunctionName":"f","Name":"live","RoutingConfig":{"AdditionalVersionWeights":{"2":null}}}"#,
        "1 validation error detected: Value '{2=null}' at 'routingConfig.additionalVersionWeights' failed to satisfy \
         constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must \
         have value greater than or equal to 0.0, Member must not be null]",
    );
    says(
        "lambda",
        "UpdateFunctionConfiguration",
        r#"{"FunctionName":"f","FileSystemConfigs":[null]}"#,
        "1 validation error detected: Value '[null]' at 'fileSystemConfigs' failed to satisfy constraint: Member must \
         satisfy constraint: [Member must not be null]",
    );
    let outside = r#"{"restApiId":"a","stageName":"b","deploymentId":"c","variables":{"a":null}}"#;
    says("apigateway", "CreateStage", outside, "");
}

#[test]
fn good_inputs_say_nothing() {
    says(
        "lambda",
        "GetFunction",
        r#"{"FunctionName":"arn:aws:lambda:eu-central-1:000000000000:function:f:live"}"#,
        "",
    );
    says("lambda", "CreateAlias", r#"{"FunctionName":"f","Name":"live","FunctionVersion":"1"}"#, "");
}

#[test]
fn ten_violations_are_enough() {
    let model = Catalog::embedded().model("apigateway").unwrap();
    let patch = r#"{"op":"x"},"#.repeat(1000);
    let input = value(&format!(r#"{{"patchOperations":[{}]}}"#, patch.trim_end_matches(',')));
    assert_eq!(check(model, model.operation("UpdateStage").unwrap(), &input).len(), 10);
}
