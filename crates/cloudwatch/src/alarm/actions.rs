//! What a change of state sets going: which actions may be set, and those that wait to be carried out.

use pitbird_names::arn;
use pitbird_records::alarm::{AlarmDeed, AlarmHead};
use pitbird_store::{Store, Transaction};
use pitbird_telemetry::alarm::State as AlarmValue;

use super::{Kind, Previous, event, history, value};
use crate::Error;

/// What an alarm can set going.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A function's ARN, perhaps with a qualifier.
    Function(String),
    /// An `http` or `https` URL that the event is sent to by POST. AWS has no such action.
    Webhook(String),
}

impl Action {
    /// Reads an action as it is set; `parameter` says where. What pitbird can't carry out is refused by name.
    pub fn parse(parameter: &str, text: &str) -> Result<Action, Error> {
        if let Some(rest) = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) {
            let is_url = text.parse::<http::Uri>().is_ok() && !rest.is_empty() && !rest.starts_with('/');
            let words = || Error::Invalid(format!("Invalid URL in {parameter}: {text}"));
            return if is_url { Ok(Action::Webhook(text.to_owned())) } else { Err(words()) };
        }
        let parts = arn::parse(text);
        let parts = parts.ok_or_else(|| Error::Invalid(format!("Invalid arn syntax: {text}")))?;
        match (parts.service, parts.resource.strip_prefix("function:")) {
            ("lambda", Some(_)) => Ok(Action::Function(text.to_owned())),
            _ => Err(Error::unsupported(format!("{parameter} {text}"))),
        }
    }
}

/// The actions of a state.
fn of_state(head: &AlarmHead) -> &[String] {
    match value(&head.state) {
        AlarmValue::Ok => &head.actions.ok,
        AlarmValue::Alarm => &head.actions.alarm,
        AlarmValue::InsufficientData => &head.actions.insufficient_data,
    }
}

/// Writes down that the actions of an alarm's state, which it has come to, are to be carried out.
pub fn note_deeds<A: Kind>(
    tx: &mut Transaction<'_>,
    alarm: &A,
    before: &Previous<'_>,
) -> Result<(), pitbird_store::Error> {
    let head = alarm.head();
    if !head.actions_enabled || of_state(head).is_empty() {
        return Ok(());
    }
    let (at_ms, event) = (head.state.updated_ms, event::of(alarm, before).to_string());
    let present = tx.count::<AlarmDeed>(&AlarmDeed::prefix_at(&head.scope, &head.name, at_ms))?;
    for (index, action) in of_state(head).iter().enumerate() {
        tx.put(&AlarmDeed {
            scope: head.scope.clone(),
            alarm: head.name.clone(),
            alarm_type: A::TYPE.to_owned(),
            at_ms,
            number: u32::try_from(present + index).unwrap_or(u32::MAX),
            action: action.clone(),
            event: event.clone(),
        })?;
    }
    Ok(())
}

/// The oldest deeds that wait.
pub fn pending(store: &Store, count: usize) -> Result<Vec<AlarmDeed>, pitbird_store::Error> {
    let found = store.page::<AlarmDeed>("", None, count)?;
    Ok(found.into_iter().map(|found| found.record).collect())
}

/// Writes down how a deed ended.
pub fn done(
    tx: &mut Transaction<'_>,
    deed: &AlarmDeed,
    ended: &Result<(), String>,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    if tx.delete::<AlarmDeed>(&pitbird_records::Record::key(deed))? {
        history::note_deed(tx, deed, ended, now_ms)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_functions_or_urls() {
        let function = "arn:aws:lambda:us-east-1:000000000000:function:f:live";
        let read = |text: &str| Action::parse("AlarmActions", text).map_err(|error| error.to_string());
        assert_eq!(read(function), Ok(Action::Function(function.to_owned())));
        for url in ["http://127.0.0.1:9/x", "https://hooks.example/a?b=c"] {
            assert_eq!(read(url), Ok(Action::Webhook(url.to_owned())));
        }
        let topic = "arn:aws:sns:us-east-1:000000000000:t";
        assert_eq!(read(topic), Err(format!("AlarmActions {topic} is not supported")));
        let layer = "arn:aws:lambda:us-east-1:000000000000:layer:l:1";
        assert_eq!(read(layer), Err(format!("AlarmActions {layer} is not supported")));
        assert_eq!(read("page me"), Err("Invalid arn syntax: page me".to_owned()));
        assert_eq!(read("https:///x"), Err("Invalid URL in AlarmActions: https:///x".to_owned()));
    }
}
