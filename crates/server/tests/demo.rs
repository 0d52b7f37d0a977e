//! The newcomer's first minute, as a program sees it.

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
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

/// What is drawn on a terminal, and the terminal, which must be closed by everybody for the first to end.
fn terminal(columns: u16, rows: u16) -> (File, OwnedFd) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo terminal");
    grantpt(&screen).expect("ours");
    unlockpt(&screen).expect("ours");
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&screen, size).expect("a size");
    let name = ptsname(&screen, Vec::new()).expect("a name").into_string().expect("a path");
    let terminal = File::options().read(true).write(true).open(name).expect("the terminal");
    (screen.into(), terminal.into())
}

/// What a person sees: a view that is drawn over itself, on a port that is free where the usual one isn't.
#[test]
fn on_a_terminal_the_demo_draws_over_itself_on_a_free_port() {
    // By this test or by somebody else: it is taken.
    let _taken = TcpListener::bind(("127.0.0.1", 4566));
    let (mut screen, terminal) = terminal(100, 40);
    let errors = terminal.try_clone().expect("the same terminal");
    let mut demo = Command::new(BINARY)
        .arg("demo")
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .stdout(terminal)
        .stderr(errors)
        .spawn()
        .expect("the binary starts");
    let (mut drawn, mut part) = (Vec::new(), [0; 4096]);
    // Reading fails when nobody has the terminal open any more.
    while let Ok(read @ 1..) = screen.read(&mut part) {
        drawn.extend_from_slice(&part[..read]);
    }
    let drawn = String::from_utf8_lossy(&drawn);
    assert!(demo.wait().expect("it ends").success(), "{drawn}");
    let address = drawn.split("pitbird serves on ").nth(1).and_then(|rest| rest.split(';').next());
    let port = address.and_then(|address| address.rsplit(':').next()).expect("an address");
    assert!(port.parse::<u16>().is_ok_and(|port| port != 4566), "{address:?}");
    let ups = drawn.matches("\u{1b}[?7l\u{1b}[").count();
    assert!(ups > 20, "drawn over itself {ups} times only");
    for words in ["split", "canary 10 %", "canary 50 %", "error rate", "ROLLED BACK", "PROMOTED", "\u{1b}[1m"]
    {
        assert!(drawn.contains(words), "{words:?} in {drawn}");
    }
}
