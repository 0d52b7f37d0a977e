//! What a caller gets to read of an object.

use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

use pitbird_records::Object;

use crate::condition::Conditions;
use crate::find::Named;
use crate::object::Shown;
use crate::{Error, State, plain, range};

/// What a caller asks of an object that he reads.
#[derive(Debug, Default)]
pub struct Asked {
    pub range: Option<String>,
    pub part_number: Option<i64>,
    pub version_id: Option<String>,
    pub conditions: Conditions,
    pub wants_checksum: bool,
    /// What is answered in place of the object's own headers.
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    /// Seconds since 1970.
    pub expires_s: Option<f64>,
}

/// Takes it out of an input that has these members.
macro_rules! asked {
    ($input:expr) => {
        $crate::reading::Asked {
            range: $input.range.take(),
            part_number: $input.part_number,
            version_id: $input.version_id.take(),
            conditions: $crate::condition::Conditions {
                if_match: $input.if_match.take(),
                if_none_match: $input.if_none_match.take(),
                if_modified_since: $input.if_modified_since,
                if_unmodified_since: $input.if_unmodified_since,
            },
            wants_checksum: $input.checksum_mode.as_deref() == Some("ENABLED"),
            content_type: $input.response_content_type.take(),
            content_encoding: $input.response_content_encoding.take(),
            content_language: $input.response_content_language.take(),
            content_disposition: $input.response_content_disposition.take(),
            cache_control: $input.response_cache_control.take(),
            expires_s: $input.response_expires,
        }
    };
}
pub(crate) use asked;

/// An object, what of its bytes is asked for (all if there is no range), and how it is shown.
pub struct Reading {
    pub object: Object,
    pub range: Option<Range<u64>>,
    pub shown: Shown,
}

impl Reading {
    pub fn of(state: &State, named: &Named, key: &str, asked: Asked) -> Result<Reading, Error> {
        plain::check_version(asked.version_id.as_deref())?;
        let object = named.object(&state.store, key)?;
        asked.conditions.check_read(&object)?;
        let range = asked.range_of(&object)?;
        let mut shown = Shown::of(&object, asked.wants_checksum);
        if let Some(range) = &range {
            shown = shown.part(range);
        }
        if asked.part_number.is_some() && !object.part_sizes.is_empty() {
            shown.parts_count = Some(object.part_sizes.len());
        }
        shown.content_type = asked.content_type.unwrap_or(shown.content_type);
        shown.content_encoding = asked.content_encoding.or(shown.content_encoding);
        shown.content_language = asked.content_language.or(shown.content_language);
        shown.content_disposition = asked.content_disposition.or(shown.content_disposition);
        shown.cache_control = asked.cache_control.or(shown.cache_control);
        shown.expires = asked.expires_s.map(http_date).or(shown.expires);
        Ok(Reading { object, range, shown })
    }
}

/// A time as headers have it; what comes before 1970 or after 9999 is cut to that.
fn http_date(epoch_s: f64) -> String {
    const LAST_S: f64 = 253_402_300_799.0;
    let since = Duration::from_secs(epoch_s.clamp(0.0, LAST_S) as u64);
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}

impl Asked {
    fn range_of(&self, object: &Object) -> Result<Option<Range<u64>>, Error> {
        let size = object.content.size_bytes;
        match (self.part_number, &self.range) {
            (None, None) => Ok(None),
            (None, Some(header)) => range::parse(header, size),
            (Some(_), Some(_)) => Err(Error::Argument {
                name: "partNumber",
                value: String::new(),
                message: "Cannot specify both Range header and partNumber query parameter",
            }),
            (Some(number), None) => part(number, object),
        }
    }
}

/// The bytes that came as one part; an object that came whole has one.
fn part(number: i64, object: &Object) -> Result<Option<Range<u64>>, Error> {
    let sizes = match &object.part_sizes[..] {
        [] => &[object.content.size_bytes],
        sizes => sizes,
    };
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let at = at.filter(|at| *at < 10_000).ok_or(Error::PartNumber(number))?;
    let Some(size) = sizes.get(at) else {
        return Err(Error::PartOfObject { asked: number, parts: sizes.len() });
    };
    let start: u64 = sizes[..at].iter().sum();
    // Of nothing there is no part; it is given whole.
    Ok((*size > 0).then(|| start..start + size))
}
