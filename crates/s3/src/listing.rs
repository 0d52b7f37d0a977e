//! Lists of objects, with everything behind a delimiter rolled up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pitbird_records::Object;
use pitbird_store::Store;
use serde::Serialize;

use crate::object::{quoted, seconds};
use crate::owner::Owner;
use crate::{Error, plain};

/// Entries of one answer. Source: S3 API reference, `ListObjectsV2`.
pub const ENTRIES_MAX: usize = 1000;
/// Records that are read at a time.
const BATCH: usize = 1000;
/// What sorts behind every key that begins the same.
const LAST: char = char::MAX;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Only what comes after this: a key, or what keys were rolled up into.
    pub after: Option<String>,
    pub max: usize,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Page {
    pub objects: Vec<Object>,
    /// What keys were rolled up into.
    pub prefixes: Vec<String>,
    /// The last entry, if more come after it.
    pub next: Option<String>,
}

/// One entry of a list.
enum Entry {
    Object(Box<Object>),
    Prefix(String),
}

impl Query {
    /// What a key is rolled up into: up to the first delimiter behind the prefix, and with it.
    fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(&self.prefix)?;
        let at = rest.find(delimiter)?;
        Some(&key[..self.prefix.len() + at + delimiter.len()])
    }
}

/// Reads a page of a bucket's objects.
pub fn page(store: &Store, bucket: &str, query: &Query) -> Result<Page, Error> {
    let mut page = Page::default();
    if query.max == 0 {
        return Ok(page);
    }
    let mut walk = Walk::new(store, bucket, query);
    let mut last = None;
    for count in 0.. {
        let Some(entry) = walk.next()? else { return Ok(page) };
        if count == query.max {
            break;
        }
        last = Some(match &entry {
            Entry::Object(object) => object.key.clone(),
            Entry::Prefix(prefix) => prefix.clone(),
        });
        match entry {
            Entry::Object(object) => page.objects.push(*object),
            Entry::Prefix(prefix) => page.prefixes.push(prefix),
        }
    }
    page.next = last;
    Ok(page)
}

/// Goes through a bucket's keys in batches, and past what a prefix was rolled up from.
struct Walk<'q> {
    store: &'q Store,
    bucket: &'q str,
    query: &'q Query,
    batch: std::vec::IntoIter<Object>,
    /// The key that the next batch comes after.
    after: Option<String>,
    is_at_end: bool,
    /// What the last entry was rolled up into.
    group: Option<String>,
}

impl<'q> Walk<'q> {
    fn new(store: &'q Store, bucket: &'q str, query: &'q Query) -> Walk<'q> {
        let after = query.after.clone();
        // After what keys were rolled up into comes what isn't.
        let group = after.as_deref().filter(|after| query.group(after) == Some(after)).map(str::to_owned);
        Walk { store, bucket, query, batch: Vec::new().into_iter(), after, is_at_end: false, group }
    }

    fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let Some(object) = self.batch.next() else {
                if self.is_at_end {
                    return Ok(None);
                }
                self.read()?;
                continue;
            };
            match self.query.group(&object.key) {
                None => return Ok(Some(Entry::Object(Box::new(object)))),
                Some(group) if self.group.as_deref() == Some(group) => {}
                Some(group) => {
                    self.group = Some(group.to_owned());
                    return Ok(Some(Entry::Prefix(group.to_owned())));
                }
            }
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        let past = self.after.take().map(|after| match &self.group {
            Some(group) if after.starts_with(group.as_str()) => format!("{group}{LAST}"),
            _ => after,
        });
        let after = past.map(|after| Object::key_of(self.bucket, &after));
        let prefix = Object::key_of(self.bucket, &self.query.prefix);
        let found = self.store.page::<Object>(&prefix, after.as_deref(), BATCH)?;
        self.is_at_end = found.len() < BATCH;
        self.after = found.last().map(|found| found.record.key.clone());
        self.batch = found.into_iter().map(|found| found.record).collect::<Vec<_>>().into_iter();
        Ok(())
    }
}

/// How a list's texts are written: XML can't carry every key, so clients ask for them percent-encoded.
#[derive(Debug, Clone, Copy)]
pub struct Encoding {
    is_url: bool,
}

/// What stays as it is: letters, digits, `-._~/` and what AWS leaves too.
const IN_URL: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

impl Encoding {
    pub fn parse(encoding_type: Option<&str>) -> Encoding {
        Encoding { is_url: encoding_type == Some("url") }
    }

    pub fn name(self) -> Option<&'static str> {
        self.is_url.then_some("url")
    }

    pub fn write(self, text: &str) -> String {
        match self.is_url {
            true => utf8_percent_encode(text, IN_URL).to_string(),
            false => text.to_owned(),
        }
    }

    pub fn prefixes(self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: self.write(prefix) }).collect()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CommonPrefix {
    prefix: String,
}

/// An object in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listed {
    key: String,
    last_modified: f64,
    #[serde(rename = "ETag")]
    etag: String,
    size: u64,
    storage_class: &'static str,
    checksum_algorithm: Vec<String>,
    checksum_type: &'static str,
    owner: Option<Owner>,
}

impl Listed {
    pub fn of(object: &Object, encoding: Encoding, owner: Option<&Owner>) -> Listed {
        Listed {
            key: encoding.write(&object.key),
            last_modified: seconds(object.modified_ms),
            etag: quoted(&object.etag),
            size: object.content.size_bytes,
            storage_class: plain::STORAGE_CLASS,
            checksum_algorithm: vec![object.checksum.algorithm.clone()],
            checksum_type: crate::checksum::kind(object.checksum.is_composite),
            owner: owner.cloned(),
        }
    }
}

/// The number of entries that a caller wants at most.
pub fn max(name: &'static str, asked: Option<i64>) -> Result<usize, Error> {
    match asked {
        None => Ok(ENTRIES_MAX),
        Some(asked @ 0..) => Ok(usize::try_from(asked).unwrap_or(ENTRIES_MAX).min(ENTRIES_MAX)),
        Some(asked) => {
            let message = "Argument must be an integer between 0 and 2147483647";
            Err(Error::Argument { name, value: asked.to_string(), message })
        }
    }
}

/// Where a list goes on, in a form that nobody should read.
pub fn token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

/// Reads a token that [`token`] made.
pub fn from_token(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| Error::Argument {
        name: "continuation-token",
        value: token.to_owned(),
        message: "The continuation token provided is incorrect",
    })
}
