//! Parameters that name a directory. Postfix programs change their own directory, so a relative path leads elsewhere.

use super::problem::Problem;

/// The directories that Postfix uses itself.
const NAMES: [&str; 7] = [
    "command_directory",
    "config_directory",
    "daemon_directory",
    "data_directory",
    "mail_spool_directory",
    "meta_directory",
    "queue_directory",
];

/// Checks that a directory is absolute. A value with a `$` passes, because it depends on other parameters.
///
/// # Errors
/// The value is relative or empty.
pub(super) fn check(name: &str, value: &str) -> Result<(), Problem> {
    let value = value.trim();
    if !NAMES.contains(&name) || value.contains('$') || value.starts_with('/') {
        return Ok(());
    }
    let text = if value.is_empty() {
        "is empty".to_owned()
    } else {
        format!("is relative: `{value}`")
    };
    Err(Problem {
        summary: format!("`{name}` {text}"),
        detail: Some("each Postfix program would look for the directory somewhere else, or stop with a fatal error".to_owned()),
        hint: Some(format!("write the whole path, as in `/{}`", if value.is_empty() { "var/spool/postfix" } else { value })),
        word: None,
    })
}
