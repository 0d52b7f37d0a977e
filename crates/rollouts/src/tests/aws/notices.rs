//! Those who asked are told the same on AWS; what was not told before a crash is told by whoever goes on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pitbird_aws::begin;
use pitbird_aws::drive::{Driver, Stopped};
use pitbird_aws::journal::Journal;
use pitbird_aws::notices::{Notice, Teller};
use pitbird_aws::order::Order;
use pitbird_aws::run::Run;
use pitbird_rollout::hook::signature;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::cloud::Aws;
use super::recording::{Recording, Tape};
use super::{Place, Went, alone, folder, here, input, shelf, start_ms};
use crate::Clock;

/// Takes all that is told, and what that was.
pub fn listening() -> (Teller, Arc<Mutex<Vec<Notice>>>) {
    let told: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let heard = told.clone();
    let teller = Teller::new(Arc::new(move |notice| {
        heard.lock().unwrap().push(notice);
        Box::pin(std::future::ready(Ok(())))
    }));
    (teller, told)
}

/// What was told, without what only a server of our own knows.
fn bodies(went: &Went) -> Vec<Json> {
    let body = |(body, signed): &(String, Option<String>)| {
        assert_eq!(*signed, Some(signature("a secret of theirs", body)));
        let mut body: Json = serde_json::from_str(body).expect("JSON");
        body["account"].take();
        body
    };
    went.told.iter().map(body).collect()
}

/// Both told the same, at the same times, in the same order.
pub fn check(name: &str, here: &Went, there: &Went) {
    let (ours, theirs) = (bodies(here), bodies(there));
    assert!(!ours.is_empty(), "{name}");
    assert_eq!(ours, theirs, "{name}");
}

fn steady() -> &'static Recording {
    let found = shelf::recordings().iter().find(|recording| recording.name.contains("steady"));
    found.expect("a recording of a good canary")
}

#[test]
fn what_was_not_told_before_a_crash_is_told_by_whoever_goes_on() {
    let recording = steady();
    let ours = alone(here(recording, Place::Alias));
    let (directory, from_ms) = (folder(), start_ms(recording));
    let told = alone(async {
        let began = Instant::now();
        let clock: Clock = Arc::new(move || from_ms + began.elapsed().as_millis() as u64);
        let aws = Aws::new(Tape::new(recording, from_ms), 0, clock.clone());
        let cloud = Aws::cloud(&aws);
        let order = Order { input: input(recording, Place::Alias), plan: ours.plan.clone() };
        let order = order.accept().expect("AWS can do it");
        let journal = Journal::new(directory.path(), "v2");
        let begun = begin::begin(&cloud, &journal, order, (0, false), clock()).await;
        let mut run = begun.expect("a rollout");
        begin::claim(&cloud, &journal, &mut run, false).await.expect("it is free");
        let mut say = |_: &Run, _: &str| {};
        // The first is heard, and the process dies before it knows. Nobody listens to the second for a while.
        let deaf: Arc<Mutex<Vec<Notice>>> = Arc::default();
        let heard = deaf.clone();
        let teller = Teller::new(Arc::new(move |notice| {
            heard.lock().unwrap().push(notice);
            Box::pin(std::future::pending())
        }));
        let mut driver = Driver::new(&cloud, &journal, run, &mut say, clock.clone()).telling(teller);
        let crash = async {
            while deaf.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        assert_eq!(driver.to_the_end(crash).await.expect("a journal"), Stopped::Interrupted);
        let run = journal.load().expect("a journal").expect("a rollout");
        assert!(!run.notices.is_empty());
        let (teller, told) = listening();
        let mut driver = Driver::new(&cloud, &journal, run, &mut say, clock).telling(teller);
        let stopped = driver.to_the_end(std::future::pending()).await.expect("a journal");
        assert!(matches!(stopped, Stopped::Ended(0)));
        assert!(driver.run.is_done());
        let (before, after) = (deaf.lock().unwrap().clone(), told.lock().unwrap().clone());
        assert_eq!(before[..], after[..1], "what was under way is told again, by the same words");
        after
    });
    let phases = |body: &str| {
        let body: Json = serde_json::from_str(body).expect("JSON");
        (body["phase"].clone(), body["percent"].clone(), body["status"].clone())
    };
    let told: Vec<_> = told.iter().map(|notice| phases(&notice.body)).collect();
    assert_eq!(
        told,
        ours.told.iter().map(|(body, _)| phases(body)).collect::<Vec<_>>(),
        "all of it, in order"
    );
}
