use pitbird_records::Texts;
use serde::{Deserialize, Serialize};

use crate::{Error, limits};

/// A tag's name and value, characters. Source: "Tagging AWS resources".
const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    key: Option<String>,
    value: Option<String>,
}

/// Lays tags over those that are there.
pub fn add(tags: &mut Texts, given: Vec<Tag>) -> Result<(), Error> {
    let invalid = |words: String| Error::invalid("InvalidTagsToAddException", words);
    for Tag { key, value } in given {
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        if key.is_empty() || key.chars().count() > KEY_MAX || key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!(
                "A tag's key has 1 to {KEY_MAX} characters and doesn't begin with aws:."
            )));
        }
        if value.chars().count() > VALUE_MAX {
            return Err(invalid(format!("A tag's value has at most {VALUE_MAX} characters.")));
        }
        tags.insert(key, value);
    }
    if tags.len() > limits::TAGS {
        return Err(invalid(format!("A resource has at most {} tags.", limits::TAGS)));
    }
    Ok(())
}

pub fn shown(tags: &Texts) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
    tags.iter().map(tag).collect()
}
