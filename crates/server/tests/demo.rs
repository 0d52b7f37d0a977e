//! The newcomer's first minute, as a program sees it.

use std::process::{Command, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

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
    let commands = report["commands"].as_array().expect("commands");
    assert!(commands.iter().all(|command| {
        let command = command.as_str().unwrap_or_default();
        command.starts_with("aws ") || command.starts_with("pitbird rollout ")
    }));
}
