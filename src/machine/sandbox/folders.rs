//! Removes folders that are empty after a managed file was deleted.

use std::path::Path;

use super::Sandbox;
use crate::service::Instance;

/// Folders that Debian's package creates there. They stay, even if they are empty.
const DEBIAN: [&str; 3] = ["dynamicmaps.cf.d", "postfix-files.d", "sasl"];

/// Removes the folders below the configuration of an instance of Postfix that the deleted files `gone` leave empty, whoever created them. A folder
/// that cannot be removed stays.
pub(super) fn tidy<'a>(sandbox: &Sandbox, gone: impl IntoIterator<Item = &'a str>) {
    let Ok(root) = sandbox.existing() else {
        return;
    };
    for folder in gone.into_iter().flat_map(above) {
        // The system refuses those that are not empty.
        let _ = root.remove_folder(Path::new(folder));
    }
}

/// The folders of a file that may go, the innermost first.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let etc = Path::new("/etc").join(instance_of(path));
    let folders = Path::new(path).ancestors().skip(1);
    folders
        .take_while(move |folder| {
            let inside = folder.strip_prefix(&etc).unwrap_or(Path::new(""));
            inside != Path::new("") && !DEBIAN.iter().any(|own| inside == Path::new(own))
        })
        .filter_map(Path::to_str)
}

/// The folder below `/etc` that a path is in, if it is that of an instance; else that of the default one.
fn instance_of(path: &str) -> &str {
    let folder = path
        .strip_prefix("/etc/")
        .and_then(|rest| Some(rest.split_once('/')?.0));
    folder
        .filter(|folder| Instance::new(folder).is_ok())
        .unwrap_or("postfix")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_below_etc_postfix_may_go_and_none_of_debians() {
        for (path, expected) in [
            ("/etc/postfix/transport", &[][..]),
            ("/etc/postfix/ldap/x.cf", &["/etc/postfix/ldap"]),
            (
                "/etc/postfix/a/b/x",
                &["/etc/postfix/a/b", "/etc/postfix/a"],
            ),
            ("/etc/postfix/sasl/smtpd.conf", &[]),
            ("/etc/postfix/sasl/ours/x", &["/etc/postfix/sasl/ours"]),
            ("/etc/aliases.d/x", &[]),
            ("/etc/postfix-out/a/x", &["/etc/postfix-out/a"]),
            ("/etc/postfix-out/x", &[]),
            ("/etc/postfixes/a/x", &[]),
        ] {
            assert_eq!(above(path).collect::<Vec<_>>(), expected, "{path}");
        }
    }
}
