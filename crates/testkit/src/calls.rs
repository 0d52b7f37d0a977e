use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{Answer, Client, zipped};

/// Unsigned calls to the AWS endpoint of a server, one connection each time one is needed.
#[derive(Debug, Clone)]
pub struct Calls {
    client: Client,
    pub endpoint: String,
}

/// An answer, or in words why there was none.
pub type Called = Result<Answer, String>;

impl Calls {
    pub fn new(endpoint: &str) -> Calls {
        Calls { client: Client::default(), endpoint: endpoint.to_owned() }
    }

    /// A call in the REST protocol; `Null` is no body.
    pub fn rest(&self, method: &str, path: &str, body: Value) -> Called {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.client.send(method, &format!("{}{path}", self.endpoint), &[], &body)
    }

    /// A call in one of the JSON protocols; `target` names service and operation.
    pub fn json(&self, target: &str, body: Value) -> Called {
        let headers = [("X-Amz-Target", target), ("Content-Type", "application/x-amz-json-1.1")];
        self.client.send("POST", &self.endpoint, &headers, body.to_string().as_bytes())
    }

    /// A call in the query protocol, its form already encoded.
    pub fn form(&self, form: &str) -> Called {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        self.client.send("POST", &self.endpoint, &headers, form.as_bytes())
    }

    /// A request to a stage.
    pub fn fetch(&self, api: &str, stage: &str, path: &str) -> Called {
        self.rest("GET", &format!("/_aws/execute-api/{api}/{stage}{path}"), Value::Null)
    }

    /// A role that Lambda may assume; its ARN.
    pub fn role(&self, name: &str) -> String {
        let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                     %22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C\
                     %22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
        let form = "Action=CreateRole&Version=2010-05-08";
        done(self.form(&format!("{form}&RoleName={name}&AssumeRolePolicyDocument={trust}")));
        format!("arn:aws:iam::000000000000:role/{name}")
    }

    /// A Python function of this code (its `app.handler`), ready to be invoked, with version 1 published.
    pub fn function(&self, name: &str, role: &str, code: &str, timeout_s: u32) {
        let package = STANDARD.encode(zipped(&[("app.py", code)]));
        let body = json!({
            "FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler", "Role": role, "Publish": true,
            "Timeout": timeout_s, "Code": {"ZipFile": package},
        });
        done(self.rest("POST", "/2015-03-31/functions", body));
        self.updated(name);
    }

    /// Publishes this code as a function's next version.
    pub fn release(&self, name: &str, code: &str) {
        let body = json!({"ZipFile": STANDARD.encode(zipped(&[("app.py", code)])), "Publish": true});
        done(self.rest("PUT", &format!("/2015-03-31/functions/{name}/code"), body));
        self.updated(name);
    }

    /// Waits until a function is ready and its newest change is live.
    pub fn updated(&self, name: &str) {
        crate::wait_for("the function", std::time::Duration::from_secs(30), || {
            let path = format!("/2015-03-31/functions/{name}/configuration");
            let found = done(self.rest("GET", &path, Value::Null)).json();
            (found["State"] == "Active" && found["LastUpdateStatus"] == "Successful").then_some(())
        });
    }

    /// A new API with a GET at its root that answers with `status` from the gateway itself; its id and its root's.
    pub fn mock_api(&self, name: &str, status: u16) -> (String, String) {
        let made = done(self.rest("POST", "/restapis", json!({"name": name}))).json();
        let word = |key: &str| made[key].as_str().expect("an id").to_owned();
        let (api, root) = (word("id"), word("rootResourceId"));
        let method = format!("/restapis/{api}/resources/{root}/methods/GET");
        done(self.rest("PUT", &method, json!({"authorizationType": "NONE"})));
        self.mock(&api, &root, status);
        (api, root)
    }

    /// Makes the GET of a resource answer with `status` from now on, once deployed.
    pub fn mock(&self, api: &str, resource: &str, status: u16) {
        let method = format!("/restapis/{api}/resources/{resource}/methods/GET");
        let template = json!({"application/json": json!({"statusCode": status}).to_string()});
        let integration = json!({"type": "MOCK", "requestTemplates": template});
        done(self.rest("PUT", &format!("{method}/integration"), integration));
        for path in ["responses", "integration/responses"] {
            let answer =
                self.rest("PUT", &format!("{method}/{path}/{status}"), json!({})).expect("an answer");
            // It may be there from before.
            assert!(answer.is_success() || answer.status == 409, "{}", answer.text());
        }
    }

    /// A deployment, of a stage where `settings` say so; its id.
    pub fn deploy(&self, api: &str, settings: Value) -> String {
        let made = done(self.rest("POST", &format!("/restapis/{api}/deployments"), settings)).json();
        made["id"].as_str().expect("an id").to_owned()
    }
}

/// The answer to a call that must succeed.
///
/// # Panics
/// When it doesn't, with what came back.
pub fn done(called: Called) -> Answer {
    let answer = called.unwrap_or_else(|error| panic!("{error}"));
    assert!(answer.is_success(), "{} {}", answer.status, answer.text());
    answer
}
