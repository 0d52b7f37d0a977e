//! Trying out what isn't deployed. What a request would do is for the data plane to say, so whoever hosts this service brings it:
//! [`Trials`].

use std::collections::BTreeMap;
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;

use pitbird_records::{Deployment, Texts};
use pitbird_service::Caller;
use pitbird_snapshot::Stage;
use time::OffsetDateTime;

use crate::{Error, stage};

/// The stage that a trial is of, as it calls itself. Source: recorded events of the service's test console.
pub const STAGE: &str = "test-invoke-stage";

/// The data plane, as far as it tries out what isn't deployed.
pub trait Trials: Send + Sync {
    /// Runs a method.
    fn method(&self, trial: Trial) -> Later<'_, Result<Tried, Untried>>;

    /// Asks an authorizer: the one of the only method that the trial's stage has.
    fn authorizer(&self, trial: Trial) -> Later<'_, Result<Judged, Untried>>;
}

pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request that nobody sends.
#[derive(Debug)]
pub struct Trial {
    /// What isn't deployed, as if it were.
    pub stage: Stage,
    pub resource_id: String,
    /// `GET` …
    pub verb: String,
    /// Begins with a `/`.
    pub path: String,
    /// Without `?`.
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub caller: Caller,
    /// What is said of `$context` beside, for authorizers.
    pub additional_context: Texts,
}

/// What a method answers.
#[derive(Debug, Clone)]
pub struct Tried {
    pub status: u16,
    /// In their order; one name may come more than once.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub latency_ms: u64,
    pub log: Log,
}

/// What an authorizer says.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What a client would be answered with; 0 where he may pass.
    pub client_status: u16,
    pub latency_ms: u64,
    pub log: Log,
    pub principal_id: Option<String>,
    /// As JSON.
    pub policy: Option<String>,
    /// Of a user pool's token.
    pub claims: Option<Vec<(String, String)>>,
}

/// What happened.
#[derive(Debug, Clone)]
pub struct Log {
    pub request_id: String,
    /// Epoch milliseconds and text of each line, oldest first.
    pub lines: Vec<(u64, String)>,
}

/// Why there was nothing to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untried {
    /// The stage has no such method.
    Method,
    /// A header of this name, or its value, can't be one.
    Header(String),
    /// All headers together are larger than API Gateway takes them.
    HeadersTooLarge,
    Path,
}

impl From<Untried> for Error {
    fn from(untried: Untried) -> Error {
        match untried {
            Untried::Method => Error::UnknownMethod,
            Untried::Header(name) => Error::TrialHeader(name),
            Untried::HeadersTooLarge => Error::TrialHeaders,
            Untried::Path => Error::TrialPath,
        }
    }
}

/// An API as it is now, on a stage of its own.
pub fn staged(deployment: Deployment, variables: Texts, now_ms: i64) -> Result<Stage, Error> {
    stage::check_variables(&variables)?;
    let record = stage::fresh(&deployment.scope, &deployment.api_id, STAGE, &deployment.id, now_ms);
    let record = pitbird_records::Stage { variables, ..record };
    Ok(pitbird_snapshot::trial(deployment, record))
}

/// A path with its query, taken apart; where none is given it is `template`.
pub fn path_and_query(given: Option<String>, template: &str) -> (String, String) {
    let whole = given.filter(|given| !given.is_empty()).unwrap_or_else(|| template.to_owned());
    let (path, query) = whole.split_once('?').unwrap_or((&whole, ""));
    let slash = if path.starts_with('/') { "" } else { "/" };
    ([slash, path].concat(), query.to_owned())
}

/// Headers with one value and with more; of a name that is in both the latter count.
pub fn headers(single: Option<Texts>, multi: Option<BTreeMap<String, Vec<String>>>) -> Vec<(String, String)> {
    let multi = multi.unwrap_or_default();
    let is_multi = |name: &str| multi.keys().any(|known| known.eq_ignore_ascii_case(name));
    let mut all: Vec<(String, String)> =
        single.unwrap_or_default().into_iter().filter(|(name, _)| !is_multi(name)).collect();
    for (name, values) in multi {
        all.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    all
}

impl Log {
    /// As API Gateway shows it: a line for each, with its second.
    pub fn to_text(&self) -> String {
        let mut text = format!("Execution log for request {}\n", self.request_id);
        for (at_ms, line) in &self.lines {
            writeln!(text, "{} : {line}", date(*at_ms)).expect("a String takes all text");
        }
        text
    }
}

/// `Sat Mar 05 15:47:32 UTC 2022`.
fn date(at_ms: u64) -> String {
    let at = i64::try_from(at_ms / 1000).ok().and_then(|at_s| OffsetDateTime::from_unix_timestamp(at_s).ok());
    let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
    let (hour, minute, second) = at.to_hms();
    let (weekday, month) = (&weekday[..3], &month[..3]);
    format!("{weekday} {month} {:02} {hour:02}:{minute:02}:{second:02} UTC {}", at.day(), at.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_as_the_service_tells_it() {
        let lines = vec![(1_646_495_252_562, "a".to_owned()), (1_646_495_253_000, "b: {}".to_owned())];
        let log = Log { request_id: "id".to_owned(), lines };
        assert_eq!(
            log.to_text(),
            "Execution log for request id\nSat Mar 05 15:47:32 UTC 2022 : a\nSat Mar 05 15:47:33 UTC 2022 : b: {}\n"
        );
        assert_eq!(date(u64::MAX), "Thu Jan 01 00:00:00 UTC 1970", "no such date");
    }

    #[test]
    fn paths_are_taken_apart() {
        for (given, path, query) in [
            (None, "/pets/{id}", ""),
            (Some(""), "/pets/{id}", ""),
            (Some("/pets/1?a=1?b"), "/pets/1", "a=1?b"),
            (Some("pets"), "/pets", ""),
            (Some("?a"), "/", "a"),
        ] {
            let found = path_and_query(given.map(str::to_owned), "/pets/{id}");
            assert_eq!(found, (path.to_owned(), query.to_owned()), "{given:?}");
        }
    }

    #[test]
    fn headers_with_more_values_come_before_those_with_one() {
        let single = Texts::from([("a".into(), "1".into()), ("X-B".into(), "2".into())]);
        let multi = BTreeMap::from([("x-b".to_owned(), vec!["3".to_owned(), "4".to_owned()])]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(headers(Some(single), Some(multi)), [pair("a", "1"), pair("x-b", "3"), pair("x-b", "4")]);
        assert!(headers(None, None).is_empty());
    }
}
