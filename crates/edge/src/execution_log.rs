use crate::access_log::Place;
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
        let (api, stage) = (place.api_id, place.stage);
        tell(format!("Extended Request Id: {}", story.extended_request_id));
        tell(format!("Verifying Usage Plan for request: {id}. API Key:  API Stage: {api}/{stage}"));
        tell(format!(
            "API Key  authorized because method '{method} {resource}' does not require API Key. \
             Request will not contribute to throttle or quota limits"
        ));
        tell(format!("Usage Plan check succeeded for API Key  and API Stage {api}/{stage}"));
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

fn clip(mut line: String) -> String {
    if line.len() > LINE_BYTES_MAX {
        let end = (0..=LINE_BYTES_MAX).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
    }
    line
}
