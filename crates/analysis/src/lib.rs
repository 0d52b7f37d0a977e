//! Statistics that stay valid under continuous watching: is the canary worse, not worse, or not known yet?
