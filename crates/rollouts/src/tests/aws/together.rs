//! Several aliases that are moved together: the same decisions here and on AWS, and what becomes of the others where a call for one
//! fails.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use pitbird_aws::begin;
use pitbird_aws::drive::{Driver, Stopped};
use pitbird_aws::journal::Journal;
use pitbird_aws::order::Order;
use pitbird_aws::run::Run;
use pitbird_rollout::{Outcome, Plan};
use serde_json::Value as Json;
use tokio::time::Instant;

use super::cloud::Aws;
use super::recording::Tape;
use super::{Place, alone, check, folder, here, input, notices, shelf, start_ms, there};
use crate::Clock;

/// Cold starts are told on a server of our own and not on AWS; nothing is decided by them.
pub fn without_cold_starts(state: &mut Json) {
    match state {
        Json::Object(members) => {
            members.remove("cold");
            members.values_mut().for_each(without_cold_starts);
        }
        Json::Array(items) => items.iter_mut().for_each(without_cold_starts),
        _ => {}
    }
}

#[test]
fn two_functions_go_the_same_way_here_and_on_aws() {
    let mut ends = std::collections::BTreeMap::new();
    let mut named = 0;
    for [first, second] in shelf::pairs() {
        let place = Place::Aliases(second);
        let ours = alone(here(first, place));
        let (theirs, _) = alone(there(first, place, &ours.plan, (0, 0)));
        check(&first.name, place, &ours, &theirs);
        named += usize::from(ours.reason.contains("worse on toys") || ours.reason.contains("worse on pets"));
        *ends.entry(ours.state.outcome().expect("it ended").to_string()).or_insert(0) += 1;
    }
    assert!(ends["promoted"] >= 4 && ends["rolled back"] >= 8, "{ends:?}");
    assert!(named >= 4, "a function is named {named} times");
}

/// What became of two good functions where changes of aliases fail by these codes, after the signs were put.
struct Went {
    code: u8,
    reason: String,
    updates: Vec<(u64, String)>,
    /// Of each: the version that serves, and its share of the canary.
    serving: [(String, f64); 2],
    are_unsigned: bool,
}

fn plan() -> Plan {
    static PLAN: std::sync::LazyLock<Plan> = std::sync::LazyLock::new(|| {
        let [first, second] = &shelf::pairs()[0];
        alone(here(first, Place::Aliases(second))).plan
    });
    PLAN.clone()
}

/// `then` is called with each line that is said of the rollout.
fn driven(faults: &[(&'static str, &[&'static str])], mut then: impl FnMut(&mut Aws, &str) + Send) -> Went {
    let [first, second] = &shelf::pairs()[0];
    let (directory, from_ms, place) = (folder(), start_ms(first), Place::Aliases(second));
    let plan = plan();
    alone(async {
        let began = Instant::now();
        let clock: Clock = Arc::new(move || from_ms + began.elapsed().as_millis() as u64);
        let aws: Arc<Mutex<Aws>> = Aws::new(Tape::new(first, from_ms), 0, clock.clone());
        aws.lock().unwrap().toys_tape = Some(Tape::new(second, from_ms));
        let cloud = Aws::cloud(&aws);
        let order = Order { input: input(first, place), plan }.accept().expect("AWS can do it");
        let journal = Journal::new(directory.path(), "v2");
        let begun = begin::begin(&cloud, &journal, order, (0, false), clock()).await;
        let mut run = begun.expect("a rollout");
        begin::claim(&cloud, &journal, &mut run, false).await.expect("it is free");
        {
            let mut aws = aws.lock().unwrap();
            let faults = faults.iter().map(|(function, codes)| (*function, VecDeque::from(codes.to_vec())));
            aws.faults.extend(faults);
            aws.updates.clear();
        }
        let mut say = |_: &Run, words: &str| then(&mut aws.lock().unwrap(), words);
        let (teller, _) = notices::listening();
        let mut driver = Driver::new(&cloud, &journal, run, &mut say, clock).telling(teller);
        let stopped = driver.to_the_end(std::future::pending()).await.expect("a journal");
        let Stopped::Ended(code) = stopped else { panic!("nobody interrupts it") };
        assert!(driver.run.is_done());
        let reason = driver.run.reason.clone();
        let aws = aws.lock().unwrap();
        let serving = [&aws.alias, &aws.toys].map(|alias| (alias.version.clone(), alias.share()));
        let are_unsigned = aws.alias.is_unsigned() && aws.toys.is_unsigned();
        Went { code, reason, updates: aws.updates.clone(), serving, are_unsigned }
    })
}

fn versions(pets: &str, toys: &str, share: f64) -> [(String, f64); 2] {
    [(pets.to_owned(), share), (toys.to_owned(), share)]
}

#[test]
fn a_call_for_the_second_that_does_not_get_through_is_made_again_and_the_first_is_not() {
    let codes = ["PreconditionFailedException", "TooManyRequestsException", "PreconditionFailedException"];
    // The SDK tries what is throttled again by itself: three times in all.
    let codes = [codes[0], codes[1], codes[1], codes[1], codes[2]];
    let went = driven(&[("toys", &codes)], |_, _| {});
    assert_eq!(
        (went.code, went.serving, went.are_unsigned),
        (0, versions("2", "7", 1.0), true),
        "{}",
        went.reason
    );
    let functions: Vec<&str> = went.updates.iter().map(|(_, function)| function.as_str()).collect();
    let (head, rest) = functions.split_at(7);
    assert_eq!(head, ["pets", "toys", "toys", "toys", "toys", "toys", "toys"]);
    let waits: Vec<u64> = went.updates.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert_eq!((waits[0], waits[1]), (0, 3_000), "{waits:?}");
    // Each further change is one call of each, and the end takes both signs.
    assert!(rest.len() % 2 == 0 && rest.chunks(2).all(|pair| pair == ["pets", "toys"]), "{rest:?}");
}

#[test]
fn a_shift_of_the_second_that_is_not_allowed_takes_the_first_back() {
    let went = driven(&[("toys", &["AccessDeniedException"])], |_, _| {});
    assert_eq!(
        (went.code, went.serving, went.are_unsigned),
        (1, versions("1", "6", 0.0), true),
        "{}",
        went.reason
    );
    assert!(
        went.reason.contains("lambda:UpdateAlias") && went.reason.contains("(function toys)"),
        "{}",
        went.reason
    );
}

#[test]
fn a_promotion_of_the_second_that_is_not_allowed_takes_the_first_back() {
    let mut has_failed = false;
    let went = driven(&[], |aws, _| {
        // Once the canary was shown not to be worse, the next call of this function is the promotion's.
        if aws.toys.share() == last_share() && !has_failed {
            has_failed = true;
            aws.faults.insert("toys", ["AccessDeniedException"].into());
        }
    });
    assert_eq!(
        (went.code, went.serving, went.are_unsigned),
        (1, versions("1", "6", 0.0), true),
        "{}",
        went.reason
    );
}

/// The share of the last step.
fn last_share() -> f64 {
    let percent = plan().steps().last().expect("a step").percent.get();
    assert!(percent < 100.0, "the promotion is a change of its own");
    percent / 100.0
}

#[test]
fn one_that_cannot_go_back_yet_holds_the_other_no_longer() {
    let went = driven(&[], |aws, _| {
        if aws.toys.share() > 0.0 && aws.faults.is_empty() {
            aws.faults.insert("pets", vec!["AccessDeniedException"; 4].into());
            aws.faults.insert("toys", ["AccessDeniedException"].into());
        }
    });
    // The shift that wasn't allowed took both back: toys at once, pets when it was allowed again.
    assert_eq!(
        (went.code, went.serving, went.are_unsigned),
        (1, versions("1", "6", 0.0), true),
        "{}",
        went.reason
    );
}

#[test]
fn one_that_can_never_go_back_has_failed_and_the_other_is_back() {
    let went = driven(&[], |aws, words| {
        if aws.toys.share() > 0.0 && !aws.faults.contains_key("toys") {
            aws.faults.insert("toys", vec!["ResourceNotFoundException"; 100].into());
        }
        if words.contains("failed") {
            aws.faults.insert("toys", VecDeque::new());
        }
    });
    let serving = [("1".to_owned(), 0.0), ("6".to_owned(), 0.1)];
    assert_eq!((went.code, went.serving, went.are_unsigned), (1, serving, true), "{}", went.reason);
    assert!(went.reason.contains("(function toys)"), "{}", went.reason);
}

#[test]
fn an_alias_that_somebody_else_took_stays_and_the_other_goes_back() {
    let mut is_taken = false;
    let went = driven(&[], |aws, _| {
        if aws.toys.share() > 0.0 && !is_taken {
            is_taken = true;
            aws.toys.put("9");
        }
    });
    assert_eq!(went.serving, versions("1", "9", 0.0), "{}", went.reason);
    assert_eq!(i32::from(went.code), i32::from(Outcome::Aborted.exit_code()), "{}", went.reason);
    assert!(went.reason.contains("names version 9 instead of 6 (function toys)"), "{}", went.reason);
    assert!(went.are_unsigned, "it says no more whose it was");
}

#[test]
fn of_two_all_are_signed_or_none() {
    let [first, second] = &shelf::pairs()[0];
    let (directory, from_ms, plan) = (folder(), start_ms(first), plan());
    alone(async {
        let clock: Clock = Arc::new(move || from_ms);
        let aws = Aws::new(Tape::new(first, from_ms), 0, clock.clone());
        aws.lock().unwrap().toys_tape = Some(Tape::new(second, from_ms));
        aws.lock().unwrap().faults.insert("toys", ["AccessDeniedException"].into());
        let cloud = Aws::cloud(&aws);
        let order =
            Order { input: input(first, Place::Aliases(second)), plan }.accept().expect("AWS can do it");
        let journal = Journal::new(directory.path(), "v2");
        let mut run =
            begin::begin(&cloud, &journal, order.clone(), (0, false), clock()).await.expect("a rollout");
        let refused = begin::claim(&cloud, &journal, &mut run, false).await.expect_err("it isn't allowed");
        assert!(refused.to_string().contains("(function toys)"), "{refused}");
        assert!(aws.lock().unwrap().alias.is_unsigned() && aws.lock().unwrap().toys.is_unsigned());
        // Allowed again, the same command goes on.
        let mut run = begin::resumed(&journal, &order).expect("a journal").expect("a rollout");
        begin::claim(&cloud, &journal, &mut run, false).await.expect("it is free");
        assert!(!aws.lock().unwrap().alias.is_unsigned() && !aws.lock().unwrap().toys.is_unsigned());
    });
}
