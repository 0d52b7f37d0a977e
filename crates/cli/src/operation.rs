//! Finds what a person means by a service's and an operation's name.

use pitbird_wire::{Catalog, Model, Operation};

/// What the aws CLI calls a service where that isn't botocore's name of it.
const AWS_NAMES: [(&str, &str); 1] = [("codedeploy", "deploy")];

/// The name of a service in the aws CLI.
pub fn aws_service(key: &str) -> &str {
    AWS_NAMES.iter().find(|(own, _)| *own == key).map_or(key, |(_, aws)| aws)
}

/// The service of this name, botocore's or the aws CLI's.
pub fn find_service(name: &str) -> Option<&'static Model> {
    let key = AWS_NAMES.iter().find(|(_, aws)| *aws == name).map_or(name, |(own, _)| own);
    Catalog::embedded().model(key)
}

/// The operation of this name, written as in the model (`CreateFunction`) or as in the aws CLI (`create-function`).
pub fn find_operation(model: &'static Model, name: &str) -> Option<&'static Operation> {
    model.operation(name).or_else(|| {
        let wanted = name.replace('_', "-");
        model.operations().iter().find(|operation| kebab(operation.name) == wanted)
    })
}

/// `RestApiId` as the aws CLI writes it, `rest-api-id`. The rules are botocore's: a plural of capitals (`ARNs`) is one
/// word, and so is a run of capitals up to the one that begins the next word.
pub fn kebab(name: &str) -> String {
    words(name, '-')
}

/// `RestApiId` as configuration files write it, `rest_api_id`.
pub fn snake(name: &str) -> String {
    words(name, '_')
}

fn words(name: &str, separator: char) -> String {
    // OpenTelemetry's short name is one word to botocore, against its own rules.
    let letters: Vec<char> = name.replace("OTel", "Otel").chars().collect();
    let plural = plural_of_capitals(&letters);
    let mut text = String::with_capacity(name.len() + 8);
    for (at, letter) in letters.iter().enumerate() {
        if at > 0 && letter.is_ascii_uppercase() && plural.is_none_or(|from| at <= from) {
            let before = letters[at - 1];
            let begins_word = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
            let after_word = before.is_ascii_lowercase() || before.is_ascii_digit();
            if before != separator && (begins_word || after_word || plural == Some(at)) {
                text.push(separator);
            }
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// Where the name's last word begins if it is two or more capitals and an `s`.
fn plural_of_capitals(letters: &[char]) -> Option<usize> {
    let stem = letters.strip_suffix(&['s'])?;
    let capitals = stem.iter().rev().take_while(|letter| letter.is_ascii_uppercase()).count();
    (capitals >= 2).then(|| stem.len() - capitals)
}

/// The candidate that is most like what was written, if any is close.
pub fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let far = written.chars().count() / 3 + 1;
    let distances = candidates.into_iter().map(|candidate| (distance(written, candidate), candidate));
    distances.filter(|(distance, _)| *distance <= far).min().map(|(_, candidate)| candidate)
}

/// Letters to insert, delete or replace until one is the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *wanted);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_as_the_aws_cli_does() {
        for (name, written) in [
            ("CreateRestApi", "create-rest-api"),
            ("restApiId", "rest-api-id"),
            ("GetFunctionUrlConfig", "get-function-url-config"),
            ("DBInstanceARNs", "db-instance-arns"),
            ("ListARNs", "list-arns"),
            ("StatusARN", "status-arn"),
            ("KMSKeyArn", "kms-key-arn"),
            ("S3Bucket", "s3-bucket"),
            ("ListFunctionsByCodeSigningConfig", "list-functions-by-code-signing-config"),
            ("EC2TagFilters", "ec2-tag-filters"),
            ("GetDomainNameV2", "get-domain-name-v2"),
            ("StartOTelEnrichment", "start-otel-enrichment"),
            ("x", "x"),
        ] {
            assert_eq!(kebab(name), written);
        }
    }

    #[test]
    fn every_operation_is_found_by_both_its_names() {
        for service in Catalog::embedded().services() {
            let model = find_service(aws_service(service.key())).unwrap();
            for operation in model.operations() {
                for name in [operation.name.to_owned(), kebab(operation.name), snake(operation.name)] {
                    let found = find_operation(model, &name).map(|operation| operation.name);
                    assert_eq!(found, Some(operation.name), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        let words = ["create-function", "delete-function", "get-function"];
        assert_eq!(nearest("create-funtcion", words), Some("create-function"));
        assert_eq!(nearest("gte-function", words), Some("get-function"));
        assert_eq!(nearest("start-query", words), None);
    }
}
