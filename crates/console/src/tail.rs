//! Log lines as they come: a session of `StartLiveTail`, told as server-sent events. An update comes each second, also when there is
//! nothing to tell, so a page knows when it no longer hears.

use http::{Response, StatusCode};
use pitbird_control::Control;
use pitbird_names::arn;
use pitbird_service::{Answer as Answered, Caller};
use pitbird_wire::Value;

use crate::answer::{self, Answer};
use crate::stream::{self, Stream};
use crate::{Visitor, call};

pub async fn answer(control: &Control, caller: Caller, query: &str, _: Visitor<'_>) -> Response<Answer> {
    let Some(group) = stream::query(query, "group").filter(|group| !group.is_empty()) else {
        return answer::refused(StatusCode::BAD_REQUEST, "Group", "which log group?");
    };
    let group = arn::log_group(&caller.scope, &group);
    let mut input = vec![("logGroupIdentifiers".into(), Value::List(vec![Value::String(group)]))];
    if let Some(filter) = stream::query(query, "filter").filter(|filter| !filter.is_empty()) {
        input.push(("logEventFilterPattern".into(), Value::String(filter)));
    }
    match call::ask(control, caller, ("logs", "StartLiveTail"), Value::Map(input)).await {
        Ok(Answered::Events(_, events)) => answer::events(Stream::Events { first: None, events }),
        Ok(Answered::Whole(_)) => answer::refused(StatusCode::BAD_GATEWAY, "Tail", "no events came"),
        // A stream that is refused would only be tried again: what is wrong is told as its one event.
        Err(fault) => {
            let first = Some(stream::written("refused", None, &fault.message.into()));
            answer::events(Stream::Events { first, events: Box::pin(Nothing) })
        }
    }
}

struct Nothing;

impl futures_core::Stream for Nothing {
    type Item = Result<pitbird_service::Event, pitbird_service::Fault>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(None)
    }
}
