use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::{Nothing, OWNERSHIP};
use crate::find::named;
use crate::{Error, State, settings};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    ownership_controls: OwnershipControls,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OwnershipControls {
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    object_ownership: String,
}

/// Says who owns what is in a bucket: its owner. Anything else would need ACLs.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let [Rule { object_ownership }] = &call.input.ownership_controls.rules[..] else {
        return Err(Error::MalformedXml.into());
    };
    if object_ownership != OWNERSHIP {
        return Err(Error::Unsupported(format!("ObjectOwnership {object_ownership}")).into());
    }
    settings::change(&state, named, |settings| settings.has_ownership_controls = true).await?;
    Ok(Nothing {})
}
