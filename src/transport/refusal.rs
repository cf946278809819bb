//! Why sudo(8) or doas(1) did not start the program, from what they print.

use crate::exchange::Failure;
use crate::transport::shell::ProgramExit;

/// The error where sudo does not accept the password.
pub(in crate::transport) fn wrong_password(words: String) -> Failure {
    Failure {
        summary: "sudo does not accept the password".to_owned(),
        detail: Some(words).filter(|words| !words.is_empty()),
        hint: Some("check `ssh.become.password`; it was tried once".to_owned()),
    }
}

/// Why the program did not run as root, from the output of sudo(8), doas(1) or env(1).
pub(in crate::transport) fn refusal(tool: &str, words: String, exit: &ProgramExit) -> Failure {
    let said = words.to_ascii_lowercase();
    let has = |needles: &[&str]| needles.iter().any(|needle| said.contains(needle));
    if has(&["incorrect password", "sorry, try again"]) {
        return wrong_password(words);
    }
    let (summary, hint) = if *exit == ProgramExit::Code(127)
        || has(&[
            &format!("{tool}: not found"),
            &format!("{tool}: command not found"),
        ]) {
        (
            format!("{tool} is not installed on the host"),
            format!("install {tool} on the host, or log in as root (`ssh.become: no`)"),
        )
    } else if has(&["must have a tty"]) {
        (
            "sudo requires a terminal (`requiretty`)".to_owned(),
            "add `Defaults:USER !requiretty` to sudoers for this login".to_owned(),
        )
    } else if has(&["not in the sudoers", "not allowed to", "may not run sudo"]) {
        (
            "sudo does not let this login become root".to_owned(),
            "allow it to run `sh` as root in sudoers (visudo)".to_owned(),
        )
    } else if has(&["operation not permitted"]) && tool == "doas" {
        (
            "doas does not let this login become root".to_owned(),
            "add `permit nopass USER as root` to doas.conf".to_owned(),
        )
    } else if has(&["authentication required", "authorization required"]) {
        (
            "doas requires a password, and reads it only from a terminal".to_owned(),
            "add `permit nopass USER as root` to doas.conf, or use sudo".to_owned(),
        )
    } else if has(&[
        "password is required",
        "no password was provided",
        "askpass",
    ]) {
        (
            "sudo requires a password".to_owned(),
            "set `ssh.become: {method: sudo, password: …}`, or add `NOPASSWD:` to sudoers"
                .to_owned(),
        )
    } else {
        (
            format!("{tool} did not start the program"),
            format!("run `{tool} sh -c id` on the host with the same login"),
        )
    };
    Failure {
        summary,
        detail: Some(words).filter(|words| !words.is_empty()),
        hint: Some(hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let cases = [
            (
                "sudo",
                "sudo: a password is required",
                1,
                "sudo requires a password",
            ),
            (
                "sudo",
                "env: 'sudo': No such file or directory",
                127,
                "sudo is not installed on the host",
            ),
            (
                "sudo",
                "sudo: sorry, you must have a tty to run sudo",
                1,
                "sudo requires a terminal (`requiretty`)",
            ),
            (
                "sudo",
                "mail is not in the sudoers file.",
                1,
                "sudo does not let this login become root",
            ),
            (
                "sudo",
                "Sorry, user mail is not allowed to execute '/bin/sh' as root on x.",
                1,
                "sudo does not let this login become root",
            ),
            (
                "sudo",
                "sudo: 1 incorrect password attempt",
                1,
                "sudo does not accept the password",
            ),
            (
                "doas",
                "doas: Operation not permitted",
                1,
                "doas does not let this login become root",
            ),
            (
                "doas",
                "doas: Authentication required",
                1,
                "doas requires a password, and reads it only from a terminal",
            ),
        ];
        for (tool, words, code, summary) in cases {
            assert_eq!(
                refusal(tool, words.to_owned(), &ProgramExit::Code(code)).summary,
                summary
            );
        }
    }
}
