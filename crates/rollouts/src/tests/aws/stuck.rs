//! A shift that AWS doesn't take is tried again, neither at once nor late.

use std::sync::Arc;

use pitbird_aws::begin;
use pitbird_aws::drive::{Driver, Stopped};
use pitbird_aws::journal::Journal;
use pitbird_aws::order::Order;
use pitbird_aws::run::Run;
use tokio::time::Instant;

use super::cloud::Aws;
use super::recording::Tape;
use super::{Place, alone, folder, here, input, shelf, start_ms};
use crate::Clock;

/// How often the alias is another one meanwhile.
const STALE: usize = 4;

#[test]
fn a_shift_that_does_not_get_through_is_tried_again_after_three_seconds() {
    let recording = shelf::recordings().iter().find(|recording| recording.name.contains("steady"));
    let recording = recording.expect("a recording of a good canary");
    let plan = alone(here(recording, Place::Alias)).plan;
    let (directory, from_ms) = (folder(), start_ms(recording));
    alone(async {
        let began = Instant::now();
        let clock: Clock = Arc::new(move || from_ms + began.elapsed().as_millis() as u64);
        let aws = Aws::new(Tape::new(recording, from_ms), 0, clock.clone());
        let cloud = Aws::cloud(&aws);
        let order = Order { input: input(recording, Place::Alias), plan }.accept().expect("AWS can do it");
        let journal = Journal::new(directory.path(), "v2");
        let _lock = journal.lock().expect("nobody else");
        let begun = begin::begin(&cloud, &journal, order, (0, false), clock()).await;
        let mut run = begun.expect("a rollout");
        begin::claim(&cloud, &journal, &mut run, false).await.expect("it is free");
        {
            let mut aws = aws.lock().unwrap();
            aws.faults.insert("pets", vec!["PreconditionFailedException"; STALE].into());
            aws.updates.clear();
        }
        let mut complaints = 0;
        let mut say = |_: &Run, words: &str| complaints += usize::from(words.ends_with("; trying again"));
        let mut driver = Driver::new(&cloud, &journal, run, &mut say, clock);
        let stopped = driver.to_the_end(std::future::pending()).await.expect("a journal");
        assert_eq!(stopped, Stopped::Ended(0), "promoted all the same");
        let tried = aws.lock().unwrap().updates.clone();
        let waits: Vec<u64> = tried.windows(2).take(STALE).map(|pair| pair[1].0 - pair[0].0).collect();
        assert_eq!(waits, [3_000; STALE]);
        assert!((1..=STALE).contains(&complaints), "{complaints}: it says what is wrong, and not each time");
    });
}
