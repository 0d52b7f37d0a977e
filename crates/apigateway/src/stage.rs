//! What a stage and its variables may be.

pub mod cache;
pub mod method_setting;
pub mod patch;

use pitbird_names::Scope;
use pitbird_records::{Stage, Texts};

use crate::Error;

/// Stages of one API. Source: API Gateway quotas.
pub const STAGES_MAX: usize = 10;
/// A stage's name, bytes.
const NAME_BYTES: usize = 128;
/// Variables of one stage, and bytes of a variable's name and value. Source: API Gateway quotas.
const VARIABLES_MAX: usize = 100;
const VARIABLE_NAME_BYTES: usize = 64;
const VARIABLE_VALUE_BYTES: usize = 512;

/// A stage with nothing but a deployment.
pub fn fresh(scope: &Scope, api_id: &str, name: &str, deployment_id: &str, now_ms: i64) -> Stage {
    Stage {
        scope: scope.clone(),
        api_id: api_id.to_owned(),
        name: name.to_owned(),
        deployment_id: deployment_id.to_owned(),
        description: None,
        created_ms: now_ms,
        updated_ms: now_ms,
        variables: Texts::new(),
        canary: None,
        method_settings: Default::default(),
        access_log: None,
        documentation_version: None,
        tracing_enabled: false,
        cache_cluster_enabled: false,
        cache_cluster_size: None,
        client_certificate_id: None,
        cache_flushed: 0,
        authorizers_flushed: 0,
        tags: Texts::new(),
    }
}

pub fn check_name(name: &str) -> Result<(), Error> {
    let fits = (1..=NAME_BYTES).contains(&name.len());
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits && letters { Ok(()) } else { Err(Error::StageName) }
}

/// Checks variables of a stage, or overrides of a canary.
pub fn check_variables(variables: &Texts) -> Result<(), Error> {
    if variables.len() > VARIABLES_MAX {
        return Err(Error::TooMany { what: "stage variables for this stage", limit: VARIABLES_MAX });
    }
    variables.iter().try_for_each(|(name, value)| {
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || !(1..=VARIABLE_NAME_BYTES).contains(&name.len()) {
            return Err(Error::VariableName(name.clone()));
        }
        let is_value = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b);
        if !value.bytes().all(is_value) || !(1..=VARIABLE_VALUE_BYTES).contains(&value.len()) {
            return Err(Error::VariableValue(name.clone()));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_few_letters_and_an_end() {
        for name in ["prod", "v1_2-b", &"a".repeat(128)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a/b", "é", &"a".repeat(129)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn variables_have_bounds() {
        let one = |name: &str, value: &str| check_variables(&[(name.to_owned(), value.to_owned())].into());
        let (name, value) = ("n".repeat(64), "v".repeat(512));
        assert!(one("alias", "live").is_ok() && one("url", "https://a.b/c?d=e&f=g,h#i~j_k-l:1").is_ok());
        assert!(one(&name, &value).is_ok());
        for (name, value) in [
            ("a-b", "v"),
            ("", "v"),
            ("a", ""),
            ("a", "{\"b\":1}"),
            (&(name + "n"), "v"),
            ("a", &(value + "v")),
        ] {
            assert!(one(name, value).is_err(), "{name} {value}");
        }
        let many = |count: usize| (0..count).map(|n| (n.to_string(), "v".to_owned())).collect();
        assert!(check_variables(&many(100)).is_ok() && check_variables(&many(101)).is_err());
    }
}
