//! Tags of functions.

use pitbird_records::Texts;

use crate::Error;

/// Tags of one function, and characters of a tag's key and value. Source: Lambda developer guide, "Tags".
const TAGS_MAX: usize = 50;
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

pub fn check(tags: &Texts) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::TooManyTags);
    }
    let is_bad = |(key, value): &(&String, &String)| {
        !(1..=KEY_CHARS_MAX).contains(&key.chars().count())
            || value.chars().count() > VALUE_CHARS_MAX
            || key.to_ascii_lowercase().starts_with("aws:")
    };
    match tags.iter().find(is_bad) {
        Some((key, _)) => Err(Error::Tag(key.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_bounds() {
        let one = |key: &str, value: &str| check(&[(key.to_owned(), value.to_owned())].into());
        let (key, value) = ("k".repeat(128), "v".repeat(256));
        assert!(one("a", "").is_ok() && one(&key, &value).is_ok());
        for (key, value) in [("", "v"), ("aws:a", "v"), (&(key + "k"), "v"), ("a", &(value + "v"))] {
            assert!(one(key, value).is_err(), "{key} {value}");
        }
        let many = |count: usize| (0..count).map(|n| (n.to_string(), String::new())).collect();
        assert!(check(&many(50)).is_ok() && matches!(check(&many(51)), Err(Error::TooManyTags)));
    }
}
