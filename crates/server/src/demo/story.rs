//! What happens, step by step.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pitbird_cli::aws_command;
use pitbird_cli::client::{Client, Credentials, Endpoint};
use serde_json::{Value, json};

use super::package;
use super::report::{self, Release, Report};
use super::teller::Teller;
use super::traffic::{Tally, Traffic};
use crate::serve::Serving;

const FUNCTION: &str = "pets";
const STAGE: &str = "prod";
const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";
const REQUESTS_PER_SECOND: u32 = 300;
/// Requests that v1 serves alone before anything changes.
const QUIET_REQUESTS: u64 = 600;
/// How often the story looks at a rollout.
const LOOK: Duration = Duration::from_millis(100);
/// No chapter may take longer.
const CHAPTER_DEADLINE: Duration = Duration::from_secs(60);

/// Tells the whole story.
pub async fn tell(serving: &Serving, seed: u64, teller: &mut Teller) -> Result<Report> {
    let began = Instant::now();
    let endpoint = format!("http://{}", serving.address);
    let client = Client::new(endpoint.parse::<Endpoint>()?, REGION, Credentials::anonymous());
    teller.title(&endpoint, &serving.isolation);
    let mut crew = Crew { client, teller, commands: Vec::new() };

    crew.teller.chapter("v1 serves a small API");
    let api = crew.first_release().await?;
    let path = format!("/_aws/execute-api/{api}/{STAGE}");
    let traffic = Traffic::start(serving.address, &path, REQUESTS_PER_SECOND, seed).await?;
    crew.quiet_time(&traffic).await?;

    crew.teller.chapter("v2 has a fault; 10 % of requests find it before everybody does");
    let bad = crew.release(&api, "v2", "2", &traffic).await?;
    crew.teller.chapter("v3 mends it and earns its way to 100 %");
    let good = crew.release(&api, "v3", "3", &traffic).await?;
    let before = traffic.tally();
    crew.quiet_time(&traffic).await?;
    let after = traffic.tally().since(&before);
    let all = traffic.stop().await?;

    let deviations = good.rollout["Deviations"].as_array().cloned().unwrap_or_default();
    Ok(Report {
        ok: report::is_as_promised(&bad, &good, &after, &all),
        endpoint,
        isolation: serving.isolation.clone(),
        seed,
        requests_per_second: REQUESTS_PER_SECOND,
        seconds: began.elapsed().as_secs_f64(),
        deviations: deviations.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect(),
        releases: vec![bad, good],
        requests: all.requests,
        failed: all.failed,
        answers_by_release: all.by_release.iter().map(|(name, seen)| (name.clone(), seen.into())).collect(),
        commands: crew.commands,
    })
}

/// Who does the work: calls go over HTTP to the server, like anybody's.
struct Crew<'t> {
    client: Client,
    teller: &'t mut Teller,
    commands: Vec<String>,
}

impl Crew<'_> {
    /// Calls an operation and shows the command that does the same.
    async fn call(&mut self, service: &str, operation: &str, input: Value) -> Result<Value> {
        self.call_as(service, operation, &input, &input).await
    }

    /// The same, with another input shown: file names instead of their content.
    async fn call_as(
        &mut self,
        service: &str,
        operation: &str,
        input: &Value,
        shown: &Value,
    ) -> Result<Value> {
        let command = aws_command(service, operation, shown);
        self.teller.command(&command);
        self.commands.push(command);
        self.client.call(service, operation, input).await.with_context(|| format!("{service} {operation}"))
    }

    /// A role, a function with version 1, an API with one route, a stage. Gives the API's id.
    async fn first_release(&mut self) -> Result<String> {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }],
        });
        let role = json!({ "RoleName": FUNCTION, "AssumeRolePolicyDocument": trust.to_string() });
        self.call("iam", "CreateRole", role).await?;
        let function = |code: Value| {
            json!({
                "FunctionName": FUNCTION, "Runtime": "provided.al2023", "Handler": "bootstrap",
                "Role": format!("arn:aws:iam::{ACCOUNT}:role/{FUNCTION}"), "Code": code,
            })
        };
        let shown = function(json!({ "ZipFile": "fileb://v1.zip" }));
        let input = function(json!({ "ZipFile": STANDARD.encode(package::zipped("v1")?) }));
        self.call_as("lambda", "CreateFunction", &input, &shown).await?;
        self.settled().await?;
        self.publish("1").await?;

        let api = self.call("apigateway", "CreateRestApi", json!({ "name": FUNCTION })).await?;
        let api_id = text(&api, "id")?;
        let pets =
            json!({ "restApiId": api_id, "parentId": text(&api, "rootResourceId")?, "pathPart": "pets" });
        let pets = self.call("apigateway", "CreateResource", pets).await?;
        let pet = json!({ "restApiId": api_id, "parentId": text(&pets, "id")?, "pathPart": "{id}" });
        let pet = text(&self.call("apigateway", "CreateResource", pet).await?, "id")?;
        let method = json!({ "restApiId": api_id, "resourceId": pet, "httpMethod": "GET", "authorizationType": "NONE" });
        self.call("apigateway", "PutMethod", method).await?;
        let uri = format!(
            "arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/\
             arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}:${{stageVariables.version}}/invocations"
        );
        let integration = json!({
            "restApiId": api_id, "resourceId": pet, "httpMethod": "GET", "type": "AWS_PROXY",
            "integrationHttpMethod": "POST", "uri": uri,
        });
        self.call("apigateway", "PutIntegration", integration).await?;
        self.permit(&api_id, "1").await?;
        let deployment = json!({ "restApiId": api_id, "stageName": STAGE, "variables": { "version": "1" } });
        self.call("apigateway", "CreateDeployment", deployment).await?;
        Ok(api_id)
    }

    /// Lets the clients work undisturbed for a while.
    async fn quiet_time(&mut self, traffic: &Traffic) -> Result<()> {
        let before = traffic.tally();
        let deadline = Instant::now() + CHAPTER_DEADLINE;
        loop {
            tokio::time::sleep(LOOK).await;
            let tally = traffic.tally().since(&before);
            self.teller.traffic(&tally);
            if tally.requests >= QUIET_REQUESTS {
                self.teller.settled(&tally);
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the API answered {} requests in a minute", tally.requests);
        }
    }

    /// Publishes a release, gives it to a rollout, and watches that to its end.
    async fn release(&mut self, api: &str, name: &str, version: &str, traffic: &Traffic) -> Result<Release> {
        let code = |content: String| json!({ "FunctionName": FUNCTION, "ZipFile": content });
        let shown = code(format!("fileb://{name}.zip"));
        let input = code(STANDARD.encode(package::zipped(name)?));
        self.call_as("lambda", "UpdateFunctionCode", &input, &shown).await?;
        self.settled().await?;
        self.publish(version).await?;
        self.permit(api, version).await?;
        let deployment = json!({ "restApiId": api, "description": name });
        let deployment = self.call("apigateway", "CreateDeployment", deployment).await?;

        let began = Instant::now();
        let before = traffic.tally();
        let start = json!({
            "Name": format!("{FUNCTION}-{name}"),
            "Target": { "RestStage": { "RestApiId": api, "StageName": STAGE } },
            "Canary": { "DeploymentId": text(&deployment, "id")?, "StageVariableOverrides": { "version": version } },
            "Steps": [{ "Percent": 10, "WaitMs": 5000 }, { "Percent": 50, "WaitMs": 5000 }, { "Percent": 100, "WaitMs": 4000 }],
            "Rules": { "Margin": 0.02, "IntervalMs": 200, "MaxDurationMs": 45_000 },
        });
        self.call("rollouts", "StartRollout", start).await?;
        let rollout = self.watch(&format!("{FUNCTION}-{name}"), traffic, &before).await?;
        let tally = traffic.tally().since(&before);
        let release = Release {
            name: name.to_owned(),
            outcome: text(&rollout, "Status")?,
            reason: rollout["StatusReason"].as_str().unwrap_or_default().to_owned(),
            seconds: began.elapsed().as_secs_f64(),
            requests: tally.requests,
            failed: tally.failed,
            canary_requests: rollout["Evidence"]["Canary"]["Requests"].as_u64().unwrap_or(0),
            switch_ms: rollout["Shifts"]
                .as_array()
                .and_then(|all| all.last()?["TookMs"].as_u64())
                .unwrap_or(0),
            rollout,
        };
        self.teller.release(&release);
        Ok(release)
    }

    /// Shows the rollout until it has ended and its last requests are answered.
    async fn watch(&mut self, name: &str, traffic: &Traffic, before: &Tally) -> Result<Value> {
        let deadline = Instant::now() + CHAPTER_DEADLINE;
        loop {
            let answer = self.client.call("rollouts", "GetRollout", &json!({ "Name": name })).await?;
            let rollout = answer["Rollout"].clone();
            self.teller.rollout(&rollout, &traffic.tally().since(before));
            if !rollout["EndedAt"].is_null() {
                // Requests that were drawn before the end are answered within a look.
                tokio::time::sleep(LOOK).await;
                return Ok(rollout);
            }
            ensure!(Instant::now() < deadline, "the rollout {name} didn't end within a minute");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until Lambda has made the function ready.
    async fn settled(&mut self) -> Result<()> {
        let deadline = Instant::now() + CHAPTER_DEADLINE;
        let name = json!({ "FunctionName": FUNCTION });
        self.teller.command("aws lambda wait function-updated-v2 --function-name pets");
        self.commands.push("aws lambda wait function-updated-v2 --function-name pets".to_owned());
        loop {
            let configuration = self.client.call("lambda", "GetFunctionConfiguration", &name).await?;
            let (state, update) = (&configuration["State"], &configuration["LastUpdateStatus"]);
            if state == "Active" && update != "InProgress" {
                return Ok(());
            }
            ensure!(state != "Failed", "the function can't be made: {configuration}");
            ensure!(Instant::now() < deadline, "the function isn't ready after a minute: {configuration}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn publish(&mut self, expected: &str) -> Result<()> {
        let published = self.call("lambda", "PublishVersion", json!({ "FunctionName": FUNCTION })).await?;
        ensure!(
            published["Version"] == expected,
            "published version {} instead of {expected}",
            published["Version"]
        );
        Ok(())
    }

    async fn permit(&mut self, api: &str, version: &str) -> Result<()> {
        let permission = json!({
            "FunctionName": FUNCTION, "Qualifier": version, "StatementId": "api", "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*/*"),
        });
        self.call("lambda", "AddPermission", permission).await?;
        Ok(())
    }
}

fn text(value: &Value, name: &str) -> Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("an answer without {name}: {value}"))
}
