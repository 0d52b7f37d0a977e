//! Functions that fail in every way: only their own invocation suffers, their caller gets AWS's error, and the next
//! invocation works.

use std::time::{Duration, Instant};

use pitbird_invoke::{EventPolicy, Limits};

use crate::bench::{Bench, Draft, bash, bash_loop, bench, bench_with, invocation, json, narrow_bench, text};

/// Invokes a function with `event`, expects an error of this type and message (after its request id), and then expects
/// an invocation with another event to be answered.
async fn fails(bench: &Bench, draft: Draft, event: &str, error_type: &str, message: &str) {
    let function = bench.create(draft).await;
    let call = invocation(event);
    let id = call.request_id.clone();
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    assert_eq!(outcome.function_error, Some("Unhandled"), "{outcome:?}");
    let message = format!("RequestId: {id} Error: {message}");
    let expected = format!(r#"{{"errorType":"{error_type}","errorMessage":"{message}"}}"#);
    assert_eq!(text(&outcome), expected);
    let next = bench.invoke(&function, "\"fine\"").await;
    assert_eq!((text(&next), next.function_error), ("\"fine\"", None));
}

fn body(fault: &str) -> String {
    format!("case $event in '\"fault\"') {fault} ;; *) respond \"$event\" ;; esac")
}

const FAULT: &str = "\"fault\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_is_told_apart_by_how() {
    let bench = bench().await;
    for (name, fault, message) in [
        ("a", "exit 127", "Runtime exited with error: exit status 127"),
        ("b", "exit 0", "Runtime exited without providing a reason"),
        ("c", "kill -9 $$; sleep 9", "Runtime exited with error: signal: killed"),
        ("d", "kill -SEGV $$; sleep 9", "Runtime exited with error: signal: segmentation fault"),
    ] {
        fails(&bench, bash_loop(name, &body(fault)), FAULT, "Runtime.ExitError", message).await;
        let logs = bench.logs(&format!("/aws/lambda/{name}")).await;
        let log = logs.iter().find(|(_, log)| log.iter().any(|line| line.contains("Error Type"))).unwrap();
        let words = format!("Error: {message}\nRuntime.ExitError\n");
        let at = log.1.iter().position(|line| line.ends_with(&words)).unwrap_or_else(|| panic!("{log:#?}"));
        let report = &log.1[at + 2];
        assert!(
            report.ends_with("MB\tInit Duration: ")
                || report.ends_with("Status: error\tError Type: Runtime.ExitError\n"),
            "{report}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_be_the_last_thing_a_process_does() {
    let bench = bench().await;
    let function = bench.create(bash("f", "next\nrespond 1\nexit 5\n")).await;
    for _ in 0..3 {
        assert_eq!(text(&bench.invoke(&function, "{}").await), "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_hangs_times_out() {
    let bench = bench().await;
    let draft = Draft { timeout_s: 1, ..bash_loop("f", &body("sleep 100")) };
    let began = Instant::now();
    fails(&bench, draft, FAULT, "Sandbox.Timedout", "Task timed out after 1.00 seconds").await;
    assert!(began.elapsed() < Duration::from_secs(10));
    let logs = bench.logs("/aws/lambda/f").await;
    let log = &logs.iter().find(|(_, log)| log.iter().any(|line| line.contains("timed out"))).unwrap().1;
    assert!(log[2].ends_with(" Task timed out after 1.00 seconds\n\n"), "{log:?}");
    assert!(log[3].starts_with("END "));
    assert!(
        log[4].contains("\tDuration: 1000.00 ms\t") && log[4].ends_with("\tStatus: timeout\n"),
        "{log:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_spins_times_out() {
    let bench = bench().await;
    let draft = Draft { timeout_s: 1, ..bash_loop("f", &body("while :; do :; done")) };
    fails(&bench, draft, FAULT, "Sandbox.Timedout", "Task timed out after 1.00 seconds").await;
}

/// Everything else of the server's has one thread here, and while it is kept busy nobody but the timekeeper notices that time is up.
#[tokio::test]
async fn a_runaway_ends_on_time_while_the_server_gets_no_cpu() {
    let bench = bench().await;
    let spin = "readlink /proc/self/ns/pid; while :; do :; done";
    let function = bench.create(Draft { timeout_s: 1, ..bash_loop("f", &body(spin)) }).await;
    let invoker = bench.invoker.clone();
    let call = tokio::spawn(async move { invoker.invoke(&function, None, 0.0, invocation(FAULT)).await });
    bench.until_log("f", |lines| lines.iter().any(|line| line.starts_with("pid:["))).await;
    let log = bench.log("f").await;
    let namespace = log.iter().find(|line| line.starts_with("pid:[")).unwrap().trim().to_owned();
    assert!(has_processes(&namespace), "it runs");
    let began = Instant::now();
    while has_processes(&namespace) {
        assert!(began.elapsed() < Duration::from_secs(20), "it is still there");
        std::thread::yield_now();
    }
    let outcome = call.await.unwrap().unwrap();
    assert_eq!(json(&outcome)["errorType"], "Sandbox.Timedout");
}

/// Is anybody in this pid namespace? Those that have ended and wait for somebody to notice are in none.
fn has_processes(namespace: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read_link(process.path().join("ns/pid")).ok())
        .any(|found| found.as_os_str() == namespace)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_times_out_and_leaves_nothing() {
    let bench = bench().await;
    let bomb = "bomb() { bomb | bomb & }; bomb; sleep 100";
    let draft = Draft { timeout_s: 1, ..bash_loop("f", &body(bomb)) };
    let function = bench.create(draft).await;
    let outcome = bench.invoke(&function, FAULT).await;
    // Whichever limit it meets first: its time, its processes, its memory.
    let error = json(&outcome)["errorType"].as_str().unwrap().to_owned();
    assert!(["Sandbox.Timedout", "Runtime.ExitError"].contains(&&*error), "{error}");
    let next = bench.invoke(&function, "\"fine\"").await;
    assert_eq!(text(&next), "\"fine\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_runs_out_kills() {
    let bench = bench().await;
    if bench.launcher.report().cgroups == pitbird_sandbox::CgroupVersion::None {
        eprintln!("SKIPPED: no control group limits memory here");
        return;
    }
    let eat = "printf -v x '%400000000s' ''; sleep 100";
    let message = "Runtime exited with error: signal: killed";
    let draft = Draft { memory_mib: 128, timeout_s: 100, ..bash_loop("f", &body(eat)) };
    fails(&bench, draft, FAULT, "Runtime.ExitError", message).await;
    let logs = bench.logs("/aws/lambda/f").await;
    let reports: Vec<_> =
        logs.iter().flat_map(|(_, log)| log).filter(|line| line.starts_with("REPORT ")).collect();
    let starved = |report: &&&String| {
        report.contains("Max Memory Used: 128 MB") && report.ends_with("Error Type: Runtime.OutOfMemory\n")
    };
    assert_eq!(reports.iter().filter(starved).count(), 1, "{reports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_ran_out_in_tmp_is_told_from_other_lack_of_it() {
    let bench = bench().await;
    if bench.launcher.report().cgroups == pitbird_sandbox::CgroupVersion::None {
        eprintln!("SKIPPED: no control group limits memory here");
        return;
    }
    let eat = "printf -v x '%400000000s' ''; sleep 100";
    for (name, fault, is_told) in [("full", "cat /dev/zero > /tmp/x", true), ("hungry", eat, false)] {
        let draft = Draft { memory_mib: 128, tmp_mib: 512, timeout_s: 100, ..bash_loop(name, &body(fault)) };
        let function = bench.create(draft).await;
        let outcome = bench.invoke(&function, FAULT).await;
        assert_eq!(json(&outcome)["errorType"], "Runtime.ExitError");
        let logs = bench.logs(&format!("/aws/lambda/{name}")).await;
        let words = "pitbird: /tmp counts as memory here; ";
        let told = logs.iter().flat_map(|(_, log)| log).filter(|line| line.starts_with(words)).count();
        assert_eq!(told, usize::from(is_told), "{logs:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tmp_that_is_full_is_the_functions_own_trouble() {
    let bench = bench().await;
    let fill =
        r#"respond "\"$(head -c 10000000 /dev/zero 2>&1 > /tmp/x | grep -o 'No space left on device')\"""#;
    let draft = Draft { tmp_mib: 8, ..bash_loop("f", &body(fill)) };
    let function = bench.create(draft).await;
    assert_eq!(text(&bench.invoke(&function, FAULT).await), "\"No space left on device\"");
    assert_eq!(text(&bench.invoke(&function, "1").await), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_floods_its_log_still_answers() {
    let limits = Limits { output_bytes_per_s: 100_000, environments_max: 1, ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    let flood = "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 1000; respond 1";
    let function = bench.create(bash_loop("f", &body(flood))).await;
    assert_eq!(text(&bench.invoke(&function, FAULT).await), "1");
    assert_eq!(text(&bench.invoke(&function, "2").await), "2");
    let log = bench.log("f").await;
    let kept: usize = log.iter().filter(|line| line.starts_with('x')).map(String::len).sum();
    assert!((50_000..=1_000_000).contains(&kept), "{kept}");
    assert!(log.iter().any(|line| line.starts_with("LOGS_DROPPED ")), "{:?}", log.last());
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_harms_nobody() {
    let bench = narrow_bench().await;
    let raw = r#"
        raw() { exec 3<>"/dev/tcp/$host/$port"; printf "$1" >&3; exec 3>&-; }
        status() { local first=${reply%%$'\r'*}; said="$said ${first#HTTP/1.1 }"; said=${said% *}; }
        ask() { call "$@"; local first=${reply#HTTP/1.1 }; said="$said ${first%% *}"; }
        raw '\x00\xff\x16\x03\x01garbage\r\n\r\n'
        raw 'GET'
        raw 'POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\nshort'
        raw 'POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzzz'
        raw "GET / HTTP/1.1\r\nx: $(head -c 100000 /dev/zero | tr '\0' y)\r\n\r\n"
        for i in {1..100}; do exec {fd}<>"/dev/tcp/$host/$port"; done
        for fd in /proc/self/fd/*; do n=${fd##*/}; ((n > 9)) && eval "exec $n>&-"; done
        said=
        ask GET /runtime/invocation/next ''
        ask POST /runtime/invocation/other/response 1
        ask POST "/runtime/invocation/$id/nothing" 1
        ask POST /runtime/init/error '{}'
        ask PUT "/runtime/invocation/$id/response" 1
        ask GET /../../etc/passwd ''
        ask POST /extension/register '{}'
        ask GET /ping ''
        ask POST "/runtime/invocation/$id/response" "\"$event\""
        ask POST "/runtime/invocation/$id/response" 2
        ask POST "/runtime/invocation/$id/error" 2
        echo "said$said"
        echo "reply $reply"
    "#;
    let function = bench.create(bash_loop("f", raw)).await;
    for event in ["1", "2"] {
        assert_eq!(text(&bench.invoke(&function, event).await), format!("\"{event}\""));
    }
    let log = bench.log("f").await;
    let said = log.iter().find(|line| line.starts_with("said")).unwrap();
    assert_eq!(said, "said 200 400 404 403 404 404 404 200 202 403 403\n");
    let transition = log.iter().find(|line| line.contains("InvalidStateTransition"));
    assert!(
        transition.unwrap().contains("State transition from ResponseSent to InvocationErrorResponse failed")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failure_of_the_start_is_heard_at_a_time() {
    let bench = narrow_bench().await;
    // The body of the first is waited for once it is told to go on.
    let code = r#"
        exec 7<>"/dev/tcp/$host/$port"
        head='POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n'
        printf "$head" >&7
        read -r -u 7 line
        call POST /runtime/init/error '{"second":1}'
        echo "${line%$'\r'}, then ${reply%%$'\r'*}"
        printf '{}' >&7
        while read -r -u 7 line; do :; done
    "#;
    let function = bench.create(bash("f", code)).await;
    assert_eq!(text(&bench.invoke(&function, "1").await), "{}");
    let said = "HTTP/1.1 100 Continue, then HTTP/1.1 403 Forbidden\n";
    assert!(
        bench.log("f").await.iter().filter(|line| *line == said).count() >= 1,
        "{:?}",
        bench.log("f").await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_is_tried_again_within_the_invocation() {
    let bench = narrow_bench().await;
    // Fails the first time only: an environment's second start finds what the first has left.
    let message = "Runtime exited with error: exit status 3";
    let draft = bash("always", "echo starting; exit 3\n");
    let function = bench.create(draft).await;
    let call = invocation("{}");
    let id = call.request_id.clone();
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    let expected =
        format!(r#"{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: {message}"}}"#);
    assert_eq!(text(&outcome), expected);
    let log = bench.log("always").await;
    let begins: Vec<&str> = log.iter().map(|line| line.split([' ', '\n']).next().unwrap()).collect();
    let expected = [
        "INIT_START",
        "starting",
        "INIT_REPORT",
        "starting",
        "INIT_REPORT",
        "START",
        "RequestId:",
        "END",
        "REPORT",
    ];
    assert_eq!(begins, expected, "{log:#?}");
    assert!(log[2].ends_with("\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n"), "{}", log[2]);
    assert!(
        log[4].ends_with("\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n"),
        "{}",
        log[4]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_error_reaches_the_caller_as_it_came() {
    let bench = bench().await;
    let body = r#"{"errorMessage":"no start","errorType":"Own.Type","requestId":"","stackTrace":[]}"#;
    let function =
        bench.create(bash("f", &format!("call POST /runtime/init/error '{body}'\nsleep 100\n"))).await;
    let outcome = bench.invoke(&function, "{}").await;
    assert_eq!((text(&outcome), outcome.function_error), (body, Some("Unhandled")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_takes_too_long_gets_the_functions_own_time() {
    let limits = Limits { init: Duration::from_millis(300), ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    // Longer than an initialisation may take, shorter than the function may.
    let slow = bash("slow", "sleep 0.6; while next; do respond '\"ready\"'; done\n");
    let function = bench.create(slow).await;
    let outcome = bench.invoke(&function, "{}").await;
    assert_eq!((text(&outcome), outcome.init_ms), ("\"ready\"", None));
    assert!(outcome.duration_ms >= 600.0);
    assert_eq!(text(&bench.invoke(&function, "{}").await), "\"ready\"", "warm");
    let log = bench.log("slow").await;
    assert!(log[1].ends_with("\tPhase: init\tStatus: timeout\n"), "{log:?}");

    let never = Draft { timeout_s: 1, ..bash("never", "sleep 100\n") };
    let function = bench.create(never).await;
    let error = json(&bench.invoke(&function, "{}").await);
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    let log = bench.log("never").await;
    let report = log.iter().find(|line| line.contains("Phase: invoke")).unwrap();
    assert!(report.ends_with("Status: timeout\n"), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_behind_the_answer_has_the_functions_time_and_no_more() {
    let bench = narrow_bench().await;
    let body = "respond \"$event\"; case $event in '\"fault\"') sleep 100;; esac";
    let function = bench.create(Draft { timeout_s: 1, ..bash_loop("f", body) }).await;
    assert_eq!(text(&bench.invoke(&function, FAULT).await), FAULT, "the caller needn't wait");
    assert_eq!(text(&bench.invoke(&function, "1").await), "1", "the same environment, started again");
    assert_eq!(bench.logs("/aws/lambda/f").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_starts_again_inside_the_invocation_after_a_failure() {
    let bench = narrow_bench().await;
    let body = r#"
        count=$((count + 1))
        echo x >> /tmp/invocations
        case $event in '"exit"') exit 3;; '"hang"') sleep 100;; '"oom"') x=x; while :; do x=$x$x; done;; esac
        respond "[$count,$(grep -c x /tmp/invocations)]""#;
    let keeps = bench.launcher.can_park();
    let kept = |count: u32, all: u32| format!("[{count},{}]", if keeps { all } else { count });
    let draft = Draft { timeout_s: 2, memory_mib: 128, ..bash_loop("f", body) };
    let function = bench.create(draft).await;
    let first = bench.invoke(&function, "1").await;
    assert!(text(&first) == "[1,1]" && first.init_ms.is_some());
    assert_eq!(text(&bench.invoke(&function, "1").await), "[2,2]");
    for (number, fault) in (1..).zip(["\"exit\"", "\"hang\"", "\"oom\""]) {
        assert_eq!(bench.invoke(&function, fault).await.function_error, Some("Unhandled"));
        let again = bench.invoke(&function, "1").await;
        assert_eq!(
            (text(&again), again.init_ms),
            (&*kept(1, 3 * number + 1), None),
            "memory is lost, `/tmp` is kept, and no start is told of: {fault}"
        );
        assert_eq!(text(&bench.invoke(&function, "1").await), kept(2, 3 * number + 2));
    }
    let streams = bench.logs("/aws/lambda/f").await;
    let [(_, log)] = streams.as_slice() else { panic!("{streams:#?}") };
    let count = |begin: &str| log.iter().filter(|line| line.starts_with(begin)).count();
    assert_eq!((count("INIT_START"), count("START"), count("REPORT")), (1, 11, 11), "{log:#?}");
    assert_eq!(*bench.invoker.environments().borrow(), 1);
}
