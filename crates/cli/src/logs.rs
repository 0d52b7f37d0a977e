//! Follows a log group.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::arguments::{Output, TailOptions};
use crate::client::Client;
use crate::failure::Failure;
use crate::json;
use crate::streams::Streams;

/// How often to ask for new events. Events are readable within a second of being written.
const INTERVAL: Duration = Duration::from_millis(250);
/// Events may become readable this long after their time.
const LATENESS_MS: i64 = 10_000;
/// Event ids that are remembered, so that an event in two answers is printed once.
const SEEN_MAX: usize = 50_000;
/// How long a server may be away before following it gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Prints events until there are no more, or, when following, without end.
pub async fn tail(
    client: &Client,
    options: &TailOptions,
    output: Output,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let since_ms = i64::try_from(options.since.as_millis()).unwrap_or(i64::MAX);
    let mut tail = Tail { from_ms: now_ms().saturating_sub(since_ms).max(0), ..Tail::default() };
    loop {
        match tail.read(client, options, output, streams).await {
            Err(error) if options.follow && tail.may_wait(&error) => {}
            read => read?,
        }
        if !options.follow {
            return Ok(());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

#[derive(Debug, Default)]
struct Tail {
    /// Epoch ms.
    from_ms: i64,
    newest_ms: i64,
    seen: HashSet<String>,
    seen_in_order: VecDeque<String>,
    /// Since when the server has been away.
    away: Option<tokio::time::Instant>,
    /// Whether it ever answered.
    has_answered: bool,
}

impl Tail {
    /// Reads everything from `from_ms` on and prints what is new.
    async fn read(
        &mut self,
        client: &Client,
        options: &TailOptions,
        output: Output,
        streams: &mut Streams,
    ) -> Result<(), Failed> {
        let mut token = Json::Null;
        loop {
            let mut input = json!({"logGroupName": options.group, "startTime": self.from_ms});
            if let Some(pattern) = &options.filter {
                input["filterPattern"] = json!(pattern);
            }
            if !token.is_null() {
                input["nextToken"] = token;
            }
            let mut page = client.call("logs", "FilterLogEvents", &input).await.map_err(Failed::Call)?;
            self.has_answered = true;
            self.away = None;
            let mut text = String::new();
            for event in page["events"].as_array().into_iter().flatten() {
                if self.is_new(event) {
                    text.push_str(&line(event, output));
                }
            }
            streams.data(&text).map_err(Failed::Print)?;
            token = page["nextToken"].take();
            if token.is_null() {
                break;
            }
        }
        self.from_ms = self.from_ms.max(self.newest_ms - LATENESS_MS);
        Ok(())
    }

    fn is_new(&mut self, event: &Json) -> bool {
        self.newest_ms = self.newest_ms.max(event["timestamp"].as_i64().unwrap_or_default());
        let Some(id) = event["eventId"].as_str() else { return true };
        let is_new = self.seen.insert(id.to_owned());
        if is_new {
            self.seen_in_order.push_back(id.to_owned());
            if self.seen_in_order.len() > SEEN_MAX
                && let Some(oldest) = self.seen_in_order.pop_front()
            {
                self.seen.remove(&oldest);
            }
        }
        is_new
    }

    /// A server that answered before may be restarting.
    fn may_wait(&mut self, failed: &Failed) -> bool {
        let Failed::Call(error) = failed else { return false };
        let away = *self.away.get_or_insert_with(tokio::time::Instant::now);
        self.has_answered && error.is_passing() && away.elapsed() < PATIENCE
    }
}

#[derive(Debug)]
enum Failed {
    Call(crate::client::Error),
    Print(std::io::Error),
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Failure {
        match failed {
            Failed::Call(error) => Failure::from(error),
            Failed::Print(error) => Failure::from(error),
        }
    }
}

/// One event, one line: JSON, or its time, stream and message.
fn line(event: &Json, output: Output) -> String {
    if output == Output::Json {
        return format!("{event}\n");
    }
    let time = event["timestamp"].as_i64().and_then(json::epoch_ms).unwrap_or_default();
    let stream = event["logStreamName"].as_str().unwrap_or_default();
    let message = event["message"].as_str().unwrap_or_default().trim_end();
    match output {
        Output::Text => format!("{time}\t{stream}\t{message}\n"),
        _ => format!("{time}  {}  {}\n", short(stream), harmless(message)),
    }
}

/// Streams of functions end in 32 hexadecimal digits, of which a few tell them apart.
fn short(stream: &str) -> String {
    let last = stream.rsplit(['/', ']']).next().unwrap_or(stream);
    last.chars().take(8).collect()
}

/// Functions write what they like; the terminal must not obey it. Tabs and line ends stay.
fn harmless(message: &str) -> String {
    message
        .chars()
        .map(|c| if c.is_control() && !matches!(c, '\t' | '\n') { '\u{fffd}' } else { c })
        .collect()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line() {
        let event = json!({
            "eventId": "1", "timestamp": 1_793_491_200_123_i64, "message": "hello\u{1b}[2J\n",
            "logStreamName": "2026/11/01/[7]0123456789abcdef0123456789abcdef",
        });
        assert_eq!(line(&event, Output::Table), "2026-11-01T00:00:00.123Z  01234567  hello\u{fffd}[2J\n");
        assert!(line(&event, Output::Text).starts_with("2026-11-01T00:00:00.123Z\t2026/11/01/[7]0123"));
        assert_eq!(serde_json::from_str::<Json>(&line(&event, Output::Json)).unwrap(), event);
    }

    #[test]
    fn an_event_in_two_answers_is_new_once() {
        let mut tail = Tail::default();
        let event = json!({"eventId": "1", "timestamp": 5});
        assert!(tail.is_new(&event) && !tail.is_new(&event));
        assert_eq!(tail.newest_ms, 5);
        for id in 0..=SEEN_MAX {
            tail.is_new(&json!({"eventId": format!("e{id}")}));
        }
        assert_eq!((tail.seen.len(), tail.seen_in_order.len()), (SEEN_MAX, SEEN_MAX));
    }
}
