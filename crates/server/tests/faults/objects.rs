//! Objects that were acknowledged are there, whole, after their server was killed while others were on their way.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use pitbird_testkit::{Client, Server, get, send, wait_for};

use super::{BINARY, kill};

const KILLS: usize = 6;
const UPLOADERS: usize = 4;
/// Long enough that a kill finds some half-written.
const OBJECT_BYTES: usize = 300_000;

/// An object's content, which its name tells.
fn content(key: &str) -> Vec<u8> {
    key.bytes().cycle().take(OBJECT_BYTES).collect()
}

#[test]
fn every_acknowledged_object_survives_kills_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start_in(BINARY, folder.path());
    let made = send("PUT", &format!("{}/kept", server.endpoint), &[], b"");
    assert_eq!(made.status, 200, "{}", made.text());
    // Key to whether it was deleted again.
    let acknowledged: Mutex<BTreeMap<String, bool>> = Mutex::default();
    for round in 0..KILLS {
        let endpoint = server.endpoint.clone();
        let count = || acknowledged.lock().expect("nobody panics").len();
        let before = count();
        thread::scope(|scope| {
            for uploader in 0..UPLOADERS {
                let (endpoint, acknowledged) = (&endpoint, &acknowledged);
                scope.spawn(move || upload(endpoint, acknowledged, &format!("{round}/{uploader}")));
            }
            wait_for("objects to come", Duration::from_secs(60), || {
                (count() > before + 8 + 7 * round % 20).then_some(())
            });
            kill(server);
        });
        server = Server::start_in(BINARY, folder.path());
        for (key, is_deleted) in acknowledged.lock().expect("nobody panics").iter() {
            let found = get(&format!("{}/kept/{key}", server.endpoint));
            assert_eq!(found.status, if *is_deleted { 404 } else { 200 }, "{key}: {}", found.status);
            assert!(*is_deleted || found.body == content(key), "{key} is damaged");
        }
    }
    assert!(acknowledged.into_inner().expect("nobody panics").len() > KILLS * 8);
}

/// Puts objects, and deletes every third again, until the server is gone.
fn upload(endpoint: &str, acknowledged: &Mutex<BTreeMap<String, bool>>, prefix: &str) {
    let client = Client::default();
    for number in 0.. {
        let key = format!("{prefix}/{number}");
        let url = format!("{endpoint}/kept/{key}");
        let Ok(put) = client.send("PUT", &url, &[], &content(&key)) else { return };
        assert_eq!(put.status, 200, "{}", put.text());
        if number % 3 != 2 {
            acknowledged.lock().expect("nobody panics").insert(key, false);
            continue;
        }
        // Whether a delete that was cut off was done nobody knows, so nothing is claimed.
        let Ok(deleted) = client.send("DELETE", &url, &[], b"") else { return };
        assert_eq!(deleted.status, 204, "{}", deleted.text());
        acknowledged.lock().expect("nobody panics").insert(key, true);
    }
}
