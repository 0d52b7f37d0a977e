//! A rollout goes on where it was, whenever the server ends.

use pitbird_analysis::Arm;
use pitbird_records::{Record, RolloutClaim};
use pitbird_rollout::{Evidence, Phase, Plan, begin, next};
use pitbird_store::Transaction;
use serde_json::json;
use tokio::time::Instant;

use super::bed::{Bed, Pace, Traffic};
use crate::target::{self, start::Wish};
use crate::{Rollout, commit};

const GOOD: Traffic = Traffic { per_second: 300.0, base_failures: 0.0, canary_failures: 0.0 };
const BAD: Traffic = Traffic { canary_failures: 0.2, ..GOOD };

/// What is rolled out.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Stage,
    /// With latency and routes.
    JudgedStage,
    /// With a hook at every point.
    HookedStage,
    Alias,
}

const KINDS: [Kind; 4] = [Kind::Stage, Kind::JudgedStage, Kind::HookedStage, Kind::Alias];
const HOOK: &str = "http://127.0.0.1:9/";

impl Kind {
    async fn start(self, bed: &Bed) {
        match self {
            Kind::Stage => bed.start_stage("v2", json!({})).await,
            Kind::JudgedStage => bed.start_stage("v2", json!({"Latency": {}, "Routes": ["*"]})).await,
            Kind::HookedStage => {
                let points = ["BeforeRollout", "BeforeStep", "AfterStep", "BeforePromotion", "AfterRollout"];
                let hooks = points.map(|point| json!({"Name": point, "When": point, "Url": HOOK}));
                bed.start_stage("v2", json!({"Hooks": hooks})).await
            }
            Kind::Alias => bed.start_alias("v2").await,
        };
    }

    /// The share of the requests that the target gives to the canary; 100 when it has become the base.
    fn percent(self, bed: &Bed) -> f64 {
        match self {
            Kind::Stage | Kind::JudgedStage | Kind::HookedStage => {
                let stage = bed.stage();
                let share = stage.canary.map_or(0.0, |canary| canary.percent_traffic.get());
                if stage.deployment_id == "d2" { 100.0 } else { share }
            }
            Kind::Alias => {
                let alias = bed.alias();
                let share = alias.additional.map_or(0.0, |additional| additional.weight.get() * 100.0);
                if alias.version.to_string() == "2" { 100.0 } else { share }
            }
        }
    }
}

/// The target is what the rollout says that it is, whichever commit was the last.
fn check_target(bed: &Bed, kind: Kind) {
    let rollout = bed.rollout("v2");
    let (weight, percent) = (rollout.state.weight().get(), kind.percent(bed));
    assert!((weight - percent).abs() < 1e-9, "{kind:?}: {percent} % instead of {weight} %");
}

/// Runs a rollout with a restart after every `commits`-th commit. How it ended, and how many restarts there were.
async fn run(kind: Kind, traffic: Traffic, commits: usize) -> (String, usize) {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let pace = Pace { base_ms: 20.0, canary_ms: 20.0, is_route_dead: false };
    let mut bed = Bed::open(directory.path(), began).await;
    bed.traffic(traffic);
    bed.pace(pace);
    bed.say(HOOK, Ok(r#"{"answer": "go"}"#));
    kind.start(&bed).await;
    for restarts in 0..300 {
        let mut watch = bed.store.watch();
        for _ in 0..commits {
            let is_over = || {
                let rollout = bed.rollout("v2");
                let is_over = rollout.state.is_over(&rollout.plan);
                is_over && rollout.shifts.iter().all(|shift| shift.live_ms.is_some())
            };
            watch.borrow_and_update();
            let is_told = bed.rollout("v2").state.is_over(&bed.rollout("v2").plan);
            if is_told && (is_over() || restarts > 0) {
                assert!(bed.store.list::<RolloutClaim>("").unwrap().is_empty(), "nothing is left behind");
                bed.check_replay("v2");
                check_target(&bed, kind);
                let status = bed.get("v2").await["Status"].as_str().unwrap().to_owned();
                let expected = if status == "Promoted" { 100.0 } else { 0.0 };
                assert_eq!(kind.percent(&bed), expected);
                bed.close().await;
                return (status, restarts);
            }
            watch.changed().await.expect("the store is open");
        }
        bed.stop().await;
        check_target(&bed, kind);
        drop(bed);
        bed = Bed::open(directory.path(), began).await;
        bed.traffic(traffic);
        bed.pace(pace);
        bed.say(HOOK, Ok(r#"{"answer": "go"}"#));
    }
    panic!("three hundred restarts were not enough");
}

#[tokio::test(start_paused = true)]
async fn a_good_canary_is_promoted_in_spite_of_restarts() {
    for kind in KINDS {
        for commits in [1, 2, 3, 5, 9] {
            let (status, restarts) = run(kind, GOOD, commits).await;
            assert_eq!(status, "Promoted", "{kind:?} with a restart after every {commits} commits");
            assert!(restarts > 1, "{restarts}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_canary_is_rolled_back_in_spite_of_restarts() {
    for kind in KINDS {
        for commits in [1, 2, 3] {
            let (status, restarts) = run(kind, BAD, commits).await;
            assert_eq!(status, "RolledBack", "{kind:?} with a restart after every {commits} commits");
            assert!(restarts > 0, "{restarts}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_was_written_down_and_not_done_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut bed = Bed::open(directory.path(), began).await;
    bed.stop().await;
    let now_ms = bed.now_ms();
    let write = move |tx: &mut Transaction<'_>| {
        let wish = json!({"RestStage": {"RestApiId": super::bed::API, "StageName": "prod"}});
        let wish = Wish::parse(
            serde_json::from_value(wish).unwrap(),
            serde_json::from_value(json!({"DeploymentId": "d2"})).unwrap(),
            Default::default(),
        )?;
        let target = wish.find(tx, &Default::default())?;
        let plan = Plan::standard(target::start::description(&target))?;
        let began = begin(&plan, Arm::default(), now_ms);
        let shifting = next(&plan, &began.state, &Evidence::default(), &[], now_ms);
        assert!(matches!(shifting.state.phase(), Phase::Shifting { step: 0 }));
        let rollout = Rollout {
            orders: Vec::new(),
            notifications: Vec::new(),
            hook_secrets: Default::default(),
            pair_minutes: Vec::new(),
            scope: Default::default(),
            name: "v2".into(),
            target,
            plan,
            state: shifting.state,
            reason: String::new(),
            entries: 2,
            commands: 0,
            shifts: Vec::new(),
            phase_began_ms: now_ms,
            started_ms: now_ms,
            ended_ms: None,
            canary_use: Default::default(),
            cold_starts: Default::default(),
            pairs: Default::default(),
            thresholds: None,
            probes: None,
        };
        commit::entry(tx, &rollout, 1, began.record.expect("recorded"))?;
        commit::entry(tx, &rollout, 2, shifting.record.expect("recorded"))?;
        commit::claims(&rollout).iter().try_for_each(|claim| tx.put(claim).map(|_| ()))?;
        tx.put(&rollout)?;
        Ok::<_, crate::Error>(rollout.key())
    };
    bed.store.write(write).await.expect("written");
    drop(bed);
    let bed = Bed::open(directory.path(), began).await;
    bed.traffic(GOOD);
    bed.watching("v2", 10.0).await;
    assert_eq!(bed.stage().canary.expect("a canary").percent_traffic.get(), 10.0);
    bed.check_replay("v2");
    bed.close().await;
}
