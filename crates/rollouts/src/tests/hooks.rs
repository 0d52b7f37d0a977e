//! Functions and URLs that are asked on the way.

use pitbird_records::RolloutClaim;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{Bed, Traffic};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
const URL: &str = "http://127.0.0.1:9/hook";
const GO: Result<&str, &str> = Ok(r#"{"answer": "go"}"#);
const SECRET: &str = "0123456789abcdef";

async fn bed(directory: &tempfile::TempDir) -> Bed {
    let bed = Bed::open(directory.path(), Instant::now()).await;
    bed.traffic(GOOD);
    bed
}

/// A hook of this name at this point that asks the URL.
fn at(when: &str, more: Json) -> Json {
    super::bed::with(json!({"Name": when, "When": when, "Url": URL}), more)
}

fn steps() -> Json {
    json!([{"Percent": 10, "WaitMs": 2000}, {"Percent": 50, "WaitMs": 2000}])
}

/// Waits until nobody is to be told any more.
async fn over(bed: &Bed) {
    let mut commits = bed.store.watch();
    loop {
        commits.borrow_and_update();
        if bed.store.list::<RolloutClaim>("").unwrap().is_empty() {
            return;
        }
        commits.changed().await.expect("the store is open");
    }
}

#[tokio::test(start_paused = true)]
async fn each_is_asked_where_it_stands_and_told_what_for() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.say(URL, GO);
    bed.say("pets:live", GO);
    let hooks = json!([
        at("BeforeRollout", json!({"Secret": SECRET})),
        at("BeforeStep", json!({})),
        at("AfterStep", json!({"Percent": 10})),
        {"Name": "smoke", "When": "BeforePromotion", "FunctionName": "pets:live"},
        at("AfterRollout", json!({})),
    ]);
    let started = bed.start_stage("v2", json!({"Steps": steps(), "Hooks": hooks})).await;
    assert!(!started.to_string().contains(SECRET), "secrets are not shown: {started}");
    assert_eq!(
        (&started["Hooks"][0]["Signed"], &started["Hooks"][1]["Signed"]),
        (&json!(true), &json!(false))
    );
    assert!(!serde_json::to_string(&bed.rollout("v2").plan).unwrap().contains(SECRET), "nor in the plan");
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "Promoted");
    over(&bed).await;
    let asked = bed.asked();
    let told: Vec<_> = asked
        .iter()
        .map(|asked| {
            json!([
                asked["when"],
                asked["percent"],
                asked["step_percent"],
                asked["phase"],
                asked["exit_code"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["before_rollout", 0.0, null, "Pending", null]),
            json!(["before_step", 0.0, 10.0, "Pending", null]),
            json!(["after_step", 10.0, 10.0, "Watching", null]),
            json!(["before_step", 10.0, 50.0, "Watching", null]),
            json!(["before_promotion", 50.0, null, "Watching", null]),
            json!(["after_rollout", 100.0, null, "Ended", 0]),
        ]
    );
    for (number, asked) in (1..).zip(&asked) {
        let id = format!("000000000000/us-east-1/v2/{}/{number}", super::bed::BEGAN_MS);
        assert_eq!((&asked["id"], &asked["attempt"]), (&json!(id), &json!(1)));
        assert_eq!((&asked["base"], &asked["canary"]), (&json!("d1"), &json!("d2")));
    }
    let signed: Vec<_> = bed.asked.lock().unwrap().iter().map(|call| call.signature.is_some()).collect();
    assert_eq!(signed, [true, false, false, false, false, false]);
    let shown = bed.get("v2").await;
    let ended = shown["Questions"].as_array().unwrap().iter().filter(|asked| asked["EndedAt"].is_number());
    assert_eq!(ended.count(), 6);
    assert_eq!(shown["EndedAt"], rollout["EndedAt"], "what is told afterwards is no later end");
    bed.check_replay("v2");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn stop_rolls_back_in_the_hooks_own_words() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.say(URL, Ok(r#"{"answer": "stop", "reason": "checkout is red"}"#));
    bed.start_stage("v2", json!({"Steps": steps(), "Hooks": [at("AfterStep", json!({}))]})).await;
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack");
    assert_eq!(rollout["StatusReason"], "rolled back: hook AfterStep said stop: checkout is red");
    assert_eq!(rollout["Questions"][0]["Answer"], "Stop");
    assert_eq!(bed.stage().deployment_id, "d1");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn before_anything_moves_a_stop_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.say(URL, Ok(r#"{"answer": "stop"}"#));
    bed.start_stage("v2", json!({"Hooks": [at("BeforeRollout", json!({}))]})).await;
    let rollout = bed.end("v2").await;
    assert_eq!((&rollout["Status"], &rollout["Shifts"]), (&json!("RolledBack"), &json!([])));
    assert_eq!(bed.stage().canary, None);
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn not_yet_asks_again_with_the_same_id() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.say(URL, Ok(r#"{"answer": "not_yet", "reason": "warming up"}"#));
    let hook = at("BeforeStep", json!({"Percent": 50, "IntervalMs": 3000}));
    bed.start_stage("v2", json!({"Steps": steps(), "Hooks": [hook]})).await;
    let is_asked = |rollout: &Json| rollout["Questions"][0]["Attempt"].as_u64() > Some(3);
    let rollout = bed.until("v2", is_asked).await;
    assert_eq!(rollout["StatusReason"], "waiting for hook BeforeStep: warming up");
    assert_eq!(rollout["Percent"], 10.0, "it holds as long");
    bed.say(URL, GO);
    assert_eq!(bed.end("v2").await["Status"], "Promoted");
    let asked = bed.asked();
    let attempts: Vec<_> = asked.iter().map(|asked| asked["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    assert!(asked.iter().all(|again| again["id"] == asked[0]["id"]));
    let pauses =
        asked.windows(2).map(|two| two[1]["time"].as_u64().unwrap() - two[0]["time"].as_u64().unwrap());
    assert_eq!(pauses.collect::<Vec<_>>(), [3000, 3000, 3000]);
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_silent_or_fails_ends_it_inconclusive() {
    let (broken, silent) = (Some(Err("the answer was 500")), None);
    let hook = json!({"TimeoutMs": 1000, "Attempts": 2, "IntervalMs": 500});
    for (said, words) in [
        (broken, "hook AfterStep gave no answer: the answer was 500"),
        (silent, "hook AfterStep gave no answer: it did not answer within 1 s"),
        (Some(Ok("yes")), "hook AfterStep gave no answer: its answer is no JSON like {\"answer\": \"go\"}"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let bed = bed(&directory).await;
        said.into_iter().for_each(|said| bed.say(URL, said));
        bed.start_stage("v2", json!({"Steps": steps(), "Hooks": [at("AfterStep", hook.clone())]})).await;
        let rollout = bed.end("v2").await;
        assert_eq!(rollout["StatusReason"], format!("inconclusive: {words}"));
        assert_eq!(bed.asked().len(), 2);
        bed.close().await;
    }
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    bed.say(URL, Ok(r#"{"answer": "not_yet"}"#));
    let hook = at("BeforePromotion", json!({"WaitMs": 30_000}));
    bed.start_stage("v2", json!({"Steps": steps(), "Hooks": [hook]})).await;
    let words = "inconclusive: hook BeforePromotion said neither go nor stop within 30 s";
    assert_eq!(bed.end("v2").await["StatusReason"], words);
    bed.close().await;
}

/// With time that passes: a clock that stands still would jump to the end of the call while the store writes.
#[tokio::test]
async fn a_hook_that_is_waited_for_holds_no_rollback_up() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    let hook = at("AfterStep", json!({"TimeoutMs": 900_000}));
    let steps = json!([{"Percent": 10, "WaitMs": 100}, {"Percent": 50, "WaitMs": 100}]);
    let rules = json!({"MaxDurationMs": 600_000, "IntervalMs": 50, "CanaryRequestsMin": 1});
    bed.start_stage("v2", json!({"Steps": steps, "Rules": rules, "Hooks": [hook]})).await;
    bed.until("v2", |rollout| rollout["Questions"][0].is_object()).await;
    bed.traffic(Traffic { canary_failures: 1.0, ..GOOD });
    let rollout = bed.end("v2").await;
    assert_eq!(rollout["Status"], "RolledBack");
    let question = &rollout["Questions"][0];
    assert_eq!((question.get("Answer"), &question["Failures"]), (None, &json!(0)), "nobody ever answered");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn after_the_end_the_target_is_free_while_somebody_is_still_to_be_told() {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut bed = Bed::open(directory.path(), began).await;
    bed.traffic(GOOD);
    bed.say(URL, Err("the answer was 503"));
    let hook = at("AfterRollout", json!({"Attempts": 10, "IntervalMs": 60_000, "WaitMs": 3_600_000}));
    let first = json!({"Hooks": [hook], "Steps": [{"Percent": 10, "WaitMs": 1000}]});
    bed.start_stage("v2", first).await;
    let ended = bed.end("v2").await;
    assert_eq!(ended["Status"], "Promoted");
    bed.settled("v2", |rollout| rollout["Questions"][0]["Failures"].as_u64() > Some(0)).await;
    let fault = bed.run("AbortRollout", json!({"Name": "v2"})).await.unwrap_err();
    assert!(fault.contains("has ended"), "{fault}");
    assert!(!bed.is_counted(), "nothing is on trial any more");
    let canary = json!({"Canary": {"DeploymentId": "d3"}, "Steps": [{"Percent": 10, "WaitMs": 1000}]});
    bed.start_stage("v3", canary).await;
    assert_eq!(bed.end("v3").await["Status"], "Promoted");
    let claims = bed.store.list::<RolloutClaim>("").unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].record.target, "after/v2");
    // A restart goes on with it, and leaves the end as it was.
    bed.stop().await;
    drop(bed);
    let bed = Bed::open(directory.path(), began).await;
    bed.say(URL, Ok(""));
    over(&bed).await;
    let rollout = bed.get("v2").await;
    assert_eq!(rollout["EndedAt"], ended["EndedAt"]);
    assert_eq!(rollout["Questions"][0]["Answer"], "Go");
    assert_eq!(bed.stage().deployment_id, "d3");
    bed.check_replay("v2");
    bed.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let bed = bed(&directory).await;
    for (hook, words) in [
        (json!({"Name": "a", "When": "BeforeStep"}), "Hooks: a: it asks either FunctionName or Url."),
        (
            at("AfterStep", json!({"FunctionName": "pets"})),
            "Hooks: AfterStep: it asks either FunctionName or Url.",
        ),
        (
            json!({"Name": "a", "When": "BeforeStep", "FunctionName": "pets", "Secret": SECRET}),
            "Hooks: a: Secret goes with Url only.",
        ),
        (at("AfterStep", json!({"Url": "ftp://a"})), "is no http or https URL."),
        (
            json!({"Name": "a", "When": "BeforeStep", "FunctionName": "cats"}),
            "Hooks: a: there is no function cats.",
        ),
        (
            json!({"Name": "a", "When": "BeforeStep", "FunctionName": "pets:9"}),
            "Hooks: a: there is no function pets:9.",
        ),
        (
            json!({"Name": "a", "When": "BeforeStep", "FunctionName": "pets:dead"}),
            "Hooks: a: there is no function pets:dead.",
        ),
        (
            json!({"Name": "a", "When": "BeforeStep",
                "FunctionName": "arn:aws:lambda:eu-west-1:000000000000:function:pets"}),
            "Hooks: a: the function is in another account or region.",
        ),
        (
            at("AfterStep", json!({"Percent": 7})),
            "hook \"AfterStep\" is at 7 %, which is no step of its kind",
        ),
        (at("BeforeRollout", json!({"Percent": 10})), "is at 10 %, which is no step of its kind"),
        (at("AfterStep", json!({"Attempts": 11})), "hooks.attempts is 11; it must lie between 1 and 10"),
        (at("AfterStep", json!({"WaitMs": 10})), "hooks.wait_ms is 10"),
        (at("Sometimes", json!({})), "ValidationException"),
    ] {
        let input = json!({
            "Name": "v2", "Target": {"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}},
            "Canary": {"DeploymentId": "d2"}, "Hooks": [hook],
        });
        let fault = bed.run("StartRollout", input).await.unwrap_err();
        assert!(fault.contains(words), "{fault}");
    }
    assert!(bed.run("GetRollout", json!({"Name": "v2"})).await.is_err(), "nothing was started");
    // The same words are the same rollout; another secret is another.
    bed.say(URL, GO);
    let secret = |secret: &str| json!({"Hooks": [at("AfterStep", json!({"Secret": secret}))]});
    bed.start_stage("v2", secret(SECRET)).await;
    bed.start_stage("v2", secret(SECRET)).await;
    let input = json!({
        "Name": "v2", "Target": {"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}},
        "Canary": {"DeploymentId": "d2"}, "Steps": super::bed::steps(), "Rules": {"MaxDurationMs": 600_000},
    });
    let other = super::bed::with(input, secret("fedcba9876543210"));
    assert!(bed.run("StartRollout", other).await.unwrap_err().contains("names are given once"));
    bed.close().await;
}
