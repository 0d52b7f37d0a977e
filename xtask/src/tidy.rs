//! The rules of the house that no compiler checks: which crate may know which, how long a file may get, which names
//! are no names, and that every crate says what it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Which layer a crate is on; it may depend on lower ones only. A new row, or a moved one, needs a page in
/// `docs/decisions/`.
const LAYERS: &[(&str, u8)] = &[
    ("models", 1),
    ("egress", 1),
    ("filterpattern", 1),
    ("names", 1),
    ("paths", 1),
    ("sandbox", 1),
    ("trace", 1),
    ("webhook", 1),
    ("analysis", 2),
    ("event", 2),
    ("insights", 2),
    ("jwt", 2),
    ("mapping", 2),
    ("metricmath", 2),
    ("plot", 2),
    ("prices", 2),
    ("records", 2),
    ("sigv4", 2),
    ("telemetry", 2),
    ("wire", 2),
    ("openapi", 3),
    ("otlp", 3),
    ("rollout", 3),
    ("service", 3),
    ("snapshot", 3),
    ("aws", 4),
    ("control", 4),
    ("simulation", 4),
    ("store", 4),
    ("cloudwatch", 5),
    ("iam", 5),
    ("invoke", 5),
    ("logs", 5),
    ("s3", 5),
    ("sts", 5),
    ("apigateway", 6),
    ("apigatewayv2", 6),
    ("codedeploy", 6),
    ("edge", 6),
    ("lambda", 6),
    ("rollouts", 6),
    ("usage", 6),
    ("cli", 7),
    ("console", 8),
    ("server", 9),
];

/// Crates that only tests depend on; they may know everything.
const ASIDE: &[&str] = &["testkit", "hostile", "e2e"];

/// Beyond this a file tells more than one story.
const FILE_LINES_MAX: usize = 600;

/// Words that name nothing.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// Leftovers that must not be committed. Split so that this file passes its own check.
const LEFTOVERS: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("HA", "CK:"), concat!("#[ig", "nore")];

pub fn run(root: &Path) -> Result<()> {
    let mut faults = Vec::new();
    layers(root, &mut faults)?;
    files(root, &mut faults)?;
    decisions(root, &mut faults)?;
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        eprintln!("tidy: {fault}");
    }
    bail!("{} rule(s) of the house broken", faults.len())
}

fn layers(root: &Path, faults: &mut Vec<String>) -> Result<()> {
    let layers: BTreeMap<&str, u8> = LAYERS.iter().copied().collect();
    for manifest in manifests(root)? {
        let text = fs::read_to_string(&manifest)?;
        let table: toml::Table = text.parse().with_context(|| manifest.display().to_string())?;
        let name = table["package"]["name"].as_str().unwrap_or_default().to_owned();
        let Some(own) = name.strip_prefix("pitbird-") else { continue };
        if ASIDE.contains(&own) {
            continue;
        }
        let Some(layer) = layers.get(own) else {
            faults.push(format!("{name} is on no layer; add it to LAYERS with a decision record"));
            continue;
        };
        let dependencies = table.get("dependencies").and_then(|table| table.as_table());
        for dependency in dependencies.into_iter().flat_map(|table| table.keys()) {
            let Some(other) = dependency.strip_prefix("pitbird-") else { continue };
            match layers.get(other) {
                Some(below) if below < layer => {}
                _ => faults.push(format!("{name} (layer {layer}) must not depend on {dependency}")),
            }
        }
    }
    Ok(())
}

fn files(root: &Path, faults: &mut Vec<String>) -> Result<()> {
    for path in sources(root)? {
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let text = fs::read_to_string(&path)?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_test = shown.contains("/tests/") || stem == "tests";
        if !is_test && text.lines().count() > FILE_LINES_MAX {
            faults.push(format!("{shown} has more than {FILE_LINES_MAX} lines"));
        }
        if EMPTY_NAMES.contains(&stem) {
            faults.push(format!("{shown}: `{stem}` names nothing; find the noun"));
        }
        if (stem == "lib" || stem == "main") && !text.starts_with("//!") {
            faults.push(format!("{shown} doesn't begin with what it is (`//!`)"));
        }
        for leftover in LEFTOVERS.iter().filter(|word| text.contains(**word)) {
            faults.push(format!("{shown} contains {leftover}"));
        }
    }
    Ok(())
}

/// Every decision says what was decided, why, and what would change our mind.
fn decisions(root: &Path, faults: &mut Vec<String>) -> Result<()> {
    let folder = root.join("docs/decisions");
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        for heading in ["## Context", "## Decision", "## Consequences", "## What would change our mind"] {
            if !text.contains(heading) {
                faults.push(format!("{} lacks \"{heading}\"", path.display()));
            }
        }
    }
    Ok(())
}

fn manifests(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let manifest = entry?.path().join("Cargo.toml");
        found.extend(manifest.exists().then_some(manifest));
    }
    Ok(found)
}

fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("xtask"), root.join("bench")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
