//! What is told to those who asked to be told: the change of a rollout as JSON, and its signature. Pure.

use std::future::Future;
use std::pin::Pin;

use pitbird_records::rollout::Notification;
use pitbird_rollout::hook::{is_url, signature};
use pitbird_rollout::notice::{self as told, About, NOTIFICATIONS_MAX, Standing};

use crate::{Error, Rollout, shape};

/// A change on its way to a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub url: String,
    /// JSON.
    pub body: String,
    /// `sha256=` and the HMAC of the body under the secret in hexadecimal; for the header `X-Pitbird-Signature`.
    pub signature: Option<String>,
}

/// How it went; an error says what was wrong with the last attempt.
pub type Told = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Where a rollout's changes go, if they can: `http` and `https`, as for alarms' actions.
pub fn parse(given: Vec<shape::Notification>) -> Result<Vec<Notification>, Error> {
    if given.len() > NOTIFICATIONS_MAX {
        return Err(Error::invalid(format!("Notifications names more than {NOTIFICATIONS_MAX} URLs.")));
    }
    let mut parsed: Vec<Notification> = Vec::new();
    for shape::Notification { url, secret, .. } in given {
        if !is_url(&url) {
            return Err(Error::invalid(format!("Notifications: {url:?} is no http or https URL.")));
        }
        if parsed.iter().any(|other| other.url == url) {
            return Err(Error::invalid(format!("Notifications names {url} twice.")));
        }
        parsed.push(Notification { url, secret });
    }
    Ok(parsed)
}

/// What is told when a rollout became `after`: every change of its phase, its pause, its gate and its weight.
pub fn of(before: &Rollout, after: &Rollout, at_ms: u64) -> Vec<Notice> {
    let standing = |rollout: &Rollout| Standing::of(&rollout.plan, &rollout.state);
    if after.notifications.is_empty() || standing(before) == standing(after) {
        return Vec::new();
    }
    let body = told::body(
        &after.plan,
        &after.state,
        About {
            time: at_ms,
            account: Some(after.scope.account.as_str()),
            region: after.scope.region.as_str(),
            rollout: &after.name,
            target: after.target.name(),
            reason: &after.reason,
            entry: after.entries,
        },
    );
    let notice = |to: &Notification| Notice {
        url: to.url.clone(),
        signature: to.secret.as_ref().map(|secret| signature(secret, &body)),
        body: body.clone(),
    };
    after.notifications.iter().map(notice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_are_told() {
        let of = |urls: &[&str]| {
            let given = urls.iter().map(|url| shape::Notification::to((*url).to_owned()));
            parse(given.collect()).map_err(|error| error.to_string())
        };
        assert_eq!(of(&["http://127.0.0.1:9/a?b", "https://example.com"]).unwrap().len(), 2);
        for url in ["ftp://a", "http://", "http:///a", "https://?a", "http://a b", "http://a\r\nb", "a"] {
            assert!(of(&[url]).unwrap_err().contains("no http or https URL"), "{url}");
        }
        assert!(of(&["http://a", "http://a"]).unwrap_err().contains("twice"));
        assert!(of(&["http://a", "http://b", "http://c", "http://d"]).is_ok());
        assert!(
            of(&["http://a", "http://b", "http://c", "http://d", "http://e"])
                .unwrap_err()
                .contains("more than 4")
        );
    }
}
