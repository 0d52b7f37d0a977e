//! What every reader of strangers' bytes is tried with: its grammar's pieces, valid inputs, and the reader itself.
//!
//! Nothing here makes inputs: the tests of this crate do by `pitbird-testkit`'s `try_hostile`, a few hundred in a usual run and
//! for `PITBIRD_FUZZ_SECONDS` each when that is set; `fuzz/` gives the same readers to libFuzzer. Whatever comes is read or
//! refused, within the reader's own bounds. Readers that their crates keep to themselves (patch paths, route keys, embedded
//! metrics) are tried in the same way within these crates.

mod documents;
mod functions;
mod paths;
mod queries;
mod templates;
mod tokens;
mod wire;

/// A reader and what its inputs are made of.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub pieces: &'static [&'static str],
    /// Inputs that are read, each of another form.
    pub seeds: &'static [&'static [u8]],
    /// Could it be read? That it comes back is what counts.
    pub reads: fn(&[u8]) -> bool,
}

pub const TARGETS: &[Target] = &[
    documents::OPENAPI,
    documents::POLICY,
    documents::SCHEMA,
    functions::REPLY,
    functions::ZIP,
    paths::PATHS,
    queries::FILTER,
    queries::INSIGHTS,
    queries::MATH,
    templates::JSONPATH,
    templates::PARAMETER,
    templates::VTL,
    tokens::FRAMES,
    tokens::JWT,
    tokens::SIGNATURE,
    wire::CBOR,
    wire::JSON,
    wire::QUERY,
    wire::XML,
];

/// The reader of this name.
///
/// # Panics
/// When there is none.
pub fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("a target's name")
}
