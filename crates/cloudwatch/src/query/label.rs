//! Labels with values of their series in them: `max ${MAX} of ${PROP('Dim.Stage')}`. Source: CloudWatch, dynamic labels.

use pitbird_metricmath::Series;
use pitbird_telemetry::metrics::Metric;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::Error;

/// Values in one label. Source: CloudWatch, dynamic labels.
const VALUES_MAX: usize = 6;
/// What stands for a value that there is none of.
const NOTHING: &str = "--";

/// Texts and names of values, by turns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// What stands between `${` and `}`.
    Live(String),
}

/// What a label is of.
pub(super) struct Labelled<'a> {
    pub series: &'a Series,
    /// What it is called without a label.
    pub default: &'a str,
    pub source: Option<&'a Read>,
    pub now_ms: i64,
    pub offset: UtcOffset,
}

/// A metric as it was read.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub metric: Metric,
    pub stat: String,
}

/// A time zone as LabelOptions gives it: `+0130`.
pub(crate) fn offset(text: &str) -> Result<UtcOffset, Error> {
    let parse = || {
        let (sign, digits) = (text.chars().next()?, text.get(1..)?);
        let sign = match sign {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (hours, minutes): (i8, i8) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
        UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
    };
    parse().ok_or_else(|| Error::value("LabelOptions.Timezone", text))
}

impl Label {
    /// Reads a label; `parameter` says where it is given.
    pub fn parse(text: &str, parameter: &str) -> Result<Label, Error> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((live, after)) = after.split_once('}') else { break };
            parts.extend((!before.is_empty()).then(|| Part::Text(before.to_owned())));
            parts.push(Part::Live(live.to_owned()));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        let live: Vec<&str> = parts.iter().filter_map(Part::live).collect();
        if live.len() > VALUES_MAX || live.iter().filter(|name| **name == "LABEL").count() > 1 {
            return Err(Error::Invalid(format!(
                "{parameter} must not have more than {VALUES_MAX} dynamic values, and ${{LABEL}} only once."
            )));
        }
        match live.into_iter().find(|name| !is_known(name)) {
            Some(name) => {
                Err(Error::Invalid(format!("{parameter} has an unknown dynamic value ${{{name}}}.")))
            }
            None => Ok(Label { parts }),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether there are values in it.
    pub fn is_live(&self) -> bool {
        self.parts.iter().any(|part| part.live().is_some())
    }

    pub fn text(&self, of: &Labelled<'_>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Live(name) => of.value(name).unwrap_or_else(|| NOTHING.to_owned()),
        };
        self.parts.iter().map(part).collect()
    }
}

impl Part {
    fn live(&self) -> Option<&str> {
        match self {
            Part::Text(_) => None,
            Part::Live(name) => Some(name),
        }
    }
}

fn is_known(name: &str) -> bool {
    const POINTS: [&str; 4] = ["FIRST", "LAST", "MAX", "MIN"];
    const OTHERS: [&str; 8] = [
        "AVG",
        "DATAPOINT_COUNT",
        "LABEL",
        "SUM",
        "FIRST_LAST_RANGE",
        "FIRST_LAST_TIME_RANGE",
        "MIN_MAX_RANGE",
        "MIN_MAX_TIME_RANGE",
    ];
    let point = name.strip_suffix("_TIME_RELATIVE").or_else(|| name.strip_suffix("_TIME")).unwrap_or(name);
    POINTS.contains(&point) || OTHERS.contains(&name) || property(name).is_some_and(is_property)
}

fn is_property(name: &str) -> bool {
    const KNOWN: [&str; 7] =
        ["AccountId", "AccountLabel", "MetricName", "Namespace", "Period", "Region", "Stat"];
    KNOWN.contains(&name) || name.starts_with("Dim.")
}

fn property(name: &str) -> Option<&str> {
    name.strip_prefix("PROP('")?.strip_suffix("')")
}

impl Labelled<'_> {
    fn value(&self, name: &str) -> Option<String> {
        if let Some(property) = property(name) {
            return self.property(property);
        }
        let points = &self.series.points;
        let sum = || points.iter().map(|point| point.1).sum::<f64>();
        match name {
            "LABEL" => Some(self.default.to_owned()),
            "DATAPOINT_COUNT" => Some(points.len().to_string()),
            "SUM" => Some(number(sum())),
            "AVG" => (!points.is_empty()).then(|| number(sum() / points.len() as f64)),
            "FIRST_LAST_RANGE" => Some(number(self.point("LAST")?.1 - self.point("FIRST")?.1)),
            "MIN_MAX_RANGE" => Some(number(self.point("MAX")?.1 - self.point("MIN")?.1)),
            "FIRST_LAST_TIME_RANGE" => Some(length(self.point("LAST")?.0 - self.point("FIRST")?.0)),
            "MIN_MAX_TIME_RANGE" => Some(length(self.point("MAX")?.0 - self.point("MIN")?.0)),
            _ => {
                if let Some(point) = name.strip_suffix("_TIME_RELATIVE") {
                    return Some(length(self.now_ms - self.point(point)?.0));
                }
                match name.strip_suffix("_TIME") {
                    Some(point) => self.time(self.point(point)?.0),
                    None => Some(number(self.point(name)?.1)),
                }
            }
        }
    }

    fn point(&self, name: &str) -> Option<(i64, f64)> {
        let points = self.series.points.iter().copied();
        match name {
            "FIRST" => self.series.points.first().copied(),
            "LAST" => self.series.points.last().copied(),
            "MAX" => points.reduce(|kept, next| if next.1 > kept.1 { next } else { kept }),
            _ => points.reduce(|kept, next| if next.1 < kept.1 { next } else { kept }),
        }
    }

    fn property(&self, name: &str) -> Option<String> {
        let Read { metric, stat } = self.source?;
        Some(match name {
            "AccountId" | "AccountLabel" => metric.scope.account.as_str().to_owned(),
            "MetricName" => metric.name.clone(),
            "Namespace" => metric.namespace.clone(),
            "Period" => self.series.period_s.to_string(),
            "Region" => metric.scope.region.as_str().to_owned(),
            "Stat" => stat.clone(),
            _ => metric.dimensions.get(name.strip_prefix("Dim.")?)?.to_owned(),
        })
    }

    fn time(&self, at_ms: i64) -> Option<String> {
        let time = OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000)).ok()?;
        let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let text = time.checked_to_offset(self.offset)?.format(&form).ok()?;
        let minutes = self.offset.whole_seconds() / 60;
        let zone = match minutes {
            0 => "UTC".to_owned(),
            _ => format!(
                "{}{:02}{:02}",
                if minutes < 0 { '-' } else { '+' },
                minutes.abs() / 60,
                minutes.abs() % 60
            ),
        };
        Some(format!("{text} {zone}"))
    }
}

/// At most three decimals.
fn number(value: f64) -> String {
    let text = format!("{:.3}", value + 0.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A span of time by its two largest units.
fn length(ms: i64) -> String {
    let seconds = ms.abs() / 1000;
    let units =
        [(seconds / 86_400, 'd'), (seconds / 3600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let named: Vec<String> = units
        .into_iter()
        .skip_while(|(count, unit)| *count == 0 && *unit != 's')
        .take(2)
        .filter(|(count, unit)| *count > 0 || seconds == 0 && *unit == 's')
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    named.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> Result<String, String> {
        let metric = Metric {
            scope: Default::default(),
            namespace: "N".to_owned(),
            name: "m".to_owned(),
            dimensions: [("Stage", "prod")].into_iter().collect(),
        };
        let points = vec![(0, 2.0), (60_000, 8.0), (3_660_000, 0.25)];
        let series = Series { period_s: 60, points, ..Series::default() };
        let read = Read { metric, stat: "p90".to_owned() };
        let offset = offset("+0130").expect("a zone");
        let of = Labelled { series: &series, default: "d", source: Some(&read), now_ms: 90_120_000, offset };
        Label::parse(text, "L").map(|label| label.text(&of)).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_tell_of_their_series() {
        for (text, expected) in [
            ("plain $ {x}", "plain $ {x}"),
            ("${LABEL} ${PROP('Dim.Stage')}", "d prod"),
            ("[${MAX} ${MIN} ${AVG} ${SUM} ${FIRST} ${LAST}]", "[8 0.25 3.417 10.25 2 0.25]"),
            ("${DATAPOINT_COUNT}", "3"),
            ("${FIRST_LAST_RANGE} ${MIN_MAX_RANGE}", "-1.75 7.75"),
            ("${FIRST_LAST_TIME_RANGE}, ${MIN_MAX_TIME_RANGE}", "1h 1m, 1h"),
            ("${MAX_TIME}", "1970-01-01 01:31:00 +0130"),
            ("${LAST_TIME_RELATIVE}", "1d"),
            ("${PROP('MetricName')} ${PROP('Namespace')} ${PROP('Stat')} ${PROP('Period')}", "m N p90 60"),
            ("${PROP('Region')} ${PROP('Dim.None')}", "us-east-1 --"),
            ("open ${MAX", "open ${MAX"),
        ] {
            assert_eq!(label(text).expect(text), expected);
        }
    }

    #[test]
    fn what_a_label_can_t_have_is_refused() {
        assert!(label(&"${MAX}".repeat(6)).is_ok());
        for text in [&*"${MAX}".repeat(7), "${LABEL}${LABEL}", "${MEDIAN}", "${PROP('X')}", "${SUM_TIME}"] {
            assert!(label(text).is_err(), "{text}");
        }
        assert!(
            ["", "0130", "+130", "+01300", "+2600", "+0x00", "é000"].iter().all(|text| offset(text).is_err())
        );
        assert!(["+0000", "-1200", "+0545"].iter().all(|text| offset(text).is_ok()));
    }
}
