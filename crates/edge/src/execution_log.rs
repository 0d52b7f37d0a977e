//! The execution log of one exchange: what happens to it, told as it happens, in API Gateway's words. Where the log is off, nothing
//! is put into words: whoever tells something gives a closure.

pub(crate) mod authorizer;
mod steps;
mod words;

pub(crate) use steps::{
    answered, arrived, asked, begin, finish, function_answered, function_asked, function_queued, key_refused,
    plan_verified, quota_exceeded, received, throttled, verify_plan,
};
#[cfg(test)]
pub(crate) use words::masked;

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use pitbird_snapshot::Setting;

/// How much API Gateway writes of one line, characters; then it says that there was more.
const LINE_CHARACTERS_MAX: usize = 1024;
const TRUNCATED: &str = " [TRUNCATED]";

/// How talkative a method's execution log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Off,
    Error,
    Info,
}

impl Level {
    fn parse(text: Option<&str>) -> Level {
        match text {
            Some("INFO") => Level::Info,
            Some("ERROR") => Level::Error,
            _ => Level::Off,
        }
    }
}

/// What has been told of an exchange so far.
#[derive(Debug)]
pub(crate) struct ExecutionLog {
    level: Level,
    /// Whether the data that goes by is told as well.
    is_traced: bool,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    lines: Vec<Line>,
    /// Names of headers as their author wrote them; HTTP knows them in lower case.
    spelled: Vec<String>,
    /// The id under which the called service knows the request.
    endpoint_request_id: Option<String>,
    /// Whether it was told why something failed.
    has_failed: bool,
}

/// A line without the request's id, which each log shows in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Epoch milliseconds.
    pub at_ms: u64,
    pub text: String,
}

impl ExecutionLog {
    /// The log that a method's settings ask for, if they ask for one.
    pub fn wanted(setting: Option<Setting<'_>>) -> Option<Box<ExecutionLog>> {
        let values = setting?.values;
        let level = Level::parse(values.logging_level.as_deref());
        (level > Level::Off).then(|| ExecutionLog::new(level, values.data_trace_enabled))
    }

    /// One that tells everything.
    pub fn whole() -> Box<ExecutionLog> {
        ExecutionLog::new(Level::Info, true)
    }

    fn new(level: Level, is_traced: bool) -> Box<ExecutionLog> {
        Box::new(ExecutionLog { level, is_traced: is_traced && level == Level::Info, told: Mutex::default() })
    }

    /// What was told, oldest first.
    pub fn lines(&self) -> Vec<Line> {
        std::mem::take(&mut self.told().lines)
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a header is shown: as it was spelled here, else each word's first letter in upper case.
    pub fn shown(&self, name: &str) -> String {
        let told = self.told();
        let spelled = told.spelled.iter().find(|spelled| spelled.eq_ignore_ascii_case(name));
        spelled.cloned().unwrap_or_else(|| words::usual_spelling(name))
    }
}

/// Where an exchange's steps are told, if they are told at all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Log<'l>(pub Option<&'l ExecutionLog>);

impl<'l> Log<'l> {
    /// Tells a step.
    pub fn info(self, words: impl FnOnce() -> String) {
        self.tell(|log| log.level == Level::Info, words);
    }

    /// Tells data that goes by.
    pub fn trace(self, words: impl FnOnce() -> String) {
        self.tell(|log| log.is_traced, words);
    }

    /// Tells why something failed.
    pub fn error(self, words: impl FnOnce() -> String) {
        self.tell(|_| true, words);
        if let Some(log) = self.0 {
            log.told().has_failed = true;
        }
    }

    /// Was it told why something failed?
    pub fn has_failed(self) -> bool {
        self.0.is_some_and(|log| log.told().has_failed)
    }

    /// The log, if it tells the data that goes by.
    pub fn traced(self) -> Option<&'l ExecutionLog> {
        self.0.filter(|log| log.is_traced)
    }

    /// Notes how names of headers are written.
    pub fn spell<'n>(self, names: impl Iterator<Item = &'n str>) {
        if let Some(log) = self.traced() {
            log.told().spelled.extend(names.map(str::to_owned));
        }
    }

    /// Notes the id under which a called service knows the request.
    pub fn endpoint_request_id(self, id: impl FnOnce() -> Option<String>) {
        if let Some(log) = self.0
            && let Some(id) = id()
        {
            log.told().endpoint_request_id = Some(id);
        }
    }

    /// Tells the id under which the called service knows the request: a stage's log ends with it.
    pub fn end(self) {
        let id = self.0.and_then(|log| log.told().endpoint_request_id.take());
        if let Some(id) = id {
            self.info(|| format!("AWS Integration Endpoint RequestId : {id}"));
        }
    }

    fn tell(self, wants: impl FnOnce(&ExecutionLog) -> bool, words: impl FnOnce() -> String) {
        let Some(log) = self.0.filter(|log| wants(log)) else { return };
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let at_ms = since.map_or(0, |since| since.as_millis() as u64);
        let text = clip(words());
        log.told().lines.push(Line { at_ms, text });
    }
}

fn clip(mut text: String) -> String {
    if text.len() > LINE_CHARACTERS_MAX
        && let Some((end, _)) = text.char_indices().nth(LINE_CHARACTERS_MAX)
    {
        text.truncate(end);
        text.push_str(TRUNCATED);
    }
    text
}

#[cfg(test)]
mod tests;
