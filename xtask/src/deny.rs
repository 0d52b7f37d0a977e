//! Which licences our dependencies may carry, and where they may come from. The lists live in `deny.toml`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub fn run(root: &Path) -> Result<()> {
    let text = std::fs::read_to_string(root.join("deny.toml")).context("deny.toml")?;
    let rules: toml::Table = text.parse().context("deny.toml")?;
    let allowed = words(&rules["licenses"]["allow"]);
    let banned = words(&rules["bans"]["deny"]);
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let mut faults = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(source) = package["source"].as_str() else { continue };
        if !source.starts_with("registry+") {
            faults.push(format!("{name} comes from {source}, not from the registry"));
        }
        if banned.contains(name) {
            faults.push(format!("{name} is banned in deny.toml"));
        }
        let license = package["license"].as_str().unwrap_or("none");
        if !is_allowed(license, &allowed) {
            faults.push(format!("{name} is licensed {license}"));
        }
    }
    for fault in &faults {
        eprintln!("deny: {fault}");
    }
    if faults.is_empty() { Ok(()) } else { bail!("{} dependencies refused", faults.len()) }
}

/// An SPDX expression is allowed when one side of each `OR`, and all sides of each `AND`, are.
fn is_allowed(license: &str, allowed: &BTreeSet<String>) -> bool {
    let plain = license.replace(['(', ')'], " ").replace('/', " OR ");
    plain.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|one| allowed.contains(one.trim().split(" WITH ").next().unwrap_or_default().trim()))
    })
}

fn words(value: &toml::Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_side_of_or_and_all_of_and_must_be_allowed() {
        let allowed = ["MIT", "Apache-2.0"].map(str::to_owned).into();
        for (license, expected) in [
            ("MIT OR Apache-2.0", true),
            ("MIT/GPL-3.0", true),
            ("GPL-3.0", false),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND Apache-2.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("none", false),
        ] {
            assert_eq!(is_allowed(license, &allowed), expected, "{license}");
        }
    }
}
