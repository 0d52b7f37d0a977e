use std::time::Duration;

use pitbird_rollout::Outcome;
use serde_json::{Value as Json, json};

use super::*;

fn answer() -> serde_json::Value {
    json!({
        "Name": "checkout-2",
        "Target": {"RestStage": {"RestApiId": "a1b2c3d4e5", "StageName": "prod"}},
        "Canary": {"DeploymentId": "x9y8z7", "StageVariableOverrides": {"alias": "canary"}},
        "Steps": [{"Percent": 10.0, "WaitMs": 60000}, {"Percent": 50.0, "WaitMs": 60000}, {"Percent": 100.0, "WaitMs": 0}],
        "Status": "InProgress", "StatusReason": "watching at 50 %", "Phase": "Watching", "StepIndex": 1, "Percent": 50.0,
        "StartedAt": "2026-11-01T00:00:00.000Z", "WaitUntil": "2026-11-01T00:02:00.000Z",
        "Deviations": ["step 1 waits 60 s, standard are 120 s"],
        "Evidence": {
            "Verdict": "Unknown", "LogEWorse": 1.38, "ThresholdWorse": 6.9, "LogENotWorse": 2.3, "ThresholdNotWorse": 4.6,
            "HarmUpper": 0.0123, "Margin": 0.005,
            "Base": {"Requests": 12345, "Failures": 3}, "Canary": {"Requests": 1001, "Failures": 2},
        },
        "CanaryUsage": {
            "Requests": 1001, "FunctionRequests": 1001, "GigabyteSeconds": 5.005,
            "ProvisionedGigabyteSeconds": 0.0, "EstimatedCost": "0.0041", "Currency": "USD",
        },
    })
}

/// 90 s after the beginning.
fn view() -> RolloutView {
    let began = crate::json::parse_timestamp("2026-11-01T00:00:00Z").unwrap();
    RolloutView::from_json(&answer(), began + 90.0)
}

#[test]
fn a_rollout_is_drawn() {
    let expected = "\
checkout-2  ▶ in progress  1m 30s
           deployment x9y8z7, alias=canary to stage prod of REST API a1b2c3d4e5
ramp       ✓ 10 % ── [50 %] ── 100 %   30.0 s to wait here
split      ████████████████████░░░░░░░░░░░░░░░░░░░░  canary 50 %
             requests   failed error rate
base           12 345        3     0.02 %
canary          1 001        2     0.20 %
verdict    ? not known yet  worse by at most 1.23 pp, accepted 0.50 pp
worse      ████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  evidence 1.4 of 6.9
not worse  ████████████████████░░░░░░░░░░░░░░░░░░░░  evidence 2.3 of 4.6
cost       0.0041 USD on AWS: 1001 requests, 5.0050 GB-seconds
now        watching at 50 %
note       step 1 waits 60 s, standard are 120 s
";
    assert_eq!(render(&view(), 80, false), expected);
}

#[test]
fn latency_and_routes_are_drawn_where_they_are_judged() {
    let mut answer = answer();
    answer["Routes"] = json!(["GET /pets", "GET /toys"]);
    let threshold = |quantile: f64, base_ms: f64, base: u64, canary: u64| json!({"Quantile": quantile, "BaseMs": base_ms, "BaseAbove": base, "CanaryAbove": canary});
    let thresholds =
        [threshold(0.5, 20.31, 500, 78), threshold(0.9, 34.0, 100, 30), threshold(0.99, 64.0, 10, 3)];
    answer["Evidence"]["Latency"] =
        json!({"BaseRequests": 1000, "CanaryRequests": 100, "Thresholds": thresholds});
    let text = render(&RolloutView::from_json(&answer, 0.0), 120, false);
    let slow = "slow       above 20.3 ms (p50): base 50.0 %, canary 78.0 %; \
                above 64.0 ms (p99): base 1.0 %, canary 3.0 %\n";
    assert!(text.contains(slow), "{text}");
    assert!(text.contains("routes     2 judged by themselves too\n"), "{text}");
    answer["Evidence"]["Latency"]["CanaryRequests"] = json!(0);
    assert_eq!(RolloutView::from_json(&answer, 0.0).slow, None);
}

#[test]
fn pairs_are_drawn_where_they_are_judged() {
    let mut answer = answer();
    assert_eq!(RolloutView::from_json(&answer, 0.0).pairs, None);
    answer["Evidence"]["Pairs"] = json!({"Requests": 1340, "CanaryAlone": 2, "BaseAlone": 0});
    let text = render(&RolloutView::from_json(&answer, 0.0), 120, false);
    let pairs = "pairs      1340 answered by both; the canary alone failed 2, the base alone 0\n";
    assert!(text.contains(pairs), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 57, 80, 200] {
        for text in render(&view(), width, false).lines() {
            assert!(text.chars().count() <= width, "{width}: {text}");
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let mut plain = String::new();
    let mut in_escape = false;
    let colored = render(&view(), 80, true);
    assert!(colored.contains("\x1b["));
    for c in colored.chars() {
        match c {
            '\x1b' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            c => plain.push(c),
        }
    }
    let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&plain), trimmed(&render(&view(), 80, false)));
}

#[test]
fn an_end_is_said_in_words() {
    for (status, outcome, words) in [
        ("Promoted", Outcome::Promoted, "✔ promoted"),
        ("RolledBack", Outcome::RolledBack, "✘ rolled back"),
        ("Aborted", Outcome::Aborted, "■ aborted"),
        ("Inconclusive", Outcome::Inconclusive, "■ inconclusive"),
        ("TimedOut", Outcome::TimedOut, "■ timed out"),
        ("Failed", Outcome::Failed, "✘ failed"),
    ] {
        let mut rollout = answer();
        rollout["Status"] = json!(status);
        rollout["EndedAt"] = json!("2026-11-01T00:00:45.000Z");
        let view = RolloutView::from_json(&rollout, 2e9);
        assert_eq!(view.progress, Progress::Ended(outcome));
        assert_eq!(view.elapsed, Duration::from_secs(45));
        assert!(render(&view, 80, false).contains(words), "{words}");
    }
}

#[test]
fn a_reason_does_not_repeat_the_end() {
    let mut rollout = answer();
    rollout["Status"] = json!("RolledBack");
    rollout["StatusReason"] = json!("rolled back: canary is worse");
    // As the service has it: an ended rollout is at no step, but its decisions tell.
    rollout.as_object_mut().unwrap().shift_remove("StepIndex");
    let decision = |from, to| json!({"FromPercent": from, "ToPercent": to});
    rollout["Decisions"] =
        json!([decision(0.0, 10.0), decision(10.0, 50.0), decision(50.0, 0.0), decision(0.0, 0.0)]);
    let view = RolloutView::from_json(&rollout, 2e9);
    let text = render(&view, 80, false);
    assert!(
        text.contains("why        canary is worse\n") && text.contains("✓ 10 % ── ✘ 50 % ── 100 %\n"),
        "{text}"
    );
    rollout["Status"] = json!("Promoted");
    rollout["StatusReason"] = json!("promoted");
    let view = RolloutView::from_json(&rollout, 2e9);
    let text = render(&view, 80, false);
    assert!(!text.contains("why") && text.contains("✓ 50 % ── ✓ 100 %\n"), "{text}");
}

#[test]
fn short_notes_share_a_line() {
    let deviations: Vec<String> =
        ["bake 4 s instead of 600 s", "margin 2 pp instead of 0.5 pp", "look every 0.2 s instead of 1 s"]
            .map(str::to_owned)
            .to_vec();
    let text = render(&RolloutView { deviations, ..view() }, 80, false);
    let expected = "\
note       bake 4 s instead of 600 s; margin 2 pp instead of 0.5 pp
           look every 0.2 s instead of 1 s
";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn what_hooks_were_asked_is_drawn() {
    let mut answer = answer();
    let asked = |hook: &str, more: Json| {
        let mut asked = json!({"Hook": hook, "When": "BeforeStep", "Percent": 50.0, "Attempt": 3});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    answer["Questions"] = json!([
        asked("old", json!({"EndedAt": "2026-11-01T00:00:01Z"})),
        asked("gone", json!({"EndedAt": "2026-11-01T00:00:01Z"})),
        asked("review", json!({"Answer": "Go", "EndedAt": "2026-11-01T00:00:01Z"})),
        asked("smoke", json!({"Answer": "NotYet", "Reason": "2 of 3 tests ran"})),
        {"Hook": "first", "When": "BeforeRollout", "Attempt": 1},
    ]);
    let text = render(&RolloutView::from_json(&answer, 0.0), 120, false);
    let expected = "\
hooks      gone, before step 50 %: given up
           review, before step 50 %: go
           smoke, before step 50 %: not yet, call 3: 2 of 3 tests ran
           first, before rollout: asked, call 1
";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_line_says_it_all() {
    assert_eq!(
        line(&view()),
        "1m 30s | in progress | at 50 % | base 3/12345 failed (0.02 %) | canary 2/1001 failed (0.20 %) | \
         verdict not known yet | watching at 50 %"
    );
}

#[test]
fn names_from_outside_give_the_terminal_no_orders() {
    let mut rollout = answer();
    rollout["Name"] = json!("a\u{1b}[2Jb");
    rollout["StatusReason"] = json!("one\ntwo\u{7}");
    let view = RolloutView::from_json(&rollout, 0.0);
    for text in [render(&view, 80, false), line(&view)] {
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
}

#[test]
fn an_empty_answer_is_drawn_too() {
    let view = RolloutView::from_json(&json!({}), 0.0);
    assert!(render(&view, 80, false).contains("in progress"));
    let busy = Arm { requests_per_s: Some(251.0), latency_ms_p99: Some(12.34), ..Arm::default() };
    let text = render(&RolloutView { base: busy, ..view }, 80, false);
    assert!(text.contains("251") && text.contains("12.3 ms"), "{text}");
}

#[test]
fn limits_are_drawn_with_how_they_stand() {
    let mut answer = answer();
    let limit = |words: &str, log_e: f64, is_broken: bool| {
        json!({"Guardrail": words, "LogE": log_e, "Threshold": 7.6, "Broken": is_broken,
               "CanaryRequests": 1001, "CanaryBeyond": 3})
    };
    answer["Evidence"]["Guardrails"] =
        json!([limit("error rate at most 2 %", -0.7, false), limit("p99 at most 800 ms", 9.0, true)]);
    let text = render(&RolloutView::from_json(&answer, 0.0), 120, false);
    let drawn = "limits     error rate at most 2 %: 3 of 1001 requests beyond it, evidence 0.0 of 7.6\n           \
                 ✘ p99 at most 800 ms: 3 of 1001 requests beyond it, evidence 9.0 of 7.6\n";
    assert!(text.contains(drawn), "{text}");
}
