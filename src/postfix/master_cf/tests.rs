//! How master.cf reads and how it is edited.

use super::*;
use crate::name::Parameter;
use crate::postfix::text::lossy;
use crate::thing::Field;

const DEBIAN: &str = "\
smtp      inet  n       -       y       -       -       smtpd
#submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o { smtpd_banner = hello world }
lmtp\tunix  -       -       y       -       -       lmtp -vo a=b -oc=d
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
";

#[allow(clippy::unwrap_used, reason = "a test's own name")]
fn service(master: &MasterCf, name: &str) -> Option<MasterEntry> {
    master.service(&ServiceName::new(name).unwrap())
}

#[allow(clippy::unwrap_used, reason = "a test's own name")]
fn option(entry: &MasterEntry, name: &str) -> Option<String> {
    entry.option(&Parameter::new(name).unwrap())
}

#[test]
fn entries_read_with_fields_and_options() {
    let master = MasterCf::parse(DEBIAN.as_bytes());
    assert_eq!(master.problems(), []);
    assert_eq!(master.services().len(), 3);
    // An indented line after a comment continues the entry before the comment, which surprises many administrators.
    let smtp = service(&master, "smtp/inet");
    let smtp = smtp.as_ref();
    assert_eq!(
        smtp.map(MasterEntry::line).as_deref(),
        Some(
            "smtp inet n - y - - smtpd -o syslog_name=postfix/submission -o {smtpd_banner=hello world}"
        )
    );
    assert_eq!(
        smtp.and_then(|entry| option(entry, "smtpd_banner"))
            .as_deref(),
        Some("hello world")
    );
    assert_eq!(smtp.and_then(|entry| option(entry, "x")), None);
    assert_eq!(
        smtp.map(|entry| entry.field(Field::Chroot)).as_deref(),
        Some("y")
    );
    let lmtp = service(&master, "lmtp/unix");
    assert_eq!(
        lmtp.map(|entry| entry.field(Field::Command)).as_deref(),
        Some("lmtp -v -o a=b -o c=d")
    );
    let maildrop = service(&master, "maildrop/unix");
    assert_eq!(
        maildrop.map(|entry| entry.field(Field::Command)).as_deref(),
        Some("pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}")
    );
}

#[test]
fn the_last_of_two_entries_wins() {
    let master = MasterCf::parse(b"a unix - - n - - x\na unix - - y - - x\n");
    assert_eq!(
        service(&master, "a/unix").map(|entry| entry.field(Field::Chroot)),
        Some("y".to_owned())
    );
    assert_eq!(master.problems()[0].kind, LineProblemKind::Duplicate);
}

#[test]
fn what_postfix_dies_of_is_a_problem() {
    for line in [
        "a unix - - n - -",
        "a tcp - - n - - x",
        "a unix - - maybe - - x",
        "a unix - - n 5m - x",
        "a unix - - n - many x",
    ] {
        let master = MasterCf::parse(line.as_bytes());
        assert_eq!(
            master.problems().first().map(|problem| problem.kind),
            Some(LineProblemKind::Malformed),
            "{line}"
        );
    }
    assert_eq!(MasterCf::parse(b"a unix - - n 60? - x").problems(), []);
}

fn edited(text: &str, how: Change, arguments: &[&str]) -> String {
    let arguments: Vec<&[u8]> = arguments.iter().map(|text| text.as_bytes()).collect();
    change(text.as_bytes(), how, &arguments).map_or_else(|why| why, |done| lossy(&done.text))
}

#[test]
fn editing_one_entry_leaves_the_others_bytes_alone() {
    let text = edited(DEBIAN, Change::SetField, &["lmtp/unix/chroot=n"]);
    assert!(text.contains(
        "\nlmtp       unix  -       -       n       -       -       lmtp -v\n    -o a=b\n    -o c=d\n"
    ));
    assert_eq!(
        text.lines().next(),
        Some("smtp      inet  n       -       y       -       -       smtpd")
    );
}

#[test]
fn a_whole_entry_is_replaced_where_it_stands_or_appended() {
    let text = "a unix - - n - - x\n  -o b=c\nd unix - - n - - y\n";
    assert_eq!(
        edited(text, Change::SetEntry, &["a/unix=a unix - - y - - z"]),
        "a          unix  -       -       y       -       -       z\nd unix - - n - - y\n"
    );
    assert_eq!(
        edited(text, Change::RemoveEntry, &["a/unix"]),
        "d unix - - n - - y\n"
    );
    assert_eq!(
        edited(text, Change::CommentOutEntry, &["a/unix"]),
        "#a unix - - n - - x\n#  -o b=c\nd unix - - n - - y\n"
    );
    assert_eq!(
        edited("", Change::SetEntry, &["a/unix=a unix - - y - - z"]),
        "a          unix  -       -       y       -       -       z\n"
    );
}

#[test]
fn options_are_set_added_and_taken_away() {
    let text = "a unix - - n - - x -v -o b=c -o d=e f\n";
    assert_eq!(
        edited(text, Change::SetOption, &["a/unix/b=1", "a/unix/g=2"]),
        "a          unix  -       -       n       -       -       x -v\n    -o b=1\n    -o d=e\n    -o g=2\n    f\n"
    );
    assert_eq!(
        edited(text, Change::RemoveOption, &["a/unix/b"]),
        "a          unix  -       -       n       -       -       x -v\n    -o d=e\n    f\n"
    );
}
