//! The keys of user pools that whoever runs the server gives.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use pitbird_jwt::KeySet;

/// Reads `POOL_ID=FILE` each; the files are JSON Web Key Sets.
pub fn read(given: &[String]) -> Result<HashMap<String, KeySet>> {
    let mut pools = HashMap::new();
    for text in given {
        let named = text.split_once('=').filter(|(pool, file)| !pool.is_empty() && !file.is_empty());
        let Some((pool, file)) = named else { bail!("{text:?}: expected POOL_ID=FILE") };
        let bytes =
            std::fs::read(file).with_context(|| format!("can't read the user pool's keys in {file}"))?;
        let keys = KeySet::parse(&bytes).with_context(|| format!("{file} has no user pool's keys"))?;
        if keys.is_empty() {
            bail!("{file} has no RSA key for signatures");
        }
        if pools.insert(pool.to_owned(), keys).is_some() {
            bail!("the keys of the user pool {pool} are given twice");
        }
    }
    Ok(pools)
}
