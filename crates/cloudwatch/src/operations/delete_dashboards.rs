use std::sync::Arc;

use pitbird_records::Dashboard;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State};

/// Dashboards of one call. Source: DeleteDashboards.
const NAMES_MAX: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    dashboard_names: Vec<String>,
}

/// Deletes all of the dashboards, or none if one of them doesn't exist.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let mut names = input.dashboard_names;
    if names.is_empty() {
        return Err(Error::Missing("DashboardNames".to_owned()).into());
    }
    if names.len() > NAMES_MAX {
        return Err(Error::TooMany { parameter: "DashboardNames".to_owned(), limit: NAMES_MAX }.into());
    }
    names.sort_unstable();
    names.dedup();
    let account = caller.scope.account;
    let delete = move |tx: &mut Transaction<'_>| {
        for name in names {
            let key = Dashboard::key_of(&account, &name);
            if !tx.exists::<Dashboard>(&key)? {
                return Err(Error::NoDashboard(name));
            }
            tx.delete::<Dashboard>(&key)?;
        }
        Ok(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
