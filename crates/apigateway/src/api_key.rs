//! API keys: their values, lists of them as text, and how patches change one.

pub mod csv;

use pitbird_names::{Scope, short_id};
use pitbird_records::{ApiKey, Texts};

use crate::Error;
use crate::patch::{Op, Patch};

/// Keys in one account and region. Source: API Gateway quotas.
pub const KEYS_MAX: usize = 10_000;
/// A value's length, bytes. Source: API Gateway developer guide, "API key file format".
const VALUE_BYTES_MIN: usize = 20;
const VALUE_BYTES_MAX: usize = 128;
/// Letters of a value that is made here, and of each of its halves: as many as one draw of random bits is good for.
const VALUE_HALF: usize = 20;

/// A key with nothing but an id and a value of its own.
pub fn fresh(scope: &Scope, id: String, entropy: fn() -> u128, now_ms: i64) -> ApiKey {
    let value = short_id(entropy(), VALUE_HALF) + &short_id(entropy(), VALUE_HALF);
    ApiKey {
        scope: scope.clone(),
        id,
        value,
        name: None,
        customer_id: None,
        description: None,
        enabled: false,
        created_ms: now_ms,
        updated_ms: now_ms,
        stage_keys: Vec::new(),
        tags: Texts::new(),
    }
}

/// Checks a value that a caller brings, which nobody else may have among `others`.
pub fn check_value(value: &str, others: &[ApiKey]) -> Result<(), Error> {
    if value.len() < VALUE_BYTES_MIN {
        return Err(Error::ApiKeyShort);
    }
    // It travels as a header.
    if value.len() > VALUE_BYTES_MAX || !value.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::ApiKeyValue);
    }
    if others.iter().any(|other| other.value == value) {
        return Err(Error::ApiKeyExists);
    }
    Ok(())
}

/// Applies one patch operation.
pub fn apply(key: &mut ApiKey, patch: &Patch<'_>) -> Result<(), Error> {
    let text = patch.text().map(str::to_owned);
    match (patch.op, patch.path) {
        (Op::Replace, "/name") => key.name = text,
        (Op::Replace, "/description") => key.description = text,
        (Op::Replace, "/customerId") => key.customer_id = text,
        (Op::Replace, "/enabled") => key.enabled = patch.switch(),
        (Op::Add | Op::Remove, "/stages") => return Err(Error::unsupported("stageKeys")),
        _ => return Err(patch.not_one_of("/name, /description, /enabled, /customerId")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_bounds_and_one_owner() {
        let key = fresh(&Scope::default(), "id".to_owned(), || 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835, 0);
        assert_eq!(key.value.len(), 40);
        let run =
            |value: &str| check_value(value, std::slice::from_ref(&key)).map_err(|error| error.to_string());
        assert_eq!(run(&"a".repeat(20)), Ok(()));
        assert_eq!(run(&"a".repeat(128)), Ok(()));
        assert_eq!(run(&"a".repeat(19)), Err("API Key value should be at least 20 characters".to_owned()));
        assert!(run(&"a".repeat(129)).is_err() && run(&"a b".repeat(10)).is_err());
        assert_eq!(run(&key.value), Err("API Key already exists".to_owned()));
    }

    #[test]
    fn patches_reach_their_member() {
        let mut key = fresh(&Scope::default(), "id".to_owned(), || 1, 0);
        let mut run = |op, path, value| {
            apply(&mut key, &Patch { op, path, value: Some(value), from: None })
                .map(|()| key.clone())
                .map_err(|error| error.to_string())
        };
        assert_eq!(run(Op::Replace, "/name", "n").expect("named").name.as_deref(), Some("n"));
        assert!(run(Op::Replace, "/enabled", "true").expect("enabled").enabled);
        assert_eq!(run(Op::Replace, "/customerId", "c").expect("owned").customer_id.as_deref(), Some("c"));
        assert_eq!(
            run(Op::Replace, "/value", "v").expect_err("a value stays"),
            "Invalid patch path  '/value' specified for op 'replace'. Must be one of: [/name, /description, /enabled, \
             /customerId]"
        );
        assert_eq!(run(Op::Add, "/stages", "a/b").expect_err("older"), "stageKeys is not supported");
    }
}
