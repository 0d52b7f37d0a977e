//! Plans releases: given a rollout, evidence, alarms and the time, what is the next step?
