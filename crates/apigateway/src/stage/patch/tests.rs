use super::*;

/// One operation: `op path value`, or `copy path from`.
fn operation(line: &str) -> PatchOperation {
    let mut words = line.splitn(3, ' ');
    let op: Op = serde_json::from_value(words.next().expect("an op").into()).expect("a known op");
    let path = words.next().map(str::to_owned);
    let last = words.next().map(str::to_owned);
    let (value, from) = if op == Op::Copy { (None, last) } else { (last, None) };
    PatchOperation { op: Some(op), path, value, from }
}

fn plain() -> Stage {
    let mut stage = stage::fresh(&Default::default(), "api", "dev", "D1", 0);
    stage.variables.insert("a".to_owned(), "1".to_owned());
    stage
}

fn patched_from(stage: &Stage, lines: &[&str], has_logging_role: bool) -> Result<Stage, String> {
    let operations: Vec<_> = lines.iter().map(|line| operation(line)).collect();
    let mut stage = stage.clone();
    let exists = |id: &str| Ok(["D1", "D2"].contains(&id));
    let known = |id: &str| Ok(id == "known");
    let around = Surroundings {
        deployment_exists: &exists,
        certificate_exists: &known,
        documentation_exists: &known,
        has_logging_role,
    };
    apply(&mut stage, Some(&operations), &around).map_err(|error| error.to_string())?;
    Ok(stage)
}

fn patched(lines: &[&str]) -> Result<Stage, String> {
    patched_from(&plain(), lines, true)
}

fn refused(line: &str) -> String {
    patched(&[line]).expect_err(line)
}

#[test]
fn the_matrix_of_what_works() {
    for lines in [
        &["replace /deploymentId D2"][..],
        &["replace /description text", "replace /description"],
        &["replace /variables/b 2", "add /variables/c 3", "remove /variables/a"],
        &["replace /variables {\"x\":\"1\"}", "remove /variables"],
        &[
            "replace /cacheClusterEnabled false",
            "replace /tracingEnabled false",
            "replace /clientCertificateId",
        ],
        &["replace /cacheClusterSize", "replace /documentationVersion"],
        &["replace /cacheClusterEnabled true", "replace /cacheClusterSize 1.6"],
        &["replace /clientCertificateId known", "replace /documentationVersion known"],
        &["replace /*/*/throttling/burstLimit 10", "replace /*/*/caching/enabled true"],
        &["replace /*/*/metrics/enabled true", "remove /*/*"],
        &["replace /~1pets/GET/logging/loglevel INFO", "replace /~1pets/GET/logging/dataTrace true"],
        &["replace /~1pets/GET/logging/loglevel OFF", "remove /~1pets/GET"],
        &["remove /accessLogSettings"],
        &["replace /canarySettings/percentTraffic 10.000000", "remove /canarySettings"],
        &["remove /canarySettings"],
        &["replace /canarySettings/useStageCache true", "replace /canarySettings/deploymentId D2"],
        &[
            "replace /canarySettings/stageVariableOverrides/z 1",
            "remove /canarySettings/stageVariableOverrides/z",
        ],
        &["replace /canarySettings/stageVariableOverrides {\"z\":\"1\"}"],
    ] {
        assert!(patched(lines).is_ok(), "{lines:?}: {:?}", patched(lines));
    }
}

#[test]
fn a_canary_path_has_few_operations() {
    for (line, text) in [
        (
            "add /canarySettings/deploymentId D2",
            "Invalid add operation with path: /canarySettings/deploymentId",
        ),
        (
            "add /canarySettings/percentTraffic 1",
            "Invalid add operation with path: /canarySettings/percentTraffic",
        ),
        ("add /description x", "Invalid add operation with path: /description"),
        ("move /description x", "Invalid move operation with path: /description"),
        ("test /deploymentId D1", "Invalid test operation with path: /deploymentId"),
        (
            "remove /canarySettings/stageVariableOverrides",
            "Cannot remove method setting canarySettings/stageVariableOverrides because there is no method setting for \
             this method ",
        ),
        (
            "remove /canarySettings/badPath",
            "Cannot remove method setting canarySettings/badPath because there is no method setting for this method ",
        ),
        (
            "remove /canarySettings/stageVariableOverrides/a",
            "Cannot remove method setting canarySettings/stageVariableOverrides/a because there is no method setting \
             for this method ",
        ),
        ("replace /canarySettings/deploymentId D9", "Deployment id does not exist"),
        ("replace /deploymentId D9", "Deployment id does not exist"),
        (
            "replace /canarySettings/percentTraffic 100.1",
            "Invalid canary percentTraffic specified: 100.1. It must be between 0.0 and 100.0",
        ),
        (
            "replace /canarySettings/percentTraffic ten",
            "Invalid canary percentTraffic specified: ten. It must be between 0.0 and 100.0",
        ),
    ] {
        assert_eq!(refused(line), text);
    }
}

#[test]
fn an_unknown_path_is_told_all_known_ones() {
    let known = "[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, /{resourcePath}/{httpMethod}/logging/loglevel, /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled]";
    for path in [
        "/canarySettings",
        "/canarySettings/badPath",
        "/documentation_version",
        "/tags/x",
        "/{proxy+}/ANY//throttling/burstLimit",
        "/*/*/metrics/disabled",
        "/pets/GET",
        "nonsense",
        "",
    ] {
        let text = format!("Invalid method setting path: {path}. Must be one of: {known}");
        assert_eq!(refused(&format!("replace {path} x")), text);
    }
}

#[test]
fn copies_go_from_the_canary_to_the_stage_only() {
    for (path, from) in [
        ("/canarySettings/deploymentId", "/deploymentId"),
        ("/deploymentId", "/canarySettings/stageVariableOverrides"),
        ("/variables", "/canarySettings/deploymentId"),
        ("/description", "/canarySettings/deploymentId"),
    ] {
        let text = format!(
            "Invalid copy operation with path: {path} and from {from}. Valid copy:path are [/deploymentId, /variables] \
             and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]"
        );
        assert_eq!(refused(&format!("copy {path} {from}")), text);
    }
    for line in [
        "copy /deploymentId /canarySettings/deploymentId",
        "copy /variables /canarySettings/stageVariableOverrides",
    ] {
        assert_eq!(refused(line), "Promotion not available. Canary does not exist.");
    }
}

#[test]
fn a_replace_before_a_copy_makes_the_canary_that_is_copied() {
    let stage = patched(&[
        "replace /canarySettings/deploymentId D2",
        "replace /canarySettings/stageVariableOverrides/a 2",
        "replace /canarySettings/stageVariableOverrides/b 3",
        "replace /canarySettings/percentTraffic 0.0",
        "copy /canarySettings/stageVariableOverrides /variables",
    ]);
    assert!(stage.is_err(), "path and from the wrong way round");
    let stage = patched(&[
        "replace /canarySettings/deploymentId D2",
        "replace /canarySettings/stageVariableOverrides/a 2",
        "copy /variables /canarySettings/stageVariableOverrides",
        "copy /deploymentId /canarySettings/deploymentId",
    ])
    .expect("promoted");
    assert_eq!((stage.deployment_id.as_str(), stage.variables["a"].as_str()), ("D2", "2"));
    let without_overrides = patched(&[
        "replace /canarySettings/deploymentId D2",
        "copy /variables /canarySettings/stageVariableOverrides",
    ]);
    let stage = without_overrides.expect("nothing to copy");
    assert_eq!(stage.variables, plain().variables);
}

#[test]
fn access_logs_need_both_halves_and_a_role() {
    let destination =
        "replace /accessLogSettings/destinationArn arn:aws:logs:us-east-1:000000000000:log-group:g";
    let format = "add /accessLogSettings/format $context.requestId";
    let logging = patched(&[destination, format]).expect("both");
    assert!(logging.access_log.is_some());
    let no_role = "CloudWatch Logs role ARN must be set in account settings to enable logging";
    assert_eq!(patched_from(&plain(), &[destination, format], false).expect_err("no role"), no_role);
    assert!(patched_from(&logging, &["replace /description x"], false).is_ok(), "an old log may stay");
    assert_eq!(refused(destination), "Access Log value must not be empty");
    for line in ["replace /accessLogSettings/format", "replace /accessLogSettings/destinationArn"] {
        assert_eq!(refused(line), "Access Log value must not be empty");
    }
    for line in ["replace /accessLogSettings/other x", "replace /accessLogSettings x"] {
        assert_eq!(
            refused(line),
            "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, \
             /accessLogSettings/format]"
        );
    }
    assert_eq!(
        patched_from(&logging, &["remove /accessLogSettings/destinationArn"], true)
            .expect_err("a leaf stays"),
        "Cannot remove method setting accessLogSettings/destinationArn because there is no method setting for this \
         method "
    );
    assert_eq!(
        patched_from(&logging, &["remove /accessLogSettings"], false).expect("removed").access_log,
        None
    );
}

#[test]
fn execution_logs_need_a_role_when_they_begin() {
    let no_role =
        Err("CloudWatch Logs role ARN must be set in account settings to enable logging".to_owned());
    let plain = plain();
    assert_eq!(patched_from(&plain, &["replace /*/*/logging/loglevel INFO"], false), no_role);
    assert_eq!(patched_from(&plain, &["replace /*/*/logging/dataTrace true"], false), no_role);
    assert!(patched_from(&plain, &["replace /*/*/logging/loglevel OFF"], false).is_ok());
    assert!(patched_from(&plain, &["replace /*/*/metrics/enabled true"], false).is_ok());
    let logging = patched(&["replace /*/*/logging/loglevel ERROR"]).expect("a role");
    assert!(
        patched_from(&logging, &["replace /*/*/metrics/enabled true"], false).is_ok(),
        "it logged before"
    );
}

#[test]
fn a_stage_traces_from_now_on_or_no_more() {
    let traces = |lines| patched(lines).map(|stage| stage.tracing_enabled);
    assert_eq!(traces(&["replace /tracingEnabled true"]), Ok(true));
    assert_eq!(traces(&["replace /tracingEnabled true", "replace /tracingEnabled false"]), Ok(false));
}

#[test]
fn what_is_no_value_is_refused() {
    for (line, text) in [
        ("replace /clientCertificateId other", "Invalid Client Certificate identifier specified"),
        ("replace /documentationVersion other", "Invalid Documentation version specified"),
        (
            "replace /cacheClusterSize 2",
            "Invalid cache cluster size specified: 2. Valid options are 0.5,1.6,6.1,13.5,28.4,58.2,118,237",
        ),
        ("replace /*/*/caching/ttlInSeconds 3601", "Invalid value specified for caching/ttlInSeconds: 3601"),
    ] {
        assert_eq!(refused(line), text);
    }
}

#[test]
fn removing_what_is_not_there_is_refused() {
    for path in ["*/*", "pets/GET", "variables/b", "description"] {
        let text = format!(
            "Cannot remove method setting {path} because there is no method setting for this method "
        );
        assert_eq!(refused(&format!("remove /{path}")), text);
    }
}

#[test]
fn method_settings_are_told_back_under_the_path_that_set_them() {
    for key in ["pets/GET", "~1pets/GET", "a/b/ANY", "~1a~1{b}/POST", "*/*"] {
        let stage = patched(&[&format!("replace /{key}/metrics/enabled true")]).expect(key);
        assert!(stage.method_settings.get(key).is_some_and(|entry| entry.metrics_enabled), "{key}");
    }
}

#[test]
fn variables_are_checked_wherever_they_come_from() {
    for line in [
        "replace /variables/a-b x",
        "replace /variables/a {}",
        "replace /variables [1]",
        "replace /variables {\"a\":1}",
        "replace /canarySettings/stageVariableOverrides/a-b x",
        "replace /canarySettings/stageVariableOverrides {\"a\":\"{}\"}",
    ] {
        assert!(refused(line).starts_with("Invalid stage variable"), "{line}: {}", refused(line));
    }
}
