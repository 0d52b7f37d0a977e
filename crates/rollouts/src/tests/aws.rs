//! The same recording through this executor and through the one for AWS: the same decisions. Each runs as it is, this one on its
//! store, that one by AWS's SDK on CloudWatch's minutes; what they share is the recording, and a clock that stands still while
//! they work.

mod cloud;
mod differences;
mod notices;
mod places;
pub mod recording;
mod shelf;
mod stuck;
mod together;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pitbird_analysis::Bucket;
use pitbird_aws::begin;
use pitbird_aws::drive::{Driver, Stopped};
use pitbird_aws::journal::Journal;
use pitbird_aws::minutes::MINUTE_MS;
use pitbird_aws::order::Order;
use pitbird_aws::run::Run;
use pitbird_rollout::{Input, Observed, ObservedRoute, Outcome, Plan, Record, State};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::bed::{API, BEGAN_MS, Bed, with};
use cloud::Aws;
use recording::{Minute, Recording, Tape};

/// What is rolled out.
#[derive(Debug, Clone, Copy)]
enum Place {
    Alias,
    Stage,
    /// Two aliases together; the other one's traffic.
    Aliases(&'static Recording),
}

impl Place {
    fn is_stage(self) -> bool {
        matches!(self, Place::Stage)
    }
}

/// A rollout as it went: what was decided, and what the target was made.
struct Went {
    plan: Plan,
    state: State,
    records: Vec<Record>,
    reason: String,
    /// The canary's share and when that was decided.
    shifts: Vec<(f64, u64)>,
    /// The version or deployment that serves in the end.
    serving: String,
    /// Who asked was told this: JSON, and its signature.
    told: Vec<(String, Option<String>)>,
}

/// When a recording's rollout starts.
fn start_ms(recording: &Recording) -> u64 {
    (BEGAN_MS / MINUTE_MS + 1 + recording.history) * MINUTE_MS + recording.into_minute_ms
}

fn input(recording: &Recording, place: Place) -> Json {
    let (target, canary) = match place {
        Place::Alias => {
            let alias = json!({"FunctionName": "pets", "AliasName": "live"});
            (json!({"LambdaAlias": alias}), json!({"FunctionVersion": "2"}))
        }
        Place::Stage => {
            let stage = json!({"RestApiId": API, "StageName": "prod"});
            (json!({"RestStage": stage}), json!({"DeploymentId": "d2"}))
        }
        Place::Aliases(_) => {
            let alias = |function: &str| json!({"FunctionName": function, "AliasName": "live"});
            let aliases = json!({"LambdaAliases": [alias("toys"), alias("pets")]});
            (aliases, json!({"FunctionVersions": {"pets": "2", "toys": "7"}}))
        }
    };
    let told = json!([{"Url": "http://told", "Secret": "a secret of theirs"}]);
    with(
        json!({"Name": "v2", "Target": target, "Canary": canary, "Notifications": told}),
        recording.order.clone(),
    )
}

/// In memory where there is some for that: nobody pulls the plug here.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn alone<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// By this crate's executor.
async fn here(recording: &'static Recording, place: Place) -> Went {
    let directory = folder();
    let bed = Bed::open(directory.path(), Instant::now()).await;
    let start_ms = start_ms(recording);
    let is_apart = matches!(place, Place::Aliases(_));
    bed.play(Tape::new(recording, start_ms).apart(is_apart));
    bed.say("pets", Ok(recording.says));
    if let Place::Aliases(other) = place {
        bed.play_of("toys", Tape::new(other, start_ms).apart(is_apart));
    }
    tokio::time::advance(Duration::from_millis(start_ms - BEGAN_MS)).await;
    bed.ok("StartRollout", input(recording, place)).await;
    bed.end("v2").await;
    let rollout = bed.rollout("v2");
    let went = Went {
        plan: rollout.plan,
        state: rollout.state,
        records: bed.entries("v2").into_iter().map(|entry| entry.record).collect(),
        reason: rollout.reason,
        shifts: rollout.shifts.iter().map(|shift| (shift.percent.get(), shift.decided_ms)).collect(),
        serving: match place {
            Place::Alias => bed.alias().version.to_string(),
            Place::Stage => bed.stage().deployment_id,
            Place::Aliases(_) => format!("{} {}", bed.alias().version, bed.alias_of("toys").version),
        },
        told: Vec::new(),
    };
    let told = bed.told.clone();
    // All is told by then.
    bed.close().await;
    let told = told.lock().unwrap().drain(..).map(|notice| (notice.body, notice.signature)).collect();
    Went { told, ..went }
}

/// By that of `pitbird-aws`, with sums that are there so long after their minute and are taken as they are after `lag_ms`.
async fn there(
    recording: &'static Recording,
    place: Place,
    plan: &Plan,
    (late_ms, lag_ms): (u64, u64),
) -> (Went, Vec<Minute>) {
    let directory = folder();
    let (began, start_ms) = (Instant::now(), start_ms(recording));
    // So that the first look is at the same time.
    let claimed_ms = if place.is_stage() { begin::SECOND_LOOK.as_millis() as u64 } else { 0 };
    let from_ms = start_ms - claimed_ms;
    let clock: crate::Clock = std::sync::Arc::new(move || from_ms + began.elapsed().as_millis() as u64);
    let aws = Aws::new(Tape::new(recording, start_ms), late_ms, clock.clone());
    if let Place::Aliases(other) = place {
        aws.lock().unwrap().toys_tape = Some(Tape::new(other, start_ms));
    }
    let cloud = Aws::cloud(&aws);
    let order = Order { input: input(recording, place), plan: plan.clone() }.accept().expect("AWS can do it");
    let journal = Journal::new(directory.path(), "v2");
    let _lock = journal.lock().expect("nobody else");
    let begun = begin::begin(&cloud, &journal, order, (lag_ms, false), clock()).await;
    let mut run = begun.expect("a rollout");
    begin::claim(&cloud, &journal, &mut run, false).await.expect("it is free");
    let mut say = |_: &Run, _: &str| {};
    let (teller, told) = notices::listening();
    let mut driver = Driver::new(&cloud, &journal, run, &mut say, clock).telling(teller);
    let stopped = driver.to_the_end(std::future::pending()).await.expect("a journal");
    let run = driver.run;
    assert_eq!(Some(stopped), run.exit_code().map(Stopped::Ended));
    let records = journal.records(&run).expect("they were written");
    // Looked at is when it is due: every interval, where a wait or the longest duration ends, and when a hook has answered.
    let interval_ms = plan.rules().interval_ms;
    let answers = aws.lock().unwrap().calls.iter().filter(|name| **name == "Invoke").count() as u64;
    let looks = (run.state.now_ms() - from_ms) / interval_ms + plan.steps().len() as u64 + 3 + answers;
    let asked = aws.lock().unwrap().calls.iter().filter(|name| **name == "GetMetricData").count() as u64;
    assert!(asked <= looks, "{}: asked {asked} times in {looks} looks", recording.name);
    assert_eq!(pitbird_rollout::replay(&run.plan, &records).as_ref(), Ok(&run.state));
    let went = Went {
        plan: run.plan.clone(),
        state: run.state.clone(),
        records,
        reason: run.reason.clone(),
        // Before the first there is one of 0 %.
        shifts: run.shifts.iter().skip(1).map(|shift| (shift.percent.get(), shift.decided_ms)).collect(),
        serving: match place {
            Place::Alias => aws.lock().unwrap().alias.version.clone(),
            Place::Stage => aws.lock().unwrap().stage.deployment.clone(),
            Place::Aliases(_) => {
                let aws = aws.lock().unwrap();
                assert!(aws.alias.is_unsigned() && aws.toys.is_unsigned(), "{}", recording.name);
                format!("{} {}", aws.alias.version, aws.toys.version)
            }
        },
        told: told.lock().unwrap().drain(..).map(|notice| (notice.body, notice.signature)).collect(),
    };
    let minutes = aws.lock().unwrap().tape.minutes.clone();
    (went, minutes)
}

/// A record without the seams of its evidence: minutes that were read together are told one by one there and as one sum here. They
/// are judged together by both.
fn seamless(record: &Record) -> Record {
    let mut record = record.clone();
    if let Input::Look { evidence, .. } = &mut record.input {
        let mut sums: Vec<Observed> = Vec::new();
        for seen in &evidence.buckets {
            match sums.iter_mut().find(|sum| sum.percent == seen.percent) {
                Some(sum) => sum.bucket = sum.bucket.plus(seen.bucket),
                None => sums.push(*seen),
            }
        }
        if sums.len() < evidence.buckets.len() {
            record.numbers.shares.clear();
        }
        evidence.buckets = sums;
        let mut sums: Vec<ObservedRoute> = Vec::new();
        for seen in std::mem::take(&mut evidence.routes) {
            match sums.iter_mut().find(|sum| (sum.percent, &sum.route) == (seen.percent, &seen.route)) {
                Some(sum) => sum.bucket = sum.bucket.plus(seen.bucket),
                None => sums.push(seen),
            }
        }
        // CloudWatch has none of these, and nobody is judged by them.
        sums.iter_mut().for_each(|sum| sum.bucket.cold = Bucket::default());
        evidence.routes = sums;
    }
    record
}

/// Both went the same way, number by number.
fn check(name: &str, place: Place, here: &Went, there: &Went) {
    // A stage's sign is put on it before anything is looked at.
    let first = if place.is_stage() { 1 } else { 0 };
    let merged: Vec<Record> = there.records.iter().skip(first).map(seamless).collect();
    let ours: Vec<&Record> = here.records.iter().skip(first).collect();
    for (at, (ours, theirs)) in ours.iter().zip(&merged).enumerate() {
        let is_apart = matches!(place, Place::Aliases(_));
        let mut ours = if is_apart { seamless(ours) } else { Record::clone(ours) };
        if theirs.numbers.shares.is_empty() {
            ours.numbers.shares.clear();
        }
        let told = |record: &Record| serde_json::to_string_pretty(record).expect("JSON");
        assert!(ours == *theirs, "{name}: record {at} here:\n{}\nand there:\n{}", told(&ours), told(theirs));
    }
    assert_eq!(ours.len(), merged.len(), "{name}: as many records");
    assert_eq!(state(place, here), state(place, there), "{name}");
    let told = |went: &Went| (went.reason.clone(), went.shifts.clone(), went.serving.clone());
    assert_eq!(told(here), told(there), "{name}");
    notices::check(name, here, there);
}

/// All of a state but, for a stage, when it began.
fn state(place: Place, went: &Went) -> Json {
    let mut state = serde_json::to_value(&went.state).expect("JSON");
    if matches!(place, Place::Aliases(_)) {
        together::without_cold_starts(&mut state);
    }
    if place.is_stage() {
        state["began_ms"].take();
        state["decisions"][0]["at_ms"].take();
    }
    state
}

/// Both ways of every recording.
fn through_both(recordings: &[&'static Recording], place: Place) -> Vec<Went> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut went = Vec::new();
        while let Some(recording) = recordings.get(next.fetch_add(1, Ordering::Relaxed)) {
            let ours = alone(here(recording, place));
            if place.is_stage() && ours.state.outcome() == Some(Outcome::Inconclusive) {
                continue;
            }
            let (theirs, _) = alone(there(recording, place, &ours.plan, (0, 0)));
            check(&recording.name, place, &ours, &theirs);
            went.push(ours);
        }
        went
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("both went the same way")).collect()
    })
}

/// The first word of each reason, as records have it.
fn kinds<'a>(went: impl Iterator<Item = &'a Went>) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for record in went.flat_map(|went| &went.records) {
        let mut reason = serde_json::to_value(&record.reason).expect("JSON");
        if let Some(because) =
            reason.get_mut("rolling_back").map(|rolling_back| rolling_back["because"].take())
        {
            reason = because;
        }
        let kind = reason.as_str().map(str::to_owned);
        let kind = kind.or_else(|| reason.as_object().and_then(|members| members.keys().next().cloned()));
        *kinds.entry(kind.expect("a kind")).or_default() += 1;
    }
    kinds
}

/// What a recording for both can lead to.
const KINDS: &[&str] = &[
    "alarm",
    "alarm_ringing",
    "alarm_unknown",
    "began",
    "blind",
    "both_fail",
    "ended",
    "few_requests",
    "gate",
    "gate_closed",
    "guardrail",
    "hook_failed",
    "hook_silent",
    "hook_stopped",
    "more_evidence",
    "not_worse",
    "out_of_time",
    "retreated",
    "retreating",
    "shifting",
    "silent",
    "split_broken",
    "waiting",
    "watching",
    "worse",
];

#[test]
fn a_recording_leads_to_the_same_decisions_here_and_on_aws() {
    let recordings: Vec<_> = shelf::recordings().iter().collect();
    assert!(recordings.len() >= 100, "{}", recordings.len());
    let went = through_both(&recordings, Place::Alias);
    assert_eq!(went.len(), recordings.len());
    let kinds = kinds(went.iter());
    let missing: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains_key(**kind)).collect();
    let records: usize = went.iter().map(|went| went.records.len()).sum();
    eprintln!("{} recordings, {records} records: {kinds:?}", went.len());
    assert!(missing.is_empty(), "no recording leads to {missing:?}");
}

/// Of all recordings one in three that are decided. What ends when its time is over does so sooner on AWS: that counts from the
/// start, and then the sign is put on the stage before anything moves. Both starts are to lie in one minute.
#[test]
fn a_stage_goes_the_same_way_here_and_on_aws() {
    let is_one_minute =
        |recording: &&Recording| u128::from(recording.into_minute_ms) >= begin::SECOND_LOOK.as_millis();
    let recordings: Vec<_> = shelf::recordings().iter().filter(is_one_minute).step_by(3).collect();
    let went = through_both(&recordings, Place::Stage);
    for end in [Outcome::Promoted, Outcome::RolledBack] {
        let count = went.iter().filter(|went| went.state.outcome() == Some(end)).count();
        assert!(count >= 5, "{end}: {count} of {}", went.len());
    }
}
