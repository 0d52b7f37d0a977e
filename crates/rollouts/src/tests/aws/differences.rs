//! What the two executors see differently of the same traffic, and what comes of it.

use pitbird_aws::minutes::{LAG_MS, MINUTE_MS, QUIET_MS, SPREAD_MS};
use pitbird_names::Percent;
use pitbird_rollout::{Input, Observed, Outcome, Reason};

use super::recording::{Minute, Recording};
use super::{Place, Went, alone, here, shelf, start_ms, there};

/// How late CloudWatch may be here, ms.
const LATE_MS: [u64; 4] = [0, 25_000, 70_000, 170_000];

/// Models whose end doesn't hang on a minute more or less.
const CLEAR: [&str; 8] = [
    "steady",
    "no errors at all",
    "1,000 requests/s",
    "broken altogether",
    "broken altogether, 1,000/s",
    "0.1 → 5 %",
    "no traffic",
    "split is not as configured",
];

/// What the records say was seen, and when.
fn evidence(went: &Went) -> Vec<(u64, Observed)> {
    let seen = went.records.iter().filter_map(|record| match &record.input {
        Input::Look { evidence, .. } => Some(evidence.buckets.iter().map(|seen| (record.at_ms, *seen))),
        _ => None,
    });
    seen.flatten().collect()
}

/// The evidence as docs/aws.md tells it: minutes with traffic, each under the one weight that it had; none that is within five
/// seconds of a change.
fn told(recording: &Recording, went: &Went, minutes: &[Minute]) -> Vec<(u64, Observed)> {
    let began_ms = start_ms(recording) / MINUTE_MS * MINUTE_MS;
    let of_release =
        minutes.iter().filter(|minute| minute.start_ms >= began_ms && minute.seen.share().is_some());
    let whole = of_release.filter_map(|minute| {
        let (start_ms, end_ms) = (minute.start_ms, minute.start_ms + MINUTE_MS);
        let is_near = |at_ms: u64| start_ms < at_ms + SPREAD_MS && at_ms < end_ms + SPREAD_MS;
        let before = went.shifts.iter().rev().find(|(_, at_ms)| *at_ms <= start_ms)?;
        let is_mixed = went.shifts.iter().any(|(_, at_ms)| is_near(*at_ms));
        let percent = Percent::new(before.0).expect("a percentage");
        (!is_mixed).then_some((end_ms, Observed { percent, bucket: minute.seen }))
    });
    whole.collect()
}

#[test]
fn late_minutes_are_the_same_evidence_later() {
    let recordings = shelf::recordings().iter();
    let clear = recordings
        .filter(|recording| CLEAR.iter().any(|name| recording.name.starts_with(&format!("{name}, run"))));
    let mut count = 0;
    for (at, recording) in clear.enumerate() {
        let ours = alone(here(recording, Place::Alias));
        let late_ms = LATE_MS[at % LATE_MS.len()];
        let (theirs, minutes) = alone(there(recording, Place::Alias, &ours.plan, (late_ms, LAG_MS)));
        let name = format!("{}, {late_ms} ms late", recording.name);
        let (seen, told) = (evidence(&theirs), told(recording, &theirs, &minutes));
        let interval_ms = theirs.plan.rules().interval_ms;
        for ((at_ms, seen), (end_ms, told)) in seen.iter().zip(&told) {
            assert_eq!(seen, told, "{name}: the minute up to {end_ms}");
            let waited_ms = at_ms - end_ms;
            assert!(waited_ms >= LAG_MS.min(late_ms + QUIET_MS), "{name}: counted after {waited_ms} ms");
            assert!(waited_ms < LAG_MS + interval_ms, "{name}: counted after {waited_ms} ms");
        }
        // What didn't count wasn't due when it was over.
        let ended_ms = theirs.state.now_ms();
        assert!(seen.len() <= told.len(), "{name}");
        let left = told[seen.len()..].iter().filter(|(end_ms, _)| end_ms + LAG_MS + interval_ms <= ended_ms);
        assert_eq!(left.count(), 0, "{name}");
        assert_eq!(
            theirs.state.outcome(),
            ours.state.outcome(),
            "{name}: {} and {}",
            ours.reason,
            theirs.reason
        );
        assert!(ended_ms >= ours.state.now_ms(), "{name}: sooner than without delay");
        count += 1;
    }
    assert!(count >= 2 * CLEAR.len(), "{count}");
}

#[test]
fn few_failures_of_one_environment_convict_only_where_environments_are_unknown() {
    let recording = shelf::one_source();
    let ours = alone(here(recording, Place::Alias));
    let (theirs, _) = alone(there(recording, Place::Alias, &ours.plan, (0, 0)));
    let held = |went: &Went| {
        went.records.iter().filter(|record| matches!(record.reason, Reason::OneEnvironment { .. })).count()
    };
    assert!(held(&ours) > 0, "{}", ours.reason);
    assert_eq!(held(&theirs), 0, "CloudWatch knows no environments");
    for went in [&ours, &theirs] {
        assert_eq!(went.state.outcome(), Some(Outcome::RolledBack), "{}", went.reason);
    }
    assert!(theirs.state.now_ms() < ours.state.now_ms());
    assert!(theirs.state.seen().canary.events() < 5 && ours.state.seen().canary.events() >= 5);
    assert!(evidence(&ours).starts_with(&evidence(&theirs)), "the same was seen until then");
}
