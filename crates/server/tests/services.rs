//! Every service through boto3 and the aws CLI, and bad input through the wire. Each script has a server of its own.

use std::path::{Path, PathBuf};

use pitbird_testkit::{Server, ServerOptions, python};

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name)
}

fn check(name: &str) {
    let Some(python) = python() else { return };
    python.check(&Server::start(BINARY), &script(name), &[]);
}

#[test]
fn functions_live_from_creation_to_deletion() {
    check("functions.py");
}

#[test]
fn invocations_belong_to_their_callers_traces() {
    check("invoke_traces.py");
}

#[test]
fn a_rest_api_lives_with_its_canary() {
    check("gateway.py");
}

#[test]
fn logs_are_asked_in_insights_language() {
    check("insights.py");
}

#[test]
fn an_http_api_lives_with_all_that_guards_it() {
    check("http_apis.py");
}

#[test]
fn integrations_of_every_kind_map_requests_and_answers() {
    check("integrations.py");
}

#[test]
fn apis_are_reached_by_their_domains() {
    check("domains.py");
}

/// Needs no server. Skipped where Python has no jsonschema.
#[test]
fn rollout_files_are_what_their_schema_says() {
    let Some(python) = python() else { return };
    let knows =
        std::process::Command::new(&python.interpreter).args(["-c", "import jsonschema, yaml"]).output();
    if !knows.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no jsonschema and yaml in this host's python3");
        return;
    }
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let output = python.run(&script("rollout_files.py"), "http://127.0.0.1:1", &[BINARY, project]);
    let words =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words}");
}

/// The worked example of the documents.
#[test]
fn hooks_let_a_release_go_on_and_stop_another() {
    let Some(python) = python() else { return };
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    python.check(&Server::start(BINARY), &script("hooks.py"), &[BINARY, project]);
}

#[test]
fn several_functions_of_an_api_are_released_together() {
    let Some(python) = python() else { return };
    python.check(&Server::start(BINARY), &script("together.py"), &[BINARY]);
}

/// Before and after a restart, by a receiver that is slow and one that isn't.
#[test]
fn a_rollouts_changes_are_told_in_their_order() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let heard = folder.path().join("heard.json").display().to_string();
    let mut server = Server::start_in(BINARY, &data);
    python.check(&server, &script("notifications.py"), &["begin", &heard]);
    assert!(server.stop().success());
    let server = Server::start_in(BINARY, &data);
    python.check(&server, &script("notifications.py"), &["resume", &heard]);
}

/// Usage is what was sent: at once, after a restart, and after the server was killed.
#[test]
fn usage_is_what_was_sent() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let expected = folder.path().join("expected.json").display().to_string();
    let data = folder.path().join("data");
    let run = |server: &Server, what: &str| python.check(server, &script("usage.py"), &[what, &expected]);
    let mut server = Server::start_in(BINARY, &data);
    run(&server, "send");
    run(&server, "check");
    assert!(server.stop().success());
    let mut server = Server::start_in(BINARY, &data);
    run(&server, "check");
    run(&server, "send");
    run(&server, "check");
    server.kill();
    let mut server = Server::start_in(BINARY, &data);
    run(&server, "check");
    python.check(&server, &script("usage.py"), &["rollout"]);
    python.check(&server, &script("usage.py"), &["refusals"]);
    run(&server, "send");
    server.kill();
    run(&Server::start_in(BINARY, &data), "most");
}

/// The commands of docs/usage.md work as written.
#[test]
fn the_page_on_usage_tells_the_truth() {
    let Some(python) = python() else { return };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/usage.md");
    let page = std::fs::read_to_string(page).expect("docs/usage.md");
    let blocks: Vec<&str> =
        page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let server = Server::start(BINARY);
    let binaries = Path::new(BINARY).parent().expect("a folder").display();
    let given = "aws cloudwatch put-metric-data --namespace Docs --metric-data MetricName=m,Value=1";
    let script = format!("export PATH=\"{binaries}:$PATH\"\n{given}\n{}", blocks.join("\n"));
    let script = script.replace("http://127.0.0.1:4566", &server.endpoint);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = python.shell(&server.endpoint, &script, folder.path());
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{words}{}", String::from_utf8_lossy(&output.stderr));
    assert!(words.contains("at prices of us-east-1") && words.contains("Custom metrics"), "{words}");
    assert!(words.contains("\"Total\"") && words.contains("free tier taken off"), "{words}");
}

#[test]
fn domains_are_one_thing_for_both_services() {
    check("domains_v2.py");
}

#[test]
fn log_events_are_filtered_as_they_come() {
    check("log_filters.py");
}

#[test]
fn stages_cache_and_compress() {
    check("cache.py");
}

#[test]
fn requests_are_admitted_before_their_integration_is_asked() {
    check("admission.py");
}

#[test]
fn user_pools_tokens_open_methods() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = folder.path().join("keys.json").display().to_string();
    let make = format!("python3 '{}' '{keys}'", script("cognito_key.py").display());
    assert!(python.shell("http://127.0.0.1:1", &make, folder.path()).status.success());
    let arguments = vec!["--user-pool-keys".to_owned(), format!("us-east-1_Pitbird1={keys}")];
    let options = ServerOptions { arguments, ..ServerOptions::default() };
    let server = Server::start_with(BINARY, options).expect("it starts");
    python.check(&server, &script("cognito.py"), &[&keys]);
}

#[test]
fn what_happens_to_a_request_is_told_line_by_line() {
    check("trials.py");
}

#[test]
fn an_account_may_be_called_so_fast() {
    let Some(python) = python() else { return };
    let arguments = vec!["--account-throttle".to_owned(), "0.001,3".to_owned()];
    let options = ServerOptions { arguments, ..ServerOptions::default() };
    let server = Server::start_with(BINARY, options).expect("it starts");
    python.check(&server, &script("account_throttle.py"), &[]);
}

#[test]
fn functions_begin_so_often() {
    let Some(python) = python() else { return };
    let arguments = vec!["--account-invocations".to_owned(), "2".to_owned()];
    let options = ServerOptions { arguments, ..ServerOptions::default() };
    let server = Server::start_with(BINARY, options).expect("it starts");
    python.check(&server, &script("account_invocations.py"), &["2"]);
}

#[test]
fn a_stages_owner_forces_keeps_and_mirrors() {
    check("choice.py");
}

/// By the file of the documents, among others.
#[test]
fn where_next_to_nobody_calls_pairs_decide() {
    let Some(python) = python() else { return };
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    python.check(&Server::start(BINARY), &script("pairs.py"), &[BINARY, project]);
}

#[test]
fn logs_and_metrics_are_put_counted_and_alarmed_on() {
    check("telemetry.py");
}

#[test]
fn alarms_depend_on_each_other_and_set_things_going() {
    check("alarms.py");
}

#[test]
fn what_is_unusual_for_a_metric_is_alarmed_on() {
    check("anomalies.py");
}

#[test]
fn metrics_are_reckoned_with_searched_and_labelled() {
    check("metrics.py");
}

#[test]
fn roles_and_callers_are_who_they_are() {
    check("identity.py");
}

#[test]
fn a_function_reaches_aws_in_its_roles_name_and_nothing_else() {
    check("inside.py");
}

#[test]
fn functions_are_called_by_their_urls() {
    check("urls.py");
}

#[test]
fn answers_come_as_functions_write_them() {
    check("streaming.py");
}

#[test]
fn rest_apis_pass_answers_on_as_they_come() {
    check("rest_streaming.py");
}

#[test]
fn objects_are_put_listed_joined_and_run() {
    check("objects.py");
}

#[test]
fn dashboards_are_kept_and_widgets_drawn() {
    check("dashboards.py");
}

#[test]
fn cloudwatch_speaks_every_protocol_of_its_model() {
    check("protocols.py");
}

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    check("bad_input.py");
}

/// What the README's steps leave out, through the aws CLI.
#[test]
fn the_aws_cli_speaks_to_every_service() {
    let Some(python) = python() else { return };
    let server = Server::start(BINARY);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = std::fs::read_to_string(script("smoke.sh")).expect("the script");
    let output = python.shell(&server.endpoint, &text, folder.path());
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", words(&output.stdout), words(&output.stderr));
}

#[test]
fn functions_reach_the_world_and_never_this_host() {
    let Some(python) = python() else { return };
    let arguments = ["--egress", "public"].map(str::to_owned).to_vec();
    let started = Server::start_with(BINARY, ServerOptions { arguments, ..ServerOptions::default() });
    match started {
        Ok(server) => python.check(&server, &script("egress.py"), &[]),
        Err(ended) if ended.stderr.contains("functions can't be let out") => {
            eprintln!("SKIPPED: {}", ended.stderr);
        }
        Err(ended) => panic!("no server: {ended:?}"),
    }
}

#[test]
fn functions_get_cpu_by_their_memory() {
    let Some(python) = python() else { return };
    let arguments = ["--cpu-share", "by-memory"].map(str::to_owned).to_vec();
    let started = Server::start_with(BINARY, ServerOptions { arguments, ..ServerOptions::default() });
    match started {
        Ok(server) => python.check(&server, &script("cpu_share.py"), &[]),
        Err(ended) if ended.stderr.contains("functions can't be given CPU by their memory") => {
            eprintln!("SKIPPED: {}", ended.stderr);
        }
        Err(ended) => panic!("no server: {ended:?}"),
    }
}

/// A server whose waits are divided by sixty, so that a deployment of minutes takes seconds.
fn hurried(data_dir: Option<&Path>) -> Server {
    let arguments = vec!["--time-scale".to_owned(), "60".to_owned()];
    let options = ServerOptions { arguments, data_dir: data_dir.map(Path::to_owned) };
    Server::start_with(BINARY, options).expect("it starts")
}

#[test]
fn a_deployment_shifts_an_alias_between_hooks() {
    let Some(python) = python() else { return };
    python.check(&hurried(None), &script("codedeploy.py"), &["story"]);
}

#[test]
fn an_alarm_rolls_a_deployment_back_in_awss_words() {
    let Some(python) = python() else { return };
    python.check(&hurried(None), &script("codedeploy.py"), &["alarm"]);
}

#[test]
fn a_deployment_is_stopped_left_or_rolled_back() {
    let Some(python) = python() else { return };
    python.check(&hurried(None), &script("codedeploy.py"), &["stop"]);
}

#[test]
fn an_appspec_lies_in_a_bucket() {
    let Some(python) = python() else { return };
    python.check(&hurried(None), &script("codedeploy.py"), &["s3"]);
}

#[test]
fn a_deployments_triggers_are_told() {
    let Some(python) = python() else { return };
    python.check(&hurried(None), &script("codedeploy.py"), &["triggers"]);
}

/// Killed thrice in the middle of a shift, it goes on where it was and leaves no step out.
#[test]
fn a_deployment_outlives_the_server() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = hurried(Some(folder.path()));
    python.check(&server, &script("codedeploy.py"), &["begin"]);
    for _ in 0..3 {
        server.kill();
        server = hurried(Some(folder.path()));
    }
    python.check(&server, &script("codedeploy.py"), &["resume"]);
}
