use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use pitbird_records::Texts;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Tags of one object, and of one bucket. Source: S3 user guide, "Object tags" and "Bucket tags".
pub const OBJECT_TAGS_MAX: usize = 10;
pub const BUCKET_TAGS_MAX: usize = 50;
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tagging {
    pub tag_set: Vec<Tag>,
}

/// The tags as callers see them.
pub fn shown(tags: &Texts) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// Reads a set of tags.
pub fn parse(tags: Vec<Tag>, max: usize) -> Result<Texts, Error> {
    if tags.len() > max {
        let is_object = max == OBJECT_TAGS_MAX;
        let words = if is_object {
            "Object tags cannot be greater than 10"
        } else {
            "Bucket tag count cannot be greater than 50"
        };
        return Err(Error::Argument { name: "TagSet", value: tags.len().to_string(), message: words });
    }
    let mut set = BTreeMap::new();
    for Tag { key, value } in tags {
        if !(1..=KEY_CHARS_MAX).contains(&key.chars().count()) {
            return Err(Error::Tag("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > VALUE_CHARS_MAX {
            return Err(Error::Tag("The TagValue you have provided is invalid"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::Tag("System tags cannot be added/updated by requester"));
        }
        if set.insert(key, value).is_some() {
            return Err(Error::Tag("Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(set)
}

/// Reads the `x-amz-tagging` header: `a=1&b=%20`.
pub fn from_header(header: Option<&str>) -> Result<Texts, Error> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let tags = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Tag { key: decode(key), value: decode(value) }
    });
    parse(tags.collect(), OBJECT_TAGS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_tags_is_read() {
        let seen = from_header(Some("team=birds&note=a%20b+c&empty=")).expect("tags");
        let seen: Vec<(&str, &str)> =
            seen.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(seen, [("empty", ""), ("note", "a b c"), ("team", "birds")]);
        assert!(from_header(None).expect("none").is_empty());
    }

    #[test]
    fn tags_have_bounds() {
        let (key, value) = ("k".repeat(129), "v".repeat(257));
        let many: Vec<String> = (0..11).map(|n| format!("t{n}=")).collect();
        for bad in ["=v", "a=1&a=2", "aws:a=1", &format!("{key}=v"), &format!("k={value}"), &many.join("&")] {
            assert!(from_header(Some(bad)).is_err(), "{bad}");
        }
        assert!(from_header(Some(&many[1..].join("&"))).is_ok());
    }
}
