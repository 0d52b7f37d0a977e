//! Talks to a running server from the command line.
