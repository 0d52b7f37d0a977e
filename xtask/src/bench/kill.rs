//! Kills: functions whose processes spin beyond their time, several environments at once, until nothing of them is left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use pitbird_testkit::{Answer, Client, Process, Server};
use serde_json::json;

use super::platform::{call, create_function, environments, serve_with, wait_until_settled};
use super::{Figure, quantile};

/// How many rounds there are of how many environments at once.
const ROUNDS: [(usize, usize); 2] = [(100, 1), (25, 8)];
/// Processes of an environment: its first one, the function, and what that has forked.
const PROCESSES: usize = 2 + CHILDREN;
const CHILDREN: usize = 4;
/// Between two looks at the processes.
const LOOK: Duration = Duration::from_millis(1);
/// For a round; its functions have one second.
const PATIENCE: Duration = Duration::from_secs(30);

/// Forks, and spins in every process, deaf to all signals that one can be deaf to. Says before where it is and when its
/// time will be over.
const CODE: &str = r#"
import os, signal, time

def spin():
    os.setsid()
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass

def handler(event, context):
    for _ in range(event["children"]):
        if os.fork() == 0:
            spin()
    deadline_ms = int(time.time() * 1000) + context.get_remaining_time_in_millis()
    print("runaway", os.readlink("/proc/self/ns/pid"), deadline_ms, flush=True)
    while True:
        pass
"#;

/// What is known of one kill, in ms after the invocation's time was over.
struct Kill {
    answered_ms: f64,
    gone_ms: f64,
}

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    // Nothing else starts or ends while it is looked at.
    let server = serve_with(root, &["--parked", "0"])?;
    create_function(&server, "runaway", "python3.11", "app.handler", &[("app.py", CODE.as_bytes())])?;
    call(&server, "PUT", "/2015-03-31/functions/runaway/configuration", &json!({ "Timeout": 1 }))?;
    wait_until_settled(&server, "runaway")?;
    ROUNDS.iter().map(|(rounds, at_once)| figure(&server, *rounds, *at_once)).collect()
}

fn figure(server: &Server, rounds: usize, at_once: usize) -> Result<Figure> {
    let mut kills = Vec::new();
    for _ in 0..rounds {
        kills.extend(round(server, at_once)?);
    }
    let gone: Vec<f64> = kills.iter().map(|kill| kill.gone_ms).collect();
    let answered: Vec<f64> = kills.iter().map(|kill| kill.answered_ms).collect();
    let measured = format!(
        "p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms over {} kills; the caller has its answer after p50 {:.1} ms",
        quantile(&gone, 0.5),
        quantile(&gone, 0.99),
        quantile(&gone, 1.0),
        kills.len(),
        quantile(&answered, 0.5),
    );
    Ok(Figure::new(
        format!(
            "kill of a runaway environment ({} spinning processes, {at_once} at once), from its invocation's deadline until no \
             process is left",
            CHILDREN + 1
        ),
        "p99 ≤ 50 ms",
        measured,
    ))
}

/// Some environments beyond their time, all at once.
fn round(server: &Server, at_once: usize) -> Result<Vec<Kill>> {
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..at_once).map(|_| scope.spawn(|| overrun(server))).collect();
        let gone = match overrunning(server, at_once) {
            Ok(overrunning) => watch(&overrunning)?,
            // What they were answered instead says why.
            Err(error) => {
                let answers: Vec<_> =
                    callers.into_iter().map(|caller| caller.join().expect("a caller")).collect();
                return Err(error.context(format!("{answers:?}")));
            }
        };
        let left = environments(server);
        ensure!(gone.keys().all(|namespace| !left.contains_key(namespace)), "left behind: {left:?}");
        let overruns = callers.into_iter().map(|caller| caller.join().expect("a caller"));
        overruns
            .map(|overrun| {
                let Overrun { namespace, deadline_ms, answered_ms } = overrun?;
                let gone_ms = gone.get(&namespace).context("an environment that was watched")?;
                Ok(Kill { answered_ms: answered_ms - deadline_ms, gone_ms: gone_ms - deadline_ms })
            })
            .collect()
    })
}

/// Waits until all processes of all environments are there, which only the kill ends; by their pid namespaces.
fn overrunning(server: &Server, at_once: usize) -> Result<BTreeMap<PathBuf, Vec<Process>>> {
    let began = Instant::now();
    loop {
        let found = environments(server);
        if found.len() == at_once && found.values().all(|processes| processes.len() == PROCESSES) {
            return Ok(found);
        }
        if began.elapsed() > PATIENCE {
            let counts: Vec<usize> = found.values().map(Vec::len).collect();
            bail!("environments of {counts:?} processes, not {at_once} of {PROCESSES}");
        }
        std::thread::sleep(LOOK * 10);
    }
}

/// When the last process of each environment was seen to be gone.
fn watch(overrunning: &BTreeMap<PathBuf, Vec<Process>>) -> Result<BTreeMap<PathBuf, f64>> {
    let began = Instant::now();
    let mut alive = overrunning.clone();
    let mut gone = BTreeMap::new();
    while !alive.is_empty() {
        ensure!(began.elapsed() < PATIENCE, "not killed: {alive:?}");
        std::thread::sleep(LOOK);
        alive.retain(|namespace, processes| {
            processes.retain(Process::is_alive);
            if processes.is_empty() {
                gone.insert(namespace.clone(), now_ms());
            }
            !processes.is_empty()
        });
    }
    Ok(gone)
}

/// An invocation that used up its time; in ms since 1970.
#[derive(Debug)]
struct Overrun {
    namespace: PathBuf,
    deadline_ms: f64,
    answered_ms: f64,
}

fn overrun(server: &Server) -> Result<Overrun> {
    let url = format!("{}/2015-03-31/functions/runaway/invocations", server.endpoint);
    let event = json!({ "children": CHILDREN }).to_string();
    let headers = [("x-amz-log-type", "Tail")];
    let answer =
        Client::default().send("POST", &url, &headers, event.as_bytes()).map_err(anyhow::Error::msg)?;
    let answered_ms = now_ms();
    ensure!(answer.text().contains("timed out"), "not timed out: {} {}", answer.status, answer.text());
    let log = log_tail(&answer)?;
    let line =
        log.lines().find_map(|line| line.strip_prefix("runaway ")).context("the function's own line")?;
    let (namespace, deadline_ms) = line.split_once(' ').context("two words")?;
    Ok(Overrun { namespace: namespace.into(), deadline_ms: deadline_ms.trim().parse()?, answered_ms })
}

fn log_tail(answer: &Answer) -> Result<String> {
    let tail = answer.header("x-amz-log-result").context("a log tail")?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(tail)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs_f64() * 1000.0
}
