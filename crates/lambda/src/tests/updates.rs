use pitbird_invoke::RuntimeError;

use super::*;

fn code(content: &str) -> Json {
    json!({"FunctionName": "f", "ZipFile": zip(content)})
}

#[tokio::test]
async fn the_old_code_serves_until_the_new_is_ready() {
    let bed = Bed::preparing(1).await;
    let before = bed.create("f").await;
    let updated = bed.ok("UpdateFunctionCode", code("two")).await;
    assert_ne!(updated["CodeSha256"], before["CodeSha256"]);
    assert_ne!(updated["RevisionId"], before["RevisionId"]);
    for (name, value) in [
        ("State", "Active"),
        ("LastUpdateStatus", "InProgress"),
        ("LastUpdateStatusReason", "The function is being created."),
        ("LastUpdateStatusReasonCode", "Creating"),
    ] {
        assert_eq!(updated[name], value);
    }
    assert_eq!(bed.configuration("$LATEST").await["CodeSha256"], updated["CodeSha256"]);
    let hex = |bed: &Bed| crate::view::base64_of_hex(&bed.served().code.sha256_hex);
    assert_eq!(hex(&bed), text(&before["CodeSha256"]), "the data plane knows nothing of it yet");
    bed.stand.preparations.add_permits(1);
    bed.state.finish().await;
    assert_eq!(hex(&bed), text(&updated["CodeSha256"]));
    let after = bed.configuration("$LATEST").await;
    assert_eq!(
        (&after["LastUpdateStatus"], &after["LastUpdateStatusReason"]),
        (&json!("Successful"), &Json::Null)
    );
    assert_ne!(after["RevisionId"], updated["RevisionId"]);
}

#[tokio::test]
async fn one_update_at_a_time() {
    let bed = Bed::preparing(0).await;
    let calls = [
        ("UpdateFunctionCode", code("two")),
        ("UpdateFunctionCode", with(code("two"), json!({"DryRun": true}))),
        ("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Timeout": 4})),
        ("PublishVersion", json!({"FunctionName": "f"})),
    ];
    bed.ok("CreateFunction", function("f")).await;
    for (operation, input) in calls.clone() {
        assert_eq!(bed.refused(operation, input).await, busy(), "while it is made");
    }
    bed.stand.preparations.add_permits(1);
    bed.state.finish().await;
    bed.ok("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Timeout": 5})).await;
    for (operation, input) in calls {
        assert_eq!(bed.refused(operation, input).await, busy(), "while it is updated");
    }
    bed.stand.preparations.add_permits(1);
    bed.state.finish().await;
    assert_eq!(bed.configuration("$LATEST").await["Timeout"], 5);
}

#[tokio::test]
async fn settings_change_one_by_one() {
    let bed = Bed::new().await;
    bed.create("f").await;
    for settings in [
        json!({"Timeout": 30, "Environment": {"Variables": {"AB": "1"}}}),
        json!({"MemorySize": 256, "Description": "d", "Handler": "h", "Runtime": "nodejs22.x"}),
        json!({"Role": "arn:aws:iam::000000000000:role/walker", "Layers": [], "KMSKeyArn": ""}),
    ] {
        bed.ok("UpdateFunctionConfiguration", with(json!({"FunctionName": "f"}), settings)).await;
        bed.state.finish().await;
    }
    let after = bed.configuration("$LATEST").await;
    for (name, value) in [
        ("Timeout", json!(30)),
        ("MemorySize", json!(256)),
        ("Description", json!("d")),
        ("Handler", json!("h")),
        ("Runtime", json!("nodejs22.x")),
        ("Role", json!("arn:aws:iam::000000000000:role/walker")),
        ("Environment", json!({"Variables": {"AB": "1"}})),
        ("LastUpdateStatus", json!("Successful")),
    ] {
        assert_eq!(after[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let bed = Bed::new().await;
    let before = bed.create("f").await;
    let dry = bed.ok("UpdateFunctionCode", with(code("two"), json!({"DryRun": true}))).await;
    assert_ne!(dry["CodeSha256"], before["CodeSha256"]);
    assert_eq!(bed.configuration("$LATEST").await["CodeSha256"], before["CodeSha256"]);
}

#[tokio::test]
async fn new_code_may_be_published_at_once() {
    let bed = Bed::preparing(1).await;
    bed.create("f").await;
    let published = bed.ok("UpdateFunctionCode", with(code("two"), json!({"Publish": true}))).await;
    assert_eq!((&published["Version"], &published["State"]), (&json!("1"), &json!("Pending")));
    assert_eq!(published["FunctionArn"], format!("{ARN}:1"));
    bed.stand.preparations.add_permits(1);
    bed.state.finish().await;
    let version = bed.configuration("1").await;
    assert_eq!((&version["State"], &version["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    assert_eq!(version["CodeSha256"], bed.configuration("$LATEST").await["CodeSha256"]);
    bed.stand.preparations.add_permits(2);
    let again = bed.ok("UpdateFunctionCode", with(code("two"), json!({"Publish": true}))).await;
    assert_eq!(again["Version"], "1", "nothing has changed");
    bed.state.finish().await;
    let next = bed.ok("UpdateFunctionCode", with(code("three"), json!({"Publish": true}))).await;
    assert_eq!(next["Version"], "2");
}

#[tokio::test]
async fn an_update_that_cannot_be_prepared_leaves_the_old() {
    let bed = Bed::new().await;
    let before = bed.create("f").await;
    let absent = RuntimeError::Unsupported("provided.al2023".to_owned());
    *bed.stand.unready.lock().unwrap() = Some(Refused::Runtime(Arc::new(absent)));
    bed.ok("UpdateFunctionCode", code("two")).await;
    bed.state.finish().await;
    let after = bed.configuration("$LATEST").await;
    assert_eq!((&after["State"], &after["LastUpdateStatus"]), (&json!("Active"), &json!("Failed")));
    assert_eq!(after["LastUpdateStatusReasonCode"], "InvalidRuntime");
    assert_eq!(after["CodeSha256"], before["CodeSha256"]);
}

#[tokio::test]
async fn bad_updates_are_refused_and_nothing_changes() {
    let bed = Bed::new().await;
    let before = bed.create("f").await;
    let gone = |name: &str| {
        missing(format!("Function not found: arn:aws:lambda:us-east-1:000000000000:function:{name}"))
    };
    let whole = "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
                 operation. Please specify either a function name or an unqualified function ARN.";
    let unzip = "Could not unzip uploaded file. Please check your file, then try to upload again.";
    let reserved = "Lambda was unable to configure your environment variables because the environment variables you have \
                    provided contains reserved keys that are currently not supported for modification. Reserved keys \
                    used in this request: ";
    let reserved = |names: &str| invalid(format!("{reserved}{names}"));
    let settings =
        |members: Json| ("UpdateFunctionConfiguration", with(json!({"FunctionName": "f"}), members));
    for ((operation, input), expected) in [
        (("UpdateFunctionCode", with(code("two"), json!({"FunctionName": "g"}))), gone("g")),
        (("UpdateFunctionCode", with(code("two"), json!({"FunctionName": "f:1"}))), invalid(whole)),
        (
            ("UpdateFunctionCode", with(code("two"), json!({"RevisionId": "old"}))),
            stale("GetFunction/GetAlias"),
        ),
        (("UpdateFunctionCode", code("bad")), invalid(unzip)),
        (
            ("UpdateFunctionCode", json!({"FunctionName": "f"})),
            invalid("Please provide a source for function code."),
        ),
        (("UpdateFunctionConfiguration", json!({"FunctionName": "g"})), gone("g")),
        (settings(json!({"RevisionId": "old"})), stale("GetFunction/GetAlias")),
        (settings(json!({"Environment": {"Variables": {"AWS_REGION": "x"}}})), reserved("AWS_REGION")),
        (settings(json!({"Environment": {"Variables": {"_HANDLER": "x", "A": ""}}})), reserved("_HANDLER")),
        (
            settings(json!({"Environment": {"Variables": {"_X_AMZN_TRACE_ID": "x"}}})),
            reserved("_X_AMZN_TRACE_ID"),
        ),
        (
            settings(json!({"Role": "arn:aws:iam::000000000000:role/nobody"})),
            invalid("The role defined for the function cannot be assumed by Lambda."),
        ),
        (
            settings(json!({"MemorySize": 10241})),
            invalid(
                "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240",
            ),
        ),
        (
            settings(json!({"Timeout": 901})),
            refusal(
                400,
                "ValidationException",
                "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have \
                 value less than or equal to 900",
            ),
        ),
    ] {
        assert_eq!(bed.refused(operation, input).await, expected, "{operation}");
    }
    assert_eq!(bed.configuration("$LATEST").await["RevisionId"], before["RevisionId"]);
}

#[tokio::test]
async fn what_an_update_leaves_out_of_logging_stays() {
    let bed = Bed::new().await;
    let own = json!({
        "LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN", "LogGroup": "/mine",
    });
    bed.ok("CreateFunction", with(function("f"), json!({"LoggingConfig": own}))).await;
    bed.state.finish().await;
    for (change, expected) in [
        (json!({"ApplicationLogLevel": "ERROR"}), with(own.clone(), json!({"ApplicationLogLevel": "ERROR"}))),
        (
            json!({"LogGroup": "/other"}),
            with(own.clone(), json!({"ApplicationLogLevel": "ERROR", "LogGroup": "/other"})),
        ),
        (json!({"LogFormat": "Text"}), json!({"LogFormat": "Text", "LogGroup": "/other"})),
    ] {
        let input = json!({"FunctionName": "f", "LoggingConfig": change});
        assert_eq!(bed.ok("UpdateFunctionConfiguration", input).await["LoggingConfig"], expected);
        bed.state.finish().await;
    }
    let levels = json!({"FunctionName": "f", "LoggingConfig": {"SystemLogLevel": "WARN"}});
    let words = "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change \
                 the LogFormat to \"JSON\" and try again.";
    assert_eq!(bed.refused("UpdateFunctionConfiguration", levels).await, invalid(words));
}
