//! Callers' own metrics: what PutMetricData, metric filters and embedded metrics have brought.
//!
//! All of them are in the same two families, told apart by labels: names that callers choose need not be fit for the names of
//! families, and two of them could become one. Only dimensions' names become parts of labels' names.

use pitbird_telemetry::metrics::{CustomTotal, CustomTotals};

use super::text::{Type, Writer};

const LABELS: [&str; 5] = ["account", "region", "namespace", "metric", "unit"];

pub fn write(totals: &CustomTotals, writer: &mut Writer) {
    let rows: Vec<_> = totals.series.iter().map(|total| (labels(total), total)).collect();
    if !rows.is_empty() {
        let samples = "pitbird_custom_samples";
        writer.family(samples, "Samples that callers' own metrics have got.", Type::Counter);
        for ((names, values), total) in &rows {
            writer.sample(samples, "_total", names, values, total.count);
        }
        // Samples may be negative, so that this is no counter.
        let values_sum = "pitbird_custom_values";
        writer.family(values_sum, "The sum of those samples.", Type::Gauge);
        for ((names, values), total) in &rows {
            writer.sample(values_sum, "", names, values, total.sum);
        }
    }
    let left_out = "pitbird_custom_series_left_out";
    writer.family(left_out, "Series of callers' own metrics for which there is no room here.", Type::Gauge);
    writer.sample(left_out, "", super::NO_LABELS, &[], totals.left_out as f64);
}

fn labels(total: &CustomTotal) -> (Vec<String>, Vec<String>) {
    let metric = &total.metric;
    let mut names: Vec<String> = LABELS.map(str::to_owned).to_vec();
    let mut values = vec![
        metric.scope.account.as_str().to_owned(),
        metric.scope.region.as_str().to_owned(),
        metric.namespace.clone(),
        metric.name.clone(),
        total.unit.to_string(),
    ];
    for (dimension, value) in metric.dimensions.iter() {
        let plain = label(dimension);
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let name = std::iter::once(plain.clone()).chain(numbered).find(|name| !names.contains(name));
        names.extend(name);
        values.push(value.to_owned());
    }
    (names, values)
}

/// `dimension_` and the name, with `_` for whatever can't be in a label's name.
fn label(dimension: &str) -> String {
    let fit = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    std::iter::once("dimension_".to_owned())
        .chain(dimension.chars().map(|letter| fit(letter).to_string()))
        .collect()
}
