//! Functions of the host programs, each in a table, without a host: their files are sourced by dash, bash and BusyBox.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const SHELLS: [&[&str]; 3] = [&["dash"], &["bash"], &["busybox", "sh"]];

/// Sources files of `apply/` and runs a script behind them, in every shell; returns what it prints, which must be the
/// same in all.
///
/// `fail` and `log` print their words in place of ending a run.
fn run(files: &[&str], script: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/machine/remote/apply");
    let mut program = "RUN=r1 SH=sh FAULT='' LC_ALL=C; set -f\n".to_owned();
    for file in files {
        writeln!(
            program,
            ". {}",
            quote(&folder.join(file).display().to_string())
        )
        .unwrap();
    }
    program.push_str("fail() { echo \"fail: $1 ($2)\"; exit 0; }\nlog() { echo \"log: $1\"; }\n");
    program.push_str(script);
    let outputs = SHELLS.map(|shell| {
        let output = Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", &program])
            .output()
            .unwrap_or_else(|error| panic!("{shell:?}: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && errors.is_empty(),
            "{shell:?}: {errors}"
        );
        String::from_utf8(output.stdout).unwrap()
    });
    for (shell, output) in SHELLS.iter().zip(&outputs) {
        assert_eq!(output, &outputs[0], "{shell:?} is not of dash's opinion");
    }
    outputs[0].clone()
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Calls a function once for each row, each in a subshell, and compares what each call prints.
fn table(files: &[&str], before: &str, call: &str, rows: &[(&str, &str)]) {
    let mut script = before.to_owned();
    for (arguments, _) in rows {
        writeln!(script, "( {call} {arguments} )\necho '--'").unwrap();
    }
    let output = run(files, &script);
    let answers: Vec<&str> = output.split("--\n").collect();
    assert_eq!(answers.len(), rows.len() + 1, "{output}");
    for ((arguments, wanted), answer) in rows.iter().zip(answers) {
        assert_eq!(answer.trim_end(), *wanted, "{call} {arguments}");
    }
}

#[test]
fn values_are_of_their_kind() {
    let most = 2_147_483_647;
    let no =
        |why: &str, value: &str| format!("fail: `x` is {why}; nothing was changed (x = {value})");
    let number = no("no number that Postfix can read", "1k");
    let blank = no("no number that Postfix can read", "");
    let time = no("no time that Postfix can read", "5min");
    let boolean = no("no boolean that Postfix can read", "on");
    let below = no("out of range (1 to 100)", "0");
    let above = no("out of range (1 to 100)", "101");
    let large = no("larger than Postfix can read", "99999999999");
    let negative = no("negative", "-5s");
    let words = |row: &str| row.replace("MOST", &most.to_string());
    let rows = [
        ("x 1 number 0 MOST", ""),
        ("x -1 number -5 MOST", ""),
        ("x 1k number 0 MOST", &number),
        ("x '' number 0 MOST", &blank),
        ("x 0 number 1 100", &below),
        ("x 101 number 1 100", &above),
        ("x 100 number 1 100", ""),
        ("x 99999999999 number 0 MOST", &large),
        // Numbers of 64 bits have no upper limit here.
        ("x 99999999999 number 0 -", ""),
        ("x 5s time 0 MOST", ""),
        ("x 5w time 0 MOST", ""),
        ("x 5 time 0 MOST", ""),
        ("x 5min time 0 MOST", &time),
        ("x -5s time 0 MOST", &negative),
        ("x yes boolean 0 1", ""),
        ("x No boolean 0 1", ""),
        ("x on boolean 0 1", &boolean),
    ];
    let rows: Vec<(String, &str)> = rows
        .iter()
        .map(|(row, wanted)| (words(row), *wanted))
        .collect();
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(row, wanted)| (row.as_str(), *wanted))
        .collect();
    table(
        &["words.sh", "report.sh", "validate.sh"],
        "",
        "is_of_kind",
        &rows,
    );
}

#[test]
fn a_listener_is_taken_apart_as_postfix_does() {
    table(
        &["words.sh", "listeners.sh"],
        "split() { split_listener \"$1\"; number_of_port; echo \"$host $port\"; }\n",
        "split",
        &[
            ("smtp", " 25"),
            ("submission", " 587"),
            ("submissions", " 465"),
            ("2525", " 2525"),
            ("127.0.0.1:10025", "127.0.0.1 10025"),
            ("'[::1]:smtp'", "::1 25"),
            ("::1:2525", "::1 2525"),
            ("mx.example.org:smtps", "mx.example.org 465"),
            ("x:", "x"),
        ],
    );
}

#[test]
fn listeners_that_need_a_look_are_found_in_master_cf() {
    let master = "# smtp inet\\nsmtp inet n - y - - smtpd\\n  -o a=b\\n2525 inet n - y - - smtpd\\n127.0.0.1:10025 inet n - y - - smtpd\\n\
                  imap\\tinet n - y - - smtpd\\n192.0.2.1:25 inet n - y - - smtpd\\npickup unix n - y 60 1 pickup\\n";
    let script = format!("printf '{master}' | sed -n -e \"$ODD_LISTENERS\" -e p");
    assert_eq!(
        run(&["words.sh", "listeners.sh"], &script),
        "imap\n192.0.2.1:25\n"
    );
}

#[test]
fn a_listener_without_a_port_that_is_known_is_refused() {
    let words = "master.cf has a line that Postfix's master dies of: the service";
    let refused = |service: &str, why: &str| {
        format!("fail: {words} `{service} inet`; nothing was changed ({why})")
    };
    let bracket = refused("[::1]", "what stands in brackets has no port behind it");
    let none = refused("mx:", "it names no port");
    let unknown = refused(
        "no-such-port",
        "no services database of the host knows the port `no-such-port`",
    );
    table(
        &["words.sh", "report.sh", "listeners.sh"],
        // A host without disabled services, whose services database knows `known` only.
        "disabled=' ' hosts=''; knows_port() { [ \"$1\" = known ]; }\n\
         try() { try_port \"$1\"; printf '%s' \"$hosts\"; }\n",
        "try",
        &[
            ("known", ""),
            ("25", ""),
            ("127.0.0.1:25", ""),
            ("192.0.2.1:25", "192.0.2.1 192.0.2.1:25"),
            ("'[2001:db8::1]:25'", "2001:db8::1 [2001:db8::1]:25"),
            ("'[::1]'", &bracket),
            ("mx:", &none),
            ("no-such-port", &unknown),
        ],
    );
}

#[test]
fn what_other_instances_log_is_no_trouble_of_this_one() {
    const LOG: &str = "\
Jan  1 00:00:00 h postfix/smtpd[10]: fatal: of the default instance
Jan  1 00:00:01 h postfix-out/smtpd[11]: fatal: of postfix-out, which names postfix/
Jan  1 00:00:02 h postfix-in/smtpd[12]: fatal: of postfix-in
";
    let of = |others: &str| {
        let script = format!(
            "OTHERS='{others}' OLD_PIDS='' CALM=''; printf '%s' {} | troubles",
            quote(LOG)
        );
        run(&["words.sh", "log.sh"], &script)
    };
    let (default, out) = (
        "postfix/smtpd: fatal: of the default instance\n",
        "postfix-out/smtpd: fatal: of postfix-out, which names postfix/\n",
    );
    assert_eq!(of("|postfix-out|postfix-in"), default);
    assert_eq!(of("|postfix|postfix-in"), out);
    assert_eq!(of("").lines().count(), 3);
}

#[test]
fn what_services_died_of_is_read_from_the_log() {
    const LOG: &str = "\
Jan  1 00:00:00 h postfix/smtpd[10]: fatal: open /etc/postfix/x.db: No such file
Jan  1 00:00:01 h postfix/master[1]: warning: process /usr/lib/postfix/sbin/smtpd pid 10 exit status 1
Jan  1 00:00:01 h postfix/master[1]: warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling
Jan  1 00:00:02 h postfix/smtpd[11]: fatal: open /etc/postfix/x.db: No such file
Jan  1 00:00:03 h postfix/smtpd[77]: fatal: of a process of before
Jan  1 00:00:03 h postfix/master[1]: warning: process /usr/lib/postfix/sbin/smtpd pid 77 exit status 1
Jan  1 00:00:04 h postfix/sendmail[12]: fatal: usage: sendmail [options]
Jan  1 00:00:05 h postfix/smtpd[13]: warning: helo x[postfix/smtpd[14]: fatal: lies]
Jan  1 00:00:06 h postfix/cleanup[15]: panic: myfree
";
    let all = "postfix/cleanup: panic: myfree\n\
        postfix/master: warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling\n\
        postfix/master: warning: process /usr/lib/postfix/sbin/smtpd pid exit status 1\n\
        postfix/smtpd: fatal: open /etc/postfix/x.db: No such file\n";
    let files = ["words.sh", "log.sh"];
    let script = |calm: &str| {
        format!(
            "OLD_PIDS=' 77' CALM={calm}; printf '%s' {} | troubles",
            quote(LOG)
        )
    };
    assert_eq!(run(&files, &script("''")), all);
    let calm: String = all
        .lines()
        .filter(|line| !line.contains("throttling"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(run(&files, &script("1")), calm);
}

#[test]
fn the_log_is_read_from_the_last_reload_on() {
    let log = "a\npostfix/master[1]: daemon started -- version 3.7\nb\npostfix/master[1]: reload -- version 3.7\nc\nd\n";
    let script = format!("printf '%s' {} | since_activation", quote(log));
    assert_eq!(
        run(&["words.sh", "log.sh"], &script),
        "postfix/master[1]: reload -- version 3.7\nc\nd\n"
    );
}

#[test]
fn processes_that_an_old_proxymap_refused_are_counted_and_forgiven() {
    let found = "h postfix/smtpd[10]: fatal: proxymap service is not configured for table \"x\"\nh postfix/smtpd[11]: fatal: x";
    let script = format!(
        "OLD_PIDS='' FOUND={}; proxymap_rejects; echo \"$REJECTS:$OLD_PIDS\"",
        quote(found)
    );
    assert_eq!(run(&["words.sh", "log.sh"], &script), "1: 10\n");
}

#[test]
fn observation_writes_nothing() {
    const WRITERS: [&str; 11] = [
        "rm", "mv", "cp", "ln", "tee", "touch", "mkdir", "mktemp", "chmod", "chown", "truncate",
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/machine/remote/observe.sh");
    let program = std::fs::read_to_string(path).unwrap();
    let code = program
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    for line in code {
        let rest = line.replace("2>&1", "").replace(">/dev/null", "");
        assert!(!rest.contains('>'), "this may write a file: {line}");
        let mut words = rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        assert!(
            !words.any(|word| WRITERS.contains(&word)),
            "this writes: {line}"
        );
    }
}
