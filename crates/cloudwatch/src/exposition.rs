//! What this process has counted, in the words of Prometheus.
//!
//! Everything comes from telemetry's probes, which count anyway, and from the totals of callers' own metrics: nothing is measured for it.
//! Counters begin with the process and never shrink. What a probe counts in several dimension sets is shown once, under the most exact of them. Latencies are summaries without
//! quantiles; whoever wants those asks CloudWatch.
//!
//! Source: Prometheus text format 0.0.4; OpenMetrics 1.0.

mod custom;
mod kinds;
mod text;

use std::collections::HashMap;

use pitbird_telemetry::metrics::{Counted, CustomTotals, Total};

use self::kinds::{KINDS, Kind, Measure, Shown};
use self::text::{Type, Writer};

pub use self::text::Format;

/// Sets of labels of one kind of metrics. Those that came later are shown together, with `other` in every label.
const LABEL_SETS_MAX: usize = 2000;

const NO_LABELS: &[&str] = &[];

/// What is told of the process itself; what the system doesn't say is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Process {
    pub version: &'static str,
    /// Seconds since 1970.
    pub started_s: Option<f64>,
    pub cpu_s: Option<f64>,
    pub resident_bytes: Option<f64>,
    pub virtual_bytes: Option<f64>,
    pub open_files: Option<f64>,
    pub files_max: Option<f64>,
    pub threads: Option<f64>,
    /// Of the data plane's snapshot.
    pub generation: u64,
    /// Log lines that found no room.
    pub lines_dropped: u64,
}

/// Writes everything down.
pub fn exposition(counted: &[Counted], custom: &CustomTotals, process: &Process, format: Format) -> String {
    let mut writer = Writer::new(format);
    for kind in KINDS {
        write_kind(kind, counted, &mut writer);
    }
    custom::write(custom, &mut writer);
    write_process(process, &mut writer);
    writer.finish()
}

/// What one set of labels has counted: a total for each of the kind's metrics that it has.
struct Row {
    labels: Vec<String>,
    totals: Vec<Option<Total>>,
}

fn write_kind(kind: &Kind, counted: &[Counted], writer: &mut Writer) {
    let rows = rows(kind, counted);
    if rows.is_empty() {
        return;
    }
    for (place, Shown { name, help, measure, .. }) in kind.shown.iter().enumerate() {
        let name = format!("{}_{name}", kind.prefix);
        let samples = || rows.iter().filter_map(|row| Some((row.totals[place]?, &row.labels)));
        match measure {
            Measure::Count | Measure::Sum => {
                writer.family(&name, help, Type::Counter);
                for (total, labels) in samples() {
                    let value = if *measure == Measure::Count { total.count as f64 } else { total.sum };
                    writer.sample(&name, "_total", kind.labels, labels, value);
                }
            }
            Measure::Milliseconds => {
                writer.family(&name, help, Type::Summary);
                for (total, labels) in samples() {
                    writer.sample(&name, "_count", kind.labels, labels, total.count as f64);
                    writer.sample(&name, "_sum", kind.labels, labels, total.sum / 1000.0);
                }
            }
        }
    }
}

fn rows(kind: &Kind, counted: &[Counted]) -> Vec<Row> {
    let (mut rows, mut places) = (Vec::<Row>::new(), HashMap::<Vec<String>, usize>::new());
    for one in counted {
        let Some(mut labels) = kind.labels_of(&one.spec) else { continue };
        if rows.len() >= LABEL_SETS_MAX && !places.contains_key(&labels) {
            labels = kind.others();
        }
        let place = *places.entry(labels.clone()).or_insert_with(|| {
            rows.push(Row { labels, totals: vec![None; kind.shown.len()] });
            rows.len() - 1
        });
        for (sum, shown) in rows[place].totals.iter_mut().zip(kind.shown) {
            let metric = one.spec.metrics.iter().position(|(name, _)| shown.metrics.contains(&name.as_str()));
            if let Some(more) = metric.and_then(|metric| one.totals.get(metric)) {
                let sum = sum.get_or_insert_default();
                sum.count += more.count;
                sum.sum += more.sum;
            }
        }
    }
    rows
}

fn write_process(process: &Process, writer: &mut Writer) {
    let build = "pitbird_build_info";
    writer.family(build, "Which pitbird this is.", Type::Gauge);
    writer.sample(build, "", &["version"], &[process.version.to_owned()], 1.0);
    let generation = "pitbird_snapshot_generation";
    writer.family(generation, "The generation of what the data plane serves.", Type::Gauge);
    writer.sample(generation, "", NO_LABELS, &[], process.generation as f64);
    let dropped = "pitbird_log_lines_dropped";
    writer.family(dropped, "Log lines that found no room.", Type::Counter);
    writer.sample(dropped, "_total", NO_LABELS, &[], process.lines_dropped as f64);
    for (name, help, kind, value) in [
        ("process_cpu_seconds", "CPU time that was used, of user and system.", Type::Counter, process.cpu_s),
        ("process_start_time_seconds", "When it started, since 1970.", Type::Gauge, process.started_s),
        ("process_resident_memory_bytes", "Memory that is resident.", Type::Gauge, process.resident_bytes),
        ("process_virtual_memory_bytes", "Memory that is mapped.", Type::Gauge, process.virtual_bytes),
        ("process_open_fds", "File descriptors that are open.", Type::Gauge, process.open_files),
        ("process_max_fds", "File descriptors that may be open.", Type::Gauge, process.files_max),
        ("process_threads", "Threads.", Type::Gauge, process.threads),
    ] {
        if let Some(value) = value {
            writer.family(name, help, kind);
            writer.sample(name, if kind == Type::Counter { "_total" } else { "" }, NO_LABELS, &[], value);
        }
    }
}

#[cfg(test)]
mod tests;
