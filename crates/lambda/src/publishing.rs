//! Making an immutable version of `$LATEST`.

use pitbird_names::VersionId;
use pitbird_records::FunctionVersion;
use pitbird_records::function::Settings;

/// The next version: a copy of `$LATEST` under a number that was never used before, which is used up by this.
pub fn publish(head: &mut FunctionVersion, revision_id: String) -> FunctionVersion {
    let whole = head.function.get_or_insert_default();
    let number = whole.next_version.max(1);
    whole.next_version = number + 1;
    FunctionVersion { version: VersionId::Number(number), revision_id, function: None, ..head.clone() }
}

/// The last published version, if `$LATEST` hasn't changed since: then publishing makes no new one.
pub fn unchanged(head: &FunctionVersion, versions: Vec<FunctionVersion>) -> Option<FunctionVersion> {
    let is_published = |version: &FunctionVersion| version.version != VersionId::Latest;
    let last = versions.into_iter().filter(is_published).max_by_key(|version| version.version)?;
    // A version may have a description of its own, which is no change of the function.
    let described = Settings { description: head.settings.description.clone(), ..last.settings.clone() };
    let is_same_description =
        head.modified_ms == last.modified_ms || head.settings.description == last.settings.description;
    (head.code == last.code && head.settings == described && is_same_description).then_some(last)
}
