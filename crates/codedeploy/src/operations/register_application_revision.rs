use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::revision::RevisionLocation;
use crate::{Error, State, find, limits, revisions};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    description: Option<String>,
    revision: RevisionLocation,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let revision = input.revision.parse()?;
    check_description(input.description.as_deref())?;
    let register = move |tx: &mut Transaction<'_>| {
        let application = find::application(tx, &caller.scope, &input.application_name)?;
        revisions::register(tx, &application, revision, input.description, now_ms)
    };
    Ok(state.parts.store.write(register).await?)
}

pub fn check_description(description: Option<&str>) -> Result<(), Error> {
    if description.is_some_and(|text| text.chars().count() > limits::DESCRIPTION) {
        let words = format!("The description is longer than {} characters.", limits::DESCRIPTION);
        return Err(Error::invalid("DescriptionTooLongException", words));
    }
    Ok(())
}
