//! `cargo xtask models`: condenses the service models of an installed botocore into `models/<service>.json`.
//!
//! What the wire needs stays: operations, bindings, shapes, constraints, errors. Words for people go. One operation or
//! shape a line, so that a newer botocore shows as a readable difference.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The botocore whose models are kept; another one is taken only on purpose, by changing this line.
const BOTOCORE_VERSION: &str = "1.43.11";

/// Botocore's folder name and API version of each service.
const SERVICES: [(&str, &str); 9] = [
    ("apigateway", "2015-07-09"),
    ("apigatewayv2", "2018-11-29"),
    ("cloudwatch", "2010-08-01"),
    ("codedeploy", "2014-10-06"),
    ("iam", "2010-05-08"),
    ("lambda", "2015-03-31"),
    ("logs", "2014-03-28"),
    ("s3", "2006-03-01"),
    ("sts", "2011-06-15"),
];

/// Operations that a request can't be told to mean: deprecated ones whose successors have the same method and path, and one
/// that is told apart by the host of S3 Express alone.
const LEFT_OUT: [(&str, &str); 5] = [
    ("s3", "GetBucketLifecycle"),
    ("s3", "GetBucketNotification"),
    ("s3", "ListDirectoryBuckets"),
    ("s3", "PutBucketLifecycle"),
    ("s3", "PutBucketNotification"),
];

/// Words for people, and what neither side of the wire acts on.
const DROPPED: [&str; 9] = [
    "deprecated",
    "deprecatedMessage",
    "deprecatedSince",
    "documentation",
    "documentationUrl",
    "endpointdiscovery",
    "examples",
    "synthetic",
    "xmlOrder",
];

#[derive(clap::Args)]
pub struct Options {
    /// Folder of the botocore package; asked from python3 if absent
    #[arg(long)]
    botocore: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<()> {
    let botocore = match &options.botocore {
        Some(folder) => folder.clone(),
        None => installed()?,
    };
    let version = version(&botocore)?;
    if version != BOTOCORE_VERSION {
        bail!("botocore {version} is installed, {BOTOCORE_VERSION} is pinned in xtask/src/models.rs");
    }
    for (service, api_version) in SERVICES {
        let folder = botocore.join("data").join(service).join(api_version);
        let mut model =
            read(&folder).with_context(|| format!("model of {service} in {}", folder.display()))?;
        if let Some(operations) = model["operations"].as_object_mut() {
            operations.retain(|name, _| !LEFT_OUT.contains(&(service, name)));
        }
        let text = condense(&model, &version).with_context(|| format!("model of {service}"))?;
        std::fs::write(crate::root().join("models").join(format!("{service}.json")), text)?;
    }
    Ok(())
}

fn installed() -> Result<PathBuf> {
    let script = "import botocore, os; print(os.path.dirname(botocore.__file__))";
    let output = Command::new("python3").args(["-c", script]).output().context("python3 does not start")?;
    if !output.status.success() {
        bail!(
            "python3 has no botocore; pip install botocore=={BOTOCORE_VERSION}, or name its folder with --botocore"
        );
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

fn version(botocore: &Path) -> Result<String> {
    let text = std::fs::read_to_string(botocore.join("__init__.py"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "));
    Ok(line.context("botocore/__init__.py names no version")?.trim_matches(['\'', '"']).to_owned())
}

fn read(folder: &Path) -> Result<Value> {
    let plain = folder.join("service-2.json");
    if plain.exists() {
        return Ok(serde_json::from_slice(&std::fs::read(plain)?)?);
    }
    let packed = std::fs::read(folder.join("service-2.json.gz"))?;
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&*packed).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn condense(model: &Value, version: &str) -> Result<String> {
    let part = |name: &str| model[name].as_object().with_context(|| format!("no {name}"));
    let mut text =
        format!("{{\"source\":\"botocore {version}\",\n\"metadata\":{},\n", bare(&model["metadata"]));
    lines(&mut text, "operations", part("operations")?);
    text.push_str(",\n");
    lines(&mut text, "shapes", part("shapes")?);
    text.push_str("}\n");
    Ok(text)
}

fn lines(text: &mut String, name: &str, entries: &Map<String, Value>) {
    let _ = write!(text, "\"{name}\":{{");
    for (at, (key, value)) in entries.iter().enumerate() {
        let comma = if at == 0 { "\n" } else { ",\n" };
        let key = Value::from(key.as_str());
        let _ = write!(text, "{comma}{key}:{}", bare(value));
    }
    text.push_str("\n}");
}

/// The value without the dropped keys. A member may be named like a dropped key, so members are passed one by one.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !DROPPED.contains(&key.as_str()));
            let kept = kept.map(|(key, value)| {
                (key.clone(), if key == "members" { members(value) } else { bare(value) })
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(bare).collect()),
        other => other.clone(),
    }
}

fn members(value: &Value) -> Value {
    let Some(map) = value.as_object() else { return value.clone() };
    Value::Object(map.iter().map(|(name, member)| (name.clone(), bare(member))).collect())
}
