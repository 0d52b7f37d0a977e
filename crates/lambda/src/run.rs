//! What the operations need of the crate that runs functions.

use std::pin::Pin;

use pitbird_records::function::Code;

use crate::Error;

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs functions. One runs them for real; tests of the operations put another in its place, since a sandbox is not to
/// be had everywhere.
pub trait Run: Send + Sync + 'static {
    /// Is this a zip that can be unpacked, within the bounds? Computes; call it where that holds nobody up.
    fn check(&self, zip: &[u8]) -> Result<(), Error>;

    /// Makes code that is in the store ready to run.
    fn prepare<'a>(&'a self, code: &'a Code) -> Answer<'a, Result<(), Error>>;
}
