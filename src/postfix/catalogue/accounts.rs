//! Parameters that name an account of the host which must have no privileges (postconf(5), `default_privs`).

use super::problem::Problem;

/// The parameters, each with whether it names a group.
const NAMES: [(&str, bool); 3] = [
    ("default_privs", false),
    ("mail_owner", false),
    ("setgid_group", true),
];

/// Checks that an account is not the one of root. A value with a `$` passes, because it depends on other parameters.
///
/// # Errors
/// Postfix would end with a fatal error: every program of it.
pub(super) fn check(name: &str, value: &str) -> Result<(), Problem> {
    let Some((_, is_group)) = NAMES.iter().find(|(known, _)| *known == name) else {
        return Ok(());
    };
    if !matches!(value.trim(), "root" | "0") {
        return Ok(());
    }
    let (what, usual) = match (*is_group, name) {
        (true, _) => ("group", "postdrop"),
        (false, "mail_owner") => ("user", "postfix"),
        (false, _) => ("user", "nobody"),
    };
    Err(Problem {
        summary: format!("`{name} = {}` is a privileged {what}", value.trim()),
        detail: Some("every program of Postfix would stop with a fatal error".to_owned()),
        hint: Some(format!(
            "write a {what} without privileges, as in `{usual}`"
        )),
        word: None,
    })
}
