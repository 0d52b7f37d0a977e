use super::*;

fn wanted() -> Wanted {
    Wanted {
        runtime: Some("provided.al2023".to_owned()),
        handler: Some("bootstrap".to_owned()),
        role: Some("arn:aws:iam::000000000000:role/r".to_owned()),
        ..Wanted::default()
    }
}

fn environment(pairs: &[(&str, &str)]) -> Option<Environment> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Some(Environment { variables: Some(pairs.collect()) })
}

#[test]
fn a_new_function_has_lambdas_defaults() {
    let settings = create("f", wanted()).expect("settings");
    assert_eq!((settings.timeout_s, settings.memory_mib, settings.tmp_mib), (3, 128, 512));
    assert_eq!(
        (settings.logging.group.as_str(), settings.logging.format.as_str()),
        ("/aws/lambda/f", "Text")
    );
    assert_eq!((settings.environment, settings.tracing_mode.as_str()), (None, "PassThrough"));
}

#[test]
fn what_is_not_wanted_stays() {
    let mut settings =
        create("f", Wanted { description: Some("d".to_owned()), ..wanted() }).expect("settings");
    let before = settings.clone();
    change(&mut settings, Wanted { timeout: Some(900), ..Wanted::default() }).expect("a change");
    assert_eq!(settings, Settings { timeout_s: 900, ..before });
}

#[test]
fn an_empty_environment_is_none() {
    let mut settings =
        create("f", Wanted { environment: environment(&[("AB", "1")]), ..wanted() }).expect("one");
    assert_eq!(settings.environment.as_ref().map(Texts::len), Some(1));
    change(&mut settings, Wanted { environment: environment(&[]), ..Wanted::default() }).expect("a change");
    assert_eq!(settings.environment, None);
}

#[test]
fn what_is_not_wanted_of_logging_stays() {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let config = |[format, application, system, group]: [&str; 4]| LoggingConfig {
        log_format: some(format),
        application_log_level: some(application),
        system_log_level: some(system),
        log_group: some(group),
    };
    let logging = |[format, application, system, group]: [&str; 4]| Logging {
        format: format.to_owned(),
        application_level: some(application),
        system_level: some(system),
        group: group.to_owned(),
    };
    let own = ["JSON", "DEBUG", "WARN", "mine"];
    let text = ["Text", "", "", "mine"];
    for (now, wanted, expected) in [
        (text, ["", "", "", ""], text),
        (text, ["", "", "", "other"], ["Text", "", "", "other"]),
        (text, ["JSON", "", "", ""], ["JSON", "INFO", "INFO", "mine"]),
        (text, ["JSON", "", "DEBUG", ""], ["JSON", "INFO", "DEBUG", "mine"]),
        (own, ["", "ERROR", "", ""], ["JSON", "ERROR", "WARN", "mine"]),
        (own, ["", "", "", "other"], ["JSON", "DEBUG", "WARN", "other"]),
        (own, ["JSON", "", "", ""], own),
        (own, ["Text", "", "", ""], text),
    ] {
        let changed = super::logging(logging(now), config(wanted)).expect("a change");
        assert_eq!(changed, logging(expected), "{now:?} {wanted:?}");
    }
    for (now, wanted) in
        [(text, ["", "WARN", "", ""]), (text, ["Text", "", "WARN", ""]), (own, ["Text", "WARN", "", ""])]
    {
        let error = super::logging(logging(now), config(wanted)).expect_err("levels of text").to_string();
        assert_eq!(
            error,
            "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change \
             the LogFormat to \"JSON\" and try again."
        );
    }
}

#[test]
fn bounds_are_told_in_lambdas_words() {
    let large = "x".repeat(4096);
    let cases: Vec<(Wanted, String)> = vec![
        (Wanted { runtime: None, ..wanted() }, "Runtime and Handler are mandatory parameters".to_owned()),
        (Wanted { handler: None, ..wanted() }, "Runtime and Handler are mandatory parameters".to_owned()),
        (
            Wanted { timeout: Some(901), ..wanted() },
            "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have \
             value less than or equal to 900"
                .to_owned(),
        ),
        (
            Wanted { memory_size: Some(10_241), ..wanted() },
            "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240"
                .to_owned(),
        ),
        (
            Wanted { environment: environment(&[("AWS_REGION", "x"), ("A", ""), ("_HANDLER", "")]), ..wanted() },
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: AWS_REGION, _HANDLER"
                .to_owned(),
        ),
        (
            Wanted { environment: environment(&[("AB", &large)]), ..wanted() },
            format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided exceeded the 4KB limit. String measured: {{\"AB\":\"{large}\"}}"
            ),
        ),
    ];
    for (wanted, words) in cases {
        let error = create("f", wanted).expect_err(&words).to_string();
        assert!(error.starts_with(&words), "{error}");
    }
}

#[test]
fn what_is_not_obeyed_is_refused_by_name_unless_it_is_the_default() {
    let some = |text: &str| Some(text.to_owned());
    let vpc = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        Some(VpcConfig {
            subnet_ids: Some(ids.clone()),
            security_group_ids: Some(ids),
            ipv6_allowed_for_dual_stack: Some(false),
        })
    };
    let defaults = Harmless {
        vpc_config: vpc(&[]),
        dead_letter_config: Some(DeadLetterConfig { target_arn: some("") }),
        kms_key_arn: some(""),
        file_system_configs: Some(vec![]),
        snap_start: Some(SnapStart { apply_on: some("None") }),
    };
    assert!(create("f", Wanted { harmless: defaults, ..wanted() }).is_ok());
    let dead_letter_config =
        Some(DeadLetterConfig { target_arn: some("arn:aws:sqs:us-east-1:000000000000:q") });
    let empty = Harmless::default;
    for (harmless, name) in [
        (Harmless { vpc_config: vpc(&["subnet-1"]), ..empty() }, "VpcConfig"),
        (Harmless { dead_letter_config, ..empty() }, "DeadLetterConfig"),
        (Harmless { kms_key_arn: some("arn:aws:kms:us-east-1:000000000000:key/k"), ..empty() }, "KMSKeyArn"),
        (Harmless { file_system_configs: Some(vec![FileSystemConfig {}]), ..empty() }, "FileSystemConfigs"),
        (
            Harmless { snap_start: Some(SnapStart { apply_on: some("PublishedVersions") }), ..empty() },
            "SnapStart",
        ),
    ] {
        let error = create("f", Wanted { harmless, ..wanted() }).expect_err(name).to_string();
        assert!(error.starts_with(name) && error.ends_with("is not supported"), "{error}");
    }
    let other = if ARCHITECTURE == "arm64" { "x86_64" } else { "arm64" };
    assert!(
        check_architectures(Some(&[ARCHITECTURE.to_owned()])).is_ok() && check_architectures(None).is_ok()
    );
    let error = check_architectures(Some(&[other.to_owned()])).expect_err("another").to_string();
    assert!(error.starts_with(&format!("Architectures {other} ")), "{error}");
}

#[test]
fn a_tracing_mode_is_kept_until_another_is_given() {
    let mode = |mode: &str| Some(TracingConfig { mode: Some(mode.to_owned()) });
    let mut settings = create("f", Wanted { tracing_config: mode("Active"), ..wanted() }).unwrap();
    assert_eq!(settings.tracing_mode, "Active");
    change(&mut settings, Wanted { description: Some("other".to_owned()), ..Wanted::default() }).unwrap();
    assert_eq!(settings.tracing_mode, "Active");
    change(&mut settings, Wanted { tracing_config: mode("PassThrough"), ..Wanted::default() }).unwrap();
    assert_eq!(settings.tracing_mode, "PassThrough");
}
