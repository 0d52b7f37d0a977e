//! What setting an alarm of either kind has in common.

use pitbird_names::Scope;
use pitbird_records::Texts;
use pitbird_records::alarm::{AlarmActions, AlarmHead};

use crate::alarm::Action;
use crate::tags::{self, Tag};
use crate::{Error, alarm};

/// The members that both kinds of alarms have.
pub struct Named {
    pub name: String,
    pub description: Option<String>,
    pub actions_enabled: Option<bool>,
    pub ok_actions: Option<Vec<String>>,
    pub alarm_actions: Option<Vec<String>>,
    pub insufficient_data_actions: Option<Vec<String>>,
    pub tags: Option<Vec<Tag>>,
}

/// A new alarm's head, all of it checked.
pub fn head(named: Named, scope: Scope, now_ms: i64) -> Result<AlarmHead, Error> {
    if named.name.chars().any(char::is_control) {
        return Err(Error::Invalid("AlarmName must not contain control characters.".to_owned()));
    }
    let actions = AlarmActions {
        ok: actions("OKActions", named.ok_actions)?,
        alarm: actions("AlarmActions", named.alarm_actions)?,
        insufficient_data: actions("InsufficientDataActions", named.insufficient_data_actions)?,
    };
    let mut texts = Texts::new();
    tags::add(&mut texts, named.tags.unwrap_or_default()).map_err(Error::into_invalid)?;
    Ok(AlarmHead {
        scope,
        name: named.name,
        description: named.description,
        actions_enabled: named.actions_enabled.unwrap_or(true),
        actions,
        configured_ms: now_ms,
        state: alarm::unchecked(now_ms),
        tags: texts,
    })
}

fn actions(parameter: &str, given: Option<Vec<String>>) -> Result<Vec<String>, Error> {
    let given = given.unwrap_or_default();
    given.iter().try_for_each(|action| Action::parse(parameter, action).map(drop))?;
    Ok(given)
}
