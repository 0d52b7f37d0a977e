//! API Gateway REST: its control-plane operations, no HTTP.
