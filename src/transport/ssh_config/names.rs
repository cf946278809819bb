//! The names that the `Host` lines of ssh_config(5) give in full, for patterns of the command line.

use std::path::{Path, PathBuf};

use super::Environment;
use super::reader::{glob_files, split_line};
use crate::root_folder::read_regular;

/// The largest ssh_config(5) that is read, in bytes.
const LARGEST: u64 = 16 << 20;
/// Includes nest at most this deep.
const DEPTH: usize = 16;

/// The names of the user's configuration without wildcards, in its order and that of the files that it includes. A file that
/// cannot be read has none.
#[must_use]
pub fn host_names(environment: &Environment) -> Vec<String> {
    let folder = environment.home.join(".ssh");
    let file = environment
        .config
        .clone()
        .unwrap_or_else(|| folder.join("config"));
    let mut found = Vec::new();
    of_file(environment, &file, &folder, DEPTH, &mut found);
    found
}

fn of_file(
    environment: &Environment,
    file: &Path,
    folder: &Path,
    depth: usize,
    found: &mut Vec<String>,
) {
    let bytes = read_regular(file, LARGEST).unwrap_or_default();
    for line in String::from_utf8_lossy(&bytes).lines() {
        let Some((keyword, arguments)) = split_line(line) else {
            continue;
        };
        match keyword.as_str() {
            "host" => found.extend(
                arguments
                    .into_iter()
                    .filter(|name| !name.contains(['*', '?', '!'])),
            ),
            "include" if depth > 0 => {
                for pattern in arguments {
                    let path = folder.join(environment.expand(&pattern));
                    let included: Vec<PathBuf> = glob_files(&path);
                    for file in included {
                        of_file(environment, &file, folder, depth - 1, found);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_all_files_and_wildcards_are_none() {
        let home = tempfile::tempdir().unwrap();
        let ssh = home.path().join(".ssh");
        std::fs::create_dir_all(ssh.join("more")).unwrap();
        std::fs::write(
            ssh.join("config"),
            "Include more/*\nHost smtp backend1\n  User root\nHost * !x\n",
        )
        .unwrap();
        std::fs::write(ssh.join("more/a"), "Host mx\n").unwrap();
        let environment = Environment {
            home: home.path().to_owned(),
            agent: None,
            config: None,
            user: "root".to_owned(),
        };
        assert_eq!(host_names(&environment), ["mx", "smtp", "backend1"]);
    }
}
