//! Tags of roles and policies. Keys have no case: a key that differs only in case replaces the one that was there.

use pitbird_records::Texts;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Tags of one role or policy. Source: IAM quotas.
const TAGS_MAX: usize = 50;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// Adds tags to those that are there.
pub fn add(tags: &mut Texts, added: Vec<Tag>) -> Result<(), Error> {
    let mut seen: Vec<String> = added.iter().map(|tag| tag.key.to_lowercase()).collect();
    if seen.iter().any(|key| key.starts_with("aws:")) {
        return Err(Error::SystemTag);
    }
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::TagTwice);
    }
    for tag in added {
        let key = tag.key.to_lowercase();
        tags.retain(|known, _| known.to_lowercase() != key);
        tags.insert(tag.key, tag.value);
    }
    if tags.len() > TAGS_MAX { Err(Error::TooManyTags) } else { Ok(()) }
}

/// Removes tags; one that isn't there is no error.
pub fn remove(tags: &mut Texts, keys: &[String]) {
    let keys: Vec<String> = keys.iter().map(|key| key.to_lowercase()).collect();
    tags.retain(|known, _| !keys.contains(&known.to_lowercase()));
}

/// In the order of their keys.
pub fn shape(tags: Texts) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}
