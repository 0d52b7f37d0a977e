//! CloudWatch metrics and alarms: operations, no HTTP.
