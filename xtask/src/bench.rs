//! Measures pitbird beside its peers, in alternation and in one run, and writes docs/performance.md.
//!
//! Needs wrk and nginx for some rows, and Python packages for one. Servers and load stay on loopback and end with the run.
//! Ratios travel between machines, absolute figures don't.

mod admission;
mod clients;
mod cold;
mod connection;
mod connections;
mod console;
mod functions;
mod gateway;
mod idle;
mod kill;
mod load;
mod losses;
mod page;
mod peers;
mod platform;
mod put_logs;
mod releases;
mod switch;
mod telemetry;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

/// What to measure
#[derive(clap::Args)]
pub struct Options {
    /// Measure only these: mock, proxy, gateway, admission, connections, cold, functions, clients, kill, idle, losses, start, switch, releases, rollout-memory, store, analysis, telemetry, telemetry-off, metrics, alarms, logs, put-logs, console
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds of each alternating pair
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load in each round
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Measure what target/ has already, without building it
    #[arg(long)]
    no_build: bool,
    /// Don't write docs/performance.md
    #[arg(long)]
    dry: bool,
}

/// One line of the page.
pub struct Figure {
    pub what: String,
    pub goal: &'static str,
    pub measured: String,
}

impl Figure {
    fn new(what: impl Into<String>, goal: &'static str, measured: impl Into<String>) -> Figure {
        Figure { what: what.into(), goal, measured: measured.into() }
    }
}

/// Tools of the host's, and which measurements need them.
const TOOLS: [(&str, &[&str]); 2] = [
    (
        "wrk",
        &[
            "mock",
            "proxy",
            "gateway",
            "admission",
            "connections",
            "clients",
            "switch",
            "telemetry-off",
            "console",
        ],
    ),
    ("nginx", &["mock", "proxy", "gateway", "connections"]),
];

pub fn run(root: &Path, options: &Options) -> Result<()> {
    let wants = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    for (tool, for_what) in TOOLS {
        let is_needed = for_what.iter().any(|name| wants(name));
        if is_needed && Command::new(tool).arg("-v").output().is_err() {
            bail!("{tool} is not installed\nhint: apt-get install {tool}");
        }
    }
    if !options.no_build {
        build(root)?;
    }
    let (mut figures, mut failed) = (Vec::new(), Vec::new());
    let mut measure = |name: &'static str, figures_of: &dyn Fn() -> Result<Vec<Figure>>| {
        if !wants(name) {
            return;
        }
        eprintln!("bench: {name}");
        match figures_of() {
            Ok(found) => {
                for figure in &found {
                    eprintln!("{}: {} (goal {})", figure.what, figure.measured, figure.goal);
                }
                figures.extend(found);
            }
            // What else there is to measure takes an hour, and isn't lost for it.
            Err(error) => {
                eprintln!("bench: {name} failed: {error:#}");
                failed.push(name);
            }
        }
    };
    measure("start", &|| platform::start(root));
    measure("mock", &|| load::mock(root, options));
    measure("proxy", &|| load::proxy(root, options));
    measure("gateway", &|| gateway::figures(root, options));
    measure("admission", &|| admission::figures(root, options));
    measure("connections", &|| connections::figures(root, options));
    measure("cold", &|| cold::figures(root));
    measure("functions", &|| functions::figures(root));
    measure("clients", &|| clients::figures(root, options));
    measure("kill", &|| kill::figures(root));
    measure("idle", &|| idle::figures(root));
    measure("losses", &|| losses::figures(root));
    measure("switch", &|| switch::figures(root));
    measure("releases", &|| releases::figures(root));
    measure("rollout-memory", &|| releases::memory(root));
    measure("rollout-memory", &|| {
        example(root, "pitbird-rollouts", "rollout_memory", "a rollout's live bytes", "≤ 64 KiB")
    });
    measure("store", &|| {
        example(root, "pitbird-store", "commit_rate", "durable control-plane write", "≥ 0.8 × the engine")
    });
    measure("analysis", &|| {
        example(root, "pitbird-analysis", "speed", "analysis", "≥ 5 M bucket·alternatives/s")
    });
    measure("telemetry", &|| {
        example(root, "pitbird-telemetry", "measure", "measuring one request", "≤ 200 ns")
    });
    measure("telemetry-off", &|| telemetry::figures(root, options));
    measure("metrics", &|| example(root, "pitbird-cloudwatch", "metric_math", "metric math", "≤ 50 ms"));
    measure("alarms", &|| {
        let goal = "≤ 500 ms of CPU a cycle, fired ≤ 2 s after the period";
        example(root, "pitbird-cloudwatch", "alarms_cycle", "ten thousand alarms on as many series", goal)
    });
    measure("logs", &|| {
        example(
            root,
            "pitbird-telemetry",
            "logs",
            "ten million log events of a day",
            "a selective term ≤ 1 s",
        )
    });
    measure("put-logs", &|| put_logs::figures(root));
    measure("console", &|| console::figures(root, options));
    if !options.dry && options.only.is_empty() {
        page::write(root, &figures)?;
    }
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}

fn build(root: &Path) -> Result<()> {
    let builds: [(&Path, &[&str]); 2] = [
        (root, &["build", "--release", "--locked", "--bin", "pitbird"]),
        (&root.join("bench"), &["build", "--release", "--locked"]),
    ];
    for (folder, arguments) in builds {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(folder);
        if folder != root {
            command.env("CARGO_TARGET_DIR", root.join("target/bench"));
        }
        if !command.status()?.success() {
            bail!("cargo {} failed", arguments.join(" "));
        }
    }
    Ok(())
}

/// Runs a crate's own measuring example and keeps what it prints: a row a line, after one that says what for.
fn example(root: &Path, package: &str, name: &str, what: &str, goal: &'static str) -> Result<Vec<Figure>> {
    let arguments = ["run", "--quiet", "--release", "--locked", "--package", package, "--example", name];
    let output = Command::new("cargo").args(arguments).current_dir(root).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.trim().lines().map(|line| {
        let (what, measured) = line.split_once("  ").or_else(|| line.rsplit_once(": ")).unwrap_or((line, ""));
        let measured: Vec<&str> =
            measured.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect();
        Figure::new(format!("— {}", what.trim()), "", measured.join(", "))
    });
    Ok([Figure::new(what, goal, "")].into_iter().chain(rows).collect())
}

/// The middle one of some numbers.
pub fn median(numbers: &[f64]) -> f64 {
    quantile(numbers, 0.5)
}

/// The number that a share of the numbers stays below.
pub fn quantile(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
