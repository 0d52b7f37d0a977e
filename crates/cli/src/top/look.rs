//! What there is to see, asked by the operations that anybody may call.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::arguments::TopOptions;
use crate::client::{Client, Error};
use crate::json::parse_timestamp;
use crate::watch::{Progress, RolloutView};

/// Metrics of each function, and what is taken of them in a minute.
const METRICS: [(&str, &str, &str); 5] = [
    ("i", "Invocations", "Sum"),
    ("e", "Errors", "Sum"),
    ("t", "Throttles", "Sum"),
    ("d", "Duration", "p99"),
    ("c", "ConcurrentExecutions", "Maximum"),
];
const MINUTE_S: u64 = 60;
/// Minutes that are looked at: the newest whole one is shown.
const MINUTES: u64 = 3;
/// Functions whose logs are followed if no group is named: those that are called most.
const FOLLOWED: usize = 3;
/// Events may become readable this long after their time, ms.
const LATENESS_MS: u64 = 3_000;
/// How far back the log begins, ms.
const SINCE_MS: u64 = 60_000;
/// Lines that are kept, and that one answer may have.
const LINES_MAX: usize = 200;

/// One look.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    pub at_s: f64,
    /// Those that go on first, the newest first.
    pub releases: Vec<RolloutView>,
    /// Those that are called most first.
    pub functions: Vec<Function>,
    /// The newest last.
    pub lines: Vec<LogLine>,
}

/// A function in the newest whole minute.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Function {
    pub name: String,
    pub invocations: f64,
    pub errors: f64,
    pub throttles: f64,
    pub duration_ms_p99: Option<f64>,
    pub concurrent: Option<f64>,
}

impl Function {
    /// Errors per invocation; `None` where there was none.
    pub fn rate(&self) -> Option<f64> {
        (self.invocations > 0.0).then(|| self.errors / self.invocations)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLine {
    pub at_ms: u64,
    pub id: String,
    pub group: String,
    pub message: String,
}

impl Seen {
    pub fn to_json(&self) -> Json {
        let release = |view: &RolloutView| {
            json!({
                "Name": view.name, "Target": view.target, "Canary": view.canary, "Status": view.progress.words(), "Percent": view.percent,
                "BaseErrorRate": view.base.rate(), "CanaryErrorRate": view.canary_arm.rate(),
                "Verdict": view.evidence.map(|evidence| evidence.verdict.as_str()), "Reason": view.reason,
            })
        };
        let function = |it: &Function| {
            json!({
                "Name": it.name, "Invocations": it.invocations, "Errors": it.errors, "ErrorRate": it.rate(), "Throttles": it.throttles,
                "DurationP99Ms": it.duration_ms_p99, "ConcurrentExecutions": it.concurrent,
            })
        };
        let line = |it: &LogLine| json!({"Timestamp": it.at_ms, "LogGroup": it.group, "Message": it.message});
        json!({
            "Releases": self.releases.iter().map(release).collect::<Vec<_>>(),
            "Functions": self.functions.iter().map(function).collect::<Vec<_>>(),
            "Lines": self.lines.iter().map(line).collect::<Vec<_>>(),
        })
    }
}

/// Who looks, and what he remembers from one time to the next.
pub struct Looker<'c> {
    client: &'c Client,
    groups: Vec<String>,
    filter: Option<String>,
    lines: Vec<LogLine>,
    /// The newest event's time, epoch ms.
    newest_ms: u64,
}

impl<'c> Looker<'c> {
    pub fn new(client: &'c Client, options: &TopOptions) -> Looker<'c> {
        let (groups, filter) = (options.groups.clone(), options.filter.clone());
        Looker { client, groups, filter, lines: Vec::new(), newest_ms: 0 }
    }

    pub async fn look(&mut self) -> Result<Seen, Error> {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let at_s = now_ms as f64 / 1000.0;
        let releases = self.releases(at_s).await?;
        let functions = self.functions(now_ms / 1000).await?;
        let busiest = functions.iter().take(FOLLOWED).map(|it| format!("/aws/lambda/{}", it.name));
        let groups = if self.groups.is_empty() { busiest.collect() } else { self.groups.clone() };
        self.follow(&groups, now_ms).await?;
        Ok(Seen { at_s, releases, functions, lines: self.lines.clone() })
    }

    async fn releases(&self, at_s: f64) -> Result<Vec<RolloutView>, Error> {
        let mut found = Vec::new();
        let mut input = json!({});
        loop {
            let mut page = self.client.call("rollouts", "ListRollouts", &input).await?;
            let all = page["Rollouts"].as_array().into_iter().flatten();
            found.extend(all.map(|rollout| {
                let time = |name: &str| rollout[name].as_str().and_then(parse_timestamp).unwrap_or_default();
                (time("EndedAt"), time("StartedAt"), RolloutView::from_json(rollout, at_s))
            }));
            input["NextToken"] = page["NextToken"].take();
            if input["NextToken"].is_null() {
                break;
            }
        }
        found.sort_by(|(ended, started, one), (other_ended, other_started, other)| {
            let is_over = |view: &RolloutView| matches!(view.progress, Progress::Ended(_));
            is_over(one)
                .cmp(&is_over(other))
                .then(other_ended.total_cmp(ended))
                .then(other_started.total_cmp(started))
        });
        Ok(found.into_iter().map(|(_, _, view)| view).collect())
    }

    async fn functions(&self, now_s: u64) -> Result<Vec<Function>, Error> {
        let minute_s = now_s / MINUTE_S * MINUTE_S;
        let query = |(id, metric, stat): &(&str, &str, &str)| {
            let search = format!(
                "SEARCH('{{AWS/Lambda,FunctionName}} MetricName=\"{metric}\"', '{stat}', {MINUTE_S})"
            );
            json!({"Id": id, "Expression": search, "Label": "${PROP('Dim.FunctionName')}"})
        };
        let mut input = json!({
            "MetricDataQueries": METRICS.iter().map(query).collect::<Vec<_>>(), "ScanBy": "TimestampDescending",
            "StartTime": minute_s - MINUTES * MINUTE_S, "EndTime": minute_s + MINUTE_S,
        });
        let mut found: BTreeMap<String, Function> = BTreeMap::new();
        loop {
            let mut page = self.client.call("cloudwatch", "GetMetricData", &input).await?;
            for result in page["MetricDataResults"].as_array().into_iter().flatten() {
                let Some(name) = result["Label"].as_str() else { continue };
                let function = found.entry(name.to_owned()).or_default();
                let Some(value) = newest(result, minute_s) else { continue };
                match result["Id"].as_str() {
                    Some("i") => function.invocations = value,
                    Some("e") => function.errors = value,
                    Some("t") => function.throttles = value,
                    Some("d") => function.duration_ms_p99 = Some(value),
                    _ => function.concurrent = Some(value),
                }
            }
            input["NextToken"] = page["NextToken"].take();
            if input["NextToken"].is_null() {
                break;
            }
        }
        let named = found.into_iter().map(|(name, function)| Function { name, ..function });
        let mut functions: Vec<Function> = named.collect();
        functions.sort_by(|one, other| other.invocations.total_cmp(&one.invocations));
        Ok(functions)
    }

    /// Takes up what these groups have had since the last time. One that isn't there yet has nothing to say.
    async fn follow(&mut self, groups: &[String], now_ms: u64) -> Result<(), Error> {
        let from_ms = self.newest_ms.min(now_ms).saturating_sub(LATENESS_MS).max(now_ms - SINCE_MS);
        for group in groups {
            let mut input = json!({"logGroupName": group, "startTime": from_ms});
            if let Some(filter) = &self.filter {
                input["filterPattern"] = json!(filter);
            }
            let page = match self.client.call("logs", "FilterLogEvents", &input).await {
                Ok(page) => page,
                Err(Error::Refused { refusal, .. }) if refusal.code == "ResourceNotFoundException" => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let lines = page["events"].as_array().into_iter().flatten();
            self.lines.extend(lines.map(|event| LogLine {
                at_ms: event["timestamp"].as_u64().unwrap_or_default(),
                id: event["eventId"].as_str().unwrap_or_default().to_owned(),
                group: group.clone(),
                message: event["message"].as_str().unwrap_or_default().trim_end().to_owned(),
            }));
        }
        self.lines.sort();
        self.lines.dedup();
        self.lines.drain(..self.lines.len().saturating_sub(LINES_MAX));
        self.newest_ms = self.lines.last().map_or(self.newest_ms, |line| line.at_ms);
        Ok(())
    }
}

/// The value of the newest minute that is over, or else of the one under way.
fn newest(result: &Json, minute_s: u64) -> Option<f64> {
    let times = result["Timestamps"].as_array()?.iter();
    let times = times.map(|at| at.as_str().and_then(parse_timestamp).unwrap_or_default());
    let pairs: Vec<(f64, f64)> =
        times.zip(result["Values"].as_array()?.iter().filter_map(Json::as_f64)).collect();
    let whole = pairs.iter().find(|(at, _)| *at < minute_s as f64);
    whole.or(pairs.first()).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_minute_is_shown() {
        let result = |times: &[&str], values: &[f64]| json!({"Timestamps": times, "Values": values});
        let (now, before) = ("1970-01-01T00:02:00Z", "1970-01-01T00:01:00Z");
        assert_eq!(newest(&result(&[now, before], &[1.0, 7.0]), 120), Some(7.0));
        assert_eq!(newest(&result(&[now], &[1.0]), 120), Some(1.0));
        assert_eq!(newest(&result(&[], &[]), 120), None);
    }
}
