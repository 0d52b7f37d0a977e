//! What this host can do, and whether `serve` could run.

mod host;

use std::path::PathBuf;

use pitbird_sandbox::{CgroupVersion, Level, Report};
use serde_json::{Value as Json, json};

use crate::arguments::Output;
use crate::{print, table};

pub use host::examine;

/// What was found out about this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostReport {
    /// The kernel's release.
    pub kernel: String,
    /// What sandboxes get, or why there can be none.
    pub isolation: Result<Report, String>,
    pub runtimes: Vec<Runtime>,
    /// The address that `serve` would listen on.
    pub listen: std::net::SocketAddr,
    /// Why it can't listen there.
    pub listen_fault: Option<String>,
}

/// A Lambda runtime and what would run it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// `python3.13`, `nodejs22.x`, `provided.al2023`.
    pub name: String,
    /// What runs it, as in `/usr/bin/python3.13 (3.13.2)`; or why nothing does.
    pub found: Result<String, String>,
    /// Somebody says which program it is to be. If that can't serve, nothing is served at all.
    pub is_chosen: bool,
}

impl Runtime {
    /// A runtime that an interpreter of the host's runs. `version` is the interpreter's own.
    pub fn with(name: impl Into<String>, program: PathBuf, version: &str) -> Runtime {
        let found = Ok(format!("{} ({version})", program.display()));
        Runtime { name: name.into(), found, is_chosen: false }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub about: String,
    pub state: State,
    pub words: String,
    /// What would help.
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Good,
    /// `serve` runs, with less than it could.
    Less,
    /// `serve` can't run.
    Bad,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Good => "ok",
            State::Less => "less",
            State::Bad => "fails",
        }
    }
}

/// The findings, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doctor {
    pub findings: Vec<Finding>,
}

impl Doctor {
    pub fn new(host: &HostReport) -> Doctor {
        let mut findings = vec![kernel(host)];
        isolation(host, &mut findings);
        findings.extend(host.runtimes.iter().map(runtime));
        findings.push(port(host));
        Doctor { findings }
    }

    /// Whether `serve` could run.
    pub fn can_serve(&self) -> bool {
        self.findings.iter().all(|finding| finding.state != State::Bad)
    }

    /// In the form that was asked for.
    pub fn rendered(&self, output: Output) -> String {
        if output != Output::Table {
            return print::rendered(&self.to_json(), output);
        }
        let rows: Vec<Vec<String>> = self
            .findings
            .iter()
            .map(|finding| {
                vec![finding.state.as_str().to_owned(), finding.about.clone(), finding.words.clone()]
            })
            .collect();
        let mut text = table::columns(&rows);
        for hint in self.findings.iter().filter_map(|finding| finding.hint.as_ref()) {
            text.push_str(&format!("hint: {hint}\n"));
        }
        text.push_str(if self.can_serve() {
            "`pitbird serve` can run here.\n"
        } else {
            "`pitbird serve` can't run here.\n"
        });
        text
    }

    fn to_json(&self) -> Json {
        let findings: Vec<Json> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "About": finding.about, "State": finding.state.as_str(), "Finding": finding.words,
                    "Hint": finding.hint,
                })
            })
            .collect();
        json!({"CanServe": self.can_serve(), "Findings": findings})
    }
}

fn finding(about: impl Into<String>, state: State, words: impl Into<String>) -> Finding {
    Finding { about: about.into(), state, words: words.into(), hint: None }
}

fn kernel(host: &HostReport) -> Finding {
    finding("kernel", State::Good, &host.kernel)
}

fn isolation(host: &HostReport, findings: &mut Vec<Finding>) {
    let report = match &host.isolation {
        Ok(report) => report,
        Err(why) => {
            findings.push(finding("isolation", State::Bad, why));
            return;
        }
    };
    let is_namespaced = report.level >= Level::NamespacesUser;
    let mut level =
        finding("isolation", if is_namespaced { State::Good } else { State::Less }, report.level.as_str());
    if !is_namespaced {
        level.hint = Some(
            "functions see more of this host than on Lambda; --minimum-isolation refuses to serve so"
                .to_owned(),
        );
    }
    findings.push(level);
    findings.push(cgroups(report));
    if report.has_cpu_shares {
        findings.push(finding(
            "CPU share",
            State::Good,
            "in proportion to memory with --cpu-share by-memory",
        ));
    }
    // Why there are no control groups is said where they are.
    let why_no_cgroups = report.why_no_cgroups();
    for missing in report.missing.iter().filter(|missing| Some(missing.why.as_str()) != why_no_cgroups) {
        findings.push(finding(&missing.what, State::Less, format!("not given: {}", missing.why)));
    }
}

fn cgroups(report: &Report) -> Finding {
    let version = report.cgroups.as_str();
    match report.why_no_cgroups() {
        Some(why) => finding("cgroups", State::Less, format!("{version}: {why}")),
        None if report.cgroups == CgroupVersion::None => finding("cgroups", State::Less, version),
        None => finding("cgroups", State::Good, version),
    }
}

fn runtime(runtime: &Runtime) -> Finding {
    match &runtime.found {
        Ok(words) => finding(&runtime.name, State::Good, words),
        Err(why) if runtime.is_chosen => Finding {
            hint: Some(format!("choose another program, or leave out --runtime {}", runtime.name)),
            ..finding(&runtime.name, State::Bad, why)
        },
        Err(why) => finding(&runtime.name, State::Less, why),
    }
}

fn port(host: &HostReport) -> Finding {
    let about = format!("port {}", host.listen.port());
    match &host.listen_fault {
        None => finding(about, State::Good, format!("{} is free", host.listen)),
        Some(why) => Finding {
            hint: Some("stop what listens there, or serve elsewhere with --listen 127.0.0.1:0".to_owned()),
            ..finding(about, State::Bad, format!("can't listen on {}: {why}", host.listen))
        },
    }
}

#[cfg(test)]
mod tests;
