//! `GetEventSourceMapping`, `UpdateEventSourceMapping` and `DeleteEventSourceMapping`: since
//! [`create_event_source_mapping`](super::create_event_source_mapping) makes none, none is there.

use std::sync::Arc;

use pitbird_service::{Call, Fault, Harmless};
use serde::Deserialize;

use super::create_event_source_mapping::DETAILS;
use crate::{Error, State};

/// Whatever a mapping that isn't there is asked to be.
pub const HARMLESS: Harmless = &DETAILS;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "no name is that of a mapping")]
pub struct Input {
    #[serde(rename = "UUID")]
    uuid: String,
}

pub async fn run(_state: Arc<State>, _call: Call<Input>) -> Result<(), Fault> {
    Err(Error::UnknownResource.into())
}
