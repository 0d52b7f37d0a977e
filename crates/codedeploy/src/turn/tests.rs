use pitbird_names::Scope;
use pitbird_records::function_deployment::{AliasShift, Hooks};
use pitbird_records::{AlarmSettings, AutoRollback, Revision, TrafficRouting};

use super::*;

const BEGAN_MS: u64 = 1_700_000_000_000;
const MINUTE_MS: u64 = 60_000;
const ONE: VersionId = VersionId::Number(1);
const TWO: VersionId = VersionId::Number(2);
const CANARY: TrafficRouting = TrafficRouting::Canary { percent: 10, interval_min: 5 };

fn deployment(routing: TrafficRouting) -> FunctionDeployment {
    FunctionDeployment {
        scope: Scope::default(),
        id: "d-AAAAAAAAA".into(),
        application: "app".into(),
        application_id: "a".into(),
        group: "group".into(),
        group_id: "g".into(),
        config: "config".into(),
        routing,
        revision: Revision::AppSpecContent { content: "{}".into(), sha256: None },
        previous_revision: None,
        description: None,
        creator: Creator::User,
        service_role: "arn:aws:iam::000000000000:role/deployer".into(),
        alarms: None,
        override_alarms: None,
        auto_rollback: None,
        triggers: Vec::new(),
        shift: AliasShift { function: "f".into(), alias: "live".into(), current: ONE, target: TWO },
        hooks: Hooks::default(),
        status: DeploymentStatus::Created,
        error: None,
        rollback: None,
        events: Default::default(),
        expected: AliasState { version: ONE, additional: None },
        is_begun: false,
        generation: 0,
        next_ms: None,
        time_scale: 1.0,
        created_ms: BEGAN_MS as i64,
        started_ms: None,
        completed_ms: None,
        updated_ms: BEGAN_MS as i64,
    }
}

/// A world in which all is well.
fn world() -> World {
    World {
        now_ms: BEGAN_MS,
        alias: Some(Alias {
            scope: Scope::default(),
            function: "f".into(),
            name: "live".into(),
            version: ONE,
            description: String::new(),
            revision_id: String::new(),
            additional: None,
        }),
        has_current: true,
        has_target: true,
        obstacle: None,
        has_group: true,
        role: RoleStanding::There { may_shift: true, may_see_alarms: true, may_invoke: [true, true] },
        alarms: Vec::new(),
        hook_failure: None,
        draws: Draws { rollback: 77, revision: 88, execution: 99 },
    }
}

fn watching(names: &[&str]) -> Option<AlarmSettings> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Some(AlarmSettings { is_enabled: true, ignores_poll_failure: false, names })
}

fn alarm(name: &str, is_active: bool) -> AlarmStanding {
    AlarmStanding { name: name.into(), is_active }
}

fn rolls_back_on(event: &str) -> Option<AutoRollback> {
    Some(AutoRollback { is_enabled: true, events: vec![event.into()] })
}

/// Looks once; what the turn made of the alias is there afterwards.
fn look(deployment: &mut FunctionDeployment, world: &mut World) -> Turn {
    let turn = take(deployment, world);
    *deployment = turn.deployment.clone();
    if let Some(alias) = &turn.alias {
        world.alias = Some(alias.clone());
    }
    turn
}

/// Where the alias leads, and what share the new version has.
fn leads(world: &World) -> (VersionId, f64) {
    let alias = world.alias.as_ref().expect("an alias");
    (alias.version, alias.additional.map_or(0.0, |additional| additional.weight.get()))
}

fn statuses(deployment: &FunctionDeployment) -> [&'static str; 3] {
    deployment.events.each_ref().map(|event| event.status.as_str())
}

fn error(deployment: &FunctionDeployment) -> (&str, &str) {
    let error = deployment.error.as_ref().expect("an error");
    (&error.code, &error.message)
}

#[test]
fn all_at_once_is_over_at_the_first_look() {
    let (mut deployment, mut world) = (deployment(TrafficRouting::AllAtOnce), world());
    let turn = look(&mut deployment, &mut world);
    assert_eq!(deployment.status, DeploymentStatus::Succeeded);
    assert_eq!((leads(&world), turn.next_ms), ((TWO, 0.0), None));
    assert_eq!(turn.states, ["START", "SUCCESS"]);
    assert_eq!(statuses(&deployment), ["Succeeded"; 3]);
    assert_eq!(deployment.weight(), 1.0);
}

#[test]
fn a_canary_gets_its_share_at_once_and_the_rest_after_the_interval() {
    let (mut deployment, mut world) = (deployment(CANARY), world());
    look(&mut deployment, &mut world);
    assert_eq!(leads(&world), (ONE, 0.1));
    assert_eq!((deployment.weight(), deployment.generation), (0.1, 1));
    assert_eq!(statuses(&deployment), ["Succeeded", "InProgress", "Pending"]);
    world.now_ms += 5 * MINUTE_MS - 1;
    let turn = look(&mut deployment, &mut world);
    assert!(turn.alias.is_none());
    assert_eq!(turn.next_ms, Some(world.now_ms + 1), "a millisecond too early");
    world.now_ms += 1;
    look(&mut deployment, &mut world);
    assert_eq!((leads(&world), deployment.status), ((TWO, 0.0), DeploymentStatus::Succeeded));
}

#[test]
fn linear_shares_grow_by_one_step_an_interval_however_long_nobody_looked() {
    let mut deployment = deployment(TrafficRouting::Linear { percent: 30, interval_min: 1 });
    let mut world = world();
    let mut seen = Vec::new();
    while !deployment.has_ended() {
        look(&mut deployment, &mut world);
        seen.push(leads(&world));
        world.now_ms += 10 * MINUTE_MS;
    }
    assert_eq!(seen, [(ONE, 0.3), (ONE, 0.6), (ONE, 0.9), (TWO, 0.0)]);
}

#[test]
fn waits_are_divided_by_the_time_scale() {
    let (mut deployment, mut world) = (deployment(CANARY), world());
    deployment.time_scale = 60.0;
    let turn = look(&mut deployment, &mut world);
    assert_eq!(turn.next_ms, Some(BEGAN_MS + 5000));
}

#[test]
fn an_alias_that_is_not_as_the_appspec_says_fails_the_deployment() {
    let weighted = |world: &mut World| {
        let weight = Weight::new(0.2).expect("a share");
        world.alias.as_mut().expect("there").additional = Some(Additional { version: TWO, weight });
    };
    type Spoil<'a> = &'a dyn Fn(&mut World);
    let cases: [(Spoil<'_>, &str, &str); 6] = [
        (
            &|world| world.obstacle = Some("No.".into()),
            "INVALID_LAMBDA_CONFIGURATION",
            "invalid configuration. No.",
        ),
        (
            &|world| world.alias = None,
            "INVALID_LAMBDA_CONFIGURATION",
            "The alias live of the Lambda function f does not",
        ),
        (
            &|world| world.alias.as_mut().expect("there").version = VersionId::Number(3),
            "INVALID_LAMBDA_CONFIGURATION",
            "is missing or has an invalid configuration. The Lambda function alias version does not match the current version in \
             AppSpec file.",
        ),
        (&weighted, "INVALID_LAMBDA_CONFIGURATION", "already sends a share"),
        (&|world| world.has_target = false, "INVALID_LAMBDA_FUNCTION", "version 2 of the Lambda function f"),
        (&|world| world.has_current = false, "INVALID_LAMBDA_FUNCTION", "version 1 of the Lambda function f"),
    ];
    for (spoil, code, words) in cases {
        let (mut deployment, mut world) = (deployment(CANARY), world());
        deployment.auto_rollback = rolls_back_on("DEPLOYMENT_FAILURE");
        spoil(&mut world);
        let turn = look(&mut deployment, &mut world);
        assert_eq!((deployment.status, error(&deployment).0), (DeploymentStatus::Failed, code), "{words}");
        assert!(error(&deployment).1.contains(words), "{}", error(&deployment).1);
        assert!(turn.alias.is_none() && turn.rollback.is_none(), "nothing was shifted: {words}");
        assert_eq!(turn.states, ["START", "FAILURE"]);
        assert_eq!(statuses(&deployment), ["Failed", "Skipped", "Skipped"]);
    }
    let mut same = deployment(CANARY);
    same.shift.target = ONE;
    look(&mut same, &mut world());
    assert_eq!(error(&same), ("INVALID_LAMBDA_CONFIGURATION", words::CONFIGURATION));
}

#[test]
fn a_share_of_nothing_is_none() {
    let (mut deployment, mut world) = (deployment(CANARY), world());
    let weight = Weight::new(0.0).expect("a share");
    world.alias.as_mut().expect("there").additional =
        Some(Additional { version: VersionId::Number(9), weight });
    look(&mut deployment, &mut world);
    assert_eq!(leads(&world), (ONE, 0.1));
}

#[test]
fn an_alias_changed_by_hand_is_left_alone() {
    let (mut deployment, mut world) = (deployment(CANARY), world());
    deployment.auto_rollback = rolls_back_on("DEPLOYMENT_FAILURE");
    look(&mut deployment, &mut world);
    world.alias.as_mut().expect("there").version = VersionId::Number(7);
    world.now_ms += 5 * MINUTE_MS;
    let turn = look(&mut deployment, &mut world);
    assert!(turn.alias.is_none());
    assert_eq!(error(&deployment).0, "INVALID_LAMBDA_CONFIGURATION");
    assert!(error(&deployment).1.contains("version 7 with 10 % to version 2 instead of version 1 with 10 %"));
    let mut rollback = turn.rollback.expect("as configured");
    let turn = look(&mut rollback, &mut world);
    assert!(turn.alias.is_none(), "the rollback leaves it alone, too");
    assert_eq!(rollback.status, DeploymentStatus::Failed);
}

#[test]
fn an_alarm_stops_the_deployment_in_awss_words_and_rolls_it_back() {
    let (mut deployment, mut world) = (deployment(CANARY), world());
    deployment.alarms = watching(&["errors", "latency", "quiet"]);
    deployment.auto_rollback = rolls_back_on("DEPLOYMENT_STOP_ON_ALARM");
    world.alarms = vec![alarm("errors", false), alarm("latency", false), alarm("quiet", false)];
    let turn = look(&mut deployment, &mut world);
    assert_eq!(turn.next_ms, Some(BEGAN_MS + limits::ALARM_POLL_MS));
    world.now_ms += limits::ALARM_POLL_MS;
    world.alarms = vec![alarm("latency", true), alarm("errors", true), alarm("quiet", false)];
    let turn = look(&mut deployment, &mut world);
    assert_eq!(deployment.status, DeploymentStatus::Stopped);
    let words = "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected \
                 deployments have been stopped. Activated alarms: <errors> <latency>";
    assert_eq!(error(&deployment), ("ALARM_ACTIVE", words));
    assert_eq!(statuses(&deployment), ["Succeeded", "Failed", "Skipped"]);
    assert_eq!((leads(&world), turn.states), ((ONE, 0.1), vec!["STOP"]));

    let mut rollback = turn.rollback.expect("as configured");
    let (id, back) = (&deployment.id, &rollback.id);
    let info = deployment.rollback.clone().expect("rolled back");
    assert_eq!(info.deployment.as_ref(), Some(back));
    assert_eq!(
        info.message,
        format!("Deployment {id} terminated. Automatic rollback is triggered with a DeploymentId {back}.")
    );
    let info = rollback.rollback.clone().expect("rolls back");
    assert_eq!(info.triggering.as_ref(), Some(id));
    assert_eq!(info.message, format!("Deployment {back} is triggered to roll back deployment {id}."));
    // The alarm is still on.
    let turn = look(&mut rollback, &mut world);
    assert_eq!((rollback.status, leads(&world)), (DeploymentStatus::Succeeded, (ONE, 0.0)));
    assert_eq!((statuses(&rollback), turn.rollback), (["Succeeded"; 3], None));
}

#[test]
fn an_alarm_that_is_on_at_the_start_stops_it_before_any_shift() {
    let (mut deployment, mut world) = (deployment(TrafficRouting::AllAtOnce), world());
    deployment.alarms = watching(&["errors"]);
    world.alarms = vec![alarm("errors", true)];
    let turn = look(&mut deployment, &mut world);
    assert_eq!((deployment.status, leads(&world)), (DeploymentStatus::Stopped, (ONE, 0.0)));
    assert!(turn.alias.is_none() && turn.rollback.is_none());
    deployment = super::tests::deployment(TrafficRouting::AllAtOnce);
    deployment.alarms = Some(AlarmSettings { is_enabled: false, ..watching(&["errors"]).expect("some") });
    look(&mut deployment, &mut world);
    assert_eq!(deployment.status, DeploymentStatus::Succeeded, "nobody watches");
}

#[test]
fn an_alarm_that_can_not_be_had_fails_the_deployment_unless_that_is_ignored() {
    for (ignores, role, code) in [
        (false, true, Some("INTERNAL_ERROR")),
        (false, false, Some("IAM_ROLE_PERMISSIONS")),
        (true, true, None),
        (true, false, None),
    ] {
        let (mut deployment, mut world) = (deployment(TrafficRouting::AllAtOnce), world());
        world.role = RoleStanding::There { may_shift: true, may_see_alarms: role, may_invoke: [true; 2] };
        deployment.alarms =
            Some(AlarmSettings { ignores_poll_failure: ignores, ..watching(&["gone"]).expect("some") });
        look(&mut deployment, &mut world);
        assert_eq!(deployment.error.as_ref().map(|error| error.code.as_str()), code, "{ignores} {role}");
    }
}

#[test]
fn a_hook_is_waited_for() {
    let (mut deployment, mut world) = (deployment(TrafficRouting::AllAtOnce), world());
    deployment.hooks = Hooks { before: Some("pre".into()), after: Some("post".into()) };
    let turn = look(&mut deployment, &mut world);
    assert_eq!(statuses(&deployment), ["InProgress", "Pending", "Pending"]);
    assert_eq!((leads(&world), turn.next_ms), ((ONE, 0.0), Some(BEGAN_MS + LOOK_AGAIN_MS)));
    assert_eq!(take(&deployment, &world).deployment, deployment, "looking changes nothing");
    answer(&mut deployment, BEFORE, true);
    look(&mut deployment, &mut world);
    assert_eq!(statuses(&deployment), ["Succeeded", "Succeeded", "InProgress"]);
    assert_eq!(leads(&world), (TWO, 0.0));
    answer(&mut deployment, AFTER, true);
    look(&mut deployment, &mut world);
    assert_eq!(deployment.status, DeploymentStatus::Succeeded);
}

fn answer(deployment: &mut FunctionDeployment, at: usize, went_well: bool) {
    deployment.events[at].hook.as_mut().expect("asked").answer = Some(went_well);
}

#[test]
fn a_hook_that_fails_ends_the_deployment() {
    type Spoil = fn(&mut FunctionDeployment, &mut World);
    let cases: [(Spoil, &str); 3] = [
        (
            |deployment, _| answer(deployment, AFTER, false),
            "post reported that the lifecycle event AfterAllowTraffic failed",
        ),
        (
            |_, world| world.hook_failure = Some("the function failed: KeyError".into()),
            "AfterAllowTraffic: the function failed: KeyError",
        ),
        (|_, world| world.now_ms += limits::HOOK_MS, "within one hour"),
    ];
    for (spoil, words) in cases {
        let (mut deployment, mut world) = (deployment(TrafficRouting::AllAtOnce), world());
        deployment.hooks.after = Some("post".into());
        deployment.auto_rollback = rolls_back_on("DEPLOYMENT_FAILURE");
        look(&mut deployment, &mut world);
        assert_eq!(leads(&world), (TWO, 0.0));
        world.now_ms += limits::HOOK_MS - 1;
        look(&mut deployment, &mut world);
        assert!(!deployment.has_ended(), "it still has a millisecond");
        world.now_ms -= limits::HOOK_MS - 1;
        spoil(&mut deployment, &mut world);
        let turn = look(&mut deployment, &mut world);
        assert_eq!(error(&deployment).0, "HOOK_EXECUTION_FAILURE");
        assert!(error(&deployment).1.contains(words), "{}", error(&deployment).1);
        assert_eq!(statuses(&deployment), ["Succeeded", "Succeeded", "Failed"]);
        let mut rollback = turn.rollback.expect("as configured");
        look(&mut rollback, &mut world);
        assert_eq!((leads(&world), rollback.status), ((ONE, 0.0), DeploymentStatus::Succeeded));
    }
}

#[test]
fn what_the_role_may_not_do_is_not_done() {
    let there = |may_shift, before, after| RoleStanding::There {
        may_shift,
        may_see_alarms: true,
        may_invoke: [before, after],
    };
    for (role, code, statuses_then) in [
        (RoleStanding::Missing, "IAM_ROLE_MISSING", ["Failed", "Skipped", "Skipped"]),
        (there(false, true, true), "IAM_ROLE_PERMISSIONS", ["Failed", "Skipped", "Skipped"]),
        (there(true, false, true), "IAM_ROLE_PERMISSIONS", ["Failed", "Skipped", "Skipped"]),
    ] {
        let (mut deployment, mut world) = (deployment(TrafficRouting::AllAtOnce), world());
        deployment.hooks.before = Some("pre".into());
        world.role = role;
        look(&mut deployment, &mut world);
        assert_eq!((error(&deployment).0, statuses(&deployment)), (code, statuses_then), "{role:?}");
        assert_eq!(leads(&world), (ONE, 0.0));
    }
    let (mut deployment, mut world) = (deployment(TrafficRouting::AllAtOnce), world());
    deployment.hooks.after = Some("post".into());
    world.role = there(true, true, false);
    look(&mut deployment, &mut world);
    let words = "The IAM role arn:aws:iam::000000000000:role/deployer does not give you permission to perform operations in the \
                 following AWS service: AWSLambda. Contact your AWS administrator if you need help. If you are an AWS \
                 administrator, you can grant permissions to your users or groups by creating IAM policies.";
    assert_eq!(error(&deployment), ("IAM_ROLE_PERMISSIONS", words));
}

#[test]
fn a_group_that_is_gone_ends_the_deployment_without_a_rollback() {
    let (mut deployment, mut world) = (deployment(CANARY), world());
    deployment.auto_rollback = rolls_back_on("DEPLOYMENT_FAILURE");
    look(&mut deployment, &mut world);
    world.has_group = false;
    let turn = look(&mut deployment, &mut world);
    assert_eq!(error(&deployment).0, "DEPLOYMENT_GROUP_MISSING");
    assert!(turn.rollback.is_none());
}

#[test]
fn stopping_rolls_back_as_it_is_told_or_configured() {
    for (configured, wanted, rolls_back) in [
        ("DEPLOYMENT_STOP_ON_REQUEST", None, true),
        ("DEPLOYMENT_STOP_ON_REQUEST", Some(false), false),
        ("DEPLOYMENT_FAILURE", None, false),
        ("DEPLOYMENT_FAILURE", Some(true), true),
    ] {
        let (mut deployment, mut world) = (deployment(CANARY), world());
        deployment.auto_rollback = rolls_back_on(configured);
        look(&mut deployment, &mut world);
        let turn = stop(&deployment, wanted, true, world.now_ms, 5);
        assert_eq!(
            (turn.deployment.status, turn.rollback.is_some()),
            (DeploymentStatus::Stopped, rolls_back)
        );
        assert_eq!(error(&turn.deployment).0, "MANUAL_STOP");
        assert_eq!(take(&turn.deployment, &world).deployment, turn.deployment, "it stays stopped");
        if let Some(rollback) = turn.rollback {
            let again = stop(&rollback, Some(true), true, world.now_ms, 6);
            assert!(again.rollback.is_none(), "a rollback isn't rolled back");
        }
    }
}

/// Wherever the server ends, looking again from what was written leads to the same end.
#[test]
fn a_look_that_is_taken_twice_does_nothing_twice() {
    let mut deployment = deployment(TrafficRouting::Linear { percent: 10, interval_min: 1 });
    deployment.hooks = Hooks { before: Some("pre".into()), after: None };
    let mut world = world();
    let mut shares = Vec::new();
    while !deployment.has_ended() {
        look(&mut deployment, &mut world);
        if deployment.events[BEFORE].hook.as_ref().is_some_and(|run| run.answer.is_none()) {
            answer(&mut deployment, BEFORE, true);
        }
        let again = take(&deployment, &world);
        if deployment.events[ALLOW].status == EventStatus::InProgress {
            assert_eq!((&again.deployment, &again.alias), (&deployment, &None));
            shares.push(deployment.generation);
            world.now_ms += MINUTE_MS;
        }
    }
    assert_eq!(shares, (1..=9).collect::<Vec<_>>());
    assert_eq!(leads(&world), (TWO, 0.0));
}
