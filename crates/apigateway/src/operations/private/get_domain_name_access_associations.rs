use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::page::Page;
use crate::shape::{Items, Nothing};

#[derive(Debug, Deserialize)]
pub struct Input {
    position: Option<String>,
    limit: Option<i64>,
    #[serde(rename = "resourceOwner")]
    _resource_owner: Option<String>,
}

pub async fn run(_state: Arc<State>, call: Call<Input>) -> Result<Items<Nothing>, Fault> {
    Page::parse(call.input.position.as_deref(), call.input.limit)?;
    Ok(Items { position: None, items: Vec::new() })
}
