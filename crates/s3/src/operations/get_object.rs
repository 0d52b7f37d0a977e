use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_wire::Blob;
use serde::Deserialize;

use crate::find::named;
use crate::object::Shown;
use crate::reading::{Reading, asked};
use crate::{State, content};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    range: Option<String>,
    part_number: Option<i64>,
    version_id: Option<String>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_modified_since: Option<f64>,
    if_unmodified_since: Option<f64>,
    checksum_mode: Option<String>,
    response_content_type: Option<String>,
    response_content_encoding: Option<String>,
    response_content_language: Option<String>,
    response_content_disposition: Option<String>,
    response_cache_control: Option<String>,
    response_expires: Option<f64>,
    expected_bucket_owner: Option<String>,
}

/// An object with its content, or some of it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Shown, Fault> {
    let named = named!(call);
    let mut input = call.input;
    let asked = asked!(input);
    let Reading { object, range, mut shown } = Reading::of(&state, &named, &input.key, asked)?;
    let bytes = content::read(&state, &object.content, range).await?;
    shown.body = Some(Blob(bytes));
    Ok(shown)
}
