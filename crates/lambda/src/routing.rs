//! What an alias may point to: one published version or `$LATEST`, or two published versions by weight.

use std::collections::BTreeMap;

use pitbird_names::{VersionId, Weight};
use pitbird_records::alias::Additional;
use pitbird_records::{Alias, FunctionVersion};
use serde::Deserialize;

use crate::{Error, Target};

/// `AliasRoutingConfiguration`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoutingConfig {
    pub additional_version_weights: Option<BTreeMap<String, f64>>,
}

/// The version that a caller wants an alias of a function to have.
pub fn parse_version(text: &str, function: &Target) -> Result<VersionId, Error> {
    VersionId::parse(text).ok_or_else(|| match text {
        "$LATEST.PUBLISHED" => Error::unsupported("FunctionVersion $LATEST.PUBLISHED"),
        _ => Error::UnknownFunction(format!("{}:{text}", function.arn())),
    })
}

/// The versions that an alias leads to.
pub fn versions(alias: &Alias) -> impl Iterator<Item = VersionId> {
    [alias.version].into_iter().chain(alias.additional.map(|additional| additional.version))
}

/// The additional version that a caller wants; `None` clears it. The weight's bounds are the model's.
pub fn parse(config: &RoutingConfig, function: &Target) -> Result<Option<Additional>, Error> {
    let weights = config.additional_version_weights.as_ref();
    let mut weights = weights.into_iter().flatten();
    let Some((version, weight)) = weights.next() else { return Ok(None) };
    if weights.next().is_some() {
        return Err(Error::TooManyWeights);
    }
    let bounds = |_| Error::Constraint {
        member: "routingConfig.additionalVersionWeights",
        value: format!("{{{version}={weight:?}}}"),
        constraint:
            "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member \
                     must have value greater than or equal to 0.0, Member must not be null]"
                .to_owned(),
    };
    Ok(Some(Additional {
        version: parse_version(version, function)?,
        weight: Weight::new(*weight).map_err(bounds)?,
    }))
}

/// Holds an alias against the rules as it would be stored. `find` gives a version of its function, or the error that
/// there is none.
pub fn check(alias: &Alias, find: impl Fn(VersionId) -> Result<FunctionVersion, Error>) -> Result<(), Error> {
    let Some(Additional { version: additional, .. }) = alias.additional else {
        return find(alias.version).map(drop);
    };
    if alias.version == VersionId::Latest {
        return Err(Error::LatestWithWeights);
    }
    if additional == alias.version {
        return Err(Error::VersionTwice(additional));
    }
    let (base, other) = (find(alias.version)?, find(additional)?);
    if base.settings.role != other.settings.role {
        return Err(Error::DifferentRoles(base.version, other.version));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(weights: &[(&str, f64)]) -> RoutingConfig {
        let weights = weights.iter().map(|(version, weight)| ((*version).to_owned(), *weight));
        RoutingConfig { additional_version_weights: Some(weights.collect()) }
    }

    fn parse(config: &RoutingConfig) -> Result<Option<Additional>, Error> {
        let function = Target { scope: Default::default(), name: "f".to_owned(), qualifier: None };
        super::parse(config, &function)
    }

    #[test]
    fn an_empty_routing_clears() {
        assert_eq!(parse(&config(&[])).expect("none"), None);
        assert_eq!(parse(&RoutingConfig { additional_version_weights: None }).expect("none"), None);
    }

    #[test]
    fn a_weight_of_nothing_is_kept() {
        let additional = parse(&config(&[("2", 0.0)])).expect("a routing").expect("a version");
        assert_eq!((additional.version, additional.weight.get()), (VersionId::Number(2), 0.0));
    }

    #[test]
    fn one_additional_version_with_a_share_and_no_more() {
        for (weights, words) in [
            (
                &[("2", 0.1), ("3", 0.1)][..],
                "Number of items in AdditionalVersionWeights cannot be greater than 1",
            ),
            (
                &[("2", 2.0)],
                "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights'",
            ),
            (&[("2", -0.5)], "1 validation error detected: Value '{2=-0.5}' at"),
            (&[("2", f64::NAN)], "1 validation error detected: Value '{2=NaN}' at"),
        ] {
            let error = parse(&config(weights)).expect_err(words).to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
