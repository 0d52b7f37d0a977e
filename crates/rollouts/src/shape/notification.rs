use pitbird_records::rollout::Notification as NotificationRecord;
use serde::{Deserialize, Serialize};

/// A URL that is told of a rollout's changes. Its secret is taken and never shown; whether it has one is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Notification {
    pub url: String,
    #[serde(skip_serializing)]
    pub secret: Option<String>,
    #[serde(skip_deserializing)]
    pub signed: bool,
}

#[cfg(test)]
impl Notification {
    pub fn to(url: String) -> Notification {
        Notification { url, secret: None, signed: false }
    }
}

impl From<&NotificationRecord> for Notification {
    fn from(known: &NotificationRecord) -> Notification {
        Notification { url: known.url.clone(), secret: None, signed: known.secret.is_some() }
    }
}
