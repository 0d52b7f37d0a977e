//! One file per operation: its input, its output, one function.

mod get_usage;
mod list_environments;

use pitbird_service::Builder;

use crate::{Error, State};

/// Items of a page when the caller doesn't say, and at most.
const RESULTS_MAX: usize = 1000;

pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder.operation("GetUsage", &[], get_usage::run).operation(
        "ListEnvironments",
        &[],
        list_environments::run,
    )
}

fn limit(asked: Option<i64>) -> Result<usize, Error> {
    let limit = asked.map_or(Ok(RESULTS_MAX), usize::try_from).ok();
    limit.filter(|limit| (1..=RESULTS_MAX).contains(limit)).ok_or(Error::MaxResults(RESULTS_MAX))
}
