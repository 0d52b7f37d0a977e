use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    #[serde(rename = "vpcLinkId")]
    _vpc_link_id: String,
}

pub async fn run(_state: Arc<State>, _call: Call<Input>) -> Result<Nothing, Fault> {
    Err(Error::UnknownVpcLink.into())
}
