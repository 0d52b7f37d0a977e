//! One file per operation: its input, its output, one function.

mod get_usage;

use pitbird_service::Builder;

use crate::State;

pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder.operation("GetUsage", &[], get_usage::run)
}
