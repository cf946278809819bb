//! What goes in and what comes back.

use std::time::{Duration, Instant};

use murder::transport::{ProgramExit, ProgramRequest};

use super::sshd::{Sshd, ask, reach, run, try_ask, within};

#[test]
fn streams_codes_and_signals_come_back_over_one_connection() {
    let sshd = Sshd::with("Banner @/sshd_config").known("ed25519");
    let mut shell = sshd.connect();
    let response = ask(&mut *shell, "cat; echo no >&2; exit 7", b"yes\n");
    assert_eq!(response.stdout, b"yes\n");
    assert_eq!(response.stderr, b"no\n");
    assert_eq!(response.exit, ProgramExit::Code(7));
    assert_eq!(
        ask(&mut *shell, "kill -KILL $$", b"").exit,
        ProgramExit::Signal("KILL".to_owned())
    );
    // A program that never looks at its input, and one that closes it early.
    let large = vec![b'x'; 8 << 20];
    assert_eq!(
        ask(&mut *shell, "exec true", &large).exit,
        ProgramExit::Code(0)
    );
    assert_eq!(ask(&mut *shell, "exec head -c 1", &large).stdout, b"x");
    assert_eq!(sshd.logged("Accepted publickey"), 1, "{}", sshd.log());
}

#[test]
fn sixty_four_megabytes_go_both_ways_and_out_of_both_streams() {
    let sshd = Sshd::start().known("ed25519");
    let mut shell = sshd.connect();
    // No period of a power of two, so that a lost or doubled buffer shows.
    let large: Vec<u8> = (0..64_usize << 20).map(|i| (i % 251) as u8).collect();
    let response = ask(&mut *shell, "exec tee /dev/stderr", &large);
    assert_eq!(response.exit, ProgramExit::Code(0));
    assert!(response.stdout == large, "{} bytes", response.stdout.len());
    assert!(response.stderr == large, "{} bytes", response.stderr.len());
    assert_eq!(
        ask(&mut *shell, "echo still here", b"").stdout,
        b"still here\n"
    );
}

#[test]
fn silence_ends_an_exchange_and_the_next_one_dials_anew() {
    let sshd = Sshd::start().known("ed25519");
    let mut shell = sshd.connect();
    let started = Instant::now();
    let response = shell
        .exchange(&ProgramRequest {
            command: "echo begun; exec sleep 60".to_owned(),
            stdin: Vec::new().into(),
            limits: within(Duration::from_secs(5)),
        })
        .unwrap();
    assert_eq!(response.stdout, b"begun\n");
    assert!(
        matches!(&response.exit, ProgramExit::Lost(why) if why.starts_with("no output")),
        "{response:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(40));
    assert_eq!(ask(&mut *shell, "echo again", b"").stdout, b"again\n");
    assert_eq!(sshd.logged("Accepted publickey"), 2);
}

#[test]
fn a_dripping_host_meets_the_end_too() {
    let sshd = Sshd::start().known("ed25519");
    let response = sshd
        .connect()
        .exchange(&ProgramRequest {
            command: "while :; do echo .; sleep 0.05; done".to_owned(),
            stdin: Vec::new().into(),
            limits: within(Duration::from_secs(3)),
        })
        .unwrap();
    assert!(
        matches!(&response.exit, ProgramExit::Overrun(why) if why.starts_with("it did not end")),
        "{response:?}"
    );
}

#[test]
fn a_connection_that_dies_in_an_exchange_is_lost_and_between_two_is_made_again() {
    let sshd = Sshd::start().known("ed25519");
    let mut shell = sshd.connect();
    // The parent of the login shell is the connection's own sshd.
    let response = ask(
        &mut *shell,
        "echo begun; sleep 0.5; kill -KILL $PPID; exec sleep 60",
        b"",
    );
    assert_eq!(response.stdout, b"begun\n");
    assert!(
        matches!(response.exit, ProgramExit::Lost(_)),
        "{response:?}"
    );
    let parent = ask(&mut *shell, "echo $PPID", b"").stdout;
    run(std::process::Command::new("kill")
        .arg("-KILL")
        .arg(String::from_utf8(parent).unwrap().trim()));
    assert_eq!(ask(&mut *shell, "echo again", b"").stdout, b"again\n");
}

#[test]
fn login_shells_of_every_kind_carry_the_line_and_noise_passes_through() {
    for login in ["csh", "tcsh", "fish", "dash", "bash", "busybox sh"] {
        let force = format!(
            "ForceCommand echo noise; echo noise >&2; exec {login} -c \"$SSH_ORIGINAL_COMMAND\""
        );
        let sshd = Sshd::with(&force).known("ed25519");
        let mut shell = sshd.connect();
        let line = "exec sh -c 'x=$(cat); echo \"<$x>\" $#; exit 3' sh one two";
        let response = try_ask(&mut *shell, line, b"input").unwrap();
        assert_eq!(
            response.stdout, b"noise\n<input> 2\n",
            "{login}: {response:?}"
        );
        assert!(
            response.stderr.starts_with(b"noise\n"),
            "{login}: {response:?}"
        );
        assert_eq!(response.exit, ProgramExit::Code(3), "{login}");
    }
}

#[test]
fn sixty_four_hosts_at_once_and_each_has_its_own_session() {
    let sshd = Sshd::with("MaxStartups 32:100:32").known("ed25519");
    let (host, options) = (sshd.host(), sshd.options());
    std::thread::scope(|scope| {
        for index in 0..64 {
            let (host, options) = (&host, &options);
            scope.spawn(move || {
                let mut shell = reach(host, options).unwrap();
                let text = format!("{index}");
                assert_eq!(
                    ask(&mut *shell, "exec cat", text.as_bytes()).stdout,
                    text.as_bytes()
                );
            });
        }
    });
    // Eight at once stay below the limit, though sshd counts a session as a start
    // for a while after its client has been let in: nobody was dropped and came again.
    assert_eq!(sshd.logged("drop connection"), 0, "{}", sshd.log());
}
