//! Durable tables with one writer; a commit returns when the new snapshot is live.
