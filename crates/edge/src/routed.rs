//! What is known of a request once it has found its method.

use pitbird_paths::Match;
use pitbird_snapshot::{Method, Resource, Setting, Stage, Track};

use crate::execution_log::Log;

/// A request that has found its method: the values of the steps before.
pub(crate) struct Routed<'r, 'a> {
    pub stage: &'r Stage,
    pub track: &'r Track,
    pub matched: Match<'r, 'a, Resource>,
    pub method: &'r Method,
    /// The request's own.
    pub verb: &'a str,
    /// What the stage says of this method.
    pub setting: Option<Setting<'r>>,
    /// Where this exchange is told.
    pub log: Log<'r>,
}
