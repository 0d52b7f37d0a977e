//! Routing rules: conditions parsed once, so that a request only compares.
//!
//! Source: API Gateway developer guide, "Routing rules to connect API stages to a custom domain name for REST APIs".

use http::header::{HOST, HeaderMap, HeaderName};
use pitbird_records as records;

use super::Located;

#[derive(Debug)]
pub(super) struct Rule {
    conditions: Vec<Condition>,
    api_id: String,
    stage: String,
    strips_base_path: bool,
}

/// Any of these headers, if there are some, and any of these base paths, if there are some.
#[derive(Debug)]
struct Condition {
    headers: Vec<(Option<HeaderName>, Glob)>,
    base_paths: Vec<String>,
}

/// What a header's value must be; letter by letter as it came.
#[derive(Debug, PartialEq, Eq)]
enum Glob {
    Anything,
    Is(String),
    BeginsWith(String),
    EndsWith(String),
    Contains(String),
}

impl Rule {
    pub fn compile(record: records::RoutingRule) -> Rule {
        Rule {
            conditions: record.conditions.into_iter().map(Condition::compile).collect(),
            api_id: record.api_id,
            stage: record.stage,
            strips_base_path: record.strip_base_path,
        }
    }

    /// Where the rule sends a request; `None` when one of its conditions doesn't hold.
    pub fn locate<'p>(&self, path: &'p str, headers: &HeaderMap) -> Option<Located<'_, 'p>> {
        let (mut base_path, mut below) = ("", path);
        for condition in &self.conditions {
            if !condition.headers.is_empty() && !condition.has_header(headers) {
                return None;
            }
            if !condition.base_paths.is_empty() {
                (base_path, below) = condition.base_path(path)?;
            }
        }
        let rest = if self.strips_base_path { below } else { path };
        Some(Located { api_id: &self.api_id, stage: Some(&self.stage), base_path, rest })
    }
}

impl Condition {
    fn compile(record: records::RoutingCondition) -> Condition {
        let header = |(name, glob): (String, String)| {
            // What can't be a header's name is no header's.
            (HeaderName::from_bytes(name.as_bytes()).ok(), Glob::parse(&glob))
        };
        Condition { headers: record.headers.into_iter().map(header).collect(), base_paths: record.base_paths }
    }

    /// Lines of one name are asked one by one; nothing is split at commas.
    fn has_header(&self, headers: &HeaderMap) -> bool {
        self.headers.iter().any(|(name, glob)| {
            let Some(name) = name else { return false };
            headers.get_all(name).iter().any(|value| {
                let value = value.as_bytes();
                // Nobody asks AWS at another port than its protocol's own, so no `Host` there has one.
                let port = value.iter().position(|byte| *byte == b':').filter(|_| *name == HOST);
                glob.matches(&value[..port.unwrap_or(value.len())])
            })
        })
    }

    /// The first base path that a path begins with, segment by segment, and what is left.
    fn base_path<'p>(&self, path: &'p str) -> Option<(&str, &'p str)> {
        let path = path.strip_prefix('/')?;
        self.base_paths.iter().find_map(|base_path| {
            let rest = path.strip_prefix(base_path.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((base_path.as_str(), rest))
        })
    }
}

impl Glob {
    fn parse(text: &str) -> Glob {
        let (end, start) = (text.strip_prefix('*'), text.strip_suffix('*'));
        match (end, start) {
            (Some(""), _) => Glob::Anything,
            (Some(end), Some(_)) => Glob::Contains(end[..end.len() - 1].to_owned()),
            (Some(end), None) => Glob::EndsWith(end.to_owned()),
            (None, Some(start)) => Glob::BeginsWith(start.to_owned()),
            (None, None) => Glob::Is(text.to_owned()),
        }
    }

    fn matches(&self, value: &[u8]) -> bool {
        match self {
            Glob::Anything => true,
            Glob::Is(text) => value == text.as_bytes(),
            Glob::BeginsWith(text) => value.starts_with(text.as_bytes()),
            Glob::EndsWith(text) => value.ends_with(text.as_bytes()),
            Glob::Contains(text) => {
                text.is_empty() || value.windows(text.len()).any(|window| window == text.as_bytes())
            }
        }
    }
}
