//! CloudWatch Logs: its operations, no HTTP.
