//! A log group's events on their way into a bucket.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportTask {
    pub scope: Scope,
    /// A UUID.
    pub id: String,
    pub name: Option<String>,
    pub group: String,
    pub stream_prefix: Option<String>,
    /// Of the events, inclusive.
    pub from_ms: i64,
    /// Exclusive.
    pub to_ms: i64,
    pub bucket: String,
    pub prefix: String,
    pub status: ExportStatus,
    /// Why it failed.
    pub message: Option<String>,
    pub created_ms: i64,
    pub completed_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportStatus {
    Pending,
    Running,
    /// Somebody has cancelled it, and it hasn't stopped yet.
    PendingCancel,
    Cancelled,
    Completed,
    Failed,
}

impl ExportStatus {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            ExportStatus::Pending => "PENDING",
            ExportStatus::Running => "RUNNING",
            ExportStatus::PendingCancel => "PENDING_CANCEL",
            ExportStatus::Cancelled => "CANCELLED",
            ExportStatus::Completed => "COMPLETED",
            ExportStatus::Failed => "FAILED",
        }
    }

    pub fn is_over(self) -> bool {
        matches!(self, ExportStatus::Cancelled | ExportStatus::Completed | ExportStatus::Failed)
    }
}

impl ExportTask {
    pub fn key_of(scope: &Scope, id: &str) -> String {
        crate::key(scope, &[id])
    }

    /// The prefix of the keys of a scope's tasks.
    pub fn prefix_of(scope: &Scope) -> String {
        crate::prefix(scope, &[])
    }
}

impl Record for ExportTask {
    const TABLE: &'static str = "export_task";
    fn key(&self) -> String {
        ExportTask::key_of(&self.scope, &self.id)
    }
}
