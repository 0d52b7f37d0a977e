//! Embedded metric format: log events that bring metrics.
//!
//! An event that is one JSON object with a member `_aws` says there which of its other members are metrics and which
//! dimensions. Source: CloudWatch user guide, "Specification: Embedded metric format". An event that breaks a rule stays a
//! log event and gives no metric at all.

mod document;

use memchr::memmem;
use pitbird_telemetry::metrics::{Dimensions, Resolution, Unit};
use serde_json::value::RawValue;

use document::{Directive, Document, Header};

/// Metrics of one document's directive, values of one metric, dimensions of one set, characters of a dimension's value. Source:
/// the specification.
const METRICS_MAX: usize = 100;
const VALUES_MAX: usize = 100;
const DIMENSIONS_MAX: usize = 30;
const DIMENSION_VALUE_CHARS: usize = 1024;
/// Sets of dimensions of one directive. The specification names no bound; this one keeps a hostile event small.
const DIMENSION_SETS_MAX: usize = 100;
/// A namespace's and a name's length. Source: the specification's schema.
const NAME_CHARS: usize = 1024;
/// How far a document's time may lie back and ahead, milliseconds. Source: the specification.
const OLD_MS: i64 = 14 * 86_400_000;
const NEW_MS: i64 = 2 * 3_600_000;
/// A value's largest magnitude, 2^360. Source: MetricDatum.
const EXPONENT_MAX: i32 = 360;

/// A metric of a document under one set of dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    pub namespace: String,
    pub name: String,
    pub unit: Unit,
    pub resolution: Resolution,
    pub at_ms: i64,
    pub dimensions: Dimensions,
    pub values: Vec<f64>,
}

/// Why a document brings no metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadDocument {
    /// It isn't of the form.
    Parsing,
    /// It has the form and breaks a rule.
    Validation,
}

/// May there be documents in this text? Asked on the writer's thread for every batch.
pub fn may_be_in(text: &str) -> bool {
    memmem::find(text.as_bytes(), b"\"CloudWatchMetrics\"").is_some()
}

/// Reads an event. One that isn't meant as a document has no metrics.
pub fn read(message: &str, now_ms: i64) -> Result<Vec<Embedded>, BadDocument> {
    if !message.trim_start().starts_with('{') || !may_be_in(message) {
        return Ok(Vec::new());
    }
    let document: Document<'_> = serde_json::from_str(message).map_err(|_| BadDocument::Parsing)?;
    let Some(header) = document.member("_aws") else { return Ok(Vec::new()) };
    let header: Header = serde_json::from_str(header.get()).map_err(|_| BadDocument::Parsing)?;
    let at_ms = header.timestamp;
    if !(now_ms - OLD_MS..=now_ms + NEW_MS).contains(&at_ms) {
        return Err(BadDocument::Validation);
    }
    let mut metrics = Vec::new();
    let mut count = 0;
    for directive in &header.directives {
        count += directive.metrics.len();
        if count > METRICS_MAX {
            return Err(BadDocument::Validation);
        }
        add(&mut metrics, directive, &document, at_ms).ok_or(BadDocument::Validation)?;
    }
    Ok(metrics)
}

fn add(
    metrics: &mut Vec<Embedded>,
    directive: &Directive,
    document: &Document<'_>,
    at_ms: i64,
) -> Option<()> {
    let is_name = |text: &str| !text.trim().is_empty() && text.chars().count() <= NAME_CHARS;
    let namespace = &directive.namespace;
    // As with PutMetricData, AWS's own namespaces are not for customers.
    if !is_name(namespace) || namespace.starts_with("AWS/") || directive.dimensions.len() > DIMENSION_SETS_MAX
    {
        return None;
    }
    let sets: Vec<Dimensions> =
        directive.dimensions.iter().map(|names| dimensions(names, document)).collect::<Option<_>>()?;
    for metric in &directive.metrics {
        let unit = metric.unit.as_deref().map_or(Some(Unit::None), Unit::parse)?;
        let resolution = match metric.storage_resolution {
            None | Some(60) => Resolution::Minute,
            Some(1) => Resolution::Second,
            Some(_) => return None,
        };
        let values = values(document.member(&metric.name)?)?;
        if !is_name(&metric.name) {
            return None;
        }
        metrics.extend(sets.iter().map(|dimensions| Embedded {
            namespace: namespace.clone(),
            name: metric.name.clone(),
            unit,
            resolution,
            at_ms,
            dimensions: dimensions.clone(),
            values: values.clone(),
        }));
    }
    Some(())
}

fn dimensions(names: &[String], document: &Document<'_>) -> Option<Dimensions> {
    if names.len() > DIMENSIONS_MAX {
        return None;
    }
    let value = |name: &String| -> Option<(String, String)> {
        let value: String = serde_json::from_str(document.member(name)?.get()).ok()?;
        let fits = !value.is_empty() && value.chars().count() <= DIMENSION_VALUE_CHARS;
        fits.then(|| (name.clone(), value))
    };
    names.iter().map(value).collect()
}

/// A number or a list of numbers.
fn values(written: &RawValue) -> Option<Vec<f64>> {
    let values: Vec<f64> = match written.get().as_bytes().first()? {
        b'[' => serde_json::from_str(written.get()).ok()?,
        _ => vec![serde_json::from_str(written.get()).ok()?],
    };
    let is_fine = |value: &f64| value.is_finite() && value.abs() <= 2f64.powi(EXPONENT_MAX);
    ((1..=VALUES_MAX).contains(&values.len()) && values.iter().all(is_fine)).then_some(values)
}

#[cfg(test)]
mod tests;
