//! Keeps and queries logs and metrics; evaluates alarms.
