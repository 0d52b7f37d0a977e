//! Events that a server acknowledged before it was killed: none may be lost.
//!
//! Whether an event has run is asked of objects that its function puts while it runs, since they are kept once they are
//! acknowledged; log lines may go with a killed server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use pitbird_testkit::{Calls, Client, Server, done, get, send, wait_for};

use super::Figure;
use super::platform::binary;

const KILLS: usize = 50;
const SENDERS: usize = 4;
/// Between two events of one sender, so that a server lives long enough to run some of what it takes.
const PAUSE: Duration = Duration::from_millis(10);
/// Events that a server acknowledges before it is killed: at least these, and up to as many more.
const ACKNOWLEDGED_MIN: usize = 40;
const ACKNOWLEDGED_MORE: usize = 120;
/// Events that have run by then in this life of the server, likewise; most are of earlier ones.
const RUNS_MIN: usize = 5;
const RUNS_MORE: usize = 40;
/// An event that failed is tried again after one minute and after two more. What hasn't run when nothing has for longer
/// than that is lost.
const PATIENCE: Duration = Duration::from_secs(150);
/// When all have run and nothing more has for so long, none will run once more.
const QUIET: Duration = Duration::from_secs(3);

/// Puts an object named by the time in ms, the event and the run. Signs by hand: there is nothing but Python's own library.
const CODE: &str = r#"
import datetime, hashlib, hmac, http.client, os, time, urllib.parse, uuid

def handler(event, context):
    path = f"/ran/{int(time.time() * 1000)}.{event}.{uuid.uuid4().hex}"
    address = urllib.parse.urlparse(os.environ["AWS_ENDPOINT_URL"])
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/{os.environ['AWS_REGION']}/s3/aws4_request"
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": address.netloc, "x-amz-content-sha256": empty, "x-amz-date": now,
               "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"]}
    names = ";".join(sorted(headers))
    lines = ["PUT", path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, empty]
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                                f"SignedHeaders={names}, Signature={hmac.digest(key, text.encode(), 'sha256').hex()}")
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.request("PUT", path, b"", headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
"#;

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let binary = binary(root).display().to_string();
    let mut server = Server::start_in(&binary, folder.path());
    prepare(&server)?;
    let mut acknowledged = BTreeSet::new();
    let mut ran_before_the_last = 0;
    for life in 0..KILLS {
        acknowledged.extend(live(server, life)?);
        server = Server::start_in(&binary, folder.path());
        ran_before_the_last = runs(&server, 0)?.len();
    }
    let runs = all_runs(&server, &acknowledged)?;
    let lost = acknowledged.iter().filter(|event| !runs.contains_key(*event)).count();
    let twice = acknowledged.iter().filter(|event| runs.get(*event).is_some_and(|count| *count > 1)).count();
    let measured = format!(
        "{lost} lost of {} acknowledged over {KILLS} kills; {twice} ran more than once; {ran_before_the_last} had run by the \
         last kill",
        acknowledged.len()
    );
    Ok(vec![Figure::new(
        "events acknowledged by servers that are killed (SIGKILL) while they come and run",
        "none lost",
        measured,
    )])
}

/// A bucket, and a function that may put objects into it.
fn prepare(server: &Server) -> Result<()> {
    let made = send("PUT", &format!("{}/ran", server.endpoint), &[], b"");
    ensure!(made.status == 200, "CreateBucket: {}", made.text());
    let calls = Calls::new(&server.endpoint);
    let role = calls.role("witness");
    let document = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                    %22Action%22%3A%22s3%3APutObject%22%2C%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Aran%2F*%22%7D%5D%7D";
    let put = "Action=PutRolePolicy&Version=2010-05-08&RoleName=witness&PolicyName=put";
    done(calls.form(&format!("{put}&PolicyDocument={document}")));
    calls.function("witness", &role, CODE, 30);
    Ok(())
}

/// Sends events until the server is killed; those that it has acknowledged.
fn live(mut server: Server, life: usize) -> Result<Vec<String>> {
    let acknowledged = Mutex::new(Vec::new());
    let count = || acknowledged.lock().expect("no sender panics").len();
    let enough = ACKNOWLEDGED_MIN + 37 * life % ACKNOWLEDGED_MORE;
    let enough_runs = RUNS_MIN + 17 * life % RUNS_MORE;
    let began_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis();
    let url = format!("{}/2015-03-31/functions/witness/invocations", server.endpoint);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (url, acknowledged) = (&url, &acknowledged);
                scope.spawn(move || send_events(url, &format!("{life}-{sender}"), acknowledged))
            })
            .collect();
        wait_for("events to be acknowledged and run", Duration::from_secs(60), || {
            let have_run = || runs(&server, began_ms).is_ok_and(|runs| runs.len() >= enough_runs);
            let is_enough = count() >= enough && have_run();
            (is_enough || senders.iter().any(|sender| sender.is_finished())).then_some(())
        });
        server.kill();
        senders.into_iter().try_for_each(|sender| sender.join().expect("a sender"))
    })?;
    ensure!(count() >= enough, "the server of round {life} ended by itself");
    Ok(acknowledged.into_inner().expect("no sender panics"))
}

fn send_events(url: &str, prefix: &str, acknowledged: &Mutex<Vec<String>>) -> Result<()> {
    let client = Client::default();
    for number in 0.. {
        let event = format!("{prefix}-{number}");
        let headers = [("x-amz-invocation-type", "Event")];
        let Ok(answer) = client.send("POST", url, &headers, format!("\"{event}\"").as_bytes()) else { break };
        ensure!(answer.status == 202, "{} {}", answer.status, answer.text());
        acknowledged.lock().expect("no sender panics").push(event);
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Waits until every event has run, or nothing more happens; how often each has.
fn all_runs(server: &Server, acknowledged: &BTreeSet<String>) -> Result<BTreeMap<String, usize>> {
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        let found = runs(server, 0)?;
        let count = found.values().sum();
        if count != seen {
            (seen, since) = (count, Instant::now());
        }
        let patience =
            if acknowledged.iter().all(|event| found.contains_key(event)) { QUIET } else { PATIENCE };
        if since.elapsed() > patience {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// How often each event has run since a time in ms, by the objects.
fn runs(server: &Server, since_ms: u128) -> Result<BTreeMap<String, usize>> {
    let mut runs = BTreeMap::new();
    let mut after = since_ms.to_string();
    loop {
        let answer = get(&format!("{}/ran?list-type=2&start-after={after}", server.endpoint));
        ensure!(answer.status == 200, "ListObjectsV2: {}", answer.text());
        let text = answer.text();
        let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        let mut last = None;
        for (key, _) in keys {
            let event = key.split('.').nth(1).unwrap_or(key);
            *runs.entry(event.to_owned()).or_default() += 1;
            last = Some(key.to_owned());
        }
        match last {
            Some(last) if text.contains("<IsTruncated>true") => after = last,
            _ => return Ok(runs),
        }
    }
}
