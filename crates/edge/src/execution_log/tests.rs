use super::words::{body, headers, usual_spelling};
use super::*;

#[test]
fn a_secrets_last_letters_are_shown_and_nothing_of_a_short_one() {
    for (secret, shown) in
        [("", ""), ("abcdef", "******"), ("abcdefg", "*bcdefg"), ("schlüssel", "***lüssel"), ("ä", "*")]
    {
        assert_eq!(masked(secret), shown);
    }
}

#[test]
fn lines_end_where_the_service_ends_them() {
    for (length, shown) in [(1024, 1024), (1025, 1024 + TRUNCATED.len())] {
        assert_eq!(clip("a".repeat(length)).len(), shown);
        assert_eq!(clip("ü".repeat(length)).chars().count(), shown);
    }
    assert!(clip("ü".repeat(5000)).ends_with("ü [TRUNCATED]"));
}

#[test]
fn bodies_are_text_or_named_as_what_they_are() {
    assert_eq!(body(b""), "");
    assert_eq!(body("grün".as_bytes()), "grün");
    assert_eq!(body(b"\xff\x00"), "[Binary Data]");
    assert_eq!(body(b"a\xc3"), "[Binary Data]", "it ends within a character");
    // Wherever a long text is cut, it stays a text.
    for lead in 0..4 {
        let long = format!("{}{}", "a".repeat(lead), "€".repeat(LINE_CHARACTERS_MAX * 2));
        assert!(body(long.as_bytes()).chars().count() > LINE_CHARACTERS_MAX);
        assert_ne!(body(long.as_bytes()), "[Binary Data]");
    }
}

#[test]
fn headers_are_joined_by_name_and_secrets_are_masked() {
    let given: [(&str, &[u8]); 5] = [
        ("x-two", b"1"),
        ("authorization", b"Bearer abcdef"),
        ("x-two", b"2"),
        ("x-api-key", b"0123456789abcdef"),
        ("x-amz-security-token", b"sessiontoken"),
    ];
    assert_eq!(
        headers(given, usual_spelling),
        "{X-Two=1,2, Authorization=*******abcdef, X-Api-Key=**********************************abcdef, \
         X-Amz-Security-Token=******ntoken}"
    );
    assert_eq!(headers([], usual_spelling), "{}");
    assert_eq!(usual_spelling("x-amzn-errortype"), "x-amzn-ErrorType");
}

fn told(level: Level, is_traced: bool) -> Vec<String> {
    let kept = ExecutionLog::new(level, is_traced);
    let log = Log(Some(&kept));
    log.info(|| "step".to_owned());
    log.trace(|| "data".to_owned());
    log.endpoint_request_id(|| Some("id".to_owned()));
    assert!(!log.has_failed());
    log.error(|| "failure".to_owned());
    assert!(log.has_failed());
    log.end();
    kept.lines().into_iter().map(|line| line.text).collect()
}

#[test]
fn each_level_tells_what_it_is_for() {
    let end = "AWS Integration Endpoint RequestId : id";
    assert_eq!(told(Level::Info, true), ["step", "data", "failure", end]);
    assert_eq!(told(Level::Info, false), ["step", "failure", end]);
    assert_eq!(told(Level::Error, true), ["failure"], "data is traced at INFO only");
}

#[test]
fn what_isnt_logged_isnt_put_into_words() {
    let never = || -> String { panic!("nobody wants it") };
    for log in [Log::default(), Log(Some(&ExecutionLog::new(Level::Error, false)))] {
        log.info(never);
        log.trace(never);
        log.endpoint_request_id(|| None);
    }
    Log::default().error(never);
}

#[test]
fn only_settings_with_a_level_want_a_log() {
    let mut values = pitbird_records::stage::MethodSetting {
        metrics_enabled: false,
        logging_level: None,
        data_trace_enabled: true,
        throttling_burst_limit: 1,
        throttling_rate_limit: 1.0,
        caching_enabled: false,
        cache_ttl_s: 0,
        cache_data_encrypted: false,
        require_authorization_for_cache_control: false,
        unauthorized_cache_control_header_strategy: String::new(),
    };
    assert!(ExecutionLog::wanted(None).is_none());
    for (level, is_kept, is_traced) in [
        (None, false, false),
        (Some("OFF"), false, false),
        (Some("ERROR"), true, false),
        (Some("INFO"), true, true),
    ] {
        values.logging_level = level.map(str::to_owned);
        let kept = ExecutionLog::wanted(Some(Setting { values: &values, is_own: true }));
        assert_eq!(
            (kept.is_some(), kept.is_some_and(|kept| kept.is_traced)),
            (is_kept, is_traced),
            "{level:?}"
        );
    }
}

#[test]
fn headers_are_shown_as_they_were_spelled() {
    let kept = ExecutionLog::whole();
    Log(Some(&kept)).spell(["X-ODD"].into_iter());
    assert_eq!(
        (kept.shown("x-odd"), kept.shown("content-type")),
        ("X-ODD".to_owned(), "Content-Type".to_owned())
    );
}
