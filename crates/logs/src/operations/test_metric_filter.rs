use std::sync::Arc;

use pitbird_filterpattern::Pattern;
use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    filter_pattern: String,
    log_event_messages: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Output {
    matches: Vec<Match>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    /// From 1 on.
    event_number: usize,
    event_message: String,
    extracted_values: Texts,
}

/// Which of some messages a pattern takes, and what it finds in them.
pub async fn run(_state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Input { filter_pattern, log_event_messages } = call.input;
    let pattern = Pattern::parse(&filter_pattern).map_err(Error::from)?;
    let numbered = (1..).zip(log_event_messages);
    let taken = numbered.filter(|(_, message)| pattern.takes(message));
    let matches = taken.map(|(event_number, event_message)| Match {
        event_number,
        extracted_values: pattern.extract(&event_message).into_iter().collect(),
        event_message,
    });
    Ok(Output { matches: matches.collect() })
}
