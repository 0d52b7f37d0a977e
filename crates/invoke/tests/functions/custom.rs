//! Custom runtimes and the Runtime API as they see it.

use pitbird_invoke::Refused;
use pitbird_names::{Qualifier, VersionId};
use pitbird_records::function::State;

use crate::bench::{bash, bash_loop, bench, draft, invocation, json, narrow_bench, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_answers_again_and_again() {
    let bench = narrow_bench().await;
    let body = r#"count=$((count + 1)); respond "{\"count\":$count,\"event\":$event}""#;
    let function = bench.create(bash_loop("f", body)).await;
    let first = bench.invoke(&function, r#"{"a":1}"#).await;
    assert_eq!(text(&first), r#"{"count":1,"event":{"a":1}}"#);
    assert_eq!((first.function_error, first.executed_version), (None, VersionId::Latest));
    assert!(first.init_ms.is_some_and(|ms| ms > 0.0));
    assert!(first.billed_ms >= (first.duration_ms + first.init_ms.unwrap()) as u64);
    let second = bench.invoke(&function, "").await;
    assert_eq!(
        text(&second),
        r#"{"count":2,"event":{}}"#,
        "the same process, and no payload is an empty object"
    );
    assert_eq!(second.init_ms, None);
    assert_eq!(*bench.invoker.environments().borrow(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_carries_all_its_headers() {
    let bench = bench().await;
    let body = r#"
        answer='{}'
        while IFS= read -r line; do
            line=${line%$'\r'}; line=${line//\\/\\\\}; line=${line//\"/\\\"}
            lines="$lines${lines:+,}\"$line\""
        done <<< "$head"
        respond "[$lines]""#;
    let function = bench.create(bash_loop("f", body)).await;
    let mut call = invocation("{}");
    call.client_context = Some("{\"custom\":\n\"é\"}".to_owned());
    let id = call.request_id.clone();
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let head: Vec<String> = serde_json::from_slice(&outcome.payload).unwrap();
    let header = |name: &str| {
        let line = head.iter().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{name} in {head:?}")).to_owned()
    };
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("lambda-runtime-aws-request-id"), id);
    let deadline: i64 = header("lambda-runtime-deadline-ms").parse().unwrap();
    assert!((0..=20_000).contains(&(deadline - crate::bench::now_ms())), "{deadline}");
    assert_eq!(
        header("lambda-runtime-invoked-function-arn"),
        "arn:aws:lambda:us-east-1:000000000000:function:f"
    );
    assert_eq!(header("lambda-runtime-client-context"), "{\"custom\": \"é\"}");
    let trace = header("lambda-runtime-trace-id");
    assert!(trace.starts_with("Root=1-") && trace.contains(";Sampled=0"), "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_sees_lambdas_environment() {
    let bench = bench().await;
    let body = r#"respond "\"$AWS_LAMBDA_FUNCTION_NAME|$AWS_LAMBDA_FUNCTION_VERSION|$AWS_LAMBDA_FUNCTION_MEMORY_SIZE|$AWS_REGION|$LAMBDA_TASK_ROOT|$_HANDLER|$COLOUR|$AWS_LAMBDA_LOG_GROUP_NAME|$TZ|$PWD|$AWS_EXECUTION_ENV\"""#;
    let mut draft = bash_loop("f", body);
    let own = [("COLOUR", "blue"), ("TZ", "Europe/Berlin"), ("AWS_REGION", "mars")];
    draft.environment = Some(own.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let function = bench.create(draft).await;
    let outcome = bench.invoke(&function, "{}").await;
    let expected =
        "\"f|$LATEST|256|us-east-1|/var/task|app.handler|blue|/aws/lambda/f|Europe/Berlin|/var/task|\"";
    assert_eq!(text(&outcome), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_passes_through_as_it_came() {
    let bench = bench().await;
    let body =
        r#"call POST "/runtime/invocation/$id/error" '{"errorMessage":"no","errorType":"Mine","x":[1]}'"#;
    let function = bench.create(bash_loop("f", body)).await;
    let outcome = bench.invoke(&function, "{}").await;
    assert_eq!(outcome.function_error, Some("Unhandled"));
    assert_eq!(text(&outcome), r#"{"errorMessage":"no","errorType":"Mine","x":[1]}"#);
    let report = bench.log("f").await.pop().unwrap();
    assert!(!report.contains("Status"), "the function said it itself: {report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_without_a_bootstrap_says_so() {
    let bench = bench().await;
    let mut draft = draft("f", "provided.al2");
    draft.files = vec![("readme.txt", "nothing to start".to_owned(), 0o644)];
    let function = bench.create(draft).await;
    for _ in 0..2 {
        let mut call = invocation("{}");
        call.request_id = "6c44ff1e-0000-4000-8000-000000000000".to_owned();
        let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
        assert_eq!(outcome.function_error, Some("Unhandled"));
        assert_eq!(
            text(&outcome),
            r#"{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: 6c44ff1e-0000-4000-8000-000000000000 Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}"#
        );
    }
    let log = bench.log("f").await;
    let begins: Vec<&str> = log.iter().map(|event| event.split(' ').next().unwrap()).collect();
    let invocation = ["INIT_REPORT", "START", "RequestId:", "END", "REPORT"];
    assert_eq!(begins, [&["INIT_START", "INIT_REPORT"], &invocation[..], &invocation].concat(), "{log:#?}");
    for (at, phase) in [(1, "init"), (2, "invoke"), (7, "invoke")] {
        let end = format!("Phase: {phase}\tStatus: error\tError Type: Runtime.InvalidEntrypoint\n");
        assert!(log[at].starts_with("INIT_REPORT Init Duration: ") && log[at].ends_with(&end), "{}", log[at]);
    }
    let words = "Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]\nRuntime.InvalidEntrypoint\n";
    assert!(log[4].ends_with(words), "{}", log[4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_that_cannot_be_executed_says_why() {
    let bench = bench().await;
    let mut plain = bash("plain", "");
    plain.files[0].2 = 0o644;
    let mut broken = draft("broken", "provided.al2023");
    broken.files = vec![("bootstrap", "#!/no/such/interpreter\n".to_owned(), 0o755)];
    for (draft, why) in [(plain, "permission denied"), (broken, "no such file or directory")] {
        let function = bench.create(draft).await;
        let error = json(&bench.invoke(&function, "{}").await);
        assert_eq!(error["errorType"], "Runtime.InvalidEntrypoint");
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.ends_with(&format!("fork/exec /var/task/bootstrap: {why}")), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_is_refused() {
    let bench = bench().await;
    let function = bench.create(draft("ruby", "ruby3.3")).await;
    let refused = bench.try_invoke(&function, None, 0.0, "{}").await.unwrap_err();
    assert!(matches!(refused, Refused::Runtime(_)), "{refused}");

    let function = bench.create(bash_loop("f", "respond 1")).await;
    let nobody = Qualifier::Alias("nobody".to_owned());
    let refused = bench.try_invoke(&function, Some(&nobody), 0.0, "{}").await.unwrap_err();
    assert!(matches!(refused, Refused::Unknown(_)), "{refused}");
    let long = "x".repeat(pitbird_names::limits::INVOKE_PAYLOAD_BYTES + 1);
    let refused = bench.try_invoke(&function, None, 0.0, &long).await.unwrap_err();
    assert!(matches!(refused, Refused::PayloadTooLarge), "{refused}");

    let version = &function.versions[&VersionId::Latest];
    let mut pending = version.record.clone();
    pending.state = State::Pending;
    bench.put(pending).await;
    let refused = bench.try_invoke(&bench.function("f"), None, 0.0, "{}").await.unwrap_err();
    assert!(matches!(refused, Refused::NotReady(State::Pending)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_gone_is_refused_and_the_door_stays_open() {
    let bench = bench().await;
    let function = bench.create(bash_loop("f", "respond 1")).await;
    let sha256_hex = &function.versions[&VersionId::Latest].record.code.sha256_hex;
    let blob = bench.store.blob_path(sha256_hex);
    let kept = std::fs::read(&blob).unwrap();
    std::fs::remove_file(&blob).unwrap();
    let refused = bench.try_invoke(&function, None, 0.0, "{}").await.unwrap_err();
    assert!(matches!(refused, Refused::Code(_)), "{refused}");
    std::fs::write(&blob, kept).unwrap();
    assert_eq!(text(&bench.invoke(&function, "{}").await), "1");
}

/// One connection, with calls that the short way serves and calls that it leaves to the HTTP server.
#[tokio::test(flavor = "multi_thread")]
async fn usual_and_unusual_calls_share_a_connection() {
    let bench = narrow_bench().await;
    let code = r#"
        exec 7<>"/dev/tcp/$host/$port"
        send() { printf "$1" >&7; }
        reply() {
            names= length=0 status=
            while IFS= read -r -u 7 line; line=${line%$'\r'}; [ -n "$line" ]; do
                name=${line%%:*} value=${line#*: }
                case $name in
                    HTTP*) status=${line#HTTP/1.1 } status=${status%% *} ;;
                    content-length) length=$value ;;
                    lambda-runtime-aws-request-id) id=$value ;;
                esac
                [ -z "$status" ] || names="$names $name"
            done
            IFS= read -r -N "$length" -u 7 body
        }
        ask() { send "$1 /2018-06-01/runtime/invocation/$2 HTTP/1.1\r\nhost: h\r\n$3\r\n$4"; reply; said="$said $status"; }
        sorted() { tr ' ' '\n' <<< "$names" | sort | grep -v ^HTTP | tr '\n' ' '; }
        # The short way, with a body in pieces between which something else is asked.
        ask GET next
        usual=$(sorted)
        send "POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n\"o"
        call GET /ping ''
        send 'ne"'
        reply
        said="$said $status"
        # What is asked for too early waits behind what is asked for, and a head comes in pieces.
        send "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: h\r\n\r\nGET /2018-06-01/ping HTTP/1.1\r\nho"
        reply
        send "st: h\r\n\r\n"
        reply
        said="$said $body"
        # From here on it is the server's, beginning with a call that is half read.
        ask POST "$id/response" "transfer-encoding: chunked\r\n" "5\r\n\"two\"\r\n0\r\n\r\n"
        ask GET next
        unusual=$(sorted)
        [ "$usual" = "$unusual" ] || said="$said, $usual is not $unusual"
        ask POST "none/response" "content-length: 1\r\n" 1
        ask POST "$id/response" "content-length: 7\r\n" '"three"'
        # An answer that breaks off leaves room for another.
        exec 7<>"/dev/tcp/$host/$port"
        ask GET next
        send "POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n\"fo"
        exec 7>&-
        until [ "$status" = 202 ]; do
            exec 7<>"/dev/tcp/$host/$port"
            ask POST "$id/response" "content-length: 6\r\n" '"four"'
        done
        # A refusal on the short way: what was answered can't be answered again.
        ask POST "$id/response" "content-length: 1\r\n" 5
        echo "said$said"
    "#;
    let mut function = bash("f", code);
    function.timeout_s = 60;
    let function = bench.create(function).await;
    for word in ["one", "two", "three", "four"] {
        assert_eq!(text(&bench.invoke(&function, "{}").await), format!("{word:?}"));
    }
    bench.until_log("f", |log| log.iter().any(|line| line.starts_with("said"))).await;
    let log = bench.log("f").await;
    let said = log.iter().find(|line| line.starts_with("said")).unwrap();
    let (said, last) = said.trim_end().rsplit_once(" 202 ").unwrap();
    assert!(said.starts_with("said 200 202 pong 202 200 400 202 200"), "{said} 202 {last}");
    assert_eq!(last, "403", "{said}");
}
