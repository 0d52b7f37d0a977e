//! The service and its executor on a store of their own, with scripted alarms and hooks and a clock that stands still while
//! work is done.

mod bed;
mod deployments;
mod model;
mod refusals;
mod resources;
mod restarts;
