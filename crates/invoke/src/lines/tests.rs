use super::*;

#[test]
fn report_has_lambdas_form() {
    let ended = Status::Ended;
    let report = Report {
        request_id: "id",
        duration_ms: 1.234,
        billed_ms: 2,
        memory_mib: 128,
        memory_peak_mib: 36,
        init_ms: Some(90.119),
        status: &ended,
        trace: None,
        segment: None,
    };
    assert_eq!(
        Line::Report(report.clone()).text(),
        "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 90.12 ms\t\n"
    );
    let error = Status::Error { error_type: "Runtime.ExitError".to_owned() };
    let failed = Report { init_ms: None, status: &error, ..report };
    assert!(
        Line::Report(failed.clone())
            .text()
            .ends_with("Used: 36 MB\tStatus: error\tError Type: Runtime.ExitError\n")
    );
    let timeout = Report { status: &Status::Timeout, ..failed };
    assert!(Line::Report(timeout.clone()).text().ends_with("Used: 36 MB\tStatus: timeout\n"));
    let segment = Segment { trace: TraceId::new(0x5759_e988, 7), id: SpanId::new(9) };
    let traced = Report { status: &ended, segment: Some(segment), ..timeout };
    assert!(Line::Report(traced).text().ends_with(
        "Used: 36 MB\t\nXRAY TraceId: 1-5759e988-000000000000000000000007\tSegmentId: 0000000000000009\tSampled: true\t\n"
    ));
}

#[test]
fn other_lines_have_lambdas_form() {
    assert_eq!(
        Line::Start { request_id: "id", version: VersionId::Latest, trace: None }.text(),
        "START RequestId: id Version: $LATEST\n"
    );
    assert_eq!(
        Line::Start { request_id: "id", version: VersionId::Number(7), trace: None }.text(),
        "START RequestId: id Version: 7\n"
    );
    assert_eq!(
        timed_out(1_712_595_382_000, "id", 3),
        "2024-04-08T16:56:22.000Z id Task timed out after 3.00 seconds\n\n"
    );
    let init_report = |init_ms, is_retry, status| {
        Line::InitReport { init_ms, is_retry, is_provisioned: false, status }.text()
    };
    assert_eq!(
        init_report(9999.79, false, Status::Timeout),
        "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout\n"
    );
    assert_eq!(init_report(90.119, false, Status::Ended), "INIT_REPORT Init Duration: 90.12 ms\n");
    let error = Status::Error { error_type: "Runtime.ExitError".to_owned() };
    assert_eq!(
        init_report(1.0, true, error),
        "INIT_REPORT Init Duration: 1.00 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n"
    );
}

#[test]
fn the_same_is_told_in_json() {
    let (ended, error) = (Status::Ended, Status::Error { error_type: "Runtime.ExitError".to_owned() });
    let report = |status| {
        let (duration_ms, billed_ms, memory_mib) = (1.2345, 2, 128);
        let (memory_peak_mib, init_ms) = (36, Some(90.0));
        Line::Report(Report {
            request_id: "id",
            duration_ms,
            billed_ms,
            memory_mib,
            memory_peak_mib,
            init_ms,
            status,
            trace: None,
            segment: None,
        })
    };
    let json = |line: &Line<'_>, least| {
        let text = line.json(1_712_595_382_000, least)?;
        assert!(text.ends_with('\n'));
        Some(serde_json::from_str::<Value>(&text).expect("JSON"))
    };
    let metrics = json!({
        "durationMs": 1.235, "billedDurationMs": 2, "memorySizeMB": 128, "maxMemoryUsedMB": 36,
        "initDurationMs": 90.0,
    });
    assert_eq!(
        json(&report(&ended), Level::Info),
        Some(json!({
            "time": "2024-04-08T16:56:22.000Z", "type": "platform.report",
            "record": { "requestId": "id", "metrics": metrics, "status": "success" },
        }))
    );
    assert_eq!(json(&report(&ended), Level::Warn), None);
    let failed = json(&report(&error), Level::Warn).expect("a failure is a warning");
    assert_eq!(failed["record"]["status"], "error");
    assert_eq!(failed["record"]["errorType"], "Runtime.ExitError");
    let start = Line::Start { request_id: "id", version: VersionId::Latest, trace: None };
    assert_eq!(
        json(&start, Level::Debug),
        Some(json!({
            "time": "2024-04-08T16:56:22.000Z", "type": "platform.start",
            "record": { "requestId": "id", "version": "$LATEST" },
        }))
    );
    let end = |status| {
        let (request_id, duration_ms, produced_bytes) = ("id", 1.0, 7);
        Line::End { request_id, duration_ms, produced_bytes, status, trace: None, spans: &[] }
    };
    assert_eq!(json(&end(&ended), Level::Info), None, "only for who wants every detail");
    let done = json(&end(&ended), Level::Debug).expect("a line");
    assert_eq!(done["record"]["metrics"], json!({ "durationMs": 1.0, "producedBytes": 7 }));
    let words = Line::Words { request_id: "id", words: "went wrong\n" };
    assert_eq!(json(&words, Level::Warn).expect("a line")["message"], "went wrong");
}

/// Source: Lambda developer guide, "Log-level filtering", the table of system events.
#[test]
fn lines_matter_by_how_it_went() {
    let failed = || Status::Error { error_type: "Runtime.ExitError".to_owned() };
    let least = |line: Line<'_>| {
        let levels = [Level::Warn, Level::Info, Level::Debug];
        levels.into_iter().find(|level| line.json(0, *level).is_some())
    };
    for (is_provisioned, status, level) in [
        (false, Status::Ended, Level::Debug),
        (true, Status::Ended, Level::Info),
        (false, failed(), Level::Warn),
        (true, Status::Timeout, Level::Warn),
    ] {
        let report = Line::InitReport { init_ms: 1.0, is_retry: false, is_provisioned, status };
        assert_eq!(least(report.clone()), Some(level), "{report:?}");
    }
    for (error_type, level) in [(None, Level::Info), (Some("Extension.Crash"), Level::Warn)] {
        let extension = Line::Extension { name: "e", state: "Ready", events: vec![], error_type };
        assert_eq!(least(extension), Some(level), "{error_type:?}");
    }
    let dropped = Line::Dropped { bytes: 150, lines: 3, limit_bytes: 100 };
    let record = &dropped.event(0).1["record"];
    assert_eq!((&record["droppedBytes"], &record["droppedRecords"]), (&json!(150), &json!(3)));
    assert_eq!(least(dropped), Some(Level::Warn));
}

#[test]
fn streams_are_named_by_day_version_and_chance() {
    let at = 1_712_595_382_000;
    let hex = "0000000000000000000000000000000f";
    assert_eq!(stream(at, "f", false, VersionId::Latest, 15), format!("2024/04/08/[$LATEST]{hex}"));
    assert_eq!(stream(at, "f", true, VersionId::Number(3), 15), format!("2024/04/08/f[3]{hex}"));
    assert_eq!(stream(i64::MAX, "f", false, VersionId::Latest, 15), format!("1970/01/01/[$LATEST]{hex}"));
}
