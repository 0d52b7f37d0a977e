//! Follows a log group; runs queries over several.

mod query;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::arguments::{LineFormat, Output, TailOptions};
use crate::client::Client;
use crate::failure::Failure;
use crate::json;
use crate::streams::Streams;
use crate::terminal::harmless;
use crate::watch::Style;

pub use query::query;

/// How often to ask for new events. Events are readable within a second of being written.
const INTERVAL: Duration = Duration::from_millis(250);
/// Events may become readable this long after their time.
const LATENESS_MS: i64 = 10_000;
/// Events that are remembered, so that one in two answers is printed once. Beyond it the time that late events have shrinks.
const SEEN_MAX: usize = 500_000;
/// Of a message, bytes in which its level is looked for.
const LEVEL_WITHIN: usize = 256;
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
    /// Events from `from_ms` on that have been printed, by time.
    seen: BTreeSet<(i64, String)>,
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
                    text.push_str(&line(event, output, options.format, streams.terminal.color));
                }
            }
            streams.data(&text).map_err(Failed::Print)?;
            token = page["nextToken"].take();
            if token.is_null() {
                break;
            }
        }
        self.advance(now_ms());
        Ok(())
    }

    fn is_new(&mut self, event: &Json) -> bool {
        let at_ms = event["timestamp"].as_i64().unwrap_or_default();
        self.newest_ms = self.newest_ms.max(at_ms);
        let Some(id) = event["eventId"].as_str() else { return true };
        self.seen.insert((at_ms, id.to_owned()))
    }

    /// Goes on to where nothing new can come any more, and forgets what lies before. An event may bear a time that hasn't come
    /// yet; the next ones needn't.
    fn advance(&mut self, now_ms: i64) {
        self.from_ms = self.from_ms.max(self.newest_ms.min(now_ms) - LATENESS_MS);
        while self.seen.len() > SEEN_MAX
            && let Some((at_ms, _)) = self.seen.pop_first()
        {
            self.from_ms = self.from_ms.max(at_ms + 1);
        }
        self.seen = self.seen.split_off(&(self.from_ms, String::new()));
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

/// One event: JSON on a line, its time, stream and message on a line, or for people as they like it.
fn line(event: &Json, output: Output, format: LineFormat, color: bool) -> String {
    if output == Output::Json {
        return format!("{event}\n");
    }
    let time = event["timestamp"].as_i64().and_then(json::epoch_ms).unwrap_or_default();
    let stream = event["logStreamName"].as_str().unwrap_or_default();
    let message = event["message"].as_str().unwrap_or_default().trim_end();
    if output == Output::Text {
        return format!("{time}\t{stream}\t{message}\n");
    }
    let message = painted(&harmless(&laid_out(message, format)), color);
    match format {
        LineFormat::Detailed | LineFormat::Json => format!("{time}  {}  {message}\n", short(stream)),
        LineFormat::Short => {
            let of_day = time.split_once('T').map_or(time.as_str(), |(_, of_day)| of_day);
            format!("{}  {message}\n", of_day.trim_end_matches('Z'))
        }
    }
}

/// The message, over several lines if it is JSON and that is wanted.
fn laid_out(message: &str, format: LineFormat) -> Cow<'_, str> {
    let parsed = (format == LineFormat::Json && message.starts_with('{'))
        .then(|| serde_json::from_str::<Json>(message).ok())
        .flatten();
    match parsed.and_then(|parsed| serde_json::to_string_pretty(&parsed).ok()) {
        Some(pretty) => Cow::Owned(pretty),
        None => Cow::Borrowed(message),
    }
}

/// The message in the colour of its level: the first word of its beginning that is one.
fn painted(message: &str, color: bool) -> String {
    let style = if color { level(message) } else { Style::Plain };
    match style.parameters() {
        "" => message.to_owned(),
        parameters => format!("\x1b[{parameters}m{message}\x1b[0m"),
    }
}

fn level(message: &str) -> Style {
    let end = (0..=message.len().min(LEVEL_WITHIN)).rev().find(|place| message.is_char_boundary(*place));
    let mut words = message[..end.unwrap_or(0)].split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    // In running text a lower-case `error` says nothing; in JSON's `level` it does.
    let is_json = message.starts_with('{');
    let found = words.find_map(|word| {
        let is_cased = word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        match (is_cased || is_json).then(|| word.to_ascii_uppercase()).as_deref()? {
            "ERROR" | "FATAL" | "CRITICAL" => Some(Style::Bad),
            "WARN" | "WARNING" => Some(Style::Careful),
            "INFO" => Some(Style::Plain),
            "DEBUG" | "TRACE" | "START" | "END" | "REPORT" | "INIT_START" => Some(Style::Dim),
            _ => None,
        }
    });
    found.unwrap_or(Style::Plain)
}

/// Streams of functions end in 32 hexadecimal digits, of which a few tell them apart.
fn short(stream: &str) -> String {
    let last = stream.rsplit(['/', ']']).next().unwrap_or(stream);
    last.chars().take(8).collect()
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
        let plain = |event: &Json, output| line(event, output, LineFormat::Detailed, false);
        assert_eq!(plain(&event, Output::Table), "2026-11-01T00:00:00.123Z  01234567  hello\u{fffd}[2J\n");
        assert!(plain(&event, Output::Text).starts_with("2026-11-01T00:00:00.123Z\t2026/11/01/[7]0123"));
        assert_eq!(serde_json::from_str::<Json>(&plain(&event, Output::Json)).unwrap(), event);
        assert_eq!(line(&event, Output::Table, LineFormat::Short, false), "00:00:00.123  hello\u{fffd}[2J\n");
        let event = json!({"timestamp": 0, "message": "{\"level\":\"error\"}", "logStreamName": "s"});
        assert_eq!(
            line(&event, Output::Table, LineFormat::Json, false),
            "1970-01-01T00:00:00.000Z  s  {\n  \"level\": \"error\"\n}\n"
        );
        let painted = line(&event, Output::Table, LineFormat::Short, true);
        assert_eq!(painted, "00:00:00.000  \x1b[31;1m{\"level\":\"error\"}\x1b[0m\n");
        let piped = line(&event, Output::Text, LineFormat::Short, true);
        assert!(!piped.contains('\x1b'), "data has no colour");
    }

    #[test]
    fn the_level_is_the_first_word_that_is_one() {
        for (message, style) in [
            ("[ERROR] 2025 it broke", Style::Bad),
            ("2025-11-23T12:00:00Z id WARN slow", Style::Careful),
            ("INFO no ERROR here", Style::Plain),
            ("an error of somebody else's", Style::Plain),
            ("{\"level\": \"warn\", \"message\": \"ERROR\"}", Style::Careful),
            ("REPORT RequestId: 1", Style::Dim),
            ("", Style::Plain),
            (&format!("{}ERROR", "é".repeat(200)), Style::Plain),
        ] {
            assert_eq!(level(message), style, "{message}");
        }
    }

    #[test]
    fn an_event_in_two_answers_is_new_once() {
        let now = 1_000_000;
        let mut tail = Tail::default();
        let event = |at_ms: i64, id: i64| json!({"eventId": id.to_string(), "timestamp": at_ms});
        assert!(tail.is_new(&event(now, 1)) && !tail.is_new(&event(now, 1)));
        tail.advance(now);
        assert_eq!(tail.from_ms, now - LATENESS_MS);
        assert!(
            tail.is_new(&event(now - LATENESS_MS, 2)) && !tail.is_new(&event(now, 1)),
            "late ones are new"
        );
        // A time that hasn't come yet makes nobody miss what comes until then.
        assert!(tail.is_new(&event(now + 7_200_000, 3)));
        tail.advance(now + 1);
        assert_eq!(tail.from_ms, now + 1 - LATENESS_MS);
        assert!(!tail.is_new(&event(now + 7_200_000, 3)));
        // More than can be remembered: what is forgotten isn't asked for again.
        for id in 0..=SEEN_MAX as i64 {
            tail.is_new(&event(now, 10 + id));
        }
        tail.advance(now);
        assert!(tail.seen.len() <= SEEN_MAX && tail.from_ms > now, "{}", tail.from_ms);
    }
}
