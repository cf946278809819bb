//! Files that never end, and reads that never come back: an observation ends, and leaves nothing running.

use std::time::{Duration, Instant};

use murder::machine::remote::Remote;
use murder::machine::{Ending, HistoryQuestion, MachineError, Observe, Observed, Questions};
use murder::secret::{Body, SecretName};
use murder::state::{LiveFile, Want};

use super::host::Host;
use super::{asking, path, until, world};

const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

/// Longer than any observation of a host that answers, also on a busy machine; shorter than its deadline.
const PROMPT: Duration = Duration::from_secs(30);

fn observe(host: &Host, sh: &str, questions: &Questions) -> Result<Observed, MachineError> {
    let began = Instant::now();
    let answer = Remote::new(host.shell()).with_sh(sh).observe(questions);
    assert!(began.elapsed() < PROMPT, "{sh}: {:?}", began.elapsed());
    answer
}

/// The programs of an observation that still run.
fn readers(host: &Host) -> String {
    host.run("for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in grep | sha256sum | stat | readlink | postconf | sleep) case $(tr '\\0' ' ' <$p/cmdline) in 'sleep 100000 ') ;; *) tr '\\0' ' ' <$p/cmdline ;; esac ;; esac; done")
}

#[test]
fn what_is_no_regular_file_is_not_read() {
    let host = Host::new();
    host.run("mkdir -m 0700 /var/lib/murder; mknod /root/pipe p; cp /etc/postfix/master.cf /etc/os-release /root");
    for (place, says) in [
        ("/etc/postfix/master.cf", "`/etc/postfix/master.cf` is "),
        (
            "/var/lib/murder/ledger.json",
            "`/var/lib/murder/ledger.json` is ",
        ),
        (
            "/var/lib/murder/journal.json",
            "`/var/lib/murder/journal.json` is ",
        ),
        ("/var/lib/murder/last", "`/var/lib/murder/last` is "),
        ("/var/lib/murder/paths", "`/var/lib/murder/paths` is "),
        (
            "/var/lib/murder/pending.r1.json",
            "`/var/lib/murder/pending.r1.json` is ",
        ),
        ("/var/lib/murder/pending.r1.paths", ""),
        ("/var/lib/murder/lock", ""),
        ("/var/lib/murder/history/1.json", ""),
        ("/var/spool/postfix/pid/master.pid", ""),
        ("/etc/os-release", ""),
    ] {
        for (made, kind) in [
            ("mkfifo", "a FIFO"),
            ("ln -s /dev/zero", "a device"),
            ("ln -s /root/pipe", "a FIFO"),
        ] {
            host.run(&format!(
                "mkdir -p $(dirname {place}); rm -f {place}; {made} {place}"
            ));
            let sh = SHELLS[made.len() % 3];
            let questions = Questions {
                history: Some(HistoryQuestion::Entries),
                ..Questions::default()
            };
            match observe(&host, sh, &questions) {
                Ok(_) => assert_eq!(says, "", "{place}, {made}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(
                        !says.is_empty() && text.contains(&format!("{says}{kind}")),
                        "{place}, {made}: {text}"
                    );
                }
            }
            host.run(&format!("rm -f {place}"));
        }
        host.run("cp /root/master.cf /etc/postfix/; cp /root/os-release /etc/");
    }
    until(|| readers(&host).is_empty());
}

#[test]
fn a_managed_file_that_is_none_is_seen_and_not_read() {
    let host = Host::new();
    host.run("cd /etc/postfix; mkfifo fifo; ln -s fifo link; ln -s /dev/zero zero; truncate -s 8T huge; echo a >plain; ln -s plain good");
    host.run("mkdir -m 0700 /var/lib/murder; printf '/etc/postfix/zero\\n/etc/postfix/fifo\\n' >/var/lib/murder/paths");
    let names = ["fifo", "link", "zero", "huge", "plain", "good"];
    let places: Vec<String> = names
        .iter()
        .map(|name| format!("/etc/postfix/{name}"))
        .collect();
    let mut questions = asking(&places.iter().map(String::as_str).collect::<Vec<_>>());
    questions.indexes.insert(path("/etc/postfix/fifo.db"));
    for sh in SHELLS {
        let live = observe(&host, sh, &questions).unwrap().live;
        for (name, kind) in [
            ("fifo", "a FIFO"),
            ("link", "a FIFO"),
            ("zero", "a device"),
            ("huge", "a file of more than 1 GiB"),
        ] {
            let file = &live.files[&path(&format!("/etc/postfix/{name}"))];
            assert_eq!(*file, LiveFile::Other(kind.to_owned()), "{sh}, {name}");
        }
        for name in ["plain", "good"] {
            let LiveFile::Present(file) = &live.files[&path(&format!("/etc/postfix/{name}"))]
            else {
                panic!("{sh}: {name}");
            };
            assert_eq!(file.text.as_deref(), Some("a\n"), "{sh}");
        }
    }
    host.run("truncate -s 40M /etc/postfix/master.cf");
    let text = observe(&host, "dash", &questions).unwrap_err().to_string();
    assert!(text.contains("master.cf` is larger than 8 MiB"), "{text}");
    until(|| readers(&host).is_empty());
}

#[test]
fn a_read_that_never_comes_back_is_ended_by_the_host() {
    let host = Host::new();
    // As where a file becomes a FIFO after it was looked at, or calls itself a file and is none (/proc/kmsg).
    host.run("mv /usr/sbin/postconf /usr/sbin/postconf.real; mkfifo /root/pipe");
    host.write(
        "/usr/sbin/postconf",
        "#!/bin/sh\ncat /root/pipe & cat /root/pipe\n",
    );
    host.run("chmod 755 /usr/sbin/postconf");
    for sh in SHELLS {
        let began = Instant::now();
        let mut remote = Remote::new(host.shell())
            .with_sh(sh)
            .with_command_timeout(Duration::from_secs(3));
        let error = remote.observe(&Questions::default()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("did not answer all questions within 2 s"),
            "{sh}: {text}"
        );
        assert!(began.elapsed() < PROMPT, "{sh}: {:?}", began.elapsed());
        let left = host.run("for p in /proc/[0-9]*; do case $(tr '\\0' ' ' <$p/cmdline 2>/dev/null) in 'cat /root/pipe '* | *'sh -s ' | '/bin/sh /usr/sbin/postconf'*) tr '\\0' ' ' <$p/cmdline ;; esac; done");
        assert_eq!(left, "", "{sh}");
    }
}

#[test]
fn an_observation_leaves_no_guard_behind() {
    let host = Host::running();
    host.write("/etc/postfix/x", "a\n");
    for sh in SHELLS {
        observe(&host, sh, &asking(&["/etc/postfix/x"])).unwrap();
        until(|| readers(&host).is_empty());
    }
}

/// postmap(1) names the keys of a table, in lower case.
#[test]
fn a_secret_that_postmap_names_is_in_no_report_and_stays_nowhere_on_the_host() {
    let host = world::host();
    let mut second = world::desired(true);
    let token = Body::token(&SecretName("bind_pw".to_owned()));
    let Some(Want::Present(file)) = second
        .postfix_mut()
        .files
        .get_mut(&path("/etc/postfix/new"))
    else {
        panic!();
    };
    file.body = Body::from_rendered(&format!("{token} error:a\n{token} error:b\n"));
    file.mode = murder::name::Mode::from_bits(0o640);
    let plan = world::plan(&host, &second).unwrap();
    let performed = world::perform(&host, &plan, "second", "");
    assert_ne!(performed.ending, Ending::Done);
    let report = format!("{performed:?}").to_lowercase();
    assert!(
        report.contains("duplicate") && report.contains("***"),
        "{report}"
    );
    let secret = world::PASSWORD.to_lowercase();
    assert!(!report.contains(&secret), "{report}");
    let last = host.read("/var/lib/murder/last").to_lowercase();
    assert!(
        last.contains("duplicate") && !last.contains(&secret),
        "{last}"
    );
    assert_eq!(host.run(&format!("grep -rli {secret} /var/lib/murder")), "");
    let remarks = world::remarks(&host, &second).join("\n").to_lowercase();
    assert!(
        remarks.contains("duplicate") && !remarks.contains(&secret),
        "{remarks}"
    );
    // The lines of the table file have one, as they must.
    assert!(
        !host
            .run("grep -l Welcome2 /etc/postfix/murder/secret.cf")
            .is_empty()
    );
}

/// sudo(8) says in the environment that it was there.
#[test]
fn a_sudo_that_records_its_input_is_remarked_once() {
    let host = Host::new();
    host.run("mkdir -p /etc/sudoers.d; rm -f /etc/sudoers.d/*; mkfifo /etc/sudoers.d/pipe; printf 'Defaults env_reset\\n# log_input\\nDefaults:joe !log_input\\n' >/etc/sudoers");
    let said = |sh: &str| {
        let live = observe(&host, sh, &Questions::default()).unwrap().live;
        let remarks = live.remarks.into_iter().map(|remark| remark.text);
        let of_sudo = remarks.filter(|text| text.contains("sudo may record"));
        of_sudo.collect::<Vec<_>>()
    };
    for shell in SHELLS {
        assert_eq!(
            said(&format!("env SUDO_USER=joe {shell}")),
            [""; 0],
            "{shell}"
        );
    }
    host.run("printf 'Defaults log_output\\n' >/etc/sudoers.d/logs; printf 'joe ALL=(ALL) LOG_INPUT: ALL\\n' >>/etc/sudoers");
    for shell in SHELLS {
        let remarks = said(&format!("env SUDO_USER=joe {shell}"));
        assert_eq!(remarks.len(), 1, "{shell}: {remarks:?}");
        assert!(
            remarks[0].contains("in /etc/sudoers"),
            "{shell}: {remarks:?}"
        );
        assert_eq!(said(shell), [""; 0], "without sudo, {shell}");
    }
}
