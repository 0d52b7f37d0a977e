use std::sync::Mutex;

use pitbird_names::Percent;
use pitbird_rollout::Evidence;
use serde_json::json;

use super::*;
use crate::target::Change;
use crate::turn::{applied, look};

const NOW_MS: u64 = crate::turn::tests::NOW_MS;

fn run(urls: &[&str]) -> Run {
    let receivers: Vec<Json> =
        urls.iter().map(|url| json!({"Url": url, "Secret": "a secret of theirs"})).collect();
    let mut run = crate::turn::tests::run();
    run.told = Some(Standing::of(&run.plan, &run.state));
    run.input = json!({"Notifications": receivers});
    run
}

/// After its first shift.
fn shifted(run: &Run) -> Run {
    let turn = look(run, Evidence::default(), &[], None, NOW_MS);
    let (change, generation) = Change::of(&turn.run.state.step(&turn.run.plan)).expect("a shift");
    assert_eq!(change, Change::Shift(Percent::new(10.0).unwrap()));
    applied(&turn.run, generation, NOW_MS + 500).run
}

#[test]
fn only_what_changed_is_told_and_to_everybody() {
    let mut run = run(&["http://a", "http://b"]);
    assert_eq!(
        (put_down(&mut run, "eu-west-1", 1, NOW_MS), run.notices.len()),
        (Vec::new(), 0),
        "nothing is new"
    );
    run.records = 2;
    let mut run = Run { told: run.told.clone(), ..shifted(&run) };
    assert!(put_down(&mut run, "eu-west-1", 1, NOW_MS).is_empty());
    let urls: Vec<&str> = run.notices.iter().map(|waiting| waiting.url.as_str()).collect();
    assert_eq!(urls, ["http://a", "http://b"]);
    let told: Json = serde_json::from_str(&run.notices[0].body).unwrap();
    let expected = json!({
        "source": "pitbird.rollouts", "time": NOW_MS, "account": null, "region": "eu-west-1", "rollout": "r",
        "target": "lambda_alias/f/live", "status": "InProgress", "phase": "Watching", "percent": 10.0,
        "reason": run.reason, "generation": 1, "entry": 3, "gate_until": null, "exit_code": null,
    });
    assert_eq!((told, run.notices[0].entry), (expected, 3));
    assert!(put_down(&mut run, "eu-west-1", 1, NOW_MS).is_empty());
    assert_eq!(run.notices.len(), 2, "and once");
}

#[test]
fn of_too_many_that_wait_for_one_the_newest_are_left_out() {
    let mut run = run(&["http://a", "http://b"]);
    let fresh = run.told.clone();
    let after = shifted(&run);
    run.state = after.state;
    for entry in 0..WAITING_MAX as u64 {
        run.notices.push(Waiting { url: "http://a".to_owned(), entry, body: String::new() });
    }
    run.told = fresh;
    assert_eq!(put_down(&mut run, "eu-west-1", 0, NOW_MS), ["http://a"]);
    assert_eq!(run.notices.last().unwrap().url, "http://b");
}

#[test]
fn receivers_that_cannot_be_told_are_refused() {
    for (given, words) in [
        (json!([{"Url": "ftp://a"}]), "no http or https URL"),
        (json!([{}]), "no http or https URL"),
        (json!([{"Url": "http://a"}, {"Url": "http://a"}]), "twice"),
        (json!([{"Url": "http://a", "Secret": "short"}]), "16 to 128"),
        (
            json!([{"Url": "http://a"}, {"Url": "http://b"}, {"Url": "http://c"}, {"Url": "http://d"}, {"Url": "http://e"}]),
            "more than 4",
        ),
    ] {
        let refused = check(&given).unwrap_err();
        assert!(refused.contains(words), "{given}: {refused}");
    }
    assert_eq!(check(&Json::Null), Ok(()));
    assert_eq!(
        check(&json!([{"Url": "http://a", "Secret": "a secret of theirs"}, {"Url": "https://b"}])),
        Ok(())
    );
}

#[tokio::test(start_paused = true)]
async fn each_is_told_one_change_after_the_other_and_nobody_waits_for_who_is_deaf() {
    let mut run = run(&["http://deaf", "http://keen"]);
    for entry in [1, 2] {
        for url in ["http://deaf", "http://keen"] {
            run.notices.push(Waiting { url: url.to_owned(), entry, body: entry.to_string() });
        }
    }
    let seen: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let told = seen.clone();
    let mut teller = Teller::new(Arc::new(move |notice: Notice| {
        told.lock().unwrap().push(notice.clone());
        match &*notice.url {
            "http://deaf" => Box::pin(std::future::pending()),
            _ => Box::pin(std::future::ready(Ok(()))),
        }
    }));
    let mut heard = Vec::new();
    while !run.notices.is_empty() {
        teller.see(&run);
        let told = teller.heard().await;
        run.notices.retain(|waiting| (&waiting.url, waiting.entry) != (&told.url, told.entry));
        heard.push((told.url, told.entry, told.answer.is_ok()));
    }
    let expected = [("keen", 1, true), ("keen", 2, true), ("deaf", 1, false), ("deaf", 2, false)];
    let expected = expected.map(|(who, entry, is_told)| (format!("http://{who}"), entry, is_told));
    assert_eq!(heard, expected);
    let signed = |notice: &Notice| notice.signature == Some(signature("a secret of theirs", &notice.body));
    assert!(seen.lock().unwrap().iter().all(signed));
}
