use super::*;

const LEVELS: &[(i64, &str)] = &[
    (0, r#"{"level":"INFO","ms":10,"path":"/a"}"#),
    (60, r#"{"level":"ERROR","ms":200,"path":"/b"}"#),
    (400, r#"{"level":"INFO","ms":30,"path":"/a"}"#),
    (700, r#"{"ms":"40","path":"/c","ok":true}"#),
    (900, "plain text with ERROR"),
];

#[test]
fn events_come_the_latest_first() {
    let levels = events("0:g", LEVELS);
    let answer = run("limit 2", &levels);
    assert_eq!(answer.names, ["@timestamp", "@message"]);
    let rows = [
        "2025-11-28 10:15:00.000|plain text with ERROR",
        "2025-11-28 10:11:40.000|{\"ms\":\"40\",\"path\":\"/c\",\"ok\":true}",
    ];
    assert_eq!(lines(&answer), rows);
    assert_eq!(answer.rows[0].pointer.as_deref(), Some("here"));
    check("fields @ptr | limit 1", &levels, &["here"]);
    assert!(run("stats count(*)", &levels).rows[0].pointer.is_none());
}

#[test]
fn filters_let_pass() {
    let levels = events("0:g", LEVELS);
    for (condition, count) in [
        ("level = \"INFO\"", 2),
        ("level != \"INFO\"", 3),
        ("ms > 30", 2),
        ("ms >= 30 and ms < 200", 2),
        ("ms <= 10 or path = \"/c\"", 2),
        ("not (ms > 30)", 3),
        ("ms in [10, \"40\"]", 2),
        ("ms not in [10, 40]", 3),
        ("@message like \"ERROR\"", 2),
        ("@message like /(?i)error$/", 1),
        ("@message =~ /ERR.R/", 2),
        ("@message not like /ERROR/", 3),
        ("level like /^I/", 2),
        ("level not like /^I/", 3),
        ("@message like concat(\"ER\", \"ROR\")", 2),
        ("ispresent(level)", 3),
        ("not ispresent(level)", 2),
        ("ok = 1", 1),
        ("ok", 1),
        ("ok = \"true\"", 1),
        ("@timestamp >= 1764324400000", 3),
        ("@timestamp < \"2025-11-28 10:01:00\"", 1),
        ("strcontains(path, \"b\")", 1),
        ("@logStream = \"s\" and @log = \"0:g\"", 5),
        ("level", 0),
    ] {
        let rows = [count.to_string()];
        let expected: &[&str] = if count == 0 { &[] } else { &[&rows[0]] };
        check(&format!("filter {condition} | stats count(*)"), &levels, expected);
    }
}

#[test]
fn fields_make_and_show() {
    let levels = events("0:g", LEVELS);
    let answer =
        run("fields path, ms * 2 as twice, strlen(path) | filter twice > 50 | sort twice | limit 5", &levels);
    assert_eq!(answer.names, ["path", "twice", "strlen(path)"]);
    assert_eq!(lines(&answer), ["/a|60|2", "/c|80|2", "/b|400|2"]);
    check("fields path | display ms, level | limit 1", &levels, &["-|-"]);
    check("fields @ingestionTime, @missing | limit 1", &levels, &["2025-11-28 10:15:00.005|-"]);
    check("unmask level | filter ms = 200", &levels, &["ERROR"]);
}

#[test]
fn parse_extracts() {
    let lines = events("0:g", &[(0, "user=ann, method:GET, latency := 12"), (1, "nothing")]);
    let glob = "parse @message \"user=*, method:*, latency := *\" as @user, @method, latency";
    check(&format!("{glob} | stats avg(latency) as a by @method, @user"), &lines, &["-|-|-", "GET|ann|12"]);
    let answer =
        run(r"parse @message /user=(?<who>\w+).*latency := (?<took>\d+)/ | filter ispresent(who)", &lines);
    assert_eq!(
        (answer.names.clone(), super::lines(&answer)),
        (vec!["who".into(), "took".into()], vec!["ann|12".into()])
    );
    check(r"parse @message /(\w+)=(\w+)/ as key, value | filter key = 'user'", &lines, &["user|ann"]);
    check(r"parse /user=(?<who>\w+)/ | filter who = 'ann'", &lines, &["ann"]);
    check("parse \"user=*,\" as who | filter who = 'ann'", &lines, &["ann"]);
    check(
        "parse @message 'user=*,' as who | parse who 'a*' as rest | display rest | filter rest like 'n'",
        &lines,
        &["nn"],
    );
    check("parse concat(@message, ';') '*=*;' as a, b | display a | filter b like 'ann'", &lines, &["user"]);
}

#[test]
fn stats_add_up() {
    let levels = events("0:g", LEVELS);
    for (figures, row) in [
        ("count(*), count(), count(level)", "5|5|3"),
        ("count_distinct(path), sum(ms), avg(ms)", "3|280|70"),
        ("min(ms), max(ms), max(path)", "10|200|/c"),
        ("pct(ms, 50), pct(ms, 75), pct(ms, 100)", "30|40|200"),
        ("stddev(ms)", "75.8288"),
        ("earliest(level), latest(level)", "INFO|INFO"),
        ("earliest(@timestamp), latest(path)", "1764324000000|/c"),
        ("sortsFirst(level), sortsLast(level)", "ERROR|INFO"),
        ("sum(ms) / count(*) as per, 100 * count(level) / count(*)", "56|60"),
        ("ceil(avg(ms) / 3) as third", "24"),
        ("sum(level), avg(nothing), stddev(nothing), pct(nothing, 5)", "-|-|-|-"),
    ] {
        check(&format!("stats {figures}"), &levels, &[row]);
    }
    check("filter ms > 999 | stats count(*)", &levels, &[]);
}

#[test]
fn stats_group() {
    let levels = events("0:g", LEVELS);
    let by = "stats count(*) as n by bin(5m)";
    let rows = [
        "2025-11-28 10:15:00.000|1",
        "2025-11-28 10:10:00.000|1",
        "2025-11-28 10:05:00.000|1",
        "2025-11-28 10:00:00.000|2",
    ];
    check(by, &levels, &rows);
    check(&format!("{by} | sort n desc | limit 1"), &levels, &[rows[3]]);
    check("stats count(*) by level", &levels, &["-|2", "ERROR|1", "INFO|2"]);
    check("stats count(*) by level | sort count( * ) desc, level desc | limit 1", &levels, &["INFO|2"]);
    check(
        "stats sum(ms) by strlen(path) as length, path | filter path like /[ab]/",
        &levels,
        &["2|/a|40", "2|/b|200"],
    );
    check("stats count(*) by bin(5m) as t | stats max(t), count(*)", &levels, &["1764324900000|4"]);
    check(
        "stats count(*) as n by path | filter ispresent(path) | stats sum(n) as all, count(*) as paths",
        &levels,
        &["4|3"],
    );
    check(
        "stats max(ms) as top by path | fields top * 2 as twice | display path, twice | sort path desc | limit 1",
        &levels,
        &["/c|80"],
    );
    let answer = run("stats avg( ms ), count(*) by bin(1h), path", &levels);
    assert_eq!(answer.names, ["bin(1h)", "path", "avg( ms )", "count(*)"]);
}

#[test]
fn sort_and_dedup_choose() {
    let levels = events("0:g", LEVELS);
    check("fields path, ms | sort ms asc | limit 3", &levels, &["-|-", "/a|10", "/a|30"]);
    check("fields path, ms | sort path desc, ms desc | limit 3", &levels, &["/c|40", "/b|200", "/a|30"]);
    check("fields path, ms | filter ispresent(ms) | dedup path", &levels, &["/c|40", "/a|30", "/b|200"]);
    check("fields path, ms | sort ms | dedup path | limit 9", &levels, &["-|-", "/a|10", "/c|40", "/b|200"]);
    check("fields ms | limit 3 | sort ms desc", &levels, &["40", "30", "-"]);
    check("fields ms | sort ms desc | filter ms < 100 | limit 1", &levels, &["40"]);
    check("fields ms | dedup level | limit 9", &levels, &["-", "40", "30", "200"]);
}

#[test]
fn who_wants_the_latest_wants_them_first() {
    for (text, wants) in [
        ("fields @message", true),
        ("sort @timestamp desc, path | limit 20", true),
        ("filter path = \"/a\" | limit 20", true),
        ("sort @timestamp asc | limit 20", false),
        ("sort path desc | limit 20", false),
        ("sort @timestamp desc | stats count(*)", false),
        ("stats count(*) by bin(5m) | sort @timestamp desc", false),
    ] {
        let query = Query::compile(text, options());
        assert_eq!(query.is_ok_and(|query| query.wants_latest_first()), wants, "{text}");
    }
}

#[test]
fn limit_any_is_soon_full() {
    let query = Query::compile("fields @message | limit any 2", options()).expect("a query");
    let query = std::sync::Arc::new(query);
    assert!(query.may_stop_early());
    let mut worker = Worker::new(query.clone());
    let levels = events("0:g", LEVELS);
    let taken = levels.iter().take_while(|event| !worker.is_full() && worker.push(event).is_ok()).count();
    assert_eq!((taken, worker.finish().expect("room").rows.len()), (2, 2));
    assert!(!Query::compile("stats count(*) | limit any 2", options()).expect("a query").may_stop_early());
}

#[test]
fn patterns_cluster() {
    let messages: Vec<String> = (0..6)
        .map(|n| format!("[INFO] Request {n}17 took {n}.5 ms for user name{}", ["a", "b"][n % 2]))
        .chain(["2025-11-28T10:00:00Z ERROR no luck from 10.0.0.1".to_owned()])
        .chain(["2025-11-28T10:00:01Z ERROR no luck from 10.0.0.2".to_owned()])
        .collect();
    let messages: Vec<(i64, &str)> =
        messages.iter().enumerate().map(|(n, text)| (n as i64, text.as_str())).collect();
    let messages = events("0:g", &messages);
    let answer = run("pattern @message", &messages);
    assert_eq!(answer.names, ["@pattern", "@ratio", "@sampleCount", "@severityLabel"]);
    let rows = [
        "[INFO] Request <Number-1> took <Number-2> ms for user <Token-3>|0.75|6|Info",
        "<Time-1> ERROR no luck from <IPAddress-2>|0.25|2|Error",
    ];
    assert_eq!(lines(&answer), rows);
    check("pattern @message | filter @severityLabel = \"Error\" | display @sampleCount", &messages, &["2"]);
}

#[test]
fn lambda_lines_have_their_fields() {
    let id = "8f507cfc-1f0e-4dcc-9c5b-0123456789ab";
    let report = format!(
        "REPORT RequestId: {id}\tDuration: 103.55 ms\tBilled Duration: 104 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t\n"
    );
    let start = format!("START RequestId: {id} Version: $LATEST\n");
    let json = format!("2025-11-28T10:00:00.000Z\t{id}\tINFO\t{{\"order\":7}}");
    let lines = events("0:/aws/lambda/f", &[(0, &start), (1, &json), (2, &report)]);
    let text = "filter @type = \"REPORT\" | stats max(@memorySize / 1024 / 1024) as mb, avg(@duration), sum(@billedDuration)";
    check(text, &lines, &["122.0703|103.55|104"]);
    check(&format!("filter @requestId = \"{id}\" and order = 7 | display @type, order"), &lines, &["-|7"]);
    check("fields @billedDuration, @maxMemoryUsed | filter @type = 'REPORT'", &lines, &["104.0|4.0E7"]);
}

#[test]
fn diff_compares_patterns() {
    let now = [(0, "took 12 ms"), (1, "took 7 ms"), (2, "took 9 ms"), (3, "ERROR new"), (4, "all well")];
    let before = [(0, "took 1 ms"), (1, "gone ERROR at 5"), (2, "gone ERROR at 7"), (3, "all well")];
    for (text, rows) in [
        (
            "filter @message like /./ | sort @timestamp desc | diff",
            &[
                "took <Number-1> ms|0.6|3|-|2|+200%",
                "gone ERROR at <Number-1>|0|0|Error|-2|Gone",
                "ERROR new|0.2|1|Error|1|New",
                "all well|0.2|1|-|0|Unchanged",
            ][..],
        ),
        (
            "pattern @message | diff previousDay | filter @differenceEventCount > 1",
            &["took <Number-1> ms|0.6|3|-|2|+200%"],
        ),
        ("fields @message | diff | display @pattern | limit 1", &["took <Number-1> ms"]),
    ] {
        let query = std::sync::Arc::new(Query::compile(text, options()).expect(text));
        let (mut worker, mut other) = (Worker::new(query.clone()), Worker::of_baseline(query.clone()));
        events("0:g", &now).iter().for_each(|event| worker.push(event).expect("room"));
        events("0:g", &before).iter().for_each(|event| other.push(event).expect("room"));
        worker.merge(other).expect("room");
        assert_eq!(lines(&worker.finish().expect("room")), rows, "{text}");
        assert!(query.baseline(START_MS, START_MS + 1000).is_some());
    }
    let query = Query::compile("pattern @message", options()).expect("a query");
    assert_eq!(query.baseline(0, 1), None);
}
