//! Custom domains: which stage a request to one goes to.

mod rule;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;
use pitbird_names::Scope;
use pitbird_records as records;

use crate::Source;
use rule::Rule;

/// A custom domain and the APIs that are reached under it.
#[derive(Debug)]
pub struct Domain {
    pub scope: Scope,
    pub name: String,
    /// In the order of their priorities; none where the routing mode lets none be asked.
    rules: Vec<Rule>,
    mappings: Mappings,
}

/// Mappings by their base paths; none where the routing mode lets none be asked.
#[derive(Debug, Default)]
struct Mappings {
    by_path: HashMap<String, records::DomainMapping>,
    /// The longest base path's bytes.
    longest: usize,
}

/// Where a request under a custom domain goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located<'d, 'p> {
    pub api_id: &'d str,
    /// `None` where the path below the base path begins with it.
    pub stage: Option<&'d str>,
    /// The base path that the request was found by, without slashes at its ends; empty where none was asked for.
    pub base_path: &'d str,
    /// What is left of the path: empty, or with a slash at its beginning.
    pub rest: &'p str,
}

/// Domains by their names; those of wildcards by what follows the star: `.example.com`.
pub type Domains = HashMap<String, Arc<Domain>>;

impl Domain {
    pub(crate) fn read<S: Source>(
        scope: &Scope,
        name: &str,
        source: &S,
    ) -> Result<Option<Arc<Domain>>, S::Error> {
        let Some((_, record)) = source.get::<records::DomainName>(&records::key(scope, &[name]))? else {
            return Ok(None);
        };
        let below = records::prefix(scope, &[name]);
        let rules = source.list::<records::RoutingRule>(&below)?.into_iter().map(|(_, rule)| rule);
        let mappings = source.list::<records::DomainMapping>(&below)?.into_iter().map(|(_, mapping)| mapping);
        Ok(Some(Arc::new(Domain::compile(record, rules, mappings))))
    }

    fn compile(
        record: records::DomainName,
        rules: impl IntoIterator<Item = records::RoutingRule>,
        mappings: impl IntoIterator<Item = records::DomainMapping>,
    ) -> Domain {
        let mode = record.routing_mode.as_str();
        let mut rules: Vec<_> = rules.into_iter().filter(|_| mode != "BASE_PATH_MAPPING_ONLY").collect();
        rules.sort_by_key(|rule| rule.priority);
        let mappings = mappings.into_iter().filter(|_| mode != "ROUTING_RULE_ONLY");
        Domain {
            rules: rules.into_iter().map(Rule::compile).collect(),
            mappings: Mappings::compile(mappings),
            scope: record.scope,
            name: record.name,
        }
    }

    /// The key among [`Domains`].
    pub(crate) fn key(name: &str) -> &str {
        name.strip_prefix('*').unwrap_or(name)
    }

    /// By the first routing rule whose conditions hold, else by the mapping with the longest base path that the path begins
    /// with, segment by segment.
    pub fn locate<'p>(&self, path: &'p str, headers: &HeaderMap) -> Option<Located<'_, 'p>> {
        let by_rule = self.rules.iter().find_map(|rule| rule.locate(path, headers));
        by_rule.or_else(|| self.mappings.locate(path))
    }
}

impl Mappings {
    fn compile(mappings: impl Iterator<Item = records::DomainMapping>) -> Mappings {
        let by_path: HashMap<_, _> = mappings.map(|mapping| (mapping.base_path.clone(), mapping)).collect();
        let longest = by_path.keys().map(String::len).max().unwrap_or(0);
        Mappings { by_path, longest }
    }

    /// Asks for the whole path, then for what is before each of its slashes, from the last that a mapping could reach to.
    fn locate<'p>(&self, path: &'p str) -> Option<Located<'_, 'p>> {
        let found = |base_path: &str, rest| {
            let mapping = self.by_path.get(base_path)?;
            Some(Located {
                api_id: &mapping.api_id,
                stage: mapping.stage.as_deref(),
                base_path: &mapping.base_path,
                rest,
            })
        };
        let below = path.strip_prefix('/').unwrap_or_default();
        let whole = (below.len() <= self.longest).then_some(below.len());
        let slashes = below.as_bytes()[..below.len().min(self.longest + 1)].iter().enumerate().rev();
        let slashes = slashes.filter(|(_, byte)| **byte == b'/').map(|(place, _)| place);
        let mut ends = whole.into_iter().chain(slashes).filter(|end| *end > 0);
        ends.find_map(|end| found(&below[..end], &below[end..])).or_else(|| found("", path))
    }
}

/// The domain that a host is of: its own, else the wildcard one level above.
pub(crate) fn find<'d>(domains: &'d Domains, host: &str) -> Option<&'d Arc<Domain>> {
    if domains.is_empty() {
        return None;
    }
    let host = host.to_ascii_lowercase();
    domains.get(&host).or_else(|| domains.get(&host[host.find('.')?..]))
}
