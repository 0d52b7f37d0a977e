use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::view::Recursion;
use crate::{State, Target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    recursive_loop: String,
}

/// Says whether events that a function causes may come back to it without end.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Recursion, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "PutFunctionRecursionConfig", &input.function_name)?;
    let allows_loops = input.recursive_loop == "Allow";
    let allow = move |whole: &mut pitbird_records::function::WholeFunction| {
        whole.allows_loops = allows_loops;
        Ok(())
    };
    super::change_whole(&state, target, allow).await?;
    Ok(Recursion::new(allows_loops))
}
