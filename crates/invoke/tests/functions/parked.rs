//! Interpreters that were started before their function was known: functions can't tell, and nothing stays of them.

use std::time::Duration;

use pitbird_invoke::{EventPolicy, Limits};
use pitbird_records::Texts;

use crate::bench::{Bench, Draft, bench_with, has, invocation, json, node, python, text};

/// A door that keeps so many interpreters started.
async fn door(parked: u32, runtime: &str) -> Option<Bench> {
    let bench = bench_with(Limits { parked, ..Limits::default() }, EventPolicy::default()).await;
    has(&bench, runtime).await.then_some(bench)
}

impl Bench {
    async fn until_parked(&self, count: usize) {
        let mut parked = self.invoker.parked();
        let wait = parked.wait_for(|now| *now == count);
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("so many within 20 s").unwrap();
    }

    /// Has a function of the same kind run, so that others like it are parked.
    async fn park(&self, draft: &Draft, count: usize) {
        let handler = match draft.runtime {
            "python3.11" => ("app.py", "def handler(event, context):\n    return 1\n".to_owned(), 0o644),
            _ => ("app.js", "exports.handler = async () => 1;\n".to_owned(), 0o644),
        };
        let function = self.create(Draft { name: "first", files: vec![handler], ..draft.clone() }).await;
        assert_eq!(text(&self.invoke(&function, "").await), "1");
        self.until_parked(count).await;
    }
}

/// Processes of this test's sandboxes that run our half of a runtime, with their number on the host.
fn interpreters() -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_ours = |pid: &u32| {
        let spawner = parent(*pid).and_then(parent);
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        spawner.and_then(parent) == Some(std::process::id())
            && String::from_utf8_lossy(&arguments).contains("/var/runtime/bootstrap")
    };
    processes.filter(is_ours).collect()
}

fn signal(pid: u32, signal: &str) {
    let status = std::process::Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Says all that a function can learn about itself, and whether its interpreter had been parked.
const PYTHON_LOOKS: &str = r#"
import sys
was_parked = "json" in sys.modules
import os, json, re
def read(path):
    with open(path) as file: return file.read()
def handler(event, context):
    mounts = sorted(re.sub("[ug]id=[0-9]+", "", line.split(" ", 3)[3]) for line in read("/proc/self/mountinfo").splitlines())
    status = [line for line in read("/proc/self/status").splitlines() if re.match("Uid|Gid|Groups|Cap|NoNew|Secc|Sig(Ign|Blk)|NSp|Name", line)]
    descriptors = {name: os.readlink("/proc/self/fd/" + name) for name in sorted(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd/" + name)}
    return was_parked, {
        "env": list(os.environ.items()), "raw": sorted(map(repr, os.environb.items())), "cwd": os.getcwd(), "path": sys.path,
        "argv": sys.argv, "flags": str(sys.flags), "orig": sys.orig_argv, "prefix": sys.prefix, "main": sys.modules["__main__"].__file__,
        "limits": read("/proc/self/limits"), "mounts": mounts, "status": status, "command": read("/proc/self/cmdline"),
        "fds": [re.sub("[0-9]+", "", where) for where in descriptors.values()], "numbers": list(descriptors),
        "nice": os.getpriority(os.PRIO_PROCESS, 0), "policy": os.sched_getscheduler(0), "pid": os.getpid(), "umask": os.umask(0o22),
        "files": [sorted(os.listdir(place)) for place in ("/", "/var/task", "/opt", "/tmp", "/var/runtime")],
        "log": os.popen("echo $AWS_LAMBDA_FUNCTION_NAME $_PITBIRD_IDENTITY").read(), "hooks": [type(hook).__name__ for hook in sys.meta_path],
        "handlers": str(__import__("logging").getLogger().handlers),
    }
"#;

const NODE_LOOKS: &str = r"
const wasParked = process.moduleLoadList.includes('NativeModule https');
const fs = require('fs'), os = require('os');
const read = (path) => fs.readFileSync(path, 'utf8');
exports.handler = async () => [wasParked, {
  env: Object.entries(process.env), cwd: process.cwd(), argv: process.argv, execArgv: process.execArgv, paths: module.paths,
  global: require('module').globalPaths, heap: require('v8').getHeapStatistics().heap_size_limit, keys: Object.keys(globalThis),
  limits: read('/proc/self/limits'), mounts: read('/proc/self/mountinfo').trim().split('\n').map((line) =>
    line.split(' ').slice(3).join(' ').replace(/[ug]id=[0-9]+/g, '')).sort(),
  status: read('/proc/self/status').split('\n').filter((line) => /^(Uid|Gid|Groups|Cap|NoNew|Secc|Sig(Ign|Blk)|NSp|Name)/.test(line)),
  command: read('/proc/self/cmdline'), nice: os.getPriority(), pid: process.pid, umask: process.umask(),
  fds: ['0', '1', '2', '63'].map((number) => fs.existsSync(`/proc/self/fd/${number}`) && fs.readlinkSync(`/proc/self/fd/${number}`).replace(/[0-9]/g, '')),
  files: ['/', '/var/task', '/opt', '/tmp', '/var/runtime'].map((place) => fs.readdirSync(place).sort()),
  shell: require('child_process').execFileSync('/bin/sh', ['-c', 'echo $AWS_LAMBDA_FUNCTION_NAME $_PITBIRD_IDENTITY; env | sort'], { encoding: 'utf8' }),
  listeners: process.eventNames().map(String), zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
}];
";

fn looks(runtime: &str) -> Draft {
    let draft = match runtime {
        "python3.11" => python("looks", PYTHON_LOOKS),
        _ => node("looks", NODE_LOOKS),
    };
    let variables = [("OWN", "ü = ok"), ("EMPTY", ""), ("LANG", "en_US.UTF-8"), ("AAA", "first\nof all")];
    let environment: Texts =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let layer = vec![("python/own.py", "x = 1\n".to_owned(), 0o644)];
    Draft { environment: Some(environment), layers: vec![layer], ..draft }
}

/// What a function sees in a door with so many parked, but for the name of its log stream.
async fn seen(parked: u32, runtime: &str) -> Option<(bool, serde_json::Value)> {
    let bench = door(parked, runtime).await?;
    let draft = looks(runtime);
    bench.park(&draft, parked as usize).await;
    let function = bench.create(draft).await;
    let mut call = invocation("{}");
    call.trace_id = Some("Root=1-2-3".to_owned());
    let outcome = bench.invoker.invoke(&function, None, 0.0, call).await.unwrap();
    assert_eq!(outcome.function_error, None, "{}", text(&outcome));
    let mut log = bench.log("looks").await;
    let report = log.iter().find(|line| line.starts_with("REPORT")).unwrap();
    assert!(report.contains("Init Duration: "), "{report}");
    log.retain(|line| !line.starts_with("REPORT"));
    assert_eq!(log.len(), 3, "{log:?}");
    assert!(log[0].starts_with("INIT_START Runtime Version: "), "{log:?}");
    let stream = bench.logs("/aws/lambda/looks").await.remove(0).0;
    let answer = text(&outcome).replace(&stream, "STREAM");
    // The host's name of the code is a hash in a folder of this door's own.
    let data = bench.data.as_ref().unwrap().path().to_string_lossy().into_owned();
    let answer: serde_json::Value = serde_json::from_str(&answer.replace(&data, "DATA")).unwrap();
    Some((answer[0].as_bool().unwrap(), answer[1].clone()))
}

async fn check_equal(runtime: &str) {
    let Some((was_parked, fresh)) = seen(0, runtime).await else { return };
    assert!(!was_parked);
    let (was_parked, parked) = seen(1, runtime).await.unwrap();
    assert!(was_parked);
    for (name, value) in fresh.as_object().unwrap() {
        assert_eq!(value, &parked[name], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_sees_what_it_sees_after_a_fresh_start() {
    check_equal("python3.11").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_sees_what_it_sees_after_a_fresh_start() {
    check_equal("nodejs20.x").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_serves_one_environment_and_shares_nothing() {
    let Some(bench) = door(2, "python3.11").await else { return };
    let code = r#"
import sys
was_parked = "json" in sys.modules
import os, json, threading, time
def handler(event, context):
    seen = [os.path.exists("/tmp/mark"), getattr(json, "mark", None), os.environ.get("MARK")]
    open("/tmp/mark", "w").close()
    json.mark = os.environ["MARK"] = context.function_name
    return [was_parked, *seen]
"#;
    bench.park(&python("one", code), 2).await;
    for name in ["one", "other", "third"] {
        let function = bench.create(python(name, code)).await;
        let said = json(&bench.invoke(&function, "").await);
        assert_eq!(said, serde_json::json!([true, false, null, null]), "{name}");
        let again = json(&bench.invoke(&function, "").await);
        assert_eq!(again, serde_json::json!([true, true, name, name]), "{name}");
        bench.until_parked(2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_interpreters_read_when_they_start_is_read() {
    let Some(bench) = door(1, "python3.11").await else { return };
    let code = "import sys\nwas_parked = 'json' in sys.modules\nimport os, time\ndef handler(event, context):\n    return [was_parked, '/tmp/own' in sys.path, time.tzname[0]]\n";
    let with = |name, variable: &str, value: &str| {
        let environment = [(variable.to_owned(), value.to_owned())].into_iter().collect();
        Draft { environment: Some(environment), ..python(name, code) }
    };
    let library = Draft {
        files: vec![("app.py", code.to_owned(), 0o644), ("lib/libown.so", String::new(), 0o644)],
        ..python("library", code)
    };
    let layer = Draft { layers: vec![vec![("lib/a", String::new(), 0o644)]], ..python("layer", code) };
    let mut wrapper = with("wrapper", "AWS_LAMBDA_EXEC_WRAPPER", "/var/task/wrap");
    wrapper.files.push(("wrap", "#!/bin/bash\nexec \"$@\"\n".to_owned(), 0o755));
    bench.park(&python("plain", code), 1).await;
    for (draft, expected) in [
        (python("plain", code), (true, false, "UTC")),
        (with("harmless", "OWN", "x"), (true, false, "UTC")),
        (with("the_same", "TZ", ":UTC"), (true, false, "UTC")),
        (with("path", "PYTHONPATH", "/tmp/own"), (false, true, "UTC")),
        (with("zone", "TZ", "OWN-1"), (false, false, "OWN")),
        (with("preload", "LD_PRELOAD", ""), (false, false, "UTC")),
        (with("search", "LD_LIBRARY_PATH", "/var/task"), (false, false, "UTC")),
        (wrapper, (false, false, "UTC")),
        (library, (false, false, "UTC")),
        (layer, (false, false, "UTC")),
    ] {
        let name = draft.name;
        bench.until_parked(1).await;
        let function = bench.create(draft).await;
        let said = json(&bench.invoke(&function, "").await);
        assert_eq!(said, serde_json::json!([expected.0, expected.1, expected.2]), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_of_the_functions_hides_one_that_was_loaded_early() {
    let Some(bench) = door(1, "python3.11").await else { return };
    let files = vec![
        (
            "app.py",
            "import json, uuid, datetime, logging, threading\ndef handler(event, context):\n    thread = threading.Thread(target=logging.warning, args=['said'])\n    thread.start()\n    thread.join()\n    return [json.own, str(uuid.UUID(int=1)), datetime.date(2024, 1, 2).isoformat()]\n"
                .to_owned(),
            0o644,
        ),
        ("json.py", "own = 'mine'\n".to_owned(), 0o644),
    ];
    let draft = Draft { files, ..python("f", "") };
    bench.park(&draft, 1).await;
    let function = bench.create(draft).await;
    let expected = r#"["mine", "00000000-0000-0000-0000-000000000001", "2024-01-02"]"#;
    assert_eq!(text(&bench.invoke(&function, "").await), expected);
    bench.until_log("f", |lines| lines.iter().any(|line| line.ends_with("said\n"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn es_modules_and_errors_are_as_after_a_fresh_start() {
    let Some(bench) = door(1, "nodejs20.x").await else { return };
    let files = vec![
        (
            "app.mjs",
            "import { own } from './lib.mjs';\nconsole.log('loaded', process.cwd());\nexport const handler = async (event) => { if (event.fails) throw new TypeError('no'); return own; };\n"
                .to_owned(),
            0o644,
        ),
        ("lib.mjs", "export const own = 'mine';\n".to_owned(), 0o644),
    ];
    let draft = Draft { files, ..node("f", "") };
    bench.park(&draft, 1).await;
    let function = bench.create(draft).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), "\"mine\"");
    let failed = bench.invoke(&function, r#"{"fails": true}"#).await;
    assert_eq!(
        (failed.function_error, &json(&failed)["errorType"]),
        (Some("Unhandled"), &"TypeError".into())
    );
    bench.until_log("f", |lines| lines.iter().any(|line| line.contains("loaded /var/task"))).await;
    bench.until_parked(1).await;
    let broken = bench.create(node("broken", "throw new RangeError('at the start');")).await;
    let outcome = bench.invoke(&broken, "{}").await;
    assert_eq!(json(&outcome)["errorType"], "RangeError", "{}", text(&outcome));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_memory_is_its_limit() {
    let Some(bench) = door(1, "python3.11").await else { return };
    let code = "import sys\nwas_parked = 'json' in sys.modules\ndef handler(event, context):\n    if event: bytearray(event << 20)\n    return was_parked\n";
    let draft = |name, memory_mib| Draft { memory_mib, ..python(name, code) };
    bench.park(&draft("small", 128), 1).await;
    let small = bench.create(draft("small", 128)).await;
    assert_eq!(text(&bench.invoke(&small, "0").await), "true");
    let outcome = bench.invoke(&small, "400").await;
    assert_eq!(json(&outcome)["errorType"], "Runtime.ExitError", "{}", text(&outcome));
    let ran_out = |line: &String| line.ends_with("Error Type: Runtime.OutOfMemory\n");
    bench.until_log("small", |lines| lines.iter().any(ran_out)).await;
    bench.until_parked(1).await;
    let large = bench.create(draft("large", 1024)).await;
    assert_eq!(text(&bench.invoke(&large, "400").await), "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_is_replaced_and_fails_nobody() {
    let Some(bench) = door(1, "python3.11").await else { return };
    let code = "def handler(event, context):\n    return 1\n";
    // Its own environment ends at once, so that those that wait are the only ones.
    bench.park(&python("f", code), 1).await;
    let running = bench.create(python("running", code)).await;
    let parked = |environments: &[u32]| -> u32 {
        let now = interpreters();
        *now.iter().find(|pid| !environments.contains(pid)).unwrap_or_else(|| panic!("{now:?}"))
    };
    // Before the second park there is the first environment's interpreter, and the one that waits is the younger.
    let mut all = interpreters();
    all.sort_unstable();
    let waits = *all.last().unwrap();
    let mut count = bench.invoker.parked();
    signal(waits, "-KILL");
    tokio::time::timeout(Duration::from_secs(20), count.changed()).await.expect("its death is seen").unwrap();
    bench.until_parked(1).await;
    let others: Vec<u32> = all.iter().copied().filter(|pid| *pid != waits).collect();
    let waits = parked(&others);
    // It dies with its function half in its hands.
    signal(waits, "-STOP");
    let invocation = async { text(&bench.invoke(&running, "").await).to_owned() };
    let death = async {
        bench.until_parked(0).await;
        signal(waits, "-KILL");
    };
    let (said, ()) = tokio::join!(invocation, death);
    assert_eq!(said, "1");
    let log = bench.log("running").await;
    assert_eq!(log.iter().filter(|line| line.starts_with("INIT_START")).count(), 1, "{log:?}");
    assert!(log.iter().any(|line| line.contains("Init Duration")), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_end_when_nobody_wants_them_and_at_the_end() {
    // Long enough for the second to be ready before the first is too old, on a busy host too.
    let limits = Limits { parked: 2, idle: Duration::from_secs(3), ..Limits::default() };
    let bench = bench_with(limits, EventPolicy::default()).await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let code = "def handler(event, context):\n    return 1\n";
    bench.park(&python("f", code), 2).await;
    bench.until_parked(0).await;
    bench.until_environments(|count| count == 0).await;

    let Some(bench) = door(2, "python3.11").await else { return };
    bench.park(&python("f", code), 2).await;
    let before = interpreters();
    assert!(before.len() >= 3, "{before:?}");
    bench.invoker.shutdown().await;
    assert_eq!(*bench.invoker.parked().borrow(), 0);
    bench.launcher.clone().shutdown().await;
    assert_eq!(interpreters(), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn none_are_started_before_a_function_is_or_where_none_are_wanted() {
    let Some(bench) = door(2, "python3.11").await else { return };
    assert_eq!(interpreters(), Vec::<u32>::new());
    let function = bench.create(python("f", "def handler(event, context):\n    return 1\n")).await;
    assert_eq!(interpreters(), Vec::<u32>::new());
    // What it takes to make a version ready is what makes it wanted.
    bench.invoker.prepare(function.resolve(None, 0.0).unwrap().version).await.unwrap();
    bench.until_parked(2).await;
    assert_eq!(interpreters().len(), 2);
}
