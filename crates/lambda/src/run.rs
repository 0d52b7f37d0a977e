//! What the operations need of the crate that runs functions.

use std::pin::Pin;

use bytes::Bytes;
use pitbird_invoke::{
    CodeError, Event, Invocation, Invoker, Outcome, Provisioned, Refused, Unqueued, ZipError, ZipFacts,
};
use pitbird_names::Qualifier;
use pitbird_service::Fault;
use pitbird_snapshot::{Function, Version};

use crate::Error;

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs functions. [`Invoker`] does it for real; tests of the operations put another in its place, since a sandbox is not
/// to be had everywhere.
pub trait Run: Send + Sync + 'static {
    /// Is this a zip that can be unpacked, within the bounds, and to how many bytes? Computes; call it where that holds
    /// nobody up.
    fn check(&self, zip: &[u8]) -> Result<u64, Error>;

    /// Checks a zip by unpacking it to where it will be run, and answers its bytes there. `sha256_hex` is its hash in lower
    /// case.
    fn admit<'a>(&'a self, sha256_hex: &'a str, zip: Bytes) -> Answer<'a, Result<u64, Error>>;

    /// Makes ready what a version's first environment needs.
    fn prepare<'a>(&'a self, version: &'a Version) -> Answer<'a, Result<(), Refused>>;

    /// Runs a function once. An alias chooses its version by `draw` in [0, 1).
    fn invoke<'a>(
        &'a self,
        function: &'a Function,
        qualifier: Option<&'a Qualifier>,
        draw: f64,
        invocation: Invocation,
    ) -> Answer<'a, Result<Outcome, Refused>>;

    /// The same, and what the function streams comes as it writes it.
    fn invoke_streaming<'a>(
        &'a self,
        function: &'a Function,
        qualifier: Option<&'a Qualifier>,
        draw: f64,
        invocation: Invocation,
    ) -> Answer<'a, Result<pitbird_invoke::Answer, Refused>>;

    /// How it stands with the environments that are kept ready for a version or an alias.
    fn provisioned(&self, function: &Function, qualifier: &Qualifier) -> Provisioned;

    /// Keeps an event for later; durable when it returns. Whether its function exists was asked before.
    fn enqueue(&self, event: Event) -> Answer<'_, Result<(), Unqueued>>;
}

impl Run for Invoker {
    fn check(&self, zip: &[u8]) -> Result<u64, Error> {
        admitted(pitbird_invoke::check_zip(zip).map_err(|error| refused(&error)))
    }

    fn admit<'a>(&'a self, sha256_hex: &'a str, zip: Bytes) -> Answer<'a, Result<u64, Error>> {
        Box::pin(async move {
            let facts = self.admit_code(sha256_hex, zip).await;
            admitted(facts.map_err(|error| match &error {
                CodeError::Zip { source, .. } => refused(source),
                other => Error::told(Fault::internal(other)),
            }))
        })
    }

    fn prepare<'a>(&'a self, version: &'a Version) -> Answer<'a, Result<(), Refused>> {
        Box::pin(Invoker::prepare(self, version))
    }

    fn invoke<'a>(
        &'a self,
        function: &'a Function,
        qualifier: Option<&'a Qualifier>,
        draw: f64,
        invocation: Invocation,
    ) -> Answer<'a, Result<Outcome, Refused>> {
        Box::pin(Invoker::invoke(self, function, qualifier, draw, invocation))
    }

    fn invoke_streaming<'a>(
        &'a self,
        function: &'a Function,
        qualifier: Option<&'a Qualifier>,
        draw: f64,
        invocation: Invocation,
    ) -> Answer<'a, Result<pitbird_invoke::Answer, Refused>> {
        Box::pin(Invoker::invoke_streaming(self, function, qualifier, draw, invocation))
    }

    fn provisioned(&self, function: &Function, qualifier: &Qualifier) -> Provisioned {
        Invoker::provisioned(self, function, qualifier)
    }

    fn enqueue(&self, event: Event) -> Answer<'_, Result<(), Unqueued>> {
        Box::pin(Invoker::enqueue(self, event))
    }
}

fn admitted(facts: Result<ZipFacts, Error>) -> Result<u64, Error> {
    let ZipFacts { entries, unpacked_bytes } = facts?;
    if entries == 0 { Err(Error::EmptyZip) } else { Ok(unpacked_bytes) }
}

fn refused(error: &ZipError) -> Error {
    match error {
        ZipError::Malformed(_) | ZipError::TooManyEntries => Error::BadZip,
        ZipError::TooLarge => Error::UnzippedSize,
        ZipError::Disk(_) => Error::told(Fault::internal(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn check(zip: &[u8]) -> Result<u64, Error> {
        admitted(pitbird_invoke::check_zip(zip).map_err(|error| refused(&error)))
    }

    fn zip(names: &[&str]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            writer.start_file(*name, SimpleFileOptions::default()).expect("a name");
            writer.write_all(b"content").expect("memory");
        }
        writer.finish().expect("memory").into_inner()
    }

    #[test]
    fn a_zip_has_something_in_it_and_nothing_outside() {
        assert!(matches!(check(&zip(&["bootstrap"])), Ok(7)));
        assert!(matches!(check(&zip(&[])), Err(Error::EmptyZip)));
        assert!(matches!(check(b"no zip"), Err(Error::BadZip)));
        assert!(matches!(check(&zip(&["../bootstrap"])), Err(Error::BadZip)));
    }
}
