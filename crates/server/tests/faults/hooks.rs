//! A rollout that is killed at each boundary of its hooks: while one is asked, and right after it has answered.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pitbird_testkit::{Calls, Server, done, wait_for};
use serde_json::{Value, json};

use crate::releases::{Traffic, rollout};

/// How long a hook may be waited for, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(90);
/// Says go to whatever it is asked, and repeats the question's id.
const SMOKE: &str = "def handler(event, context):\n    return {'answer': 'go', 'reason': event['id'], 'more': context.function_version}\n";

/// What happens at the receiver.
enum News {
    /// A question that nobody has asked before; it stays unanswered.
    Asked,
    /// The question of this id was asked again and answered.
    Answered(String),
}

/// Takes calls of hooks: leaves the first of each question unanswered, and says go to the second.
struct Ear {
    url: String,
    heard: Arc<Mutex<Vec<Value>>>,
    news: Receiver<News>,
}

impl Ear {
    fn open() -> Ear {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (sender, news) = channel();
        let all = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (heard, sender) = (all.clone(), sender.clone());
                std::thread::spawn(move || drop(hear(stream, &heard, &sender)));
            }
        });
        Ear { url, heard, news }
    }

    fn heard(&self) -> Vec<Value> {
        self.heard.lock().expect("nobody panics with it").clone()
    }
}

fn hear(stream: TcpStream, heard: &Mutex<Vec<Value>>, news: &Sender<News>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().expect("a number");
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body: Value = serde_json::from_slice(&body).expect("hooks are asked in JSON");
        let id = body["id"].as_str().expect("questions have ids").to_owned();
        let calls = {
            let mut heard = heard.lock().expect("nobody panics with it");
            heard.push(body);
            heard.iter().filter(|body| body["id"] == *id).count()
        };
        if calls == 1 {
            let _test_is_over = news.send(News::Asked);
            // Until whoever asked is gone.
            let _gone = reader.read(&mut [0])?;
            return Ok(());
        }
        let answer = "{\"answer\": \"go\"}";
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        (&stream).write_all(head.as_bytes())?;
        let _test_is_over = news.send(News::Answered(id));
    }
}

/// The API, and a canary of it.
fn prepare(calls: &Calls) -> (String, String) {
    let (api, root) = calls.mock_api("hooked", 200);
    calls.deploy(&api, json!({"stageName": "prod"}));
    calls.mock(&api, &root, 200);
    let canary = calls.deploy(&api, json!({}));
    calls.function("smoke", &calls.role("smoke"), SMOKE, 10);
    (api, canary)
}

fn order(calls: &Calls, api: &str, canary: &str, url: &str) {
    let step = |percent| json!({"Percent": percent, "WaitMs": 100});
    let ask = |when: &str| json!({"Name": when, "When": when, "Url": url, "TimeoutMs": 600_000});
    let order = json!({
        "Name": "hooked",
        "Target": {"RestStage": {"RestApiId": api, "StageName": "prod"}},
        "Canary": {"DeploymentId": canary},
        "Steps": [step(30), step(60)],
        "Rules": {"Margin": 0.3, "CanaryRequestsMin": 20, "IntervalMs": 50},
        "Hooks": [
            ask("BeforeRollout"), ask("AfterStep"), ask("BeforePromotion"), ask("AfterRollout"),
            {"Name": "smoke", "When": "BeforeStep", "FunctionName": "smoke", "TimeoutMs": 60_000},
        ],
    });
    done(calls.json("PitbirdRollouts_20261101.StartRollout", order));
}

/// Kills the server at each boundary, until everybody was told; how often.
pub fn run(binary: &str, kill: impl Fn(Server) -> usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start_in(binary, folder.path());
    let mut calls = Calls::new(&server.endpoint);
    let (api, canary) = prepare(&calls);
    let ear = Ear::open();
    let traffic = Traffic::start(&api);
    traffic.move_to(&calls);
    order(&calls, &api, &canary, &ear.url);
    let (mut kills, mut answered) = (0, HashSet::new());
    // Five questions go to the URL: one before anything moves, one after each of two steps, one before the promotion and one after
    // the end; each is met by two kills.
    while answered.len() < 5 {
        match ear.news.recv_timeout(DEADLINE) {
            Ok(News::Answered(id)) if !answered.insert(id.clone()) => continue,
            Ok(_) => {}
            Err(_) => panic!("nobody is asked: {:#}", rollout(&calls, "hooked")),
        }
        kill(server);
        kills += 1;
        server = Server::start_in(binary, folder.path());
        calls = Calls::new(&server.endpoint);
        traffic.move_to(&calls);
    }
    assert!(kills >= 10, "{kills}");
    let ended = wait_for("everybody to be told", DEADLINE, || {
        let rollout = rollout(&calls, "hooked");
        let questions = rollout["Questions"].as_array().cloned().unwrap_or_default();
        let is_over = questions.iter().all(|question| question["EndedAt"].is_number());
        (rollout["EndedAt"].is_number() && questions.len() == 7 && is_over).then_some(rollout)
    });
    check(&ended, &ear.heard());
    let stage = done(calls.rest("GET", &format!("/restapis/{api}/stages/prod"), Value::Null)).json();
    assert_eq!((&stage["deploymentId"], stage.get("canarySettings")), (&json!(canary), None), "{stage:#}");
}

/// Each question was asked under one id, of its own, whatever happened in between.
fn check(ended: &Value, heard: &[Value]) {
    assert_eq!(ended["Status"], "Promoted", "{ended:#}");
    let questions = ended["Questions"].as_array().expect("a list");
    let asked: Vec<_> =
        questions.iter().map(|one| json!([one["When"], one["Percent"], one["Answer"]])).collect();
    assert_eq!(
        asked,
        [
            json!(["BeforeRollout", null, "Go"]),
            json!(["BeforeStep", 30.0, "Go"]),
            json!(["AfterStep", 30.0, "Go"]),
            json!(["BeforeStep", 60.0, "Go"]),
            json!(["AfterStep", 60.0, "Go"]),
            json!(["BeforePromotion", null, "Go"]),
            json!(["AfterRollout", null, "Go"]),
        ]
    );
    for smoke in questions.iter().filter(|question| question["Hook"] == "smoke") {
        assert_eq!(smoke["Reason"], smoke["Id"], "the function was told the id that is shown");
    }
    let mut about: BTreeMap<&str, Value> = BTreeMap::new();
    for body in heard {
        let id = body["id"].as_str().expect("text");
        let told = json!([body["when"], body["step_percent"], body["generation"], body["attempt"]]);
        assert_eq!(*about.entry(id).or_insert_with(|| told.clone()), told, "{id}");
        assert!(questions.iter().any(|question| question["Id"] == id), "{id} is not shown");
    }
    assert_eq!(about.len(), 5, "{about:?}");
    let shifts: Vec<_> =
        ended["Shifts"].as_array().into_iter().flatten().map(|shift| &shift["Percent"]).collect();
    assert_eq!(shifts, [30.0, 60.0, 100.0], "nothing was done twice or left out");
}
