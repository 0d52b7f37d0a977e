//! The newcomer's first minute, as a program sees it.

use std::process::{Command, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

/// The canary's percentages one after the other, the end of a rollback among them.
fn percents(release: &Value) -> Vec<f64> {
    let shifts = release["rollout"]["Shifts"].as_array().expect("shifts");
    let moves = shifts.iter().filter(|shift| shift["Change"] != "Promote");
    moves.map(|shift| shift["Percent"].as_f64().expect("a number")).collect()
}

#[test]
fn the_demo_catches_v2_and_promotes_v3() {
    let output = Command::new(BINARY)
        .args(["demo", "--headless", "--port", "0", "--output", "json"])
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}{}", String::from_utf8_lossy(&output.stdout));
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(report["ok"], true);
    let releases = report["releases"].as_array().expect("releases");
    let ended = |name: &str| releases.iter().find(|release| release["name"] == name).expect("the release");
    let (v2, v3) = (ended("v2"), ended("v3"));
    assert_eq!((&v2["outcome"], &v3["outcome"]), (&Value::from("RolledBack"), &Value::from("Promoted")));
    assert!(v2["failed"].as_u64() > Some(0), "somebody saw the fault: {v2}");
    assert_eq!(v3["failed"], 0);
    assert_eq!(report["failed"], v2["failed"], "nobody failed but through v2");
    assert!(report["deviations"].as_array().is_some_and(|told| !told.is_empty()), "shortened waits are told");
    let v2_seen = &report["answers_by_release"]["v2"];
    assert_eq!(v2_seen["failed"], v2["failed"], "each failure is its release's");
    assert!(v2_seen["latency_p50_ms"].as_f64() > Some(0.0), "{v2_seen}");
    for (release, expected) in [(v2, &[10.0, 0.0][..]), (v3, &[10.0, 50.0, 100.0])] {
        assert_eq!(percents(release), expected);
        let (canary, all) = (&release["canary_requests"], &release["requests"]);
        assert!(Some(0) < canary.as_u64() && canary.as_u64() < all.as_u64(), "{canary} of {all}");
    }
    let commands = report["commands"].as_array().expect("commands");
    assert!(commands.iter().all(|command| {
        let command = command.as_str().unwrap_or_default();
        command.starts_with("aws ") || command.starts_with("pitbird rollout ")
    }));
}

/// What a log file or a CI job shows of it.
#[test]
fn the_demo_tells_a_pipe_plain_lines() {
    let output = Command::new(BINARY)
        .args(["demo", "--port", "0"])
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    let lines = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{lines}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!lines.contains(['\u{1b}', '\r']), "no colours, no cursor: {lines}");
    for words in [
        "$ aws lambda create-function --function-name pets",
        "$ aws apigateway create-deployment",
        "| at 10 % | base 0/",
        "| canary 0/",
        "v2: ROLLED BACK after",
        "requests saw the fault",
        "v3: PROMOTED after",
        "for this demo: margin 2 pp instead of 0.5 pp",
        "v2 was caught and rolled back, v3 was promoted.",
    ] {
        assert!(lines.contains(words), "{words}: {lines}");
    }
}
