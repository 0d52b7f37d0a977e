//! The exposition formats, which differ in little.

use std::fmt::Write as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus's text format, 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// What an `Accept` header asks for: OpenMetrics where it says so with a quality above 0, else the text format.
    pub fn accepted(accept: Option<&str>) -> Format {
        let wants = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let is_meant =
                parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/openmetrics-text"));
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f64>().ok());
            is_meant && quality.is_none_or(|quality| quality > 0.0)
        };
        if accept.is_some_and(|accept| accept.split(',').any(wants)) {
            Format::OpenMetrics
        } else {
            Format::Text
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Counter,
    Gauge,
    Summary,
}

impl Type {
    fn as_str(self) -> &'static str {
        match self {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Summary => "summary",
        }
    }
}

pub struct Writer {
    format: Format,
    text: String,
}

impl Writer {
    pub fn new(format: Format) -> Writer {
        Writer { format, text: String::new() }
    }

    /// Begins a family. A counter's has the name without `_total` in OpenMetrics, with it in the text format.
    pub fn family(&mut self, name: &str, help: &str, kind: Type) {
        let suffix = if kind == Type::Counter && self.format == Format::Text { "_total" } else { "" };
        let kind = kind.as_str();
        // Writing to a text can't fail.
        let _ = writeln!(self.text, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}");
    }

    pub fn sample<L: AsRef<str>>(
        &mut self,
        name: &str,
        suffix: &str,
        labels: &[L],
        values: &[String],
        value: f64,
    ) {
        self.text.push_str(name);
        self.text.push_str(suffix);
        for (place, (label, value)) in labels.iter().zip(values).enumerate() {
            let (before, label) = (if place == 0 { '{' } else { ',' }, label.as_ref());
            let _ = write!(self.text, "{before}{label}=\"");
            for letter in value.chars() {
                match letter {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    letter => self.text.push(letter),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}
