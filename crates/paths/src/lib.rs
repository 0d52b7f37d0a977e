//! Matches path templates and ranks the matches.
