use std::time::Duration;

use serde_json::Value;

/// How long an answer may take: longer than the 30 s that a gateway gives a function.
const DEADLINE: Duration = Duration::from_secs(40);

/// An HTTP answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A client that keeps its connections.
#[derive(Debug, Clone)]
pub struct Client(ureq::Agent);

impl Default for Client {
    fn default() -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(DEADLINE))
            .build();
        Client(config.into())
    }
}

impl Client {
    /// One request.
    ///
    /// # Errors
    /// In words, when there is no whole answer: the server died, or 40 s have passed.
    pub fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, String> {
        let failed = |error: ureq::Error| format!("{method} {url}: {error}");
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).expect("a request");
        let answer = self.0.run(request).map_err(failed)?;
        let headers = answer.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let (status, headers) = (answer.status().as_u16(), headers.collect());
        let body = answer.into_body().read_to_vec().map_err(failed)?;
        Ok(Answer { status, headers, body })
    }
}

pub fn get(url: &str) -> Answer {
    send("GET", url, &[], b"")
}

pub fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    send("POST", url, headers, body)
}

/// One request over a connection of its own.
///
/// # Panics
/// When there is no answer within 40 s.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    Client::default().send(method, url, headers, body).unwrap_or_else(|error| panic!("{error}"))
}
