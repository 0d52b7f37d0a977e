use std::sync::Arc;

use pitbird_records::Role;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::document::{self, INLINE_CHARS_MAX};
use crate::operations::change_role;
use crate::shape::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
    policy_name: String,
    policy_document: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    document::check_inline(&input.policy_document).map_err(Error::from)?;
    let change = move |role: &mut Role, _: &Transaction<'_>| {
        role.policies.insert(input.policy_name, input.policy_document);
        if role.policies.values().map(|text| document::size(text)).sum::<usize>() > INLINE_CHARS_MAX {
            return Err(Error::RolePoliciesTooLarge { limit: INLINE_CHARS_MAX, role: role.name.clone() });
        }
        Ok(())
    };
    change_role(&state, caller, input.role_name, change).await?;
    Ok(Nothing {})
}
