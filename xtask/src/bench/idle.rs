//! Idle environments: what each takes of the machine's memory beside the function's own.

use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pitbird_testkit::{Client, Server};

use super::Figure;
use super::platform::{create_function, environments, resident_bytes, serve_with, static_function};

const ENVIRONMENTS: usize = 500;
/// How long each of the calls that bring them up is at work, so that none can be served by the environment of another.
const BUSY: Duration = Duration::from_secs(6);
/// From the last answer until it is looked at: what was needed for the burst alone has gone by then.
const SETTLING: Duration = Duration::from_secs(5);

/// Everything in KiB.
#[derive(Debug, Default, Clone, Copy)]
struct Memory {
    /// Resident in the server.
    server: f64,
    /// Resident in the spawner.
    spawner: f64,
    /// Of all sandboxes' first processes, shared pages by share.
    first_processes: f64,
    /// Of all functions' processes, likewise.
    functions: f64,
    /// The kernel's own, charged to the sandboxes' control groups.
    kernel_charged: f64,
    /// The kernel's own that can't be reclaimed, of the whole host.
    kernel_host: f64,
    environments: usize,
}

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    let function = std::fs::read(static_function(root)?)?;
    let server = serve_with(root, &["--parked", "0"])?;
    create_function(&server, "idle", "provided.al2023", "bootstrap", &[("bootstrap", &function)])?;
    // What the server makes for its first environment is not what another one costs.
    bring_up(&server, 1)?;
    std::thread::sleep(SETTLING);
    let before = memory(&server)?;
    bring_up(&server, ENVIRONMENTS)?;
    std::thread::sleep(SETTLING);
    let after = memory(&server)?;
    ensure!(after.environments == ENVIRONMENTS, "{} environments", after.environments);
    let each = |of: fn(&Memory) -> f64| {
        (of(&after) - of(&before)) / (after.environments - before.environments) as f64
    };
    let (server, spawner) = (each(|memory| memory.server), each(|memory| memory.spawner));
    let (first, charged) = (each(|memory| memory.first_processes), each(|memory| memory.kernel_charged));
    let measured = format!(
        "{:.0} KiB: server {server:.0}, spawner {spawner:.0}, the sandbox's first process {first:.0}, kernel memory charged \
         to its control group {charged:.0}; the function's own {:.0} (PSS) beside that; all kernel memory of the host grew by \
         {:.0}",
        server + spawner + first + charged,
        each(|memory| memory.functions),
        each(|memory| memory.kernel_host),
    );
    Ok(vec![Figure::new(
        format!(
            "{ENVIRONMENTS} idle environments of a static Rust function, each, beside the function's own memory"
        ),
        "≤ 600 KiB",
        measured,
    )])
}

/// So many environments at once, each with one invocation behind it.
fn bring_up(server: &Server, count: usize) -> Result<()> {
    let url = format!("{}/2015-03-31/functions/idle/invocations", server.endpoint);
    let event = format!("{{\"wait_ms\":{}}}", if count == 1 { 0 } else { BUSY.as_millis() });
    let start = Barrier::new(count);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..count)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    Client::default().send("POST", &url, &[], event.as_bytes())
                })
            })
            .collect();
        callers.into_iter().try_for_each(|caller| {
            let answer = caller.join().expect("a caller").map_err(anyhow::Error::msg)?;
            let is_well = answer.is_success() && answer.header("x-amz-function-error").is_none();
            ensure!(is_well, "{} {}", answer.status, answer.text());
            Ok(())
        })
    })?;
    ensure!(began.elapsed() < BUSY * 2, "too slow for all to be up at once: {:?}", began.elapsed());
    Ok(())
}

fn memory(server: &Server) -> Result<Memory> {
    let environments = environments(server);
    let mut memory = Memory {
        server: resident_bytes(server.pid())? / 1024.0,
        kernel_host: kernel_of_the_host()?,
        environments: environments.len(),
        ..Memory::default()
    };
    for process in server.family() {
        if pid_inside(process.pid)?.is_none() {
            memory.spawner += resident_bytes(process.pid)? / 1024.0;
        }
    }
    for process in environments.values().flatten() {
        if pid_inside(process.pid)? == Some(1) {
            memory.first_processes += share(process.pid)?;
            memory.kernel_charged += kernel_charged(process.pid)?;
        } else {
            memory.functions += share(process.pid)?;
        }
    }
    Ok(memory)
}

/// A process's id in a pid namespace of its own; `None` where it is in ours.
fn pid_inside(pid: u32) -> Result<Option<u32>> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).context("NSpid")?;
    line.split_whitespace().nth(1).map(|inside| Ok(inside.parse()?)).transpose()
}

/// Pages of its own, and its share of those that it shares, KiB.
fn share(pid: u32) -> Result<f64> {
    kib_in(&format!("/proc/{pid}/smaps_rollup"), &["Pss:"])
}

/// Slabs that can't be given back, stacks, page tables and per-CPU memory, KiB.
fn kernel_of_the_host() -> Result<f64> {
    kib_in("/proc/meminfo", &["SUnreclaim:", "KernelStack:", "PageTables:", "Percpu:"])
}

fn kib_in(file: &str, names: &[&str]) -> Result<f64> {
    let text = std::fs::read_to_string(file)?;
    let kib = |name: &&str| -> Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(*name)).context("a figure in KiB")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    };
    names.iter().map(kib).sum()
}

/// The kernel's memory of the control group that a process is in, KiB.
fn kernel_charged(pid: u32) -> Result<f64> {
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    if let Some(path) = groups.lines().find_map(|line| line.split_once(":memory:").map(|(_, path)| path)) {
        let text =
            std::fs::read_to_string(format!("/sys/fs/cgroup/memory{path}/memory.kmem.usage_in_bytes"))?;
        return Ok(text.trim().parse::<f64>()? / 1024.0);
    }
    let path = groups.lines().find_map(|line| line.strip_prefix("0::")).context("a control group")?;
    let text = std::fs::read_to_string(format!("/sys/fs/cgroup{path}/memory.stat"))?;
    let bytes = text.lines().find_map(|line| line.strip_prefix("kernel ")).context("the kernel's memory")?;
    Ok(bytes.trim().parse::<f64>()? / 1024.0)
}
