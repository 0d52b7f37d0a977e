use crate::GatewayError;
use crate::admitted::Admitted;
use crate::context::Place;
use crate::story::Story;

/// How much API Gateway writes of one line.
const LINE_BYTES_MAX: usize = 1024;

/// How talkative a method's execution log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Off,
    Error,
    Info,
}

impl Level {
    pub fn parse(text: Option<&str>) -> Level {
        match text {
            Some("INFO") => Level::Info,
            Some("ERROR") => Level::Error,
            _ => Level::Off,
        }
    }
}

/// The execution log of one exchange, a line per step, in API Gateway's words. At `ERROR` only failures are told.
pub(crate) fn lines(level: Level, place: Place<'_>, story: &Story<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tell = |text: String| lines.push(clip(format!("({}) {text}", story.request_id)));
    let failure = story.integration.and_then(|integration| integration.error.as_ref());
    if level == Level::Info {
        let (id, method) = (story.request_id, story.method);
        let resource = story.resource.map_or("", |(_, path)| path);
        tell(format!("Extended Request Id: {}", story.extended_request_id));
        keys(place, story).into_iter().for_each(&mut tell);
        tell(format!("Starting execution for request: {id}"));
        tell(format!("HTTP Method: {method}, Resource Path: {resource}"));
        if let Some(integration) = story.integration
            && let Some(status) = integration.service_status
        {
            let latency = integration.latency_ms();
            tell(format!("Received response. Status: {status}, Integration latency: {latency} ms"));
        }
    }
    match failure {
        Some(failure) => tell(failure.clone()),
        None if level == Level::Info => tell("Successfully completed execution".to_owned()),
        None => {}
    }
    if level == Level::Info || failure.is_some() {
        tell(format!("Method completed with status: {}", story.status));
    }
    lines
}

/// What there is to tell of API key and usage plan.
fn keys(place: Place<'_>, story: &Story<'_>) -> Vec<String> {
    let (id, method) = (story.request_id, story.method);
    let resource = story.resource.map_or("", |(_, path)| path);
    let at = format!("API Stage: {}/{}", place.api_id, place.stage);
    let Admitted { api_key, is_in_plan, .. } = story.admitted;
    let shown = api_key.as_ref().map_or_else(String::new, |key| masked(&key.value));
    let mut lines = vec![format!("Verifying Usage Plan for request: {id}. API Key: {shown} {at}")];
    let is_refused = matches!(
        story.error,
        Some(GatewayError::InvalidApiKey | GatewayError::Throttled | GatewayError::QuotaExceeded)
    );
    if api_key.is_some() && *is_in_plan {
        lines.push(format!("API Key {shown} authorized because it is in a usage plan of this stage"));
    } else if !is_refused {
        lines.push(format!(
            "API Key {shown} authorized because method '{method} {resource}' does not require API Key. \
             Request will not contribute to throttle or quota limits"
        ));
    }
    lines.push(match is_refused {
        true => format!("Usage Plan check failed for API Key {shown} and {at}"),
        false => format!("Usage Plan check succeeded for API Key {shown} and {at}"),
    });
    lines
}

/// A key as logs show it: its last six characters.
fn masked(key: &str) -> String {
    let from = key.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
    format!("{}{}", "*".repeat(34), &key[from..])
}

fn clip(mut line: String) -> String {
    if line.len() > LINE_BYTES_MAX {
        let end = (0..=LINE_BYTES_MAX).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
    }
    line
}
