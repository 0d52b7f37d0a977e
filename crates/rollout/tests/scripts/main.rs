//! Rollouts told as scripts. A line is an order to the world; lines beginning with `= ` are what the planner said, and
//! the test compares them. `PITBIRD_BLESS=1` writes them anew.
//!
//! | order | meaning |
//! |---|---|
//! | `plan 10%:3s 50%:3s margin=5pp requests=20 longest=60s deadline=5s alarms=a,b checks=c ramp latency pairs warm=5s routes=r failing=2% p99=0.8s gate=60s hook=smoke@before_step@50%` | the plan, and begin; `50%:3s!` is a step with a gate; hooks have 2 attempts, 3 s between calls and 30 s in all |
//! | `history 1000/5` | before `plan`: requests/errors of the base |
//! | `traffic 300/s canary 20% base 0%` | from now on; errors fall evenly |
//! | `over canary 5% base 1%` | of the warm requests that take longer than the guardrail on latency allows |
//! | `pairs 5/s canary 2% base 0%` | requests a second that both arms answer, and how many of them fail on that arm alone |
//! | `slow 70%`, `dead ROUTE 1%` | of the canary's requests above the base's p50; a route of which all fail on the canary |
//! | `blind on`, `blind off` | whether counts can be read from now on |
//! | `hook NAME go`, `stop WORDS`, `not_yet WORDS`, `failed WORDS`, `silent` | how it answers from now on; each call to it is told |
//! | `clients N` | distinct clients that saw canary errors |
//! | `target ready`, `target busy`, `target refusing WORDS` | what it does with steps from now on |
//! | `alarm NAME OK`, `ALARM`, `INSUFFICIENT_DATA`, `silent` | its state from now on |
//! | `check NAME passed`, `failed` | its result from now on |
//! | `environments N` | distinct environments that saw canary errors |
//! | `send 10% 30/6 270/0` | one bucket more in the next look: weight, canary's and base's requests/errors |
//! | `pause`, `resume`, `abort`, `promote WORDS` | a command in the next look |
//! | `again` | the newest command in the next look once more |
//! | `applied N`, `refused N WORDS` | the executor's word, out of turn |
//! | `run 5s` | time passes: every second do the step, gather, look |
//!
//! Every script is told once as written and once with a crash after every single thing that happens: the state is read
//! back from its JSON and the step under way done again. Both must say the same, and the records must replay.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

mod world;

use std::path::Path;

use world::{Faults, World};

fn tell(script: &str, faults: Faults) -> String {
    let mut world = World::new(faults);
    let mut told = String::new();
    for line in script.lines().filter(|line| !line.starts_with("= ")) {
        told += line;
        told.push('\n');
        if !line.is_empty() && !line.starts_with('#') {
            for said in world.order(line) {
                told += &format!("= {said}\n");
            }
        }
    }
    world.check_replay();
    told
}

fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/scripts/{name}.script"));
    let script = std::fs::read_to_string(&path).expect("the script's file");
    let told = tell(&script, Faults::None);
    if std::env::var_os("PITBIRD_BLESS").is_some() {
        std::fs::write(&path, &told).expect("the script's folder is writable");
    } else {
        assert!(told == script, "{name} now says:\n{told}");
    }
    let crashed = tell(&script, Faults::CrashAlways);
    assert!(crashed == told, "with crashes {name} says:\n{crashed}");
}

macro_rules! scripts {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            check(stringify!($name));
        }
    )*

        #[test]
        fn every_script_is_told() {
            let told = [$(concat!(stringify!($name), ".script")),*];
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
            for entry in std::fs::read_dir(folder).expect("the scripts' folder") {
                let name = entry.expect("an entry").file_name().into_string().expect("a name in UTF-8");
                assert!(!name.ends_with(".script") || told.contains(&name.as_str()), "{name} is never told");
            }
        }
    };
}

scripts! {
    bad_canary_is_rolled_back,
    good_canary_is_promoted,
    no_traffic_is_inconclusive,
    little_traffic_holds,
    difference_within_the_margin_needs_evidence,
    late_regression_is_rolled_back,
    failing_at_full_weight_is_rolled_back,
    alarm_vetoes_in_every_phase,
    unknown_alarm_holds,
    abort,
    pause_and_resume,
    promotion_by_order,
    broken_split_holds,
    few_errors_need_two_environments,
    slow_target_times_out,
    refusing_target_fails,
    pre_checks,
    stale_and_repeated_words_change_nothing,
    outage_of_both_is_not_the_canarys_fault,
    ramp_follows_the_evidence,
    broken_canary_stays_at_the_beginning,
    outage_at_full_weight_is_not_the_canarys_fault,
    recovered_canary_is_trusted_again,
    late_fault_at_full_weight_is_compared_first,
    unread_counts_hold,
    silent_canary_is_not_promoted,
    slow_canary_is_rolled_back,
    unmeasured_latency_is_inconclusive,
    dead_route_is_named,
    few_errors_need_two_clients,
    broken_guardrail_rolls_back,
    kept_guardrails_are_promoted,
    unmeasured_guardrail_is_inconclusive,
    few_errors_break_no_guardrail,
    gates_wait_for_a_person,
    closed_gate_is_inconclusive,
    gate_keeps_no_bad_canary,
    hooks_let_it_go_on,
    hook_says_stop,
    hook_says_not_yet_for_too_long,
    hook_that_fails_is_inconclusive,
    evidence_wins_over_hooks,
    pairs_promote_where_traffic_is_low,
    pairs_convict_where_traffic_is_low,
    pairs_are_like_nothing_unless_the_plan_judges_them,
}
