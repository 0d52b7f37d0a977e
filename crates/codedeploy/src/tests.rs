//! The service and its executor on a store of their own, with scripted alarms and hooks, and waits that are divided.

mod bed;
mod deployments;
mod model;
mod refusals;
mod resources;
mod restarts;
