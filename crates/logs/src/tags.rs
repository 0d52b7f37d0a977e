//! Tags of log groups. The model holds the form of keys and values.

use pitbird_names::{Scope, arn};
use pitbird_records::Texts;

use crate::Error;

/// Tags of one group. Source: CloudWatch Logs API reference.
const TAGS_MAX: usize = 50;

/// Adds tags, of which a later value replaces an earlier one.
pub fn add(present: &mut Texts, more: Texts, scope: &Scope, group: &str) -> Result<(), Error> {
    if let Some(key) = more.keys().find(|key| key.starts_with("aws:")) {
        return Err(Error::Tag(key.clone()));
    }
    present.extend(more);
    if present.len() > TAGS_MAX {
        return Err(Error::TooManyTags { arn: arn::log_group(scope, group), limit: TAGS_MAX });
    }
    Ok(())
}
