//! Unmodified Terraform with its AWS provider, from an empty account and back to it.

use std::fs;
use std::path::Path;
use std::process::Output;

use pitbird_testkit::{Answer, Server, Terraform, get, send, zipped};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

/// What `plan -detailed-exitcode` says of a plan that would change nothing.
const EMPTY: i32 = 0;

struct Release {
    terraform: Terraform,
    server: Server,
    folder: tempfile::TempDir,
}

impl Release {
    /// A configuration beside a server of its own; `None` where there is no Terraform.
    fn of(configuration: &str) -> Option<Release> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let terraform = Terraform::find(folder.path())?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terraform").join(configuration);
        fs::copy(source, folder.path().join("main.tf")).expect("the configuration is copied");
        let release = Release { terraform, server: Server::start(BINARY), folder };
        assert!(release.run(&["init"]).status.success(), "terraform init");
        Some(release)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.terraform.run(arguments);
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        eprintln!("terraform {}: {}{}", arguments[0], words(&output.stdout), words(&output.stderr));
        output
    }

    /// Runs a command with this step's variables; gives its exit code.
    fn step(&self, arguments: &[&str], step: &[&str]) -> i32 {
        let endpoint = format!("endpoint={}", self.server.endpoint);
        let package = format!("package={}", self.folder.path().join("app.zip").display());
        let variables = [endpoint.as_str(), &package].into_iter().chain(step.iter().copied());
        let variables: Vec<String> = variables.map(|variable| format!("-var={variable}")).collect();
        let all: Vec<&str> = arguments.iter().copied().chain(variables.iter().map(String::as_str)).collect();
        self.run(&all).status.code().expect("terraform isn't killed")
    }

    fn package(&self, release: &str) {
        let code = format!(
            "def handler(event, context):\n    return {{\"statusCode\": 200, \"body\": \"{release} \" + context.function_version}}\n"
        );
        fs::write(self.folder.path().join("app.zip"), zipped(&[("app.py", &code)]))
            .expect("the folder is ours");
    }

    fn output(&self, name: &str) -> String {
        let output = self.terraform.run_plain(&["output", "-raw", name]);
        String::from_utf8(output.stdout).expect("text")
    }

    fn ask(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.server.endpoint))
    }

    fn stage(&self) -> Value {
        self.ask(&format!("/restapis/{}/stages/prod", self.output("api"))).json()
    }

    fn alias(&self) -> Value {
        self.ask("/2015-03-31/functions/terraform-app/aliases/live").json()
    }

    /// What the function answers whose code lies in a bucket.
    fn stored(&self) -> String {
        let path = "/2015-03-31/functions/terraform-stored/invocations";
        let answer = send("POST", &format!("{}{path}", self.server.endpoint), &[], b"{}").json();
        answer["body"].as_str().unwrap_or_default().to_owned()
    }

    fn fetch(&self) -> String {
        let answer = get(&format!("{}/pets", self.server.stage_url(&self.output("api"), "prod")));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    }
}

#[test]
fn a_release_kept_in_terraform_is_applied_stepped_and_destroyed() {
    let Some(release) = Release::of("main.tf") else { return };
    release.package("one");
    assert_eq!(release.step(&["apply", "-auto-approve"], &[]), 0, "apply");
    assert_eq!(release.output("version"), "1");
    assert_eq!(release.fetch(), "one 1");
    assert_eq!(release.stored(), "one $LATEST");
    assert_eq!(release.stage()["canarySettings"]["percentTraffic"], 0.0);
    assert!(release.alias().get("RoutingConfig").is_none(), "{}", release.alias());
    assert_eq!(release.step(&["plan", "-detailed-exitcode"], &[]), EMPTY, "second plan");

    // The canary step: a second version with half of the alias, and a quarter of the stage for the second deployment.
    release.package("two");
    let canary = ["weights={\"2\"=0.5}", "percent=25"];
    assert_eq!(release.step(&["apply", "-auto-approve"], &canary), 0, "canary step");
    assert_eq!(release.output("version"), "2");
    assert_eq!((release.output("stored").as_str(), release.stored().as_str()), ("2", "two $LATEST"));
    assert_eq!(release.alias()["RoutingConfig"]["AdditionalVersionWeights"]["2"], 0.5);
    let settings = &release.stage()["canarySettings"];
    assert_eq!(
        (&settings["percentTraffic"], &settings["stageVariableOverrides"]["color"]),
        (&25.0.into(), &"green".into())
    );
    // One in 2^80 that one of both is never drawn.
    let seen: Vec<String> = (0..80).map(|_| release.fetch()).collect();
    assert!(seen.iter().any(|body| body == "one 1") && seen.iter().any(|body| body == "two 2"), "{seen:?}");
    assert_eq!(release.step(&["plan", "-detailed-exitcode"], &canary), EMPTY, "plan after the canary step");

    assert_eq!(release.step(&["destroy", "-auto-approve"], &canary), 0, "destroy");
    assert_eq!(release.ask("/restapis").json()["item"], serde_json::json!([]));
    assert_eq!(release.ask("/2015-03-31/functions").json()["Functions"], serde_json::json!([]));
    assert_eq!(release.ask("/terraform-packages").status, 404);
    for (target, members) in [
        ("Logs_20140328.DescribeLogGroups", "logGroups"),
        ("Logs_20140328.DescribeQueryDefinitions", "queryDefinitions"),
        ("GraniteServiceVersion20100801.DescribeAlarms", "MetricAlarms"),
        ("GraniteServiceVersion20100801.DescribeAlarms", "CompositeAlarms"),
        ("GraniteServiceVersion20100801.ListDashboards", "DashboardEntries"),
    ] {
        let headers = [("X-Amz-Target", target), ("Content-Type", "application/x-amz-json-1.0")];
        let found = send("POST", &release.server.endpoint, &headers, b"{}").json();
        assert_eq!(found[members], serde_json::json!([]), "{target}: {found}");
    }
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let roles = send("POST", &release.server.endpoint, &form, b"Action=ListRoles&Version=2010-05-08").text();
    assert!(!roles.contains("<RoleName>"), "{roles}");
}

/// What the APIs of `apis.tf` answer while their word is this.
fn check_apis(release: &Release, word: &str) {
    let pets = format!("{}/pets", release.server.stage_url(&release.output("rest"), "prod"));
    let key = release.output("key");
    let post = |key: &str, body: &str| {
        let headers = [("x-api-key", key), ("content-type", "application/json"), ("x-trace", "t")];
        send("POST", &pets, &headers, body.as_bytes())
    };
    let refused = post("none", "{}");
    assert_eq!((refused.status, refused.json()["word"].as_str()), (401, Some(word)), "{}", refused.text());
    assert_eq!(refused.header("x-word"), Some(word));
    assert_eq!(post(&key, "{}").status, 400, "a body that is no pet");
    let made = post(&key, "{\"name\": \"rex\"}");
    assert_eq!((made.status, made.header("x-word")), (201, Some(word)), "{}", made.text());
    assert_eq!(made.json(), serde_json::json!({"name": "rex", "word": word}));
    let domain = [("host", "pets.example.com")];
    let mapped = send("POST", &format!("{}/{word}/pets", release.server.endpoint), &domain, b"{}");
    assert_eq!(mapped.status, 401, "{}", mapped.text());
    let document = get(&format!("{}/word", release.server.stage_url(&release.output("document"), "prod")));
    assert_eq!(document.json(), word);
    let shop = [("host", "shop.example.com")];
    let mapped = send("GET", &format!("{}/orders/{word}/{word}", release.server.endpoint), &shop, b"");
    assert_eq!(mapped.json()["got"]["rawPath"], format!("/orders/{word}/{word}"), "{}", mapped.text());
    let rest = send("GET", &format!("{}/rest/word", release.server.endpoint), &shop, b"");
    assert_eq!(rest.json(), word);
    let http = format!("{}/_aws/execute-api/{}", release.server.endpoint, release.output("http"));
    let open = get(&format!("{http}/pets/7")).json();
    assert_eq!(open["got"]["pathParameters"]["id"], "7", "{open}");
    assert_eq!(open["got"]["stageVariables"]["word"], word);
    assert_eq!(send("POST", &format!("{http}/pets"), &[], b"").status, 401);
}

#[test]
fn apis_of_both_kinds_are_applied_changed_and_destroyed() {
    let Some(release) = Release::of("apis.tf") else { return };
    let code = "def handler(event, context):\n    return {\"got\": event}\n";
    fs::write(release.folder.path().join("app.zip"), zipped(&[("app.py", code)]))
        .expect("the folder is ours");
    for (changed, word) in [("changed=false", "one"), ("changed=true", "two")] {
        assert_eq!(release.step(&["apply", "-auto-approve"], &[changed]), 0, "apply {word}");
        assert_eq!(release.step(&["plan", "-detailed-exitcode"], &[changed]), EMPTY, "plan after {word}");
        check_apis(&release, word);
    }
    assert_eq!(release.step(&["destroy", "-auto-approve"], &["changed=true"]), 0, "destroy");
    for path in ["/restapis", "/usageplans", "/apikeys", "/domainnames", "/clientcertificates"] {
        assert_eq!(release.ask(path).json()["item"], serde_json::json!([]), "{path}");
    }
    assert_eq!(release.ask("/v2/apis").json()["items"], serde_json::json!([]));
}

#[test]
fn how_a_function_is_deployed_is_applied_changed_and_destroyed() {
    let Some(release) = Release::of("codedeploy.tf") else { return };
    release.package("one");
    let codedeploy = |operation: &str, input: Value| {
        let target = format!("CodeDeploy_20141006.{operation}");
        let headers = [("X-Amz-Target", target.as_str()), ("Content-Type", "application/x-amz-json-1.1")];
        send("POST", &release.server.endpoint, &headers, input.to_string().as_bytes()).json()
    };
    let group = serde_json::json!({"applicationName": "app", "deploymentGroupName": "group"});
    for (percentage, step) in [(25, "percentage=25"), (40, "percentage=40")] {
        assert_eq!(release.step(&["apply", "-auto-approve"], &[step]), 0, "apply {step}");
        assert_eq!(release.step(&["plan", "-detailed-exitcode"], &[step]), EMPTY, "plan after {step}");
        let found = codedeploy("GetDeploymentGroup", group.clone())["deploymentGroupInfo"].clone();
        assert_eq!(found["deploymentConfigName"], format!("canary-{percentage}"));
        assert_eq!(found["deploymentGroupId"], release.output("group"));
    }
    let content = serde_json::json!({"version": 0.0, "Resources": [{"f": {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Name": "deployed-app", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "1"},
    }}]});
    let revision = serde_json::json!({
        "revisionType": "AppSpecContent", "appSpecContent": {"content": content.to_string()},
    });
    let mut input = group.clone();
    input["revision"] = revision;
    let made = codedeploy("CreateDeployment", input);
    assert!(made["deploymentId"].as_str().is_some_and(|id| id.starts_with("d-")), "{made}");
    assert_eq!(release.step(&["destroy", "-auto-approve"], &["percentage=40"]), 0, "destroy");
    assert_eq!(codedeploy("ListApplications", serde_json::json!({}))["applications"], serde_json::json!([]));
    let configs = codedeploy("ListDeploymentConfigs", serde_json::json!({}));
    assert_eq!(configs["deploymentConfigsList"].as_array().map(Vec::len), Some(9), "the predefined ones");
}
