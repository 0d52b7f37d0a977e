use std::sync::Arc;

use pitbird_filterpattern::{Pattern, Reference};
use pitbird_records::MetricFilter;
use pitbird_telemetry::metrics::{Dimensions, Unit};

use crate::Error;

/// Dimensions of one metric filter. Source: MetricTransformation.
const DIMENSIONS_MAX: usize = 3;
/// A dimension's value, characters. Source: CloudWatch, Dimension: 1024; CloudWatch Logs' fields: 255.
const DIMENSION_VALUE_CHARS: usize = 255;

/// A metric filter, ready to look at events.
#[derive(Debug)]
pub struct Counting {
    /// Group and name.
    pub key: (Arc<str>, String),
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub unit: Unit,
    pub default: Option<f64>,
    pattern: Pattern,
    value: Quantity,
    dimensions: Vec<(String, Reference)>,
}

#[derive(Debug)]
enum Quantity {
    Constant(f64),
    Of(Reference),
}

/// What a filter makes of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted {
    Not,
    /// The event is meant but has no number where the value should be: there is no datapoint.
    Nothing,
    Value(f64, Dimensions),
}

impl Counting {
    /// Holds a record against all rules.
    pub fn compile(record: &MetricFilter) -> Result<Counting, Error> {
        let metric = &record.metric;
        let pattern = Pattern::parse(&record.pattern)?;
        if metric.namespace.starts_with("AWS/") {
            return Err(Error::Transformation("namespaces that start with AWS/ are reserved".to_owned()));
        }
        let value = match metric.value.parse::<f64>() {
            Ok(number) if number.is_finite() => Quantity::Constant(number),
            _ => match Reference::parse(&metric.value, &pattern) {
                Some(reference) => Quantity::Of(reference),
                None => {
                    let words = format!("metric value {} must be a valid number", metric.value);
                    return Err(Error::Transformation(words));
                }
            },
        };
        if metric.default.is_some_and(|default| !default.is_finite()) {
            return Err(Error::Transformation("default value must be a valid number".to_owned()));
        }
        let unit = metric.unit.as_deref().map_or(Some(Unit::None), Unit::parse);
        Ok(Counting {
            key: (record.group.as_str().into(), record.name.clone()),
            namespace: metric.namespace.as_str().into(),
            name: metric.name.as_str().into(),
            unit: unit.ok_or_else(|| Error::Transformation("unit is not known".to_owned()))?,
            default: metric.default,
            dimensions: dimensions(record, &pattern)?,
            value,
            pattern,
        })
    }

    /// Regular expressions in its pattern.
    pub fn regexes(&self) -> usize {
        self.pattern.regexes()
    }

    /// Looks at an event.
    pub fn count(&self, message: &str) -> Counted {
        if !self.pattern.takes(message) {
            return Counted::Not;
        }
        let value = match &self.value {
            Quantity::Constant(number) => Some(*number),
            Quantity::Of(reference) => reference.number(&self.pattern, message),
        };
        // A dimension that an event doesn't have is left out.
        let dimensions = self.dimensions.iter().filter_map(|(name, reference)| {
            let value = reference.text(&self.pattern, message)?;
            let value: String = value.chars().take(DIMENSION_VALUE_CHARS).collect();
            (!value.trim().is_empty()).then(|| (name.clone(), value))
        });
        value.map_or(Counted::Nothing, |value| Counted::Value(value, dimensions.collect()))
    }
}

fn dimensions(record: &MetricFilter, pattern: &Pattern) -> Result<Vec<(String, Reference)>, Error> {
    let metric = &record.metric;
    if metric.dimensions.is_empty() {
        return Ok(Vec::new());
    }
    if !pattern.names_values() {
        return Err(Error::NoDimensions);
    }
    if metric.default.is_some() {
        let words = "dimensions and default value are mutually exclusive properties";
        return Err(Error::Transformation(words.to_owned()));
    }
    if metric.dimensions.len() > DIMENSIONS_MAX {
        let words = format!("a metric filter has at most {DIMENSIONS_MAX} dimensions");
        return Err(Error::Transformation(words));
    }
    let read = |(name, value): (&String, &String)| match Reference::parse(value, pattern) {
        Some(reference) => Ok((name.clone(), reference)),
        None => Err(Error::Transformation("dimension value must be valid selector".to_owned())),
    };
    metric.dimensions.iter().map(read).collect()
}
