//! Names of the model as Rust writes them.

/// `KMSKeyArn` as `kms_key_arn`.
pub fn snake(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (at, &character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(at + 1);
        let starts = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() && before != '_' || after.is_some_and(char::is_ascii_lowercase)
            });
        if starts && !words.ends_with('_') {
            words.push('_');
        }
        words.push(if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' });
    }
    words
}

/// A member's name as a field's.
pub fn field(name: &str) -> String {
    const KEYWORDS: [&str; 14] = [
        "as", "async", "const", "default", "enum", "for", "in", "loop", "match", "mod", "move", "ref",
        "type", "use",
    ];
    let words = snake(name);
    if KEYWORDS.contains(&words.as_str()) { format!("r#{words}") } else { words }
}

/// How serde's `PascalCase` writes a field.
pub fn pascal(field: &str) -> String {
    let mut words = String::new();
    for word in field.trim_start_matches("r#").split('_') {
        let mut characters = word.chars();
        words.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        words.push_str(characters.as_str());
    }
    words
}

/// How serde's `camelCase` writes a field.
pub fn camel(field: &str) -> String {
    let words = pascal(field);
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_words_begin() {
        for (name, words) in [
            ("CreateFunction", "create_function"),
            ("CodeSha256", "code_sha256"),
            ("KMSKeyArn", "kms_key_arn"),
            ("restApiId", "rest_api_id"),
            ("S3Bucket", "s3_bucket"),
            ("ListMFADevices", "list_mfa_devices"),
        ] {
            assert_eq!(snake(name), words);
        }
        assert_eq!(field("type"), "r#type");
        assert_eq!(
            (pascal("code_sha256").as_str(), camel("rest_api_id").as_str()),
            ("CodeSha256", "restApiId")
        );
    }
}
