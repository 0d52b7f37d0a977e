//! What the service's model says that callers are told, member by member: each is told, or is named here with the reason why not.

use super::*;

/// It can't be set: who tries is refused by its name.
const REFUSED: &str = "refused by name";
/// It would tell of an error that there can't be.
const NO_SUCH_ERROR: &str = "no such error";

/// What no function's configuration tells.
const OF_CONFIGURATIONS: [(&str, &[&str]); 4] = [
    (
        REFUSED,
        &[
            "capacityProviderConfig",
            "capacityProviderConfig.lambdaManagedInstancesCapacityProviderConfig",
            "capacityProviderConfig.lambdaManagedInstancesCapacityProviderConfig.capacityProviderArn",
            "capacityProviderConfig.lambdaManagedInstancesCapacityProviderConfig.executionEnvironmentMemoryGiBPerVCpu",
            "capacityProviderConfig.lambdaManagedInstancesCapacityProviderConfig.perExecutionEnvironmentMaxConcurrency",
            "deadLetterConfig",
            "deadLetterConfig.targetArn",
            "durableConfig",
            "durableConfig.executionTimeout",
            "durableConfig.retentionPeriodInDays",
            "fileSystemConfigs",
            "fileSystemConfigs.arn",
            "fileSystemConfigs.localMountPath",
            "imageConfigResponse",
            "imageConfigResponse.imageConfig",
            "imageConfigResponse.imageConfig.command",
            "imageConfigResponse.imageConfig.entryPoint",
            "imageConfigResponse.imageConfig.workingDirectory",
            "kMSKeyArn",
            "layers.signingJobArn",
            "layers.signingProfileVersionArn",
            "signingJobArn",
            "signingProfileVersionArn",
            "tenancyConfig",
            "tenancyConfig.tenantIsolationMode",
            "vpcConfig",
            "vpcConfig.ipv6AllowedForDualStack",
            "vpcConfig.securityGroupIds",
            "vpcConfig.subnetIds",
            "vpcConfig.vpcId",
        ],
    ),
    (
        NO_SUCH_ERROR,
        &[
            "environment.error",
            "environment.error.errorCode",
            "environment.error.message",
            "imageConfigResponse.error",
            "imageConfigResponse.error.errorCode",
            "imageConfigResponse.error.message",
            "runtimeVersionConfig.error",
            "runtimeVersionConfig.error.errorCode",
            "runtimeVersionConfig.error.message",
        ],
    ),
    ("of replicas at CloudFront's places", &["masterArn"]),
    ("of what it is the hash isn't documented", &["configSha256"]),
];
/// Code isn't signed here.
const SIGNED: [&str; 2] = ["content.signingJobArn", "content.signingProfileVersionArn"];
/// Lists leave it out, as Lambda's do.
const STATES: [&str; 6] = [
    "lastUpdateStatus",
    "lastUpdateStatusReason",
    "lastUpdateStatusReasonCode",
    "state",
    "stateReason",
    "stateReasonCode",
];

/// The same with names as the comparison spells them.
fn spelled(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let spell = |name: &str| name[..1].to_lowercase() + &name[1..];
            members.iter().map(|(name, value)| (spell(name), spelled(value))).collect()
        }
        Json::Array(items) => items.iter().map(spelled).collect(),
        other => other.clone(),
    }
}

/// Holds a list of what isn't told, each with its reason, against what isn't.
fn check(wrong: &mut Vec<String>, operation: &str, answers: &[&Json], expected: &[(&str, &[&str])]) {
    let answers: Vec<Value> = answers
        .iter()
        .map(|answer| pitbird_wire::to_value(&spelled(answer)).expect("JSON is a value"))
        .collect();
    let mut expected: Vec<&str> = expected.iter().flat_map(|(_, names)| *names).copied().collect();
    expected.sort_unstable();
    let found = pitbird_service::untold(wire_model(), operation, &answers);
    if found != expected {
        wrong.push(format!("{operation}: {found:?}, not {expected:?}"));
    }
}

/// The same of configurations that lie at `at`, and what else isn't told there.
fn check_configurations(
    wrong: &mut Vec<String>,
    operation: &str,
    answers: &[&Json],
    at: &str,
    more: &[&str],
) {
    let names = OF_CONFIGURATIONS.iter().flat_map(|(_, names)| *names);
    let names: Vec<String> = names.map(|name| format!("{at}{name}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(more.iter().copied()).collect();
    check(wrong, operation, answers, &[("as above", &names)]);
}

async fn functions(bed: &Bed, wrong: &mut Vec<String>) {
    let layer = json!({
        "LayerName": "tools", "Content": {"ZipFile": zip("layer")}, "Description": "d", "CompatibleRuntimes": ["python3.11"],
        "LicenseInfo": "MIT", "CompatibleArchitectures": ["x86_64"],
    });
    let layer = bed.ok("PublishLayerVersion", layer).await;
    check(wrong, "PublishLayerVersion", &[&layer], &[(REFUSED, &SIGNED)]);
    let made = json!({
        "Description": "d", "Environment": {"Variables": {"NAME": "value"}}, "Layers": [layer["LayerVersionArn"]],
        "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN"}, "Tags": {"a": "b"},
    });
    let begun = bed.ok("CreateFunction", with(function("f"), made)).await;
    bed.state.finish().await;
    let named = json!({"FunctionName": "f"});
    bed.ok("PutFunctionConcurrency", with(named.clone(), json!({"ReservedConcurrentExecutions": 5}))).await;
    let whole = bed.ok("GetFunction", named.clone()).await;
    let updating = with(named.clone(), json!({"Timeout": 9}));
    let updating = bed.ok("UpdateFunctionConfiguration", updating).await;
    bed.state.finish().await;
    let configurations = [&begun, &updating];
    let told: Vec<Json> = configurations.iter().map(|shown| json!({"Configuration": shown})).collect();
    let mut answers: Vec<&Json> = told.iter().collect();
    answers.push(&whole);
    let more = ["code.imageUri", "code.resolvedImageUri", "code.sourceKMSKeyArn"];
    let errors = ["tagsError", "tagsError.errorCode", "tagsError.message"];
    check_configurations(
        wrong,
        "GetFunction",
        &answers,
        "configuration.",
        &[&more[..], &errors[..]].concat(),
    );
    check_configurations(wrong, "GetFunctionConfiguration", &configurations, "", &[]);
    let version = bed.ok("PublishVersion", named.clone()).await;
    let listed = bed.ok("ListVersionsByFunction", with(named.clone(), json!({"MaxItems": 1}))).await;
    let states = STATES.map(|name| format!("versions.{name}"));
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    check_configurations(wrong, "ListVersionsByFunction", &[&listed], "versions.", &states);
    let functions = bed.ok("ListFunctions", json!({"MaxItems": 1, "FunctionVersion": "ALL"})).await;
    let states = STATES.map(|name| format!("functions.{name}"));
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    check_configurations(wrong, "ListFunctions", &[&functions], "functions.", &states);
    assert_eq!(version["Version"], "1");
}

async fn beside_functions(bed: &Bed, wrong: &mut Vec<String>) {
    let named = json!({"FunctionName": "f"});
    let and = |more: Json| with(named.clone(), more);
    bed.ok("UpdateFunctionCode", and(json!({"ZipFile": zip("two"), "Publish": true}))).await;
    bed.state.finish().await;
    let alias = json!({
        "Name": "live", "FunctionVersion": "1", "Description": "d", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}},
    });
    check(wrong, "CreateAlias", &[&bed.ok("CreateAlias", and(alias)).await], &[]);
    bed.ok("CreateAlias", and(json!({"Name": "next", "FunctionVersion": "2"}))).await;
    let weighted = json!({"Name": "live", "Description": "e"});
    check(wrong, "UpdateAlias", &[&bed.ok("UpdateAlias", and(weighted)).await], &[]);
    check(wrong, "GetAlias", &[&bed.ok("GetAlias", and(json!({"Name": "live"}))).await], &[]);
    let pages = [bed.ok("ListAliases", and(json!({"MaxItems": 1}))).await];
    check(wrong, "ListAliases", &[&pages[0]], &[]);

    let statement =
        json!({"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
    check(wrong, "AddPermission", &[&bed.ok("AddPermission", and(statement)).await], &[]);
    check(wrong, "GetPolicy", &[&bed.ok("GetPolicy", named.clone()).await], &[]);
    check(wrong, "GetFunctionConcurrency", &[&bed.ok("GetFunctionConcurrency", named.clone()).await], &[]);
    let put = bed.ok("PutFunctionConcurrency", and(json!({"ReservedConcurrentExecutions": 5}))).await;
    check(wrong, "PutFunctionConcurrency", &[&put], &[]);

    let kept = json!({"Qualifier": "live", "ProvisionedConcurrentExecutions": 2});
    bed.ok("PutProvisionedConcurrencyConfig", and(kept)).await;
    bed.ok("UpdateFunctionCode", and(json!({"ZipFile": zip("three"), "Publish": true}))).await;
    bed.state.finish().await;
    let third = json!({"Qualifier": "3", "ProvisionedConcurrentExecutions": 1});
    bed.ok("PutProvisionedConcurrencyConfig", and(third)).await;
    let failed = Provisioned { allocated: 0, ready: 0, has_failed: true };
    *bed.stand.provisioned.lock().expect("nobody panics") = failed;
    let kept = bed.ok("GetProvisionedConcurrencyConfig", and(json!({"Qualifier": "live"}))).await;
    check(wrong, "PutProvisionedConcurrencyConfig", &[&kept], &[]);
    check(wrong, "GetProvisionedConcurrencyConfig", &[&kept], &[]);
    let kept = bed.ok("ListProvisionedConcurrencyConfigs", and(json!({"MaxItems": 1}))).await;
    check(wrong, "ListProvisionedConcurrencyConfigs", &[&kept], &[]);
    bed.create("other").await;
    let other = json!("arn:aws:lambda:us-east-1:000000000000:function:other");
    let rules = json!({
        "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": {"OnSuccess": {"Destination": other}, "OnFailure": {"Destination": other}},
    });
    bed.ok("PutFunctionEventInvokeConfig", and(with(rules.clone(), json!({"Qualifier": "live"})))).await;
    let put = bed.ok("PutFunctionEventInvokeConfig", and(rules)).await;
    let updated = bed.ok("UpdateFunctionEventInvokeConfig", and(json!({"MaximumRetryAttempts": 0}))).await;
    for (operation, answer) in [
        ("PutFunctionEventInvokeConfig", &put),
        ("GetFunctionEventInvokeConfig", &bed.ok("GetFunctionEventInvokeConfig", named.clone()).await),
        ("UpdateFunctionEventInvokeConfig", &updated),
    ] {
        check(wrong, operation, &[answer], &[]);
    }
    let listed = bed.ok("ListFunctionEventInvokeConfigs", and(json!({"MaxItems": 1}))).await;
    check(wrong, "ListFunctionEventInvokeConfigs", &[&listed], &[]);

    let cors = json!({
        "AllowCredentials": true, "AllowHeaders": ["a"], "AllowMethods": ["GET"], "AllowOrigins": ["https://a.example"],
        "ExposeHeaders": ["b"], "MaxAge": 1,
    });
    let url = json!({"AuthType": "NONE", "Cors": cors, "InvokeMode": "BUFFERED"});
    let made = bed.ok("CreateFunctionUrlConfig", and(url.clone())).await;
    check(wrong, "CreateFunctionUrlConfig", &[&made], &[]);
    bed.ok("CreateFunctionUrlConfig", and(with(url, json!({"Qualifier": "live"})))).await;
    let updated = bed.ok("UpdateFunctionUrlConfig", and(json!({"AuthType": "AWS_IAM"}))).await;
    check(wrong, "UpdateFunctionUrlConfig", &[&updated], &[]);
    check(wrong, "GetFunctionUrlConfig", &[&bed.ok("GetFunctionUrlConfig", named.clone()).await], &[]);
    let listed = bed.ok("ListFunctionUrlConfigs", and(json!({"MaxItems": 1}))).await;
    check(wrong, "ListFunctionUrlConfigs", &[&listed], &[]);
}

async fn the_rest(bed: &Bed, wrong: &mut Vec<String>) {
    let named = json!({"FunctionName": "f"});
    let version = json!({"LayerName": "tools", "VersionNumber": 1});
    check(wrong, "GetLayerVersion", &[&bed.ok("GetLayerVersion", version).await], &[(REFUSED, &SIGNED)]);
    let arn = json!({"Arn": "arn:aws:lambda:us-east-1:000000000000:layer:tools:1"});
    check(
        wrong,
        "GetLayerVersionByArn",
        &[&bed.ok("GetLayerVersionByArn", arn).await],
        &[(REFUSED, &SIGNED)],
    );
    for (name, content) in [("tools", "more"), ("words", "one")] {
        let layer = json!({"LayerName": name, "Content": {"ZipFile": zip(content)}});
        bed.ok("PublishLayerVersion", layer).await;
    }
    let one = json!({"MaxItems": 1, "CompatibleRuntime": "python3.11"});
    let layers = [bed.ok("ListLayers", json!({"MaxItems": 1})).await, bed.ok("ListLayers", one).await];
    check(wrong, "ListLayers", &[&layers[0], &layers[1]], &[]);
    let page = json!({"LayerName": "tools", "MaxItems": 1});
    let first = bed.ok("ListLayerVersions", page.clone()).await;
    let second = bed.ok("ListLayerVersions", with(page, json!({"Marker": first["NextMarker"]}))).await;
    check(wrong, "ListLayerVersions", &[&first, &second], &[]);
    check(wrong, "ListTags", &[&bed.ok("ListTags", json!({"Resource": ARN})).await], &[]);
    check(wrong, "GetAccountSettings", &[&bed.ok("GetAccountSettings", json!({})).await], &[]);
    for (operation, expected) in [
        ("GetRuntimeManagementConfig", &[(REFUSED, &["runtimeVersionArn"][..])][..]),
        ("GetFunctionRecursionConfig", &[]),
        ("GetFunctionCodeSigningConfig", &[("there are none", &["codeSigningConfigArn", "functionName"])]),
    ] {
        check(wrong, operation, &[&bed.ok(operation, named.clone()).await], expected);
    }
}

#[tokio::test]
async fn whatever_there_is_to_tell_is_told() {
    let bed = Bed::new().await;
    let mut wrong = Vec::new();
    functions(&bed, &mut wrong).await;
    beside_functions(&bed, &mut wrong).await;
    the_rest(&bed, &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}
