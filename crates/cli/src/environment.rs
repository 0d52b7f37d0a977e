//! The environment variables that are read besides those that stand with their argument.

/// The region where none is given on the command line or in `AWS_REGION`.
pub const REGION: &str = "AWS_DEFAULT_REGION";
/// Signs calls, together with [`SECRET_ACCESS_KEY`]. Twelve digits name the account to a server that takes any key.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Signs calls, together with [`ACCESS_KEY_ID`].
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// Goes along with temporary keys.
pub const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// Set to anything but nothing, it turns colour off; see no-color.org.
pub const NO_COLOR: &str = "NO_COLOR";
/// A terminal of this name can't move its cursor.
pub const TERM: &str = "TERM";

/// The variable's value, if it is set to anything that is text.
pub fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
