use serde_json::json;

use super::*;

#[test]
fn a_call_is_a_command() {
    for (service, operation, input, expected) in [
        ("sts", "GetCallerIdentity", json!({}), "aws sts get-caller-identity"),
        (
            "lambda",
            "PublishVersion",
            json!({"FunctionName": "app", "Description": "it's v2"}),
            r"aws lambda publish-version --function-name app --description 'it'\''s v2'",
        ),
        (
            "apigateway",
            "CreateDeployment",
            json!({"restApiId": "a1", "stageName": "prod", "canarySettings": {"percentTraffic": 10.0}}),
            r#"aws apigateway create-deployment --rest-api-id a1 --stage-name prod --canary-settings '{"percentTraffic":10.0}'"#,
        ),
        (
            "lambda",
            "CreateFunction",
            json!({"FunctionName": "app", "Code": {"ZipFile": "fileb://v1.zip"}, "Publish": true}),
            "aws lambda create-function --function-name app --zip-file fileb://v1.zip --publish",
        ),
        (
            "lambda",
            "UpdateFunctionCode",
            json!({"FunctionName": "app", "ZipFile": "UEsFBg==", "Publish": false}),
            "aws lambda update-function-code --function-name app --zip-file fileb://zip-file.zip --no-publish",
        ),
        (
            "lambda",
            "Invoke",
            json!({"FunctionName": "app", "Payload": {"a": 1}}),
            r#"printf %s '{"a":1}' | aws lambda invoke --function-name app --payload fileb:///dev/stdin /dev/stdout"#,
        ),
        (
            "codedeploy",
            "GetDeployment",
            json!({"deploymentId": "-x"}),
            "aws deploy get-deployment --deployment-id=-x",
        ),
        (
            "apigateway",
            "CreateRestApi",
            json!({"version": "2"}),
            "aws apigateway create-rest-api --api-version 2",
        ),
        ("s3", "ListBuckets", json!({}), "aws s3 list-buckets"),
        ("lambda", "Fly", json!({"To": "moon"}), r#"aws lambda fly --cli-input-json '{"To":"moon"}'"#),
    ] {
        assert_eq!(aws_command(service, operation, &input), expected);
    }
}

#[test]
fn our_own_service_is_called_with_our_own_command() {
    let start = json!({
        "Name": "pets-v2", "Target": {"RestStage": {"RestApiId": "a1", "StageName": "prod"}},
        "Canary": {"DeploymentId": "d2", "StageVariableOverrides": {"version": "2"}},
        "Steps": [{"Percent": 10, "WaitMs": 5000}, {"Percent": 50, "WaitMs": 5000}, {"Percent": 100, "WaitMs": 4000}],
        "Rules": {"Margin": 0.02, "IntervalMs": 200, "MaxDurationMs": 45_000},
    });
    let expected = "pitbird rollout start --name pets-v2 --rest-api a1 --stage prod --deployment d2 \
                    --variable version=2 --steps 10,50,100 --wait 5s,5s,4s --margin 2pp --max-duration 45s \
                    --interval 200ms";
    assert_eq!(aws_command("rollouts", "StartRollout", &start), expected);
    let alias = json!({
        "Name": "f-2", "Target": {"LambdaAlias": {"FunctionName": "f", "AliasName": "live"}},
        "Canary": {"FunctionVersion": "2"}, "Alarms": ["a b"],
        "Steps": [{"Percent": 10.5, "WaitMs": 60000}, {"Percent": 100, "WaitMs": 60000}],
    });
    let expected = "pitbird rollout start --name f-2 --function f --alias live --version 2 --steps 10.5,100 \
                    --wait 1m --alarm 'a b'";
    assert_eq!(aws_command("rollouts", "StartRollout", &alias), expected);
    let together = json!({
        "Name": "shop-7", "Target": {"LambdaAliases": [
            {"FunctionName": "carts", "AliasName": "live"}, {"FunctionName": "orders", "AliasName": "prod"},
        ]},
        "Canary": {"FunctionVersions": {"orders": "7", "carts": "3"}},
    });
    let expected = "pitbird rollout start --name shop-7 --together carts:live=3,orders:prod=7";
    assert_eq!(aws_command("rollouts", "StartRollout", &together), expected);
    for (operation, input, expected) in [
        ("GetRollout", json!({"Name": "r"}), "pitbird rollout status r"),
        ("ListRollouts", json!({}), "pitbird rollout list"),
        (
            "PromoteRollout",
            json!({"Name": "r", "Reason": "urgent fix"}),
            "pitbird rollout promote r --reason 'urgent fix'",
        ),
        (
            "GetRollout",
            json!({"Name": "r", "MaxRecords": 1}),
            r#"pitbird api rollouts get-rollout --input '{"Name":"r","MaxRecords":1}'"#,
        ),
    ] {
        assert_eq!(aws_command("rollouts", operation, &input), expected);
    }
}

#[test]
fn what_flags_can_not_say_is_said_in_json() {
    let base = json!({
        "Name": "n", "Target": {"RestStage": {"RestApiId": "a", "StageName": "s"}}, "Canary": {"DeploymentId": "d"},
    });
    for (name, value) in [
        ("Rules", json!({"AlphaPromote": 0.05})),
        ("Steps", json!([{"Percent": 10, "WaitMs": 1}, {"Percent": 50}])),
        ("Steps", json!([])),
        ("Alarms", json!([])),
        ("Colour", json!("red")),
        ("Name", json!("-n")),
    ] {
        let mut input = base.clone();
        input[name] = value;
        let command = aws_command("rollouts", "StartRollout", &input);
        assert!(command.starts_with("pitbird api rollouts start-rollout --input "), "{command}");
    }
}

#[test]
fn words_are_quoted_for_the_shell() {
    for (text, expected) in [
        ("plain-1.2/x:y=z", "plain-1.2/x:y=z"),
        ("", "''"),
        ("a b", "'a b'"),
        ("$HOME`id`", "'$HOME`id`'"),
        ("it's", r"'it'\''s'"),
        ("*", "'*'"),
        ("~", "'~'"),
    ] {
        assert_eq!(quoted(text), expected);
    }
}

/// The real aws CLI reads the commands and asks for what the input said.
#[tokio::test]
async fn the_aws_cli_understands_the_commands() {
    let Some(python) = pitbird_testkit::python() else { return };
    let stub = crate::stub::Stub::start(|asked| match asked.operation {
        "Invoke" => Ok(json!({"StatusCode": 200})),
        _ => Ok(json!({})),
    })
    .await;
    let calls = [
        (
            "lambda",
            "CreateFunction",
            json!({
                "FunctionName": "app", "Role": "arn:aws:iam::000000000000:role/app", "Runtime": "provided.al2023",
                "Handler": "bootstrap", "Timeout": 7, "Publish": true, "Code": {"ZipFile": "fileb://code.zip"},
                "Environment": {"Variables": {"GREETING": "it's $HOME"}}, "Architectures": ["x86_64"],
            }),
        ),
        ("lambda", "Invoke", json!({"FunctionName": "app", "Payload": {"a": "it's"}})),
        ("apigateway", "CreateRestApi", json!({"name": "pets", "version": "2", "description": "-x"})),
        (
            "apigateway",
            "UpdateStage",
            json!({
                "restApiId": "a1", "stageName": "prod",
                "patchOperations": [{"op": "replace", "path": "/canarySettings/percentTraffic", "value": "0.0"}],
            }),
        ),
        (
            "apigateway",
            "CreateDeployment",
            json!({
                "restApiId": "a1", "stageName": "prod",
                "canarySettings": {"percentTraffic": 10.0, "stageVariableOverrides": {"alias": "canary"}},
            }),
        ),
        (
            "cloudwatch",
            "PutMetricAlarm",
            json!({
                "AlarmName": "a b", "MetricName": "5XXError", "Namespace": "AWS/ApiGateway", "Statistic": "Sum",
                "Dimensions": [{"Name": "Stage", "Value": "prod/Canary"}], "Period": 60, "EvaluationPeriods": 1,
                "Threshold": 1.5, "ComparisonOperator": "GreaterThanThreshold", "ActionsEnabled": false,
            }),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    // The aws CLI looks inside: this is the end of an archive that has nothing in it.
    let zip = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    std::fs::write(folder.path().join("code.zip"), &zip).unwrap();
    let script: String =
        calls.iter().map(|(service, name, input)| aws_command(service, name, input) + "\n").collect();
    let endpoint = stub.endpoint.to_string();
    let ran =
        tokio::task::spawn_blocking(move || python.shell(&endpoint, &script, folder.path())).await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let asked: Vec<Json> = stub.asked().into_iter().map(|asked| asked.input).collect();
    let mut expected: Vec<Json> = calls.into_iter().map(|(_, _, input)| input).collect();
    expected[0]["Code"]["ZipFile"] = json!(STANDARD.encode(zip));
    expected[1]["Payload"] = json!(STANDARD.encode(r#"{"a":"it's"}"#));
    assert_eq!(asked, expected);
}
