//! Bounds that several crates share, each with its unit. Source: AWS quotas of API Gateway, Lambda and CloudWatch.

/// A function's bare name, bytes.
pub const FUNCTION_NAME_BYTES: usize = 64;
/// An alias, bytes.
pub const ALIAS_NAME_BYTES: usize = 128;
/// Payload of a synchronous invocation and of its answer, bytes (6 MiB and the allowance that Lambda's messages name).
pub const INVOKE_PAYLOAD_BYTES: usize = 6_291_556;
/// What Lambda's message names for a request that is longer than [`INVOKE_PAYLOAD_BYTES`].
pub const INVOKE_PAYLOAD_BYTES_TOLD: usize = 6_291_456;
/// Answer that a function streams. Source: Lambda developer guide, "Response streaming for Lambda functions".
pub const STREAMED_BYTES: usize = 200 * 1024 * 1024;
/// Payload of an asynchronous invocation, bytes.
pub const EVENT_PAYLOAD_BYTES: usize = 1_048_576;
/// Body of a request through API Gateway, bytes.
pub const GATEWAY_BODY_BYTES: usize = 10 * 1024 * 1024;
/// All request headers of a request through API Gateway together, bytes.
pub const GATEWAY_HEADER_BYTES: usize = 10_240;
/// Body of a control-plane call, bytes: a 50 MiB zip in base64 and its envelope.
pub const CALL_BODY_BYTES: usize = 70_167_211;
/// An S3 object, and a part of one, bytes. AWS takes 50 TB and 5 GiB; here contents are held in memory on their way.
pub const OBJECT_BYTES: usize = 256 * 1024 * 1024;
/// All bodies of control-plane calls that are held at a time and longer than [`LONG_BODY_BYTES`], bytes together.
pub const HELD_BODIES_BYTES: usize = 1024 * 1024 * 1024;
/// A longer body than this waits for room, bytes.
pub const LONG_BODY_BYTES: usize = 8 * 1024 * 1024;
/// An API Gateway integration's longest wait, milliseconds.
pub const INTEGRATION_TIMEOUT_MS: u32 = 29_000;
/// And of one that streams its answers, milliseconds.
pub const STREAMED_INTEGRATION_TIMEOUT_MS: u32 = 900_000;
/// A function's zip, bytes.
pub const ZIP_BYTES: usize = 52_428_800;
/// A function's code once unpacked, bytes.
pub const UNZIPPED_BYTES: u64 = 262_144_000;
