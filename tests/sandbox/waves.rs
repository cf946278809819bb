//! What an apply prints where no person watches, and that a sandbox does not wait between its waves.

use std::time::{Duration, Instant};

use super::{Bench, MANIFEST};

#[test]
fn an_apply_without_a_terminal_prints_the_summary_and_one_line_a_wave() {
    let bench = Bench::new(&format!(
        "{MANIFEST}rollout: {{backend: {{serial: 1, pause: 1h}}}}\n"
    ));
    let start = Instant::now();
    let output = bench.run("apply", &["--yes"]);
    // The pause lets real mail flow before the next hosts change; a folder has none.
    assert!(start.elapsed() < Duration::from_secs(600));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stdout.contains("+ create /etc/postfix/ldap/transport_maps.cf"),
        "{stdout}"
    );
    assert!(!stdout.contains("search_base"), "{stdout}");
    assert!(stdout.contains("\n3 hosts: 3 done\n"), "{stdout}");
    let waves: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("wave "))
        .collect();
    assert_eq!(
        waves,
        [
            "wave 1 of 3: backend1.example.org",
            "wave 2 of 3: backend2.example.org",
            "wave 3 of 3: smtp.example.org",
        ],
        "{stderr}"
    );
    // The whole text is there for who asks for it.
    let again = Bench::new(MANIFEST);
    let full = again.expect(0, "apply", &["--yes", "--diff", "full"]);
    assert!(full.contains("search_base"), "{full}");
}
