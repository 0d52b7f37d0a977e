//! The console: in a browser, and from where it mustn't be reached.

use std::path::{Path, PathBuf};
use std::process::Command;

use pitbird_testkit::{Answer, Server, ServerOptions, Tool, get, packages, python, send};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

/// The headless browser to test with; `None`, said loudly, where there is none.
fn chromium() -> Option<String> {
    let find = "command -v chromium || command -v chromium-browser || command -v google-chrome";
    let found = Command::new("sh").args(["-c", find]).output().ok()?;
    let path = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    if path.is_empty() {
        eprintln!("SKIPPED: no Chromium on this host, so nobody looked at the console");
        return None;
    }
    Some(path)
}

/// Runs a story in a browser that axe looks at too.
fn told_in_a_browser(script: &str) {
    let (Some(chromium), Some(python)) = (chromium(), python()) else { return };
    let Some(axe) = packages(Tool::Npm, "axe", &["axe-core@4.10.3"]) else { return };
    let axe = axe.join("node_modules/axe-core/axe.min.js");
    let server = Server::start(BINARY);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    // The pictures in docs are those of a run that was told to keep them.
    let pictures = match std::env::var_os("PITBIRD_BLESS") {
        Some(_) => root.join("../../docs"),
        None => folder.path().to_owned(),
    };
    let words = |path: &PathBuf| path.to_str().expect("a plain path").to_owned();
    let arguments = [chromium, words(&axe), words(&pictures)];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    python.check(&server, &root.join("tests/python").join(script), &arguments);
}

#[test]
fn somebody_sees_a_release_caught_and_one_promoted_and_steps_in() {
    told_in_a_browser("console.py");
}

#[test]
fn somebody_looks_at_all_else_and_loses_the_connection() {
    told_in_a_browser("console_pages.py");
}

#[test]
fn a_terminal_shows_the_same() {
    let Some(python) = python() else { return };
    let server = Server::start(BINARY);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/top.py");
    python.check(&server, &script, &[BINARY]);
}

/// Somebody has the console open, and a page that an API, a function or a bucket returns on the same host.
fn a_hostile_page_does_nothing(door: &str, options: ServerOptions) {
    let (Some(chromium), Some(python)) = (chromium(), python()) else { return };
    let server = Server::start_with(BINARY, options).expect("a server");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/hostile_page.py");
    python.check(&server, &script, &[&chromium, door]);
}

#[test]
fn a_page_of_an_api_on_the_same_host_is_no_page_of_the_consoles() {
    a_hostile_page_does_nothing("open", ServerOptions::default());
}

#[test]
fn a_page_of_an_api_on_the_same_host_has_no_session() {
    let (_folder, options) = with_keys();
    a_hostile_page_does_nothing("keys", options);
}

/// A server that wants calls signed, and knows one key.
fn with_keys() -> (tempfile::TempDir, ServerOptions) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = folder.path().join("keys");
    std::fs::write(&keys, "AKIDEXAMPLE secret 123456789012\n").expect("a file");
    let arguments = vec!["--keys".to_owned(), keys.to_str().expect("a plain path").to_owned()];
    (folder, ServerOptions { arguments, ..ServerOptions::default() })
}

/// What the page sends with everything that acts.
fn act(server: &Server, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut all = vec![
        ("Origin", server.endpoint.as_str()),
        ("Content-Type", "application/json"),
        ("X-Pitbird-Console", "1"),
    ];
    all.retain(|(name, _)| !headers.iter().any(|(given, _)| given == name));
    all.extend(headers);
    send("POST", &format!("{}/_pitbird/{path}", server.endpoint), &all, body.to_string().as_bytes())
}

#[test]
fn only_the_page_itself_acts_and_only_what_it_shows() {
    let server = Server::start(BINARY);
    let groups = "call/logs/DescribeLogGroups";
    let asked = json!({"input": {}});
    let found = act(&server, groups, &[], &asked);
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(found.json()["command"], "aws logs describe-log-groups");
    for (headers, status) in [
        (("Origin", "http://evil.example"), 403),
        (("Sec-Fetch-Site", "cross-site"), 403),
        (("Content-Type", "text/plain"), 403),
        (("Host", "evil.example"), 421),
    ] {
        let refused = act(&server, groups, &[headers], &asked);
        assert_eq!(refused.status, status, "{headers:?}: {}", refused.text());
        assert!(refused.header("access-control-allow-origin").is_none());
    }
    assert_eq!(act(&server, "call/iam/ListRoles", &[], &asked).status, 404, "no page needs it");
    let unknown = act(&server, "call/rollouts/AbortRollout", &[], &json!({"input": {"Name": "none"}}));
    assert_eq!(unknown.json()["error"]["code"], "ResourceNotFoundException", "{}", unknown.text());
    let page = get(&format!("{}/_pitbird/releases/any", server.endpoint));
    assert!(
        page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'"))
    );
    assert_eq!(get(&format!("{}/_pitbird/assets/../secret", server.endpoint)).status, 404);
}

/// The cookie that an answer gives.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned()
}

#[test]
fn where_calls_are_signed_people_sign_in() {
    let (_folder, options) = with_keys();
    let server = Server::start_with(BINARY, options).expect("a server");
    let asked = json!({"input": {}});
    let groups = "call/logs/DescribeLogGroups";
    assert_eq!(act(&server, groups, &[], &asked).status, 401);
    assert_eq!(get(&format!("{}/_pitbird/live/releases", server.endpoint)).status, 401);
    assert_eq!(get(&format!("{}/_pitbird/session", server.endpoint)).json()["login"], "needed");
    let given = |secret: &str| json!({"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": secret});
    assert_eq!(act(&server, "login", &[], &given("wrong")).status, 403);
    let signed_in = act(&server, "login", &[], &given("secret"));
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let attributes = signed_in.header("set-cookie").expect("a cookie");
    assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Strict"), "{attributes}");
    let cookie = cookie(&signed_in);
    let found = act(&server, groups, &[("Cookie", &cookie)], &asked);
    assert_eq!(found.status, 200, "{}", found.text());
    let headers = [("Cookie", cookie.as_str()), ("Origin", "http://evil.example")];
    assert_eq!(act(&server, groups, &headers, &asked).status, 403, "a session is no excuse");
    assert_eq!(act(&server, "logout", &[("Cookie", &cookie)], &json!({})).status, 200);
    assert_eq!(act(&server, groups, &[("Cookie", &cookie)], &asked).status, 401);
}
