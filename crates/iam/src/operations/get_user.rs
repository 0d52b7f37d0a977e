use std::sync::Arc;

use pitbird_names::arn;
use pitbird_records::session::user_id;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    user_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user: User,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    path: String,
    user_name: String,
    user_id: String,
    arn: String,
    create_date: i64,
}

/// The caller, if it is a user: users can't be made, so there is no other. It has been there for ever, which is told as the
/// beginning of 1970.
pub async fn run(_: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let own = user(&caller.principal);
    match (own, input.user_name) {
        (Some(user), None) => Ok(Output { user }),
        (Some(user), Some(name)) if user.user_name == name => Ok(Output { user }),
        (None, None) => Err(Error::NoUser.into()),
        (_, Some(name)) => Err(Error::UnknownUser(name).into()),
    }
}

/// The user behind a principal; `None` for role sessions.
fn user(principal: &str) -> Option<User> {
    let resource = arn::parse(principal)?.resource;
    let (path, name) = match resource.strip_prefix("user") {
        Some(named) => named.split_at(named.rfind('/')? + 1),
        None if resource == "root" => ("/", "root"),
        None => return None,
    };
    Some(User {
        path: path.to_owned(),
        user_name: name.to_owned(),
        user_id: user_id(principal),
        arn: principal.to_owned(),
        create_date: 0,
    })
}
