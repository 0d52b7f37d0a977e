//! Bounds. Sources: CodeDeploy user guide, "CodeDeploy quotas"; API reference, where it says so.

/// Applications in an account and region.
pub const APPLICATIONS: usize = 150;
/// Deployment groups of an application.
pub const GROUPS: usize = 1000;
/// Custom deployment configurations in an account and region.
pub const CONFIGS: usize = 50;
/// Alarms of a group, or of a deployment.
pub const ALARMS: usize = 10;
/// An alarm's name, characters.
pub const ALARM_NAME: usize = 255;
/// Triggers of a group.
pub const TRIGGERS: usize = 10;
/// Tags of a resource.
pub const TAGS: usize = 50;
/// Items of one batch.
pub const BATCH: usize = 100;
/// Deployments of one batch.
pub const BATCH_DEPLOYMENTS: usize = 25;
/// Targets of one batch.
pub const BATCH_TARGETS: usize = 25;
/// Revisions of one batch.
pub const BATCH_REVISIONS: usize = 25;
/// Items of a page.
pub const PAGE: usize = 100;
/// A description, characters. Source: none published.
pub const DESCRIPTION: usize = 1000;
/// An AppSpec, bytes. Source: none published; one that says all there is to say has a hundredth of it.
pub const APPSPEC_BYTES: usize = 64 * 1024;
/// From the first shift of traffic to the last, minutes.
pub const SHIFT_MIN: u64 = 2880;
/// A percentage of a shift.
pub const PERCENT: std::ops::RangeInclusive<i64> = 1..=99;
/// A hook's function has so long to answer.
pub const HOOK_MS: u64 = 3_600_000;
/// Alarms are looked at so often. Source: reactions of 12 to 15 s that were seen.
pub const ALARM_POLL_MS: u64 = 10_000;
/// Deployments that run in one account and region at a time. Source: quotas ("concurrent deployments").
pub const RUNNING: usize = 1000;
/// Deployments that are remembered in an account and region; the oldest that ended go first.
pub const DEPLOYMENTS: usize = 2000;
/// Revisions that are remembered of an application; those that were registered first go first.
pub const REVISIONS: usize = 1000;
