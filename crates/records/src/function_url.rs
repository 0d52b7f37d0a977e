//! A URL by which a function or one of its aliases can be called over HTTP.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionUrl {
    pub scope: Scope,
    pub function: String,
    /// `None` for the function itself, which is `$LATEST`.
    pub alias: Option<String>,
    /// 32 of `[a-z0-9]`: the first part of the host's name.
    pub url_id: String,
    /// Must callers sign?
    pub is_signed: bool,
    pub cors: Option<Cors>,
    /// Does an answer go to its caller as the function writes it?
    #[serde(default)]
    pub is_streamed: bool,
    pub created_ms: i64,
    pub modified_ms: i64,
}

/// What browsers are told. What was never given is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cors {
    pub allow_credentials: Option<bool>,
    pub allow_headers: Option<Vec<String>>,
    pub allow_methods: Option<Vec<String>>,
    pub allow_origins: Option<Vec<String>>,
    pub expose_headers: Option<Vec<String>>,
    pub max_age: Option<u32>,
}

impl Record for FunctionUrl {
    const TABLE: &'static str = "function_url";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.function, self.alias.as_deref().unwrap_or("$")])
    }
}
