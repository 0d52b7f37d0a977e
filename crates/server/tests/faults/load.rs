//! Writes of many kinds at once, and the memory of what was acknowledged.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use pitbird_testkit::{Called, Calls, done, wait_for};
use serde_json::{Value, json};

const CODE: &str =
    "def handler(event, context):\n    return {'statusCode': 200, 'body': context.function_version}\n";

/// How long some writes may take; the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// Something that the server acknowledged, and how to see that it is there.
#[derive(Debug, Clone)]
enum Written {
    Api {
        id: String,
        name: String,
    },
    /// The stage's percentage: this one, or that of the write after it, which may have been under way.
    Percent {
        kept: u32,
    },
    Group {
        name: String,
    },
    Event {
        stream: String,
        message: String,
    },
    Role {
        name: String,
    },
    Alias {
        name: String,
        weight: f64,
    },
    Version {
        number: String,
        description: String,
    },
    Metric {
        name: String,
        value: f64,
    },
}

/// What all rounds share.
#[derive(Debug, Clone)]
pub struct Load {
    api: String,
    written: Vec<Written>,
    /// Where the newest round's writes begin.
    newest: usize,
}

/// One round's writers.
pub struct Running {
    writers: Vec<JoinHandle<()>>,
    written: Arc<Mutex<Vec<Written>>>,
    count: Arc<AtomicUsize>,
}

impl Load {
    /// An API with a canary before a mock and a function with two versions.
    pub fn prepare(calls: &Calls) -> Load {
        let role = calls.role("load");
        calls.function("load", &role, CODE, 10);
        calls.release("load", &format!("{CODE}\n# another\n"));
        let (api, root) = calls.mock_api("load", 200);
        let made = json!({"pathPart": "function"});
        let resource = done(calls.rest("POST", &format!("/restapis/{api}/resources/{root}"), made)).json();
        let method =
            format!("/restapis/{api}/resources/{}/methods/GET", resource["id"].as_str().expect("an id"));
        done(calls.rest("PUT", &method, json!({"authorizationType": "NONE"})));
        let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                   arn:aws:lambda:us-east-1:000000000000:function:load:live/invocations";
        let integration = json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": uri});
        done(calls.rest("PUT", &format!("{method}/integration"), integration));
        let alias = json!({
            "Name": "live", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}},
        });
        done(calls.rest("POST", "/2015-03-31/functions/load/aliases", alias));
        let permission = json!({
            "StatementId": "api", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        });
        done(calls.rest("POST", "/2015-03-31/functions/load/policy?Qualifier=live", permission));
        calls.deploy(&api, json!({"stageName": "prod"}));
        calls.deploy(&api, json!({"stageName": "prod", "canarySettings": {"percentTraffic": 1}}));
        done(calls.json("Logs_20140328.CreateLogGroup", json!({"logGroupName": "load"})));
        Load { api, written: Vec::new(), newest: 0 }
    }

    /// Starts writers and requests; they end with the server.
    pub fn start(&self, calls: &Calls, round: usize) -> Running {
        let written = Arc::new(Mutex::new(Vec::new()));
        let count = Arc::new(AtomicUsize::new(0));
        let mut writers = Vec::new();
        for write in [apis, percents, groups, roles, functions, metrics] {
            let (calls, load) = (calls.clone(), self.clone());
            let (written, count) = (written.clone(), count.clone());
            writers.push(std::thread::spawn(move || {
                for number in 0.. {
                    let Some(acknowledged) = write(&calls, &load.api, round, number) else { break };
                    count.fetch_add(acknowledged.len(), Ordering::Relaxed);
                    written.lock().expect("no writer panics").extend(acknowledged);
                }
            }));
        }
        for path in ["/", "/function"] {
            let (calls, api) = (calls.clone(), self.api.clone());
            writers.push(std::thread::spawn(move || {
                while let Ok(answer) = calls.fetch(&api, "prod", path) {
                    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
                }
            }));
        }
        Running { writers, written, count }
    }

    pub fn check_newest(&self, calls: &Calls) {
        self.written[self.newest..].iter().for_each(|written| self.check(calls, written));
        for path in ["/", "/function"] {
            done(calls.fetch(&self.api, "prod", path));
        }
    }

    pub fn check_all(&self, calls: &Calls) {
        eprintln!("{} acknowledged writes", self.written.len());
        // Only the newest percentage is still to be seen.
        let stays = self.written.iter().filter(|written| !matches!(written, Written::Percent { .. }));
        stays.for_each(|written| self.check(calls, written));
    }

    fn check(&self, calls: &Calls, written: &Written) {
        let is_there = match written {
            Written::Api { id, name } => {
                found(calls.rest("GET", &format!("/restapis/{id}"), Value::Null))["name"] == **name
            }
            Written::Percent { kept } => {
                let stage =
                    found(calls.rest("GET", &format!("/restapis/{}/stages/prod", self.api), Value::Null));
                let seen = stage["canarySettings"]["percentTraffic"].as_f64().unwrap_or(-1.0);
                seen == f64::from(*kept) || seen == f64::from(kept + 1)
            }
            Written::Group { name } => {
                let query = json!({"logGroupNamePrefix": name});
                let groups = found(calls.json("Logs_20140328.DescribeLogGroups", query));
                groups["logGroups"][0]["retentionInDays"] == 7
            }
            Written::Event { stream, message } => {
                let query = json!({"logGroupName": "load", "logStreamName": stream, "startFromHead": true});
                let events = found(calls.json("Logs_20140328.GetLogEvents", query));
                events["events"]
                    .as_array()
                    .is_some_and(|events| events.iter().any(|it| it["message"] == **message))
            }
            Written::Role { name } => {
                let form = format!("Action=GetRolePolicy&Version=2010-05-08&RoleName={name}&PolicyName=p");
                calls.form(&form).is_ok_and(|answer| answer.status == 200)
            }
            Written::Alias { name, weight } => {
                let path = format!("/2015-03-31/functions/load/aliases/{name}");
                found(calls.rest("GET", &path, Value::Null))["RoutingConfig"]["AdditionalVersionWeights"]["2"]
                    == *weight
            }
            Written::Version { number, description } => {
                let path = format!("/2015-03-31/functions/load/configuration?Qualifier={number}");
                found(calls.rest("GET", &path, Value::Null))["Description"] == **description
            }
            Written::Metric { name, value } => {
                let query = json!({
                    "Namespace": "Load", "MetricName": name, "Period": 3600, "Statistics": ["Sum"],
                    "StartTime": now_s() - 7200, "EndTime": now_s() + 3600,
                });
                let points = found(calls.json("GraniteServiceVersion20100801.GetMetricStatistics", query));
                points["Datapoints"][0]["Sum"] == *value
            }
        };
        assert!(is_there, "acknowledged, and gone after a kill: {written:?}");
    }
}

impl Running {
    /// Waits until so many writes are acknowledged.
    pub fn wait_for_writes(&self, count: usize) {
        wait_for("writes", DEADLINE, || {
            assert!(
                self.writers.iter().all(|writer| !writer.is_finished()),
                "a writer ended before its server"
            );
            (self.count.load(Ordering::Relaxed) >= count).then_some(())
        });
    }

    /// Waits for the writers of a server that is gone, and remembers what they wrote.
    pub fn finish(self, load: &mut Load) {
        for writer in self.writers {
            writer.join().expect("a writer meets no fault but its server's end");
        }
        let mut written = self.written.lock().expect("no writer panics");
        // What was said about the percentage before is overwritten.
        let newest = written.iter().rposition(|it| matches!(it, Written::Percent { .. }));
        let mut place = 0..;
        written.retain(|it| place.next() == newest || !matches!(it, Written::Percent { .. }));
        load.newest = load.written.len();
        load.written.append(&mut written);
    }
}

fn now_s() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

fn found(called: Called) -> Value {
    let answer = called.expect("the server is there again");
    if answer.status == 200 { answer.json() } else { json!({"status": answer.status, "body": answer.text()}) }
}

/// The answer to a write, `None` when the server is gone.
fn acknowledged(called: Called) -> Option<Value> {
    let answer = called.ok()?;
    assert!(answer.is_success(), "{} {}", answer.status, answer.text());
    Some(serde_json::from_slice(&answer.body).unwrap_or_default())
}

type Acknowledged = Option<Vec<Written>>;

fn apis(calls: &Calls, _api: &str, round: usize, number: u32) -> Acknowledged {
    let name = format!("api-{round}-{number}");
    let made = acknowledged(calls.rest("POST", "/restapis", json!({"name": name})))?;
    Some(vec![Written::Api { id: made["id"].as_str()?.to_owned(), name }])
}

fn percents(calls: &Calls, api: &str, _round: usize, number: u32) -> Acknowledged {
    let kept = number % 99;
    let patch = json!({"op": "replace", "path": "/canarySettings/percentTraffic", "value": kept.to_string()});
    let path = format!("/restapis/{api}/stages/prod");
    acknowledged(calls.rest("PATCH", &path, json!({"patchOperations": [patch]})))?;
    Some(vec![Written::Percent { kept }])
}

fn groups(calls: &Calls, _api: &str, round: usize, number: u32) -> Acknowledged {
    let name = format!("group-{round}-{number}.");
    acknowledged(calls.json("Logs_20140328.CreateLogGroup", json!({"logGroupName": name})))?;
    let retention = json!({"logGroupName": name, "retentionInDays": 7});
    acknowledged(calls.json("Logs_20140328.PutRetentionPolicy", retention))?;
    let stream = format!("stream-{round}-{number}");
    let place = json!({"logGroupName": "load", "logStreamName": stream});
    acknowledged(calls.json("Logs_20140328.CreateLogStream", place))?;
    let message = format!("event {round} {number}");
    let event = json!({"timestamp": now_s() * 1000, "message": message});
    let put = json!({"logGroupName": "load", "logStreamName": stream, "logEvents": [event]});
    acknowledged(calls.json("Logs_20140328.PutLogEvents", put))?;
    Some(vec![Written::Group { name }, Written::Event { stream, message }])
}

fn roles(calls: &Calls, _api: &str, round: usize, number: u32) -> Acknowledged {
    let name = format!("role-{round}-{number}");
    let document = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                    %22Action%22%3A%22s3%3AGetObject%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";
    let form = |action: &str| format!("Action={action}&Version=2010-05-08&RoleName={name}");
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                 %22Principal%22%3A%7B%22AWS%22%3A%22*%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    acknowledged(calls.form(&format!("{}&AssumeRolePolicyDocument={trust}", form("CreateRole"))))?;
    let put = form("PutRolePolicy");
    acknowledged(calls.form(&format!("{put}&PolicyName=p&PolicyDocument={document}")))?;
    Some(vec![Written::Role { name }])
}

fn functions(calls: &Calls, _api: &str, round: usize, number: u32) -> Acknowledged {
    let name = format!("alias-{round}-{number}");
    let weight = f64::from(number % 100) / 100.0;
    let alias = json!({
        "Name": name, "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": weight}},
    });
    acknowledged(calls.rest("POST", "/2015-03-31/functions/load/aliases", alias))?;
    let description = format!("version {round} {number}");
    let update = json!({"Description": description});
    loop {
        let called = calls.rest("PUT", "/2015-03-31/functions/load/configuration", update.clone());
        // The change before may still be getting live, in this life of the server or since the one before.
        if called.as_ref().is_ok_and(|answer| answer.status == 409) {
            continue;
        }
        acknowledged(called)?;
        break;
    }
    let version = loop {
        let called = calls.rest("POST", "/2015-03-31/functions/load/versions", json!({}));
        if called.as_ref().is_ok_and(|answer| answer.status == 409) {
            continue;
        }
        break acknowledged(called)?;
    };
    let number = version["Version"].as_str()?.to_owned();
    Some(vec![Written::Alias { name, weight }, Written::Version { number, description }])
}

fn metrics(calls: &Calls, _api: &str, round: usize, number: u32) -> Acknowledged {
    let (name, value) = (format!("metric-{round}-{number}"), f64::from(number + 1));
    let datum = json!({"MetricName": name, "Value": value});
    let put = json!({"Namespace": "Load", "MetricData": [datum]});
    acknowledged(calls.json("GraniteServiceVersion20100801.PutMetricData", put))?;
    Some(vec![Written::Metric { name, value }])
}
