//! What keeps a server from starting: said clearly on standard error, with exit code 1.

use std::fs;
use std::path::Path;

use pitbird_testkit::{Calls, Ended, Server, ServerOptions, done, get, python};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

fn start(arguments: &[&str], data_dir: Option<&Path>) -> Result<Server, Ended> {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Server::start_with(BINARY, ServerOptions { arguments, data_dir: data_dir.map(Path::to_owned) })
}

/// It must not start, and say these words.
fn refused(arguments: &[&str], data_dir: Option<&Path>, words: &[&str]) {
    let Err(Ended { status, stderr }) = start(arguments, data_dir) else {
        panic!("it starts with {arguments:?} on {data_dir:?}")
    };
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("pitbird: "), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "no {word:?} in {stderr}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let server = Server::start(BINARY);
    let address = server.endpoint.trim_start_matches("http://");
    refused(&["--listen", address], None, &[&format!("can't listen on {address}"), "hint: "]);
    assert_eq!(get(&format!("{}/_pitbird/health", server.endpoint)).status, 200);
}

/// 192.0.2.0/24 is for documents: no host has such an address.
#[test]
fn an_address_of_another_host_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = folder.path().join("keys");
    fs::write(&keys, "test test\n").expect("the folder is ours");
    let arguments = ["--listen", "192.0.2.1:4566", "--keys", &keys.display().to_string()];
    refused(&arguments, None, &["can't listen on 192.0.2.1:4566", "hint: this host has no such address"]);
}

#[test]
fn a_folder_in_use_names_its_user_and_stays_unharmed() {
    let mut server = Server::start(BINARY);
    let folder = server.data_dir.clone();
    done(Calls::new(&server.endpoint).rest("POST", "/restapis", serde_json::json!({"name": "kept"})));
    refused(&[], Some(&folder), &["in use by process", &server.pid().to_string(), "hint: stop that server"]);
    let apis = || done(Calls::new(&server.endpoint).rest("GET", "/restapis", Value::Null)).json();
    assert_eq!(apis()["item"][0]["name"], "kept");
    assert!(server.stop().success(), "it stops when asked");
    let again = Server::start_in(BINARY, &folder);
    let apis = done(Calls::new(&again.endpoint).rest("GET", "/restapis", Value::Null)).json();
    assert_eq!(apis["item"][0]["name"], "kept");
}

/// Damage is told with the file's name, and nothing is made anew in its place.
#[test]
fn a_damaged_folder_names_the_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = start(&[], Some(folder.path())).expect("a sound folder");
    done(Calls::new(&server.endpoint).rest("POST", "/restapis", serde_json::json!({"name": "kept"})));
    assert!(server.stop().success());
    let files = ["pitbird.db", "pitbird.db-wal", "pitbird.db-shm"].map(|name| folder.path().join(name));
    // A log left beside the database would heal it.
    let sound: Vec<Option<Vec<u8>>> = files.iter().map(|file| fs::read(file).ok()).collect();
    let [database, log, index] = &files;
    let head = sound[0].clone().expect("the database");
    let mut damaged = head.clone();
    damaged.iter_mut().skip(100).for_each(|byte| *byte ^= 0x5a);
    for content in [b"no database at all, not even nearly".repeat(100), head[..1000].to_vec(), damaged] {
        let _may_not_be_there = (fs::remove_file(log), fs::remove_file(index));
        fs::write(database, &content).expect("the folder is ours");
        refused(&[], Some(folder.path()), &["pitbird.db", "damaged", "hint: put a copy"]);
        assert_eq!(fs::read(database).expect("still there"), content, "left as it was");
    }
    for (file, content) in files.iter().zip(sound) {
        let _may_not_be_there = fs::remove_file(file);
        if let Some(content) = content {
            fs::write(file, content).expect("the folder is ours");
        }
    }
    let server = start(&[], Some(folder.path())).expect("a sound folder again");
    let apis = done(Calls::new(&server.endpoint).rest("GET", "/restapis", Value::Null)).json();
    assert_eq!(apis["item"][0]["name"], "kept");
}

/// Logs and metrics are not what a server can't do without, and who reads this may want to go on.
#[test]
fn damaged_logs_and_metrics_say_what_is_lost() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = start(&[], Some(folder.path())).expect("a sound folder");
    done(Calls::new(&server.endpoint).rest("POST", "/restapis", serde_json::json!({"name": "kept"})));
    assert!(server.stop().success());
    let telemetry = folder.path().join("telemetry");
    for name in ["usage.db-wal", "usage.db-shm"] {
        let _may_not_be_there = fs::remove_file(telemetry.join(name));
    }
    fs::write(telemetry.join("usage.db"), b"no database at all".repeat(100)).expect("the folder is ours");
    refused(&[], Some(folder.path()), &["usage.db is corrupt", "hint: ", "moved away"]);
    fs::rename(&telemetry, folder.path().join("away")).expect("the folder is ours");
    let server = start(&[], Some(folder.path())).expect("as the hint says");
    let apis = done(Calls::new(&server.endpoint).rest("GET", "/restapis", Value::Null)).json();
    assert_eq!(apis["item"][0]["name"], "kept");
}

#[test]
fn words_that_make_no_sense_are_named() {
    for (arguments, words) in [
        (
            ["--minimum-isolation", "strong"],
            "'strong' for '--minimum-isolation <MINIMUM_ISOLATION>': there are process",
        ),
        (["--log", "a=b=c"], "--log \"a=b=c\": "),
    ] {
        let Err(Ended { status, stderr }) = start(&arguments, None) else { panic!("{arguments:?} is taken") };
        assert_eq!(status.code(), Some(2), "the command is used wrongly: {stderr}");
        assert!(stderr.contains(words), "no {words:?} in {stderr}");
    }
}

#[test]
fn a_folder_that_is_none_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("the folder is ours");
    refused(&[], Some(&file), &["can't make the data folder", "file", "hint: --data-dir"]);
    refused(&[], Some(&file.join("below")), &["below", "hint: --data-dir"]);
}

/// Variables and code of functions, credentials and logs are in it.
#[test]
fn a_new_folder_is_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let new = folder.path().join("above/data");
    let _server = Server::start_in(BINARY, &new);
    let mode = fs::metadata(&new).expect("it has been made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{mode:o}");
}

#[test]
fn beyond_loopback_needs_keys() {
    refused(&["--listen", "0.0.0.0:0"], None, &["beyond loopback", "hint: give --keys FILE"]);
    refused(&["--listen", "[::]:0"], None, &["beyond loopback"]);
}

#[test]
fn keys_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = folder.path().join("keys");
    let path = keys.display().to_string();
    refused(&["--keys", &path], None, &["can't read the keys in", &path]);
    fs::write(&keys, "# none\n").expect("the folder is ours");
    refused(&["--keys", &path], None, &["has no keys"]);
    fs::write(&keys, "AKID\n").expect("the folder is ours");
    refused(&["--keys", &path], None, &[":1: expected ACCESS_KEY_ID SECRET_ACCESS_KEY"]);
}

#[test]
fn user_pools_keys_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = folder.path().join("keys.json");
    let path = keys.display().to_string();
    let given = format!("us-east-1_a={path}");
    refused(&["--user-pool-keys", &path], None, &["expected POOL_ID=FILE"]);
    refused(&["--user-pool-keys", &given], None, &["can't read the user pool's keys in", &path]);
    fs::write(&keys, "{}").expect("the folder is ours");
    refused(&["--user-pool-keys", &given], None, &["has no user pool's keys"]);
    fs::write(&keys, r#"{"keys":[]}"#).expect("the folder is ours");
    refused(&["--user-pool-keys", &given], None, &["has no RSA key"]);
    fs::write(&keys, r#"{"keys":[{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"}]}"#)
        .expect("the folder is ours");
    refused(&["--user-pool-keys", &[&*given, &*given].join(",")], None, &["given twice"]);
}

/// With keys, a call must be signed with one of them, in every protocol; health and invoke URLs stay open.
#[test]
fn with_keys_every_call_is_verified() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = folder.path().join("keys");
    fs::write(&keys, "test test\n").expect("the folder is ours");
    let server = start(&["--keys", &keys.display().to_string()], None).expect("it starts");
    let calls = Calls::new(&server.endpoint);
    let denied = [
        (calls.rest("GET", "/restapis", Value::Null), "Missing Authentication Token"),
        (
            calls.json("Logs_20140328.DescribeLogGroups", serde_json::json!({})),
            "Missing Authentication Token",
        ),
        (calls.form("Action=ListRoles&Version=2010-05-08"), "Request is missing Authentication Token"),
    ];
    for (answer, words) in denied {
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    assert_eq!(get(&format!("{}/_pitbird/health", server.endpoint)).status, 200);
    for path in ["/_pitbird/metrics", "/metrics"] {
        assert_eq!(get(&format!("{}{path}", server.endpoint)).status, 403, "{path}");
    }
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/signed.py");
    python.check(&server, &script, &[]);
}

#[test]
fn huge_pages_are_the_functions_affair_and_not_the_servers() {
    let server = start(&[], None).unwrap();
    let may_have_huge_pages = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.lines().find_map(|line| line.strip_prefix("THP_enabled:")).map(|value| value.trim() == "1")
    };
    assert_ne!(may_have_huge_pages(server.pid()), Some(true), "None where the kernel doesn't say");
    // Functions descend from the spawner.
    let spawner = server.family().into_iter().find(|process| process.pid != server.pid()).unwrap();
    assert_ne!(may_have_huge_pages(spawner.pid), Some(false));
}
