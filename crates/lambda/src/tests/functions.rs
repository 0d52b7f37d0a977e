use pitbird_invoke::{CodeError, RuntimeError};

use super::*;

#[tokio::test]
async fn a_new_function_is_pending_and_then_active() {
    let bed = Bed::preparing(0).await;
    let (status, created) = bed.told("CreateFunction", function("f")).await.expect("a function");
    let revision = created["RevisionId"].clone();
    let runtime_arn = text(&created["RuntimeVersionConfig"]["RuntimeVersionArn"]);
    assert_eq!(status, 201);
    assert_eq!(
        created,
        json!({
            "Architectures": [crate::settings::ARCHITECTURE],
            "CodeSha256": "dpLDrTVAu4A8Ags67mbNiIcSMjTqDG5xQ8Ct1z/0Me0=",
            "CodeSize": 3,
            "Description": "",
            "EphemeralStorage": {"Size": 512},
            "FunctionArn": ARN,
            "FunctionName": "f",
            "Handler": "bootstrap",
            "LastModified": "2025-11-25T02:26:54.000+0000",
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
            "MemorySize": 128,
            "PackageType": "Zip",
            "RevisionId": revision,
            "Role": ROLE,
            "Runtime": "provided.al2023",
            "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_arn},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "State": "Pending",
            "StateReason": "The function is being created.",
            "StateReasonCode": "Creating",
            "Timeout": 3,
            "TracingConfig": {"Mode": "PassThrough"},
            "Version": "$LATEST",
        })
    );
    bed.stand.preparations.add_permits(1);
    bed.state.finish().await;
    let active = bed.ok("GetFunctionConfiguration", json!({"FunctionName": "f"})).await;
    assert_ne!(active["RevisionId"], revision);
    let states =
        json!({"State": "Active", "LastUpdateStatus": "Successful", "RevisionId": active["RevisionId"]});
    let gone = json!({"StateReason": null, "StateReasonCode": null});
    assert_eq!(active, with(with(created, states), gone));
}

#[tokio::test]
async fn settings_are_kept_as_given() {
    let bed = Bed::new().await;
    let settings = json!({
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Description": "d",
        "Timeout": 900,
        "MemorySize": 10240,
        "EphemeralStorage": {"Size": 10240},
        "Environment": {"Variables": {"COLOUR": "red"}},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "mine"},
        "Architectures": [crate::settings::ARCHITECTURE],
        "PackageType": "Zip",
        "TracingConfig": {"Mode": "PassThrough"},
    });
    let created = bed.ok("CreateFunction", with(function("f"), settings.clone())).await;
    for (name, value) in settings.as_object().expect("an object") {
        assert_eq!(created[name], *value, "{name}");
    }
}

#[tokio::test]
async fn a_function_may_be_published_as_it_is_made() {
    let bed = Bed::preparing(0).await;
    let published = bed.ok("CreateFunction", with(function("f"), json!({"Publish": true}))).await;
    assert_eq!(
        (text(&published["Version"]), text(&published["FunctionArn"])),
        ("1".into(), format!("{ARN}:1"))
    );
    assert_eq!(bed.configuration("1").await["State"], "Pending");
    bed.stand.preparations.add_permits(2);
    bed.state.finish().await;
    for qualifier in ["1", "$LATEST"] {
        let active = bed.configuration(qualifier).await;
        assert_eq!(
            (text(&active["State"]), text(&active["LastUpdateStatus"])),
            ("Active".into(), "Successful".into())
        );
    }
}

#[tokio::test]
async fn what_cannot_be_made_ready_says_why() {
    let absent = RuntimeError::Unsupported("provided.al2023".to_owned());
    let disk = CodeError::Disk(Arc::new(std::io::Error::other("full")));
    let internal = "The function's code could not be prepared because of an internal error.";
    for (unready, code, reason) in [
        (
            Refused::Runtime(Arc::new(absent)),
            "InvalidRuntime",
            "runtime provided.al2023 is not supported here",
        ),
        (Refused::Code(disk), "InternalError", internal),
    ] {
        let bed = Bed::new().await;
        *bed.stand.unready.lock().unwrap() = Some(unready);
        let failed = bed.create("f").await;
        assert_eq!((&failed["State"], failed.get("LastUpdateStatus")), (&json!("Failed"), None));
        assert_eq!((&failed["StateReasonCode"], &failed["StateReason"]), (&json!(code), &json!(reason)));
        *bed.stand.unready.lock().unwrap() = None;
        bed.ok("UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip("two")})).await;
        bed.state.finish().await;
        assert_eq!(bed.configuration("$LATEST").await["State"], "Active", "an update mends it");
    }
}

#[tokio::test]
async fn what_is_no_function_is_refused_and_nothing_is_kept() {
    let bed = Bed::new().await;
    let long = "f".repeat(65);
    let foreign = "arn:aws:lambda:eu-west-1:000000000000:function:f";
    let abroad = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')";
    let unassumable = "The role defined for the function cannot be assumed by Lambda.";
    let tags: serde_json::Map<String, Json> = (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
    for (members, expected) in [
        (
            json!({"Runtime": null}),
            invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ),
        ),
        (json!({"Role": "arn:aws:iam::000000000000:role/nobody"}), invalid(unassumable)),
        (json!({"Role": "arn:aws:iam::000000000000:role/path/runner"}), invalid(unassumable)),
        (json!({"Role": "arn:aws:iam::000000000000:role/deployer"}), invalid(unassumable)),
        (
            json!({"Role": "arn:aws:iam::111111111111:role/runner"}),
            refusal(403, "AccessDeniedException", "Cross-account pass role is not allowed."),
        ),
        (json!({"Code": {}}), invalid("Please provide a source for function code.")),
        (json!({"Code": {"ZipFile": ""}}), invalid("Uploaded file must be a non-empty zip")),
        (json!({"Code": {"ZipFile": zip("empty")}}), invalid("Uploaded file must be a non-empty zip")),
        (
            json!({"Code": {"ZipFile": zip("bad")}}),
            invalid("Could not unzip uploaded file. Please check your file, then try to upload again."),
        ),
        (
            json!({"Code": {"ZipFile": zip("bomb")}}),
            invalid("Unzipped size must be smaller than 262144000 bytes"),
        ),
        (
            json!({"Code": {"ZipFile": STANDARD.encode(vec![0; 52_428_801])}}),
            refusal(413, "RequestEntityTooLargeException", "Zipped size must be smaller than 52428800 bytes"),
        ),
        (
            json!({"FunctionName": &long}),
            invalid(format!(
                "1 validation error detected: Value '{long}' at 'functionName' failed to satisfy constraint: Member \
                 must have length less than or equal to 64"
            )),
        ),
        (json!({"FunctionName": foreign}), missing(abroad)),
        (
            json!({"Runtime": "go1.x"}),
            invalid(
                "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions. \
                 We recommend you use a supported runtime while creating or updating functions.",
            ),
        ),
        (json!({"Tags": tags}), invalid("Number of tags exceeds resource tag limit.")),
    ] {
        assert_eq!(bed.refused("CreateFunction", with(function("f"), members)).await, expected);
    }
    assert_eq!(bed.ok("ListFunctions", json!({})).await["Functions"], json!([]));
}

#[tokio::test]
async fn a_name_is_given_once() {
    let bed = Bed::new().await;
    bed.create("f").await;
    assert_eq!(bed.refused("CreateFunction", function("f")).await, conflict("Function already exist: f"));
    bed.ok("CreateFunction", function("000000000000:function:g")).await;
    assert_eq!(bed.refused("CreateFunction", function("g")).await, conflict("Function already exist: g"));
}

#[tokio::test]
async fn a_function_goes_with_all_that_is_its_own() {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.create("f2").await;
    bed.publish("two").await;
    bed.ok("CreateAlias", json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"})).await;
    let permission = json!({"FunctionName": "f", "StatementId": "s", "Action": "lambda:*", "Principal": "*"});
    bed.ok("AddPermission", permission).await;
    let (status, body) = bed.told("DeleteFunction", json!({"FunctionName": "f"})).await.expect("deleted");
    assert_eq!((status, body), (204, Json::Null));
    let gone = missing(format!("Function not found: {ARN}"));
    assert_eq!(bed.refused("DeleteFunction", json!({"FunctionName": "f"})).await, gone);
    assert_eq!(bed.refused("ListAliases", json!({"FunctionName": "f"})).await, gone);
    bed.create("f").await;
    assert_eq!(bed.ok("ListAliases", json!({"FunctionName": "f"})).await["Aliases"], json!([]));
    assert_eq!(bed.refused("GetPolicy", json!({"FunctionName": "f"})).await.status, 404);
    assert_eq!(bed.publish("three").await, "1", "a new function counts anew");
}

#[tokio::test]
async fn a_function_may_go_while_it_is_made() {
    let bed = Bed::preparing(0).await;
    bed.ok("CreateFunction", function("f")).await;
    bed.ok("DeleteFunction", json!({"FunctionName": "f"})).await;
    bed.stand.preparations.add_permits(1);
    bed.state.finish().await;
    assert_eq!(bed.refused("GetFunction", json!({"FunctionName": "f"})).await.status, 404);
}
