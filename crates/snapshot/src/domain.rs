use std::collections::HashMap;
use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records as records;

use crate::Source;

/// A custom domain and the APIs that are reached under it.
#[derive(Debug)]
pub struct Domain {
    pub scope: Scope,
    pub name: String,
    /// By their base paths, the longest first.
    mappings: Vec<records::DomainMapping>,
}

/// Where a request under a custom domain goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located<'d, 'p> {
    pub api_id: &'d str,
    /// `None` where the path below the base path begins with it.
    pub stage: Option<&'d str>,
    /// The mapping's base path, without slashes at its ends.
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
        let found = source.list::<records::DomainMapping>(&records::prefix(scope, &[name]))?;
        let mut mappings: Vec<records::DomainMapping> =
            found.into_iter().map(|(_, mapping)| mapping).collect();
        mappings.sort_by_key(|mapping| std::cmp::Reverse(mapping.base_path.len()));
        Ok(Some(Arc::new(Domain { scope: record.scope, name: record.name, mappings })))
    }

    /// The key among [`Domains`].
    pub(crate) fn key(name: &str) -> &str {
        name.strip_prefix('*').unwrap_or(name)
    }

    /// The mapping with the longest base path that a path begins with, segment by segment.
    pub fn locate<'p>(&self, path: &'p str) -> Option<Located<'_, 'p>> {
        self.mappings.iter().find_map(|mapping| {
            let base_path = mapping.base_path.as_str();
            let rest =
                if base_path.is_empty() { path } else { path.strip_prefix('/')?.strip_prefix(base_path)? };
            let ends_there = rest.is_empty() || rest.starts_with('/');
            ends_there.then_some(Located {
                api_id: &mapping.api_id,
                stage: mapping.stage.as_deref(),
                base_path,
                rest,
            })
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(mappings: &[(&str, &str)]) -> Domain {
        let mapping = |(base_path, api): &(&str, &str)| records::DomainMapping {
            scope: Scope::default(),
            domain_name: "api.example.com".to_owned(),
            id: (*base_path).to_owned(),
            base_path: (*base_path).to_owned(),
            api_id: (*api).to_owned(),
            stage: None,
        };
        let mut mappings: Vec<_> = mappings.iter().map(mapping).collect();
        mappings.sort_by_key(|mapping| std::cmp::Reverse(mapping.base_path.len()));
        Domain { scope: Scope::default(), name: "api.example.com".to_owned(), mappings }
    }

    #[test]
    fn the_longest_base_path_is_meant() {
        let domain = domain(&[("", "root"), ("pets", "pets"), ("pets/v2", "two")]);
        for (path, api, rest) in [
            ("/", "root", "/"),
            ("/petshop", "root", "/petshop"),
            ("/pets", "pets", ""),
            ("/pets/7", "pets", "/7"),
            ("/pets/v2/7", "two", "/7"),
            ("/pets/v21", "pets", "/v21"),
        ] {
            let found = domain.locate(path).expect(path);
            assert_eq!((found.api_id, found.rest), (api, rest), "{path}");
        }
        assert_eq!(self::domain(&[("a", "a")]).locate("/b"), None);
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let domains: Domains = ["api.example.com", "*.example.com", "*.api.example.com"]
            .map(|name| {
                let domain = Domain { scope: Scope::default(), name: name.to_owned(), mappings: Vec::new() };
                (Domain::key(name).to_owned(), Arc::new(domain))
            })
            .into();
        for (host, name) in [
            ("api.example.com", Some("api.example.com")),
            ("API.Example.com", Some("api.example.com")),
            ("www.example.com", Some("*.example.com")),
            ("a.api.example.com", Some("*.api.example.com")),
            ("a.b.example.com", None),
            ("example.com", None),
            ("localhost", None),
        ] {
            assert_eq!(find(&domains, host).map(|domain| domain.name.as_str()), name, "{host}");
        }
    }
}
