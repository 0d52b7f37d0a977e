//! IAM: the roles and policies that functions and tools need.
